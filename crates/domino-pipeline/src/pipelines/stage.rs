//! The shape that the deploy workflows share: what starts them, the job of one stage, the order of stages.
//!
//! It does not decide what is deployed: each kind of entity provides its own steps.

use std::time::Duration;

use indexmap::IndexMap;
use serde_saphyr::{Commented, SpaceAfter};
use stage_file::{Kind, Queue, Stage, StageFile};

use super::beginning::{begins_at, begins_by_hand, goes_no_further};
use super::by_hand::ByHand;
use super::chain::{self, Chain, Entity};
use super::held_back::{self, Onward};
use super::runner::runs_on;
use super::trigger::triggers;
use super::{programs, receipts, summary};
use crate::actions;
use crate::share::Share;
use github_workflow::write::{
    Concurrency, Environment, Expression, Job, JobStep, Permissions, Step, Workflow, literal,
    refer_to_groups,
};

/// The stage according to the GitHub environment; the programs compare it with `--stage`.
const DOMINO_ENV: &str = "${{ vars.DOMINO_ENV }}";
/// The API key of a person or service account; empty if a token is used.
const DOMINO_USER_API_KEY: &str = "${{ secrets.DOMINO_USER_API_KEY }}";
/// The token of a service account; empty if a key is used.
const DOMINO_TOKEN: &str = "${{ secrets.DOMINO_TOKEN }}";
/// GitHub's own token of the job, with the rights in its `permissions`.
const GITHUB_TOKEN: &str = "${{ github.token }}";

/// The minutes of a stage's job in addition to those of its entities: start, download, unpack.
const OVERHEAD_MINUTES: u32 = 10;

/// The job output with the revision of the compute environment that an entity ran in. A job may have the same name as
/// the model that it trains.
fn revision_output(share: Share<'_>, (kind, name): (Kind, &str)) -> String {
    match kind == share.kind {
        true => format!("{name}-revision"),
        false => format!("revision-of-{name}"),
    }
}

/// The step of an entity with the revision that the stage before ran, and with `outputs` its own revision for the
/// next stage.
pub(super) fn with_revision(
    share: Share<'_>,
    stage: &Stage,
    before: Option<&Job>,
    outputs: &mut IndexMap<String, Expression>,
    (kind, name): (Kind, &str),
    step: Step,
) -> Step {
    let output = revision_output(share, (kind, name));
    if is_deployed_later(share.file, stage, (kind, name)) {
        outputs.insert(output.clone(), step.output("environment-revision"));
    }
    let first = share.file.deployed_before(kind, name, stage).is_none();
    match before.filter(|_| !first) {
        Some(before) => step.env("REVISION_BEFORE", before.output(&output)),
        None => step,
    }
}

/// Passes on the revisions of jobs that are deployed before and after this stage, but not to it.
pub(super) fn pass_revisions(
    share: Share<'_>,
    stage: &Stage,
    before: Option<&Job>,
    outputs: &mut IndexMap<String, Expression>,
) {
    let Some(before) = before else { return };
    for job in share.jobs().filter(|job| !job.is_deployed_to(stage)) {
        let of = (Kind::Job, job.name.as_str());
        let ran = share.file.deployed_before(of.0, of.1, stage).is_some();
        if ran && is_deployed_later(share.file, stage, of) {
            let output = revision_output(share, of);
            let passed = before.output(&output);
            outputs.insert(output, passed);
        }
    }
}

fn is_deployed_later(file: &StageFile, stage: &Stage, (kind, name): (Kind, &str)) -> bool {
    let at = file
        .stages
        .iter()
        .position(|other| other.name == stage.name);
    let later = file.stages.iter().skip(at.map_or(usize::MAX, |at| at + 1));
    let job = (kind == Kind::Job).then(|| file.job(name).ok()).flatten();
    later
        .into_iter()
        .any(|later| job.is_none_or(|job| job.is_deployed_to(later)))
}

/// A workflow that deploys one kind of entity, stage by stage.
///
/// `steps` creates the steps of a stage from the stage and the job of the stage before, if there is one.
pub(super) fn deploy<'a>(
    share: Share<'a>,
    named: impl IntoIterator<Item = String>,
    flags: &[ByHand],
    stage_job: impl Fn(&Stage, Option<&Job>) -> StageSteps,
) -> Workflow {
    let Share { file, kind, .. } = share;
    let programs = programs::job(file);
    let stages = share.stages();
    let mut jobs: Vec<Job> = Vec::with_capacity(stages.len());
    for (at, stage) in stages.iter().enumerate() {
        // Nobody hands on to a stage that is entered by hand: a run of its own begins there.
        let before = jobs.last().filter(|_| !stage.is_entered_by_hand());
        let steps = stage_job(stage, before);
        let earlier = at.checked_sub(1).map(|at| stages[at]);
        let earlier = before.zip(earlier);
        let mut job = job(share, stage, earlier, steps);
        if let Some(before) = before.or(programs.as_ref()) {
            job = job.after(before);
        } else {
            job.r#if = Some(programs::on_production_branch(file));
        }
        if let Some((before, earlier)) = earlier {
            job.r#if = lets_in(share, before, earlier);
        } else if begins_by_hand(&stages) {
            job.r#if = Some(begins_at(stage, job.r#if));
        }
        refer_to_groups(&mut job);
        jobs.push(job);
    }
    let summary = summary::job(share, &jobs);
    let records: Vec<Job> = stages
        .iter()
        .zip(&jobs)
        .filter_map(|(stage, job)| receipts::record(file, stage, job))
        .collect();
    let jobs = programs.into_iter().chain(jobs).chain(records);
    let jobs = jobs.chain([summary]).collect();

    let part = match share.part {
        1 => String::new(),
        part => format!(", part {part}"),
    };
    Workflow {
        name: format!("Deploy {}s{part}", kind.word()),
        on: triggers(share, &stages, named, flags),
        permissions: Permissions::none(),
        concurrency: SpaceAfter(Concurrency {
            group: Commented(
                format!("{}-${{{{ github.sha }}}}", queue_of(share)),
                "a commit is deployed once at a time; commits queue at each stage".to_owned(),
            ),
            cancel_in_progress: false,
            queue: None,
        }),
        jobs,
    }
}

/// The common beginning of the names of a file's concurrency groups. No stage has a `/` in its name, so files never
/// share a group.
fn queue_of(share: Share<'_>) -> String {
    let kind = share.kind.word();
    match share.part {
        1 => format!("deploy-{kind}s"),
        part => format!("deploy-{kind}s/{part}"),
    }
}

/// The condition under which a stage runs after the one before it.
fn lets_in(share: Share<'_>, before: &Job, earlier: &Stage) -> Option<Commented<String>> {
    let not_stopped = unless_stopped_after(share, earlier);
    if hands_on_each(share.file) {
        let passed = format!(
            "!cancelled() && contains(toJSON(needs.{}.outputs), {})",
            before.id,
            literal("\"success\"")
        );
        return Some(match not_stopped {
            Some(not_stopped) => Commented(
                format!("{passed} && {not_stopped}"),
                "something passed, and a run started by hand may stop before".to_owned(),
            ),
            None => Commented(passed, "something passed".to_owned()),
        });
    }
    let why = "a run started by hand may stop before".to_owned();
    not_stopped.map(|not_stopped| Commented(not_stopped, why))
}

/// Whether each entity that passed a stage goes on to the next by itself.
fn hands_on_each(file: &StageFile) -> bool {
    file.pipeline.side_by_side && !file.pipeline.together
}

/// The content of one stage's job.
pub(super) struct StageSteps {
    /// The steps of each entity, each a single command.
    pub(super) chains: Vec<Chain>,
    /// The page where the deployment can be seen.
    pub(super) url: Option<Expression>,
    /// The outputs for the next stage.
    pub(super) outputs: IndexMap<String, Expression>,
}

impl StageSteps {
    /// These chains; the first one's address is the stage's.
    pub(super) fn new(chains: Vec<Chain>) -> Self {
        let url = chains.first().map(|chain| chain.deployed().output("url"));
        Self {
            chains,
            url,
            outputs: IndexMap::new(),
        }
    }
}

/// A time in whole minutes.
pub(super) fn minutes(time: Duration) -> u32 {
    u32::try_from(time.as_secs().div_ceil(60)).unwrap_or(u32::MAX)
}

/// A step that runs one of our programs with what it needs to reach Domino.
pub(super) fn domino_step(name: String, id: String, command: String, minutes: u32) -> Step {
    // GitHub signals only the shell of a cancelled step; the program replaces it to receive the signal.
    Step::run(name, format!("exec {command}"))
        .id(id)
        .env("DOMINO_ENV", DOMINO_ENV)
        .env("DOMINO_USER_API_KEY", DOMINO_USER_API_KEY)
        .env("DOMINO_TOKEN", DOMINO_TOKEN)
        .minutes(minutes)
}

/// The same step with a token for GitHub: for the order of two commits, which every job may read, and if the stage
/// has approvers, for who approved the run.
pub(super) fn asks_github(step: Step) -> Step {
    step.env("GITHUB_TOKEN", GITHUB_TOKEN)
}

/// The permissions that the steps of a stage need in addition to the checkout: to read who approved the run, and in a
/// later attempt, whether the job that starts a run had succeeded.
pub(super) fn permissions(stage: &Stage, steps: &[JobStep]) -> Permissions {
    let approved = !stage.approvers.is_empty() || stage.gates.github_approval;
    let each = || steps.iter().flat_map(JobStep::each);
    let ask = |step: &Step| step.env.contains_key("GITHUB_TOKEN");
    let start = |step: &Step| {
        step.id
            .as_deref()
            .is_some_and(|id| id.starts_with("start-"))
    };
    let why = match (approved && each().any(ask), each().any(start)) {
        (true, true) => "reads who approved this run, and what its earlier attempts did",
        (true, false) => "reads who approved this run",
        (false, true) => "reads what earlier attempts at this run did",
        (false, false) => return Permissions::none(),
    };
    Permissions::none().and("actions", "read", why)
}

/// The id of the job that deploys to this stage.
pub(super) fn job_id(stage: &Stage) -> String {
    // The prefix keeps a stage named `build` apart from the job that builds.
    format!("deploy-{}", stage.name)
}

/// The job output with an entity's result for the next stage.
fn passed_output(kind: Kind, entity: &Entity) -> String {
    match entity.kind == kind {
        true => format!("{}-passed", entity.name),
        false => format!("passed-of-{}", entity.name),
    }
}

/// The steps that deploy, and the outputs for the next stage.
fn deployment(
    share: Share<'_>,
    stage: &Stage,
    earlier: Option<(&Job, &Stage)>,
    deploy: StageSteps,
) -> (Vec<JobStep>, IndexMap<String, Expression>) {
    let Share { file, kind, .. } = share;
    let StageSteps {
        mut chains,
        mut outputs,
        ..
    } = deploy;
    if !file.pipeline.side_by_side {
        return (chain::in_turn(chains), outputs);
    }
    let is_last = goes_no_further(share, stage);
    let onward = match (is_last, hands_on_each(file)) {
        (true, _) => Onward::Nowhere,
        (false, true) => Onward::Each,
        (false, false) => Onward::Together,
    };
    let gate = |entity: &Entity| {
        let output = passed_output(kind, entity);
        let (before, _) = earlier?;
        let is_told = before.outputs.contains_key(&output);
        is_told.then(|| before.output(&output))
    };
    if matches!(onward, Onward::Each) {
        for chain in &chains {
            let Entity { kind: of, name } = &chain.entity;
            if is_deployed_later(file, stage, (*of, name)) {
                outputs.insert(passed_output(kind, &chain.entity), chain.passed());
            }
        }
        // The next stage needs the earlier result of a job that is not deployed to this stage.
        for job in share.jobs().filter(|job| !job.is_deployed_to(stage)) {
            let of = Entity {
                kind: Kind::Job,
                name: job.name.clone(),
            };
            if is_deployed_later(file, stage, (Kind::Job, &job.name))
                && let Some(passed) = gate(&of)
            {
                outputs.insert(passed_output(kind, &of), passed);
            }
        }
    }
    held_back::collect_summaries(&mut chains);
    let told = earlier.map(|(_, earlier)| (&gate as &dyn Fn(&Entity) -> _, earlier.name.as_str()));
    let last = held_back::step(&chains, told, &onward);
    let mut steps = chain::side_by_side(chains, gate);
    steps.push(last.into());
    (steps, outputs)
}

fn job(
    share: Share<'_>,
    stage: &Stage,
    earlier: Option<(&Job, &Stage)>,
    deploy: StageSteps,
) -> Job {
    let Share { file, kind, .. } = share;
    let url = deploy.url.clone();
    let (mut deploy, mut outputs) = deployment(share, stage, earlier, deploy);
    if goes_no_further(share, stage) {
        // Nobody reads them.
        outputs.clear();
    }
    let is_first = share.stages().first().map(|first| &first.name) == Some(&stage.name);
    if !is_first {
        receipts::ask_for(file, &mut deploy);
    }
    let minutes = chain::minutes(&deploy);
    let permissions = permissions(stage, &deploy);
    let mut steps: Vec<JobStep> = vec![
        actions::CHECKOUT
            .step("Check out the stage file")
            .with("persist-credentials", false)
            .into(),
    ];
    steps.extend(programs::steps(file).into_iter().map(JobStep::from));
    let begin = receipts::begin(file, earlier.is_some());
    steps.extend(begin.into_iter().map(JobStep::from));
    steps.extend(deploy);
    steps.extend(receipts::keep(file, stage).map(JobStep::from));
    Job {
        id: job_id(stage),
        name: format!("Deploy {}s to {}", kind.word(), stage.name),
        needs: Vec::new(),
        r#if: None,
        runs_on: runs_on(stage.runner.as_ref().unwrap_or(&file.pipeline.runner)),
        timeout_minutes: OVERHEAD_MINUTES + minutes,
        environment: Some(Environment {
            name: stage.github_environment.clone(),
            url,
        }),
        permissions: permissions.and("contents", "read", "checks out the stage file"),
        concurrency: Some(Concurrency {
            group: Commented(
                format!("{}-{}", queue_of(share), stage.name),
                match file.pipeline.queue {
                    Queue::Single => {
                        "one deployment at a time; of those that wait, the newest stays"
                    }
                    Queue::Max => "one deployment at a time; those that wait come in their order",
                }
                .to_owned(),
            ),
            cancel_in_progress: false,
            queue: (file.pipeline.queue == Queue::Max).then_some("max"),
        }),
        outputs,
        steps,
    }
}

/// Whether the run continues after this stage, where a person may stop it. A skipped job skips every later one, so each
/// only needs to check one stage back. In a run that was started by a push the input is empty, so it never equals this
/// stage.
pub(super) fn unless_stopped_after(share: Share<'_>, stage: &Stage) -> Option<String> {
    let may_stop = !begins_by_hand(&share.stages());
    may_stop.then(|| format!("inputs.stop-after != {}", literal(&stage.name)))
}
