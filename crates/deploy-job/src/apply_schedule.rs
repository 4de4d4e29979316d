//! Writes a scheduled job: created, replaced or deleted, once, and never a second one beside that of another step.
//!
//! Domino's own list decides what the result is.

use std::time::Duration;

use domino_core::api::projects::ProjectId;
use domino_core::api::schedules::{ScheduleId, ScheduledJob};
use domino_core::client::{Writer, write_once};
use domino_core::error::{CommandError, Result};
use domino_core::step::{Step, StepContext};
use domino_core::wait::Rechecks;

use crate::difference::differences;
use crate::schedule_plan::{SchedulePlan, Wanted, report_scheduled};

/// The result of writing.
pub(crate) enum Applied {
    /// Domino has this scheduled job now.
    Is(Box<ScheduledJob>),
    Deleted,
    /// Another step created this one at the same moment, and ours was deleted again.
    Second(ScheduleId),
}

/// How long a last look may take: the step has already failed.
const LOOK: Duration = Duration::from_secs(10);

impl SchedulePlan {
    /// A failed step reports what Domino has, not what was wanted.
    pub(crate) async fn report_what_is(&self, step: &mut Step, context: &StepContext) {
        step.report.forget(&["id", "commit"]);
        let reader = context.connection.reader();
        let look = tokio::time::timeout(LOOK, reader.scheduled_jobs(&self.project.id));
        let Ok(Ok(all)) = look.await else { return };
        let is_ours = |scheduled: &&ScheduledJob| match &self.existing {
            Some(existing) => scheduled.id == existing.id,
            None => {
                let title = &scheduled.definition.title;
                self.marker.schedule_in(title).is_some()
            }
        };
        if let Some(ours) = all.iter().find(is_ours) {
            report_scheduled(step, ours);
        }
    }

    /// Writes, and checks what Domino has afterwards.
    pub(crate) async fn apply(&self, context: &StepContext) -> Result<Applied> {
        let writer = context.connection.writer();
        let reader = writer.reader();
        let project = &self.project.id;
        let Some(Wanted { definition, .. }) = &self.wanted else {
            if let Some(existing) = &self.existing {
                delete(&writer, project, &existing.id).await?;
            }
            return Ok(Applied::Deleted);
        };
        let find = async || {
            let all = reader.scheduled_jobs(project).await?;
            Ok(all
                .into_iter()
                .find(|scheduled| differences(&scheduled.definition, definition).is_empty()))
        };
        let written = match &self.existing {
            None => {
                write_once(
                    reader.delay_scale(),
                    async || writer.create_scheduled_job(project, definition).await,
                    find,
                )
                .await?
            }
            Some(existing) => {
                write_once(
                    reader.delay_scale(),
                    async || {
                        writer
                            .replace_scheduled_job(project, &existing.id, definition)
                            .await
                    },
                    find,
                )
                .await?
            }
        };
        let now = written.into_inner();
        let different = differences(&now.definition, definition);
        if different.is_empty() {
            return match self.existing {
                Some(_) => Ok(Applied::Is(Box::new(now))),
                None => self.first_of_several(&writer, now).await,
            };
        }
        Err(CommandError::failed(format!(
            "Domino keeps something else than was asked for: {}",
            different.join("; ")
        )))
    }

    /// If two steps create one at the same moment, each before it saw the other's, the first in Domino's own order
    /// stays. The first waits until the others are gone; one that remains belongs to a step that has ended, so it is
    /// the one that stays.
    async fn first_of_several(&self, writer: &Writer, ours: ScheduledJob) -> Result<Applied> {
        let (reader, project) = (writer.reader(), &self.project.id);
        let mut looks = Rechecks::begin(reader.delay_scale());
        loop {
            let all = reader.scheduled_jobs(project).await?;
            let mut others = all.into_iter().filter(|other| {
                let title = &other.definition.title;
                other.id != ours.id && self.marker.schedule_in(title).is_some()
            });
            let Some(other) = others.next() else { break };
            let is_first = ours.is_before(&other) && others.all(|other| ours.is_before(&other));
            if !is_first || looks.are_over() {
                delete(writer, project, &ours.id).await?;
                return Ok(Applied::Second(other.id));
            }
            looks.pause().await;
        }
        Ok(Applied::Is(Box::new(ours)))
    }
}

/// Deletes a scheduled job, and checks that Domino no longer lists it: a proxy in between may answer in Domino's
/// place.
async fn delete(writer: &Writer, project: &ProjectId, id: &ScheduleId) -> Result<()> {
    let deleted = writer.delete_scheduled_job(project, id).await;
    let all = writer.reader().scheduled_jobs(project).await?;
    if !all.iter().any(|scheduled| scheduled.id == *id) {
        return Ok(());
    }
    deleted?;
    Err(CommandError::refused(format!(
        "Domino answered the deletion of scheduled job `{id}` as done, and still lists it"
    ))
    .hint("does something between here and Domino answer in its place? Delete it in Domino"))
}
