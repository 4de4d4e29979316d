//! Each fault at each request that a program sends, checked against what the sandbox really has.
//!
//! For every case: the fault really occurred; never green unless the wanted thing exists; never more than one of it
//! after one invocation and one re-run; never longer than the limit; a documented exit code; and a message that names
//! the cause. Costly programs meet every fault somewhere, and the most telling ones at each write.

pub mod kinds;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use domino_sandbox::Fault;

use self::kinds::{ANOTHER_AT_ONCE, KINDS, Kind, STDERR_GONE, TELLING};
use super::{Run, Running, Scene, contract, masks};

/// What an invocation may take beyond its own `--timeout`, on a busy machine.
const MARGIN: Duration = Duration::from_secs(45);
/// How many cases run side by side.
const WORKERS: usize = 4;
/// How many more do that wait for a fault which stays, until their time is up.
const WAITERS: usize = 10;
/// A route that an undisturbed invocation asks so often is one that is looked at again and again.
const POLLED: usize = 4;

/// A verb of a program and how to judge it.
pub struct Matrix {
    /// What it is called in the summary.
    pub name: &'static str,
    /// A new scene, as a step of a workflow run.
    pub scene: fn() -> Scene,
    /// The command line, without `--verbose` and `--format`, which differ from case to case.
    pub arguments: &'static [&'static str],
    /// How many of the wanted things the sandbox holds.
    pub count: fn(&Scene) -> usize,
    /// Whether the wanted thing is there and serves.
    pub serves: fn(&Scene) -> bool,
    /// Exit codes that are right at a route under a fault as well: a page or a model that does not answer is a
    /// failure of what was deployed, not of Domino.
    pub also: fn(&str, &str) -> &'static [i32],
    /// Whether each case costs so much that only the telling faults are tried, unless all are asked for.
    pub costly: bool,
}

/// With this variable set to `full`, costly programs meet every fault at every request as well.
const VARIABLE: &str = "DOMINO_FAULT_MATRIX";

/// One fault at one request.
struct Case<'a> {
    number: usize,
    route: &'a str,
    kind: &'a Kind,
    /// How many requests to the route pass before it.
    after: usize,
}

/// What became of a case that held.
enum Held {
    /// The fault struck.
    Met,
    /// The invocation was over before the request that the fault was for.
    NotMet,
}

impl Matrix {
    /// Runs every case; fails with all that went wrong, or tells how many cases held.
    pub fn hold(&self) {
        let routes = self.routes();
        let cases = self.cases(&routes);
        let queue = |stays| Mutex::new(cases.iter().filter(move |case| case.kind.stays() == stays));
        let (staying, passing) = (queue(true), queue(false));
        let (wrong, not_met) = std::thread::scope(|scope| {
            let waiters = (0..WAITERS).map(|_| scope.spawn(|| self.work(&staying)));
            let workers = (0..WORKERS).map(|_| scope.spawn(|| self.work(&passing)));
            let (mut wrong, mut not_met) = (Vec::new(), 0);
            for worker in waiters.chain(workers).collect::<Vec<_>>() {
                let (more, others) = worker.join().unwrap();
                wrong.extend(more);
                not_met += others;
            }
            (wrong, not_met)
        });
        assert!(
            wrong.is_empty(),
            "{} of {} cases:\n\n{}",
            wrong.len(),
            cases.len(),
            wrong.join("\n\n")
        );
        let text = format!(
            "{}: {} faults at {} requests, {} cases judged, {not_met} of them over before the fault\n{}",
            self.name,
            KINDS.len(),
            routes.len(),
            cases.len(),
            contract::so_far()
        );
        // Straight to the terminal: a passing test's own output is swallowed.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
    }

    /// Tries cases until none is left: what was wrong, and how many were over before the fault.
    fn work<'a>(&self, cases: &Mutex<impl Iterator<Item = &'a Case<'a>>>) -> (Vec<String>, usize) {
        let (mut wrong, mut not_met) = (Vec::new(), 0);
        // Held for no longer than it takes to get one.
        let next = || cases.lock().unwrap().next();
        while let Some(case) = next() {
            match self.case(case) {
                Ok(Held::Met) => {}
                Ok(Held::NotMet) => not_met += 1,
                Err(problem) => {
                    let (name, route) = (case.kind.name, case.route);
                    wrong.push(format!("{name} at {route}: {problem}"));
                }
            }
        }
        (wrong, not_met)
    }

    /// Every fault at every request; of a costly program every fault at some, and at each write those that tell most.
    fn cases<'a>(&self, routes: &'a BTreeMap<String, usize>) -> Vec<Case<'a>> {
        let full = !self.costly || std::env::var(VARIABLE).is_ok_and(|value| value == "full");
        let mut cases = Vec::new();
        for (at, (route, asked)) in routes.iter().enumerate() {
            for (which, kind) in KINDS.iter().enumerate() {
                let telling = !route.starts_with("GET ") && TELLING.contains(&kind.name);
                if full || telling || (at + which).is_multiple_of(3) {
                    let number = cases.len();
                    cases.push(Case {
                        number,
                        route,
                        kind,
                        after: usize::from(*asked >= POLLED && number % 2 == 1),
                    });
                }
            }
        }
        let met = |kind: &Kind| cases.iter().any(|case| case.kind.name == kind.name);
        assert!(KINDS.iter().all(met), "a fault is met nowhere");
        cases
    }

    /// The requests of an undisturbed invocation, as patterns, and how often each is made.
    fn routes(&self) -> BTreeMap<String, usize> {
        let scene = (self.scene)();
        let run = scene.run(&self.undisturbed()).exits(0);
        assert!((self.serves)(&scene), "{run}");
        assert_eq!((self.count)(&scene), 1, "{run}");
        let mut routes = BTreeMap::new();
        for request in scene.sandbox.requests() {
            if request.user.as_deref().is_none_or(|user| user == "ci-bot") {
                let path = masks::without_ids(&request.path);
                *routes
                    .entry(format!("{} {path}", request.method))
                    .or_default() += 1;
            }
        }
        routes
    }

    /// The arguments where no fault is: the short limit of a request is for faults that never answer, and a busy machine
    /// may take longer than that.
    fn undisturbed(&self) -> Vec<&'static str> {
        let limit = |at: &usize| self.arguments[*at] == "--request-timeout";
        let at = (0..self.arguments.len()).find(limit);
        let mut arguments = self.arguments.to_vec();
        if let Some(at) = at {
            arguments.drain(at..at + 2);
        }
        arguments
    }

    /// The longest that an invocation may take, whatever happens to it.
    fn bound(&self) -> Duration {
        let mut arguments = self.arguments.iter();
        let own = arguments
            .find(|argument| **argument == "--timeout")
            .and_then(|_| arguments.next()?.strip_suffix('s')?.parse().ok())
            .map_or(Duration::ZERO, Duration::from_secs);
        own + MARGIN
    }

    fn case(&self, case: &Case<'_>) -> Result<Held, String> {
        let scene = (self.scene)();
        let mut fault = Fault::on(case.route, (case.kind.fault)(case.route)).after(case.after);
        if let Some(times) = case.kind.times {
            fault = fault.times(times);
        }
        scene.sandbox.faults().add(fault);
        let mut arguments = self.arguments.to_vec();
        if case.number.is_multiple_of(2) {
            arguments.push("--verbose");
        }
        let json = case.number.is_multiple_of(3);
        if json {
            arguments.extend(["--format", "json"]);
        }
        let started = Instant::now();
        let (first, other) = invoke(&scene, case.kind, &arguments);
        let took = started.elapsed();
        let beside = other.as_ref().map_or_else(String::new, Run::to_string);
        let fails = |what: &str, run: &Run| Err(format!("{what}\n{run}{beside}"));
        let met = scene.sandbox.faults().fired() > 0;
        if !met && case.after == 0 {
            return fails("the fault never struck", &first);
        }
        if took > self.bound() {
            return fails(&format!("took {took:?}"), &first);
        }
        let also = (self.also)(case.route, case.kind.name).contains(&first.exit);
        if !case.kind.exits.contains(&first.exit) && !also {
            return fails(
                &format!("exit {} is none of {:?}", first.exit, case.kind.exits),
                &first,
            );
        }
        if first.exit == 0 && !(self.serves)(&scene) {
            return fails("green, and it does not serve", &first);
        }
        if first.exit != 0 {
            // What `--verbose` says before is for other eyes.
            let Some(at) = first.stderr.find("error: ") else {
                return fails("red without an error", &first);
            };
            let error = &first.stderr[at..];
            // Time that is up is a cause of its own, and so is an app or a model that does not answer.
            let named = case.kind.tells.iter().any(|word| error.contains(word));
            if !named && first.exit != 6 && !also {
                return fails(&format!("none of {:?} is named", case.kind.tells), &first);
            }
        }
        if json && serde_json::from_str::<serde_json::Value>(&first.stdout).is_err() {
            return fails("stdout is not one JSON document", &first);
        }
        if let Some(other) = &other
            && (!case.kind.exits.contains(&other.exit) || first.exit != 0)
        {
            return fails("neither of the two ended well, or one badly", &first);
        }
        // One of two takes its own back where it can be taken back.
        let count = || match other {
            Some(_) => goes_on(&scene).unwrap_or_else(|| (self.count)(&scene)),
            None => (self.count)(&scene),
        };
        if count() > 1 {
            return fails("more than one after one invocation", &first);
        }
        scene.sandbox.faults().clear();
        let second = scene.run(&self.undisturbed());
        if second.exit != 0 || !(self.serves)(&scene) {
            return Err(format!("the re-run does not mend it\n{first}\n{second}"));
        }
        if count() != 1 {
            let text = format!("{} after a re-run\n{first}{beside}\n{second}", count());
            return Err(text);
        }
        Ok(if met { Held::Met } else { Held::NotMet })
    }
}

/// Runs the program as the kind wants it: alone, beside another one at the same moment, of which the one that ended well
/// is the first, or with nowhere to write what it tells.
fn invoke(scene: &Scene, kind: &Kind, arguments: &[&str]) -> (Run, Option<Run>) {
    match kind.name {
        ANOTHER_AT_ONCE => {
            let both = [scene.start(arguments), scene.start(arguments)];
            let [one, other] = both.map(Running::end);
            match one.exit {
                0 => (one, Some(other)),
                _ => (other, Some(one)),
            }
        }
        STDERR_GONE => {
            let (exit, stdout) = scene.run_in_shell("2>/dev/full", arguments);
            let run = Run {
                exit: exit.unwrap_or(-1),
                stdout: scene.masked(&stdout),
                stderr: String::new(),
                arguments: arguments.join(" "),
            };
            (run, None)
        }
        _ => (scene.run(arguments), None),
    }
}

/// How many runs, schedules, apps and versions of endpoints there are that nobody took back; none where a program makes
/// nothing of that kind.
fn goes_on(scene: &Scene) -> Option<usize> {
    let state = scene.sandbox.state();
    let all = |key: &str| state[key].as_array().cloned().unwrap_or_default();
    let (jobs, mut apps) = (all("jobs"), all("apps"));
    apps.retain(|app| app["isArchived"] == false && app["status"] != "");
    let mut versions = all("modelApis");
    versions.retain(|api| api["isArchived"] == false);
    let versions = versions
        .iter()
        .flat_map(|api| api["versions"].as_array().cloned().unwrap_or_default());
    let going = jobs.into_iter().chain(versions);
    let going = going.filter(|it| it["status"] != "Stopped").count();
    let count = going + all("scheduledJobs").len() + apps.len();
    (count > 0).then_some(count)
}
