//! What the sandbox does wrong on purpose: which requests are harmed and how, which jobs, apps and endpoints fail,
//! how wrong its clock is. This file keeps the list and selects from it. `server` harms requests; jobs, apps and
//! endpoints read their faults when they start.

mod app;
mod file;
mod job;
mod model;
mod request;
mod targeted;

use std::path::Path;

use axum::http::Method;

use crate::clock::Clock;
use crate::locked::Locked;
pub use app::AppFault;
pub use job::JobFault;
pub use model::ModelFault;
pub use request::{Fault, Misbehaviour};
use targeted::TargetedFaults;

/// The faults of a running sandbox. They can be added and removed at any time.
#[derive(Default)]
pub struct Faults {
    requests: Locked<Vec<RequestRule>>,
    jobs: TargetedFaults<JobFault>,
    apps: TargetedFaults<AppFault>,
    models: TargetedFaults<ModelFault>,
    clock: Clock,
}

/// A fault with its count of requests.
struct RequestRule {
    fault: Fault,
    matched: usize,
    fired: usize,
}

impl Faults {
    /// No faults yet, for a sandbox with this clock.
    pub(crate) fn new(clock: Clock) -> Self {
        Faults {
            clock,
            ..Faults::default()
        }
    }

    /// Adds a fault. The first one that matches a request and is not used up harms it.
    pub fn add(&self, fault: Fault) {
        self.requests.lock().push(RequestRule {
            fault,
            matched: 0,
            fired: 0,
        });
    }

    /// Adds a fault of the jobs that start from now on.
    pub fn add_job_fault(&self, fault: JobFault) {
        self.jobs.add(fault);
    }

    /// Adds a fault of the instances of apps that start from now on.
    pub fn add_app_fault(&self, fault: AppFault) {
        self.apps.add(fault);
    }

    /// Adds a fault of the versions of endpoints that are made from now on.
    pub fn add_model_fault(&self, fault: ModelFault) {
        self.models.add(fault);
    }

    /// Sets how far the sandbox's clock is ahead, in seconds; negative is behind.
    pub fn skew_clock(&self, seconds: i64) {
        self.clock.set_skew(seconds);
    }

    /// Adds every fault of a file, whose form `domino-sandbox --help` describes.
    ///
    /// # Errors
    /// When the file cannot be read, or any entry of it is not a fault.
    pub fn load(&self, path: &Path) -> anyhow::Result<()> {
        let file = file::read(path)?;
        self.skew_clock(file.clock_skew_seconds);
        file.requests.into_iter().for_each(|fault| self.add(fault));
        file.jobs.into_iter().for_each(|fault| self.jobs.add(fault));
        file.apps.into_iter().for_each(|fault| self.apps.add(fault));
        file.models
            .into_iter()
            .for_each(|fault| self.models.add(fault));
        Ok(())
    }

    /// Removes every fault.
    pub fn clear(&self) {
        self.requests.lock().clear();
        self.jobs.clear();
        self.apps.clear();
        self.models.clear();
        self.skew_clock(0);
    }

    /// How many requests have been harmed so far.
    pub fn fired(&self) -> usize {
        self.requests.lock().iter().map(|rule| rule.fired).sum()
    }

    /// How this request is harmed, if it is. Every matching fault counts it; the first one that is due harms it.
    pub(crate) fn pick(&self, method: &Method, path: &str) -> Option<Misbehaviour> {
        let mut picked = None;
        for rule in self.requests.lock().iter_mut() {
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
        self.jobs
            .pick(command, |fault| (&fault.command, fault.times))
    }

    /// The fault of an instance of the app `name` that is about to start.
    pub(crate) fn of_app(&self, name: &str) -> AppFault {
        self.apps.pick(name, |fault| (&fault.app, fault.times))
    }

    /// The fault of a version that the endpoint `name` is about to get.
    pub(crate) fn of_model(&self, name: &str) -> ModelFault {
        self.models
            .pick(name, |fault| (&fault.endpoint, fault.times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reset() -> Misbehaviour {
        Misbehaviour::Reset { processed: false }
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
        faults.add(Fault::on("/version", reset()).single());
        faults.add(Fault::on("/**", Misbehaviour::LoginPage).after(1).single());
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

    #[test]
    fn an_app_fault_touches_the_instances_of_the_apps_it_names() {
        let faults = Faults::default();
        faults.add_app_fault(AppFault {
            app: "dash".into(),
            times: Some(1),
            stop_hangs: true,
            ..AppFault::default()
        });
        assert!(!faults.of_app("report").stop_hangs);
        assert!(faults.of_app("dashboard").stop_hangs);
        assert!(!faults.of_app("dashboard").stop_hangs);
    }

    #[test]
    fn a_model_fault_touches_the_versions_of_the_endpoints_it_names() {
        let faults = Faults::default();
        faults.add_model_fault(ModelFault {
            endpoint: "-prod".into(),
            times: Some(1),
            build_fails: true,
            ..ModelFault::default()
        });
        assert!(!faults.of_model("wine-dev").build_fails);
        assert!(faults.of_model("wine-prod").build_fails);
        assert!(!faults.of_model("wine-prod").build_fails);
    }
}
