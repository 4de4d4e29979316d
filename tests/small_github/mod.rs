//! The small GitHub of rehearsals, behind a server that remembers requests and misbehaves on request.
#![allow(dead_code, unused_imports, reason = "each test uses the part it needs")]

use std::sync::{Arc, Mutex, MutexGuard};

use rehearsal::small_github::{Asked, SmallGitHub as Settings};
pub use rehearsal::small_github::{Environment, Policy, Repository};

use crate::harness::Scene;
use crate::harness::github::TOKEN;
use crate::harness::github::server::{Reply, Request, Server};

/// The repository that tests are about.
pub const WINE: &str = "example-org/wine";

/// A running one.
pub struct SmallGitHub {
    pub server: Server,
    state: Arc<Mutex<Settings>>,
}

impl SmallGitHub {
    /// One with the repository [`WINE`], the people ann, ben and cleo, and the team wine-reviewers.
    pub fn start() -> Self {
        let wine = Repository {
            branch: "main".into(),
            people: named(&[("Ann", 11), ("ben", 12), ("cleo", 13)]),
            teams: named(&[("wine-reviewers", 21), ("cellar", 22)]),
            artifact_days: 90,
            ..Repository::default()
        };
        let mut state = Settings::new(TOKEN);
        state.repositories.insert(WINE.to_owned(), wine);
        let state = Arc::new(Mutex::new(state));
        let held = state.clone();
        let server = Server::start(move |request: &Request| {
            let answer = held.lock().unwrap().answer(&Asked {
                method: &request.method,
                path: &request.path,
                authorization: request.header("authorization"),
                accept: request.header("accept"),
                version: request.header("x-github-api-version"),
                body: request.body.as_ref(),
            });
            match answer.body {
                Some(body) => Reply::json(answer.status, body),
                None => Reply::empty(answer.status),
            }
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

    pub fn state(&self) -> MutexGuard<'_, Settings> {
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

/// Names with their ids.
pub fn named(all: &[(&str, u64)]) -> Vec<(String, u64)> {
    all.iter()
        .map(|(name, id)| ((*name).to_owned(), *id))
        .collect()
}
