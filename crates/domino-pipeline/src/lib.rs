//! What a person does with a stage file: one verb, one module.
//!
//! It joins the stage file with GitHub's workflow files, and, to rehearse them, with the runner and the sandbox. It
//! deploys nothing; that is the four programs' to do. The verbs that ask no Domino need neither the client nor the
//! sandbox, and are compiled without both by `--no-default-features`.

pub mod actions;
mod another_repository;
#[cfg(feature = "rehearse")]
mod back;
#[cfg(feature = "contract")]
mod check_contract;
mod checks;
mod cron;
pub mod diagram;
#[cfg(feature = "rehearse")]
mod doctor;
#[cfg(feature = "rehearse")]
mod domino;
mod error;
mod first_stage_file;
pub mod gen_workflows;
#[cfg(feature = "rehearse")]
mod github;
#[cfg(feature = "rehearse")]
mod github_access;
#[cfg(feature = "rehearse")]
mod history;
#[cfg(feature = "import-ini")]
mod import_ini;
mod init;
pub mod pipelines;
mod plan;
#[cfg(feature = "rehearse")]
mod printed;
mod readme;
#[cfg(feature = "rehearse")]
mod receipts;
mod reference;
#[cfg(feature = "rehearse")]
mod rehearse;
pub mod repository;
#[cfg(feature = "rehearse")]
mod request_flags;
#[cfg(feature = "rehearse")]
mod rotate;
pub mod schema;
mod share;
#[cfg(feature = "rehearse")]
mod stage_token;
#[cfg(feature = "rehearse")]
mod status;
pub mod verb;
