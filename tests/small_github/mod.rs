//! A small GitHub: repositories with environments, their rules, branches, variables and secrets, with people, teams
//! and issues. It accepts what GitHub accepts, and refuses what GitHub is known to refuse. Secrets are decrypted with
//! a real key, so that a test sees what was encrypted.
#![allow(dead_code, reason = "each test uses the part it needs")]

mod answers;
mod routes;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use dryoc::dryocbox::StackKeyPair as KeyPair;
use serde_json::Value;

use crate::harness::Scene;
use crate::harness::github::TOKEN;
use crate::harness::github::server::{Request, Server};

/// The repository that tests are about.
pub const WINE: &str = "example-org/wine";

/// A running one.
pub struct SmallGitHub {
    pub server: Server,
    state: Arc<Mutex<State>>,
}

/// All that it holds.
pub struct State {
    pub repositories: BTreeMap<String, Repository>,
    /// By which secrets are sealed.
    pub pair: KeyPair,
    /// How often a secret was written to an environment that other branches than `main` could reach.
    pub careless: usize,
    /// Whether reviewers and wait timers can be had.
    pub has_rules: bool,
    /// Counts ids and times.
    clock: u64,
}

#[derive(Default)]
pub struct Repository {
    /// Logins and ids of those who can read it.
    pub people: Vec<(&'static str, u64)>,
    /// Slugs and ids.
    pub teams: Vec<(&'static str, u64)>,
    pub protected_branches: Vec<&'static str>,
    pub environments: BTreeMap<String, Environment>,
    pub secrets: Vec<&'static str>,
    pub organization_secrets: Vec<&'static str>,
    pub artifact_days: u32,
    pub issues: Vec<Value>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Environment {
    /// `User` or `Team`, and the id.
    pub reviewers: Vec<(String, u64)>,
    pub prevents_self_review: bool,
    pub wait_timer: u64,
    /// Protected branches, or else named ones; `None` for any.
    pub protected_branches: Option<bool>,
    pub policies: Vec<Policy>,
    pub variables: BTreeMap<String, String>,
    /// The value in clear, and when it was written.
    pub secrets: BTreeMap<String, (String, u64)>,
    pub is_closed_to_admins: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub id: u64,
    pub name: String,
    pub kind: String,
}

impl SmallGitHub {
    /// One with the repository [`WINE`], the people ann, ben and cleo, and the team wine-reviewers.
    pub fn start() -> Self {
        let wine = Repository {
            people: vec![("Ann", 11), ("ben", 12), ("cleo", 13)],
            teams: vec![("wine-reviewers", 21), ("cellar", 22)],
            artifact_days: 90,
            ..Repository::default()
        };
        let state = Arc::new(Mutex::new(State {
            repositories: [(WINE.to_owned(), wine)].into(),
            pair: KeyPair::generate(),
            careless: 0,
            has_rules: true,
            clock: 100,
        }));
        let held = state.clone();
        let server = Server::start(move |request: &Request| {
            routes::answer(&mut held.lock().unwrap(), request)
        });
        Self { server, state }
    }

    /// Tells a scene's programs where it is.
    pub fn asked_by(&self, scene: &mut Scene) {
        scene
            .variable("GITHUB_API_URL", &self.server.url)
            .variable("GITHUB_REPOSITORY", WINE)
            .variable("GITHUB_TOKEN", TOKEN);
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Changes the repository [`WINE`] by hand.
    pub fn change(&self, change: impl FnOnce(&mut Repository)) {
        change(self.state().repositories.get_mut(WINE).unwrap());
    }

    /// Changes or makes an environment of [`WINE`] by hand.
    pub fn environment(&self, name: &str, change: impl FnOnce(&mut Environment)) {
        self.change(|wine| change(wine.environments.entry(name.to_owned()).or_default()));
    }

    /// An environment of [`WINE`] as it is now.
    pub fn look(&self, name: &str) -> Option<Environment> {
        self.state().repositories[WINE]
            .environments
            .get(name)
            .cloned()
    }

    /// What was written so far, as `METHOD /path` below the repository.
    pub fn writes(&self) -> Vec<String> {
        let exchanges = self.server.exchanges();
        let writes = exchanges
            .iter()
            .filter(|(request, _)| request.method != "GET");
        writes
            .map(|(request, _)| request.route().replace(&format!("/repos/{WINE}"), ""))
            .collect()
    }
}

impl Environment {
    /// Whether the one branch may deploy, and nothing else.
    pub fn takes_only(&self, branch: &str) -> bool {
        self.protected_branches == Some(false)
            && matches!(&self.policies[..], [one] if one.name == branch && one.kind == "branch")
    }
}
