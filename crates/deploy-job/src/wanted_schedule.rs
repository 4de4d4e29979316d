//! What a scheduled job is to be: what Domino has, changed where the stage file says something, and nowhere else.
//!
//! What somebody paused or let fire again since our last write stays as they want it, with a warning.

use domino_core::api::GitRef;
use domino_core::api::environments::RevisionSpec;
use domino_core::api::hardware_tiers::HardwareTierId;
use domino_core::api::schedules::{Cron, ScheduleDefinition, ScheduledJob};
use domino_core::api::users::UserId;
use domino_core::commit::Commit;
use domino_core::deployment_marker::EntityMarker;
use domino_core::hold::Hold;
use domino_core::place::ResolvedPlacement;
use serde_json::Map;
use stage_file::{Job, Schedule, Stage, StageFile};

/// What the stage file says of a scheduled job, and what Domino has.
pub(crate) struct Asked<'a> {
    pub(crate) file: &'a StageFile,
    pub(crate) stage: &'a Stage,
    pub(crate) job: &'a Job,
    pub(crate) schedule: &'a Schedule,
    pub(crate) marker: &'a EntityMarker,
    pub(crate) place: &'a ResolvedPlacement,
    /// The tier where neither the file nor an existing scheduled job names one.
    pub(crate) default_tier: Option<HardwareTierId>,
    pub(crate) commit: &'a Commit,
    pub(crate) user: &'a UserId,
    pub(crate) existing: Option<&'a ScheduledJob>,
    /// What people paused or resumed becomes what the file says.
    pub(crate) as_file_says: bool,
    /// That it stays at this commit.
    pub(crate) hold: Option<&'a Hold>,
}

/// What it is to be, and what is to be told of it.
pub(crate) struct Definition {
    pub(crate) definition: ScheduleDefinition,
    /// What others set and we leave, in words.
    pub(crate) carried: Vec<String>,
    pub(crate) warning: Option<String>,
}

impl Asked<'_> {
    /// What it is to be. `None` when no hardware tier is known.
    pub(crate) fn definition(self) -> Option<Definition> {
        let tier = self.place.tier.as_ref().map(|tier| tier.id.clone());
        let (is_paused, written_paused, warning) = self.pause();
        let title = self.title(written_paused);
        let Some(existing) = self.existing.map(|existing| &existing.definition) else {
            let mut definition =
                self.new_definition(title, is_paused, tier.or(self.default_tier.clone())?);
            self.place_environment(&mut definition);
            definition.set(&self.place.settings.job());
            return Some(Definition {
                definition,
                carried: Vec::new(),
                warning,
            });
        };
        let mut definition = existing.clone();
        let mut carried = Vec::new();
        definition.title = title;
        definition.command.clone_from(&self.job.command);
        definition.schedule = self.cron();
        definition.is_paused = is_paused;
        definition.scheduled_by_user_id = self.user.clone();
        definition.main_repo_git_ref = Some(GitRef::commit(self.commit));
        if self.sets("timezone") {
            definition.timezone_id.clone_from(&self.schedule.timezone);
        } else if definition.timezone_id != self.schedule.timezone {
            carried.push(format!("time zone {}", definition.timezone_id));
        }
        if self.sets("concurrent") {
            definition.allow_concurrent_execution = self.schedule.concurrent;
        } else if definition.allow_concurrent_execution {
            carried.push("runs side by side".into());
        }
        if self.sets("notify") {
            definition
                .notify_on_complete_email_addresses
                .clone_from(&self.schedule.notify);
        } else if !definition.notify_on_complete_email_addresses.is_empty() {
            carried.push("addresses to notify".into());
        }
        match tier {
            Some(tier) => definition.hardware_tier_identifier = tier,
            None => carried.push(format!(
                "hardware tier {}",
                definition.hardware_tier_identifier
            )),
        }
        if let (None, Some(environment)) =
            (&self.place.environment, &definition.override_environment_id)
        {
            carried.push(format!("environment {environment}"));
        }
        self.place_environment(&mut definition);
        let ours = definition.set(&self.place.settings.job());
        carried.extend(definition.carried(&ours));
        Some(Definition {
            definition,
            carried,
            warning,
        })
    }

    fn new_definition(
        &self,
        title: String,
        is_paused: bool,
        tier: HardwareTierId,
    ) -> ScheduleDefinition {
        ScheduleDefinition {
            title,
            command: self.job.command.clone(),
            schedule: self.cron(),
            timezone_id: self.schedule.timezone.clone(),
            is_paused,
            allow_concurrent_execution: self.schedule.concurrent,
            hardware_tier_identifier: tier,
            override_environment_id: None,
            environment_revision_spec: RevisionSpec::Active,
            scheduled_by_user_id: self.user.clone(),
            notify_on_complete_email_addresses: self.schedule.notify.clone(),
            main_repo_git_ref: Some(GitRef::commit(self.commit)),
            rest: Map::new(),
        }
    }

    fn place_environment(&self, definition: &mut ScheduleDefinition) {
        if let Some((environment, revision)) = &self.place.environment {
            definition.override_environment_id = Some(environment.id.clone());
            definition.environment_revision_spec = revision.clone();
        }
    }

    fn cron(&self) -> Cron {
        Cron {
            cron_string: self.schedule.cron.clone(),
            is_custom: true,
        }
    }

    fn sets(&self, key: &str) -> bool {
        let job = self.job.name.as_str();
        self.file.sets(&["job", job, "schedule", key])
    }

    /// The title with our marker. Where the file names none, what people wrote around the marker stays.
    fn title(&self, written_paused: bool) -> String {
        let marker = self.marker.of_schedule(written_paused, self.hold);
        let ours = format!("{} {marker}", self.job.title);
        let Some(existing) = self.existing else {
            return ours;
        };
        if self.file.sets(&["job", self.job.name.as_str(), "title"]) {
            return ours;
        }
        let title = &existing.definition.title;
        match self.marker.schedule_in(title) {
            Some(old) => title.replace(&old.text, &marker),
            None => format!("{title} {marker}"),
        }
    }

    /// Whether it is to be paused, what of that the marker keeps as our own last word, and what to warn of.
    fn pause(&self) -> (bool, bool, Option<String>) {
        let wanted = self.schedule.paused.contains(&self.stage.name);
        let Some(existing) = self.existing else {
            return (wanted, wanted, None);
        };
        let (title, is) = (&existing.definition.title, existing.definition.is_paused);
        // Without our marker nobody knows what we wrote, and what is there counts as somebody's decision.
        let written = self.marker.schedule_in(title);
        let written = written.map(|written| written.is_paused);
        if is == wanted || self.as_file_says || written == Some(is) {
            return (wanted, wanted, None);
        }
        let job = &self.job.name;
        let warning = match is {
            true => format!(
                "somebody has paused the schedule of job `{job}` in Domino, and stages.toml does not: it stays paused \
                 and starts nothing; `--put-back` lets it fire again"
            ),
            false => format!(
                "somebody lets the schedule of job `{job}` fire in Domino, though stages.toml pauses it in stage `{}`: \
                 it goes on to fire; `--put-back` pauses it",
                self.stage.name
            ),
        };
        (is, written.unwrap_or(wanted), Some(warning))
    }
}

#[cfg(test)]
mod tests;
