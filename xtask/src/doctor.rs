//! `doctor`: looks at a live deployment, as far as one stage needs it, and says what is well and what to do.
//!
//! It only reads: it holds no writer. What the deploy programs would look for is looked for here by the same code, so
//! that both come to the same verdict.

mod deployment;
mod finding;
mod github;
mod placement;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use domino_core::client::{Connection, Limits};
use domino_core::credential::Credential;
use domino_core::error::CommandError;
use domino_core::step::{Format, Step, Subject, block_on, duration, host_of};
use stage_file::{Stage, StageFile};

use self::finding::Finding;
use crate::another_repository;

/// The arguments of `cargo xtask doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The stage to look at, as in stages.toml
    #[arg(long, value_name = "STAGE")]
    pub stage: String,
    /// The stage file; when not given, stages.toml here or in a folder above
    #[arg(long, value_name = "FILE")]
    pub stages: Option<PathBuf>,
    /// PEM file of the certificate authorities to believe, in place of the built-in ones (or SSL_CERT_FILE)
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// How long one request may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub request_timeout: Duration,
    /// Name each request and its answer's status on stderr
    #[arg(short, long)]
    pub verbose: bool,
    /// Multiplies every pause between requests; below 1 for tests
    #[arg(long, hide = true, env = "DOMINO_PACE", default_value_t = 1.0)]
    pub pace: f64,
}

/// What a visit goes out from.
struct Visit<'a> {
    file: &'a StageFile,
    stage: &'a Stage,
    connection: Connection,
    /// Why there is no credential, when there is none; then only what needs none is asked.
    no_credential: Option<Finding>,
}

/// Poll at one stage's deployment and prints one line for each thing; the exit is 3 when something is to be done,
/// and 4 when something could not be reached or understood.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let file = StageFile::find(args.stages.as_deref())?;
    let stage = file.stage(&args.stage)?;
    let subject = Subject {
        program: "doctor",
        verb: "",
        entity: String::new(),
        stage: stage.name.clone(),
    };
    let mut step = Step::begin(subject, Format::Text);
    let visit = Visit::prepare(args, &file, stage, &mut step)?;
    let findings = block_on(async {
        let (domino, github) = tokio::join!(deployment::look(&visit), github::look(&visit));
        Ok([vec![Finding::of_file(&file)], domino, github].concat())
    })?;
    for finding in &findings {
        step.log_to_stdout(&finding.to_string())?;
    }
    Ok(ExitCode::from(finding::exit(&findings) as u8))
}

impl<'a> Visit<'a> {
    fn prepare(
        args: &Args,
        file: &'a StageFile,
        stage: &'a Stage,
        step: &mut Step,
    ) -> Result<Self, CommandError> {
        let (credential, no_credential) = match Credential::from_variables(variable) {
            Ok(credential) => (credential, None),
            Err(failure) => {
                let finding = Finding::of_error("credential", &failure);
                (Credential::Anonymous, Some(finding))
            }
        };
        let host = host_of(stage, &credential)?;
        step.hide(&credential);
        if let Some(token) = variable("GITHUB_TOKEN") {
            step.hide_text(&token);
        }
        let limits = Limits {
            request: args.request_timeout,
            delay_scale: args.pace,
            ca_file: args.ca_file.clone(),
            verbose: args.verbose,
            scrubber: step.scrubber().clone(),
            program: concat!("xtask-doctor/", env!("CARGO_PKG_VERSION")),
            ..Limits::default()
        };
        Ok(Self {
            file,
            stage,
            connection: Connection::open(host, credential, limits)?,
            no_credential,
        })
    }

    /// The GitHub repository, `owner/name`: as the environment has it, or else git's origin. Without a token to ask
    /// GitHub with, an origin is not taken for more than it may be.
    fn github_repository(&self) -> Option<String> {
        let origin = || {
            variable("GITHUB_TOKEN")?;
            let folder = self.file.path.parent()?;
            // The folder of a bare `stages.toml` is this one.
            another_repository::origin(&std::path::Path::new(".").join(folder))
        };
        variable("GITHUB_REPOSITORY").or_else(origin)
    }

    /// A key of the stage, as a hint names it.
    fn place_of(&self, key: &str) -> String {
        self.file.place_of(&["stage", &self.stage.name, key])
    }
}

/// A variable of the environment; empty counts as not set.
fn variable(name: &str) -> Option<String> {
    std::env::var(name)
        .ok()
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}
