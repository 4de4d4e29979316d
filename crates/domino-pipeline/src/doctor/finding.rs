//! One line of a visit: what is well, what is not and what to do, or what could not be looked at.

use std::fmt;

use domino_core::error::{CommandError, Exit};
use serde::{Serialize, Serializer};
use stage_file::StageFile;

/// What was found about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    /// It is as it must be; and at times a word of advice.
    Well(String, Option<String>),
    /// It is not, and what to do.
    Wrong(String, Option<String>, Exit),
    /// It was not looked at, and what would let us.
    NotAsked(String, String),
}

impl Finding {
    pub(super) fn well(what: impl Into<String>) -> Self {
        Self::Well(what.into(), None)
    }

    pub(super) fn wrong(what: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self::Wrong(what.into(), Some(to_do.into()), Exit::Refused)
    }

    /// What an error says, with its causes, its hint, and the line of the stage file that decided it.
    pub(super) fn of_error(what: &str, error: &CommandError) -> Self {
        let mut words: Vec<String> = vec![what.to_owned()];
        for cause in std::iter::once(error.to_string()).chain(error.causes().map(str::to_owned)) {
            if !words.contains(&cause) {
                words.push(cause);
            }
        }
        let line = error.line().map(|at| format!(" ({}:{})", at.file, at.line));
        let to_do = error
            .to_do()
            .map(|hint| format!("{hint}{}", line.unwrap_or_default()));
        let exit = match error.exit() {
            Exit::Unreachable => Exit::Unreachable,
            _ => Exit::Refused,
        };
        Self::Wrong(words.join(": "), to_do, exit)
    }

    /// A file that was read; what is doubtful in it is named.
    pub(super) fn of_file(file: &StageFile) -> Self {
        let doubts: Vec<String> = file
            .warnings()
            .iter()
            .map(|doubt| match doubt.line {
                Some(line) => format!("{} (line {line})", doubt.name),
                None => doubt.name.to_owned(),
            })
            .collect();
        let advice = (!doubts.is_empty()).then(|| format!("doubtful: {}", doubts.join(", ")));
        Self::Well(format!("stage file `{}`", file.path.display()), advice)
    }
}

impl Finding {
    /// The verdict, what was found, and what to do.
    pub(super) fn parts(&self) -> (Verdict, &str, Option<&str>) {
        match self {
            Self::Well(what, advice) => (Verdict::Ok, what, advice.as_deref()),
            Self::Wrong(what, to_do, _) => (Verdict::Wrong, what, to_do.as_deref()),
            Self::NotAsked(what, to_do) => (Verdict::NotAsked, what, Some(to_do)),
        }
    }
}

/// How a line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    Ok,
    Wrong,
    NotAsked,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verdict, what, to_do) = self.parts();
        let verdict = match verdict {
            Verdict::Ok => "ok",
            Verdict::Wrong => "!!",
            Verdict::NotAsked => "--",
        };
        write!(f, "{verdict} {what}")?;
        match to_do {
            Some(to_do) => write!(f, " → {to_do}"),
            None => Ok(()),
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    verdict: Verdict,
    what: &'a str,
    to_do: Option<&'a str>,
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (verdict, what, to_do) = self.parts();
        Line {
            verdict,
            what,
            to_do,
        }
        .serialize(serializer)
    }
}

/// How a visit ends: what could not be reached counts more than what was refused, because there may be more to it.
pub(super) fn exit<'a>(findings: impl Iterator<Item = &'a Finding> + Clone) -> Exit {
    let wrong = |wanted: Exit| {
        findings
            .clone()
            .any(|finding| matches!(finding, Finding::Wrong(_, _, exit) if *exit == wanted))
    };
    if wrong(Exit::Unreachable) {
        Exit::Unreachable
    } else if wrong(Exit::Refused) {
        Exit::Refused
    } else {
        Exit::Done
    }
}

#[cfg(test)]
mod tests {
    use domino_core::error::CommandError;

    use super::*;

    #[test]
    fn what_could_not_be_reached_decides_the_exit_over_what_was_refused() {
        let well = Finding::well("host");
        let wrong = Finding::wrong("project", "make it");
        let lost = Finding::of_error(
            "host",
            &CommandError::new(Exit::Unreachable, "could not connect"),
        );
        let not_asked = Finding::NotAsked("GitHub".into(), "set `GITHUB_TOKEN`".into());
        let ends = |findings: &[Finding]| exit(findings.iter());
        assert_eq!(ends(&[well.clone(), not_asked]), Exit::Done);
        assert_eq!(ends(&[well.clone(), wrong.clone()]), Exit::Refused);
        assert_eq!(ends(&[lost, well, wrong]), Exit::Unreachable);
    }

    #[test]
    fn an_error_is_one_line_with_its_causes_and_what_to_do() {
        let error = CommandError::message("answered 403")
            .context(CommandError::refused("cannot see project `a/b`").hint("ask its owner"));
        assert_eq!(
            Finding::of_error("project", &error).to_string(),
            "!! project: cannot see project `a/b`: answered 403 → ask its owner"
        );
    }
}
