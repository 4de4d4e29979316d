//! Rules on the scheduled workflows that read Domino, for drift and for runs that were left: when, and with which
//! tokens.

use super::pipeline::is_github_name;
use super::rule::{Book, Report};
use crate::text::displayed;
use crate::time_zone::time_zone;

/// The fields of GitHub's cron, each with its lowest and highest number and the names for numbers.
const FIELDS: [(u32, u32, &[&str]); 5] = [
    (0, 59, &[]),
    (0, 23, &[]),
    (1, 31, &[]),
    (
        1,
        12,
        &[
            "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
        ],
    ),
    (0, 6, &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]),
];

pub(super) fn drift(book: &Book<'_>, report: &mut Report<'_, '_>) {
    times("drift", "drift-timezone", book, report);
}

pub(super) fn follow(book: &Book<'_>, report: &mut Report<'_, '_>) {
    times("follow", "follow-timezone", book, report);
}

fn times(key: &str, zone: &str, book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| keys == ["pipeline", key]) {
        if !is_cron(leaf.text) {
            report.leaf(
                leaf,
                format!(
                    "must be a cron expression of GitHub's, with five fields such as `0 6 * * *`, not {}",
                    displayed(leaf.text)
                ),
            );
        }
    }
    let zone = ["pipeline", zone];
    if book.has(&zone) && !book.has(&["pipeline", key]) {
        report.at(&zone, format!("has no effect without `{key}`"));
    }
    for leaf in book.texts(|keys| keys == zone) {
        if time_zone(leaf.text).is_none() {
            report.leaf(
                leaf,
                format!(
                    "must be the IANA name of a time zone such as `Europe/Berlin`, not {}",
                    displayed(leaf.text)
                ),
            );
        }
    }
}

/// Five fields of lists of ranges with steps, as GitHub reads them.
fn is_cron(text: &str) -> bool {
    let fields: Vec<&str> = text.split(' ').collect();
    fields.len() == FIELDS.len()
        && fields
            .iter()
            .zip(FIELDS)
            .all(|(field, (low, high, names))| {
                field
                    .split(',')
                    .all(|part| is_range_with_step(part, low, high, names))
            })
}

fn is_range_with_step(part: &str, low: u32, high: u32, names: &[&str]) -> bool {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    let is_step = |step: &str| number(step).is_some_and(|step| (1..=high).contains(&step));
    let value = |text: &str| match names.iter().position(|name| *name == text) {
        Some(at) => u32::try_from(at).ok().map(|at| at + low),
        None => number(text).filter(|number| (low..=high).contains(number)),
    };
    let is_range = match range.split_once('-') {
        Some((from, to)) => {
            matches!((value(from), value(to)), (Some(from), Some(to)) if from <= to)
        }
        None => range == "*" || value(range).is_some(),
    };
    is_range && step.is_none_or(is_step)
}

fn number(text: &str) -> Option<u32> {
    let is_plain = !text.is_empty() && text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}

pub(super) fn read_token(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| {
        matches!(
            keys,
            ["stage", _, "read-token"] | ["defaults", "read-token"]
        )
    }) {
        if !is_github_name(leaf.text) {
            report.leaf(
                leaf,
                format!(
                    "must be the name of a variable such as `DOMINO_TOKEN_PROD`, in capital letters, not {}",
                    displayed(leaf.text)
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{with, with_defaults};

    #[test]
    fn drift_is_looked_for_by_a_cron_of_githubs_in_a_zone_that_exists() {
        for cron in [
            "0 6 * * *",
            "*/15 0-6,18 1,15 JAN-MAR MON-FRI",
            "5 4 * 12 0",
        ] {
            assert_eq!(with(&format!("[pipeline]\ndrift = \"{cron}\"")), [""; 0]);
        }
        for cron in [
            "0 6 * *",
            "0 0 6 * * ?",
            "60 6 * * *",
            "0 6 * * 7",
            "5-1 * * * *",
            "@daily",
        ] {
            let says = format!(
                "`drift` in `[pipeline]` must be a cron expression of GitHub's, with five fields such as `0 6 * * *`, not `{cron}`"
            );
            assert_eq!(with(&format!("[pipeline]\ndrift = \"{cron}\"")), [says]);
        }
        assert_eq!(
            with("[pipeline]\ndrift = \"0 6 * * *\"\ndrift-timezone = \"Europe/Bonn\""),
            [
                "`drift-timezone` in `[pipeline]` must be the IANA name of a time zone such as `Europe/Berlin`, not `Europe/Bonn`"
            ]
        );
        assert_eq!(
            with("[pipeline]\ndrift-timezone = \"Europe/Berlin\""),
            ["`drift-timezone` in `[pipeline]` has no effect without `drift`"]
        );
        assert_eq!(with("[pipeline]\nfollow = \"0 * * * *\""), [""; 0]);
        assert_eq!(
            with("[pipeline]\nfollow-timezone = \"Europe/Berlin\""),
            ["`follow-timezone` in `[pipeline]` has no effect without `follow`"]
        );
    }

    #[test]
    fn a_token_is_named_and_never_written() {
        assert_eq!(with_defaults("read-token = \"READ_TOKEN_2\""), [""; 0]);
        for name in ["read-token", "GITHUB_TOKEN", "2ND"] {
            let says = format!(
                "`read-token` in `[defaults]` must be the name of a variable such as `DOMINO_TOKEN_PROD`, in capital letters, not `{name}`"
            );
            assert_eq!(with_defaults(&format!("read-token = \"{name}\"")), [says]);
        }
    }
}
