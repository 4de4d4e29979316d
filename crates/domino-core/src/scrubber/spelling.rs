//! The spellings in which a server, a gateway or a log repeats a secret: as it is, with any of its characters
//! percent-encoded or escaped for JSON or HTML, once or twice, and as a whole in base64 or hexadecimal.
//!
//! It does not recognise compressed, encrypted or hashed text, nor a secret that is cut in the middle.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Shorter secrets are not searched for in base64 and hexadecimal: so few characters occur in many texts.
const SHORTEST_ENCODED: usize = 8;

/// One secret, and the encodings in which it is searched for.
#[derive(Clone)]
pub(super) struct Spellings {
    secret: Vec<u8>,
    /// Parts of base64 and hexadecimal text that contain the secret, wherever it begins in what was encoded.
    encoded: Vec<Vec<u8>>,
}

impl Spellings {
    pub(super) fn of(secret: &str) -> Self {
        let mut encoded = Vec::new();
        if secret.len() >= SHORTEST_ENCODED {
            for before in 0..3 {
                let standard = base64_part(secret, before);
                let url_safe = standard.replace('+', "-").replace('/', "_");
                if url_safe != standard {
                    encoded.push(url_safe.into_bytes());
                }
                encoded.push(standard.into_bytes());
            }
            let hexadecimal: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            encoded.push(hexadecimal.to_uppercase().into_bytes());
            encoded.push(hexadecimal.into_bytes());
        }
        Self {
            secret: secret.into(),
            encoded,
        }
    }

    pub(super) fn is_of(&self, secret: &str) -> bool {
        self.secret == secret.as_bytes()
    }

    /// The secret's length in bytes.
    pub(super) fn len(&self) -> usize {
        self.secret.len()
    }

    /// The first place of the secret. In base64 and hexadecimal it is the whole word: its ends tell something about
    /// the secret too.
    pub(super) fn find(&self, text: &str) -> Option<Range<usize>> {
        let plain = find_spelt(text.as_bytes(), &self.secret);
        let encoded = self.encoded.iter().filter_map(|form| {
            let found = find_spelt(text.as_bytes(), form)?;
            Some(whole_word(text.as_bytes(), found))
        });
        plain
            .into_iter()
            .chain(encoded)
            .min_by_key(|found| found.start)
    }
}

/// What the base64 of anything that contains `secret` after `before` bytes (of each three) always contains.
fn base64_part(secret: &str, before: usize) -> String {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(secret.as_bytes());
    let text = STANDARD_NO_PAD.encode(&bytes);
    // A character carries six bits: those that share bits with the text before or after may differ.
    let first = (before * 8).div_ceil(6);
    let behind = bytes.len() * 8 / 6;
    text[first..behind].to_owned()
}

fn whole_word(text: &[u8], found: Range<usize>) -> Range<usize> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=%".contains(byte);
    let before = text[..found.start]
        .iter()
        .rev()
        .take_while(|byte| is_part(byte));
    let behind = text[found.end..].iter().take_while(|byte| is_part(byte));
    found.start - before.count()..found.end + behind.count()
}

/// The first place of `form`, each of its characters as it is or escaped in any way.
fn find_spelt(text: &[u8], form: &[u8]) -> Option<Range<usize>> {
    let first = *form.first()?;
    let may_begin = |byte: u8| byte == first || matches!(byte, b'%' | b'\\' | b'&');
    (0..text.len())
        .filter(|&start| may_begin(text[start]))
        .find_map(|start| Some(start..end_of(text, start, form)?))
}

/// Where `form` ends if it begins at `start`. A character may be read in several ways, so several places are followed
/// at once.
fn end_of(text: &[u8], start: usize, form: &[u8]) -> Option<usize> {
    let mut places = vec![start];
    for &byte in form {
        let mut next = Vec::with_capacity(places.len());
        for &place in &places {
            for length in lengths(&text[place..], byte) {
                if !next.contains(&(place + length)) {
                    next.push(place + length);
                }
            }
        }
        if next.is_empty() {
            return None;
        }
        places = next;
    }
    places.into_iter().max()
}

/// How many bytes each spelling of `byte` at the beginning of `text` takes.
fn lengths(text: &[u8], byte: u8) -> impl Iterator<Item = usize> {
    let plain = (text.first() == Some(&byte)).then_some(1);
    let (once, twice) = match text.first() {
        Some(b'%') => (percent(text, b"%", byte), percent(text, b"%25", byte)),
        Some(b'&') => (entity(text, b"&", byte), entity(text, b"&amp;", byte)),
        Some(b'\\') => (backslash(text, byte), None),
        _ => (None, None),
    };
    [plain, once, twice].into_iter().flatten()
}

/// `%2F`, and `%252F` for what was encoded twice.
fn percent(text: &[u8], sign: &[u8], byte: u8) -> Option<usize> {
    let digits = text.strip_prefix(sign)?.get(..2)?;
    (number(digits, 16)? == u32::from(byte)).then_some(sign.len() + 2)
}

/// `\/`, `\"`, `\u002f`; with more backslashes for JSON within JSON.
fn backslash(text: &[u8], byte: u8) -> Option<usize> {
    let slashes = text
        .iter()
        .take(4)
        .take_while(|byte| **byte == b'\\')
        .count();
    let behind = &text[slashes..];
    let hexadecimal = || number(behind.strip_prefix(b"u")?.get(..4)?, 16);
    if hexadecimal() == Some(u32::from(byte)) {
        return Some(slashes + 5);
    }
    if byte == b'\\' {
        return (slashes >= 2).then_some(slashes);
    }
    let is_escaped = matches!(byte, b'/' | b'"' | b'\'') && behind.first() == Some(&byte);
    is_escaped.then_some(slashes + 1)
}

/// `&amp;`, `&#47;`, `&#x2f;`, and `&amp;#47;` for what was escaped twice.
fn entity(text: &[u8], sign: &[u8], byte: u8) -> Option<usize> {
    let behind = text.strip_prefix(sign)?;
    let end = behind.iter().take(8).position(|byte| *byte == b';')?;
    let value = match &behind[..end] {
        b"amp" => u32::from(b'&'),
        b"lt" => u32::from(b'<'),
        b"gt" => u32::from(b'>'),
        b"quot" => u32::from(b'"'),
        b"apos" => u32::from(b'\''),
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16)?,
        [b'#', digits @ ..] => number(digits, 10)?,
        _ => return None,
    };
    (value == u32::from(byte)).then_some(sign.len() + end + 1)
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let text = std::str::from_utf8(digits).ok()?;
    u32::from_str_radix(text, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without any character that base64 or a URL excludes.
    const SECRET: &str = "s3cret/va+lue=\"&<x>";

    fn found(text: &str) -> Option<&str> {
        Spellings::of(SECRET).find(text).map(|range| &text[range])
    }

    fn hides(spelt: &str) {
        assert_eq!(found(&format!("a {spelt} b")), Some(spelt));
    }

    #[test]
    fn each_character_may_be_escaped_by_itself() {
        hides(SECRET);
        hides("s3cret%2Fva%2Blue%3D%22%26%3Cx%3E");
        hides("s3cret%2fva+lue=%22&%3cx>");
        hides("%733cret%252Fva%252blue%253D%2522%2526%253Cx%253E");
        hides(r#"s3cret\/va+lue=\"&<x>"#);
        hides(r#"s3cret\/va+lue=\\\"\u0026\u003Cx\u003e"#);
        hides(r"s3cret\\u002fva\\u002Blue=\u0022&<x>");
        hides("s3cret&#47;va&#x2B;lue&#x3d;&quot;&amp;&lt;x&gt;");
        hides("s3cret&amp;#47;va+lue=&amp;quot;&amp;amp;<x>");
    }

    #[test]
    fn base64_is_found_wherever_the_secret_begins_in_it() {
        for before in ["", "u", "us", "user:", "user:a", "Basic:ab"] {
            for behind in ["", "x", "xy", "\n"] {
                let text = format!("{before}{SECRET}{behind}");
                let standard = base64::engine::general_purpose::STANDARD.encode(&text);
                hides(&standard);
                hides(&base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&text));
                hides(&crate::client::segment(&standard));
            }
        }
    }

    #[test]
    fn hexadecimal_is_found_in_both_cases() {
        let lower: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
        hides(&lower);
        hides(&lower.to_uppercase());
    }

    #[test]
    fn what_is_no_spelling_of_it_stays() {
        for other in [
            "s3cret/va lue",
            "s3cret%2Eva+lue=\"&<x>",
            r"s3cret\u002eva",
            "s3cret&#46;va+lue=\"&<x>",
            "s3cret\\xva+lue=\"&<x>",
            r"\s3cret\v",
            "s3cret&;va%2",
            "%",
            "\\",
            "&#x",
            "",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
    }

    #[test]
    fn a_percent_sign_of_the_secret_is_found_as_itself_and_encoded() {
        let secret = Spellings::of("ab%25cd");
        for text in ["ab%25cd", "ab%2525cd", "ab%252525cd"] {
            assert_eq!(secret.find(text), Some(0..text.len()), "{text}");
        }
    }

    #[test]
    fn an_apostrophe_and_backslashes_of_the_secret_are_found_escaped() {
        let apostrophe = Spellings::of("it's-mine");
        for text in [
            "it's-mine",
            "it&apos;s-mine",
            "it&#39;s-mine",
            r"it\'s-mine",
        ] {
            assert_eq!(apostrophe.find(text), Some(0..text.len()), "{text}");
        }
        let backslash = Spellings::of(r"domino\bot");
        for text in [
            r"domino\bot",
            r"domino\\bot",
            r"domino\\\\bot",
            r"domino\u005cbot",
        ] {
            assert_eq!(backslash.find(text), Some(0..text.len()), "{text}");
        }
        assert_eq!(backslash.find("domino/bot"), None);
        // Each of these can be read in two ways, but together in no more places than there are characters.
        let many = Spellings::of(&r"\".repeat(40));
        assert_eq!(many.find(&r"\".repeat(80)), Some(0..80));
    }

    #[test]
    fn a_short_secret_is_looked_for_as_it_is_only() {
        assert_eq!(Spellings::of("abcd").find("YWJjZA== 61626364"), None);
        assert_eq!(Spellings::of("abcd").find("x abc%64"), Some(2..8));
    }
}
