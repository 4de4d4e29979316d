//! Whether this machine and Domino agree on the time.

use domino_core::client::Reader;
use jiff::{SignedDuration, SignedDurationRound, Unit};

use super::finding::Finding;

/// How far the clocks may differ without harm. Beyond it a token may be refused as expired or not yet valid, and the
/// warning before a token's end comes late. A `soak`, and anything older than a workflow run, use Domino's clock
/// only.
const MOST: SignedDuration = SignedDuration::from_mins(5);

pub(super) fn look(reader: &Reader) -> Finding {
    of(reader.clock_ahead())
}

fn of(ahead: SignedDuration) -> Finding {
    if ahead.abs() <= MOST {
        return Finding::well("clock: this machine's and Domino's agree");
    }
    let rounded = ahead.abs().round(
        SignedDurationRound::new()
            .smallest(Unit::Minute)
            .increment(1),
    );
    let by = rounded.unwrap_or(ahead.abs());
    let how = match ahead.is_positive() {
        true => "behind",
        false => "ahead of",
    };
    Finding::wrong(
        format!("clock: this machine's is {by:#} {how} Domino's"),
        format!(
            "set it by NTP: more than {:#} apart, tokens are refused and their end is told wrongly",
            MOST
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_minutes_are_no_matter_and_more_are_told_with_who_is_late() {
        let told = |seconds| of(SignedDuration::from_secs(seconds)).to_string();
        for seconds in [0, 300, -300] {
            assert_eq!(told(seconds), "ok clock: this machine's and Domino's agree");
        }
        assert!(told(301).starts_with("!! clock: this machine's is 5m behind Domino's → set"));
        assert!(told(-7 * 3600).starts_with("!! clock: this machine's is 7h ahead of Domino's"));
    }
}
