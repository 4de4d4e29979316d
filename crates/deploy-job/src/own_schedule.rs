//! Finds the scheduled job that is ours: by the marker in its title, otherwise by what it does and who created it.
//!
//! A title can be edited. What is certainly ours is used; what may be ours is an error that names it: a second one
//! beside it would start every run twice.

use domino_core::api::GitRef;
use domino_core::api::projects::Project;
use domino_core::api::schedules::ScheduledJob;
use domino_core::api::users::UserId;
use domino_core::deployment_marker::EntityMarker;
use domino_core::error::{CommandError, Result};
use stage_file::{Job, Stage, StageFile};

/// What distinguishes our scheduled job from others.
pub(crate) struct Ours<'a> {
    pub(crate) file: &'a StageFile,
    pub(crate) stage: &'a Stage,
    pub(crate) marker: &'a EntityMarker,
    /// The job in the stage file; absent if it was removed there.
    pub(crate) job: Option<&'a Job>,
    /// Our account, if it was read.
    pub(crate) user: Option<&'a UserId>,
    /// Whether to leave alone what may be ours.
    pub(crate) beside: bool,
}

impl Ours<'_> {
    /// The one that is ours, if there is one.
    pub(crate) fn among(
        &self,
        all: &[ScheduledJob],
        project: &Project,
    ) -> Result<Option<ScheduledJob>> {
        let marked: Vec<&ScheduledJob> = all
            .iter()
            .filter(|scheduled| {
                self.marker
                    .schedule_in(&scheduled.definition.title)
                    .is_some()
            })
            .collect();
        match marked[..] {
            [] => {}
            [one] => return Ok(Some(one.clone())),
            _ => return Err(self.several(&marked)),
        }
        let Some(job) = self.job.filter(|_| !self.beside) else {
            return Ok(None);
        };
        let maybe: Vec<&ScheduledJob> = all
            .iter()
            .filter(|scheduled| !self.is_marked(scheduled) && self.may_be_ours(scheduled, job))
            .collect();
        match maybe[..] {
            [] => Ok(None),
            [one] if self.is_ours(one, job) && !self.may_be_of_another_stage(all, job) => {
                Ok(Some(one.clone()))
            }
            _ => Err(self.uncertain(&maybe, project)),
        }
    }

    /// Whether a title contains the marker of any job of the file in any stage.
    fn is_marked(&self, scheduled: &ScheduledJob) -> bool {
        let title = &scheduled.definition.title;
        self.file.stages.iter().any(|stage| {
            let mut jobs = self.file.jobs.iter();
            jobs.any(|job| {
                EntityMarker::new(&stage.name, &job.name)
                    .schedule_in(title)
                    .is_some()
            })
        })
    }

    /// The same command, and the same account or the same time.
    fn may_be_ours(&self, scheduled: &ScheduledJob, job: &Job) -> bool {
        let definition = &scheduled.definition;
        let same_account = self.user == Some(&definition.scheduled_by_user_id);
        definition.command == job.command && (same_account || is_at_the_time_of(scheduled, job))
    }

    /// The same command, account and time, at a commit, as we always request it.
    fn is_ours(&self, scheduled: &ScheduledJob, job: &Job) -> bool {
        let definition = &scheduled.definition;
        self.user == Some(&definition.scheduled_by_user_id)
            && is_at_the_time_of(scheduled, job)
            && matches!(definition.main_repo_git_ref, Some(GitRef::Commit(_)))
    }

    /// Whether another stage deploys the same job to the same project and has no scheduled job there with its marker.
    fn may_be_of_another_stage(&self, all: &[ScheduledJob], job: &Job) -> bool {
        let others = self.file.stages.iter().filter(|other| {
            let same_place = other.host == self.stage.host && other.project == self.stage.project;
            same_place && other.name != self.stage.name && job.is_deployed_to(other)
        });
        others
            .map(|other| EntityMarker::new(&other.name, &job.name))
            .any(|marker| {
                !all.iter()
                    .any(|scheduled| marker.schedule_in(&scheduled.definition.title).is_some())
            })
    }

    fn several(&self, marked: &[&ScheduledJob]) -> CommandError {
        let ids: Vec<String> = marked.iter().map(|one| format!("`{}`", one.id)).collect();
        CommandError::refused(format!(
            "{} scheduled jobs carry the key `{}`: {}",
            marked.len(),
            self.marker,
            ids.join(", ")
        ))
        .hint("delete all but one of them in Domino; every one of them starts runs")
    }

    fn uncertain(&self, maybe: &[&ScheduledJob], project: &Project) -> CommandError {
        let named: Vec<String> = maybe
            .iter()
            .map(|scheduled| {
                let definition = &scheduled.definition;
                let by = match self.user == Some(&definition.scheduled_by_user_id) {
                    true => "this account".to_owned(),
                    false => format!("account {}", definition.scheduled_by_user_id),
                };
                format!(
                    "`{}` ({}), by {by}, at `{}`",
                    definition.title, scheduled.id, definition.schedule.cron_string
                )
            })
            .collect();
        let marker = self.marker;
        CommandError::refused(format!(
            "no scheduled job of project `{}` carries the key `{marker}`, and this may be ours under another title: {}",
            project.name,
            named.join("; ")
        ))
        .hint(format!(
            "if it is, end its title with `{marker}` in Domino, or delete it there; if not, give `--beside`"
        ))
    }
}

fn is_at_the_time_of(scheduled: &ScheduledJob, job: &Job) -> bool {
    job.schedule
        .as_ref()
        .is_some_and(|schedule| scheduled.definition.schedule.cron_string == schedule.cron)
}
