//! The sandbox's clock: the time it writes to jobs and logs, in each form that Domino uses. It can be wrong on
//! purpose, as the clock of a server may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// A clock that can be set ahead or behind. Clones share their setting.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    skew: Arc<AtomicI64>,
}

impl Clock {
    pub(crate) fn now(&self) -> Moment {
        Moment::now(self.skew())
    }

    /// How many seconds the clock is ahead; negative is behind.
    pub(crate) fn skew(&self) -> i64 {
        self.skew.load(Ordering::Relaxed)
    }

    pub(crate) fn set_skew(&self, seconds: i64) {
        self.skew.store(seconds, Ordering::Relaxed);
    }
}

/// A moment, in the forms Domino has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(Timestamp);

impl Moment {
    /// The present, `skew` seconds ahead.
    pub(crate) fn now(skew: i64) -> Self {
        let now = Timestamp::now();
        Moment(
            now.checked_add(SignedDuration::from_secs(skew))
                .unwrap_or(now),
        )
    }

    /// The moment this long before.
    pub(crate) fn before(self, span: SignedDuration) -> Self {
        Moment(self.0.checked_sub(span).unwrap_or(Timestamp::MIN))
    }

    /// Epoch milliseconds, as `/v4` writes times of jobs.
    pub(crate) fn milliseconds(self) -> Value {
        self.0.as_millisecond().into()
    }

    /// How many milliseconds lie between `earlier` and this moment, if it was earlier.
    pub(crate) fn milliseconds_since(self, earlier: Moment) -> i64 {
        let between = self.0.duration_since(earlier.0).as_millis();
        i64::try_from(between).unwrap_or(i64::MAX).max(0)
    }

    /// RFC 3339 with milliseconds, as the public API writes times.
    pub(crate) fn rfc3339(self) -> Value {
        format!("{:.3}", self.0).into()
    }

    /// As the header `Date` has it.
    pub(crate) fn http_date(self) -> String {
        self.0.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// Epoch nanoseconds, as logs are paged.
    pub(crate) fn nanoseconds(self) -> u64 {
        self.0.as_nanosecond().try_into().unwrap_or_default()
    }

    /// The moment of `nanoseconds` since the epoch.
    pub(crate) fn from_nanoseconds(nanoseconds: u64) -> Self {
        Moment(Timestamp::from_nanosecond(nanoseconds.into()).unwrap_or(Timestamp::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_every_form_of_domino() {
        let moment = Moment::from_nanoseconds(1_647_051_415_275_957_459);
        assert_eq!(moment.rfc3339(), "2022-03-12T02:16:55.275Z");
        assert_eq!(moment.http_date(), "Sat, 12 Mar 2022 02:16:55 GMT");
        assert_eq!(moment.milliseconds(), 1_647_051_415_275_i64);
        assert_eq!(moment.nanoseconds(), 1_647_051_415_275_957_459);
    }

    #[test]
    fn a_skewed_clock_is_ahead() {
        assert!(Moment::now(3600) > Moment::now(0));
    }
}
