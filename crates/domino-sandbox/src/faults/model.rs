//! Faults of endpoints: versions that fail to build, get stuck, misreport themselves or die. Each
//! version gets its fault when it is made, and its deployment does what it says.

use serde::Deserialize;

use super::{Faults, lock};

/// What goes wrong with versions of model endpoints.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelFault {
    /// Only endpoints whose name contains this text; all when empty.
    pub endpoint: String,
    /// How many versions are touched; all without.
    pub times: Option<usize>,
    /// The build fails, after everything that was there to build was found.
    pub build_fails: bool,
    /// The status the version never gets past. Nothing happens to it from there on. A word that is
    /// none of the way to `Running`, such as `Stalled`, is shown in the place of `Running`.
    pub stuck_at: Option<String>,
    /// What the first reads of the status show, one after the other, before the truth.
    pub statuses: Vec<String>,
    /// The process dies once it has answered so many requests; with 0, as soon as it serves.
    pub dies_after: Option<usize>,
}

pub(super) struct ModelRule {
    fault: ModelFault,
    touched: usize,
}

impl Faults {
    /// Adds a fault of the versions of endpoints that are made from now on.
    pub fn add_model_fault(&self, fault: ModelFault) {
        lock(&self.model_faults).push(ModelRule { fault, touched: 0 });
    }

    /// The fault of a version that the endpoint `name` is about to get.
    pub(crate) fn of_model(&self, name: &str) -> ModelFault {
        for rule in lock(&self.model_faults).iter_mut() {
            let due = rule.fault.times.is_none_or(|times| rule.touched < times);
            if due && name.contains(&rule.fault.endpoint) {
                rule.touched += 1;
                return rule.fault.clone();
            }
        }
        ModelFault::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
