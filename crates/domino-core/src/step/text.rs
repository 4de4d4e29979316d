//! Text from elsewhere, made harmless: no secret, no control character, no command to the runner.

use std::borrow::Cow;

/// Takes secrets out of text and makes it harmless to print.
#[derive(Debug, Clone, Default)]
pub(super) struct Scrubber {
    secrets: Vec<Secret>,
}

#[derive(Clone)]
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Scrubber {
    /// Hides one more secret from now on. Very short ones are left alone: they would blank out half the text.
    pub(super) fn hide(&mut self, secret: &str) {
        if secret.len() >= 4 {
            self.secrets.push(Secret(secret.to_owned()));
        }
    }

    /// One line: no secret, no control character, no line break, nothing that the runner reads as a command.
    pub(super) fn clean(&self, line: &str) -> String {
        self.harmless(&self.without_secrets(line))
    }

    /// Several lines, each made harmless; the line breaks stay.
    pub(super) fn clean_lines(&self, text: &str) -> String {
        let text = self.without_secrets(text);
        text.split_inclusive('\n')
            .map(|line| match line.strip_suffix('\n') {
                Some(line) => format!("{}\n", self.harmless(line)),
                None => self.harmless(line),
            })
            .collect()
    }

    /// What takes escape sequences away can put the two halves of a secret together.
    fn harmless(&self, line: &str) -> String {
        let harmless = harmless(line);
        match self.without_secrets(&harmless) {
            Cow::Borrowed(_) => harmless,
            Cow::Owned(clean) => clean,
        }
    }

    pub(super) fn without_secrets<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for Secret(secret) in &self.secrets {
            if text.contains(secret.as_str()) {
                text = Cow::Owned(text.replace(secret.as_str(), "***"));
            }
        }
        text
    }
}

/// The runner obeys `::command::` at the start of a line, blanks before it or not, and `##[command]` anywhere
/// in it. Escape sequences and carriage returns could hide or forge lines in a terminal.
fn harmless(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape_sequence(&mut characters),
            '\t' => clean.push('\t'),
            c if c.is_control() || is_bidirectional(c) => clean.push(' '),
            c => clean.push(c),
        }
    }
    if clean.contains("##[") {
        clean = clean.replace("##[", "# #[");
    }
    if clean.trim_start().starts_with("::") {
        clean.insert_str(0, "| ");
    }
    clean
}

/// Colours and cursor movements: `ESC [ … letter`, and other sequences of two characters.
fn skip_escape_sequence(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if characters.next_if_eq(&'[').is_some() {
        while let Some(c) = characters.next_if(|c| ('\u{20}'..='\u{7e}').contains(c)) {
            if ('\u{40}'..='\u{7e}').contains(&c) {
                return;
            }
        }
    } else {
        characters.next_if(|c| c.is_ascii_graphic());
    }
}

/// Characters that turn the direction of text, and so can show another order than there is.
fn is_bidirectional(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text inside a table cell or a sentence of Markdown, with everything that Markdown or HTML would read taken
/// literally.
pub fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '$' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '@' => escaped.push_str("&#64;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Text inside an element of HTML, where Markdown is not read.
pub(super) fn html(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

/// Lines as a block of code with a fence that no line can close.
pub(super) fn fenced(lines: &[String]) -> String {
    let longest = lines
        .iter()
        .flat_map(|line| line.split(|c| c != '`').map(str::len))
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_line_cannot_command_the_runner() {
        let scrubber = Scrubber::default();
        assert_eq!(scrubber.clean("::add-mask::x"), "| ::add-mask::x");
        assert_eq!(
            scrubber.clean("  ::set-output name=a::b"),
            "|   ::set-output name=a::b"
        );
        assert_eq!(scrubber.clean("x ##[add-mask]y"), "x # #[add-mask]y");
        assert_eq!(scrubber.clean("a\r::error::b"), "a ::error::b");
        assert_eq!(
            scrubber.clean("\u{1b}[31m::error::red\u{1b}[0m"),
            "| ::error::red"
        );
    }

    #[test]
    fn a_secret_is_hidden_wherever_it_stands() {
        let mut scrubber = Scrubber::default();
        scrubber.hide("s3cret-value");
        assert_eq!(scrubber.clean("key=s3cret-value."), "key=***.");
        assert!(!format!("{scrubber:?}").contains("s3cret-value"));
    }

    #[test]
    fn lines_keep_their_breaks_and_lose_everything_else() {
        assert_eq!(
            Scrubber::default().clean_lines("a\n::b::\nc"),
            "a\n| ::b::\nc"
        );
    }

    #[test]
    fn markdown_is_taken_literally() {
        assert_eq!(
            markdown("a|b <img> [x](y) @z"),
            "a\\|b &lt;img&gt; \\[x\\](y) &#64;z"
        );
    }

    #[test]
    fn no_line_closes_the_fence_around_it() {
        let block = fenced(&["````".into(), "x".into()]);
        assert!(block.starts_with("`````text\n"));
        assert!(block.ends_with("\n`````\n"));
    }
}
