//! From the stage file to workflows: which files there are, one function for each.
//!
//! The modules below decide what a file contains; `workflow.rs` writes it as YAML. Nothing here reads or writes a
//! file.

mod apps;
mod back;
mod beginning;
mod by_hand;
mod cache;
mod chain;
mod ci;
mod doctor;
mod drift;
mod follow;
mod held_back;
mod jobs;
mod models;
mod parts;
mod programs;
mod receipts;
mod release;
mod runner;
mod scheduled;
mod stage;
mod summary;
mod trigger;
mod workflow_file;

use stage_file::{Install, Kind, StageFile};

use crate::share::Share;

#[cfg(feature = "rehearse")]
pub use self::programs::{BUILD, BUILD_TO_RECORD, FETCH, INSTALL, RETENTION_DAYS};
pub use self::workflow_file::{WRITTEN_BY, WorkflowFile};

/// The folder of the workflows, from the top of the repository.
pub const FOLDER: &str = ".github/workflows";

/// The line in files that were written before the program had a name of its own.
pub const WRITTEN_BY_XTASK: &str = "# Written by: cargo xtask gen-workflows";

/// The file of the workflow that publishes the programs; it exists only if it was asked for.
pub const RELEASE: &str = "release.yml";

/// Every workflow that this stage file leads to.
pub fn workflows(file: &StageFile) -> Vec<WorkflowFile> {
    let of = |kind| Share {
        file,
        kind,
        part: 1,
    };
    let (jobs, apps, models) = (of(Kind::Job), of(Kind::App), of(Kind::Model));
    let deploys = [
        (!jobs.stages().is_empty()).then(|| parts::files(jobs, jobs::deploy_jobs)),
        (!file.apps.is_empty()).then(|| parts::files(apps, apps::deploy_apps)),
        (!file.models.is_empty()).then(|| parts::files(models, models::deploy_models)),
    ];
    // Only a repository that contains the workspace can check it. Another one has checks of its own, and is shown
    // what a change would deploy.
    let pull_requests = match file.pipeline.install {
        Install::Build => WorkflowFile::new("ci.yml", ci::ci(file)),
        Install::Release | Install::Pip => {
            WorkflowFile::new("plan.yml", ci::plan_by_a_release(file))
        }
    };
    let watched = drift::drift(file).map(|workflow| WorkflowFile::new("drift.yml", workflow));
    let followed = follow::follow(file).map(|workflow| WorkflowFile::new("follow.yml", workflow));
    let deploys: Vec<WorkflowFile> = deploys.into_iter().flatten().flatten().collect();
    let back = back::back(file, &deploys).map(|workflow| WorkflowFile::new("back.yml", workflow));
    deploys
        .into_iter()
        .chain(back)
        .chain([pull_requests])
        .chain(watched)
        .chain(followed)
        .collect()
}

/// The file of the workflow that runs the doctor upon the runners; there only where it was asked for.
pub const DOCTOR: &str = "doctor.yml";

/// The workflow that runs the doctor upon the runners.
pub fn doctor(file: &StageFile) -> WorkflowFile {
    WorkflowFile::new(DOCTOR, doctor::doctor(file))
}

/// The workflow of a repository that publishes the programs for others. It does not depend on any stage.
pub fn release() -> WorkflowFile {
    WorkflowFile::new(RELEASE, release::release())
}
