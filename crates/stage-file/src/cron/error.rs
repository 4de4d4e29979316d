//! Why a text is not a Quartz cron expression.

use std::fmt;

use crate::text::displayed;

/// Why a text is not a Quartz cron expression, or not one that means what it looks like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// So many fields.
    #[error(
        "has {0} fields; Domino's cron is Quartz and has six or seven: seconds, minutes, hours, day of month, \
         month, day of week, and a year if one is meant"
    )]
    FieldCount(usize),
    /// Five fields, with the Quartz form.
    #[error("has five fields as Unix cron has; Domino's cron is Quartz, with seconds first{}", hint(.0))]
    Unix(Option<String>),
    /// A word such as `@daily`, with the Quartz form.
    #[error("has a name for a time; Domino's cron is Quartz{}", hint(.0))]
    Nickname(Option<String>),
    /// Both days are given or none, with what is meant.
    #[error("must have `?` in exactly one of day of month and day of week{}", hint(.0))]
    QuestionMark(Option<String>),
    /// One field is wrong, or read otherwise than it looks.
    #[error("has {} as {field}; {why}{}", displayed(.item), read_as(.reading))]
    Field {
        /// The field's name.
        field: &'static str,
        /// What it has.
        item: String,
        /// What it takes.
        why: String,
        /// What Quartz makes of the field all the same.
        reading: Option<String>,
    },
    /// Quartz refuses what is well formed, and why.
    #[error("is refused by Quartz: {0}")]
    Refused(String),
}

fn hint(suggestion: &Option<String>) -> impl fmt::Display {
    match suggestion {
        Some(cron) => format!("; write `{cron}`"),
        None => String::new(),
    }
}

fn read_as(reading: &Option<String>) -> impl fmt::Display {
    match reading {
        Some(reading) => format!("; Quartz reads {}", displayed(reading)),
        None => String::new(),
    }
}
