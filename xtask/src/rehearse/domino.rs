//! The Domino of a rehearsal: a sandbox seeded from the stage file, and the settings of every GitHub environment.

use std::io::IsTerminal;
use std::path::Path;
use std::rc::Rc;

use domino_sandbox::{Pace, Sandbox, Seed, Version};

use super::repository::Repository;

/// The user of the sandbox who approves in Domino.
const APPROVER: &str = "approver";
/// The user of the sandbox that steps sign in as.
const STEPS_USER: &str = "ci-bot";

/// The Domino that steps are sent to.
#[derive(Debug, Clone)]
pub struct Domino {
    /// Its address: steps of jobs with an environment find it as `DOMINO_API_HOST`.
    pub url: String,
    /// The secrets of every environment.
    pub secrets: Vec<(String, String)>,
    /// Where Domino's own approvals are given.
    pub desk: Desk,
}

/// The desk of the one who approves in Domino. There is none where nothing is asked for in Domino.
#[derive(Clone, Default)]
pub struct Desk(Option<Rc<Sandbox>>);

impl Desk {
    /// What waits for an approval in Domino.
    pub fn waiting(&self) -> Vec<String> {
        self.0
            .as_ref()
            .map_or_else(Vec::new, |sandbox| sandbox.waiting_requests())
    }

    /// Approves it as the sandbox's own approver, who is not the one that steps sign in as.
    pub fn approve(&self) -> Vec<String> {
        let Some(sandbox) = &self.0 else {
            return Vec::new();
        };
        sandbox
            .approve_waiting(APPROVER)
            .unwrap_or_else(|problem| vec![problem.to_string()])
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desk")
    }
}

impl Domino {
    /// The variables of a GitHub environment: which stage it is.
    pub fn vars(&self, environment: &str) -> Vec<(String, String)> {
        vec![("DOMINO_ENV".to_owned(), environment.to_owned())]
    }

    /// The sandbox, with the token of a service account in every environment, as the README says to set them up,
    /// and the token that its model endpoints take.
    pub fn of(sandbox: &Rc<Sandbox>, model_token: String) -> Self {
        let account = sandbox.user(STEPS_USER);
        Self {
            url: sandbox.url().to_owned(),
            secrets: vec![
                ("DOMINO_TOKEN".to_owned(), account.token),
                ("DOMINO_MODEL_TOKEN".to_owned(), model_token),
            ],
            desk: Desk(Some(Rc::clone(sandbox))),
        }
    }
}

/// Starts a sandbox with what the stage file names.
///
/// # Errors
/// When the stage file or the file of faults cannot be read, or there is no port to be had.
pub fn start_sandbox(
    repository: &Repository,
    stage_file: &str,
    version: Version,
    faults: Option<&Path>,
    model_token: &str,
    mlflow: Option<String>,
) -> anyhow::Result<Rc<Sandbox>> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), stage_file)?;
    let sandbox = Sandbox::start(domino_sandbox::Options {
        repository: repository.root.clone(),
        version,
        // A person wants to see the statuses go by; nobody else does.
        pace: if std::io::stdout().is_terminal() {
            Pace::human()
        } else {
            Pace::instant()
        },
        seed: Seed::from_stage_file(file.path())?,
        model_token: Some(model_token.to_owned()),
        mlflow,
        ..domino_sandbox::Options::default()
    })?;
    if let Some(faults) = faults {
        sandbox.faults().load(faults)?;
    }
    Ok(Rc::new(sandbox))
}
