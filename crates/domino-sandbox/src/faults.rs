//! What the sandbox is told to do wrong: which requests are harmed and how, which jobs misreport
//! themselves, how far its clock is off. This file keeps the list and picks from it; the harm is
//! done where replies are sent (`wire`), and jobs read theirs when they are looked at.

mod app;
mod file;
mod model;

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use axum::http::Method;
use serde_json::Value;

pub use app::AppFault;
use app::AppRule;
pub use model::ModelFault;
use model::ModelRule;

/// The faults of a running sandbox. They may be added and cleared at any time.
#[derive(Default)]
pub struct Faults {
    rules: Mutex<Vec<Rule>>,
    job_faults: Mutex<Vec<JobRule>>,
    app_faults: Mutex<Vec<AppRule>>,
    model_faults: Mutex<Vec<ModelRule>>,
    clock_skew: AtomicI64,
}

/// One way in which requests go wrong.
#[derive(Clone, Debug)]
pub struct Fault {
    route: Route,
    after: usize,
    times: Option<usize>,
    misbehaviour: Misbehaviour,
}

/// What happens to a request that a fault picks.
///
/// Where a variant has `processed`, `true` means that the request takes effect although its
/// reply goes wrong: the case in which a client must look before it tries again.
#[derive(Clone, Debug, PartialEq)]
pub enum Misbehaviour {
    /// This status with a body in the shape the route's family uses for errors.
    Status {
        /// The status code.
        status: u16,
        /// Seconds for a `Retry-After` header; none is sent without.
        retry_after: Option<u64>,
        /// Whether the request takes effect all the same.
        processed: bool,
    },
    /// A reply given in full.
    Reply {
        /// The status code.
        status: u16,
        /// The header `Content-Type`.
        content_type: String,
        /// The body, sent as it is.
        body: String,
    },
    /// Status 200 and the HTML page of a sign-in form.
    LoginPage,
    /// 403 with bytes that are no text.
    BinaryForbidden,
    /// 409 with `redirectPath`: the user is to sign in again.
    Relogin,
    /// 307 to the same path on another origin.
    Redirect {
        /// Scheme and authority of the other origin.
        origin: String,
    },
    /// The connection is cut, and new ones are refused for a while.
    Refuse {
        /// How long nothing listens.
        lasting: Duration,
    },
    /// The connection is reset instead of a reply.
    Reset {
        /// Whether the request takes effect before the reset.
        processed: bool,
    },
    /// No reply ever comes, and the connection stays open.
    Hang {
        /// Whether the request takes effect.
        processed: bool,
    },
    /// The reply comes after a delay.
    Delay {
        /// How long it takes; the request is processed at the end of it.
        by: Duration,
    },
    /// The headers promise the whole body, the connection closes after half of it.
    Truncate,
    /// A well-framed reply that holds only the first half of its JSON.
    CutJson,
    /// The body comes in small pieces.
    Trickle {
        /// The pause between two pieces.
        pause: Duration,
        /// The size of one piece.
        bytes: usize,
    },
    /// A 200 reply of this many bytes of valid JSON.
    Huge {
        /// The size of the body.
        bytes: u64,
    },
    /// The true reply with values set or removed, by JSON pointer. Pointers that lead nowhere
    /// are passed over; `*` in a pointer stands for every element of a list.
    Edit {
        /// The values to set.
        set: Vec<(String, Value)>,
        /// The values to remove.
        remove: Vec<String>,
    },
    /// These query parameters are ignored, as some list routes do with filters and offsets.
    IgnoreQuery {
        /// The names of the parameters.
        names: Vec<String>,
    },
}

impl Fault {
    /// A fault of every request to `route`: an optional method, then a path in which `*` stands
    /// for one segment and a final `**` for any rest, such as `POST /v4/jobs/start`.
    ///
    /// # Panics
    /// When `route` has neither form; a test with a misspelt route should not pass.
    pub fn on(route: &str, misbehaviour: Misbehaviour) -> Self {
        let route = match Route::parse(route) {
            Ok(route) => route,
            Err(problem) => panic!("{problem}"),
        };
        Fault {
            route,
            after: 0,
            times: None,
            misbehaviour,
        }
    }

    /// The first `requests` to the route pass unharmed.
    pub fn after(mut self, requests: usize) -> Self {
        self.after = requests;
        self
    }

    /// Only `requests` are harmed, counted after those that passed.
    pub fn times(mut self, requests: usize) -> Self {
        self.times = Some(requests);
        self
    }

    /// Only one request is harmed.
    pub fn once(self) -> Self {
        self.times(1)
    }
}

/// How jobs misreport themselves. What really happens to them stays as it is, and
/// [`crate::Sandbox::state`] tells the truth.
#[derive(Clone, Debug, Default)]
pub struct JobFault {
    /// Only jobs whose command contains this text; all when empty.
    pub command: String,
    /// How many jobs are touched; all without.
    pub times: Option<usize>,
    /// What the first reads of the status show, one after the other, before the truth.
    pub statuses: Vec<String>,
    /// The status that is shown for ever once the job has reached it.
    pub stuck_at: Option<String>,
    /// For how many reads `isCompleted` stays false after the job has ended.
    pub completed_lag: usize,
    /// How many lines from the page before come again with each page of the log.
    pub log_repeats: usize,
    /// For how many reads of the log the last ten lines of an ended job stay away.
    pub log_late: usize,
    /// The log calls itself complete on every page of an ended job, not on the last one only.
    pub log_complete_early: bool,
    /// Until the job has ended, its log has one more line whenever it is read.
    pub log_never_pauses: bool,
}

/// A fault with its count of requests.
struct Rule {
    fault: Fault,
    matched: usize,
    fired: usize,
}

struct JobRule {
    fault: JobFault,
    touched: usize,
}

impl Faults {
    /// Adds a fault; the first one that matches a request and is not used up harms it.
    pub fn add(&self, fault: Fault) {
        lock(&self.rules).push(Rule {
            fault,
            matched: 0,
            fired: 0,
        });
    }

    /// Adds a fault of the jobs that start from now on.
    pub fn add_job_fault(&self, fault: JobFault) {
        lock(&self.job_faults).push(JobRule { fault, touched: 0 });
    }

    /// Sets how far the sandbox's clock is ahead, in seconds; negative is behind.
    pub fn skew_clock(&self, seconds: i64) {
        self.clock_skew.store(seconds, Ordering::Relaxed);
    }

    /// Adds every fault of a file, whose form `domino-sandbox --help` describes.
    ///
    /// # Errors
    /// When the file cannot be read, or any entry of it is not a fault.
    pub fn load(&self, path: &Path) -> anyhow::Result<()> {
        file::load(self, path)
    }

    /// Takes back every fault.
    pub fn clear(&self) {
        lock(&self.rules).clear();
        lock(&self.job_faults).clear();
        lock(&self.app_faults).clear();
        lock(&self.model_faults).clear();
        self.skew_clock(0);
    }

    /// How many requests have been harmed so far.
    pub fn fired(&self) -> usize {
        lock(&self.rules).iter().map(|rule| rule.fired).sum()
    }

    pub(crate) fn clock_skew(&self) -> i64 {
        self.clock_skew.load(Ordering::Relaxed)
    }

    /// What is to go wrong with this request. Every matching fault counts it; the first one
    /// that is due harms it.
    pub(crate) fn pick(&self, method: &Method, path: &str) -> Option<Misbehaviour> {
        let mut picked = None;
        for rule in lock(&self.rules).iter_mut() {
            if !rule.fault.route.matches(method, path) {
                continue;
            }
            rule.matched += 1;
            let due = rule.matched > rule.fault.after
                && rule.fault.times.is_none_or(|times| rule.fired < times);
            if due && picked.is_none() {
                rule.fired += 1;
                picked = Some(rule.fault.misbehaviour.clone());
            }
        }
        picked
    }

    /// The fault of a job that is about to start with `command`.
    pub(crate) fn of_job(&self, command: &str) -> JobFault {
        for rule in lock(&self.job_faults).iter_mut() {
            let due = rule.fault.times.is_none_or(|times| rule.touched < times);
            if due && command.contains(&rule.fault.command) {
                rule.touched += 1;
                return rule.fault.clone();
            }
        }
        JobFault::default()
    }
}

/// Which requests a fault is about.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Route {
    method: Option<Method>,
    segments: Vec<String>,
}

impl Route {
    fn parse(text: &str) -> Result<Self, String> {
        let (method, path) = match text.split_once(' ') {
            None => (None, text),
            Some((method, path)) => {
                let method = Method::from_bytes(method.as_bytes())
                    .ok()
                    .filter(|method| method.as_str().bytes().all(|b| b.is_ascii_uppercase()))
                    .ok_or_else(|| format!("`{method}` is not an HTTP method, in `{text}`"))?;
                (Some(method), path.trim())
            }
        };
        let path = path.strip_prefix('/').ok_or_else(|| {
            format!("`{text}` is not a route; write it like `POST /v4/jobs/start` or `/v4/**`")
        })?;
        Ok(Route {
            method,
            segments: path.split('/').map(str::to_owned).collect(),
        })
    }

    fn matches(&self, method: &Method, path: &str) -> bool {
        if self.method.as_ref().is_some_and(|wanted| wanted != method) {
            return false;
        }
        let mut actual = path.trim_start_matches('/').split('/');
        for wanted in &self.segments {
            if wanted == "**" {
                return true;
            }
            match actual.next() {
                Some(segment) if wanted == "*" || wanted == segment => {}
                _ => return false,
            }
        }
        actual.next().is_none()
    }
}

/// The list behind a lock; a panic elsewhere cannot have left it half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reset() -> Misbehaviour {
        Misbehaviour::Reset { processed: false }
    }

    #[test]
    fn a_route_matches_by_method_segment_and_rest() {
        let matches = |route: &str, method: Method, path: &str| {
            Route::parse(route).unwrap().matches(&method, path)
        };
        assert!(matches(
            "POST /v4/jobs/start",
            Method::POST,
            "/v4/jobs/start"
        ));
        assert!(!matches(
            "POST /v4/jobs/start",
            Method::GET,
            "/v4/jobs/start"
        ));
        assert!(matches("/v4/jobs/*", Method::GET, "/v4/jobs/1"));
        assert!(!matches("/v4/jobs/*", Method::GET, "/v4/jobs/1/logs"));
        assert!(!matches("/v4/jobs/*", Method::GET, "/v4/jobs"));
        assert!(matches("/**", Method::PUT, "/anything/at/all"));
        assert!(matches("GET /api/**", Method::GET, "/api/jobs/v1/jobs"));
        assert!(Route::parse("v4/jobs").is_err());
        assert!(Route::parse("post /v4/jobs").is_err());
    }

    #[test]
    fn a_fault_lets_some_pass_and_harms_a_number() {
        let faults = Faults::default();
        faults.add(Fault::on("GET /version", reset()).after(1).times(2));
        let harmed: Vec<bool> = (0..5)
            .map(|_| faults.pick(&Method::GET, "/version").is_some())
            .collect();
        assert_eq!(harmed, [false, true, true, false, false]);
        assert_eq!(faults.fired(), 2);
    }

    #[test]
    fn the_first_fault_that_is_due_harms_and_all_count() {
        let faults = Faults::default();
        faults.add(Fault::on("/version", reset()).once());
        faults.add(Fault::on("/**", Misbehaviour::LoginPage).after(1).once());
        assert_eq!(faults.pick(&Method::GET, "/version"), Some(reset()));
        let second = faults.pick(&Method::GET, "/version");
        assert_eq!(second, Some(Misbehaviour::LoginPage));
        assert_eq!(faults.pick(&Method::GET, "/version"), None);
    }

    #[test]
    fn a_job_fault_touches_the_jobs_it_names() {
        let faults = Faults::default();
        faults.add_job_fault(JobFault {
            command: "train".into(),
            times: Some(1),
            completed_lag: 3,
            ..JobFault::default()
        });
        assert_eq!(faults.of_job("score.py").completed_lag, 0);
        assert_eq!(faults.of_job("train.py").completed_lag, 3);
        assert_eq!(faults.of_job("train.py").completed_lag, 0);
    }
}
