//! The last job of a deploy workflow: the picture of the pipeline in the run's summary, coloured by what happened.
//!
//! It decides nothing, holds no secret, and runs whatever became of the stages.

use indexmap::IndexMap;
use serde_saphyr::Commented;
use stage_file::{Kind, StageFile};

use crate::diagram::RunPicture;
use github_workflow::write::{Job, Permissions, Step};

/// The job that draws the run of these jobs, one for each stage of the file.
pub(super) fn job(file: &StageFile, kind: Kind, stages: &[Job]) -> Job {
    let run = RunPicture::of(file, kind, |stage| {
        let at = file
            .stages
            .iter()
            .position(|other| other.name == stage.name);
        at.and_then(|at| stages.get(at))
            .map(|job| job.result().to_string())
            .unwrap_or_default()
    });
    // The picture is data of the step, not of its command; whatever a user named is escaped in it.
    let end = RunPicture::END;
    let draw = Step::run(
        "Draw what happened",
        format!(r#"printf '%s\n' "$PICTURE" "$RESULTS" '{end}' >> "$GITHUB_STEP_SUMMARY""#),
    )
    .env("PICTURE", run.picture)
    .env("RESULTS", run.results);
    let summary = Job {
        id: "summary".to_owned(),
        name: "Draw what happened".to_owned(),
        needs: Vec::new(),
        r#if: Some(Commented(
            "always()".to_owned(),
            "a run that failed is drawn as well".to_owned(),
        )),
        runs_on: file.pipeline.runner.clone(),
        timeout_minutes: 5,
        environment: None,
        permissions: Permissions::none(),
        concurrency: None,
        outputs: IndexMap::new(),
        steps: vec![draw],
    };
    stages.iter().fold(summary, Job::after)
}
