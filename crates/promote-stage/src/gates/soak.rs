//! The soak time: how long a version has been in the stage before, by the server's own clock.

use std::time::Duration;

use domino_core::serving::Serving;
use domino_core::settle::in_words;

use super::Judged;
use crate::candidate::Candidate;
use crate::record::{Record, Status};
use crate::registry::stage_of;

/// What this gate is called.
const GATE: &str = "soak time";

/// One verdict where the stage has a soak time.
pub(crate) fn judge(candidate: &Candidate<'_>, soak: Option<Duration>) -> Option<Judged> {
    let soak = soak?;
    Some(judge_at(
        since(candidate),
        candidate.now,
        soak,
        &candidate.before.name,
    ))
}

fn judge_at(since: Option<i64>, now: i64, soak: Duration, before: &str) -> Judged {
    let wanted = in_words(soak);
    let Some(since) = since else {
        return Judged::never(
            GATE,
            format!(
                "it is not known since when the version is in stage `{before}`; it must have been for {wanted}"
            ),
        );
    };
    let milliseconds = u64::try_from(now.saturating_sub(since)).unwrap_or(0);
    let been = Duration::from_millis(milliseconds);
    let says = format!(
        "in stage `{before}` for {} of at least {wanted}",
        in_words(been)
    );
    match been >= soak {
        true => Judged::holds(GATE, says),
        false => Judged::not_yet(GATE, says),
    }
}

/// Since when the version is in the stage before, in epoch milliseconds. Where the promotion into that stage was
/// recorded, its record says; else the version's last change, which is no earlier than its entry. A stage that the
/// experiment manager does not know has had the version since its endpoint has.
pub(crate) fn since(candidate: &Candidate<'_>) -> Option<i64> {
    let version = &candidate.version;
    // A version that has entered the stage is in the one before no more; the record of its entry remembers.
    if candidate.is_there()
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
    let recorded = Record::in_tags(&version.tags, &candidate.before.name)
        .filter(|record| record.status == Status::Done)
        .and_then(|record| record.at_millisecond())
        // No version was in a stage before it was made.
        .map(|at| at.max(version.creation_timestamp));
    let is_held = stage_of(version) == held.as_str().into();
    recorded.or_else(|| is_held.then_some(version.last_updated_timestamp))
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn a_version_waits_until_its_time_is_over() {
        let day = Duration::from_secs(24 * 3600);
        let early = judge_at(Some(0), 23 * HOUR, day, "staging");
        assert_eq!(early.verdict, Verdict::NotYet);
        assert_eq!(early.says, "in stage `staging` for 23 h of at least 24 h");
        assert_eq!(
            judge_at(Some(0), 24 * HOUR, day, "staging").verdict,
            Verdict::Holds
        );
        // A time to come is no time that has passed.
        assert_eq!(
            judge_at(Some(HOUR), 0, day, "staging").verdict,
            Verdict::NotYet
        );
        assert_eq!(judge_at(None, 0, day, "staging").verdict, Verdict::Never);
    }
}
