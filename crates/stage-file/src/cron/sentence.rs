//! An expression as a sentence: when it fires, in everyday words.

use std::collections::BTreeSet;
use std::fmt;

use super::Quartz;
use super::field::{DAY_OF_MONTH, DAY_OF_WEEK, HOURS, MINUTES, MONTH, SECONDS, YEAR};
use super::reading::Reading;
use super::spelling::runs;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const COUNTED: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];
/// At most this many times of a day are listed one by one.
const FEW: usize = 6;

/// Reads as `at 06:00, on Monday to Friday`.
impl fmt::Display for Quartz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reading = &self.reading;
        write!(f, "{}, {}", time(reading), days(reading))?;
        if reading.values[MONTH].len() < 12 {
            write!(
                f,
                ", in {}",
                list(&reading.values[MONTH], |month| name(&MONTHS, month))
            )?;
        }
        if reading.values[YEAR].len() < 100 {
            write!(
                f,
                ", in {}",
                list(&reading.values[YEAR], |year| year.to_string())
            )?;
        }
        Ok(())
    }
}

fn time(reading: &Reading) -> String {
    let [seconds, minutes, hours] = [SECONDS, MINUTES, HOURS].map(|field| &reading.values[field]);
    let one = |values: &BTreeSet<i32>| (values.len() == 1).then(|| *values.first().unwrap_or(&0));
    let second = one(seconds);
    if let (Some(second), true) = (second, hours.len() * minutes.len() <= FEW) {
        let times = hours
            .iter()
            .flat_map(|hour| minutes.iter().map(move |minute| (hour, minute)));
        let times = times.map(|(hour, minute)| match second {
            0 => format!("{hour:02}:{minute:02}"),
            second => format!("{hour:02}:{minute:02}:{second:02}"),
        });
        return format!("at {}", joined(&times.collect::<Vec<_>>()));
    }
    let mut parts = Vec::new();
    if second != Some(0) {
        parts.push(unit(seconds, "second", 60));
    }
    if minutes.len() < 60 || second.is_some() {
        parts.push(unit(minutes, "minute", 60));
    }
    if hours.len() < 24 || (minutes.len() == 1 && second.is_some()) {
        parts.push(unit(hours, "hour", 24));
    }
    parts.join(" of ")
}

/// `every minute`, `every 15 minutes`, `minutes 10 and 35`.
fn unit(values: &BTreeSet<i32>, name: &str, turn: i32) -> String {
    let length = i32::try_from(values.len()).unwrap_or(turn);
    let step = turn / length;
    let even = turn % length == 0
        && values
            .iter()
            .zip(0..)
            .all(|(value, at)| *value == at * step);
    match length {
        _ if length == turn => format!("every {name}"),
        1 => format!("{name} {}", list(values, |value| value.to_string())),
        _ if even => format!("every {step} {name}s"),
        _ => format!("{name}s {}", list(values, |value| value.to_string())),
    }
}

fn days(reading: &Reading) -> String {
    let (days, weekdays) = (&reading.values[DAY_OF_MONTH], &reading.values[DAY_OF_WEEK]);
    let first = |values: &BTreeSet<i32>| values.first().copied().unwrap_or_default();
    if reading.open_weekday {
        let day = match reading.last_day {
            Some(0) => "the last day of the month".to_owned(),
            Some(1) => "the day before the last of the month".to_owned(),
            Some(before) => format!("the day {before} days before the last of the month"),
            None if reading.nearest_working_day => format!("day {} of the month", first(days)),
            None if days.len() == 31 => return "every day".into(),
            None if days.len() == 1 => format!("day {} of the month", first(days)),
            None => format!("days {} of the month", list(days, |day| day.to_string())),
        };
        return match reading.nearest_working_day {
            true => format!("on the working day in the same month nearest to {day}"),
            false => format!("on {day}"),
        };
    }
    let weekday = name(&DAYS, first(weekdays));
    match reading
        .nth_weekday
        .and_then(|nth| COUNTED.get(nth as usize - 1))
    {
        _ if reading.last_weekday => format!("on the last {weekday} of the month"),
        Some(nth) => format!("on the {nth} {weekday} of the month"),
        None if weekdays.len() == 7 => "every day".into(),
        None if weekdays.len() == 1 => format!("every {weekday}"),
        None => format!("on {}", list(weekdays, |day| name(&DAYS, day))),
    }
}

/// The name of a number that counts from 1.
fn name(names: &[&str], number: i32) -> String {
    let index = usize::try_from(number - 1).ok();
    let name = index.and_then(|index| names.get(index));
    name.map_or_else(|| number.to_string(), |name| (*name).to_owned())
}

/// `1 to 5, 9 and 12`.
fn list(values: &BTreeSet<i32>, name: impl Fn(i32) -> String) -> String {
    let mut items = Vec::new();
    for (first, last) in runs(values.iter().copied()) {
        match last - first {
            0 => items.push(name(first)),
            1 => items.extend([name(first), name(last)]),
            _ => items.push(format!("{} to {}", name(first), name(last))),
        }
    }
    joined(&items)
}

fn joined(items: &[String]) -> String {
    match items {
        [] => "none".into(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_told_in_a_sentence() {
        for (cron, told) in [
            ("0 0 6 ? * MON-FRI", "at 06:00, on Monday to Friday"),
            ("0 0 6 ? * 1-5", "at 06:00, on Sunday to Thursday"),
            ("15 30 6,18 * * ?", "at 06:30:15 and 18:30:15, every day"),
            ("0 0/15 * * * ?", "every 15 minutes, every day"),
            (
                "0 5 9-17 ? * MON,FRI",
                "minute 5 of hours 9 to 17, on Monday and Friday",
            ),
            (
                "0 0/20 9-17 L * ?",
                "every 20 minutes of hours 9 to 17, on the last day of the month",
            ),
            ("0 30 * * * ?", "minute 30 of every hour, every day"),
            (
                "0 0,30 6,8,10 * * ?",
                "at 06:00, 06:30, 08:00, 08:30, 10:00 and 10:30, every day",
            ),
            (
                "0 0,30 6,8,10,12 * * ?",
                "every 30 minutes of hours 6, 8, 10 and 12, every day",
            ),
            (
                "*/10 0/15 6 * * ?",
                "every 10 seconds of every 15 minutes of hour 6, every day",
            ),
            ("0 5,10,20 * * * ?", "minutes 5, 10 and 20, every day"),
            (
                "0 0,8,16,24,32,40,48 * * * ?",
                "minutes 0, 8, 16, 24, 32, 40 and 48, every day",
            ),
            ("0 0 12 5 * ?", "at 12:00, on day 5 of the month"),
            ("0 0 12 1,2 * ?", "at 12:00, on days 1 and 2 of the month"),
            (
                "0 0 12 L-1 * ?",
                "at 12:00, on the day before the last of the month",
            ),
            ("0 0 12 ? * *", "at 12:00, every day"),
            (
                "0 0 12 1 * ? 2028-2126",
                "at 12:00, on day 1 of the month, in 2028 to 2126",
            ),
            ("0 0 12 1 * ? 2027-2126", "at 12:00, on day 1 of the month"),
            ("* * * * * ?", "every second, every day"),
            ("30 * * * * ?", "second 30 of every minute, every day"),
            ("*/10 * 6 * * ?", "every 10 seconds of hour 6, every day"),
            (
                "0 0 12 LW 1,7 ?",
                "at 12:00, on the working day in the same month nearest to the last day of the month, in January and July",
            ),
            (
                "0 0 12 L-3 * ? 2027",
                "at 12:00, on the day 3 days before the last of the month, in 2027",
            ),
            (
                "0 0 12 1W * ?",
                "at 12:00, on the working day in the same month nearest to day 1 of the month",
            ),
            (
                "0 0 12 1-5,9 * ?",
                "at 12:00, on days 1 to 5 and 9 of the month",
            ),
            ("0 0 12 ? * L", "at 12:00, every Saturday"),
            ("0 0 12 ? * 6L", "at 12:00, on the last Friday of the month"),
            (
                "0 0 12 ? * MON#2",
                "at 12:00, on the second Monday of the month",
            ),
        ] {
            assert_eq!(
                Quartz::read(cron, 2026).unwrap().to_string(),
                told,
                "{cron}"
            );
        }
    }

    #[test]
    fn of_several_working_days_the_one_is_told_that_quartz_takes() {
        let quartz = Quartz::read_as_quartz("0 0 6 15W,1W * ?", 2026).unwrap();
        assert_eq!(
            quartz.to_string(),
            "at 06:00, on the working day in the same month nearest to day 1 of the month"
        );
    }
}
