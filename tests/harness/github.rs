//! A stand-in for GitHub's API, as far as a step asks it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use super::{Scene, secrets};

/// The token of the job.
pub const TOKEN: &str = secrets::GITHUB_TOKEN;

/// What is answered: the end of a path, status, body. Anything else is not found.
pub type Answers = Vec<(&'static str, u16, Value)>;

/// Makes the program a step of run 77, which `ben` started, and answers what it asks GitHub. Each question is told.
pub fn on_github(scene: &mut Scene, answers: Answers) -> Receiver<String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, requests) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1)
            {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let path = head.split([' ', '?']).nth(1).unwrap_or_default();
            let answer = answers.iter().find(|(end, _, _)| path.ends_with(end));
            let (status, body) = match answer {
                Some((_, status, body)) => (*status, body.to_string()),
                None => (404, json!({"message": "Not Found"}).to_string()),
            };
            let _ = write!(
                stream,
                "HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{body}",
                body.len()
            );
            // The test may have heard enough.
            let _ = asked.send(head);
        }
    });
    scene
        .on_github("77")
        .variable("GITHUB_API_URL", &format!("http://{address}"))
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
