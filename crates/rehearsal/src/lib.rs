//! Runs workflow files on this machine as GitHub's runner would. Workflows run side by side; a job starts once the
//! jobs that it needs have finished and its concurrency group is free. Steps get their environment, artifacts and
//! outputs are handed on, and approvals are asked for.
//!
//! What cannot be done as on GitHub is named and fails the rehearsal; nothing is skipped in silence. This crate does
//! not know Domino: what a job is given, and what else an approval needs, comes through
//! [`settings::RepositorySettings`].

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
pub mod small_github;
pub mod step;
pub mod step_log;
#[cfg(test)]
mod tests;
pub mod workflow;
pub mod workflow_command;
pub mod workflow_run;
pub mod workspace;
