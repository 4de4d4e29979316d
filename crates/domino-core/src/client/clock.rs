//! What time it is for the server, as the `Date` of its answers tells.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// How far the server's clock is ahead of this machine's.
#[derive(Debug, Default)]
pub(super) struct Clock {
    milliseconds_ahead: AtomicI64,
}

impl Clock {
    /// The server has just told the time.
    pub(super) fn set(&self, date: Timestamp) {
        let ahead = date.as_millisecond() - Timestamp::now().as_millisecond();
        // The header tells whole seconds, which is no difference.
        let ahead = if ahead.abs() < 2000 { 0 } else { ahead };
        self.milliseconds_ahead.store(ahead, Ordering::Relaxed);
    }

    /// The server's time.
    pub(super) fn now(&self) -> Timestamp {
        let ahead = self.milliseconds_ahead.load(Ordering::Relaxed);
        let now = Timestamp::now();
        now.checked_add(SignedDuration::from_millis(ahead))
            .unwrap_or(now)
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
}
