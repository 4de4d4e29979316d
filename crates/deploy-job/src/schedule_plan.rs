//! What `deploy-job schedule` is about to do, and how that is shown. It reads and writes nothing.

use domino_core::api::GitRef;
use domino_core::api::projects::Project;
use domino_core::api::schedules::{ScheduleDefinition, ScheduledJob};
use domino_core::commit::Commit;
use domino_core::deployment_marker::EntityMarker;
use domino_core::hold::Hold;
use domino_core::older_commit::OrderNotes;
use domino_core::place::ResolvedPlacement;
use domino_core::revision::{hand_on, meant};
use domino_core::step::{ChangeKind, Plan, Step, StepContext};

use crate::difference::differences;

/// What will be done.
pub(crate) struct SchedulePlan {
    pub(crate) project: Project,
    pub(crate) marker: EntityMarker,
    pub(crate) existing: Option<ScheduledJob>,
    pub(crate) wanted: Option<Wanted>,
    /// What to warn of before anything is written.
    pub(crate) warnings: Vec<String>,
}

/// What the stage file asks for.
pub(crate) struct Wanted {
    pub(crate) definition: ScheduleDefinition,
    pub(crate) place: ResolvedPlacement,
    pub(crate) commit: Commit,
    pub(crate) fires: Vec<String>,
    /// What others set and we leave.
    pub(crate) carried: Vec<String>,
    pub(crate) order: OrderNotes,
    pub(crate) hold: Option<Hold>,
    pub(crate) is_paused_by_file: bool,
}

/// The id of a scheduled job, and the commit that Domino has for it.
pub(crate) fn report_scheduled(step: &mut Step, scheduled: &ScheduledJob) {
    step.report.output("id", scheduled.id.as_str());
    if let Some(GitRef::Commit(commit)) = &scheduled.definition.main_repo_git_ref {
        step.report.output("commit", commit);
    }
}

impl SchedulePlan {
    /// Whether there is nothing to do.
    pub(crate) fn is_as_wanted(&self) -> bool {
        match (&self.existing, &self.wanted) {
            (None, None) => true,
            (Some(existing), Some(wanted)) => {
                differences(&existing.definition, &wanted.definition).is_empty()
            }
            _ => false,
        }
    }

    /// What to say of one that was found without our marker.
    fn other_title(&self, existing: &ScheduledJob) -> String {
        let title = &existing.definition.title;
        match self.marker.schedule_in(title) {
            Some(_) => String::new(),
            None => format!(", called `{title}` in Domino: ours by its command, time and account"),
        }
    }

    /// The step outputs that are true before anything is written.
    pub(crate) fn report_existing(&self, step: &mut Step) {
        if let Some(existing) = &self.existing {
            report_scheduled(step, existing);
        }
    }

    /// Those that are true once Domino has what is wanted.
    pub(crate) fn report_wanted(&self, step: &mut Step) {
        if let Some(wanted) = &self.wanted {
            step.report.output("commit", wanted.commit.as_str());
            hand_on(&mut step.report, meant(&wanted.place));
            if let Some(next) = wanted
                .fires
                .first()
                .filter(|_| !wanted.definition.is_paused)
            {
                step.report.output("next", next.as_str());
            }
        }
    }

    /// The plan as people read it.
    pub(crate) fn view(&self, context: &StepContext, job: &str) -> Plan {
        let stage = &context.stage.name;
        let Some(Wanted {
            definition,
            place,
            commit,
            fires,
            carried,
            order,
            hold,
            is_paused_by_file,
        }) = &self.wanted
        else {
            let mut plan = Plan::new(format!(
                "delete the schedule of job `{job}` in stage `{stage}`"
            ));
            if let Some(existing) = &self.existing {
                plan.change(
                    ChangeKind::Remove,
                    format!(
                        "scheduled job `{}`{}",
                        existing.id,
                        self.other_title(existing)
                    ),
                );
            }
            return plan;
        };
        let mut plan = Plan::new(format!(
            "keep the schedule of job `{job}` in stage `{stage}`"
        ));
        plan.fact(
            "project",
            format!(
                "{} on {}",
                self.project.name,
                context.connection.host().as_str()
            ),
        );
        plan.fact("commit", commit.as_str());
        if let Some(order) = &order.fact {
            plan.fact("order", order);
        }
        if let Some(hold) = hold {
            plan.fact("held", hold.fact());
        }
        plan.fact("command", &definition.command);
        plan.fact(
            "cron",
            format!(
                "{} ({})",
                definition.schedule.cron_string, definition.timezone_id
            ),
        );
        place.describe(&mut plan);
        if definition.is_paused {
            let by = match *is_paused_by_file {
                true => format!("yes, in stage `{stage}`"),
                false => "yes, by somebody in Domino".into(),
            };
            plan.fact("paused", by);
        }
        if !carried.is_empty() {
            plan.fact("carried over", carried.join(", "));
        }
        for (name, at) in ["next run", "2nd run", "3rd run", "4th run", "5th run"]
            .into_iter()
            .zip(fires)
        {
            plan.fact(name, at);
        }
        match &self.existing {
            None => {
                plan.change(
                    ChangeKind::Create,
                    format!("a scheduled job `{}`", definition.title),
                );
            }
            Some(existing) => {
                let different = differences(&existing.definition, definition);
                let title = self.other_title(existing);
                if different.is_empty() || !title.is_empty() {
                    let found = format!("scheduled job `{}`{title}", existing.id);
                    plan.change(ChangeKind::Keep, found);
                }
                for difference in different {
                    plan.change(ChangeKind::Update, difference);
                }
            }
        }
        plan
    }
}
