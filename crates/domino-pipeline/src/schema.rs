//! `schema`: writes the JSON Schema of the stage file, with which editors complete it and mark mistakes.
//!
//! It contains what the reader's table of keys says: names, types, ranges, words. Rules about several values are
//! checked only by the programs, with line numbers.

use std::fs;
use std::io::ErrorKind;
use std::process::ExitCode;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;
use similar::TextDiff;
use stage_file::reference::{FILE, Form, Key, Need, Section, Way, ways};

use crate::error::{Context as _, Result};
use crate::reference::sections;
use crate::repository;

/// The file, at the top of the repository.
pub const FILE_NAME: &str = "stages.schema.json";

/// The arguments of `cargo xtask schema`.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// Write nothing: show what would change, and end with exit 1 if anything would
    #[arg(long)]
    pub check: bool,
}

/// Writes the schema, or checks that the existing one is up to date.
pub fn run(args: &Args) -> Result<ExitCode> {
    let path = repository::root().join(FILE_NAME);
    let wanted = text()?;
    let present = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).context(|| format!("cannot read `{FILE_NAME}`")),
    };
    if present == wanted {
        return Ok(ExitCode::SUCCESS);
    }
    if args.check {
        let diff = TextDiff::from_lines(&present, &wanted);
        let (from, to) = (format!("a/{FILE_NAME}"), format!("b/{FILE_NAME}"));
        print!("{}", diff.unified_diff().header(&from, &to));
        eprintln!(
            "error: `{FILE_NAME}` is not what the keys of the stage file ask for\n\n\
             hint: run `{} schema` and commit the result",
            repository::called_as()
        );
        return Ok(ExitCode::FAILURE);
    }
    fs::write(&path, wanted).context(|| format!("cannot write `{FILE_NAME}`"))?;
    eprintln!("wrote {FILE_NAME}");
    Ok(ExitCode::SUCCESS)
}

/// The schema as the file holds it.
pub fn text() -> Result<String> {
    let mut text =
        serde_json::to_string_pretty(&document()).context(|| "cannot write JSON".to_owned())?;
    text.push('\n');
    Ok(text)
}

/// The part of JSON Schema, draft 2020-12, that a stage file needs. The order of the fields is that of the file.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Schema {
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    dialect: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    #[serde(rename = "enum", skip_serializing_if = "Option::is_none")]
    words: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<Value>,
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    any_of: Vec<Schema>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Box<Schema>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    one_of: Vec<Schema>,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    properties: IndexMap<&'static str, Property>,
    #[serde(skip_serializing_if = "Option::is_none")]
    property_names: Option<Names>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_properties: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_properties: Option<Others>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    all_of: Vec<Schema>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#if: Option<Box<Schema>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#else: Option<Box<Schema>>,
    #[serde(rename = "$defs", skip_serializing_if = "IndexMap::is_empty")]
    definitions: IndexMap<String, Schema>,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Object,
    Array,
    String,
    Integer,
    Boolean,
}

/// What one key may contain.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Property {
    /// Anything if true, and nothing at all if false.
    Any(bool),
    /// What the schema says.
    Of(Box<Schema>),
}

impl From<Schema> for Property {
    fn from(schema: Schema) -> Self {
        Self::Of(Box::new(schema))
    }
}

/// What keys that are not listed may contain.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Others {
    /// They are not allowed.
    None(bool),
    /// They all have this schema.
    All(Box<Schema>),
}

/// The names that a file chooses itself.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Names {
    pattern: &'static str,
    max_length: u32,
}

/// The same names as the rule `name` of the stage file.
const NAMES: Names = Names {
    pattern: "^[A-Za-z][A-Za-z0-9_-]*$",
    max_length: 50,
};

fn document() -> Schema {
    let mut definitions: IndexMap<String, Schema> = IndexMap::new();
    for section in sections() {
        definitions.insert(definition(section), table(section, needed(section)));
    }
    let mut shared = Vec::new();
    for key in FILE.keys {
        if let Form::Defaults(section) = key.form {
            definitions.insert(defaults(section), table(section, Vec::new()));
            shared.extend(required(section).map(|needed| shared_or_own(key.name, section, needed)));
        }
    }
    Schema {
        dialect: Some("https://json-schema.org/draft/2020-12/schema"),
        title: Some("stages.toml"),
        all_of: shared,
        definitions,
        ..table(&FILE, needed(&FILE))
    }
}

/// A key that each table of the section needs unless the shared table has it.
fn shared_or_own(shared: &'static str, section: &'static Section, key: &'static str) -> Schema {
    let holds = |table: &'static str, key: Schema| Schema {
        kind: Some(Kind::Object),
        properties: IndexMap::from([(table, key.into())]),
        ..Schema::default()
    };
    let has = |key: &'static str| Schema {
        kind: Some(Kind::Object),
        properties: IndexMap::from([(key, Property::Any(true))]),
        required: vec![key],
        ..Schema::default()
    };
    let tables = FILE
        .keys
        .iter()
        .find(|key| matches!(key.form, Form::Named(named) if std::ptr::eq(named, section)))
        .map_or("stage", |key| key.name);
    let each = Schema {
        kind: Some(Kind::Object),
        additional_properties: Some(Others::All(Box::new(has(key)))),
        ..Schema::default()
    };
    Schema {
        r#if: Some(Box::new(Schema {
            required: vec![shared],
            ..holds(shared, has(key))
        })),
        r#else: Some(Box::new(holds(tables, each))),
        ..Schema::default()
    }
}

/// The keys that the section's own tables must contain: none if another table may contain them instead.
fn needed(section: &'static Section) -> Vec<&'static str> {
    let shared = FILE
        .keys
        .iter()
        .any(|key| matches!(key.form, Form::Defaults(other) if std::ptr::eq(other, section)));
    if shared {
        Vec::new()
    } else {
        required(section).collect()
    }
}

fn required(section: &'static Section) -> impl Iterator<Item = &'static str> {
    let keys = section.keys.iter();
    keys.filter(|key| key.need == Need::Required)
        .map(|key| key.name)
}

fn table(section: &'static Section, required: Vec<&'static str>) -> Schema {
    Schema {
        description: Some(section.about.to_owned()),
        kind: Some(Kind::Object),
        properties: section
            .keys
            .iter()
            .map(|key| (key.name, value(key).into()))
            .collect(),
        additional_properties: Some(Others::None(false)),
        required,
        one_of: ways(section).iter().map(filled).collect(),
        ..Schema::default()
    }
}

/// The schema of a table of this form.
fn filled(way: &Way) -> Schema {
    let chosen = way.chosen_by.map(|(key, word)| {
        let word = Schema {
            kind: Some(Kind::String),
            words: Some(vec![word]),
            ..Schema::default()
        };
        (key, word.into())
    });
    let choosing = way
        .chosen_by
        .filter(|_| !way.is_default)
        .map(|(key, _)| key);
    Schema {
        kind: Some(Kind::Object),
        properties: chosen
            .into_iter()
            .chain(way.needs.iter().map(|key| (*key, Property::Any(true))))
            .chain(way.without.iter().map(|key| (*key, Property::Any(false))))
            .collect(),
        required: choosing
            .into_iter()
            .chain(way.needs.iter().copied())
            .collect(),
        ..Schema::default()
    }
}

fn value(key: &Key) -> Schema {
    let mut schema = form(key.form);
    schema.description = Some(match key.need {
        Need::Required | Need::Default(_) => key.about.to_owned(),
        Need::Otherwise(words) => format!("{} Without it: {words}.", key.about),
    });
    if let Need::Default(value) = key.need {
        schema.default = as_json(value);
    }
    if key.need == Need::Required && matches!(key.form, Form::Named(_)) {
        schema.min_properties = Some(1);
    }
    schema
}

fn form(form: Form) -> Schema {
    let of = |kind| Schema {
        kind: Some(kind),
        ..Schema::default()
    };
    let texts = || Schema {
        items: Some(Box::new(of(Kind::String))),
        ..of(Kind::Array)
    };
    let refers = |name: String| Schema {
        reference: Some(format!("#/$defs/{name}")),
        ..Schema::default()
    };
    let any_of = |any_of| Schema {
        any_of,
        ..Schema::default()
    };
    match form {
        Form::Text => of(Kind::String),
        Form::Flag => of(Kind::Boolean),
        Form::TextOrNumber => any_of(vec![of(Kind::String), of(Kind::Integer)]),
        Form::TextsOr(section) => {
            any_of(vec![of(Kind::String), texts(), refers(definition(section))])
        }
        Form::TextOr(section) => any_of(vec![of(Kind::String), refers(definition(section))]),
        Form::Table(section) => refers(definition(section)),
        Form::Defaults(section) => refers(defaults(section)),
        Form::Texts => texts(),
        Form::Number(least, most) => Schema {
            minimum: Some(least),
            maximum: Some(most),
            ..of(Kind::Integer)
        },
        Form::Word(words) => Schema {
            words: Some(words.to_vec()),
            ..of(Kind::String)
        },
        Form::Variables => Schema {
            additional_properties: Some(Others::All(Box::new(of(Kind::String)))),
            ..of(Kind::Object)
        },
        Form::Named(section) => Schema {
            property_names: Some(NAMES),
            additional_properties: Some(Others::All(Box::new(refers(definition(section))))),
            ..of(Kind::Object)
        },
    }
}

/// The words of a table's header: `stage-gates` for `[stage.<name>.gates]`.
fn definition(section: &Section) -> String {
    let (words, placeholders) = (
        section.header.split(['[', ']', '.', ' ']),
        ["<name>", "<stage>"],
    );
    let words: Vec<&str> = words
        .filter(|word| !placeholders.contains(word))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()))
        .collect();
    words.join("-")
}

fn defaults(section: &Section) -> String {
    format!("{}-defaults", definition(section))
}

/// A value as TOML writes it.
fn as_json(value: &str) -> Option<Value> {
    let line = format!("value = {value}");
    let mut table: IndexMap<String, Value> = toml::from_str(&line).ok()?;
    table.swap_remove("value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_of_toml() {
        for key in sections().iter().flat_map(|section| section.keys) {
            if let Need::Default(value) = key.need {
                assert!(as_json(value).is_some(), "{}: {value}", key.name);
            }
        }
    }

    #[test]
    fn no_two_tables_share_a_definition() {
        let mut names: Vec<String> = sections()
            .iter()
            .map(|section| definition(section))
            .collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(
            (names.len(), names.contains(&"stage-gates".to_owned())),
            (all, true)
        );
    }
}
