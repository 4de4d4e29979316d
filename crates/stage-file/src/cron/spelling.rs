//! A field as it is best written, from what it means.

use std::collections::BTreeSet;

use super::field::{DAY_OF_MONTH, DAY_OF_WEEK, FIELDS, YEAR};
use super::reading::Reading;

/// The field of a reading as one would write it.
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
    // The days of a week and the hours of a day go on from the start.
    let around = index != YEAR && index != DAY_OF_MONTH && runs.len() > 1;
    if let (true, Some(&(least, end)), Some(&(start, most))) = (around, runs.first(), runs.last())
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

/// `*/15` and `5/20`: numbers at one distance up to the end. Days and months are clearer by their names.
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
    let plain = field.names.is_empty() && index != YEAR && values.len() > 2 && step > 1;
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
