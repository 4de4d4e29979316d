//! The soak time: how long a version has been in the stage before, by the server's own clock.

use std::time::Duration;

use domino_core::api::mlflow::ModelVersion;
use domino_core::serving::Serving;
use domino_core::wait::Span;

use super::result::GateResult;
use crate::candidate::Candidate;
use crate::record::{Record, Status, demoted};
use crate::registry::stage_of;

/// The name of this gate.
const GATE: &str = "soak time";

/// One verdict if the stage has a soak time.
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

/// Since when the version is in the stage before, in epoch milliseconds: according to the record of its entry. If it
/// was moved out of there and rolled back, the record of that attempt says since when it had been there. Both count
/// as long as the version stays there, because many things change its time stamp: a new description, a new name of
/// the model. Without a record, the last change counts, which is not earlier than its entry. For a stage that the
/// experiment manager does not have, the time since which its endpoint serves the version counts.
pub(crate) fn since(candidate: &Candidate<'_>) -> Option<i64> {
    let version = &candidate.version;
    // A version that has entered the stage is no longer in the one before; the record of its entry remembers it.
    if candidate.is_in_stage()
        && let Some(since) = candidate.record().and_then(|record| record.since)
    {
        return Some(since);
    }
    let Some(held) = &candidate.before.model_stage else {
        return match &candidate.serving {
            Serving::Version { version, since, .. } if *version == candidate.number() => *since,
            _ => None,
        };
    };
    if stage_of(version) != held.as_str().into() {
        return None;
    }
    let before = candidate.before.name.as_str();
    let entered = Record::of(version, before).filter(|_| demoted(version, before).is_none());
    let since = since_recorded(before, entered, candidate.record());
    let others = candidate.registry.versions.iter();
    let mut others = others.filter(|other| other.version != version.version);
    let since = since.filter(|(_, told)| !others.any(|other| came_after(other, before, *told)));
    Some(since.map_or(version.last_updated_timestamp, |(since, _)| since))
}

/// Since when the version is in stage `before`, and when that was recorded: `entered` is the record of that stage,
/// `left` that of the stage asked for.
fn since_recorded(
    before: &str,
    entered: Option<Record>,
    left: Option<Record>,
) -> Option<(i64, i64)> {
    let entered = entered.filter(|record| record.status == Status::Done);
    let entered = entered.and_then(|record| record.at_millisecond());
    let left = left.filter(|record| record.status != Status::Done && record.from == before);
    let left = left.and_then(|record| Some((record.since?, record.at_millisecond()?)));
    match (entered, left) {
        (Some(entered), Some((_, told))) if told < entered => Some((entered, entered)),
        (_, Some(left)) => Some(left),
        (entered, None) => entered.map(|entered| (entered, entered)),
    }
}

/// Whether another version was admitted to the stage later, so that the present one left it and returned.
fn came_after(other: &ModelVersion, stage: &str, told: i64) -> bool {
    let record = Record::of(other, stage).filter(|record| record.status == Status::Done);
    record.and_then(|record| record.at_millisecond()) > Some(told)
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
        // A time in the future is no time that has passed.
        assert_eq!(
            evaluate_at(Some(HOUR), 0, day, "staging").verdict,
            Verdict::NotYet
        );
        assert_eq!(evaluate_at(None, 0, day, "staging").verdict, Verdict::Never);
    }

    #[test]
    fn the_later_of_two_records_says_since_when_a_version_is_there() {
        let entered = record(Status::Done);
        let at = entered.at_millisecond().unwrap();
        let since = |entered: Option<&Record>, left: Option<&Record>| {
            since_recorded("staging", entered.cloned(), left.cloned())
        };
        assert_eq!(since(Some(&entered), None), Some((at, at)));
        assert_eq!(since(None, None), None);
        assert_eq!(since(Some(&record(Status::RolledBack)), None), None);
        // A promotion to the next stage that was rolled back returned it to where it had been since `since`.
        let undone = record(Status::RolledBack);
        assert_eq!(since(None, Some(&undone)), Some((1_000, at)));
        assert_eq!(since(Some(&entered), Some(&undone)), Some((1_000, at)));
        let later = Record {
            at: "2026-01-03T00:00:00Z".into(),
            ..entered.clone()
        };
        let again = later.at_millisecond().unwrap();
        assert_eq!(since(Some(&later), Some(&undone)), Some((again, again)));
        let from_elsewhere = Record {
            from: "dev".into(),
            ..undone
        };
        assert_eq!(since(None, Some(&from_elsewhere)), None);
    }

    #[test]
    fn a_version_that_was_let_in_later_says_that_the_other_was_out() {
        let entered = record(Status::Done);
        let at = entered.at_millisecond().unwrap();
        let tag = |status| json!({Record::key("staging"): record(status).value().unwrap()});
        let other = |status| version(8, "Archived", tag(status));
        assert!(came_after(&other(Status::Done), "staging", at - 1_000));
        assert!(!came_after(&other(Status::Done), "staging", at));
        assert!(!came_after(
            &other(Status::RolledBack),
            "staging",
            at - 1_000
        ));
        assert!(!came_after(&other(Status::Done), "prod", at - 1_000));
    }
}
