//! Faults of endpoints: versions that fail to build, get stuck, misreport themselves or die. Each
//! version gets its fault when it is made, and its deployment does what it says.

use serde::Deserialize;

/// How versions of model endpoints fail.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelFault {
    /// Only endpoints whose name contains this text; all when empty.
    pub endpoint: String,
    /// How many versions are affected; all if absent.
    pub times: Option<usize>,
    /// The build fails after all its input was found.
    pub build_fails: bool,
    /// The last status that the version reaches. A word that is not on the way to `Running`, such as `Stalled`, is
    /// shown in place of `Running`.
    pub stuck_at: Option<String>,
    /// What the first reads of the status show, one after the other, before the truth.
    pub statuses: Vec<String>,
    /// The process dies after this number of answered requests; with 0, as soon as it serves.
    pub dies_after: Option<usize>,
}
