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
        let Some(wanted) = &self.wanted else {
            return self.view_of_removal(job, stage);
        };
        let mut plan = Plan::new(format!(
            "keep the schedule of job `{job}` in stage `{stage}`"
        ));
        let host = context.connection.host().as_str();
        plan.fact("project", format!("{} on {host}", self.project.name));
        wanted.describe(stage, &mut plan);
        self.show_changes(&wanted.definition, &mut plan);
        plan
    }

    fn view_of_removal(&self, job: &str, stage: &str) -> Plan {
        let mut plan = Plan::new(format!(
            "delete the schedule of job `{job}` in stage `{stage}`"
        ));
        if let Some(existing) = &self.existing {
            let title = self.other_title(existing);
            let found = format!("scheduled job `{}`{title}", existing.id);
            plan.change(ChangeKind::Remove, found);
        }
        plan
    }

    fn show_changes(&self, definition: &ScheduleDefinition, plan: &mut Plan) {
        let Some(existing) = &self.existing else {
            let made = format!("a scheduled job `{}`", definition.title);
            plan.change(ChangeKind::Create, made);
            return;
        };
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

impl Wanted {
    /// What it will be, as facts of a plan.
    fn describe(&self, stage: &str, plan: &mut Plan) {
        plan.fact("commit", self.commit.as_str());
        if let Some(order) = &self.order.fact {
            plan.fact("order", order);
        }
        if let Some(hold) = &self.hold {
            plan.fact("held", hold.fact());
        }
        let (definition, schedule) = (&self.definition, &self.definition.schedule);
        plan.fact("command", &definition.command);
        let (cron, zone) = (&schedule.cron_string, &definition.timezone_id);
        plan.fact("cron", format!("{cron} ({zone})"));
        self.place.describe(plan);
        if definition.is_paused {
            let by = match self.is_paused_by_file {
                true => format!("yes, in stage `{stage}`"),
                false => "yes, by somebody in Domino".into(),
            };
            plan.fact("paused", by);
        }
        if !self.carried.is_empty() {
            plan.fact("carried over", self.carried.join(", "));
        }
        let names = ["next run", "2nd run", "3rd run", "4th run", "5th run"];
        for (name, at) in names.into_iter().zip(&self.fires) {
            plan.fact(name, at);
        }
    }
}
