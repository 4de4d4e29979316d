//! Every key a stage file may hold, as data: what it takes, whether it must be there, what it is for.
//!
//! The reader refuses what is not in here; the reference in the README and the JSON Schema are written from
//! it. Rules that look at more than one key are in `validate.rs`.

mod app;
mod app_settings;
mod job;
mod model;
mod run_settings;
mod stage;
mod way;

pub use self::app::{APP, APP_PLACEMENT};
pub use self::app_settings::AUTOSCALING;
pub use self::job::{JOB, JOB_PLACEMENT, SCHEDULE};
pub use self::model::{MODEL, MODEL_PLACEMENT};
pub use self::run_settings::CLUSTER;
pub use self::stage::{ENVIRONMENT, EVIDENCE, GATES, HARDWARE_TIER, PIPELINE, RUNNER, STAGE};
pub use self::way::{Way, ways};

/// A table of the file and the keys it may hold.
#[derive(Debug)]
pub struct Section {
    /// The header as a person writes it, with placeholders for names: `[stage.<name>]`.
    pub header: &'static str,
    /// What the table is for.
    pub about: &'static str,
    /// Its keys, in the order a reference shows them.
    pub keys: &'static [Key],
}

/// One key of a table.
#[derive(Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What it takes.
    pub form: Form,
    /// Whether it must be there, and what holds without it.
    pub need: Need,
    /// What it is for, as one sentence in Markdown.
    pub about: &'static str,
}

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// A string.
    Text,
    /// A list of strings.
    Texts,
    /// A whole number between these two, both included.
    Number(u32, u32),
    /// `true` or `false`.
    Flag,
    /// One of these strings.
    Word(&'static [&'static str]),
    /// A string or a whole number.
    TextOrNumber,
    /// A string, or a table that says more.
    TextOr(&'static Section),
    /// A string, a list of strings, or a table that says more.
    TextsOr(&'static Section),
    /// A table from names to strings.
    Variables,
    /// A table, written in line or under its own header.
    Table(&'static Section),
    /// The same table with nothing in it required: its values hold where the other is silent.
    Defaults(&'static Section),
    /// Any number of tables by a name that the file chooses.
    Named(&'static Section),
}

/// Whether a key must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It must.
    Required,
    /// Without it this value holds, as TOML writes it.
    Default(&'static str),
    /// Without it this holds, in words.
    Otherwise(&'static str),
}

impl Section {
    /// The key by this name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// What stands at a key path, such as `["stage", "prod", "wait-timer"]`.
pub fn form_of<S: AsRef<str>>(path: &[S]) -> Option<Form> {
    let mut section = &FILE;
    let mut path = path.iter().map(AsRef::as_ref);
    let mut form = section.key(path.next()?)?.form;
    while let Some(key) = path.next() {
        section = match form {
            Form::Table(below)
            | Form::Defaults(below)
            | Form::TextOr(below)
            | Form::TextsOr(below) => below,
            Form::Named(below) => match path.next() {
                Some(key) => {
                    form = below.key(key)?.form;
                    continue;
                }
                None => return Some(Form::Table(below)),
            },
            // A variable's name, or the index of a list's item.
            other => return Some(other),
        };
        form = section.key(key)?.form;
    }
    Some(form)
}

const fn key(name: &'static str, form: Form, need: Need, about: &'static str) -> Key {
    Key {
        name,
        form,
        need,
        about,
    }
}

/// The whole file.
pub static FILE: Section = Section {
    header: "",
    about: "Which stages there are and what is deployed to each.",
    keys: &[
        key(
            "pipeline",
            Form::Table(&PIPELINE),
            Need::Otherwise("every key's default"),
            "The pipeline as a whole.",
        ),
        key(
            "defaults",
            Form::Defaults(&STAGE),
            Need::Otherwise("nothing is shared"),
            "What every stage has unless its own table says otherwise.",
        ),
        key(
            "stage",
            Form::Named(&STAGE),
            Need::Required,
            "The stages, in promotion order.",
        ),
        key(
            "job",
            Form::Named(&JOB),
            Need::Otherwise("no jobs"),
            "The jobs and scheduled jobs.",
        ),
        key(
            "app",
            Form::Named(&APP),
            Need::Otherwise("no apps"),
            "The apps.",
        ),
        key(
            "model",
            Form::Named(&MODEL),
            Need::Otherwise("no models"),
            "The model endpoints.",
        ),
    ],
};
