//! Text as one word of a shell.

/// Text as one word of a shell, whatever it contains: what needs no quotes has none.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_every_word_as_it_was() {
        for text in [
            "prod",
            "v1.2",
            "",
            "it's $(touch x) `y` \"z\" \\",
            "a; b & c | d > e",
            "* ? [a-z] ~ !1 #",
            "line\nbreak\ttab",
            "'",
            "--flag",
            "é ü 模",
        ] {
            let command = format!("printf %s {}", shell_word(text));
            let read = Command::new("bash").args(["-c", &command]).output();
            assert_eq!(String::from_utf8(read.unwrap().stdout).unwrap(), text);
        }
        assert_eq!(shell_word("wine-quality"), "wine-quality");
        assert_eq!(shell_word("dependabot[bot]"), "'dependabot[bot]'");
    }
}
