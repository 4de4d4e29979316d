//! Numbers as text, the way GitHub's runner reads and writes them.

/// The number that a text means, as in JavaScript's `Number()`; NaN if it means none.
pub fn parse_number(text: &str) -> f64 {
    let text = text.trim();
    if text.is_empty() {
        return 0.0;
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    match text {
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        // Rust also reads words such as `inf`, which GitHub does not.
        _ if text
            .chars()
            .any(|c| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')) =>
        {
            f64::NAN
        }
        _ => text.parse().unwrap_or(f64::NAN),
    }
}

fn radix(digits: &str, radix: u32) -> f64 {
    if digits.is_empty() || digits.chars().any(|c| !c.is_digit(radix)) {
        return f64::NAN;
    }
    // GitHub reads 32 bits in two's complement: 0xFFFFFFFF is -1.
    u32::from_str_radix(digits, radix).map_or(f64::NAN, |bits| f64::from(bits.cast_signed()))
}

/// A number as GitHub writes it: at most 15 significant digits, an exponent from 1E+15 and below 1E-05.
pub(super) fn number_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.into();
    }
    if value == 0.0 {
        return "0".into();
    }
    let scientific = format!("{:.14e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').expect("Rust writes an exponent");
    let exponent: i32 = exponent.parse().expect("Rust writes a whole exponent");
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_end_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    let text = if !(-5..15).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{first}{dot}{rest}E{sign}{:02}", exponent.abs())
    } else if exponent < 0 {
        format!(
            "0.{}{digits}",
            "0".repeat(exponent.unsigned_abs() as usize - 1)
        )
    } else {
        let whole = exponent as usize + 1;
        if digits.len() <= whole {
            format!("{digits}{}", "0".repeat(whole - digits.len()))
        } else {
            format!("{}.{}", &digits[..whole], &digits[whole..])
        }
    };
    if value < 0.0 {
        format!("-{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_fifteen_digits() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1 + 0.2, "0.3"),
            (100.0, "100"),
            (123456789012345.0, "123456789012345"),
            (1e15, "1E+15"),
            (1.5e21, "1.5E+21"),
            (0.00001, "0.00001"),
            (0.000001, "1E-06"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(number_text(number), text);
        }
    }

    #[test]
    fn texts_become_numbers_as_in_javascript() {
        for (text, number) in [
            ("", 0.0),
            ("  ", 0.0),
            (" 12 ", 12.0),
            ("-1.5e3", -1500.0),
            (".5", 0.5),
            ("0xff", 255.0),
            ("0xFFFFFFFF", -1.0),
            ("0o17", 15.0),
            ("Infinity", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
        ] {
            assert_eq!(parse_number(text), number, "{text:?}");
        }
        for text in [
            "abc", "1,000", "0x", "0xZZ", "0o9", "inf", "nan", "1 2", "infinity",
        ] {
            assert!(parse_number(text).is_nan(), "{text:?}");
        }
    }
}
