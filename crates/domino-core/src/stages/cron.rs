//! Cron expressions as Domino reads them: those of Quartz, seconds first.
//!
//! This file says what is wrong in the words of the fields and writes the expression so that `croner`
//! understands the same by it; the calendar arithmetic is `croner`'s.

use std::fmt;
use std::str::FromStr;

use croner::parser::{CronParser, Seconds};
use jiff::Zoned;

use super::text::shown;

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

/// Why a text is not a Quartz cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CronError {
    #[error(
        "has {0} fields; Domino's cron is Quartz and has six or seven: seconds, minutes, hours, day of month, \
         month, day of week, and a year if one is meant"
    )]
    FieldCount(usize),
    #[error("has five fields as Unix cron has; Domino's cron is Quartz, with seconds first{}", hint(.0))]
    Unix(Option<String>),
    #[error("has a name for a time; Domino's cron is Quartz{}", hint(.0))]
    Nickname(Option<String>),
    #[error("must have `?` in exactly one of day of month and day of week{}", hint(.0))]
    QuestionMark(Option<String>),
    #[error("has {} as {field}; {why}", shown(.item))]
    Field {
        field: &'static str,
        item: String,
        why: String,
    },
}

fn hint(suggestion: &Option<String>) -> impl fmt::Display {
    match suggestion {
        Some(cron) => format!("; write `{cron}`"),
        None => String::new(),
    }
}

/// One field: its name, its range, and the names its numbers have.
struct Field {
    name: &'static str,
    least: u16,
    most: u16,
    names: &'static [&'static str],
}

const DAY_OF_MONTH: usize = 3;
const DAY_OF_WEEK: usize = 5;

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
/// Quartz counts from Sunday as 1.
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const FIELDS: [Field; 7] = [
    Field {
        name: "seconds",
        least: 0,
        most: 59,
        names: &[],
    },
    Field {
        name: "minutes",
        least: 0,
        most: 59,
        names: &[],
    },
    Field {
        name: "hours",
        least: 0,
        most: 23,
        names: &[],
    },
    Field {
        name: "day of month",
        least: 1,
        most: 31,
        names: &[],
    },
    Field {
        name: "month",
        least: 1,
        most: 12,
        names: &MONTHS,
    },
    Field {
        name: "day of week",
        least: 1,
        most: 7,
        names: &DAYS,
    },
    Field {
        name: "year",
        least: 1970,
        most: 2099,
        names: &[],
    },
];

impl FromStr for Quartz {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let fields: Vec<String> = text
            .split_whitespace()
            .map(str::to_ascii_uppercase)
            .collect();
        match fields.len() {
            1 if text.starts_with('@') => return Err(CronError::Nickname(from_nickname(text))),
            5 => return Err(CronError::Unix(from_unix(&fields))),
            6 | 7 => {}
            number => return Err(CronError::FieldCount(number)),
        }
        if (fields[DAY_OF_MONTH] == "?") == (fields[DAY_OF_WEEK] == "?") {
            return Err(CronError::QuestionMark(with_question_mark(&fields)));
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

/// The field as `croner` reads it: numbers for names, and no range that runs over the end.
fn rewritten(index: usize, text: &str, field: &Field) -> Result<String, CronError> {
    let day = index == DAY_OF_MONTH || index == DAY_OF_WEEK;
    if text == "*" || (day && text == "?") {
        return Ok("*".into());
    }
    let special = match index {
        DAY_OF_MONTH => special_day_of_month(text, field),
        DAY_OF_WEEK => special_day_of_week(text, field),
        _ => None,
    };
    if let Some(special) = special {
        return special;
    }
    let items: Result<Vec<String>, CronError> =
        text.split(',').map(|item| values(item, field)).collect();
    Ok(items?.join(","))
}

/// `L`, `LW` and `15W`, which stand alone.
fn special_day_of_month(text: &str, field: &Field) -> Option<Result<String, CronError>> {
    if matches!(text, "L" | "LW" | "WL") {
        return Some(Ok(if text == "L" { "L".into() } else { "LW".into() }));
    }
    if text.starts_with("L-") {
        let why =
            "days before the last one are not supported; name the day, or `L` for the last".into();
        return Some(Err(CronError::Field {
            field: field.name,
            item: text.to_owned(),
            why,
        }));
    }
    let day = text.strip_suffix('W')?;
    Some(number(day, field).map(|day| format!("{day}W")))
}

/// `L`, `6L` and `FRI#2`, which stand alone.
fn special_day_of_week(text: &str, field: &Field) -> Option<Result<String, CronError>> {
    if text == "L" {
        // In this field Quartz means Saturday by it, the last day of its week.
        return Some(Ok("7".into()));
    }
    if let Some((day, nth)) = text.split_once('#') {
        let nth = nth
            .parse()
            .ok()
            .filter(|nth: &u16| (1..=5).contains(nth))
            .ok_or_else(|| {
                let why = "a month has a weekday one to five times: `FRI#1` to `FRI#5`".into();
                CronError::Field {
                    field: field.name,
                    item: text.to_owned(),
                    why,
                }
            });
        return Some(nth.and_then(|nth| Ok(format!("{}#{nth}", number(day, field)?))));
    }
    let day = text.strip_suffix('L')?;
    Some(number(day, field).map(|day| format!("{day}L")))
}

/// The values of one item of a list: `5`, `1-5`, `*/15`, `10/5`, `FRI-MON`.
fn values(item: &str, field: &Field) -> Result<String, CronError> {
    let wrong = |why: String| CronError::Field {
        field: field.name,
        item: item.to_owned(),
        why,
    };
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => {
            let step = step
                .parse()
                .ok()
                .filter(|step: &u16| *step >= 1 && *step <= field.most);
            (
                range,
                step.ok_or_else(|| wrong(format!("a step is a number from 1 to {}", field.most)))?,
            )
        }
        None => (item, 1),
    };
    let (first, last) = match range.split_once('-') {
        _ if range == "*" || (range.is_empty() && step > 1) => (field.least, field.most),
        Some((first, last)) => (number(first, field)?, number(last, field)?),
        None if item.contains('/') => (number(range, field)?, field.most),
        None => return number(range, field).map(|number| number.to_string()),
    };
    // A range such as 22-2 goes on from the start; years do not come again.
    let span = field.most - field.least + 1;
    let length = match last.checked_sub(first) {
        Some(length) => length,
        None if field.least == 1970 => {
            return Err(wrong("the first year must not be after the last".into()));
        }
        None => last + span - first,
    };
    let values = (0..=length).step_by(step.into());
    let values = values.map(|past| field.least + (first - field.least + past) % span);
    Ok(values
        .map(|value| value.to_string())
        .collect::<Vec<_>>()
        .join(","))
}

fn number(text: &str, field: &Field) -> Result<u16, CronError> {
    let named = field
        .names
        .iter()
        .zip(field.least..)
        .find(|(name, _)| **name == text);
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = match named {
        Some((_, number)) => Some(number),
        None => text
            .parse()
            .ok()
            .filter(|number| digits && (field.least..=field.most).contains(number)),
    };
    number.ok_or_else(|| {
        let names = match (field.names.first(), field.names.last()) {
            (Some(first), Some(last)) => format!(", or `{first}` to `{last}`"),
            _ => String::new(),
        };
        let why = format!(
            "that is a number from {} to {}{names}",
            field.least, field.most
        );
        CronError::Field {
            field: field.name,
            item: text.to_owned(),
            why,
        }
    })
}

/// Whether the day of the week is written as a number, which other cron dialects count differently.
pub(super) fn has_numbered_weekday(text: &str) -> bool {
    let field = text.split_whitespace().nth(DAY_OF_WEEK).unwrap_or_default();
    field.split(',').any(|item| {
        item.split(['/', '#'])
            .next()
            .is_some_and(|day| day.contains(|c: char| c.is_ascii_digit()))
    })
}

/// A suggestion, if it is one that would be taken.
fn suggested(cron: String) -> Option<String> {
    cron.parse::<Quartz>().is_ok().then_some(cron)
}

fn with_question_mark(fields: &[String]) -> Option<String> {
    let mut fields = fields.to_vec();
    match (fields[DAY_OF_MONTH].as_str(), fields[DAY_OF_WEEK].as_str()) {
        (_, "*" | "?") => fields[DAY_OF_WEEK] = "?".into(),
        ("*", _) => fields[DAY_OF_MONTH] = "?".into(),
        _ => return None,
    }
    if fields[DAY_OF_MONTH] == "?" && fields[DAY_OF_WEEK] == "?" {
        fields[DAY_OF_MONTH] = "*".into();
    }
    suggested(fields.join(" "))
}

fn from_nickname(text: &str) -> Option<String> {
    let cron = match text {
        "@hourly" => "0 0 * * * ?",
        "@daily" | "@midnight" => "0 0 0 * * ?",
        "@weekly" => "0 0 0 ? * SUN",
        "@monthly" => "0 0 0 1 * ?",
        "@yearly" | "@annually" => "0 0 0 1 1 ?",
        _ => return None,
    };
    Some(cron.to_owned())
}

/// The Quartz form of a Unix expression: seconds before it, names for its days, which it counts from
/// Sunday as 0, and `?` for the day that is not meant. One that names both days means either, which
/// Quartz cannot say.
fn from_unix(fields: &[String]) -> Option<String> {
    let [minute, hour, day, month, weekday] = fields else {
        return None;
    };
    let (day, weekday) = match (day.as_str(), weekday.as_str()) {
        (day, "*" | "?") => (day, "?".to_owned()),
        ("*" | "?", weekday) => ("?", named_days(weekday)?),
        _ => return None,
    };
    suggested(format!("0 {minute} {hour} {day} {month} {weekday}"))
}

fn named_days(weekday: &str) -> Option<String> {
    if weekday.contains(['/', '#', 'L']) && weekday.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut named = String::new();
    for character in weekday.chars() {
        match character.to_digit(10) {
            Some(digit @ 0..=7) => named.push_str(DAYS[digit as usize % 7]),
            Some(_) => return None,
            None => named.push(character),
        }
    }
    Some(named)
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

    fn error(cron: &str) -> String {
        cron.parse::<Quartz>().unwrap_err().to_string()
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
    fn a_unix_expression_is_refused_with_its_quartz_form() {
        for (unix, quartz) in [
            ("0 6 * * 1-5", "0 0 6 ? * MON-FRI"),
            ("30 2 1 * *", "0 30 2 1 * ?"),
            ("*/15 * * * *", "0 */15 * * * ?"),
            ("0 0 * * 0,7", "0 0 0 ? * SUN,SUN"),
            ("@daily", "0 0 0 * * ?"),
        ] {
            assert!(
                error(unix).ends_with(&format!("; write `{quartz}`")),
                "{}",
                error(unix)
            );
        }
        assert!(
            error("0 0 1 * 1").ends_with("with seconds first"),
            "Quartz cannot say either of two days"
        );
    }

    #[test]
    fn exactly_one_day_field_is_a_question_mark() {
        for (wrong, right) in [
            ("0 0 6 * * *", "0 0 6 * * ?"),
            ("0 0 6 ? * ?", "0 0 6 * * ?"),
            ("0 0 6 * * MON", "0 0 6 ? * MON"),
            ("0 0 6 1 * *", "0 0 6 1 * ?"),
        ] {
            assert!(
                error(wrong).ends_with(&format!("; write `{right}`")),
                "{}",
                error(wrong)
            );
        }
        assert!(error("0 0 6 1 * MON").ends_with("day of week"));
    }

    #[test]
    fn a_field_that_is_wrong_is_named_with_what_it_takes() {
        assert_eq!(
            error("0 0 25 * * ?"),
            "has `25` as hours; that is a number from 0 to 23"
        );
        assert_eq!(
            error("0 0 6 ? * MON-FRY"),
            "has `FRY` as day of week; that is a number from 1 to 7, or `SUN` to `SAT`"
        );
        assert!(error("0 0 6 ? * 0").contains("from 1 to 7"));
        assert!(error("0 */0 6 * * ?").contains("a step is a number from 1 to 59"));
        assert!(error("0 0 6 L-3 * ?").contains("not supported"));
        assert!(error("0 0 6 ? * FRI#6").contains("one to five"));
        assert!(error("0 0 6 1,,2 * ?").contains("has `` as day of month"));
        assert!(error("0 0 6 ? 2 MON 2030-2027").contains("first year"));
        assert!(error("0 0 6").starts_with("has 3 fields"));
        assert!(error("").starts_with("has 0 fields"));
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

    #[test]
    fn a_weekday_by_number_is_noticed() {
        assert!(has_numbered_weekday("0 0 6 ? * 2-6"));
        assert!(has_numbered_weekday("0 0 6 ? * MON,3"));
        assert!(has_numbered_weekday("0 0 6 ? * 6L"));
        assert!(!has_numbered_weekday("0 0 6 ? * FRI#2"));
        assert!(!has_numbered_weekday("0 0 6 ? * */2"));
        assert!(!has_numbered_weekday("0 0 6 1 * ?"));
    }
}
