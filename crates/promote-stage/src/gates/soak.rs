//! The soak time: how long a version has been in the stage before, by the server's own clock.

use std::time::Duration;

use domino_core::api::mlflow::ModelVersion;
use domino_core::serving::Serving;
use domino_core::wait::Span;

use super::result::GateResult;
use crate::candidate::Candidate;
use crate::record::{Record, Status};
use crate::registry::stage_of;

/// What this gate is called.
const GATE: &str = "soak time";
/// How long after it was begun a promotion may still move the version, in milliseconds.
const LONGEST_PROMOTION: i64 = 5 * 60 * 1000;

/// One verdict where the stage has a soak time.
pub(crate) fn evaluate(candidate: &Candidate<'_>, soak: Option<Duration>) -> Option<GateResult> {
    let soak = soak?;
    Some(evaluate_at(
        since(candidate),
        candidate.now,
        soak,
        &candidate.before.name,
    ))
}

fn evaluate_at(since: Option<i64>, now: i64, soak: Duration, before: &str) -> GateResult {
    let wanted = Span(soak);
    let Some(since) = since else {
        return GateResult::never(
            GATE,
            format!(
                "it is not known since when the version is in stage `{before}`; it must have been for {wanted}"
            ),
        );
    };
    let milliseconds = u64::try_from(now.saturating_sub(since)).unwrap_or(0);
    let been = Duration::from_millis(milliseconds);
    let reason = format!(
        "in stage `{before}` for {} of at least {wanted}",
        Span(been)
    );
    match been >= soak {
        true => GateResult::holds(GATE, reason),
        false => GateResult::not_yet(GATE, reason),
    }
}

/// Since when the version is in the stage before, in epoch milliseconds: its last change, which is no earlier than its
/// entry. Where a record tells of a promotion that ended with that change, the record says more: when it entered, or,
/// when it was on its way out and put back, since when it had been there. A stage that the experiment manager does not
/// know has had the version since its endpoint has.
pub(crate) fn since(candidate: &Candidate<'_>) -> Option<i64> {
    let version = &candidate.version;
    // A version that has entered the stage is in the one before no more; the record of its entry remembers.
    if candidate.is_in_stage()
        && let Some(since) = candidate.record().and_then(|record| record.since)
    {
        return Some(since);
    }
    let Some(held) = &candidate.before.model_stage else {
        return match &candidate.serving {
            Serving::Version { version, since } if *version == candidate.number() => *since,
            _ => None,
        };
    };
    if stage_of(version) != held.as_str().into() {
        return None;
    }
    let entered = Record::of(version, &candidate.before.name);
    Some(since_held(version, entered, candidate.record()))
}

/// `entered` is the record of the stage before, `left` that of the stage asked for.
fn since_held(version: &ModelVersion, entered: Option<Record>, left: Option<Record>) -> i64 {
    let changed = version.last_updated_timestamp;
    // Somebody else may have taken the version out and put it back later; that change the record does not know.
    let ended_with_it = |record: &Record| {
        let begun = record.at_millisecond();
        begun.is_some_and(|begun| (begun..begun + LONGEST_PROMOTION).contains(&changed))
    };
    let rolled_back = left
        .filter(|record| record.status != Status::Done && ended_with_it(record))
        .and_then(|record| record.since);
    let entered = entered
        .filter(|record| record.status == Status::Done && ended_with_it(record))
        .and_then(|record| record.at_millisecond());
    rolled_back.or(entered).unwrap_or(changed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gates::result::Verdict;
    use crate::record::tests::record;
    use crate::registry::tests::version;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn a_version_waits_until_its_time_is_over() {
        let day = Duration::from_secs(24 * 3600);
        let early = evaluate_at(Some(0), 23 * HOUR, day, "staging");
        assert_eq!(early.verdict, Verdict::NotYet);
        assert_eq!(early.reason, "in stage `staging` for 23 h of at least 24 h");
        assert_eq!(
            evaluate_at(Some(0), 24 * HOUR, day, "staging").verdict,
            Verdict::Holds
        );
        // A time to come is no time that has passed.
        assert_eq!(
            evaluate_at(Some(HOUR), 0, day, "staging").verdict,
            Verdict::NotYet
        );
        assert_eq!(evaluate_at(None, 0, day, "staging").verdict, Verdict::Never);
    }

    #[test]
    fn a_record_counts_only_for_the_change_that_it_tells_of() {
        let entered = record(Status::Done);
        let at = entered.at_millisecond().unwrap();
        let since = |changed: i64, entered: Option<&Record>, left: Option<&Record>| {
            let mut version = version(7, "Staging", json!({}));
            version.last_updated_timestamp = changed;
            since_held(&version, entered.cloned(), left.cloned())
        };
        assert_eq!(since(at + 2_000, Some(&entered), None), at);
        assert_eq!(since(at + 2_000, None, None), at + 2_000);
        let later = at + 24 * HOUR;
        assert_eq!(
            since(later, Some(&entered), None),
            later,
            "it was out of the stage, and put back by hand"
        );
        // A promotion into the next stage that was undone put it back where it had been since `since`.
        let undone = record(Status::RolledBack);
        assert_eq!(since(at + 2_000, None, Some(&undone)), 1_000);
        assert_eq!(since(later, None, Some(&undone)), later);
    }
}
