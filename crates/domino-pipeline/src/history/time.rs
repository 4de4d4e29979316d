//! Times as a person writes them: a date, a date and time, with a zone or in the one that was given.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use crate::error::{Result, VerbError};

/// From one time until another, which does not belong to it any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// As the person wrote it, with the zone.
    pub(super) told: String,
}

/// A time zone by its name.
pub(super) fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .map_err(|_| format!("`{name}` is no IANA time zone such as `Europe/Berlin`"))
}

/// The moment that a person means; of a date, the last one of it.
pub(super) fn moment(text: &str, zone: &TimeZone) -> Result<Timestamp> {
    let text = text.trim();
    let (_, until) = bounds(text, zone)?;
    match text.parse::<Date>().is_ok() && is_date_only(text) {
        true => Ok(until - 1.nanosecond()),
        false => Ok(until),
    }
}

impl Period {
    /// `FROM..TO`, both of them included.
    pub(super) fn read(text: &str, zone: &TimeZone) -> Result<Self> {
        let Some((from, to)) = text.split_once("..") else {
            return Err(VerbError::usage(format!("`{text}` is no period"))
                .hint("write it as `2026-10-01..2026-12-31`: both days belong to it"));
        };
        let ((from, _), (_, until)) = (bounds(from.trim(), zone)?, bounds(to.trim(), zone)?);
        if until <= from {
            return Err(VerbError::usage(format!("`{text}` ends before it begins")));
        }
        let zone = zone.iana_name().unwrap_or("UTC");
        Ok(Self {
            from,
            until,
            told: format!("{text} ({zone})"),
        })
    }

    pub(super) fn contains(&self, time: Timestamp) -> bool {
        self.from <= time && time < self.until
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)
    }
}

/// A date alone, which stands for the whole day.
fn is_date_only(text: &str) -> bool {
    text.len() == "2026-11-12".len()
}

/// Where what a person wrote begins and ends; a time does both at once.
fn bounds(text: &str, zone: &TimeZone) -> Result<(Timestamp, Timestamp)> {
    let at = |time: Timestamp| (time, time);
    if is_date_only(text)
        && let Ok(date) = text.parse::<Date>()
    {
        let next = date.tomorrow().and_then(|next| next.to_zoned(zone.clone()));
        let first = date.to_zoned(zone.clone());
        if let (Ok(first), Ok(next)) = (first, next) {
            return Ok((first.timestamp(), next.timestamp()));
        }
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(at(time));
    }
    if let Ok(time) = text.parse::<Zoned>() {
        return Ok(at(time.timestamp()));
    }
    if let Ok(time) = text.parse::<DateTime>()
        && let Ok(time) = time.to_zoned(zone.clone())
    {
        return Ok(at(time.timestamp()));
    }
    Err(VerbError::usage(format!("`{text}` is no time"))
        .hint("write `2026-11-12`, `2026-11-12T14:30` or `2026-11-12T14:30+01:00`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> TimeZone {
        zone("Europe/Berlin").unwrap()
    }

    #[test]
    fn a_date_is_meant_to_its_end_and_a_time_as_it_stands() {
        let told = |text: &str| moment(text, &berlin()).map(|time| time.to_string()).ok();
        for (text, time) in [
            ("2026-11-12", Some("2026-11-12T22:59:59.999999999Z")),
            ("2026-11-12T14:30", Some("2026-11-12T13:30:00Z")),
            ("2026-07-12T14:30", Some("2026-07-12T12:30:00Z")),
            ("2026-11-12T14:30Z", Some("2026-11-12T14:30:00Z")),
            ("2026-11-12T14:30-05:00", Some("2026-11-12T19:30:00Z")),
            (
                "2026-11-12T14:30[America/New_York]",
                Some("2026-11-12T19:30:00Z"),
            ),
            ("yesterday", None),
        ] {
            assert_eq!(told(text).as_deref(), time, "{text}");
        }
    }

    #[test]
    fn both_days_belong_to_a_period() {
        let period = Period::read("2026-10-01..2026-10-31", &berlin()).unwrap();
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        assert!(period.contains(time("2026-09-30T22:00:00Z")));
        assert!(!period.contains(time("2026-09-30T21:59:59Z")));
        // The clocks were put back that day.
        assert!(period.contains(time("2026-10-31T22:59:59Z")));
        assert!(!period.contains(time("2026-10-31T23:00:00Z")));
        for wrong in ["2026-10-01", "2026-10-02..2026-09-01", "a..b"] {
            assert!(Period::read(wrong, &berlin()).is_err(), "{wrong}");
        }
    }
}
