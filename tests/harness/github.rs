//! A stand-in for GitHub's API, as far as a step uses it.

pub mod description;
pub mod server;

use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use self::server::{Reply, Request, Server};
use super::{Scene, secrets};

/// The token of the job.
pub const TOKEN: &str = secrets::GITHUB_TOKEN;

/// What is answered: the end of a path, status, body. Anything else is not found.
pub type Answers = Vec<(&'static str, u16, Value)>;

/// Makes the program a step of run 77, which `ben` started, and answers what it asks GitHub. Each question is told.
pub fn on_github(scene: &mut Scene, answers: Answers) -> Receiver<String> {
    let (asked, requests) = channel();
    let server = Server::start(move |request: &Request| {
        // The test may have heard enough.
        let _ = asked.send(request.head.clone());
        let answer = answers
            .iter()
            .find(|(end, _, _)| request.path.ends_with(end));
        match answer {
            Some((_, status, body)) => Reply::json(*status, body.clone()),
            None => Reply::error(404, "Not Found"),
        }
    });
    scene
        .on_github("77")
        .variable("GITHUB_API_URL", &server.url)
        .variable("GITHUB_REPOSITORY", "acme/wine")
        .variable("GITHUB_TOKEN", TOKEN)
        .variable("GITHUB_ACTOR", "ben");
    requests
}

/// What a reviewer said of an environment.
pub fn review(state: &str, user: &str, environment: &str) -> Value {
    json!({
        "state": state, "comment": "", "user": {"login": user, "id": 1},
        "environments": [{"id": 1, "name": environment}],
    })
}
