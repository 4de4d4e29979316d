//! What the four programs share: the client of Domino's REST API, and what a step shows.
//!
//! It imports `stage-file` and no other crate of ours, knows nothing of GitHub's file layout beyond what a step shows, and is the
//! only place that speaks HTTP to Domino, and to GitHub: with a few questions, and to set its environments up.

pub mod api;
pub mod approval;
pub mod bundle_gates;
pub mod checkout;
pub mod choice;
pub mod client;
pub mod commit;
pub mod commit_order;
pub mod credential;
pub mod deployment;
pub mod deployment_marker;
pub mod error;
pub mod execution_context;
mod exit;
pub mod github;
pub mod handed_on;
pub mod hold;
pub mod job_run;
pub mod let_in;
pub mod older_commit;
pub mod own_endpoint;
pub mod place;
pub mod receipt;
pub mod receipt_before;
pub mod rerun;
pub mod revision;
pub mod run_settings;
pub mod scrubber;
pub mod serving;
pub mod smoke_test_before;
mod stderr;
pub mod step;
pub mod variable;
pub mod version_identity;
pub mod wait;
pub mod workflow_start;
