//! What an emulated action works with, and what comes of it.

use github_workflow::value::same_ignoring_case;

use crate::artifacts::Artifacts;
use crate::repository::{Commit, Repository};
use crate::workspace::Workspace;

/// What came of the step of an action.
#[derive(Debug, PartialEq, Eq)]
pub enum Emulated {
    /// It did what the action does, told in a sentence; with these outputs.
    Done(String, Vec<(&'static str, String)>),
    /// As `Done`, with something GitHub would warn of.
    Warned(String),
    /// It cannot be done here as on GitHub, and why.
    NotRun(String),
}

/// Why an action does nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum NotEmulated {
    /// The step fails, as it would on GitHub.
    Fails(String),
    /// What it asks for is not rehearsed.
    CannotRehearse(String),
}

impl From<String> for NotEmulated {
    fn from(why: String) -> Self {
        Self::Fails(why)
    }
}

impl From<&str> for NotEmulated {
    fn from(why: &str) -> Self {
        Self::Fails(why.to_owned())
    }
}

/// What an action works with.
#[derive(Debug)]
pub struct ActionContext<'a> {
    /// The repository whose commit is checked out.
    pub repository: &'a Repository,
    /// Its `owner/name` on GitHub.
    pub slug: &'a str,
    /// The branch that was pushed.
    pub branch: &'a str,
    /// The commit that was pushed.
    pub commit: &'a Commit,
    /// The job's folders.
    pub workspace: &'a Workspace<'a>,
    /// The run's artifacts.
    pub artifacts: &'a Artifacts,
}

/// What a step gives its action.
pub struct Inputs<'a>(pub &'a [(String, String)]);

impl Inputs<'_> {
    /// The text of an input, unless it is empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .0
            .iter()
            .find(|(known, _)| same_ignoring_case(known, name))?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }

    /// Whether a switch is on.
    ///
    /// # Errors
    /// When it is neither on nor off.
    pub fn on(&self, name: &str, default: bool) -> Result<bool, String> {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => Err(format!(
                "input `{name}` must be true or false, and is `{other}`"
            )),
        }
    }
}
