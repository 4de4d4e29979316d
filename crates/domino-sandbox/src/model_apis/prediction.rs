//! A request that was left at the address of an asynchronous model, and what became of it.

use serde_json::Value;

/// What became of a request.
#[derive(Clone)]
pub(super) enum Prediction {
    Pending,
    Processing,
    Succeeded(Value),
    Failed(String),
}

impl Prediction {
    /// Its status, as a reply spells it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Processing => "Processing",
            Self::Succeeded(_) => "Succeeded",
            Self::Failed(_) => "Failed",
        }
    }
}
