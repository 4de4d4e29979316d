//! The words a run's status can be, and the groups a deployment sorts them into.

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
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

/// The words of each group, as `getStatus/values` tells them; more than the sandbox walks through.
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

impl Status {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Status::Queued => "Queued",
            Status::Scheduled => "Scheduled",
            Status::Preparing => "Preparing",
            Status::Pulling => "Pulling",
            Status::Running => "Running",
            Status::StopRequested => "StopRequested",
            Status::StopAndDiscardRequested => "StopAndDiscardRequested",
            Status::Stopping => "Stopping",
            Status::Finishing => "Finishing",
            Status::Stopped => "Stopped",
            Status::Succeeded => "Succeeded",
            Status::Failed => "Failed",
            Status::Error => "Error",
        }
    }

    /// Whether nothing comes after it.
    pub(crate) fn is_terminal(self) -> bool {
        COMPLETED.contains(&self.word())
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
        assert!(Status::Stopped.is_terminal() && Status::Error.is_terminal());
        assert!(!Status::Finishing.is_terminal() && !Status::StopRequested.is_terminal());
    }

    #[test]
    fn groups_sort_words_and_unknown_groups_hold_all() {
        assert!(is_in_group("Running", "Active") && is_in_group("Queued", "active"));
        assert!(!is_in_group("Succeeded", "active"));
        assert!(is_in_group("Faulty", "all"));
        assert!(!is_in_group("Succeeded", "archived"));
    }
}
