//! Why a text is not a Quartz cron expression.

use std::fmt;

use crate::text::displayed;

/// Why a text is not a Quartz cron expression, or not one that means what it seems to mean.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Another number of fields, this one.
    #[error(
        "has {0} fields; Domino's cron is Quartz and has six or seven: seconds, minutes, hours, day of month, \
         month, day of week, and a year if one is meant"
    )]
    FieldCount(usize),
    /// Five fields; with the expression in Quartz's form.
    #[error("has five fields as Unix cron has; Domino's cron is Quartz, with seconds first{}", hint(.0))]
    Unix(Option<String>),
    /// A word such as `@daily`; with the expression in Quartz's form.
    #[error("has a name for a time; Domino's cron is Quartz{}", hint(.0))]
    Nickname(Option<String>),
    /// Both days are given, or neither; with what is probably meant.
    #[error("must have `?` in exactly one of day of month and day of week{}", hint(.0))]
    QuestionMark(Option<String>),
    /// One field is wrong, or means something other than it seems to.
    #[error("has {} as {field}; {why}{}", displayed(.item), read_as(.reading))]
    Field {
        /// The field's name.
        field: &'static str,
        /// The text in the field.
        item: String,
        /// What the field accepts.
        why: String,
        /// What Quartz nevertheless makes of the field.
        reading: Option<String>,
    },
    /// Quartz refuses it although it is well-formed; the text is the reason.
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
