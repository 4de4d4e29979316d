//! When a run has ended.

use crate::api::jobs::{ExecutionStatus, Job as Run, StatusGroups};
use crate::client::Reader;
use crate::wait::Poll;

/// A run has ended when Domino says so and has a word for the end: either may come before the other. `Faulty` is the
/// one word that can mean both, in progress and ended.
pub fn is_over(run: &Run) -> bool {
    run.statuses.is_completed
        && match &run.statuses.execution_status {
            ExecutionStatus::OnItsWay(word) => word == "Faulty",
            _ => true,
        }
}

/// Whether an unknown word is one of the deployment's own for a run that has ended. The words are read once.
pub(super) async fn is_over_here(
    reader: &Reader,
    run: &Run,
    groups: &mut Option<StatusGroups>,
    poll: &Poll,
) -> bool {
    let ExecutionStatus::Unknown(word) = &run.statuses.execution_status else {
        return false;
    };
    if groups.is_none() {
        let told = poll.within(reader.job_status_groups()).await;
        *groups = Some(told.and_then(Result::ok).unwrap_or_default());
    }
    groups
        .as_ref()
        .is_some_and(|groups| groups.completed.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_word_for_an_end_ends_a_run_that_is_completed() {
        let run = |word: &str, is_completed: bool| -> Run {
            serde_json::from_value(serde_json::json!({
                "id": "0", "stageTime": {"submissionTime": 0},
                "statuses": {"isCompleted": is_completed, "executionStatus": word},
            }))
            .unwrap()
        };
        for word in [
            "Succeeded",
            "Failed",
            "Stopped",
            "Error",
            "Faulty",
            "Wonderful",
        ] {
            assert!(
                is_over(&run(word, true)) && !is_over(&run(word, false)),
                "{word}"
            );
        }
        for word in ["Running", "Stopping", "Finishing"] {
            assert!(!is_over(&run(word, true)), "{word}");
        }
    }
}
