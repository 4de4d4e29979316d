//! What starts a run: events, and which branches and files count.
//!
//! No event here gives secrets to a pull request, so none can be written.

use indexmap::IndexMap;
use serde::{Serialize, Serializer};

/// What starts a run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Triggers {
    /// A pull request, always without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<Filter>,
    /// A pull request's turn in the merge queue; without secrets, like the pull request itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge_group: Option<Filter>,
    /// A push to a matching branch or tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push: Option<Filter>,
    /// The times at which a run starts by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<Timed>,
    /// A person, by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_dispatch: Option<Dispatch>,
}

/// A time at which a run starts by itself, on the default branch.
#[derive(Debug, Clone, Serialize)]
pub struct Timed {
    /// Five fields, as GitHub reads them.
    pub cron: String,
    /// The IANA time zone; UTC without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// Which pushes or pull requests start a run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Filter {
    /// The branches that count; every branch if empty and no tags are given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<Pattern>,
    /// The tags, as GitHub's own patterns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The files of which one must have changed; any file if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<Pattern>,
}

impl Filter {
    /// Whether a change to this file counts, as GitHub decides it: the last pattern that matches decides.
    pub fn watches(&self, path: &str) -> bool {
        self.paths.is_empty()
            || self
                .paths
                .iter()
                .rev()
                .find_map(|pattern| pattern.decides(path))
                .unwrap_or(false)
    }
}

/// One of GitHub's filter patterns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Exactly this branch or file.
    Exactly(String),
    /// Every file below this folder.
    Below(String),
    /// No file below this folder.
    NotBelow(String),
}

impl Pattern {
    /// Whether this path counts; `None` if the pattern does not match it.
    fn decides(&self, path: &str) -> Option<bool> {
        let below = |folder: &str| {
            path.strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        match self {
            Self::Exactly(name) => (name == path).then_some(true),
            Self::Below(folder) => below(folder).then_some(true),
            Self::NotBelow(folder) => below(folder).then_some(false),
        }
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Exactly(name) => serializer.serialize_str(&escaped(name)),
            Self::Below(folder) => serializer.collect_str(&format_args!("{}/**", escaped(folder))),
            Self::NotBelow(folder) => {
                serializer.collect_str(&format_args!("!{}/**", escaped(folder)))
            }
        }
    }
}

/// A name with the characters escaped that have a meaning in GitHub's patterns.
fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for (at, character) in name.char_indices() {
        if matches!(character, '*' | '?' | '+' | '[' | ']' | '\\') || (at == 0 && character == '!')
        {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// The form that a person fills in to start a run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Dispatch {
    /// Its fields, by name.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub inputs: IndexMap<String, FormField>,
}

/// What a person may enter at one place of the form.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum FormField {
    /// One of a list.
    Choice(Choice),
    /// Yes or no.
    Flag(Flag),
    /// Any text.
    Text(TextField),
}

/// A field that a text is written into; empty when nobody does.
#[derive(Debug, Clone, Serialize)]
pub struct TextField {
    /// What is asked.
    pub description: String,
    /// Always `string`.
    pub r#type: TextType,
}

/// The word that makes a field a [`TextField`].
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TextType {
    /// Any text.
    String,
}

/// A field that is ticked or not.
#[derive(Debug, Clone, Serialize)]
pub struct Flag {
    /// The question to the person.
    pub description: String,
    /// Always `boolean`.
    pub r#type: FlagType,
    /// Whether it is ticked by default.
    pub default: bool,
}

/// The word that makes a field a [`Flag`].
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FlagType {
    /// Yes or no.
    Boolean,
}

/// A field with a fixed list of answers.
#[derive(Debug, Clone, Serialize)]
pub struct Choice {
    /// The question to the person.
    pub description: String,
    /// Always `choice`.
    pub r#type: ChoiceType,
    /// The default answer.
    pub default: String,
    /// The answers to choose from.
    pub options: Vec<String>,
}

/// The word that makes a field a [`Choice`].
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChoiceType {
    /// One of a list.
    Choice,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_of_a_name_means_anything_in_a_pattern() {
        let patterns = ["main", "c++", "!bang", "a!b", "[x]", "back\\slash"].map(escaped);
        assert_eq!(
            patterns,
            ["main", r"c\+\+", r"\!bang", "a!b", r"\[x\]", r"back\\slash"]
        );
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        let filter = Filter {
            branches: Vec::new(),
            tags: Vec::new(),
            paths: vec![
                Pattern::Below("project".into()),
                Pattern::NotBelow("project/apps".into()),
                Pattern::Below("project/apps/shared".into()),
            ],
        };
        let watched = [
            "project/a.py",
            "project/apps/b.py",
            "project/apps/shared/c.py",
            "projects/d.py",
            "README.md",
        ];
        assert_eq!(
            watched.map(|path| filter.watches(path)),
            [true, false, true, false, false]
        );
    }
}
