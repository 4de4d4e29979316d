//! One generated file: a workflow, its name, and its text. The content of the workflow is decided elsewhere.

use std::cell::OnceCell;

use github_workflow::limits::{self, LARGEST_FILE};
use github_workflow::write::Workflow;

use crate::error::{Result, VerbError};

/// The line that identifies a file of ours.
pub const WRITTEN_BY: &str = "# Written by: domino-pipeline gen-workflows";

/// One workflow and the name of its file.
#[derive(Debug, Clone)]
pub struct WorkflowFile {
    /// The file's name in `.github/workflows`.
    pub name: String,
    /// The workflow that it contains.
    pub workflow: Workflow,
    /// The text, once it has been written as YAML.
    yaml: OnceCell<String>,
}

impl WorkflowFile {
    pub(super) fn new(name: impl Into<String>, workflow: Workflow) -> Self {
        Self {
            name: name.into(),
            workflow,
            yaml: OnceCell::new(),
        }
    }

    /// The whole file, including the header.
    pub fn text(&self) -> Result<String> {
        let yaml = self.yaml()?;
        limits::check(&self.workflow, yaml).map_err(|over| {
            VerbError::usage(format!("`{}` is not written: {over}", self.name)).hint(
                "what is trained by one job or comes `after` one another stays in one file: fewer of them, fewer stages or \
                 a repository of its own make it smaller",
            )
        })?;
        Ok(format!(
            "# From stages.toml: change that file, not this one.\n{WRITTEN_BY}\n{yaml}"
        ))
    }

    /// Whether GitHub would refuse it because of its size.
    pub(super) fn is_too_large(&self) -> bool {
        self.yaml().is_ok_and(|yaml| yaml.len() > LARGEST_FILE)
    }

    fn yaml(&self) -> Result<&str> {
        if let Some(yaml) = self.yaml.get() {
            return Ok(yaml);
        }
        let yaml = self.workflow.to_yaml()?;
        Ok(self.yaml.get_or_init(|| yaml))
    }
}
