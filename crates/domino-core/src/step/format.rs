//! How the result of a step is written to stdout.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// How the result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text for people.
    Text,
    /// Exactly one JSON document on stdout.
    Json,
    /// The step's sheet as Markdown, if it has one.
    Markdown,
    /// The same sheet as a page of HTML.
    Html,
}

/// The formats that every step has.
const OF_EVERY_STEP: [(&str, &str); 2] = [
    ("text", "Text for people"),
    ("json", "Exactly one JSON document on stdout"),
];
/// Further formats of a step with a sheet.
const OF_A_SHEET: [(&str, &str); 2] = [
    ("markdown", "The sheet as Markdown"),
    ("html", "The sheet as one page of HTML"),
];

impl Format {
    /// Parses the formats that every step has.
    pub fn of_every_step() -> impl TypedValueParser<Value = Self> {
        Self::among(OF_EVERY_STEP.to_vec())
    }

    /// Parses the formats of a step with a sheet.
    pub fn of_a_sheet() -> impl TypedValueParser<Value = Self> {
        Self::among([OF_EVERY_STEP, OF_A_SHEET].concat())
    }

    fn among(words: Vec<(&'static str, &'static str)>) -> impl TypedValueParser<Value = Self> {
        let values = words.into_iter();
        let values = values.map(|(word, help)| PossibleValue::new(word).help(help));
        PossibleValuesParser::new(values).map(|word| match word.as_str() {
            "json" => Self::Json,
            "markdown" => Self::Markdown,
            "html" => Self::Html,
            _ => Self::Text,
        })
    }
}
