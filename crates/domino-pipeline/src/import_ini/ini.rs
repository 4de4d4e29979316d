//! The templates' INI file as their Python code reads it: keys ignore case, quotes are part of the value, `%` is a
//! reference, `[DEFAULT]` applies to all sections. What their code fails on is read anyway, and noted.

use indexmap::IndexMap;
use ini::{Ini, ParseOption};

use super::notes::Notes;
use crate::error::{Result, VerbError};

/// One section: a stage of the templates.
#[derive(Debug)]
pub(super) struct Section {
    /// Its name, as it is written.
    pub name: String,
    /// The values that are set, by key in capitals. Values that are still to be filled in are left out.
    pub values: IndexMap<String, String>,
}

/// What the templates write for an empty value.
const NOTHING: [&str; 6] = ["", "nill", "nil", "none", "null", "n/a"];

/// The sections in the order of the file.
pub(super) fn read(text: &str, notes: &mut Notes) -> Result<Vec<Section>> {
    let option = ParseOption {
        enabled_quote: false,
        enabled_escape: false,
        enabled_indented_mutiline_value: true,
        ..ParseOption::default()
    };
    let ini = Ini::load_from_str_opt(text, option)?;
    let mut raw: IndexMap<String, IndexMap<String, String>> = IndexMap::new();
    for (name, properties) in &ini {
        let Some(name) = name else {
            if !properties.is_empty() {
                return Err(VerbError::new("a key stands before the first section"));
            }
            continue;
        };
        let section = raw.entry(name.trim().to_owned()).or_default();
        for (key, value) in properties {
            section.insert(key.trim().to_uppercase(), value.trim().to_owned());
        }
    }
    let shared = raw.shift_remove("DEFAULT").unwrap_or_default();
    if raw.is_empty() {
        return Err(VerbError::new("it has no section such as `[DEV]`"));
    }
    let sections = raw.into_iter().map(|(name, own)| {
        let mut all = shared.clone();
        all.extend(own);
        let mut values = IndexMap::new();
        for (key, value) in &all {
            if let Some(value) = clean(&name, key, value, &all, notes) {
                values.insert(key.clone(), value);
            }
        }
        Section { name, values }
    });
    Ok(sections.collect())
}

/// The value that was meant, or nothing if none was set.
fn clean(
    section: &str,
    key: &str,
    value: &str,
    all: &IndexMap<String, String>,
    notes: &mut Notes,
) -> Option<String> {
    let (value, lone) = referred(value, all);
    if lone {
        notes.defects.push(format!(
            "`{key}` in `[{section}]` holds a `%`, at which the templates' Python stopped; here any text is a value"
        ));
    }
    let value = unquoted(section, key, value.trim(), notes);
    if NOTHING.contains(&value.to_lowercase().as_str()) {
        return None;
    }
    if is_placeholder(&value) {
        notes.unknown.push(format!(
            "`{key}` in `[{section}]` is still `{}`",
            displayed(&value)
        ));
        let sentence =
            "a placeholder such as `<TODO>` was deployed as if it were a value; here it is refused";
        note_once(&mut notes.defects, sentence);
        return None;
    }
    Some(value)
}

/// Resolves references as Python's configparser does, and says whether there is a `%` that is neither that nor `%%`.
fn referred(value: &str, all: &IndexMap<String, String>) -> (String, bool) {
    let (mut text, mut lone, mut rest) = (String::new(), false, value);
    while let Some((before, after)) = rest.split_once('%') {
        text += before;
        let reference = after
            .strip_prefix('(')
            .and_then(|after| after.split_once(")s"))
            .and_then(|(key, rest)| Some((all.get(&key.to_uppercase())?, rest)));
        rest = match (after.strip_prefix('%'), reference) {
            (Some(after), _) => {
                text.push('%');
                after
            }
            (None, Some((value, after))) => {
                text += value;
                after
            }
            (None, None) => {
                (lone, text) = (true, text + "%");
                after
            }
        };
    }
    (text + rest, lone)
}

/// The templates sent quotes as part of the value: a command in quotes is no file.
fn unquoted(section: &str, key: &str, value: &str, notes: &mut Notes) -> String {
    for quote in ['"', '\''] {
        let inner = value
            .strip_prefix(quote)
            .and_then(|value| value.strip_suffix(quote));
        if let Some(inner) = inner {
            notes.defects.push(format!(
                "`{key}` in `[{section}]` was sent with its quotes; they are left out"
            ));
            return inner.trim().to_owned();
        }
    }
    value.to_owned()
}

fn is_placeholder(value: &str) -> bool {
    let word = value.to_lowercase();
    let to_fill = value.starts_with('<') && value.ends_with('>');
    to_fill || word.starts_with("todo") || ["tbd", "changeme", "fixme"].contains(&word.as_str())
}

/// A text of the file, made safe for a terminal and a comment: on one line, and limited in length.
pub(super) fn displayed(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match clean.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", &clean[..at]),
        None => clean,
    }
}

/// Adds a sentence, unless it was added before.
pub(super) fn note_once(notes: &mut Vec<String>, sentence: impl Into<String>) {
    let sentence = sentence.into();
    if !notes.contains(&sentence) {
        notes.push(sentence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> (Option<String>, Notes) {
        let mut notes = Notes::default();
        let text = format!("[DEV]\nHOST = domino.example.com\nkey = {text}\n");
        let sections = read(&text, &mut notes).unwrap();
        (sections[0].values.get("KEY").cloned(), notes)
    }

    #[test]
    fn quotes_are_left_out_and_noted() {
        for text in ["'a b.py'", "\"a b.py\""] {
            let (found, notes) = value(text);
            assert_eq!((found.as_deref(), notes.defects.len()), (Some("a b.py"), 1));
        }
        assert_eq!(value("it's \"so\"").0.as_deref(), Some("it's \"so\""));
    }

    #[test]
    fn a_percent_sign_is_itself_a_pair_of_them_is_one_and_a_reference_is_what_it_refers_to() {
        let (found, notes) = value("100% of 5%% at %(host)s");
        assert_eq!(found.as_deref(), Some("100% of 5% at domino.example.com"));
        assert_eq!(notes.defects.len(), 1);
        assert!(value("5%%").1.defects.is_empty());
        assert_eq!(value("%(nowhere)s").0.as_deref(), Some("%(nowhere)s"));
    }

    #[test]
    fn what_stands_for_nothing_is_nothing_and_what_is_left_for_later_is_named() {
        for text in ["nill ", "", "None", "'nill'"] {
            assert_eq!(value(text).0, None, "{text}");
        }
        let (found, notes) = value("<TODO>");
        assert_eq!(found, None);
        assert_eq!(notes.unknown, ["`KEY` in `[DEV]` is still `<TODO>`"]);
    }

    #[test]
    fn keys_have_no_case_and_the_default_section_is_everybodys() {
        let text = "[DEFAULT]\na = 1\nB = 2\n[DEV]\nA = 3\n; no\n# no\n[PROD]\n";
        let sections = read(text, &mut Notes::default()).unwrap();
        let told: Vec<String> = sections
            .iter()
            .map(|section| format!("{} {:?}", section.name, section.values))
            .collect();
        assert_eq!(
            told,
            [
                r#"DEV {"A": "3", "B": "2"}"#,
                r#"PROD {"A": "1", "B": "2"}"#
            ]
        );
    }

    #[test]
    fn what_is_no_such_file_is_an_error() {
        for text in ["", "key = value\n", "[DEFAULT]\na = 1\n", "[DEV\n"] {
            assert!(read(text, &mut Notes::default()).is_err(), "{text:?}");
        }
    }
}
