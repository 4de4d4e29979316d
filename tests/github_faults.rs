//! `domino-pipeline github apply` with every fault at every request: no secret reaches an environment that is not
//! protected, nothing exists twice, what was not done is named, and a second apply finishes it.

#[path = "harness/mod.rs"]
mod harness;
#[path = "small_github/mod.rs"]
mod small_github;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use domino_sandbox::Misbehaviour;
use harness::github::TOKEN;
use harness::matrix::kinds::{ANOTHER_AT_ONCE, KINDS, STDERR_GONE};
use harness::{STAGES, Scene, Setup};
use small_github::{Policy, SmallGitHub};

const APPLY: &[&str] = &[
    "github",
    "apply",
    "--yes",
    "--stage",
    "dev",
    "--stage",
    "prod",
    "--request-timeout",
    "1s",
    "--replace-secrets",
];
const WORKERS: usize = 8;
/// The longest that one apply may take, on a busy machine.
const BOUND: Duration = Duration::from_secs(90);

/// A fault, and what is right under it.
struct Fault {
    name: &'static str,
    harm: Misbehaviour,
    times: Option<usize>,
    exits: &'static [i32],
    tells: &'static [&'static str],
}

/// One fault at one request.
struct Case<'a> {
    route: &'a str,
    fault: &'a Fault,
    after: usize,
}

/// Those that Domino's clients meet, and GitHub's own.
fn faults() -> Vec<Fault> {
    let shared = KINDS.iter().map(|kind| Fault {
        name: kind.name,
        harm: match kind.name {
            "the credential in the answer" => echo(),
            _ => (kind.fault)("GET /"),
        },
        times: kind.times,
        exits: kind.exits,
        tells: kind.tells,
    });
    let status = |name, status, retry_after, times, exits, tells| Fault {
        name,
        harm: Misbehaviour::Status {
            status,
            retry_after,
            processed: false,
        },
        times,
        exits,
        tells,
    };
    let own = [
        status("403 for good", 403, None, None, &[0, 3], &["403"][..]),
        status("403 as a limit, once", 403, Some(1), Some(1), &[0], &[]),
        status(
            "403 as a long limit",
            403,
            Some(3600),
            None,
            &[0, 4],
            &["asked too often"],
        ),
        // What GitHub shows to nobody is taken for absent where it may be.
        status(
            "404 for good",
            404,
            None,
            None,
            &[0, 3],
            &["404", "409", "there is no", "no team"],
        ),
        status("409 once", 409, None, Some(1), &[0, 3], &["409"]),
        status("422 for good", 422, None, None, &[0, 3], &["422"]),
    ];
    shared.chain(own).collect()
}

/// A server that repeats what it was sent.
fn echo() -> Misbehaviour {
    let text = format!("Bearer {TOKEN} with canary-token-of-prod does not do");
    Misbehaviour::Reply {
        status: 400,
        content_type: "application/json".into(),
        body: serde_json::json!({"message": text}).to_string(),
    }
}

fn scene() -> Scene {
    let stages = STAGES.replace(
        "github-environment = \"PROD\"",
        "github-environment = \"PROD\"\napprovers = [\"team:wine-reviewers\", \"ben\"]\nwait-timer = 5",
    );
    let setup = Setup {
        stages: &stages,
        ..Setup::of(env!("CARGO_BIN_EXE_domino-pipeline"))
    };
    let mut scene = setup.scene();
    scene
        .variable("RUST_LOG", "trace")
        .variable("DOMINO_TOKEN_DEV", "canary-token-of-dev")
        .variable("DOMINO_TOKEN_PROD", "canary-token-of-prod");
    scene
}

/// A GitHub without DEV, and with a PROD of which everything is to be changed.
fn github(scene: &mut Scene) -> SmallGitHub {
    let github = SmallGitHub::start();
    github.environment("PROD", |prod| {
        prod.reviewers = vec![("User".into(), 13)];
        prod.protected_branches = Some(false);
        prod.policies = vec![Policy {
            id: 3,
            name: "*".into(),
            kind: "branch".into(),
        }];
        prod.variables.insert("DOMINO_ENV".into(), "DEV".into());
        prod.secrets
            .insert("DOMINO_TOKEN".into(), ("old".into(), 1));
    });
    github.asked_by(scene);
    github
}

/// Whether all is as the stage file says, and everything once.
fn is_whole(github: &SmallGitHub) -> bool {
    let (dev, prod) = (github.look("DEV"), github.look("PROD"));
    let (Some(dev), Some(prod)) = (dev, prod) else {
        return false;
    };
    let holds = |environment: &small_github::Environment, name: &str, token: &str| {
        environment.takes_only("main")
            && environment
                .variables
                .get("DOMINO_ENV")
                .is_some_and(|value| value == name)
            && environment
                .secrets
                .get("DOMINO_TOKEN")
                .is_some_and(|(value, _)| value == token)
    };
    holds(&dev, "DEV", "canary-token-of-dev")
        && holds(&prod, "PROD", "canary-token-of-prod")
        && prod.reviewers.len() == 3
        && prod.wait_timer == 5
        && prod.prevents_self_review
}

#[test]
fn no_fault_leaves_a_set_up_half_done_and_unnamed() {
    let mut first = scene();
    let github = github(&mut first);
    first.run(APPLY).exits(0);
    assert!(is_whole(&github));
    let mut routes: BTreeMap<String, usize> = BTreeMap::new();
    for (request, _) in github.server.exchanges() {
        *routes.entry(request.route()).or_default() += 1;
    }
    let faults = faults();
    let mut cases = Vec::new();
    for (route, asked) in &routes {
        for fault in &faults {
            // What is asked more than once is met early and late.
            for after in 0..(*asked).min(2) {
                cases.push(Case {
                    route,
                    fault,
                    after,
                });
            }
        }
    }
    let queue = Mutex::new(cases.iter());
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let mut scene = scene();
            let mut wrong = Vec::new();
            loop {
                let Some(case) = queue.lock().unwrap().next() else {
                    return wrong;
                };
                if let Err(problem) = examine(&mut scene, case) {
                    wrong.push(format!("{} at {}: {problem}", case.fault.name, case.route));
                }
            }
        };
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n\n")
    );
    let writes = routes
        .keys()
        .filter(|route| !route.starts_with("GET "))
        .count();
    let text = format!(
        "github apply: {} faults at {} requests, {writes} of them writes: {} cases judged\n",
        faults.len(),
        routes.len(),
        cases.len()
    );
    // Straight to the terminal: a passing test's own output is swallowed.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
}

fn examine(scene: &mut Scene, case: &Case<'_>) -> Result<(), String> {
    let Case {
        route,
        fault,
        after,
    } = case;
    let github = github(scene);
    let (harm, times) = (fault.harm.clone(), fault.times);
    github.server.harm_after(*after, route, harm, times);
    let started = Instant::now();
    let (exit, said) = match fault.name {
        ANOTHER_AT_ONCE => {
            let both = [scene.start(APPLY), scene.start(APPLY)].map(|running| running.end());
            let [one, other] = both;
            (one.exit.max(other.exit), format!("{one}{other}"))
        }
        STDERR_GONE => {
            let (exit, _) = scene.run_in_shell("2>/dev/full", APPLY);
            (exit.unwrap_or(-1), String::new())
        }
        _ => {
            let run = scene.run(APPLY);
            (run.exit, run.to_string())
        }
    };
    let fails = |what: &str| Err(format!("{what}\n{said}"));
    if github.server.struck() == 0 {
        return fails("the fault never struck");
    }
    if started.elapsed() > BOUND {
        return fails("took too long");
    }
    if !fault.exits.contains(&exit) {
        return fails(&format!("exit {exit} is none of {:?}", fault.exits));
    }
    if exit == 0 && !is_whole(&github) {
        return fails("green, and not as the stage file says");
    }
    if exit != 0 {
        let error = said.find("error: ").map_or("", |at| &said[at..]);
        if !fault.tells.iter().any(|word| error.contains(word)) {
            return fails(&format!("none of {:?} is named", fault.tells));
        }
        let named = error.contains("writes were made") && error.contains("not done");
        if !github.writes().is_empty() && !named {
            return fails("what was not done is not named");
        }
    }
    github.server.heal();
    let second = scene.run(APPLY);
    if second.exit != 0 || !is_whole(&github) {
        return Err(format!("a second apply does not finish\n{said}\n{second}"));
    }
    let before = github.writes().len();
    let third = scene.run(&APPLY[..APPLY.len() - 1]);
    if third.exit != 0 || github.writes().len() != before {
        return Err(format!("a third apply changes something\n{third}"));
    }
    if github.state().careless > 0 {
        return fails("a secret was written to an environment that is not guarded");
    }
    Ok(())
}
