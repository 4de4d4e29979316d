//! What may be shown of a text from a stage file, and which texts must never be shown.
//!
//! The rules decide whether a text is valid in its place.

use std::borrow::Cow;

/// The longest piece of a value that a message repeats.
const SHOWN: usize = 60;

/// A value as a message shows it: in backticks, on one line, cut when long, and not at all when it looks
/// like a secret.
pub(super) fn displayed(value: &str) -> String {
    if looks_secret(value) {
        return "a text that looks like a secret".into();
    }
    let mut text = String::new();
    for character in value.chars().take(SHOWN) {
        match character {
            _ if !is_invisible(character) => text.push(character),
            _ if character.is_control() => text.extend(character.escape_default()),
            _ => text.extend(character.escape_unicode()),
        }
    }
    if value.chars().count() > SHOWN {
        text.push('…');
    }
    format!("`{text}`")
}

/// Whether a character is invisible to a person: it controls a terminal, changes the direction of text, joins or
/// separates letters, fills space, ends a line for some readers, or tags the text before it. With it, one name could
/// be shown as another.
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The parts of a key's name which say that it holds a secret.
const SECRET_WORDS: [&str; 9] = [
    "apikey",
    "key",
    "token",
    "secret",
    "secrets",
    "password",
    "passwd",
    "credential",
    "credentials",
];

/// Whether a key with this name would hold a secret: `DB_PASSWORD`, `api-key`, `apiToken`.
pub(super) fn names_secret(key: &str) -> bool {
    words_of(key)
        .iter()
        .any(|word| SECRET_WORDS.contains(&word.as_str()))
        || ["apikey", "accesskey", "password"].iter().any(|word| {
            let joined: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
            joined.to_ascii_lowercase().contains(word)
        })
}

/// `apiToken`, `API_TOKEN` and `api-token` are the words `api` and `token`.
fn words_of(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for character in key.chars() {
        let starts = character.is_ascii_uppercase() && before.is_ascii_lowercase();
        if starts || !character.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if character.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(character.to_ascii_lowercase());
        }
        before = character;
    }
    words
}

/// How the tokens of well-known services begin.
const TOKEN_STARTS: [&str; 15] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "hf_",
    "sk-",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "ASIA",
    "AIza",
    "dapi",
];

/// Whether a value, or a word in it, looks like a key, a token or a private key.
pub(super) fn looks_secret(value: &str) -> bool {
    if value.contains("-----BEGIN") {
        return true;
    }
    let separates = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '"' | '\'' | '=' | ',' | ';' | '@' | ':' | '/' | '?' | '&'
            )
    };
    let mut before = "";
    for word in value.split(separates).filter(|word| !word.is_empty()) {
        let follows_bearer = before.eq_ignore_ascii_case("bearer") && word.len() >= 8;
        if follows_bearer || is_token(word) {
            return true;
        }
        before = word;
    }
    false
}

fn is_token(word: &str) -> bool {
    let begins = TOKEN_STARTS.iter().any(|start| {
        word.strip_prefix(start).is_some_and(|rest| {
            rest.len() >= 16
                && rest
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        })
    });
    // Domino's user API keys are 64 hexadecimal digits; a commit has 40 and an id 24.
    let key = word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let web_token = word.starts_with("eyJ") && word.matches('.').count() >= 2 && word.len() >= 40;
    begins || key || web_token
}

/// The value without the characters around a placeholder, in lower case.
pub(super) fn bare(value: &str) -> Cow<'_, str> {
    let trimmed = value.trim_matches(|c: char| c.is_whitespace() || "<>[](){}\"'".contains(c));
    if trimmed.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(trimmed.to_ascii_lowercase())
    } else {
        Cow::Borrowed(trimmed)
    }
}
