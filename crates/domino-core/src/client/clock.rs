//! What time it is for the server, according to the `Date` of its answers.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// How far the server's clock is ahead of this machine's.
#[derive(Debug, Default)]
pub(super) struct Clock {
    milliseconds_ahead: AtomicI64,
}

impl Clock {
    /// Takes over a time that the server has just told.
    pub(super) fn set(&self, date: Timestamp) {
        let ahead = ahead(date, Timestamp::now());
        self.milliseconds_ahead.store(ahead, Ordering::Relaxed);
    }

    /// The server's present time.
    pub(super) fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        now.checked_add(self.ahead()).unwrap_or(now)
    }

    /// How far it is ahead of ours.
    pub(super) fn ahead(&self) -> SignedDuration {
        SignedDuration::from_millis(self.milliseconds_ahead.load(Ordering::Relaxed))
    }
}

/// How many milliseconds the server's time is ahead of ours. The header has whole seconds; less than one is no
/// difference.
fn ahead(date: Timestamp, now: Timestamp) -> i64 {
    let ahead = date.as_millisecond() - now.as_millisecond();
    match ahead.abs() < 2000 {
        true => 0,
        false => ahead,
    }
}

/// Reads the `Date` of an answer.
pub(super) fn read(date: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(date)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_time_is_told_by_its_answers() {
        let date = read("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(date.as_second(), 784_111_777);
        assert_eq!(read("yesterday"), None);
        let clock = Clock::default();
        let hours =
            |other: Timestamp| other.duration_since(Timestamp::now()).as_secs_f64() / 3600.0;
        assert!(hours(clock.now()).abs() < 0.01);
        clock.set(Timestamp::now() + SignedDuration::from_hours(25));
        assert!((hours(clock.now()) - 25.0).abs() < 0.01);
    }

    #[test]
    fn less_than_two_seconds_are_no_difference_of_the_clocks() {
        let at = |millisecond| Timestamp::from_millisecond(millisecond).unwrap();
        for (date, told) in [
            (10_000, 0),
            (11_999, 0),
            (8_001, 0),
            (12_000, 2_000),
            (8_000, -2_000),
            (13_000, 3_000),
            (0, -10_000),
        ] {
            assert_eq!(ahead(at(date), at(10_000)), told, "{date}");
        }
    }
}
