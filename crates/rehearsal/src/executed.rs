//! What a step left behind once it has run: outcome, outputs, and what was said about it.

use crate::report::Outcome;
use crate::workflow_command::Annotation;

/// What a step left behind.
#[derive(Debug, Default)]
pub struct Executed {
    /// How it ended; absent while that is open.
    pub outcome: Option<Outcome>,
    /// The outputs that it set, in their order, as `steps.<id>.outputs` shows them.
    pub outputs: Vec<(String, String)>,
    /// The annotations of the step itself; they have been printed already.
    pub annotations: Vec<Annotation>,
    /// What the runner says about its failure.
    pub errors: Vec<String>,
}

impl Executed {
    /// A step that failed without an exit code, with the reason.
    pub fn failed(error: String) -> Self {
        Self {
            outcome: Some(Outcome::Failure(None)),
            errors: vec![error],
            ..Self::default()
        }
    }
}
