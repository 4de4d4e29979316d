//! The fields of a clock in a time zone, as Java's calendar changes them.
//!
//! A field may be set to any number, even day 32, and the others follow when the time is read. An hour that the zone
//! skips becomes the one after it; of an hour that occurs twice, the second one counts.

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// A wall clock with its calendar. Months count from 1.
#[derive(Debug, Clone)]
pub(super) struct Calendar<'z> {
    zone: &'z TimeZone,
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
}

impl<'z> Calendar<'z> {
    /// The clock at a moment.
    pub fn at(moment: Timestamp, zone: &'z TimeZone) -> Self {
        let wall = zone.to_datetime(moment);
        Self {
            zone,
            year: wall.year().into(),
            month: wall.month().into(),
            day: wall.day().into(),
            hour: wall.hour().into(),
            minute: wall.minute().into(),
            second: wall.second().into(),
        }
    }

    /// Reads the time: brings every field into its range. `None` beyond the years that can be computed.
    pub fn settle(&mut self) -> Option<Timestamp> {
        let months = self.year * 12 + self.month - 1;
        let year = i16::try_from(months.div_euclid(12)).ok()?;
        let month = i8::try_from(months.rem_euclid(12) + 1).ok()?;
        let seconds = (((self.day - 1) * 24 + self.hour) * 60 + self.minute) * 60 + self.second;
        let wall = Date::new(year, month, 1)
            .ok()?
            .to_datetime(Time::midnight())
            .checked_add(SignedDuration::from_secs(seconds))
            .ok()?;
        let offset = match self.zone.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Gap { before, .. } => before,
            AmbiguousOffset::Fold { after, .. } => after,
        };
        let moment = offset.to_timestamp(wall).ok()?;
        *self = Self::at(moment, self.zone);
        Some(moment)
    }

    /// The values of all fields.
    pub fn hands(&self) -> [i64; 6] {
        [
            self.year,
            self.month,
            self.day,
            self.hour,
            self.minute,
            self.second,
        ]
    }

    /// Sets the clock to midnight.
    pub fn clear_time(&mut self) {
        (self.hour, self.minute, self.second) = (0, 0, 0);
    }

    /// Sets the clock to an hour, or to the one after it if the zone skips that hour.
    pub fn set_hour(&mut self, hour: i64) -> Option<()> {
        self.hour = hour;
        self.settle()?;
        if self.hour != hour && hour != 24 {
            self.hour = hour + 1;
        }
        Some(())
    }

    /// The day of the week, from 1 for Sunday. The clock must be settled.
    pub fn weekday(&self) -> Option<i64> {
        let date = Date::new(
            i16::try_from(self.year).ok()?,
            i8::try_from(self.month).ok()?,
            i8::try_from(self.day).ok()?,
        );
        Some(date.ok()?.weekday().to_sunday_one_offset().into())
    }

    /// The last day of the month. The clock must be settled.
    pub fn last_day(&self) -> Option<i64> {
        let first = Date::new(
            i16::try_from(self.year).ok()?,
            i8::try_from(self.month).ok()?,
            1,
        );
        Some(first.ok()?.days_in_month().into())
    }
}
