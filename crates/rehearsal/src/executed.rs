//! What a step left behind once it has run: outcome, outputs, and what was said about it.

use crate::report::Outcome;
use crate::workflow_command::Annotation;

/// What a step left behind.
#[derive(Debug, Default)]
pub struct Executed {
    /// What became of it; nothing while that is open.
    pub outcome: Option<Outcome>,
    /// Its outputs.
    pub outputs: Vec<(String, String)>,
    /// What the step itself annotated, and has been shown already.
    pub annotations: Vec<Annotation>,
    /// What the runner has to say about its failure.
    pub errors: Vec<String>,
}

impl Executed {
    /// A step that failed without an exit code, and why.
    pub fn failed(error: String) -> Self {
        Self {
            outcome: Some(Outcome::Failure(None)),
            errors: vec![error],
            ..Self::default()
        }
    }
}
