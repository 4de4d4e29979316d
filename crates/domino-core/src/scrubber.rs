//! Cleans text from elsewhere: no secret, no control character, no command to the runner.
//!
//! A step and its connections share one scrubber: a credential that a connection sends is kept out of everything that
//! the step prints, even if it was read from a file a moment ago.

mod spelling;

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use stage_file::is_invisible;

use self::spelling::Spellings;
use crate::stderr::tell;

/// Secrets shorter than this are not hidden.
const SHORTEST: usize = 4;

/// Removes secrets from text and makes it safe to print. Clones share their secrets.
#[derive(Debug, Clone, Default)]
pub struct Scrubber {
    secrets: Arc<RwLock<Vec<Secret>>>,
    announce: Option<fn(&str)>,
}

#[derive(Clone)]
struct Secret(Spellings);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Scrubber {
    /// A scrubber that tells `announce` about each secret before it is used, so that others hide it too.
    pub(crate) fn announcing(announce: fn(&str)) -> Self {
        Self {
            announce: Some(announce),
            ..Self::default()
        }
    }

    /// Hides one more secret from now on, in every spelling that [`spelling`] knows. Very short ones are ignored:
    /// they would hide half the text.
    pub(crate) fn hide(&self, secret: &str) {
        let is_known = |known: &Secret| known.0.is_of(secret);
        if secret.is_empty() || self.known().iter().any(is_known) {
            return;
        }
        if let Some(announce) = self.announce {
            announce(secret);
        }
        if secret.len() < SHORTEST {
            return;
        }
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        secrets.push(Secret(Spellings::of(secret)));
        // A secret may be the beginning of another one, whose end must not remain.
        secrets.sort_by_key(|Secret(secret)| std::cmp::Reverse(secret.len()));
    }

    fn known(&self) -> RwLockReadGuard<'_, Vec<Secret>> {
        self.secrets.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints one safe line on stderr.
    pub(crate) fn say(&self, line: &str) {
        tell(format_args!("{}", self.clean(line)));
    }

    /// One safe line: no secret, no control character, no line break, nothing that the runner reads as a command.
    pub(crate) fn clean(&self, line: &str) -> String {
        self.harmless(&self.without_secrets(line))
    }

    /// Several lines, each made safe; the line breaks stay.
    pub fn clean_lines(&self, text: &str) -> String {
        let text = self.without_secrets(text);
        text.split_inclusive('\n')
            .map(|line| match line.strip_suffix('\n') {
                Some(line) => format!("{}\n", self.harmless(line)),
                None => self.harmless(line),
            })
            .collect()
    }

    /// Removing escape sequences can join the two halves of a secret.
    fn harmless(&self, line: &str) -> String {
        let harmless = harmless(line);
        match self.without_secrets(&harmless) {
            Cow::Borrowed(_) => harmless,
            Cow::Owned(clean) => clean,
        }
    }

    pub(crate) fn without_secrets<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for Secret(secret) in self.known().iter() {
            let mut clean = String::new();
            let mut rest: &str = &text;
            while let Some(found) = secret.find(rest) {
                clean.push_str(&rest[..found.start]);
                clean.push_str("***");
                rest = &rest[found.end..];
            }
            if !clean.is_empty() {
                clean.push_str(rest);
                text = Cow::Owned(clean);
            }
        }
        text
    }
}

/// The runner obeys `::command::` at the start of a line, with or without blanks before it, and `##[command]`
/// anywhere in it. Escape sequences and carriage returns could hide or forge lines in a terminal.
fn harmless(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape_sequence(&mut characters),
            '\t' => clean.push('\t'),
            c if c.is_control() => clean.push(' '),
            c if is_invisible(c) => clean.push_str(&format!("<U+{:04X}>", u32::from(c))),
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
    fn what_a_person_does_not_see_is_shown() {
        let scrubber = Scrubber::default();
        assert_eq!(scrubber.clean("prod\u{200b}"), "prod<U+200B>");
        assert_eq!(
            scrubber.clean("\u{202e}dorp\u{2028}"),
            "<U+202E>dorp<U+2028>"
        );
        assert_eq!(scrubber.clean("a\u{3164}b\u{ad}"), "a<U+3164>b<U+00AD>");
        assert_eq!(scrubber.clean("é 🦀 ⚠️ 日本"), "é 🦀 ⚠️ 日本");
    }

    #[test]
    fn a_secret_is_hidden_wherever_it_stands() {
        let scrubber = Scrubber::default();
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
    fn a_secret_that_is_hidden_later_is_hidden_by_every_clone() {
        let scrubber = Scrubber::default();
        let earlier = scrubber.clone();
        scrubber.hide("abcd");
        scrubber.hide("abcd/efgh=");
        assert_eq!(earlier.clean("abcd abcd/efgh= x"), "*** *** x");
        assert_eq!(earlier.clean("GET /v4/abcd%2Fefgh%3D/x"), "GET /v4/***/x");
    }

    static ANNOUNCED: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

    #[test]
    fn each_secret_is_announced_once_and_hidden_unless_it_is_very_short() {
        let scrubber = Scrubber::announcing(|secret| ANNOUNCED.lock().unwrap().push(secret.into()));
        for secret in ["", "long-enough", "long-enough", "abc", "abcd"] {
            scrubber.hide(secret);
        }
        assert_eq!(*ANNOUNCED.lock().unwrap(), ["long-enough", "abc", "abcd"]);
        assert_eq!(scrubber.clean("abc long-enough abcd."), "abc *** ***.");
    }

    #[test]
    fn escape_sequences_go_and_what_follows_them_stays() {
        let scrubber = Scrubber::default();
        for (line, clean) in [
            ("\u{1b}[1;31mred\u{1b}[0m!", "red!"),
            ("\u{1b}[2Kx\ty", "x\ty"),
            ("\u{1b}cx", "x"),
            ("\u{1b}\tx", "\tx"),
            ("\u{1b} x", " x"),
            ("\u{1b}[3\u{7}x", " x"),
            ("\u{7}bell", " bell"),
        ] {
            assert_eq!(scrubber.clean(line), clean, "{line:?}");
        }
    }

    #[test]
    fn a_secret_that_an_escape_sequence_cuts_in_two_is_hidden() {
        let scrubber = Scrubber::default();
        scrubber.hide("s3cret-value");
        assert_eq!(scrubber.clean("a s3cret\u{1b}[0m-value b"), "a *** b");
        assert_eq!(
            scrubber.clean_lines("s3cret-value\ns3cret\u{1b}[0m-value"),
            "***\n***"
        );
    }
}
