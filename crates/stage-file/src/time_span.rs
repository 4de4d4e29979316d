//! A length of time as the file writes it: `90m`, `24h`, `7d`.

use std::time::Duration;

/// A whole number of minutes, hours or days, at most a year.
pub(super) fn time_span(text: &str) -> Option<Duration> {
    let unit = text.char_indices().next_back()?;
    let seconds = match unit.1 {
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let number = &text[..unit.0];
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let time = Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(seconds)?);
    let year = Duration::from_secs(366 * 24 * 60 * 60);
    (!time.is_zero() && time <= year).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_span_is_a_number_of_minutes_hours_or_days() {
        assert_eq!(time_span("90m"), Some(Duration::from_secs(5_400)));
        assert_eq!(time_span("24h"), Some(Duration::from_secs(86_400)));
        assert_eq!(time_span("7d"), Some(Duration::from_secs(604_800)));
        for text in [
            "",
            "h",
            "24",
            "24 h",
            "1.5h",
            "-1h",
            "+1h",
            "0d",
            "1w",
            "99999999999999999999d",
            "400d",
            "1½",
            "é",
        ] {
            assert_eq!(time_span(text), None, "{text}");
        }
    }
}
