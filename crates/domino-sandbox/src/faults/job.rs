//! Faults of jobs: what they report wrongly of themselves.

use serde::Deserialize;

/// How jobs misreport themselves. What really happens to them is unaffected, and [`crate::Sandbox::state`] tells the
/// truth.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct JobFault {
    /// Only jobs whose command contains this text; all when empty.
    pub command: String,
    /// How many jobs are affected; all if absent.
    pub times: Option<usize>,
    /// What the first reads of the status show, one after the other, before the truth.
    pub statuses: Vec<String>,
    /// The status that is shown forever once the job has reached it.
    pub stuck_at: Option<String>,
    /// For how many reads `isCompleted` stays false after the job has ended.
    pub completed_lag: usize,
    /// How many lines of the page before are repeated in each page of the log.
    pub log_repeats: usize,
    /// For how many reads of the log the last ten lines of an ended job are missing.
    pub log_late: usize,
    /// The log calls itself complete on every page of an ended job, not only on the last one.
    pub log_complete_early: bool,
    /// Until the job has ended, its log has one more line whenever it is read.
    pub log_never_pauses: bool,
}
