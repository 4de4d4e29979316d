//! The words of a run's status, and the groups that a deployment sorts them into.

/// Where a run is on its way from the queue to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RunStatus {
    Queued,
    Scheduled,
    Preparing,
    Pulling,
    Running,
    StopRequested,
    StopAndDiscardRequested,
    Stopping,
    Finishing,
    Stopped,
    Succeeded,
    Failed,
    Error,
}

/// The words of each group, as `getStatus/values` lists them; the sandbox does not use all of them.
pub(crate) const QUEUED: [&str; 3] = ["Pending", "Queued", "Scheduled"];
pub(crate) const RUNNING: [&str; 9] = [
    "Preparing",
    "Building",
    "Pulling",
    "Running",
    "Serving",
    "StopRequested",
    "StopAndDiscardRequested",
    "Stopping",
    "Finishing",
];
pub(crate) const COMPLETED: [&str; 4] = ["Stopped", "Succeeded", "Failed", "Error"];

impl RunStatus {
    pub(crate) fn word(self) -> &'static str {
        match self {
            RunStatus::Queued => "Queued",
            RunStatus::Scheduled => "Scheduled",
            RunStatus::Preparing => "Preparing",
            RunStatus::Pulling => "Pulling",
            RunStatus::Running => "Running",
            RunStatus::StopRequested => "StopRequested",
            RunStatus::StopAndDiscardRequested => "StopAndDiscardRequested",
            RunStatus::Stopping => "Stopping",
            RunStatus::Finishing => "Finishing",
            RunStatus::Stopped => "Stopped",
            RunStatus::Succeeded => "Succeeded",
            RunStatus::Failed => "Failed",
            RunStatus::Error => "Error",
        }
    }

    /// Whether nothing comes after it.
    pub(crate) fn is_terminal(self) -> bool {
        COMPLETED.contains(&self.word())
    }
}

/// Every status that a run has had, the current one last.
#[derive(Clone, Debug)]
pub(crate) struct RunHistory(Vec<RunStatus>);

impl RunHistory {
    pub(crate) fn queued() -> Self {
        RunHistory(vec![RunStatus::Queued])
    }

    pub(crate) fn current(&self) -> RunStatus {
        self.0.last().copied().unwrap_or(RunStatus::Queued)
    }

    pub(crate) fn enter(&mut self, status: RunStatus) {
        self.0.push(status);
    }

    /// Whether the run has ever had the status of this word.
    pub(crate) fn has_reached(&self, word: &str) -> bool {
        self.0.iter().any(|status| status.word() == word)
    }

    pub(crate) fn words(&self) -> Vec<&'static str> {
        self.0.iter().map(|status| status.word()).collect()
    }
}

/// Whether a status `word` is in the `group` that a list was filtered by; in doubt it is.
pub(crate) fn is_in_group(word: &str, group: &str) -> bool {
    match group.to_ascii_lowercase().as_str() {
        "queued" => QUEUED.contains(&word),
        "running" => RUNNING.contains(&word),
        "completed" => COMPLETED.contains(&word),
        "active" => QUEUED.contains(&word) || RUNNING.contains(&word),
        // Nothing is ever archived here.
        "archived" => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_four_words_are_terminal() {
        assert!(RunStatus::Stopped.is_terminal() && RunStatus::Error.is_terminal());
        assert!(!RunStatus::Finishing.is_terminal() && !RunStatus::StopRequested.is_terminal());
    }

    #[test]
    fn groups_sort_words_and_unknown_groups_hold_all() {
        assert!(is_in_group("Running", "Active") && is_in_group("Queued", "active"));
        assert!(!is_in_group("Succeeded", "active"));
        assert!(is_in_group("Faulty", "all"));
        assert!(!is_in_group("Succeeded", "archived"));
    }
}
