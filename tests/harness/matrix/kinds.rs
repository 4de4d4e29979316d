//! What can happen to a request. A fault that lasts and one that passes count as two kinds.

use std::time::Duration;

use domino_sandbox::Misbehaviour;

use crate::harness::secrets::{MODEL_PAIR, MODEL_TOKEN, TOKEN};

/// The faults that tell most: refused, done without a reply, never done, never answered, and no success at all.
pub const TELLING: &[&str] = &[
    "401",
    "500 once",
    "502 after it was done",
    "reset before",
    "reset after",
    "half of the JSON",
    "sign-in page",
    "never, once",
    ANOTHER_AT_ONCE,
    STDERR_GONE,
];

/// A fault by name, and what is right under it.
pub struct Kind {
    pub name: &'static str,
    /// The fault of a route.
    pub fault: fn(&str) -> Misbehaviour,
    pub times: Option<usize>,
    /// The exit codes that are right.
    pub exits: &'static [i32],
    /// Words for the cause, one of which is in the error.
    pub tells: &'static [&'static str],
}

/// Two steps of the same at the same moment.
pub const ANOTHER_AT_ONCE: &str = "another one at once";
/// Nothing that is told can be written.
pub const STDERR_GONE: &str = "stderr gone";

impl Kind {
    /// Whether it is there until the program gives up.
    pub fn stays(&self) -> bool {
        self.times.is_none()
    }
}

const REFUSED: &[i32] = &[0, 3];
const UNREACHABLE: &[i32] = &[0, 4, 6];

fn status(status: u16, processed: bool) -> Misbehaviour {
    Misbehaviour::Status {
        status,
        retry_after: None,
        processed,
    }
}

/// A server that repeats what it was sent, as a debugging proxy does.
fn echo(route: &str) -> Misbehaviour {
    let credential = if route.starts_with("POST /models/") {
        format!("Basic {MODEL_PAIR}, {MODEL_TOKEN}")
    } else {
        format!("Bearer {TOKEN}")
    };
    // The second one begins some characters before what is kept of a server's words: half of a secret is one.
    let kept = 400 - 14 - 6;
    let text = format!("{credential} does not do ");
    let text = format!("{text}{} {credential}", "x".repeat(kept - 1 - text.len()));
    Misbehaviour::Reply {
        status: 400,
        content_type: "application/json".into(),
        body: serde_json::json!({
            "message": text, "headers": {"authorization": credential}, "requestId": credential,
        })
        .to_string(),
    }
}

/// All of them.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "401",
        fault: |_| status(401, false),
        times: None,
        exits: REFUSED,
        tells: &["401"],
    },
    Kind {
        name: "403 binary",
        fault: |_| Misbehaviour::BinaryForbidden,
        times: None,
        exits: REFUSED,
        tells: &["403"],
    },
    Kind {
        name: "408 once",
        fault: |_| status(408, false),
        times: Some(1),
        exits: UNREACHABLE,
        tells: &["408"],
    },
    Kind {
        name: "409 relogin",
        fault: |_| Misbehaviour::Relogin,
        times: None,
        exits: REFUSED,
        tells: &["sign in again"],
    },
    Kind {
        name: "429 once",
        fault: |_| status(429, false),
        times: Some(1),
        exits: &[0],
        tells: &[],
    },
    Kind {
        name: "429 with Retry-After once",
        fault: |_| Misbehaviour::Status {
            status: 429,
            retry_after: Some(1),
            processed: false,
        },
        times: Some(1),
        exits: &[0],
        tells: &[],
    },
    Kind {
        name: "500 once",
        fault: |_| status(500, false),
        times: Some(1),
        exits: UNREACHABLE,
        tells: &["500"],
    },
    Kind {
        name: "500 after it was done",
        fault: |_| status(500, true),
        times: Some(1),
        exits: UNREACHABLE,
        tells: &["500"],
    },
    Kind {
        name: "502 after it was done",
        fault: |_| status(502, true),
        times: Some(1),
        exits: &[0],
        tells: &[],
    },
    Kind {
        name: "503 for good",
        fault: |_| status(503, false),
        times: None,
        exits: UNREACHABLE,
        tells: &["503"],
    },
    Kind {
        name: "504 after it was done",
        fault: |_| status(504, true),
        times: Some(1),
        exits: &[0],
        tells: &[],
    },
    Kind {
        name: "refused",
        fault: |_| Misbehaviour::Refuse {
            lasting: Duration::from_millis(20),
        },
        times: Some(1),
        exits: UNREACHABLE,
        tells: &["could not connect", "no whole answer"],
    },
    Kind {
        name: "reset before",
        fault: |_| Misbehaviour::Reset { processed: false },
        times: Some(1),
        exits: UNREACHABLE,
        tells: &["could not connect", "no whole answer"],
    },
    Kind {
        name: "reset after",
        fault: |_| Misbehaviour::Reset { processed: true },
        times: Some(1),
        exits: &[0],
        tells: &[],
    },
    Kind {
        name: "truncated",
        fault: |_| Misbehaviour::Truncate,
        times: Some(1),
        exits: &[0],
        tells: &[],
    },
    Kind {
        name: "half of the JSON",
        fault: |_| Misbehaviour::CutJson,
        times: Some(1),
        exits: UNREACHABLE,
        tells: &["not understood"],
    },
    Kind {
        name: "sign-in page",
        fault: |_| Misbehaviour::LoginPage,
        times: None,
        exits: REFUSED,
        tells: &["web page", "sign-in page"],
    },
    Kind {
        name: "never, once",
        fault: |_| Misbehaviour::Hang { processed: true },
        times: Some(1),
        exits: &[0],
        tells: &[],
    },
    Kind {
        name: "never, for good",
        fault: |_| Misbehaviour::Hang { processed: false },
        times: None,
        exits: UNREACHABLE,
        tells: &["no answer in time"],
    },
    Kind {
        name: "slow trickle",
        fault: |_| Misbehaviour::Trickle {
            pause: Duration::from_millis(1),
            bytes: 40,
        },
        times: Some(1),
        exits: &[0, 4],
        tells: &["no answer in time", "no whole answer"],
    },
    Kind {
        name: "redirect elsewhere",
        fault: |_| Misbehaviour::Redirect {
            origin: "http://127.0.0.1:9".into(),
        },
        times: None,
        exits: UNREACHABLE,
        tells: &["redirects to another address"],
    },
    Kind {
        name: "the credential in the answer",
        fault: echo,
        times: None,
        exits: REFUSED,
        tells: &["400"],
    },
    Kind {
        name: ANOTHER_AT_ONCE,
        fault: |_| Misbehaviour::Delay {
            by: Duration::from_millis(150),
        },
        times: Some(2),
        exits: REFUSED,
        tells: &["another step", "overtaken", "at the same moment"],
    },
    Kind {
        name: STDERR_GONE,
        fault: |_| status(502, true),
        times: Some(1),
        exits: &[0],
        tells: &[],
    },
];
