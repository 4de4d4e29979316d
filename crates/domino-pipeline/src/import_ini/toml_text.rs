//! Values and comments in TOML's syntax.

use super::ini::displayed;

/// A string, quoted so that it is read back as it is.
pub(super) fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted += "\\\"",
            '\\' => quoted += "\\\\",
            c if c.is_control() => quoted += &format!("\\u{:04X}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// A comment for a key that the stage file does not have. A possible secret is not copied.
pub(super) fn unknown(key: &str, value: &str) -> String {
    let secret = ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"];
    let long_word = value.len() >= 32 && value.chars().all(|c| c.is_ascii_alphanumeric());
    if secret.iter().any(|word| key.contains(word)) || long_word {
        return format!("# {key} = …  (it may be a secret, and is not copied)\n");
    }
    format!("# {} = {}\n", displayed(key), displayed(value))
}

/// A name that the stage file accepts: letters, digits, `-` and `_`, beginning with a letter.
pub(super) fn name(text: &str) -> String {
    let mut name: String = text
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || c == '_' => c,
            _ => '-',
        })
        .take(50)
        .collect();
    while name.starts_with(|c: char| !c.is_ascii_alphabetic()) {
        name.remove(0);
    }
    name.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_read_back_as_it_is() {
        let text = "a \"b\" \\c\td\u{7f} é";
        let line = format!("value = {}", string(text));
        let table: toml::Table = toml::from_str(&line).unwrap();
        assert_eq!(table["value"].as_str(), Some(text));
    }

    #[test]
    fn a_name_is_one_that_the_stage_file_takes() {
        assert_eq!(
            name("4 demo/Production Project "),
            "demo-Production-Project"
        );
        assert_eq!(name("!!"), "");
    }

    #[test]
    fn what_may_be_a_secret_is_not_copied() {
        assert!(!unknown("DOMINO_USER_API_KEY", "abc").contains("abc"));
        assert!(!unknown("OTHER", &"0123456789abcdef".repeat(4)).contains("0123"));
        assert_eq!(unknown("OTHER", "a\nb"), "# OTHER = a b\n");
    }
}
