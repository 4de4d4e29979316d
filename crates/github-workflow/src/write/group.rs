//! How the rest of a job refers to the steps of its groups.
//!
//! GitHub's language service, which its web editor uses, does not see ids inside a `parallel` and warns about each
//! use of one. It cannot check the result of `fromJSON`, and says nothing there; a run gets the same value either
//! way.

use std::collections::HashSet;

use super::{Expression, Job, JobStep, Variable};

const STEPS: &str = "steps.";
const UNKNOWN: &str = "fromJSON(toJSON(steps)).";

/// Rewrites every expression of the job that refers to a step of a group.
pub fn refer_to_groups(job: &mut Job) {
    let groups = job
        .steps
        .iter()
        .filter(|step| matches!(step, JobStep::Parallel { .. }));
    let ids = groups
        .flat_map(JobStep::each)
        .filter_map(|step| step.id.clone());
    let ids: HashSet<String> = ids.collect();
    if ids.is_empty() {
        return;
    }
    let url = job
        .environment
        .iter_mut()
        .filter_map(|environment| environment.url.as_mut());
    for Expression(text) in job.outputs.values_mut().chain(url) {
        *text = referring(text, &ids);
    }
    for group in &mut job.steps {
        let steps = match group {
            JobStep::One(step) => std::slice::from_mut(step.as_mut()),
            JobStep::Parallel { parallel } => parallel.as_mut_slice(),
        };
        for step in steps {
            let variables = step.env.values_mut().map(|value| match value {
                Variable::Plain(text) => text,
                Variable::WithReason(text) => &mut text.0,
            });
            for text in variables.chain(&mut step.r#if) {
                *text = referring(text, &ids);
            }
        }
    }
}

fn referring(text: &str, ids: &HashSet<String>) -> String {
    let mut changed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(STEPS) {
        let id = after.split('.').next().unwrap_or_default();
        changed.push_str(before);
        changed.push_str(if ids.contains(id) { UNKNOWN } else { STEPS });
        rest = after;
    }
    changed.push_str(rest);
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_steps_of_groups_are_referred_to_in_another_way() {
        let ids = HashSet::from(["a".to_owned()]);
        assert_eq!(
            referring(
                "steps.a.outcome == 'success' && steps.b.outputs.steps.x",
                &ids
            ),
            "fromJSON(toJSON(steps)).a.outcome == 'success' && steps.b.outputs.steps.x"
        );
    }
}
