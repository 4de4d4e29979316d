//! Runs workflow files on this machine as GitHub's runner would: workflows side by side, jobs once what they need has
//! finished and their concurrency group is free, steps with their environment, artifacts and outputs handed on, approvals
//! asked for.
//!
//! What cannot be done as on GitHub is named and makes the rehearsal fail; nothing is skipped in silence. It knows no
//! Domino: what a job is given, and what else an approval needs, comes through [`settings::RepositorySettings`].

pub mod action;
pub mod again;
pub mod approval;
pub mod artifacts;
pub mod background;
pub mod checks;
pub mod command_files;
pub mod concurrency;
pub mod console;
pub mod executed;
pub mod file_pattern;
pub mod github;
pub mod github_api;
pub mod interrupt;
pub mod job;
pub mod job_records;
pub mod job_run;
pub mod masks;
pub mod order;
pub mod process;
pub mod report;
pub mod repository;
pub mod runner;
pub mod script;
pub mod settings;
pub mod shell;
pub mod step;
pub mod step_log;
#[cfg(test)]
mod tests;
pub mod workflow;
pub mod workflow_command;
pub mod workflow_run;
pub mod workspace;
