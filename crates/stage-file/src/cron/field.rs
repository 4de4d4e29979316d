//! The fields of a Quartz cron expression: what each takes, and how `croner` reads the same.
//!
//! Only one field is looked at at a time; what the fields mean together is in `cron.rs`.

use super::error::CronError;

/// One field: its name, its range, and the names its numbers have.
pub(super) struct Field {
    name: &'static str,
    least: u16,
    most: u16,
    names: &'static [&'static str],
}

pub(super) const DAY_OF_MONTH: usize = 3;
pub(super) const DAY_OF_WEEK: usize = 5;

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
/// Quartz counts from Sunday as 1.
pub(super) const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

pub(super) const FIELDS: [Field; 7] = [
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

/// The field as `croner` reads it: numbers for names, and no range that runs over the end.
pub(super) fn rewritten(index: usize, text: &str, field: &Field) -> Result<String, CronError> {
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
    let is_name = |text: &str| text.contains(|c: char| c.is_ascii_alphabetic());
    if let Some((first, last)) = range.split_once('-')
        && is_name(first) != is_name(last)
    {
        return Err(wrong(
            "Quartz takes two names or two numbers, not one of each".into(),
        ));
    }
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
    if is_name(range) && item.contains('/') {
        let meant: Vec<&str> = values
            .map(|value| field.names[usize::from(value - field.least)])
            .collect();
        return Err(wrong(format!(
            "Quartz drops a step after a name without a word; write `{}`",
            meant.join(",")
        )));
    }
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
pub(crate) fn has_numbered_weekday(text: &str) -> bool {
    let field = text.split_whitespace().nth(DAY_OF_WEEK).unwrap_or_default();
    field.split(',').any(|item| {
        item.split(['/', '#'])
            .next()
            .is_some_and(|day| day.contains(|c: char| c.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::Quartz;
    use super::*;

    fn error(cron: &str) -> String {
        cron.parse::<Quartz>().unwrap_err().to_string()
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
    fn what_quartz_reads_otherwise_than_it_looks_is_refused_with_the_spelling_that_is_meant() {
        for (cron, meant) in [
            ("0 0 6 ? * MON-FRI/2", "MON,WED,FRI"),
            ("0 0 6 ? * FRI-MON/2", "FRI,SUN"),
            ("0 0 6 1 FEB/4 ?", "FEB,JUN,OCT"),
        ] {
            let told = error(cron);
            assert!(
                told.ends_with(&format!(
                    "Quartz drops a step after a name without a word; write `{meant}`"
                )),
                "{told}"
            );
        }
        assert!("0 0 6 ? * 2-6/2".parse::<Quartz>().is_ok());
        for mixed in ["0 0 6 ? * 3-SAT", "0 0 6 1 1-NOV ?"] {
            assert!(error(mixed).ends_with("two names or two numbers, not one of each"));
        }
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
