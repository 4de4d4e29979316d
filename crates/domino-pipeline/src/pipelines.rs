//! From the stage file to workflows: which files there are, one function for each.
//!
//! What a file holds is told in the modules below; how it is spelt in YAML, in `workflow.rs`. Nothing here
//! reads or writes a file.

mod apps;
mod by_hand;
mod cache;
mod chain;
mod ci;
mod drift;
mod follow;
mod held_back;
mod jobs;
mod models;
mod programs;
mod release;
mod runner;
mod stage;
mod summary;
mod trigger;

use stage_file::{Install, Kind, StageFile};

use github_workflow::limits;
use github_workflow::write::Workflow;

use crate::error::{Result, VerbError};
use crate::share::Share;

#[cfg(feature = "rehearse")]
pub use self::programs::{BUILD, FETCH, INSTALL};

/// The folder of the workflows, from the top of the repository.
pub const FOLDER: &str = ".github/workflows";

/// The line by which a file of ours is known again.
pub const WRITTEN_BY: &str = "# Written by: domino-pipeline gen-workflows";

/// The line of files that were written before the program had a name of its own.
pub const WRITTEN_BY_XTASK: &str = "# Written by: cargo xtask gen-workflows";

/// The file of the workflow that publishes the programs; there only where it was asked for.
pub const RELEASE: &str = "release.yml";

/// One workflow and the name of its file.
#[derive(Debug, Clone)]
pub struct WorkflowFile {
    /// The file's name in [`FOLDER`].
    pub name: &'static str,
    /// What it holds.
    pub workflow: Workflow,
}

impl WorkflowFile {
    /// The whole file, header and all.
    pub fn text(&self) -> Result<String> {
        let yaml = self.workflow.to_yaml()?;
        limits::check(&self.workflow, &yaml).map_err(|over| {
            VerbError::usage(format!("`{}` is not written: {over}", self.name)).hint(
                "a repository of its own for some of the jobs, apps or models makes the file smaller",
            )
        })?;
        Ok(format!(
            "# From stages.toml: change that file, not this one.\n{WRITTEN_BY}\n{yaml}"
        ))
    }
}

/// Every workflow that this stage file asks for.
pub fn workflows(file: &StageFile) -> Vec<WorkflowFile> {
    let jobs_alone = Share {
        file,
        kind: Kind::Job,
    };
    let deploys = [
        (!jobs_alone.stages().is_empty()).then(|| WorkflowFile {
            name: "deploy-jobs.yml",
            workflow: jobs::deploy_jobs(file),
        }),
        (!file.apps.is_empty()).then(|| WorkflowFile {
            name: "deploy-apps.yml",
            workflow: apps::deploy_apps(file),
        }),
        (!file.models.is_empty()).then(|| WorkflowFile {
            name: "deploy-models.yml",
            workflow: models::deploy_models(file),
        }),
    ];
    // Only a repository that holds the workspace can check it. Another one has checks of its own, and is told what a
    // change would deploy.
    let pull_requests = match file.pipeline.install {
        Install::Build => WorkflowFile {
            name: "ci.yml",
            workflow: ci::ci(file),
        },
        Install::Release | Install::Pip => WorkflowFile {
            name: "plan.yml",
            workflow: ci::plan_by_a_release(file),
        },
    };
    let watched = drift::drift(file).map(|workflow| WorkflowFile {
        name: "drift.yml",
        workflow,
    });
    let followed = follow::follow(file).map(|workflow| WorkflowFile {
        name: "follow.yml",
        workflow,
    });
    deploys
        .into_iter()
        .flatten()
        .chain([pull_requests])
        .chain(watched)
        .chain(followed)
        .collect()
}

/// The workflow of a repository that publishes the programs for others. It depends on no stage.
pub fn release() -> WorkflowFile {
    WorkflowFile {
        name: RELEASE,
        workflow: release::release(),
    }
}
