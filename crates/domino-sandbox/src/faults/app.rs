//! Faults of apps: how their instances fail. Each instance gets its fault when it is started.

use serde::Deserialize;

/// How an instance of an app fails. [`crate::Sandbox::state`] still tells the truth.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AppFault {
    /// Only instances of apps whose name contains this text; all when empty.
    pub app: String,
    /// How many instances are affected; all if absent.
    pub times: Option<usize>,
    /// What the first reads of the status show, one after the other, before the truth.
    pub statuses: Vec<String>,
    /// The status that is shown forever once the instance has reached it.
    pub stuck_at: Option<String>,
    /// The instance fails while it is prepared, with this as the last line of its log.
    pub start_fails: Option<String>,
    /// A stop never gets beyond `Stopping`, and the process lives on, unless it is forced.
    pub stop_hangs: bool,
    /// The instance waits until those before it have stopped, also where it would start beside
    /// them.
    pub stops_first: bool,
}
