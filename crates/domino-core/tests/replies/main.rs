//! Whatever a server answers, each method of the API returns: a value, or an error that a person can read. It never
//! panics, never asks without end, and never repeats a credential or a whole reply.
//!
//! The replies are valid ones changed in a few places, and anything at all in place of one.

mod bent;
mod bodies;
mod calls;
mod server;

use std::cell::Cell;
use std::time::Duration;

use domino_core::client::{Connection, Limits};
use domino_core::credential::Credential;
use domino_core::error::Exit;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use bent::{Change, any_json, changed};
use calls::{Call, Refusal, calls};
use server::{Reply, Server};

const CANARY: &str = "canary-token-1234";
/// The most requests for one list; more mean a list that is read without end.
const MOST_REQUESTS: usize = 1001;
/// The longest that an error may be, with everything that a server put into it.
const LONGEST_ERROR: usize = 2000;

/// What replaces a valid reply.
#[derive(Debug, Clone)]
enum Instead {
    /// The valid one, changed here and there.
    Bent(Vec<Change>),
    /// Some other JSON.
    Json(Value),
    /// No JSON at all.
    Bytes(Vec<u8>),
}

fn instead() -> impl Strategy<Value = Instead> {
    prop_oneof![
        6 => prop::collection::vec(bent::change(), 1..4).prop_map(Instead::Bent),
        2 => any_json().prop_map(Instead::Json),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Instead::Bytes),
    ]
}

fn status() -> impl Strategy<Value = u16> {
    prop_oneof![
        8 => Just(200_u16),
        1 => prop::sample::select(vec![201, 204, 302, 400, 401, 403, 404, 409, 422, 500, 501, 599]),
    ]
}

fn content_type() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "application/json",
        "application/json",
        "text/html",
        "application/octet-stream",
        "",
    ])
}

/// A server, a connection to it, and what runs the calls.
struct World {
    runtime: tokio::runtime::Runtime,
    server: Server,
    connection: Connection,
}

impl World {
    fn new() -> Self {
        let server = Server::start();
        let limits = Limits {
            request: Duration::from_secs(20),
            delay_scale: 0.0,
            ..Limits::default()
        };
        let credential = Credential::Token(CANARY.to_owned().into());
        let host = server.address().parse().unwrap();
        let mut builder = tokio::runtime::Builder::new_current_thread();
        World {
            runtime: builder.enable_all().build().unwrap(),
            connection: Connection::open(host, credential, limits).unwrap(),
            server,
        }
    }

    fn call(&self, call: &Call, replies: Vec<(String, Reply)>) -> Result<String, Refusal> {
        self.server.answer_with(replies);
        self.runtime.block_on((call.call)(self.connection.clone()))
    }
}

fn right(call: &Call) -> Vec<(String, Reply)> {
    let replies = call.replies.iter();
    replies
        .map(|(route, body)| ((*route).to_owned(), Reply::json(body)))
        .collect()
}

#[test]
fn every_method_understands_the_right_reply() {
    let world = World::new();
    for call in calls() {
        if let Err(error) = world.call(&call, right(&call)) {
            panic!("{}: {}", call.name, error.text);
        }
        let unknown = world.server.unknown();
        assert!(unknown.is_empty(), "{} asks for {unknown:?}", call.name);
    }
}

#[test]
fn no_reply_makes_a_method_panic_run_on_or_repeat_it() {
    let (world, calls) = (World::new(), calls());
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 3000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let (understood, refused) = (Cell::new(0_u32), Cell::new(0_u32));
    let input = (
        0..calls.len(),
        any::<prop::sample::Index>(),
        instead(),
        status(),
        content_type(),
    );
    let outcome = runner.run(&input, |(which, reply, instead, status, content_type)| {
        let call = &calls[which];
        let mut replies = right(call);
        let (_, place) = &mut replies[reply.index(call.replies.len())];
        let body = match &instead {
            Instead::Bent(changes) => {
                let value = call.replies[reply.index(call.replies.len())].1.clone();
                changed(value, changes).to_string().into_bytes()
            }
            Instead::Json(value) => value.to_string().into_bytes(),
            Instead::Bytes(bytes) => bytes.clone(),
        };
        *place = Reply {
            status,
            content_type,
            body,
        };
        let result = world.call(call, replies);
        prop_assert!(world.server.requests() <= MOST_REQUESTS, "{}", call.name);
        let Err(error) = result else {
            understood.set(understood.get() + 1);
            return Ok(());
        };
        refused.set(refused.get() + 1);
        prop_assert!(
            matches!(
                error.exit,
                Exit::Refused | Exit::Unreachable | Exit::NotApproved
            ),
            "{}: {:?}",
            call.name,
            error
        );
        let text = error.text;
        prop_assert!(!text.contains(CANARY), "{}: {}", call.name, text);
        let length = text.chars().count();
        prop_assert!(
            length <= LONGEST_ERROR,
            "{}: {} characters",
            call.name,
            length
        );
        for line in text.split("\n  caused by: ") {
            prop_assert!(
                !line.chars().any(char::is_control),
                "{}: {:?}",
                call.name,
                line
            );
        }
        Ok(())
    });
    if let Err(problem) = outcome {
        panic!("{problem}");
    }
    // If every reply were refused, or none, the replies would not be worth testing.
    assert!(understood.get() > 300, "{}", understood.get());
    assert!(refused.get() > 300, "{}", refused.get());
}
