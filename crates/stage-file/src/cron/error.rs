//! Why a text is not a Quartz cron expression.

use std::fmt;

use crate::text::displayed;

/// Why a text is not a Quartz cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CronError {
    #[error(
        "has {0} fields; Domino's cron is Quartz and has six or seven: seconds, minutes, hours, day of month, \
         month, day of week, and a year if one is meant"
    )]
    FieldCount(usize),
    #[error("has five fields as Unix cron has; Domino's cron is Quartz, with seconds first{}", hint(.0))]
    Unix(Option<String>),
    #[error("has a name for a time; Domino's cron is Quartz{}", hint(.0))]
    Nickname(Option<String>),
    #[error("must have `?` in exactly one of day of month and day of week{}", hint(.0))]
    QuestionMark(Option<String>),
    #[error("has {} as {field}; {why}", displayed(.item))]
    Field {
        field: &'static str,
        item: String,
        why: String,
    },
}

fn hint(suggestion: &Option<String>) -> impl fmt::Display {
    match suggestion {
        Some(cron) => format!("; write `{cron}`"),
        None => String::new(),
    }
}
