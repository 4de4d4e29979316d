//! What to write instead of an expression of another cron dialect.
//!
//! Every suggestion means the same; if none is certain, none is made. The caller checks whether it is valid.

use super::field::{DAY_OF_MONTH, DAY_OF_WEEK, DAYS};

/// The expression with `?` for the day that it leaves open.
pub(super) fn with_question_mark(fields: &[String]) -> Option<String> {
    let mut fields = fields.to_vec();
    match (fields[DAY_OF_MONTH].as_str(), fields[DAY_OF_WEEK].as_str()) {
        (_, "*" | "?") => fields[DAY_OF_WEEK] = "?".into(),
        ("*", weekday) => {
            // Whoever leaves out the `?` counts the days as another cron does, not from 1 for Sunday.
            fields[DAY_OF_WEEK] = named_days(weekday).unwrap_or_else(|| weekday.to_owned());
            fields[DAY_OF_MONTH] = "?".into();
        }
        _ => return None,
    }
    if fields[DAY_OF_MONTH] == "?" && fields[DAY_OF_WEEK] == "?" {
        fields[DAY_OF_MONTH] = "*".into();
    }
    Some(fields.join(" "))
}

/// The Quartz form of a name for a time.
pub(super) fn from_nickname(text: &str) -> Option<String> {
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

/// The Quartz form of a Unix expression: seconds before it, names for its days, which it counts from Sunday as 0, and
/// `?` for the day that is not meant. An expression with both days means either, which Quartz cannot express.
pub(super) fn from_unix(fields: &[String]) -> Option<String> {
    let [minute, hour, day, month, weekday] = fields else {
        return None;
    };
    let (day, weekday) = match (day.as_str(), weekday.as_str()) {
        (day, "*" | "?") => (day, "?".to_owned()),
        ("*" | "?", weekday) => ("?", named_days(weekday)?),
        _ => return None,
    };
    Some(format!("0 {minute} {hour} {day} {month} {weekday}"))
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
    use super::super::Quartz;

    fn error(cron: &str) -> String {
        Quartz::read(cron, 2026).unwrap_err().to_string()
    }

    #[test]
    fn a_unix_expression_is_refused_with_its_quartz_form() {
        for (unix, quartz) in [
            ("0 6 * * 1-5", "0 0 6 ? * MON-FRI"),
            ("30 2 1 * *", "0 30 2 1 * ?"),
            ("*/15 * * * *", "0 */15 * * * ?"),
            ("0 0 * * 0,7", "0 0 0 ? * SUN,SUN"),
            ("@hourly", "0 0 * * * ?"),
            ("@daily", "0 0 0 * * ?"),
            ("@midnight", "0 0 0 * * ?"),
            ("@weekly", "0 0 0 ? * SUN"),
            ("@monthly", "0 0 0 1 * ?"),
            ("@yearly", "0 0 0 1 1 ?"),
            ("@annually", "0 0 0 1 1 ?"),
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
        assert!(error("@reboot").ends_with("Domino's cron is Quartz"));
        assert!(error("daily").starts_with("has 1 fields"));
    }

    #[test]
    fn exactly_one_day_field_is_a_question_mark() {
        for (wrong, right) in [
            ("0 0 6 * * *", "0 0 6 * * ?"),
            ("0 0 6 ? * ?", "0 0 6 * * ?"),
            ("0 0 6 * * MON", "0 0 6 ? * MON"),
            ("0 0 6 * * 1-5", "0 0 6 ? * MON-FRI"),
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
}
