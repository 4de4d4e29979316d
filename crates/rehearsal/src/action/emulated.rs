//! What an emulated action is given, and its result.

use github_workflow::value::same_ignoring_case;

use crate::artifacts::Artifacts;
use crate::repository::{Commit, Repository};
use crate::workspace::Workspace;

/// The result of a step that uses an action.
#[derive(Debug, PartialEq, Eq)]
pub enum Emulated {
    /// It did what the action does: a sentence on that, and the step's outputs.
    Done(String, Vec<(&'static str, String)>),
    /// As `Done`, with a warning in GitHub's sense.
    Warned(String),
    /// It cannot be done here as on GitHub; the text is the reason.
    NotRun(String),
}

/// Why an action was not emulated.
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

/// What an action can use besides its inputs.
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

/// The inputs of an action, as the step's `with:` gives them.
pub struct Inputs<'a>(pub &'a [(String, String)]);

impl Inputs<'_> {
    /// An input's text; an empty one counts as absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .0
            .iter()
            .find(|(known, _)| same_ignoring_case(known, name))?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }

    /// Whether a boolean input is on.
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
