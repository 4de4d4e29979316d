//! What a person does with a stage file: one verb, one module.
//!
//! It joins the stage file with GitHub's workflow files, and, to rehearse them, with the runner and the sandbox. It
//! deploys nothing; that is the four programs' to do. The verbs that ask no Domino need neither the client nor the
//! sandbox, and are compiled without both by `--no-default-features`.

pub mod actions;
pub mod another_repository;
#[cfg(feature = "rehearse")]
pub mod back;
#[cfg(feature = "contract")]
pub mod check_contract;
pub mod checks;
pub mod cron;
pub mod diagram;
#[cfg(feature = "rehearse")]
pub mod doctor;
#[cfg(feature = "rehearse")]
pub mod domino;
pub mod error;
pub mod first_stage_file;
pub mod gen_workflows;
#[cfg(feature = "rehearse")]
pub mod github;
#[cfg(feature = "rehearse")]
pub mod github_access;
#[cfg(feature = "rehearse")]
pub mod history;
#[cfg(feature = "import-ini")]
pub mod import_ini;
pub mod init;
pub mod pipelines;
pub mod plan;
#[cfg(feature = "rehearse")]
mod printed;
pub mod readme;
#[cfg(feature = "rehearse")]
pub mod receipts;
pub mod reference;
#[cfg(feature = "rehearse")]
pub mod rehearse;
pub mod repository;
#[cfg(feature = "rehearse")]
mod request_flags;
#[cfg(feature = "rehearse")]
pub mod rotate;
pub mod schema;
pub mod share;
#[cfg(feature = "rehearse")]
mod stage_token;
#[cfg(feature = "rehearse")]
pub mod status;
pub mod verb;
