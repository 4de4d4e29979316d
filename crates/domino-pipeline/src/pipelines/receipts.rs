//! What a workflow does with receipts: where a stage's steps leave theirs, how the next stage gets them, and the job
//! that records them in the repository.
//!
//! That job may write to the repository, and so it holds no secret of Domino and runs nothing but our program.

use serde_saphyr::Commented;
use stage_file::{Receipts, Stage, StageFile};

use super::programs;
use super::runner::runs_on;
use crate::actions;
use github_workflow::write::{FormField, Job, JobStep, Permissions, Step, TextField, TextType};

/// The input of a run started by hand that says why no receipt is wanted.
pub(super) const WITHOUT: &str = "without-receipt";
/// The name of the first step that every program of ours is known by.
const PROGRAM: &str = "exec ";
/// As long as GitHub keeps artifacts of a public repository; a repository may have it shorter.
const RETENTION_DAYS: u32 = 90;
/// How long recording takes at most, with others that record at once.
const MINUTES: u32 = 10;

/// Whether receipts are kept, and so asked for.
pub(super) fn are_asked_for(file: &StageFile) -> bool {
    file.pipeline.receipts != Receipts::None
}

/// The field of a run that a person starts.
pub(super) fn without_field() -> FormField {
    FormField::Text(TextField {
        description: "Why to deploy without the receipt of the stage before; empty asks for it"
            .to_owned(),
        r#type: TextType::String,
    })
}

/// Hands the reason of that field to each program.
pub(super) fn ask_for(file: &StageFile, steps: &mut [JobStep]) {
    if !are_asked_for(file) {
        return;
    }
    let each = steps.iter_mut().flat_map(|step| match step {
        JobStep::One(step) => std::slice::from_mut(&mut **step).iter_mut(),
        JobStep::Parallel { parallel } => parallel.iter_mut(),
    });
    let deploys = |step: &&mut Step| {
        let command = step.run.as_deref();
        command.is_some_and(|command| {
            command.starts_with(PROGRAM) && !command.contains("promote-stage request")
        })
    };
    for step in each.filter(deploys) {
        let given = format!("${{{{ inputs.{WITHOUT} }}}}");
        *step = std::mem::take(step).env("WITHOUT_RECEIPT", given);
    }
}

/// What comes before the steps that deploy: the receipts of the earlier stages of this run, and where to leave one.
pub(super) fn begin(file: &StageFile, is_later: bool) -> Vec<Step> {
    if !are_asked_for(file) {
        return Vec::new();
    }
    let mut steps = Vec::new();
    let mut says = r#"echo "DEPLOY_RECEIPTS=$RUNNER_TEMP/receipts" >> "$GITHUB_ENV""#.to_owned();
    if is_later {
        steps.push(
            actions::DOWNLOAD_ARTIFACT
                .step("Download the receipts of the stages before")
                .with("pattern", "receipts-*")
                .with("merge-multiple", true)
                .with("path", "${{ runner.temp }}/receipts-before"),
        );
        says += "\n";
        says += r#"echo "DEPLOY_RECEIPTS_BEFORE=$RUNNER_TEMP/receipts-before" >> "$GITHUB_ENV""#;
        says += "\n";
    }
    steps.push(Step::run("Say where receipts are left", says));
    steps
}

/// What comes after them, however they ended: what was deployed has its receipt.
pub(super) fn keep(file: &StageFile, stage: &Stage) -> Option<Step> {
    let mut step = actions::UPLOAD_ARTIFACT
        .step("Keep the receipts")
        .with("name", artifact(stage))
        .with("path", "${{ runner.temp }}/receipts")
        .with("if-no-files-found", "ignore")
        .with("retention-days", RETENTION_DAYS);
    step.r#if = Some("always()".to_owned());
    are_asked_for(file).then_some(step)
}

/// The job that records the receipts of a stage as git notes, where they are kept so.
pub(super) fn record(file: &StageFile, stage: &Stage, deploys: &Job) -> Option<Job> {
    if file.pipeline.receipts != Receipts::Notes {
        return None;
    }
    let folder = "${{ runner.temp }}/receipts";
    let checkout = actions::CHECKOUT
        .step("Check out the commit")
        .with("persist-credentials", false);
    // By a pattern, it does not fail where nothing was deployed.
    let download = actions::DOWNLOAD_ARTIFACT
        .step("Download the receipts")
        .with("pattern", artifact(stage))
        .with("merge-multiple", true)
        .with("path", folder);
    let record = Step::run(
        "Record the receipts",
        r#"exec domino-pipeline receipts record "$RUNNER_TEMP/receipts""#,
    )
    .env("GITHUB_TOKEN", "${{ github.token }}");
    let steps = std::iter::once(checkout)
        .chain(programs::steps(file))
        .chain([download, record]);
    let job = Job {
        id: format!(
            "record-{}",
            deploys.id.strip_prefix("deploy-").unwrap_or(&deploys.id)
        ),
        name: format!("Record what {} got", stage.name),
        needs: Vec::new(),
        r#if: Some(Commented(
            format!("always() && needs.{}.result != 'skipped'", deploys.id),
            "what was deployed is recorded, whatever failed beside it".to_owned(),
        )),
        runs_on: runs_on(&file.pipeline.runner),
        timeout_minutes: MINUTES,
        environment: None,
        permissions: Permissions::none().and(
            "contents",
            "write",
            "adds notes to refs/notes/deployments",
        ),
        concurrency: None,
        outputs: Default::default(),
        steps: steps.map(JobStep::from).collect(),
    };
    Some(job.after(deploys))
}

fn artifact(stage: &Stage) -> String {
    format!("receipts-{}", stage.name)
}
