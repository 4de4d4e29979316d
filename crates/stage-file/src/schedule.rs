//! When a job runs by itself, and its next times.

use jiff::{Timestamp, Zoned};
use serde::Serialize;

use super::cron::Quartz;
use super::time_zone::time_zone;

/// `schedule = { … }` of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Schedule {
    /// A Quartz cron expression: seconds first, six or seven fields.
    pub cron: String,
    /// An IANA time zone.
    pub timezone: String,
    /// The stages in which the schedule exists but is paused.
    pub paused: Vec<String>,
    /// Whether a run may start while the previous one still runs.
    pub concurrent: bool,
    /// The e-mail addresses told when a run ends.
    pub notify: Vec<String>,
}

impl Schedule {
    /// The next `number` times at which it fires after a moment, in its own time zone. Fewer if it ends earlier, as
    /// one with a year may.
    ///
    /// A loaded stage file has only valid expressions and zones, so no error is returned here.
    pub fn next_fires(&self, number: usize, after: Timestamp) -> Vec<Zoned> {
        let Some(zone) = time_zone(&self.timezone) else {
            return Vec::new();
        };
        let after = after.to_zoned(zone);
        let Ok(quartz) = Quartz::read(&self.cron, after.year()) else {
            return Vec::new();
        };
        quartz.fires(after).take(number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(cron: &str, timezone: &str) -> Schedule {
        Schedule {
            cron: cron.into(),
            timezone: timezone.into(),
            paused: Vec::new(),
            concurrent: false,
            notify: Vec::new(),
        }
    }

    fn next(cron: &str, timezone: &str, number: usize, after: &str) -> Vec<String> {
        let fires = schedule(cron, timezone).next_fires(number, after.parse().unwrap());
        fires
            .iter()
            .map(|fire| fire.strftime("%a %F %T %:z").to_string())
            .collect()
    }

    #[test]
    fn the_next_times_are_in_the_schedules_own_zone() {
        assert_eq!(
            next(
                "0 0 6 ? * MON-FRI",
                "Europe/Berlin",
                3,
                "2026-03-26T12:00:00Z"
            ),
            [
                "Fri 2026-03-27 06:00:00 +01:00",
                "Mon 2026-03-30 06:00:00 +02:00",
                "Tue 2026-03-31 06:00:00 +02:00"
            ]
        );
    }

    #[test]
    fn a_time_that_the_clock_skips_does_not_fire_that_day() {
        assert_eq!(
            next("0 30 2 * * ?", "Europe/Berlin", 2, "2026-03-28T12:00:00Z"),
            [
                "Mon 2026-03-30 02:30:00 +02:00",
                "Tue 2026-03-31 02:30:00 +02:00"
            ]
        );
    }

    #[test]
    fn a_time_that_the_clock_repeats_fires_the_second_time() {
        assert_eq!(
            next("0 30 2 * * ?", "Europe/Berlin", 2, "2026-10-24T12:00:00Z"),
            [
                "Sun 2026-10-25 02:30:00 +01:00",
                "Mon 2026-10-26 02:30:00 +01:00"
            ]
        );
    }

    #[test]
    fn days_of_the_week_are_counted_from_sunday_as_one() {
        assert_eq!(
            next("0 0 12 ? * 2", "UTC", 1, "2026-11-23T13:00:00Z"),
            ["Mon 2026-11-30 12:00:00 +00:00"]
        );
        assert_eq!(
            next("0 0 12 ? * 7", "UTC", 1, "2026-11-23T13:00:00Z"),
            ["Sat 2026-11-28 12:00:00 +00:00"]
        );
    }

    #[test]
    fn a_schedule_with_a_year_ends_with_it() {
        let fires = next("0 0 12 30,31 12 ? 2026", "UTC", 5, "2026-11-23T12:00:00Z");
        assert_eq!(
            fires,
            [
                "Wed 2026-12-30 12:00:00 +00:00",
                "Thu 2026-12-31 12:00:00 +00:00"
            ]
        );
    }
}
