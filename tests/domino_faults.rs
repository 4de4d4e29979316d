//! `domino apply` and `rotate` under every fault at every write, in Domino and on GitHub: nothing is there twice, what was
//! not done is named, no secret is shown, and the next run finishes.

mod domino_setup;
#[path = "harness/mod.rs"]
mod harness;
#[path = "small_github/mod.rs"]
mod small_github;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use domino_sandbox::{Fault, Misbehaviour};
use domino_setup::{is_set_up, run, scene, tokens};
use harness::Scene;
use small_github::SmallGitHub;

const APPLY: &[&str] = &[
    "domino",
    "apply",
    "--yes",
    "--stage",
    "prod",
    "--request-timeout",
    "1s",
];
const ROTATE: &[&str] = &[
    "rotate",
    "--yes",
    "--stage",
    "prod",
    "--request-timeout",
    "1s",
];
const WORKERS: usize = 8;
/// The longest that one command may take, on a busy machine.
const BOUND: Duration = Duration::from_secs(90);

const ACCOUNTS: &str = "/api/serviceAccounts/v1/serviceAccounts";
const ENVIRONMENT: &str = "/repos/example-org/wine/environments/PROD";

/// What is written, and whether by a rotation as well.
fn writes() -> Vec<(bool, String)> {
    let domino = [
        (false, "POST /api/projects/beta/projects".to_owned()),
        (false, format!("POST {ACCOUNTS}")),
        (false, "POST /v4/users/roles/*".to_owned()),
        (
            false,
            "POST /api/projects/v1/projects/*/collaborators".to_owned(),
        ),
        (false, format!("POST {ACCOUNTS}/*/tokengitcredentials")),
        (true, format!("POST {ACCOUNTS}/*/tokens")),
        (
            false,
            "PUT /v4/projects/*/repository/*/credentialMapping".to_owned(),
        ),
        (true, format!("POST {ACCOUNTS}/*/tokens/*/invalidate")),
    ];
    let github = [
        (false, format!("PUT {ENVIRONMENT}")),
        (
            false,
            format!("POST {ENVIRONMENT}/deployment-branch-policies"),
        ),
        (true, format!("PUT {ENVIRONMENT}/secrets/DOMINO_TOKEN")),
        (false, format!("POST {ENVIRONMENT}/variables")),
        (
            true,
            format!("PATCH {ENVIRONMENT}/variables/DOMINO_TOKEN_NAME"),
        ),
    ];
    domino.into_iter().chain(github).collect()
}

/// The faults, how often each strikes, and a word for it that the error has.
fn faults() -> Vec<(&'static str, Misbehaviour, Option<usize>, &'static str)> {
    let status = |status, processed| Misbehaviour::Status {
        status,
        retry_after: None,
        processed,
    };
    let reset = |processed| Misbehaviour::Reset { processed };
    vec![
        ("lost reply", reset(true), Some(1), "no whole answer"),
        ("never arrived", reset(false), Some(1), "no whole answer"),
        ("403", status(403, false), None, "403"),
        ("404", status(404, false), None, "404"),
        ("409", status(409, false), Some(1), "409"),
        ("422", status(422, false), None, "422"),
        ("rate limit, once", status(429, false), Some(1), ""),
        ("rate limit", status(429, false), None, "429"),
        ("500", status(500, false), Some(1), "500"),
        ("500 after it was done", status(500, true), Some(1), "500"),
        (
            "slow",
            Misbehaviour::Delay {
                by: Duration::from_millis(200),
            },
            Some(1),
            "",
        ),
        (
            "never answered",
            Misbehaviour::Hang { processed: true },
            Some(1),
            "no whole answer",
        ),
        ("truncated", Misbehaviour::Truncate, Some(1), "answer"),
        ("half of the JSON", Misbehaviour::CutJson, Some(1), "answer"),
    ]
}

#[test]
fn no_fault_leaves_a_set_up_or_a_rotation_half_done_and_unnamed() {
    let mut cases = Vec::new();
    for (rotates_too, route) in writes() {
        for fault in faults() {
            let is_of_rotation = route.contains("invalidate") || route.starts_with("PATCH");
            if !is_of_rotation {
                cases.push((false, route.clone(), fault.clone()));
            }
            if rotates_too {
                cases.push((true, route.clone(), fault));
            }
        }
    }
    let queue = Mutex::new(cases.iter());
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let mut wrong = Vec::new();
            // Held for no longer than it takes to get one.
            let next = || queue.lock().unwrap().next();
            while let Some((rotates, route, fault)) = next() {
                if let Err(problem) = examine(*rotates, route, fault) {
                    wrong.push(format!("{} at {route}: {problem}", fault.0));
                }
            }
            wrong
        };
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        let all = workers.into_iter();
        all.flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n\n")
    );
    let text = format!(
        "domino apply and rotate: {} faults at {} writes: {} cases judged\n",
        faults().len(),
        writes().len(),
        cases.len()
    );
    // Straight to the terminal: a passing test's own output is swallowed.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
}

fn harm(
    scene: &Scene,
    github: &SmallGitHub,
    route: &str,
    harm: &Misbehaviour,
    times: Option<usize>,
) {
    if route.contains(" /repos/") {
        return github.server.harm(route, harm.clone(), times);
    }
    let fault = Fault::on(route, harm.clone());
    scene.sandbox.faults().add(match times {
        Some(times) => fault.times(times),
        None => fault,
    });
}

type FaultOf = (&'static str, Misbehaviour, Option<usize>, &'static str);

fn examine(rotates: bool, route: &str, (name, kind, times, tells): &FaultOf) -> Result<(), String> {
    let (scene, github) = scene();
    let words = match rotates {
        true => ROTATE,
        false => APPLY,
    };
    if rotates {
        run(&scene, APPLY).exits(0);
    }
    let writes_of = |scene: &Scene| {
        let all = scene.sandbox.requests();
        all.iter().filter(|one| one.method != "GET").count() + github.writes().len()
    };
    let before = writes_of(&scene);
    harm(&scene, &github, route, kind, *times);
    let started = Instant::now();
    let first = run(&scene, words);
    let fails = |what: &str| Err(format!("{what}\n{first}"));
    if scene.sandbox.faults().fired() + github.server.struck() == 0 {
        return fails("the fault never struck");
    }
    if started.elapsed() > BOUND {
        return fails("took too long");
    }
    let is_whole = |scene: &Scene| is_set_up(scene, &github, ("prod", "PROD"));
    if first.exit == 0 && !is_whole(&scene) {
        return fails("green, and not as it should be");
    }
    if !["lost reply", "slow", "rate limit, once"].contains(name) && first.exit == 1 {
        return fails("a bug of ours");
    }
    if first.exit != 0 {
        if ![3, 4].contains(&first.exit) {
            return fails("no exit of a refusal");
        }
        if tells.is_empty() || !first.stderr.contains(tells) {
            return fails(&format!("`{tells}` is not named"));
        }
        if writes_of(&scene) > before && !first.to_string().contains("not done") {
            return fails("what was not done is not named");
        }
        if rotates && held_is_closed(&scene, &github) {
            return fails("the stage is left with a token that opens nothing");
        }
    }
    scene.sandbox.faults().clear();
    github.server.heal();
    // The next run of the same finishes; one that was whole is not made again.
    if first.exit != 0 {
        let second = run(&scene, words);
        if second.exit != 0 || !is_whole(&scene) {
            return Err(format!("the next run does not finish\n{first}\n{second}"));
        }
    }
    let (wrote, all) = (writes_of(&scene), tokens(&scene, "ci-wine-prod").len());
    if all > if rotates { 3 } else { 2 } {
        return fails(&format!("{all} tokens were made"));
    }
    let third = run(&scene, APPLY);
    if third.exit != 0 || writes_of(&scene) != wrote {
        return Err(format!("another apply changes something\n{first}\n{third}"));
    }
    if github.state().careless > 0 {
        return fails("a secret was written to an environment that is not guarded");
    }
    Ok(())
}

/// Whether the secret holds a token that was invalidated.
fn held_is_closed(scene: &Scene, github: &SmallGitHub) -> bool {
    let environment = github.look("PROD").unwrap();
    let (value, _) = &environment.secrets["DOMINO_TOKEN"];
    let all = scene.sandbox.tokens_of_service_accounts();
    !all.iter()
        .any(|(_, _, one, is_valid)| one == value && *is_valid)
}
