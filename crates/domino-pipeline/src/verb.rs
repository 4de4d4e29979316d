//! The verbs, and how each ends.

use std::process::ExitCode;

use clap::Subcommand;

use crate::{cron, gen_workflows, init, plan, schema};

#[cfg(feature = "contract")]
use crate::check_contract;
#[cfg(feature = "import-ini")]
use crate::import_ini;
#[cfg(feature = "rehearse")]
use crate::{back, doctor, domino, github, history, receipts, rehearse, rotate, status};

/// What `domino-pipeline` can do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Begin a pipeline in a repository: stages.toml, its workflows, and a sample on request
    Init(init::Args),
    /// Write the workflow files and the picture of the pipeline from stages.toml
    GenWorkflows(gen_workflows::Args),
    /// Show what merging a change would deploy where, without asking Domino
    Plan(plan::Args),
    /// Run the workflow files here, stage by stage, against a Domino on this machine
    #[cfg(feature = "rehearse")]
    Rehearse(rehearse::Args),
    /// Explain a cron expression, and show the next times at which Quartz fires by it
    Cron(cron::Args),
    /// Write stages.schema.json, by which editors complete stages.toml
    Schema(schema::Args),
    /// Hold what the programs send against the specs of a Domino
    #[cfg(feature = "contract")]
    CheckContract(check_contract::Args),
    /// Set up the GitHub environments of the stages: rules, variable, secrets; plan first, then apply
    #[cfg(feature = "rehearse")]
    Github(github::Args),
    /// Set up the stages in Domino: project, service account, its role, git access and token; plan first, then apply
    #[cfg(feature = "rehearse")]
    Domino(domino::Args),
    /// Give a stage a new token: into the GitHub secret, looked at, and the old one invalidated
    #[cfg(feature = "rehearse")]
    Rotate(rotate::Args),
    /// Look at a live deployment without changing it, and say what to do before the first push
    #[cfg(feature = "rehearse")]
    Doctor(doctor::Args),
    /// Show what runs where, since when and by whom, and what is not as stages.toml says
    #[cfg(feature = "rehearse")]
    Status(status::Args),
    /// Go back to what ran in a stage before, and hold it there, or let it go on
    #[cfg(feature = "rehearse")]
    Back(back::Args),
    /// Show what was deployed where, when, by whom and with whose approval, from the receipts of deployments
    #[cfg(feature = "rehearse")]
    History(history::Args),
    /// Keep the receipts of deployments in the repository
    #[cfg(feature = "rehearse")]
    Receipts(receipts::Args),
    /// Make a stages.toml of the Python templates' env-variables.ini
    #[cfg(feature = "import-ini")]
    ImportIni(import_ini::Args),
}

impl Verb {
    /// Runs the verb, and tells the person if that was not possible.
    pub fn run(self) -> ExitCode {
        let done = match self {
            Self::Init(args) => init::run(&args),
            Self::GenWorkflows(args) => gen_workflows::run(&args),
            Self::Plan(args) => plan::run(&args),
            #[cfg(feature = "rehearse")]
            Self::Rehearse(args) => rehearse::run(args).map_err(Into::into),
            Self::Cron(args) => cron::run(&args),
            Self::Schema(args) => schema::run(&args),
            #[cfg(feature = "contract")]
            Self::CheckContract(args) => check_contract::run(args).map_err(Into::into),
            #[cfg(feature = "rehearse")]
            Self::Github(args) => github::run(&args),
            #[cfg(feature = "rehearse")]
            Self::Domino(args) => domino::run(&args),
            #[cfg(feature = "rehearse")]
            Self::Rotate(args) => rotate::run(&args),
            #[cfg(feature = "rehearse")]
            Self::Doctor(args) => doctor::run(&args),
            #[cfg(feature = "rehearse")]
            Self::Status(args) => status::run(&args),
            #[cfg(feature = "rehearse")]
            Self::Back(args) => back::run(&args),
            #[cfg(feature = "rehearse")]
            Self::History(args) => history::run(&args),
            #[cfg(feature = "rehearse")]
            Self::Receipts(args) => receipts::run(&args),
            #[cfg(feature = "import-ini")]
            Self::ImportIni(args) => import_ini::run(&args),
        };
        done.unwrap_or_else(|error| {
            eprint!("{}", error.told());
            ExitCode::from(error.exit_code())
        })
    }
}
