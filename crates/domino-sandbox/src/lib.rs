//! A Domino on your own machine: the HTTP API as Domino answers it, with real processes behind it.
//!
//! It is written from what is known about Domino's API and shares no code with any client, so that both can be wrong
//! only in different ways. It is for rehearsals and tests: it keeps everything in memory, listens on loopback only,
//! and forgets everything when it stops.

mod account;
mod apps;
mod apps_v1;
mod catalog;
mod checkout;
mod clock;
mod data_planes;
mod decisions;
mod delays;
mod domino;
mod environments;
mod execution;
mod external_volumes;
mod faults;
mod git_credentials;
mod git_ref;
mod governance;
mod hardware_tiers;
mod host;
mod html;
mod id;
mod index;
mod jobs;
mod locked;
mod log;
mod mlflow;
mod mlflow_context;
mod model_apis;
mod options;
mod outbound;
mod own_specs;
mod process;
#[doc(hidden)]
pub mod program;
mod projects;
mod recorder;
mod registered_models;
mod reply;
mod repository;
mod request;
mod reviews;
mod run_proxy;
mod run_status;
mod run_tags;
mod running_sandbox;
mod scheduled_jobs;
mod seed;
mod server;
mod service_accounts;
mod store;
mod users;
mod version;
mod wire;

use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context;
use serde_json::Value;
use tokio::sync::oneshot;

pub use account::{Account, Credential};
pub use apps_v1::AppsV1;
pub use delays::Pace;
pub use faults::{AppFault, Fault, Faults, JobFault, Misbehaviour, ModelFault};
pub use mlflow_context::MlflowContext;
pub use model_apis::{EndpointChange, Role};
pub use options::Options;
pub use recorder::Recorded;
pub use running_sandbox::RunningSandbox;
pub use seed::{HardwareTierSeed, PolicySeed, Seed};
pub use version::Version;

use domino::Domino;

/// A running sandbox. Dropping it ends every process that it started and removes what they wrote.
pub struct Sandbox {
    domino: Arc<Domino>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Sandbox {
    /// Starts a sandbox on a thread of its own and returns once it accepts connections.
    ///
    /// # Errors
    /// When the address is not loopback or already taken, or the options contradict each other.
    pub fn start(options: Options) -> anyhow::Result<Sandbox> {
        anyhow::ensure!(
            options.listen.ip().is_loopback(),
            "a sandbox listens on loopback only, and {} is reachable from elsewhere",
            options.listen.ip()
        );
        let listener = std::net::TcpListener::bind(options.listen)
            .with_context(|| format!("cannot listen on {}", options.listen))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let domino = Arc::new(Domino::new(options, address)?);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let serving = domino.clone();
        let thread = std::thread::Builder::new()
            .name("domino-sandbox".to_owned())
            .spawn(move || {
                runtime.block_on(server::serve(serving, listener, stopped));
                // Folders of ended runs may still be being removed.
                runtime.shutdown_timeout(std::time::Duration::from_secs(2));
            })?;
        Ok(Sandbox {
            domino,
            running: Some((stop, thread)),
        })
    }

    /// The address, such as `http://127.0.0.1:41234`, without a final slash.
    pub fn url(&self) -> &str {
        &self.domino.host.url
    }

    /// The credentials of a user.
    ///
    /// # Panics
    /// When the seed has no such user.
    pub fn user(&self, user_name: &str) -> Account {
        match self.domino.host.accounts.named(user_name) {
            Some(account) => account,
            None => panic!("the sandbox has no user `{user_name}`"),
        }
    }

    /// The credentials of every user.
    pub fn accounts(&self) -> Vec<Account> {
        self.domino.host.accounts.all()
    }

    /// The access token of a model endpoint, by its id or its name, as a person would copy it from
    /// Domino's pages. None when there is no such endpoint, or several have the name.
    pub fn model_token(&self, endpoint: &str) -> Option<String> {
        let api = self.domino.model_apis.named(endpoint)?;
        Some(api.token().to_owned())
    }

    /// Changes an endpoint, by its id or its name, as a person does on Domino's pages.
    ///
    /// # Errors
    /// When there is no such endpoint, user or version.
    pub fn change_endpoint(
        &self,
        endpoint: &str,
        change: EndpointChange<'_>,
    ) -> anyhow::Result<()> {
        let users = &self.domino.catalog.users;
        self.domino
            .model_apis
            .change_by_hand(users, endpoint, change)
    }

    /// Adds runs of `command` to the project `owner/name` that the user `author` started and that succeeded: the last
    /// one `apart` ago, each that long after the one before.
    ///
    /// # Errors
    /// When there is no such project, or it has nothing to run in.
    pub fn add_finished_runs(
        &self,
        project: &str,
        command: &str,
        number: u32,
        apart: std::time::Duration,
    ) -> anyhow::Result<()> {
        let catalog = &self.domino.catalog;
        let (owner, name) = project.split_once('/').unwrap_or(("", project));
        let of_project = catalog.projects.named(owner, name);
        let of_project = of_project.with_context(|| format!("there is no project `{project}`"))?;
        let user = catalog.users.named("author").context("no user `author`")?;
        self.domino
            .jobs
            .add_finished(&user, &of_project, command, number, apart.try_into()?)
            .map_err(|failure| anyhow::anyhow!(failure.message))
    }

    /// Every token that was made for a service account: its account, its name, the token itself and whether it is valid.
    pub fn tokens_of_service_accounts(&self) -> Vec<(String, String, String, bool)> {
        let tokens = self.domino.host.accounts.tokens();
        let told = tokens.iter().map(|token| {
            let texts = (token.user_name.clone(), token.name.clone());
            (texts.0, texts.1, token.value.clone(), token.is_valid)
        });
        told.collect()
    }

    /// Everything the sandbox holds, one key for each noun: the truth, whatever faults make the
    /// replies say.
    pub fn state(&self) -> Value {
        self.domino.state()
    }

    /// Renames the project `owner/name`, as a person does on its page of settings; no route for that is known.
    ///
    /// # Panics
    /// When there is no such project.
    pub fn rename_project(&self, owner: &str, name: &str, to: &str) {
        match self.domino.catalog.projects.named(owner, name) {
            Some(project) => project.rename(to),
            None => panic!("the sandbox has no project `{owner}/{name}`"),
        }
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        self.domino.recorder.requests()
    }

    /// The faults; add to them at any time.
    pub fn faults(&self) -> &Faults {
        &self.domino.host.faults
    }

    /// Every request that waits for an approval, one line each.
    pub fn waiting_requests(&self) -> Vec<String> {
        let waiting = self.domino.decisions.waiting();
        waiting.iter().map(ToString::to_string).collect()
    }

    /// Approves, as `user_name`, everything that waits for that user, and reports the result of each.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn approve_waiting(&self, user_name: &str) -> anyhow::Result<Vec<String>> {
        let user = self.domino.catalog.users.named(user_name);
        let user = user.with_context(|| format!("the sandbox has no user `{user_name}`"))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(runtime.block_on(self.domino.decisions.approve_all(&user)))
    }

    /// Stops listening, ends every process and removes what they wrote.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            // The receiver is gone only when the thread has ended by itself.
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.end();
    }
}
