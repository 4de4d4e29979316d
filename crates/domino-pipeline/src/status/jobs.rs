//! Jobs in a stage: the newest run of each, by our marker in its title, and the scheduled jobs.

use domino_core::api::GitRef;
use domino_core::api::environments::RevisionSpec;
use domino_core::api::jobs::{ExecutionStatus, Job as Run};
use domino_core::api::schedules::ScheduledJob;
use domino_core::deployment_marker::EntityMarker;
use domino_core::job_run::is_of;
use stage_file::{Job, Kind, Revision, Schedule, Target};

use super::compare::Where;
use super::deployed::{Deployed, Difference, EntityKind, Health, moment};
use super::seen::Seen;

/// A job of the file in this stage.
pub(super) fn deployed(seen: &Seen<'_>, job: &Job, now: jiff::Timestamp) -> Deployed {
    match &job.schedule {
        Some(schedule) => scheduled(seen, job, schedule, now),
        None => newest_run(seen, job),
    }
}

fn run_of<'a>(seen: &'a Seen<'_>, marker: &EntityMarker) -> Option<&'a Run> {
    seen.runs.iter().find(|run| is_of(run, marker))
}

fn newest_run(seen: &Seen<'_>, job: &Job) -> Deployed {
    let mut found = Deployed::nothing(EntityKind::Job, &job.name, &seen.stage.name);
    let marker = seen.marker(&job.name);
    let Some(run) = run_of(seen, &marker) else {
        found.status = match seen.runs.len() {
            0..100 => "no run".into(),
            many => format!("no run among the newest {many}"),
        };
        return found;
    };
    let title = run.title.as_deref().unwrap_or_default();
    found.name = Some(title.to_owned());
    found.id = Some(run.id.to_string());
    found.commit = commit(run.main_repo_git_ref.as_ref());
    found.workflow_run = marker.workflow_run_in(title).map(str::to_owned);
    let times = &run.stage_time;
    found.since = moment(times.completed_time.or(Some(times.submission_time)));
    let by = run.started_by.as_ref();
    found.by = by.map(|by| by.username.clone()).filter(|by| !by.is_empty());
    (found.health, found.status) = (health(run), run.statuses.execution_status.word().to_owned());
    if let Some(command) = run.job_run_command.as_ref().filter(|c| **c != job.command) {
        let key = ["job", &job.name, "command"];
        found.differs_from(seen.file, &key, "command", command, &job.command, false);
    }
    if let (Some(plane), Some(wanted)) = (&run.data_plane, &seen.stage.data_plane)
        && let Some(other) = seen.places.another_plane(&plane.id, wanted)
    {
        let key = ["stage", &seen.stage.name, "data-plane"];
        found.differs_from(seen.file, &key, "data plane", other, wanted, false);
    }
    found
}

fn health(run: &Run) -> Health {
    match &run.statuses.execution_status {
        ExecutionStatus::Succeeded => Health::Well,
        ExecutionStatus::Failed | ExecutionStatus::Stopped | ExecutionStatus::Error => {
            Health::Wrong
        }
        ExecutionStatus::OnItsWay(_) | ExecutionStatus::Unknown(_) => Health::UnderWay,
    }
}

/// The commit that something runs, or what else it runs: a branch is not a commit.
pub(super) fn commit(git_ref: Option<&GitRef>) -> Option<String> {
    Some(match git_ref? {
        GitRef::Commit(commit) => commit.clone(),
        moving => moving.to_string(),
    })
}

fn scheduled(seen: &Seen<'_>, job: &Job, schedule: &Schedule, now: jiff::Timestamp) -> Deployed {
    let mut found = Deployed::nothing(EntityKind::Schedule, &job.name, &seen.stage.name);
    let marker = seen.marker(&job.name);
    let (scheduled, written_paused) = match find(seen, job, schedule, &marker) {
        Match::Nothing => return found,
        Match::Marked(scheduled, written_paused) => (scheduled, Some(written_paused)),
        Match::Unmarked(scheduled) => {
            let title = scheduled.definition.title.clone();
            found.changed_by_hand("the title, which has lost our mark,", title);
            (scheduled, None)
        }
        Match::Several(several) => {
            let ids: Vec<String> = several.iter().map(|one| one.id.to_string()).collect();
            found.changed_by_hand(
                "the number of its scheduled jobs",
                several.len().to_string(),
            );
            found
                .facts
                .push(format!("scheduled jobs {}", ids.join(", ")));
            (several[0], None)
        }
    };
    let definition = &scheduled.definition;
    let marked = marker.schedule_in(&definition.title);
    let hold = marked.as_ref().and_then(|marked| marked.hold.as_ref());
    found.held = hold.map(Into::into);
    found.name = Some(definition.title.clone());
    found.id = Some(scheduled.id.to_string());
    found.commit = commit(definition.main_repo_git_ref.as_ref());
    found.by.clone_from(&scheduled.scheduled_by_user_name);
    let last = run_of(seen, &marker);
    let fires = Schedule {
        cron: definition.schedule.cron_string.clone(),
        timezone: definition.timezone_id.clone(),
        ..schedule.clone()
    };
    let next = fires.next_fires(1, now);
    let next = next
        .first()
        .map(|at| at.strftime("%a %Y-%m-%d %H:%M %Z").to_string());
    (found.health, found.status) = match (definition.is_paused, last.map(health)) {
        (true, _) => (Health::Paused, "paused".into()),
        (false, Some(Health::Wrong)) => (Health::Wrong, "last run failed".into()),
        (false, _) => (Health::Well, "fires".into()),
    };
    if !definition.is_paused {
        found.next_run = next;
    }
    if let Some(last) = last {
        let word = last.statuses.execution_status.word();
        found
            .facts
            .push(format!("last run {} `{word}`", last.number));
        found.since = moment(Some(last.stage_time.submission_time));
    }
    compare_schedule(seen, job, schedule, scheduled, written_paused, &mut found);
    found
}

/// What was found of a schedule, and whether we paused it when we last wrote it.
enum Match<'a> {
    Nothing,
    Marked(&'a ScheduledJob, bool),
    /// Somebody removed our marker.
    Unmarked(&'a ScheduledJob),
    Several(Vec<&'a ScheduledJob>),
}

fn find<'a>(
    seen: &'a Seen<'_>,
    job: &Job,
    schedule: &Schedule,
    marker: &EntityMarker,
) -> Match<'a> {
    let marked: Vec<(&ScheduledJob, bool)> = seen
        .schedules
        .iter()
        .filter_map(|one| Some((one, marker.schedule_in(&one.definition.title)?.is_paused)))
        .collect();
    match marked[..] {
        [(one, paused)] => return Match::Marked(one, paused),
        [] => {}
        _ => return Match::Several(marked.into_iter().map(|(one, _)| one).collect()),
    }
    let unmarked: Vec<&ScheduledJob> = seen
        .schedules
        .iter()
        .filter(|one| {
            let definition = &one.definition;
            EntityMarker::last_in(&definition.title).is_none()
                && definition.command == job.command
                && definition.schedule.cron_string == schedule.cron
                && matches!(definition.main_repo_git_ref, Some(GitRef::Commit(_)))
        })
        .collect();
    match unmarked[..] {
        [one] => Match::Unmarked(one),
        _ => Match::Nothing,
    }
}

fn compare_schedule(
    seen: &Seen<'_>,
    job: &Job,
    schedule: &Schedule,
    scheduled: &ScheduledJob,
    written_paused: Option<bool>,
    found: &mut Deployed,
) {
    let (file, name, definition) = (seen.file, job.name.as_str(), &scheduled.definition);
    let key = |key: &'static str| ["job", name, "schedule", key];
    if definition.command != job.command {
        let key = ["job", name, "command"];
        found.differs_from(
            file,
            &key,
            "command",
            &definition.command,
            &job.command,
            false,
        );
    }
    let cron = &definition.schedule.cron_string;
    if *cron != schedule.cron {
        found.differs_from(file, &key("cron"), "schedule", cron, &schedule.cron, false);
    }
    let zone = &definition.timezone_id;
    if *zone != schedule.timezone && file.sets(&key("timezone")) {
        found.differs_from(
            file,
            &key("timezone"),
            "time zone",
            zone,
            &schedule.timezone,
            false,
        );
    }
    let wanted = schedule.paused.contains(&seen.stage.name);
    if definition.is_paused != wanted {
        let word = |paused| if paused { "paused" } else { "firing" };
        let by_hand = written_paused.is_some_and(|written| written != definition.is_paused);
        let (is, wanted) = (word(definition.is_paused), word(wanted));
        found.differs_from(file, &key("paused"), "the schedule", is, wanted, by_hand);
    }
    let side_by_side = definition.allow_concurrent_execution;
    if side_by_side != schedule.concurrent && file.sets(&key("concurrent")) {
        let (is, wanted) = (side_by_side.to_string(), schedule.concurrent.to_string());
        found.differs_from(file, &key("concurrent"), "concurrent", is, wanted, false);
    }
    if definition.notify_on_complete_email_addresses != schedule.notify && file.sets(&key("notify"))
    {
        let is = definition.notify_on_complete_email_addresses.join(", ");
        let wanted = schedule.notify.join(", ");
        found.differs_from(file, &key("notify"), "notify", is, wanted, false);
    }
    let target = file.target(Kind::Job, name, seen.stage);
    compare_place(seen, scheduled, &target, found);
}

/// Where it runs. Domino tells the name of its tier, and the revision in the file's own words.
fn compare_place(seen: &Seen<'_>, scheduled: &ScheduledJob, target: &Target, found: &mut Deployed) {
    let definition = &scheduled.definition;
    let is_named = scheduled.hardware_tier_name.is_some()
        && scheduled.hardware_tier_name == target.hardware_tier;
    let before = found.differences.len();
    let place = Where {
        tier: Some(&definition.hardware_tier_identifier),
        plane: None,
        environment: definition.override_environment_id.as_ref(),
        revision: None,
    };
    place.compare(seen, target, found);
    if is_named {
        found
            .differences
            .retain(|difference| difference.what != "hardware tier");
    }
    let Some(wanted) = &target.environment else {
        return;
    };
    let key: Vec<&str> = target.environment_key.iter().map(String::as_str).collect();
    if definition.override_environment_id.is_none() {
        let is = "the project's default";
        found.differs_from(
            seen.file,
            &key,
            "environment",
            is,
            &wanted.id_or_name,
            false,
        );
        return;
    }
    let is_another = |difference: &Difference| difference.what == "environment";
    let means = RevisionSpec::from(&wanted.revision);
    let is = &definition.environment_revision_spec;
    let is_told = wanted.revision != Revision::AsBefore;
    if is_told && *is != means && !found.differences[before..].iter().any(is_another) {
        let (is, means) = (revision_text(is), revision_text(&means));
        found.differs_from(seen.file, &key, "environment revision", is, means, false);
    }
}

fn revision_text(spec: &RevisionSpec) -> String {
    match spec {
        RevisionSpec::Active => "the active one".into(),
        RevisionSpec::Latest => "the latest".into(),
        RevisionSpec::One { revision_id } => revision_id.clone(),
        RevisionSpec::Other(word) => word.clone(),
    }
}
