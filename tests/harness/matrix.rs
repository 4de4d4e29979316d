//! Each fault at each request that a program makes, judged by what the sandbox really holds.
//!
//! For every case: never green unless the wanted thing is there, never more than one of it after one invocation
//! and one re-run, never longer than it may take, a documented exit code, and a message that names a cause.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use domino_sandbox::{Fault, Misbehaviour};

use super::{Run, Scene};

/// The longest that an invocation may take, whatever happens to it.
const BOUND: Duration = Duration::from_secs(90);
/// How many cases run side by side; they mostly wait.
const WORKERS: usize = 4;

/// A verb of a program and how to judge it.
pub struct Matrix {
    /// What it is called in the summary.
    pub name: &'static str,
    /// A new scene, as a step of a workflow run.
    pub scene: fn() -> Scene,
    /// The command line.
    pub arguments: &'static [&'static str],
    /// How many of the wanted things the sandbox holds.
    pub count: fn(&Scene) -> usize,
    /// Whether the wanted thing is there and serves.
    pub serves: fn(&Scene) -> bool,
    /// Exit codes that are right at a route as well: a page or a model that does not answer is a failure of what
    /// was deployed, not of Domino.
    pub also: fn(&str) -> &'static [i32],
    /// Whether each case costs so much that only the telling faults are tried, unless all are asked for.
    pub costly: bool,
}

/// With this variable set to `full`, costly programs meet every fault as well.
const VARIABLE: &str = "DOMINO_FAULT_MATRIX";
/// The faults that tell most: refused, done without a reply, never done, never answered, and no success at all.
const TELLING: &[&str] = &[
    "401",
    "500 once",
    "502 after it was done",
    "reset before",
    "reset after",
    "half of the JSON",
    "sign-in page",
    "never, once",
];

/// A fault by name, and the exit codes that are right under it.
struct Kind {
    name: &'static str,
    fault: fn() -> Misbehaviour,
    times: Option<usize>,
    exits: &'static [i32],
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

/// What can happen to a request. A fault that lasts and one that passes are two kinds.
const KINDS: &[Kind] = &[
    Kind {
        name: "401",
        fault: || status(401, false),
        times: None,
        exits: REFUSED,
    },
    Kind {
        name: "403 binary",
        fault: || Misbehaviour::BinaryForbidden,
        times: None,
        exits: REFUSED,
    },
    Kind {
        name: "408 once",
        fault: || status(408, false),
        times: Some(1),
        exits: UNREACHABLE,
    },
    Kind {
        name: "409 relogin",
        fault: || Misbehaviour::Relogin,
        times: None,
        exits: REFUSED,
    },
    Kind {
        name: "429 once",
        fault: || status(429, false),
        times: Some(1),
        exits: &[0],
    },
    Kind {
        name: "429 with Retry-After once",
        fault: || Misbehaviour::Status {
            status: 429,
            retry_after: Some(1),
            processed: false,
        },
        times: Some(1),
        exits: &[0],
    },
    Kind {
        name: "500 once",
        fault: || status(500, false),
        times: Some(1),
        exits: UNREACHABLE,
    },
    Kind {
        name: "500 after it was done",
        fault: || status(500, true),
        times: Some(1),
        exits: UNREACHABLE,
    },
    Kind {
        name: "502 after it was done",
        fault: || status(502, true),
        times: Some(1),
        exits: &[0],
    },
    Kind {
        name: "503 for good",
        fault: || status(503, false),
        times: None,
        exits: UNREACHABLE,
    },
    Kind {
        name: "504 after it was done",
        fault: || status(504, true),
        times: Some(1),
        exits: &[0],
    },
    Kind {
        name: "refused",
        fault: || Misbehaviour::Refuse {
            lasting: Duration::from_millis(20),
        },
        times: Some(1),
        exits: UNREACHABLE,
    },
    Kind {
        name: "reset before",
        fault: || Misbehaviour::Reset { processed: false },
        times: Some(1),
        exits: UNREACHABLE,
    },
    Kind {
        name: "reset after",
        fault: || Misbehaviour::Reset { processed: true },
        times: Some(1),
        exits: &[0],
    },
    Kind {
        name: "truncated",
        fault: || Misbehaviour::Truncate,
        times: Some(1),
        exits: &[0],
    },
    Kind {
        name: "half of the JSON",
        fault: || Misbehaviour::CutJson,
        times: Some(1),
        exits: UNREACHABLE,
    },
    Kind {
        name: "sign-in page",
        fault: || Misbehaviour::LoginPage,
        times: None,
        exits: REFUSED,
    },
    Kind {
        name: "never, once",
        fault: || Misbehaviour::Hang { processed: true },
        times: Some(1),
        exits: &[0],
    },
    Kind {
        name: "never, for good",
        fault: || Misbehaviour::Hang { processed: false },
        times: None,
        exits: UNREACHABLE,
    },
    Kind {
        name: "slow trickle",
        fault: || Misbehaviour::Trickle {
            pause: Duration::from_millis(1),
            bytes: 40,
        },
        times: Some(1),
        exits: &[0, 4],
    },
    Kind {
        name: "redirect elsewhere",
        fault: || Misbehaviour::Redirect {
            origin: "http://127.0.0.1:9".into(),
        },
        times: None,
        exits: UNREACHABLE,
    },
];

impl Matrix {
    /// Runs every case; fails with all that went wrong, or tells how many cases held.
    pub fn hold(&self) {
        let routes = self.routes();
        let full = !self.costly || std::env::var(VARIABLE).is_ok_and(|value| value == "full");
        let kinds: Vec<&Kind> = KINDS
            .iter()
            .filter(|kind| full || TELLING.contains(&kind.name))
            .collect();
        let cases: Vec<(&String, &Kind)> = routes
            .iter()
            .flat_map(|route| kinds.iter().map(move |kind| (route, *kind)))
            .collect();
        let (next, wrong) = (Mutex::new(cases.iter()), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    loop {
                        let Some((route, kind)) = next.lock().unwrap().next() else {
                            return;
                        };
                        if let Err(problem) = self.case(route, kind) {
                            wrong
                                .lock()
                                .unwrap()
                                .push(format!("{} at {route}: {problem}", kind.name));
                        }
                    }
                });
            }
        });
        let wrong = wrong.into_inner().unwrap();
        assert!(
            wrong.is_empty(),
            "{} of {} cases:\n\n{}",
            wrong.len(),
            cases.len(),
            wrong.join("\n\n")
        );
        let text = format!(
            "{}: {} faults at {} requests, {} cases judged\n",
            self.name,
            kinds.len(),
            routes.len(),
            cases.len()
        );
        // Straight to the terminal: a passing test's own output is swallowed.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
    }

    /// The requests of an undisturbed invocation, as patterns.
    fn routes(&self) -> BTreeSet<String> {
        let scene = (self.scene)();
        let run = scene.run(self.arguments).exits(0);
        assert!((self.serves)(&scene), "{run}");
        assert_eq!((self.count)(&scene), 1, "{run}");
        let id = regex::Regex::new(
            r"\b([0-9a-f]{24}|[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\b",
        )
        .unwrap();
        scene
            .sandbox
            .requests()
            .iter()
            .filter(|request| request.user.as_deref() == Some("ci-bot") || request.user.is_none())
            .map(|request| format!("{} {}", request.method, id.replace_all(&request.path, "*")))
            .collect()
    }

    fn case(&self, route: &str, kind: &Kind) -> Result<(), String> {
        let scene = (self.scene)();
        let mut fault = Fault::on(route, (kind.fault)());
        if let Some(times) = kind.times {
            fault = fault.times(times);
        }
        scene.sandbox.faults().add(fault);
        let started = Instant::now();
        let first = scene.run(self.arguments);
        let took = started.elapsed();
        let fails = |what: &str, run: &Run| Err(format!("{what}\n{run}"));
        if took > BOUND {
            return fails(&format!("took {took:?}"), &first);
        }
        if !kind.exits.contains(&first.exit) && !(self.also)(route).contains(&first.exit) {
            return fails(
                &format!("exit {} is none of {:?}", first.exit, kind.exits),
                &first,
            );
        }
        if first.exit == 0 && !(self.serves)(&scene) {
            return fails("green, and it does not serve", &first);
        }
        if first.exit != 0 && !first.stderr.contains("error: ") {
            return fails("red without a cause", &first);
        }
        if (self.count)(&scene) > 1 {
            return fails("more than one after one invocation", &first);
        }
        scene.sandbox.faults().clear();
        let second = scene.run(self.arguments);
        if second.exit != 0 || !(self.serves)(&scene) {
            return Err(format!("the re-run does not mend it\n{first}\n{second}"));
        }
        if (self.count)(&scene) != 1 {
            return Err(format!(
                "{} after a re-run\n{first}\n{second}",
                (self.count)(&scene)
            ));
        }
        Ok(())
    }
}
