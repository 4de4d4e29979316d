//! The steps of one job, app or model in a stage, and how those of several are ordered, side by side and one after
//! another.
//!
//! It does not decide what a step runs.

use std::collections::HashMap;

use stage_file::Kind;

use github_workflow::write::{Expression, JobStep, Step, literal};

/// GitHub runs this many steps of a group at once.
const AT_ONCE: usize = 10;

/// A job, an app or a model that steps deploy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Entity {
    /// Which of the three it is.
    pub(super) kind: Kind,
    /// The name in the stage file.
    pub(super) name: String,
}

/// The steps of one entity in a stage: each runs once the one before it has succeeded.
pub(super) struct Chain {
    /// What they deploy.
    pub(super) entity: Entity,
    /// The steps that deploy it; the last one ends when it serves.
    pub(super) steps: Vec<Step>,
    /// The step that requests its promotion to the next stage.
    pub(super) request: Option<Step>,
    /// The entities that come before it.
    pub(super) after: Vec<Entity>,
}

impl Chain {
    /// These steps, after those of the named entities of the same kind.
    pub(super) fn new(kind: Kind, name: &str, after: &[String], steps: Vec<Step>) -> Self {
        let entity = |name: &str| Entity {
            kind,
            name: name.to_owned(),
        };
        Self {
            entity: entity(name),
            steps,
            request: None,
            after: after.iter().map(|name| entity(name)).collect(),
        }
    }

    /// The step that ends when the entity serves.
    pub(super) fn deployed(&self) -> &Step {
        self.steps.last().expect("a chain has a step")
    }

    /// The result for the entity: `success` if it may go on to the next stage.
    pub(super) fn passed(&self) -> Expression {
        self.request.as_ref().unwrap_or(self.deployed()).outcome()
    }
}

/// One after the other, each after the entities that come before it, with the requests for the next stage last. A
/// failure ends the job.
pub(super) fn in_turn(chains: Vec<Chain>) -> Vec<JobStep> {
    let levels = levels(&chains, &earlier(&chains), 1);
    let mut chains: Vec<(usize, Chain)> = levels.into_iter().zip(chains).collect();
    chains.sort_by_key(|(level, _)| *level);
    let (mut steps, mut requests) = (Vec::new(), Vec::new());
    for (_, chain) in chains {
        steps.extend(chain.steps.into_iter().map(JobStep::from));
        requests.extend(chain.request.map(JobStep::from));
    }
    steps.extend(requests);
    steps
}

/// Side by side as far as their order allows. A failure does not affect the others. `gate` is the result of the stage
/// before for an entity: only `success` lets it in.
pub(super) fn side_by_side(
    chains: Vec<Chain>,
    gate: impl Fn(&Entity) -> Option<Expression>,
) -> Vec<JobStep> {
    let earlier = earlier(&chains);
    let levels = levels(&chains, &earlier, usize::MAX);
    let outcome = |at: &usize| chains[*at].deployed().outcome();
    let before: Vec<Vec<Expression>> = earlier
        .iter()
        .map(|earlier| earlier.iter().map(outcome).collect())
        .collect();
    let mut groups: Vec<Vec<Step>> = Vec::new();
    for ((chain, level), mut before) in chains.into_iter().zip(levels).zip(before) {
        let mut gate = gate(&chain.entity);
        let steps = chain.steps.into_iter().chain(chain.request);
        for (at, mut step) in steps.enumerate() {
            let condition = condition(&before, gate.take().as_ref(), step.r#if.take());
            step.r#if = condition;
            before = vec![step.outcome()];
            let group = level + at;
            groups.resize_with(groups.len().max(group + 1), Vec::new);
            groups[group].push(step);
        }
    }
    groups.into_iter().map(group).collect()
}

/// Without a status function GitHub adds that nothing failed before; the first group needs that from the steps that
/// set up the job.
fn condition(
    before: &[Expression],
    gate: Option<&Expression>,
    own: Option<String>,
) -> Option<String> {
    let succeeded = |outcome: &Expression| format!("{} == {}", outcome.text(), literal("success"));
    let mut parts: Vec<String> = Vec::new();
    if !before.is_empty() {
        parts.push("!cancelled()".to_owned());
    }
    parts.extend(before.iter().chain(gate).map(succeeded));
    parts.extend(own);
    (!parts.is_empty()).then(|| parts.join(" && "))
}

/// The steps that may take longest begin first, so the last ones to begin are short.
fn group(mut steps: Vec<Step>) -> JobStep {
    steps.sort_by_key(|step| std::cmp::Reverse(step.timeout_minutes));
    match steps.len() {
        1 => steps.remove(0).into(),
        _ => JobStep::Parallel { parallel: steps },
    }
}

/// The positions of the chains that come before each chain.
fn earlier(chains: &[Chain]) -> Vec<Vec<usize>> {
    let named = chains.iter().enumerate();
    let at: HashMap<&Entity, usize> = named.map(|(at, chain)| (&chain.entity, at)).collect();
    let earlier = |chain: &Chain| {
        let after = chain.after.iter();
        after.filter_map(|entity| at.get(entity).copied()).collect()
    };
    chains.iter().map(earlier).collect()
}

/// The group that the first step of each chain is in: after those of the chains before it, which have at most
/// `longest` steps.
fn levels(chains: &[Chain], earlier: &[Vec<usize>], longest: usize) -> Vec<usize> {
    let mut levels = vec![0; chains.len()];
    // Each round settles at least one more, because nothing comes before itself.
    for _ in chains {
        let mut is_settled = true;
        for (at, earlier) in earlier.iter().enumerate() {
            let ends = earlier
                .iter()
                .map(|other| levels[*other] + chains[*other].steps.len().min(longest));
            let level = ends.max().unwrap_or(0);
            is_settled &= std::mem::replace(&mut levels[at], level) == level;
        }
        if is_settled {
            break;
        }
    }
    levels
}

/// The most minutes that the steps take, those of a group ten at a time.
pub(super) fn minutes(steps: &[JobStep]) -> u32 {
    steps.iter().map(minutes_of).fold(0, u32::saturating_add)
}

fn minutes_of(steps: &JobStep) -> u32 {
    let mut ends = [0_u32; AT_ONCE];
    for step in steps.each() {
        // Each begins where the first one ends.
        let next = ends.iter_mut().min().expect("there are places");
        *next = next.saturating_add(step.timeout_minutes.unwrap_or(0));
    }
    ends.into_iter().max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, minutes: u32) -> Step {
        Step::run(id, id).id(id).minutes(minutes)
    }

    fn chain(name: &str, after: &[&str], steps: Vec<Step>) -> Chain {
        let after: Vec<String> = after.iter().map(|name| (*name).to_owned()).collect();
        Chain::new(Kind::Model, name, &after, steps)
    }

    fn ids(steps: &[JobStep]) -> Vec<Vec<&str>> {
        let mut all = Vec::new();
        for group in steps {
            let ids = group.each().iter().filter_map(|step| step.id.as_deref());
            all.push(ids.collect());
        }
        all
    }

    fn sample() -> Vec<Chain> {
        let mut a = chain("a", &[], vec![step("apply-a", 10), step("publish-a", 90)]);
        a.request = Some(step("request-a", 10));
        vec![
            chain("z", &["a"], vec![step("publish-z", 90)]),
            a,
            chain("b", &[], vec![step("publish-b", 90)]),
        ]
    }

    #[test]
    fn chains_stand_beside_each_other_and_each_step_after_the_one_before() {
        let steps = side_by_side(sample(), |_| None);
        assert_eq!(
            ids(&steps),
            [
                vec!["publish-b", "apply-a"],
                vec!["publish-a"],
                vec!["publish-z", "request-a"]
            ]
        );
        let conditions: Vec<Option<&str>> = steps
            .iter()
            .flat_map(JobStep::each)
            .map(|step| step.r#if.as_deref())
            .collect();
        assert_eq!(
            conditions,
            [
                None,
                None,
                Some("!cancelled() && steps.apply-a.outcome == 'success'"),
                Some("!cancelled() && steps.publish-a.outcome == 'success'"),
                Some("!cancelled() && steps.publish-a.outcome == 'success'"),
            ]
        );
        assert_eq!(minutes(&steps), 90 + 90 + 90);
    }

    #[test]
    fn in_turn_what_asks_for_the_next_stage_comes_last() {
        let steps = in_turn(sample());
        let names = [
            "apply-a",
            "publish-a",
            "publish-b",
            "publish-z",
            "request-a",
        ];
        assert_eq!(ids(&steps), names.map(|name| vec![name]));
    }

    #[test]
    fn a_group_takes_as_long_as_its_steps_ten_at_a_time() {
        let group = |count: usize| JobStep::Parallel {
            parallel: (0..count).map(|at| step(&format!("s{at}"), 60)).collect(),
        };
        assert_eq!(minutes(&[group(10)]), 60);
        assert_eq!(minutes(&[group(30)]), 180);
        assert_eq!(minutes(&[group(31), step("x", 5).into()]), 245);
    }
}
