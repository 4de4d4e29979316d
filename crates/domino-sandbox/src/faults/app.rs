//! How apps misreport or misbehave on request: the list of it and the pick from it. The instances
//! of apps read theirs when they are started and looked at.

use super::{Faults, lock};

/// How an instance of an app goes wrong. [`crate::Sandbox::state`] tells the truth of it.
#[derive(Clone, Debug, Default)]
pub struct AppFault {
    /// Only instances of apps whose name contains this text; all when empty.
    pub app: String,
    /// How many instances are touched; all without.
    pub times: Option<usize>,
    /// What the first looks at the status show, one after the other, before the truth.
    pub statuses: Vec<String>,
    /// The status that is shown for ever once the instance has reached it.
    pub stuck_at: Option<String>,
    /// The instance fails while it is prepared, with this as the last line of its log.
    pub start_fails: Option<String>,
    /// A stop never gets beyond `Stopping`, and the process lives on, unless it is forced.
    pub stop_hangs: bool,
    /// The instance waits until those before it have stopped, also where it would start beside
    /// them.
    pub stops_first: bool,
}

pub(super) struct AppRule {
    fault: AppFault,
    touched: usize,
}

impl Faults {
    /// Adds a fault of the instances of apps that start from now on.
    pub fn add_app_fault(&self, fault: AppFault) {
        lock(&self.app_faults).push(AppRule { fault, touched: 0 });
    }

    /// The fault of an instance of the app `name` that is about to start.
    pub(crate) fn of_app(&self, name: &str) -> AppFault {
        for rule in lock(&self.app_faults).iter_mut() {
            let due = rule.fault.times.is_none_or(|times| rule.touched < times);
            if due && name.contains(&rule.fault.app) {
                rule.touched += 1;
                return rule.fault.clone();
            }
        }
        AppFault::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
