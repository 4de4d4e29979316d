//! The last job of a deploy workflow: the picture of the pipeline in the run's summary, coloured by the results.
//!
//! It decides nothing, has no secret, and runs whatever the results of the stages are.

use indexmap::IndexMap;
use serde_saphyr::Commented;

use super::runner::runs_on;
use crate::diagram::RunPicture;
use crate::share::Share;
use github_workflow::write::{Job, Permissions, Step};

/// The job that draws the run of these jobs, one for each stage of the workflow.
pub(super) fn job(share: Share<'_>, stages: &[Job]) -> Job {
    let results = stages.iter().map(|job| job.result().to_string());
    let run = RunPicture::of(share, results);
    // The picture is data of the step, not part of its command; names from the stage file are escaped in it.
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
        runs_on: runs_on(&share.file.pipeline.runner),
        timeout_minutes: 5,
        environment: None,
        permissions: Permissions::none(),
        concurrency: None,
        outputs: IndexMap::new(),
        steps: vec![draw.into()],
    };
    stages.iter().fold(summary, Job::after)
}
