//! The next time at which Quartz fires, searched in the same order as Quartz.
//!
//! The order matters: in a night in which the clock changes, another order finds other times.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::calendar::Calendar;
use super::field::{DAY_OF_MONTH, DAY_OF_WEEK, HOURS, MINUTES, MONTH, SECONDS, YEAR};
use super::reading::Reading;

/// The last year in which Quartz looks, whatever the expression says.
const END_OF_TIME: i64 = 2999;

/// The result of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It fires then.
    At(Timestamp),
    /// It does not fire again.
    End,
    /// Quartz searches forever, and its scheduler stands still.
    Endless,
}

/// The first time after a moment, up to the last year.
pub(super) fn next(reading: &Reading, zone: &TimeZone, after: Timestamp, last_year: i64) -> Next {
    let from = Timestamp::from_second(after.as_second() + 1);
    let Ok(from) = from else {
        return Next::End;
    };
    let mut search = Search {
        reading,
        from,
        last_year,
        clock: Calendar::at(from, zone),
    };
    // After a field was put forward, everything is checked again. A clock that returns to an earlier state goes round
    // forever: it is compared with one earlier state, which is taken again after 1, 2, 4, 8 … checks.
    let mut earlier = None;
    for looks in 0_u64.. {
        match search.look() {
            Some(Some(fire)) => return Next::At(fire),
            Some(None) => {}
            None => return Next::End,
        }
        let hands = Some(search.clock.hands());
        if hands == earlier {
            break;
        }
        if looks.is_power_of_two() {
            earlier = hands;
        }
    }
    Next::Endless
}

struct Search<'r> {
    reading: &'r Reading,
    /// The first moment that counts.
    from: Timestamp,
    last_year: i64,
    clock: Calendar<'r>,
}

impl Search<'_> {
    /// Checks every field once. Returns the time if all have one of their values, no time if one was put forward, and
    /// `None` if no time is left.
    fn look(&mut self) -> Option<Option<Timestamp>> {
        self.clock.settle()?;
        if self.clock.year > END_OF_TIME {
            return None;
        }
        let fits = self.minute()? && self.hour()? && self.day()? && self.month()? && self.year()?;
        match fits {
            true => Some(Some(self.clock.settle()?)),
            false => Some(None),
        }
    }

    fn values(&self, field: usize) -> &BTreeSet<i32> {
        &self.reading.values[field]
    }

    /// The first value that is not below this one.
    fn value_from(&self, field: usize, least: i64) -> Option<i64> {
        let least = i32::try_from(least).ok()?;
        self.values(field)
            .range(least..)
            .next()
            .map(|value| i64::from(*value))
    }

    fn first_value(&self, field: usize) -> Option<i64> {
        self.values(field).first().map(|value| i64::from(*value))
    }

    /// Whether second and minute have one of their values; otherwise they were put forward. The other functions do
    /// the same.
    fn minute(&mut self) -> Option<bool> {
        match self.value_from(SECONDS, self.clock.second) {
            Some(second) => self.clock.second = second,
            None => {
                self.clock.second = self.first_value(SECONDS)?;
                self.clock.minute += 1;
            }
        }
        self.clock.settle()?;
        let (minute, hour) = match self.value_from(MINUTES, self.clock.minute) {
            Some(minute) if minute == self.clock.minute => return Some(true),
            Some(minute) => (minute, self.clock.hour),
            None => (self.first_value(MINUTES)?, self.clock.hour + 1),
        };
        self.clock.second = 0;
        self.clock.minute = minute;
        self.clock.set_hour(hour)?;
        Some(false)
    }

    fn hour(&mut self) -> Option<bool> {
        let hour = match self.value_from(HOURS, self.clock.hour) {
            Some(hour) if hour == self.clock.hour => return Some(true),
            Some(hour) => hour,
            None => {
                self.clock.day += 1;
                self.first_value(HOURS)?
            }
        };
        self.clock.second = 0;
        self.clock.minute = 0;
        self.clock.set_hour(hour)?;
        Some(false)
    }

    fn day(&mut self) -> Option<bool> {
        let (month, day) = match self.reading.open_weekday {
            true => self.day_of_month()?,
            false => self.day_of_week()?,
        };
        if (month, day) == (self.clock.month, self.clock.day) {
            return Some(true);
        }
        self.clock.clear_time();
        self.clock.month = month;
        self.clock.day = day;
        Some(false)
    }

    /// The month and day to check by the rule for the day of the month.
    fn day_of_month(&self) -> Option<(i64, i64)> {
        let (month, today) = (self.clock.month, self.clock.day);
        let last = self.clock.last_day()?;
        if self.reading.nearest_working_day {
            let day = match self.reading.last_day {
                Some(before) => last - i64::from(before),
                None => self.first_value(DAY_OF_MONTH)?,
            };
            return self.nearest_working_day(day);
        }
        if let Some(before) = self.reading.last_day {
            let day = last - i64::from(before);
            return Some(if today > day {
                (month + 1, 1)
            } else {
                (month, day)
            });
        }
        match self.value_from(DAY_OF_MONTH, today) {
            Some(day) if day <= last => Some((month, day)),
            _ => Some((month + 1, self.first_value(DAY_OF_MONTH)?)),
        }
    }

    /// The working day nearest to a day in its month, unless it has passed.
    fn nearest_working_day(&self, day: i64) -> Option<(i64, i64)> {
        let month = self.clock.month;
        let last = self.clock.last_day()?;
        let mut midnight = self.clock.clone();
        midnight.clear_time();
        midnight.day = day;
        midnight.settle()?;
        let near = match midnight.weekday()? {
            7 if day == 1 => day + 2,
            7 => day - 1,
            1 if day == last => day - 2,
            1 => day + 1,
            _ => day,
        };
        let mut candidate = self.clock.clone();
        candidate.day = near;
        if candidate.settle()? >= self.from {
            return Some((month, near));
        }
        let first = match self.reading.last_day {
            Some(_) => 1,
            None => day,
        };
        Some((month + 1, first))
    }

    /// The month and day to check by the rule for the day of the week.
    fn day_of_week(&self) -> Option<(i64, i64)> {
        let (month, today) = (self.clock.month, self.clock.day);
        let last = self.clock.last_day()?;
        let weekday = self.clock.weekday()?;
        let mut wanted = self.first_value(DAY_OF_WEEK)?;
        let counted = self.reading.last_weekday || self.reading.nth_weekday.is_some();
        if !counted {
            wanted = self.value_from(DAY_OF_WEEK, weekday).unwrap_or(wanted);
        }
        let ahead = match wanted - weekday {
            ahead if ahead < 0 => ahead + 7,
            ahead => ahead,
        };
        let mut day = today + ahead;
        if self.reading.last_weekday {
            day += (last - day).max(0) / 7 * 7;
        } else if let Some(nth) = self.reading.nth_weekday {
            let week = (day + 6) / 7;
            let later = (i64::from(nth) - week) * 7;
            if later < 0 {
                return Some((month + 1, 1));
            }
            day += later;
        }
        Some(if day > last {
            (month + 1, 1)
        } else {
            (month, day)
        })
    }

    fn month(&mut self) -> Option<bool> {
        if self.clock.year > self.last_year {
            return None;
        }
        match self.value_from(MONTH, self.clock.month) {
            Some(month) if month == self.clock.month => return Some(true),
            Some(month) => self.clock.month = month,
            None => {
                self.clock.month = self.first_value(MONTH)?;
                self.clock.year += 1;
            }
        }
        self.clock.clear_time();
        self.clock.day = 1;
        Some(false)
    }

    fn year(&mut self) -> Option<bool> {
        let year = self.value_from(YEAR, self.clock.year)?;
        if year == self.clock.year {
            return Some(true);
        }
        self.clock.clear_time();
        self.clock.day = 1;
        self.clock.month = 1;
        self.clock.year = year;
        Some(false)
    }
}
