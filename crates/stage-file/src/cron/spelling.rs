//! The best spelling of a field, from its meaning.

use std::collections::BTreeSet;

use super::field::{DAY_OF_MONTH, DAY_OF_WEEK, FIELDS, YEAR};
use super::reading::Reading;

/// The field of a reading in its best spelling.
pub(super) fn spelled(reading: &Reading, index: usize) -> String {
    let values = &reading.values[index];
    let first = || named(index, values.first().copied().unwrap_or_default());
    match index {
        DAY_OF_MONTH if reading.open_day => "?".into(),
        DAY_OF_WEEK if reading.open_weekday => "?".into(),
        DAY_OF_MONTH if reading.last_day.is_some() || reading.nearest_working_day => {
            let day = match reading.last_day {
                None => first(),
                Some(0) => "L".into(),
                Some(before) => format!("L-{before}"),
            };
            let near = if reading.nearest_working_day { "W" } else { "" };
            format!("{day}{near}")
        }
        DAY_OF_WEEK if reading.last_weekday => format!("{}L", first()),
        _ => match reading.nth_weekday {
            Some(nth) if index == DAY_OF_WEEK => format!("{}#{nth}", first()),
            _ => list(index, values),
        },
    }
}

fn list(index: usize, values: &BTreeSet<i32>) -> String {
    let field = &FIELDS[index];
    if values.len() > 100 || values.len() > (field.most - field.least) as usize {
        return "*".into();
    }
    if let Some(step) = step(index, values) {
        return step;
    }
    let mut runs = runs(values.iter().copied());
    // The days of a week and the hours of a day continue from the start.
    let around = index != YEAR && index != DAY_OF_MONTH;
    if let (true, &[(least, end), .., (start, most)]) = (around, runs.as_slice())
        && least == field.least
        && most == field.most
        && (end > least || most > start)
    {
        runs.pop();
        runs[0] = (start, end);
        runs.rotate_left(1);
    }
    let items = runs.into_iter().map(|(first, last)| match last - first {
        0 => named(index, first),
        1 => format!("{},{}", named(index, first), named(index, last)),
        _ => format!("{}-{}", named(index, first), named(index, last)),
    });
    items.collect::<Vec<_>>().join(",")
}

/// `*/15` and `5/20`: numbers at equal distances up to the end. Days and months are clearer by name.
fn step(index: usize, values: &BTreeSet<i32>) -> Option<String> {
    let field = &FIELDS[index];
    let mut all = values.iter();
    let (first, second) = (*all.next()?, *all.next()?);
    let (step, last) = (second - first, *values.last()?);
    let even = values
        .iter()
        .zip((first..).step_by(step as usize))
        .all(|(value, at)| *value == at);
    let whole = last + step > field.most && first - step < field.least;
    let plain = field.names.is_empty() && index != YEAR && values.len() > 2;
    (plain && even && whole).then(|| match first == field.least {
        true => format!("*/{step}"),
        false => format!("{first}/{step}"),
    })
}

/// The values in runs without a gap: the first and the last of each.
pub(super) fn runs(values: impl Iterator<Item = i32>) -> Vec<(i32, i32)> {
    let mut runs: Vec<(i32, i32)> = Vec::new();
    for value in values {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == value => *last = value,
            _ => runs.push((value, value)),
        }
    }
    runs
}

fn named(index: usize, value: i32) -> String {
    let field = &FIELDS[index];
    let name = usize::try_from(value - field.least).ok();
    match name.and_then(|name| field.names.get(name)) {
        Some(name) => (*name).to_owned(),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::field::{HOURS, MINUTES, MONTH};
    use super::*;

    #[test]
    fn a_field_is_written_as_short_as_it_is_clear() {
        for (cron, index, written) in [
            ("0 0/15 6 * * ?", MINUTES, "*/15"),
            ("0 0,20,40 6 * * ?", MINUTES, "*/20"),
            ("0 5,25,45 6 * * ?", MINUTES, "5/20"),
            ("0 0,30 6 * * ?", MINUTES, "0,30"),
            ("0 0,20,45 6 * * ?", MINUTES, "0,20,45"),
            // Such a step would continue, or begin earlier.
            ("0 0,15,30 6 * * ?", MINUTES, "0,15,30"),
            ("0 9,19,29,39,49 6 * * ?", MINUTES, "9,19,29,39,49"),
            ("0 15,30,45 6 * * ?", MINUTES, "15,30,45"),
            ("0 25,40,55 6 * * ?", MINUTES, "25,40,55"),
            ("0 0-59 6 * * ?", MINUTES, "*"),
            ("0 0-58 6 * * ?", MINUTES, "0-58"),
            ("0 6,7 6 * * ?", MINUTES, "6,7"),
            ("0 1-3,9 6 * * ?", MINUTES, "1-3,9"),
            ("0 0 22-1 * * ?", HOURS, "22-1"),
            ("0 0 22,23,0 * * ?", HOURS, "22-0"),
            ("0 0 23,0,1 * * ?", HOURS, "23-1"),
            ("0 0 0,23 * * ?", HOURS, "0,23"),
            ("0 0 0,1,12,22,23 * * ?", HOURS, "12,22-1"),
            ("0 0 1,2,23 * * ?", HOURS, "1,2,23"),
            ("0 0 0,1,22 * * ?", HOURS, "0,1,22"),
            ("0 0 6 1-31 * ?", DAY_OF_MONTH, "*"),
            ("0 0 6 30-2 * ?", DAY_OF_MONTH, "1,2,30,31"),
            ("0 0 6 L-3W * ?", DAY_OF_MONTH, "L-3W"),
            ("0 0 6 L * ?", DAY_OF_MONTH, "L"),
            ("0 0 6 15W * ?", DAY_OF_MONTH, "15W"),
            ("0 0 6 ? * MON", DAY_OF_MONTH, "?"),
            ("0 0 6 1 * ?", DAY_OF_WEEK, "?"),
            ("0 0 6 1 1/4 ?", MONTH, "JAN,MAY,SEP"),
            ("0 0 6 ? * 6-2", DAY_OF_WEEK, "FRI-MON"),
            ("0 0 6 ? * 6L", DAY_OF_WEEK, "FRIL"),
            ("0 30 6 ? * MON#2", DAY_OF_WEEK, "MON#2"),
            ("0 30 6 ? * MON#2", MINUTES, "30"),
            // A century contains every year that counts.
            ("0 0 6 1 1 ? 2027-2126", YEAR, "2027-2126"),
            ("0 0 6 1 1 ? 2026-2126", YEAR, "*"),
        ] {
            let reading = Reading::read(cron, 2026).unwrap();
            assert_eq!(spelled(&reading, index), written, "{cron}");
        }
    }
}
