//! The shape that the deploy workflows share: what starts them, the job of one stage, the order of stages.
//!
//! What is deployed is not decided here: each kind of entity brings its own steps.

use indexmap::IndexMap;
use serde_saphyr::{Commented, SpaceAfter};
use stage_file::{Kind, Stage, StageFile};

use super::{programs, summary};
use crate::actions;
use crate::share::Share;
use github_workflow::write::{
    Choice, ChoiceType, Concurrency, Dispatch, Environment, Expression, Filter, Flag, FlagType,
    FormField, Job, Pattern, Permissions, Step, Triggers, Workflow, literal,
};

/// Which stage the GitHub environment says it is; the programs compare it with `--stage`.
const DOMINO_ENV: &str = "${{ vars.DOMINO_ENV }}";
/// The credential of a person's or service account's key; empty where the token is used.
const DOMINO_USER_API_KEY: &str = "${{ secrets.DOMINO_USER_API_KEY }}";
/// The credential of a service account; empty where the key is used.
const DOMINO_TOKEN: &str = "${{ secrets.DOMINO_TOKEN }}";
/// GitHub's own token of the job, good for what its `permissions` say.
const GITHUB_TOKEN: &str = "${{ github.token }}";

/// The minutes a stage's job has beside those of its entities: start, download, unpack.
const OVERHEAD_MINUTES: u32 = 10;

/// A flag of a program that a person ticks who starts a run by hand. It reaches the program as a variable, and is never
/// a word of a command.
#[derive(Clone, Copy)]
pub(super) struct ByHand {
    input: &'static str,
    variable: &'static str,
    description: &'static str,
}

/// `--put-back`.
pub(super) const PUT_BACK: ByHand = ByHand {
    input: "put-back",
    variable: "DEPLOY_PUT_BACK",
    description: "Set what people changed in Domino to what stages.toml says",
};
/// `--back`.
pub(super) const BACK: ByHand = ByHand {
    input: "back",
    variable: "DEPLOY_BACK",
    description: "Deploy a commit even if a newer one runs",
};

/// The same step, which is given these flags of a run that a person starts.
pub(super) fn with_flags(step: Step, flags: &[ByHand]) -> Step {
    flags.iter().fold(step, |step, flag| {
        step.env(flag.variable, format!("${{{{ inputs.{} }}}}", flag.input))
    })
}

/// The job output that carries the revision of the compute environment that an entity ran in. A job may be called as
/// the model that it trains.
fn revision_output(share: Share<'_>, (kind, name): (Kind, &str)) -> String {
    match kind == share.kind {
        true => format!("{name}-revision"),
        false => format!("revision-of-{name}"),
    }
}

/// The step of an entity, which is told the revision that the stage before ran, and with `outputs` tells the next stage
/// its own.
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

/// Passes on what jobs ran in that are deployed before and after this stage, and not to it.
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
/// `steps` makes the steps of a stage from the stage and the job of the stage before, if there is one.
pub(super) fn deploy<'a>(
    share: Share<'a>,
    paths: impl IntoIterator<Item = &'a str>,
    flags: &[ByHand],
    stage_job: impl Fn(&Stage, Option<&Job>) -> StageSteps,
) -> Workflow {
    let Share { file, kind } = share;
    let programs = programs::job(file);
    let stages = share.stages();
    let mut jobs: Vec<Job> = Vec::with_capacity(stages.len());
    for (at, stage) in stages.iter().enumerate() {
        let before = jobs.last();
        let steps = stage_job(stage, before);
        let mut job = job(file, kind, stage, steps);
        if let Some(before) = before.or(programs.as_ref()) {
            job = job.after(before);
        } else {
            job.r#if = Some(programs::on_production_branch(file));
        }
        if let Some(at) = at.checked_sub(1) {
            let condition = unless_stopped_after(stages[at]);
            job.r#if = Some(Commented(
                condition,
                "a run started by hand may stop before".to_owned(),
            ));
        }
        jobs.push(job);
    }
    let summary = summary::job(share, &jobs);
    let jobs = programs.into_iter().chain(jobs).chain([summary]).collect();

    Workflow {
        name: format!("Deploy {}s", kind.word()),
        on: triggers(share, &stages, paths, flags),
        permissions: Permissions::none(),
        concurrency: SpaceAfter(Concurrency {
            group: Commented(
                format!("deploy-{}s-${{{{ github.sha }}}}", kind.word()),
                "a commit is deployed once at a time; commits queue at each stage".to_owned(),
            ),
            cancel_in_progress: false,
        }),
        jobs,
    }
}

/// What one stage's job does.
pub(super) struct StageSteps {
    /// One step per entity, each a single command.
    pub(super) steps: Vec<Step>,
    /// Where what was deployed can be seen.
    pub(super) url: Option<Expression>,
    /// What the next stage is given.
    pub(super) outputs: IndexMap<String, Expression>,
}

impl StageSteps {
    /// These steps; the first one's address is the stage's.
    pub(super) fn new(steps: Vec<Step>) -> Self {
        let url = steps.first().map(|step| step.output("url"));
        Self {
            steps,
            url,
            outputs: IndexMap::new(),
        }
    }
}

/// A step that runs one of our programs with what it needs to reach Domino.
pub(super) fn domino_step(name: String, id: String, command: String, minutes: u32) -> Step {
    // GitHub signals only the shell of a step that is cancelled; the program takes its place to hear it.
    Step::run(name, format!("exec {command}"))
        .id(id)
        .env("DOMINO_ENV", DOMINO_ENV)
        .env("DOMINO_USER_API_KEY", DOMINO_USER_API_KEY)
        .env("DOMINO_TOKEN", DOMINO_TOKEN)
        .minutes(minutes)
}

/// The same step, which asks GitHub: how two commits stand to each other, which the checkout lets every job ask, and
/// where the stage has approvers, who approved the run.
pub(super) fn asks_github(step: Step) -> Step {
    step.env("GITHUB_TOKEN", GITHUB_TOKEN)
}

/// What the steps of a stage need of GitHub beside the checkout: who approved the run, and when it is run again, whether
/// the job that starts a run had succeeded.
fn permissions(stage: &Stage, steps: &[Step]) -> Permissions {
    let approved = !stage.approvers.is_empty() || stage.gates.github_approval;
    let ask = |step: &Step| step.env.contains_key("GITHUB_TOKEN");
    let start = |step: &Step| {
        step.id
            .as_deref()
            .is_some_and(|id| id.starts_with("start-"))
    };
    let why = match (approved && steps.iter().any(ask), steps.iter().any(start)) {
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

fn job(file: &StageFile, kind: Kind, stage: &Stage, deploy: StageSteps) -> Job {
    let minutes = deploy
        .steps
        .iter()
        .filter_map(|step| step.timeout_minutes)
        .sum::<u32>();
    let permissions = permissions(stage, &deploy.steps);
    let mut steps = vec![
        actions::CHECKOUT
            .step("Check out the stage file")
            .with("persist-credentials", false),
    ];
    steps.extend(programs::steps(file));
    steps.extend(deploy.steps);
    Job {
        id: job_id(stage),
        name: format!("Deploy {}s to {}", kind.word(), stage.name),
        needs: Vec::new(),
        r#if: None,
        runs_on: file.pipeline.runner.clone(),
        timeout_minutes: OVERHEAD_MINUTES + minutes,
        environment: Some(Environment {
            name: stage.github_environment.clone(),
            url: deploy.url,
        }),
        permissions: permissions.and("contents", "read", "checks out the stage file"),
        concurrency: Some(Concurrency {
            group: Commented(
                format!("deploy-{}s-{}", kind.word(), stage.name),
                "one deployment at a time; of those that wait, the newest stays".to_owned(),
            ),
            cancel_in_progress: false,
        }),
        outputs: deploy.outputs,
        steps,
    }
}

/// Whether the run goes on after this stage. A job that is skipped takes every later one with it, so each needs to
/// look one stage back only; in a run that a push started the answer is empty, and so never this stage.
pub(super) fn unless_stopped_after(stage: &Stage) -> String {
    format!("inputs.stop-after != {}", literal(&stage.name))
}

fn triggers<'a>(
    share: Share<'a>,
    stages: &[&Stage],
    paths: impl IntoIterator<Item = &'a str>,
    flags: &[ByHand],
) -> Triggers {
    let mut inputs = IndexMap::new();
    if let [_, .., last] = stages {
        inputs.insert(
            "stop-after".to_owned(),
            FormField::Choice(Choice {
                description: "The last stage to deploy to".to_owned(),
                r#type: ChoiceType::Choice,
                default: last.name.clone(),
                options: stages.iter().map(|stage| stage.name.clone()).collect(),
            }),
        );
    }
    for flag in flags {
        let ask = Flag {
            description: flag.description.to_owned(),
            r#type: FlagType::Boolean,
            default: false,
        };
        inputs.insert(flag.input.to_owned(), FormField::Flag(ask));
    }
    Triggers {
        push: Some(Filter {
            branches: vec![Pattern::Exactly(share.file.pipeline.branch.clone())],
            paths: watched(share, paths),
            ..Filter::default()
        }),
        workflow_dispatch: Some(Dispatch { inputs }),
        ..Triggers::default()
    }
}

/// The files whose change deploys what the workflow deploys: the stage file, the project without the folders of the
/// other kinds, and the folder of each file that an entity names.
fn watched<'a>(share: Share<'a>, named: impl IntoIterator<Item = &'a str>) -> Vec<Pattern> {
    let mut paths = vec![
        Pattern::Exactly("stages.toml".to_owned()),
        Pattern::Below("src/project".to_owned()),
    ];
    for other in [Kind::Job, Kind::App, Kind::Model] {
        if !share.kinds().any(|kind| kind == other) {
            paths.push(Pattern::NotBelow(format!("src/project/{}s", other.word())));
        }
    }
    let own: Vec<String> = share
        .kinds()
        .map(|kind| format!("src/project/{}s/", kind.word()))
        .collect();
    for file in named {
        if own.iter().any(|own| file.starts_with(own)) {
            continue;
        }
        let pattern = match file.rsplit_once('/') {
            Some((folder, _)) => Pattern::Below(folder.to_owned()),
            None => Pattern::Exactly(file.to_owned()),
        };
        if !paths.contains(&pattern) {
            paths.push(pattern);
        }
    }
    paths
}
