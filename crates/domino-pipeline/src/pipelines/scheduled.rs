//! A workflow that runs on a schedule, and by hand, and only reads with the programs that the pipeline deploys with.
//! Its job decides what it reads.

use serde_saphyr::{Commented, SpaceAfter};
use stage_file::StageFile;

use super::programs;
use github_workflow::write::{Concurrency, Dispatch, Job, Permissions, Timed, Triggers, Workflow};

/// What distinguishes such a workflow.
pub(super) struct Scheduled<'a> {
    /// Its name, and that of its concurrency group.
    pub(super) name: &'a str,
    pub(super) cron: String,
    pub(super) timezone: Option<String>,
    /// Why one run waits for another.
    pub(super) one_at_a_time: &'a str,
    /// The job that provides the programs, if there is one.
    pub(super) programs: Option<Job>,
    pub(super) look: Job,
}

impl Scheduled<'_> {
    pub(super) fn workflow(self, file: &StageFile) -> Workflow {
        let look = match &self.programs {
            Some(programs) => self.look.after(programs),
            None => Job {
                r#if: Some(Commented(
                    programs::on_production_branch(file).0,
                    "no other branch says what is to run".to_owned(),
                )),
                ..self.look
            },
        };
        Workflow {
            name: self.name.to_owned(),
            on: Triggers {
                schedule: vec![Timed {
                    cron: self.cron,
                    timezone: self.timezone,
                }],
                workflow_dispatch: Some(Dispatch::default()),
                ..Triggers::default()
            },
            permissions: Permissions::none(),
            concurrency: SpaceAfter(Concurrency {
                group: Commented(self.name.to_lowercase(), self.one_at_a_time.to_owned()),
                cancel_in_progress: false,
                queue: None,
            }),
            jobs: self.programs.into_iter().chain([look]).collect(),
        }
    }
}
