//! What GitHub's runner understands: masks, annotations, step outputs and the step summary.
//!
//! Commands go to stderr, which the runner reads as well, so that stdout contains only what was asked for.

use crate::error::{Context as _, FileLine, Result};
use crate::stderr::tell;
use std::fs::{FileType, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

/// GitHub's limit for one step's summary is 1 MiB.
const LARGEST_SUMMARY: usize = 1000 * 1024;

/// The variable with the file that a later step of the job shows, because GitHub shows only the summaries of so many
/// steps.
const DEPLOY_SUMMARY: &str = "DEPLOY_SUMMARY";

/// The runner that this process is a step of.
#[derive(Debug)]
pub(super) struct Actions {
    output: Option<PathBuf>,
    summary: Option<PathBuf>,
}

impl Actions {
    /// The runner, if this is a step of a workflow.
    pub(super) fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        (variable("GITHUB_ACTIONS")? == "true").then(|| {
            let file = |name| {
                variable(name)
                    .filter(|path| !path.is_empty())
                    .map(PathBuf::from)
            };
            Self {
                output: file("GITHUB_OUTPUT"),
                summary: file(DEPLOY_SUMMARY).or_else(|| file("GITHUB_STEP_SUMMARY")),
            }
        })
    }

    /// Adds a message at a line of a file.
    pub(super) fn annotate(&self, level: &str, message: &str, at: Option<&FileLine>) {
        let place = at.map_or_else(String::new, |at| {
            format!(" file={},line={}", command_property(&at.file), at.line)
        });
        tell(format_args!("::{level}{place}::{}", command_data(message)));
    }

    /// Hands values to later steps.
    pub(super) fn write_outputs(&self, outputs: &[(String, String)]) -> Result<()> {
        let Some(path) = &self.output else {
            return Ok(());
        };
        // Values are single lines here, so the short form is exact and nothing can be injected.
        let text: String = outputs
            .iter()
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect();
        append(path, &text)
            .with_context(|| format!("cannot write the step outputs to `{}`", path.display()))
    }

    /// Adds to the job's summary, the page that people see first.
    pub(super) fn write_summary(&self, markdown: &str) -> Result<()> {
        let Some(path) = &self.summary else {
            return Ok(());
        };
        let mut end = markdown.len().min(LARGEST_SUMMARY);
        while !markdown.is_char_boundary(end) {
            end -= 1;
        }
        append(path, &markdown[..end])
            .with_context(|| format!("cannot write the step summary to `{}`", path.display()))
    }
}

/// Asks the runner to hide a secret from now on.
pub(super) fn mask(secret: &str) {
    tell(format_args!("::add-mask::{}", command_data(secret)));
}

fn append(path: &PathBuf, text: &str) -> std::io::Result<()> {
    // Opening a pipe would wait for a reader, forever if there is none.
    if std::fs::metadata(path).is_ok_and(|found| is_pipe(found.file_type())) {
        return Err(std::io::Error::other("it is a pipe, not a file"));
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?
        .write_all(text.as_bytes())
}

#[cfg(unix)]
fn is_pipe(kind: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind)
}

#[cfg(not(unix))]
fn is_pipe(_: FileType) -> bool {
    false
}

fn command_data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn command_property(text: &str) -> String {
    command_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_and_properties_are_escaped_as_the_runner_wants() {
        assert_eq!(command_data("50 %\nnext"), "50 %25%0Anext");
        assert_eq!(command_property("a:b,c"), "a%3Ab%2Cc");
    }

    #[test]
    fn a_summary_goes_where_a_later_step_collects_it() {
        let summary = |names: &'static [&str]| {
            let variable = move |name: &str| match name {
                "GITHUB_ACTIONS" => Some("true".to_owned()),
                name => names.contains(&name).then(|| format!("/{name}")),
            };
            Actions::from_variables(variable).and_then(|actions| actions.summary)
        };
        let own = Some(PathBuf::from("/GITHUB_STEP_SUMMARY"));
        assert_eq!(summary(&["GITHUB_STEP_SUMMARY"]), own);
        assert_eq!(
            summary(&["GITHUB_STEP_SUMMARY", "DEPLOY_SUMMARY"]),
            Some(PathBuf::from("/DEPLOY_SUMMARY"))
        );
    }

    #[test]
    fn outputs_and_summaries_are_appended() {
        let folder = tempfile::tempdir().unwrap();
        let (output, summary) = (folder.path().join("output"), folder.path().join("summary"));
        let actions = Actions {
            output: Some(output.clone()),
            summary: Some(summary.clone()),
        };
        actions.write_outputs(&[("id".into(), "1".into())]).unwrap();
        actions
            .write_outputs(&[("url".into(), "x=y".into())])
            .unwrap();
        actions.write_summary("# a\n").unwrap();
        actions.write_summary(&"é".repeat(LARGEST_SUMMARY)).unwrap();
        assert_eq!(std::fs::read_to_string(output).unwrap(), "id=1\nurl=x=y\n");
        assert!(std::fs::metadata(summary).unwrap().len() <= 1024 * 1024);
    }
}
