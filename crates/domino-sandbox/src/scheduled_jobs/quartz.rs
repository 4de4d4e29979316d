//! Whether Quartz accepts a cron string: six fields from seconds on, perhaps a year, and `?` in exactly one of the
//! two day fields. The resulting times do not matter here.

/// The fields, with the least and the greatest number of each and the names it may have instead.
const FIELDS: [(&str, u32, u32, &[&str]); 7] = [
    ("second", 0, 59, &[]),
    ("minute", 0, 59, &[]),
    ("hour", 0, 23, &[]),
    ("day of month", 1, 31, &[]),
    (
        "month",
        1,
        12,
        &[
            "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
        ],
    ),
    (
        "day of week",
        1,
        7,
        &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    ),
    ("year", 1970, 2199, &[]),
];
const DAY_OF_MONTH: usize = 3;
const DAY_OF_WEEK: usize = 5;

/// Checks `cron` as Quartz parses it, without regard to case.
pub(super) fn check(cron: &str) -> Result<(), String> {
    let cron = cron.to_ascii_uppercase();
    let fields: Vec<&str> = cron.split_whitespace().collect();
    if fields.len() < 6 {
        return Err("Unexpected end of expression.".to_owned());
    }
    if fields.len() > 7 {
        return Err("Too many fields.".to_owned());
    }
    for (at, field) in fields.iter().enumerate() {
        let problem = |part: &str| format!("Illegal {} '{part}'.", FIELDS[at].0);
        if *field == "?" {
            match at {
                DAY_OF_MONTH | DAY_OF_WEEK => continue,
                _ => {
                    return Err(
                        "'?' can only be specified for Day-of-Month or Day-of-Week.".to_owned()
                    );
                }
            }
        }
        for part in field.split(',') {
            check_part(at, part).ok_or_else(|| problem(part))?;
        }
    }
    match (fields[DAY_OF_MONTH], fields[DAY_OF_WEEK]) {
        ("?", "?") => Err(
            "'?' can only be specified for Day-of-Month -OR- Day-of-Week.".to_owned(),
        ),
        (day, week) if day != "?" && week != "?" => Err(
            "Support for specifying both a day-of-week AND a day-of-month parameter is not implemented."
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

/// One element of a field: `*`, a value, a range, each perhaps with a step, or what only the day
/// fields have.
fn check_part(at: usize, part: &str) -> Option<()> {
    if at == DAY_OF_MONTH && is_special_day_of_month(part) {
        return Some(());
    }
    if at == DAY_OF_WEEK && is_special_day_of_week(part) {
        return Some(());
    }
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    if let Some(step) = step {
        let step: u32 = step.parse().ok()?;
        let (_, _, greatest, _) = FIELDS[at];
        if step > greatest {
            return None;
        }
    }
    if range == "*" || (range.is_empty() && step.is_some()) {
        return Some(());
    }
    match range.split_once('-') {
        Some((from, to)) => value(at, from).and(value(at, to)).map(|_| ()),
        None => value(at, range).map(|_| ()),
    }
}

/// A number or a name within the bounds of field `at`.
fn value(at: usize, text: &str) -> Option<u32> {
    let (_, least, greatest, names) = FIELDS[at];
    let named = names
        .iter()
        .position(|name| *name == text)
        .map(|place| place as u32 + least);
    named.or_else(|| {
        text.parse()
            .ok()
            .filter(|number| (least..=greatest).contains(number))
    })
}

/// `L`, `LW`, `L-3`, `15W`.
fn is_special_day_of_month(part: &str) -> bool {
    let before_last = || {
        part.strip_prefix("L-")?
            .trim_end_matches('W')
            .parse::<u32>()
            .ok()
    };
    let near = || value(DAY_OF_MONTH, part.strip_suffix('W')?);
    matches!(part, "L" | "LW") || before_last().is_some_and(|days| days <= 30) || near().is_some()
}

/// `L`, `6L`, `FRIL`, `6#3`.
fn is_special_day_of_week(part: &str) -> bool {
    let last = || value(DAY_OF_WEEK, part.strip_suffix('L')?);
    let nth = || {
        let (day, nth) = part.split_once('#')?;
        value(DAY_OF_WEEK, day)?;
        nth.parse::<u32>().ok().filter(|nth| (1..=5).contains(nth))
    };
    part == "L" || last().is_some() || nth().is_some()
}

/// The cron string for people, field by field.
pub(super) fn described(cron: &str) -> String {
    let fields = cron.split_whitespace().zip(FIELDS);
    let told = fields.filter(|(field, _)| !matches!(*field, "*" | "?"));
    let words: Vec<String> = told
        .map(|(field, (name, ..))| format!("{name} {field}"))
        .collect();
    if words.is_empty() {
        return "Every second".to_owned();
    }
    format!("At {}", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartz_expressions_are_taken() {
        for cron in [
            "0 0 6 ? * MON-FRI",
            "0 0 12 1 1 ?",
            "0 0/15 * * * ?",
            "0 0 0 L * ?",
            "0 0 0 LW * ?",
            "0 0 0 15W * ?",
            "0 0 8 ? * 6#3",
            "0 0 8 ? * FRIL",
            "0 0 8 ? jan,jul sun 2030",
            "*/10 * * * * ?",
            "0 5-10 9,17 ? * 2-6",
        ] {
            assert_eq!(check(cron), Ok(()), "{cron}");
        }
    }

    #[test]
    fn what_is_no_quartz_expression_is_refused() {
        for cron in [
            "",
            "0 6 * * 1",
            "0 0 6 * * *",
            "0 0 6 ? * ?",
            "0 0 6 1 * MON",
            "0 0 24 ? * MON",
            "60 0 6 ? * MON",
            "0 0 6 ? * 8",
            "0 0 6 ? * 0",
            "? 0 6 ? * MON",
            "0 0 6 ? * MON 2030 x",
            "0 0 6 ? * FOO",
            "0 0/99 6 ? * MON",
        ] {
            assert!(check(cron).is_err(), "{cron}");
        }
    }
}
