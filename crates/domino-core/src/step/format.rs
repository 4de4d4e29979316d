//! How the result of a step is written to stdout.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// How the result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text for people.
    Text,
    /// Exactly one JSON document on stdout.
    Json,
    /// The sheet of a step that has one, as Markdown.
    Markdown,
    /// The same as a page of HTML.
    Html,
}

/// What every step can write.
const OF_EVERY_STEP: [(&str, &str); 2] = [
    ("text", "Text for people"),
    ("json", "Exactly one JSON document on stdout"),
];
/// What a step with a sheet can write besides.
const OF_A_SHEET: [(&str, &str); 2] = [
    ("markdown", "The sheet as Markdown"),
    ("html", "The sheet as one page of HTML"),
];

impl Format {
    /// Reads what every step can write.
    pub fn of_every_step() -> impl TypedValueParser<Value = Self> {
        Self::among(OF_EVERY_STEP.to_vec())
    }

    /// Reads what a step with a sheet can write.
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
