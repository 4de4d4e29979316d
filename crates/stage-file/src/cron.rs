//! Cron expressions as Domino reads them: those of Quartz, seconds first.
//!
//! An expression is accepted if Quartz accepts it and it means what it seems to mean; an error names the field that
//! is wrong. The times are those of Quartz 2.3.2 to the second, even in nights in which the clock changes.

mod calendar;
mod error;
mod field;
mod meaning;
mod next;
mod reading;
mod sentence;
mod spelling;
mod suggestion;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

pub use self::error::CronError;
use self::field::{DAY_OF_MONTH, DAY_OF_WEEK, FIELDS, HOURS};
use self::meaning::{numbered_weekday, put, wrong};
use self::next::{Next, next};
use self::reading::Reading;
use self::spelling::spelled;
use self::suggestion::{from_nickname, from_unix, with_question_mark};

/// How many years Quartz looks ahead.
const YEARS_AHEAD: i32 = 100;

/// As many times as an expression that fires monthly has in five years.
const SOON: usize = 60;

/// A Quartz cron expression that is understood.
#[derive(Debug, Clone)]
pub struct Quartz {
    text: String,
    reading: Reading,
    last_year: i64,
}

impl Quartz {
    /// Reads an expression that means what it seems to mean, as of this year.
    ///
    /// # Errors
    /// Quartz refuses the expression, or reads something other than what it seems to mean.
    pub fn read(text: &str, this_year: i16) -> Result<Self, CronError> {
        let this_year = i32::from(this_year);
        let fields: Vec<String> = text
            .split_whitespace()
            .map(str::to_ascii_uppercase)
            .collect();
        match fields.len() {
            1 if text.starts_with('@') => return Err(CronError::Nickname(from_nickname(text))),
            5 => return Err(CronError::Unix(valid(from_unix(&fields)))),
            6 | 7 => {}
            number => return Err(CronError::FieldCount(number)),
        }
        if (fields[DAY_OF_MONTH] == "?") == (fields[DAY_OF_WEEK] == "?") {
            return Err(CronError::QuestionMark(valid(with_question_mark(&fields))));
        }
        let reading = Reading::read(text, this_year);
        let meant = meant(&fields, &reading, this_year + YEARS_AHEAD)?;
        let reading = reading.map_err(CronError::Refused)?;
        let differs = |index: &usize| spelled(&meant, *index) != spelled(&reading, *index);
        if let Some(index) = (0..fields.len()).find(differs) {
            let (read, write) = (spelled(&reading, index), spelled(&meant, index));
            let why = format!("Quartz reads `{read}`; write `{write}`");
            return Err(wrong(index, &fields[index], why));
        }
        Ok(Self::of(text, reading, this_year))
    }

    /// Reads an expression as Quartz does, even if it means something other than it seems to.
    ///
    /// # Errors
    /// Why Quartz refuses it.
    pub fn read_as_quartz(text: &str, this_year: i16) -> Result<Self, String> {
        let this_year = i32::from(this_year);
        Ok(Self::of(text, Reading::read(text, this_year)?, this_year))
    }

    fn of(text: &str, reading: Reading, this_year: i32) -> Self {
        Self {
            text: text.to_owned(),
            reading,
            last_year: (this_year + YEARS_AHEAD).into(),
        }
    }

    /// The times it fires after a moment, in that moment's time zone.
    pub fn fires(&self, after: Zoned) -> impl Iterator<Item = Zoned> {
        let next = move |after: &Zoned| match self.next(after) {
            Next::At(fire) => Some(fire.to_zoned(after.time_zone().clone())),
            Next::End | Next::Endless => None,
        };
        std::iter::successors(next(&after), next)
    }

    /// Whether Quartz never returns from its search for the first of the times after a moment.
    pub fn is_endless(&self, after: &Zoned) -> bool {
        self.next(after) == Next::Endless
    }

    /// What to say if Quartz will never return from its search for one of the next times, as a sentence that
    /// continues after the expression. `W` does that if the zone's clock skips the hour on such a day.
    pub fn endless(&self, after: &Zoned) -> Option<String> {
        if !self.reading.nearest_working_day {
            return None;
        }
        let last = self.fires(after.clone()).take(SOON).last();
        let last = last.unwrap_or_else(|| after.clone());
        self.is_endless(&last).then(|| {
            format!(
                "makes Quartz look for ever for the time after {}, and its scheduler stand still: `W` meets a night in \
                 which the clock goes forward; take another hour",
                last.strftime("%F")
            )
        })
    }

    fn next(&self, after: &Zoned) -> Next {
        next(
            &self.reading,
            after.time_zone(),
            after.timestamp(),
            self.last_year,
        )
    }

    /// How often it fires after a moment.
    pub(super) fn rhythm(&self, after: Zoned) -> Rhythm {
        let Some(first) = self.fires(after).next() else {
            return Rhythm::Never;
        };
        // Several times on one day count as one, so the next is searched from the day after.
        let end_of_day = first.end_of_day().unwrap_or_else(|_| first.clone());
        match self.fires(end_of_day).next() {
            None => Rhythm::Once,
            Some(next) if first.duration_until(&next).as_hours() >= 360 * 24 => Rhythm::Yearly,
            Some(_) => Rhythm::Often,
        }
    }

    /// What to say about weekdays that are numbers, as a sentence that continues after the expression: by their
    /// names, as Quartz counts them, and as somebody who counts from Monday would.
    pub fn numbered_weekday(&self) -> Option<String> {
        let (quartz, from_monday) = numbered_weekday(&self.text, &self.reading)?;
        Some(format!(
            "counts the days of the week, and Quartz does so from 1 for Sunday; write `{quartz}` if that is meant, or \
             `{from_monday}` if 1 is Monday"
        ))
    }

    /// The changes of a zone's clock within a year that skip a time at which it should fire. An expression that fires
    /// in every hour of the day misses nothing in an hour that does not exist.
    pub fn left_out(&self, zone: &TimeZone, now: Timestamp) -> Vec<LeftOut> {
        if self.reading.values[HOURS].len() == 24 {
            return Vec::new();
        }
        let a_year_on = now.saturating_add(SignedDuration::from_hours(365 * 24));
        let Ok(a_year_on) = a_year_on else {
            return Vec::new();
        };
        let changes = zone
            .following(now)
            .take_while(|change| change.timestamp() <= a_year_on);
        let left_out = changes.filter_map(|change| {
            let before = change
                .timestamp()
                .checked_sub(SignedDuration::from_secs(1))
                .ok()?;
            let from = zone.to_offset(before).to_datetime(change.timestamp());
            let to = change.offset().to_datetime(change.timestamp());
            // What the expression would do if the clock did not change.
            let start = from.checked_sub(SignedDuration::from_secs(1)).ok()?;
            let start = start.to_zoned(TimeZone::UTC).ok()?;
            let fire = self.fires(start).next()?.datetime();
            (fire < to).then_some(LeftOut { fire, from, to })
        });
        left_out.collect()
    }
}

/// A time that a zone's clock skips.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// When the expression should fire.
    pub fire: jiff::civil::DateTime,
    /// The time at which the clock is put forward.
    pub from: jiff::civil::DateTime,
    /// The time at which it continues.
    pub to: jiff::civil::DateTime,
}

impl LeftOut {
    /// What happens, as a sentence that continues after the expression.
    pub fn message(&self, zone: &str) -> String {
        format!(
            "does not fire at {} on {}: the clock of `{zone}` goes from {} to {}",
            self.fire.strftime("%H:%M"),
            self.fire.strftime("%A %F"),
            self.from.strftime("%H:%M"),
            self.to.strftime("%H:%M"),
        )
    }
}

/// What the fields seem to mean. An error names what Quartz makes of the field.
fn meant(
    fields: &[String],
    reading: &Result<Reading, String>,
    last_year: i32,
) -> Result<Reading, CronError> {
    let mut meant = Reading::default();
    for index in 0..FIELDS.len() {
        let text = fields.get(index).map_or("*", String::as_str);
        let mut put = put(&mut meant, index, text, last_year);
        if let (Err(CronError::Field { reading: read, .. }), Ok(reading)) = (&mut put, reading) {
            *read = Some(spelled(reading, index));
        }
        put?;
    }
    Ok(meant)
}

/// How often a schedule fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rhythm {
    /// Not again.
    Never,
    /// On one more day.
    Once,
    /// On one day a year, or on fewer.
    Yearly,
    /// More often than that.
    Often,
}

/// A suggestion, if it is itself valid.
fn valid(suggestion: Option<String>) -> Option<String> {
    // No suggestion contains a year.
    suggestion.filter(|cron| Quartz::read(cron, 2026).is_ok())
}

#[cfg(test)]
mod tests;
