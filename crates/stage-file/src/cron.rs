//! Cron expressions as Domino reads them: those of Quartz, seconds first.
//!
//! This module says what is wrong in the words of the fields and writes the expression so that `croner`
//! understands the same by it; the calendar arithmetic is `croner`'s.

mod error;
mod field;
mod suggestion;

use std::str::FromStr;

use croner::parser::{CronParser, Seconds};
use jiff::Zoned;

pub(super) use self::error::CronError;
pub(super) use self::field::has_numbered_weekday;
use self::field::{DAY_OF_MONTH, DAY_OF_WEEK, FIELDS, rewritten};
use self::suggestion::{from_nickname, from_unix, with_question_mark};

/// A Quartz cron expression that is understood.
#[derive(Debug, Clone)]
pub(super) struct Quartz(croner::Cron);

impl Quartz {
    /// The times it fires after a moment, in that moment's time zone.
    pub fn fires(&self, after: Zoned) -> impl Iterator<Item = Zoned> {
        let next = |after: &Zoned| self.0.find_next_occurrence(after, false).ok();
        std::iter::successors(next(&after), move |fire| next(fire))
    }

    /// How often it fires after a moment.
    pub fn rhythm(&self, after: Zoned) -> Rhythm {
        let Some(first) = self.fires(after).next() else {
            return Rhythm::Never;
        };
        // Several times on one day are one occasion, so the next is looked for from the day after.
        let end_of_day = first.end_of_day().unwrap_or_else(|_| first.clone());
        match self.fires(end_of_day).next() {
            None => Rhythm::Once,
            Some(next) if first.duration_until(&next).as_hours() >= 360 * 24 => Rhythm::Yearly,
            Some(_) => Rhythm::Often,
        }
    }
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

impl FromStr for Quartz {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
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
        let written = fields.iter().zip(&FIELDS).enumerate();
        let written: Result<Vec<String>, CronError> = written
            .map(|(index, (text, field))| rewritten(index, text, field))
            .collect();
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .alternative_weekdays(true)
            .sloppy_ranges(true)
            .build();
        let cron = parser.parse(&written?.join(" "));
        let cron = cron.map_err(|error| CronError::Field {
            field: "an expression",
            item: text.to_owned(),
            why: format!("it is not understood: {error}"),
        })?;
        Ok(Self(cron))
    }
}

/// A suggestion, if it is one that would be taken.
fn valid(suggestion: Option<String>) -> Option<String> {
    suggestion.filter(|cron| cron.parse::<Quartz>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fires(cron: &str, number: usize) -> Vec<String> {
        let after = "2026-11-23T12:00:00[UTC]".parse().unwrap();
        let quartz: Quartz = cron.parse().unwrap();
        quartz
            .fires(after)
            .take(number)
            .map(|fire| fire.strftime("%a %F %R").to_string())
            .collect()
    }

    fn rhythm(cron: &str) -> Rhythm {
        cron.parse::<Quartz>()
            .unwrap()
            .rhythm("2026-11-23T12:00:00[UTC]".parse().unwrap())
    }

    #[test]
    fn ranges_that_run_over_the_end_go_on_from_the_start() {
        assert_eq!(
            fires("0 0 12 ? * FRI-MON", 4),
            [
                "Fri 2026-11-27 12:00",
                "Sat 2026-11-28 12:00",
                "Sun 2026-11-29 12:00",
                "Mon 2026-11-30 12:00"
            ]
        );
        assert_eq!(
            fires("0 0 22-1 * * ?", 4),
            [
                "Mon 2026-11-23 22:00",
                "Mon 2026-11-23 23:00",
                "Tue 2026-11-24 00:00",
                "Tue 2026-11-24 01:00"
            ]
        );
    }

    #[test]
    fn last_days_nearest_weekdays_and_counted_weekdays_are_those_of_quartz() {
        assert_eq!(
            fires("0 0 12 L * ?", 2),
            ["Mon 2026-11-30 12:00", "Thu 2026-12-31 12:00"]
        );
        assert_eq!(fires("0 0 12 LW * ?", 3)[2], "Fri 2027-01-29 12:00");
        assert_eq!(fires("0 0 12 28W * ?", 1), ["Fri 2026-11-27 12:00"]);
        assert_eq!(fires("0 0 12 ? * L", 1), ["Sat 2026-11-28 12:00"]);
        assert_eq!(
            fires("0 0 12 ? * 6L", 2),
            ["Fri 2026-11-27 12:00", "Fri 2026-12-25 12:00"]
        );
        assert_eq!(fires("0 0 12 ? * mon#2", 1), ["Mon 2026-12-14 12:00"]);
    }

    #[test]
    fn steps_start_where_they_are_told_to() {
        assert_eq!(
            fires("0 10/25 13 * * ?", 3),
            [
                "Mon 2026-11-23 13:10",
                "Mon 2026-11-23 13:35",
                "Tue 2026-11-24 13:10"
            ]
        );
        assert_eq!(
            fires("0 0 12 ? 1/6 2/3", 2),
            ["Mon 2027-01-04 12:00", "Thu 2027-01-07 12:00"]
        );
    }

    #[test]
    fn how_often_it_fires_is_counted_in_days() {
        assert_eq!(rhythm("0 0 12 30 2 ?"), Rhythm::Never);
        assert_eq!(rhythm("0 0 12 1 1 ? 2020"), Rhythm::Never);
        assert_eq!(rhythm("0 0 12 1 1 ? 2028"), Rhythm::Once);
        assert_eq!(rhythm("0 0 12 1 1 ?"), Rhythm::Yearly);
        assert_eq!(
            rhythm("0 0/5 12 1 1 ?"),
            Rhythm::Yearly,
            "many times, and all on one day a year"
        );
        assert_eq!(rhythm("0 0 12 29 2 ?"), Rhythm::Yearly);
        assert_eq!(rhythm("0 0 12 1 1,7 ?"), Rhythm::Often);
        assert_eq!(rhythm("0 0 6 ? * MON-FRI"), Rhythm::Often);
    }
}
