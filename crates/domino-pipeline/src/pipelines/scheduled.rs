//! A workflow that looks at times, and by hand, with the programs that the pipeline deploys with. What it looks at is the
//! business of its job.

use serde_saphyr::{Commented, SpaceAfter};
use stage_file::StageFile;

use super::programs;
use github_workflow::write::{Concurrency, Dispatch, Job, Permissions, Timed, Triggers, Workflow};

/// What such a workflow has of its own.
pub(super) struct Scheduled<'a> {
    /// What it is called; its concurrency group is called so as well.
    pub(super) name: &'a str,
    pub(super) cron: String,
    pub(super) timezone: Option<String>,
    /// Why one run waits for the other.
    pub(super) one_at_a_time: &'a str,
    /// The job that brings the programs, where one does.
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
