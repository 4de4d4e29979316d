//! Runs workflow files on this machine as GitHub's runner would. Workflows run side by side; a job starts once the
//! jobs that it needs have finished and its concurrency group is free. Steps get their environment, artifacts and
//! outputs are handed on, and approvals are asked for.
//!
//! What cannot be done as on GitHub is named and fails the rehearsal; nothing is skipped in silence. This crate does
//! not know Domino: what a job is given, and what else an approval needs, comes through
//! [`settings::RepositorySettings`].

mod action;
pub mod again;
pub mod approval;
pub mod artifacts;
mod background;
pub mod checks;
mod command_files;
mod concurrency;
pub mod console;
mod executed;
mod file_pattern;
pub mod github;
pub mod github_api;
pub mod interrupt;
mod job;
pub mod job_records;
mod job_run;
mod masks;
mod order;
pub mod process;
pub mod report;
pub mod repository;
pub mod runner;
mod script;
pub mod settings;
mod shell;
pub mod small_github;
mod step;
mod step_log;
#[cfg(test)]
mod tests;
pub mod workflow;
mod workflow_command;
pub mod workflow_run;
pub mod workspace;
