//! What is wrong with a stage file, and how it is printed: one line a problem, sorted, counted.
//!
//! It knows no rule. Exit codes are decided where errors end.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::kind::Kind;

/// Why there is no [`StageFile`](super::StageFile) to go on with.
#[derive(Debug, thiserror::Error)]
pub enum StageFileError {
    /// The file that was named is not there.
    #[error("no stage file at `{}`, where `--stages` says it is", .path.display())]
    Missing {
        /// The path as given.
        path: PathBuf,
    },
    /// No file was named, and none was found.
    #[error(
        "no `stages.toml` in {}; run this in the repository that holds it, or name it with `--stages FILE`",
        shown_folders(.looked_in)
    )]
    NotFound {
        /// Every folder that was looked in, nearest first.
        looked_in: Vec<PathBuf>,
    },
    /// It is there but cannot be read as text.
    #[error("cannot read the stage file `{}`", .path.display())]
    Unreadable {
        /// The path as given or found.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// It was read, and these rules are broken.
    #[error(transparent)]
    Problems(#[from] Problems),
}

fn shown_folders(folders: &[PathBuf]) -> String {
    match folders {
        [] => "this folder".into(),
        [only] => format!("`{}`", only.display()),
        [first, .., last] => {
            format!(
                "`{}` or any folder above it up to `{}`",
                first.display(),
                last.display()
            )
        }
    }
}

/// Every problem of one stage file, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file, as given or found.
    pub path: PathBuf,
    /// Errors and warnings, sorted by line.
    pub list: Vec<Problem>,
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.list {
            writeln!(f, "{}", problem.in_file(&self.path))?;
        }
        let errors = self
            .list
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .count();
        let warnings = self.list.len() - errors;
        match (errors, warnings) {
            (_, 0) => f.write_str(&counted(errors, "error")),
            (0, _) => f.write_str(&counted(warnings, "warning")),
            _ => write!(
                f,
                "{}, {}",
                counted(errors, "error"),
                counted(warnings, "warning")
            ),
        }
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Whether a problem stops the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It does.
    Error,
    /// It is shown, unless the file accepts it.
    Warning,
}

/// One thing that is wrong with a stage file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Problem {
    /// The line, counted from one; `None` where the file as a whole is meant.
    pub line: Option<usize>,
    /// Whether it stops the work.
    pub severity: Severity,
    /// One sentence. It never repeats a value that looks like a secret.
    pub message: String,
    /// The name of the rule, such as `shared-tier`: what `accept` takes for a warning.
    pub name: &'static str,
    /// The keys that lead to what is wrong, such as `job`, `train`, `command`; none where the file as a whole is meant.
    #[serde(skip)]
    pub path: Vec<String>,
}

impl Problem {
    /// Whether it is about this entity, or about a key that decides for it in this stage. What other entities and the
    /// pipeline as a whole have is told where the workflows are written.
    pub fn concerns(&self, kind: Kind, entity: &str, stage: &str) -> bool {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        match path[..] {
            ["defaults", ..] => true,
            // When a step begins, whoever had to approve has done so.
            ["stage", _, "approvers" | "gate", ..] | ["stage", _, "gates", "github-approval"] => {
                false
            }
            ["stage", name, _, ..] => name == stage,
            [table, name, "stage", other, ..] => {
                table == kind.word() && name.eq_ignore_ascii_case(entity) && other == stage
            }
            [table, name, ..] => table == kind.word() && name.eq_ignore_ascii_case(entity),
            _ => false,
        }
    }

    /// The problem as it is printed: `stages.toml:31: warning: …`.
    pub fn in_file(&self, path: &Path) -> impl fmt::Display {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        let severity = match self.severity {
            Severity::Error => "",
            Severity::Warning => "warning: ",
        };
        format!("{}{line}: {severity}{}", path.display(), self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(line: usize, severity: Severity) -> Problem {
        Problem {
            line: Some(line),
            severity,
            message: "it is wrong".into(),
            name: "wrong",
            path: Vec::new(),
        }
    }

    #[test]
    fn a_step_is_told_what_concerns_its_own_entity_and_stage() {
        for (path, concerns) in [
            ("job.train.command", true),
            ("job.Train.command", true),
            ("job.score.command", false),
            ("app.train.entry-point", false),
            ("job.train.stage.prod.hardware-tier", true),
            ("job.train.stage.dev.hardware-tier", false),
            ("stage.prod.hardware-tier.jobs", true),
            ("stage.dev.hardware-tier", false),
            ("stage.prod.approvers", false),
            ("stage.prod", false),
            ("defaults.hardware-tier", true),
            ("pipeline.drift", false),
            ("", false),
        ] {
            let problem = Problem {
                path: path.split('.').map(str::to_owned).collect(),
                ..problem(1, Severity::Warning)
            };
            assert_eq!(
                problem.concerns(Kind::Job, "train", "prod"),
                concerns,
                "{path}"
            );
        }
    }

    #[test]
    fn problems_print_one_a_line_with_a_count_of_each_severity() {
        let mut problems = Problems {
            path: "stages.toml".into(),
            list: vec![
                problem(3, Severity::Error),
                Problem {
                    line: None,
                    ..problem(0, Severity::Warning)
                },
            ],
        };
        assert_eq!(
            problems.to_string(),
            "stages.toml:3: it is wrong\nstages.toml: warning: it is wrong\n1 error, 1 warning"
        );
        problems.list.remove(1);
        problems.list.push(problem(4, Severity::Error));
        assert!(problems.to_string().ends_with("\n2 errors"));
    }

    #[test]
    fn a_file_that_is_not_there_is_named_with_the_flag_that_names_another() {
        let missing = StageFileError::Missing {
            path: "pipeline/stages.toml".into(),
        };
        assert_eq!(
            missing.to_string(),
            "no stage file at `pipeline/stages.toml`, where `--stages` says it is"
        );
        let looked_in = vec!["/home/me/wine/src".into(), "/home/me/wine".into()];
        assert_eq!(
            StageFileError::NotFound { looked_in }.to_string(),
            "no `stages.toml` in `/home/me/wine/src` or any folder above it up to `/home/me/wine`; \
             run this in the repository that holds it, or name it with `--stages FILE`"
        );
    }
}
