//! What each field of a cron expression seems to mean.
//!
//! It considers one field at a time, and accepts only what a person would expect. `reading.rs` says what Quartz makes
//! of the field; `cron.rs` combines the fields.

use std::collections::BTreeSet;

use super::error::CronError;
use super::field::{DAY_OF_MONTH, DAY_OF_WEEK, FIELDS, YEAR};
use super::reading::Reading;
use super::spelling::spelled;

/// Adds to `meant` what a field seems to mean, in a calendar up to this year.
pub(super) fn put(
    meant: &mut Reading,
    index: usize,
    text: &str,
    last_year: i32,
) -> Result<(), CronError> {
    match (index, text) {
        (DAY_OF_MONTH, "?") => meant.open_day = true,
        (DAY_OF_WEEK, "?") => meant.open_weekday = true,
        (DAY_OF_MONTH, _) if put_last_day(meant, text)? => {}
        (DAY_OF_MONTH, _) if text.ends_with('W') => {
            let day = number(&text[..text.len() - 1], index)?;
            meant.values[index].insert(day);
            meant.nearest_working_day = true;
        }
        // In this field Quartz reads it as Saturday, the last day of its week.
        (DAY_OF_WEEK, "L") => {
            meant.values[index].insert(7);
        }
        (DAY_OF_WEEK, _) if !text.contains(',') && text.contains(['#', 'L']) => {
            put_counted_weekday(meant, text)?;
        }
        _ => {
            for item in text.split(',') {
                let values = values(item, index, last_year)?;
                meant.values[index].extend(values);
            }
        }
    }
    Ok(())
}

/// `L`, `LW`, `L-3` and `L-3W`, which must stand alone.
fn put_last_day(meant: &mut Reading, text: &str) -> Result<bool, CronError> {
    let Some(rest) = text.strip_prefix('L') else {
        return Ok(false);
    };
    let days = rest.strip_suffix('W').unwrap_or(rest);
    // Every month has a 27th day before its last; Quartz fails on a working day near one that does not exist.
    let longest = if rest.ends_with('W') { 27 } else { 30 };
    let before = match days.strip_prefix('-') {
        None if days.is_empty() => Some(0),
        Some(days) if !days.is_empty() && days.bytes().all(|byte| byte.is_ascii_digit()) => {
            days.parse().ok().filter(|days| *days <= longest)
        }
        _ => None,
    };
    let why = "the last day is `L` or `LW`, and a day before it `L-1` to `L-30` or `L-1W` to `L-27W`, each alone";
    let before = before.ok_or_else(|| wrong(DAY_OF_MONTH, text, why))?;
    meant.last_day = Some(before);
    meant.nearest_working_day = rest.ends_with('W');
    Ok(true)
}

/// `6L` and `FRI#2`, which must stand alone.
fn put_counted_weekday(meant: &mut Reading, text: &str) -> Result<(), CronError> {
    let day = match text.split_once('#') {
        Some((day, nth)) => {
            let nth = nth.parse().ok().filter(|nth| (1..=5).contains(nth));
            let why = "a month has a weekday one to five times: `FRI#1` to `FRI#5`";
            meant.nth_weekday = Some(nth.ok_or_else(|| wrong(DAY_OF_WEEK, text, why))?);
            day
        }
        None => {
            meant.last_weekday = text.ends_with('L');
            text.strip_suffix('L').unwrap_or(text)
        }
    };
    meant.values[DAY_OF_WEEK].insert(number(day, DAY_OF_WEEK)?);
    Ok(())
}

/// The values of one item of a list: `5`, `1-5`, `*/15`, `10/5`, `FRI-MON`.
fn values(item: &str, index: usize, last_year: i32) -> Result<BTreeSet<i32>, CronError> {
    let field = &FIELDS[index];
    let most = if index == YEAR { last_year } else { field.most };
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => {
            let step = step
                .parse()
                .ok()
                .filter(|step| (1..=field.most).contains(step));
            let why = || format!("a step is a number from 1 to {}", field.most);
            (range, step.ok_or_else(|| wrong(index, item, why()))?)
        }
        None => (item, 1),
    };
    let (first, last) = match range.split_once('-') {
        _ if range == "*" || (range.is_empty() && item.starts_with('/')) => (field.least, most),
        Some((first, last)) => (number(first, index)?, number(last, index)?),
        None if item.contains('/') => (number(range, index)?, most),
        None => return Ok(BTreeSet::from([number(range, index)?])),
    };
    let is_name = |text: &str| text.contains(|c: char| c.is_ascii_alphabetic());
    if let Some((first, last)) = range.split_once('-')
        && is_name(first) != is_name(last)
    {
        let why = "Quartz takes two names or two numbers, not one of each";
        return Err(wrong(index, item, why));
    }
    // A range such as 22-2 continues from the start; years do not repeat.
    if last < first && index == YEAR {
        let why = "the first year must not be after the last";
        return Err(wrong(index, item, why));
    }
    let span = most - field.least + 1;
    let length = (last - first).rem_euclid(span);
    let past = (0..=length).step_by(usize::try_from(step).unwrap_or(usize::MAX));
    Ok(past
        .map(|past| field.least + (first - field.least + past) % span)
        .collect())
}

fn number(text: &str, index: usize) -> Result<i32, CronError> {
    let field = &FIELDS[index];
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
        wrong(index, text, why)
    })
}

/// The error about an item of a field.
pub(super) fn wrong(index: usize, item: &str, why: impl Into<String>) -> CronError {
    CronError::Field {
        field: FIELDS[index].name,
        item: item.to_owned(),
        why: why.into(),
        reading: None,
    }
}

/// What to say about weekdays that are numbers, which other cron dialects count differently: by their names, as
/// Quartz counts them, and as somebody who counts from Monday would.
pub(super) fn numbered_weekday(text: &str, reading: &Reading) -> Option<(String, String)> {
    let field = text.split_whitespace().nth(DAY_OF_WEEK)?;
    let numbered = field.split(',').any(|item| {
        let day = item.split(['/', '#']).next().unwrap_or_default();
        day.contains(|c: char| c.is_ascii_digit())
    });
    let mut from_monday = reading.clone();
    from_monday.values[DAY_OF_WEEK] = reading.values[DAY_OF_WEEK]
        .iter()
        .map(|day| day % 7 + 1)
        .collect();
    numbered.then(|| {
        (
            spelled(reading, DAY_OF_WEEK),
            spelled(&from_monday, DAY_OF_WEEK),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::Quartz;
    use super::*;

    fn error(cron: &str) -> String {
        Quartz::read(cron, 2026).unwrap_err().to_string()
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
        assert!(error("0 0 6 L-31 * ?").contains("`L-1` to `L-30`"));
        assert!(error("0 0 6 L-31W * ?").contains("`L-1W` to `L-27W`"));
        assert!(Quartz::read("0 0 6 L-27W * ?", 2026).is_ok());
        for odd in ["LX", "L-", "L-+3", "L-3X"] {
            let told = error(&format!("0 0 6 {odd} * ?"));
            assert!(told.contains("the last day is `L` or `LW`"), "{told}");
        }
        assert!(error("0 +5 6 * * ?").starts_with("has `+5` as minutes; that is a number"));
        assert!(Quartz::read("0 0 6 1 1 ? 2027-2027", 2026).is_ok());
        assert!(error("0 0 6 1,L * ?").contains("number from 1 to 31"));
        assert!(error("0 0 6 ? * FRI#6").contains("one to five"));
        assert!(error("0 0 6 ? 2 MON 2030-2027").contains("first year"));
        assert!(error("0 0 6").starts_with("has 3 fields"));
        assert!(error("").starts_with("has 0 fields"));
        for mixed in ["0 0 6 ? * 3-SAT", "0 0 6 1 1-NOV ?"] {
            assert!(error(mixed).ends_with("two names or two numbers, not one of each"));
        }
    }

    #[test]
    fn what_quartz_reads_otherwise_than_it_looks_is_refused_with_the_reading() {
        for (cron, told) in [
            (
                "0 0 6 ? * MON-FRI/2",
                "has `MON-FRI/2` as day of week; Quartz reads `MON-FRI`; write `MON,WED,FRI`",
            ),
            (
                "0 0 6 ? * FRI-MON/2",
                "has `FRI-MON/2` as day of week; Quartz reads `FRI-MON`; write `SUN,FRI`",
            ),
            (
                "0 0 6 1 FEB/4 ?",
                "has `FEB/4` as month; Quartz reads `FEB`; write `FEB,JUN,OCT`",
            ),
            (
                "0 0 6 ? * MONDAY",
                "has `MONDAY` as day of week; that is a number from 1 to 7, or `SUN` to `SAT`; Quartz reads `MON`",
            ),
            (
                "0 0 6 ? * MON,FRI#2",
                "has `FRI#2` as day of week; that is a number from 1 to 7, or `SUN` to `SAT`; Quartz reads `MON#2`",
            ),
            (
                "0 */0 6 * * ?",
                "has `*/0` as minutes; a step is a number from 1 to 59; Quartz reads `*`",
            ),
            (
                "0 0 6 15W,1W * ?",
                "has `15W,1` as day of month; that is a number from 1 to 31; Quartz reads `1W`",
            ),
            (
                "0 0 6 1,,2 * ?",
                "has `` as day of month; that is a number from 1 to 31; Quartz reads `1,2`",
            ),
            (
                "0 0 99 * * ?",
                "has `99` as hours; that is a number from 0 to 23; Quartz reads `*`",
            ),
        ] {
            assert_eq!(error(cron), told);
        }
        for cron in ["0 0 6 ? * 2-6/2", "0 0 6 L-3 * ?", "0 0 6 L-3W * ?"] {
            assert!(Quartz::read(cron, 2026).is_ok(), "{cron}");
        }
    }

    #[test]
    fn a_weekday_by_number_is_noticed() {
        let numbered = |cron: &str| {
            let reading = Reading::read(cron, 2026).unwrap();
            numbered_weekday(cron, &reading)
        };
        let both = |quartz: &str, monday: &str| Some((quartz.to_owned(), monday.to_owned()));
        assert_eq!(numbered("0 0 6 ? * 1-5"), both("SUN-THU", "MON-FRI"));
        assert_eq!(numbered("0 0 6 ? * MON,3"), both("MON,TUE", "TUE,WED"));
        assert_eq!(numbered("0 0 6 ? * 6L"), both("FRIL", "SATL"));
        assert_eq!(numbered("0 0 6 ? * FRI#2"), None);
        assert_eq!(numbered("0 0 6 ? * */2"), None);
        assert_eq!(numbered("0 0 6 1 * ?"), None);
    }
}
