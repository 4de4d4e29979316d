//! Scheduled jobs, which only `/v4` has. They are kept and listed, but never start a run, since a rehearsal is short.

mod quartz;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::catalog::Catalog;
use crate::clock::{Clock, Moment};
use crate::environments::RevisionSpec;
use crate::git_ref::GitRef;
use crate::id;
use crate::reply::{Answer, Failure, Put};
use crate::request::{Fields, Id, Ids, Of};
use crate::store::Store;
use crate::users::Caller;

/// One scheduled job: what was requested, with an id.
#[derive(Clone, Debug)]
struct ScheduledJob {
    id: String,
    created: Moment,
    project_id: String,
    spec: ScheduleSpec,
}

/// A scheduled job as it is created or replaced.
#[derive(Clone, Debug)]
struct ScheduleSpec {
    title: String,
    command: String,
    cron: String,
    is_custom: bool,
    timezone_id: String,
    is_paused: bool,
    allow_concurrent_execution: bool,
    hardware_tier_id: String,
    environment_id: Option<String>,
    revision_spec: RevisionSpec,
    scheduled_by_user_id: String,
    notify: Vec<String>,
    git_ref: Option<GitRef>,
    capacity_type: Option<String>,
    publish_model_id: Option<String>,
    dataset_config: Option<String>,
    external_volume_mounts: Vec<String>,
    net_app_volume_ids: Vec<String>,
    snapshot_datasets: bool,
    snapshot_net_app_volumes: bool,
    /// Fields of a request that are kept unread, such as the compute cluster.
    others: Map<String, Value>,
}

/// What is read field by field, and what only a reply has.
const KNOWN: &[&str] = &[
    "title",
    "command",
    "schedule",
    "timezoneId",
    "isPaused",
    "allowConcurrentExecution",
    "hardwareTierIdentifier",
    "overrideEnvironmentId",
    "environmentRevisionSpec",
    "scheduledByUserId",
    "notifyOnCompleteEmailAddresses",
    "mainRepoGitRef",
    "capacityType",
    "publishModelId",
    "datasetConfig",
    "externalVolumeMounts",
    "netAppVolumeIds",
    "snapshotDatasetsOnCompletion",
    "snapshotNetAppVolumesOnCompletion",
    "id",
    "created",
    "projectId",
    "hardwareTierName",
    "scheduledByUserName",
    "dataConfig",
];

/// Every scheduled job, and what its description is checked against.
pub(crate) struct ScheduledJobs {
    all: Store<ScheduledJob>,
    catalog: Arc<Catalog>,
    clock: Clock,
}

pub(crate) fn routes(schedules: Arc<ScheduledJobs>) -> Router {
    let of_project = "/v4/projects/{project_id}/scheduledjobs";
    Router::new()
        .route(of_project, get(list).post(create))
        .route(
            &format!("{of_project}/forRequestingUser"),
            get(list_for_user),
        )
        .route(
            &format!("{of_project}/{{key}}"),
            get(one).put(replace).delete(remove),
        )
        .with_state(schedules)
}

impl ScheduleSpec {
    /// Reads and checks a body. Like Domino, it accepts things that only fail when a run starts.
    fn read(schedules: &ScheduledJobs, mut fields: Fields) -> Result<Self, Failure> {
        let mut is_custom = false;
        let spec = ScheduleSpec {
            title: fields.text("title"),
            command: fields.text("command"),
            cron: fields.object("schedule", |schedule| {
                is_custom = schedule.flag("isCustom");
                schedule.text("cronString")
            }),
            is_custom,
            timezone_id: fields.text("timezoneId"),
            is_paused: fields.flag("isPaused"),
            allow_concurrent_execution: fields.flag("allowConcurrentExecution"),
            hardware_tier_id: fields.text("hardwareTierIdentifier"),
            environment_id: fields.optional_text("overrideEnvironmentId"),
            revision_spec: revision_spec(&mut fields),
            scheduled_by_user_id: fields.text("scheduledByUserId"),
            notify: fields.texts("notifyOnCompleteEmailAddresses"),
            git_ref: GitRef::v4_field(&mut fields, "mainRepoGitRef"),
            capacity_type: fields.optional_text("capacityType"),
            publish_model_id: fields.optional_text("publishModelId"),
            dataset_config: fields.optional_text("datasetConfig"),
            external_volume_mounts: fields.texts_if_any("externalVolumeMounts"),
            net_app_volume_ids: fields.texts_if_any("netAppVolumeIds"),
            snapshot_datasets: fields.is_set("snapshotDatasetsOnCompletion"),
            snapshot_net_app_volumes: fields.is_set("snapshotNetAppVolumesOnCompletion"),
            others: fields.beyond(KNOWN),
        };
        fields.finish()?;
        Ok(ScheduleSpec { is_custom, ..spec }).and_then(|spec| spec.checked(schedules))
    }

    fn checked(self, schedules: &ScheduledJobs) -> Result<Self, Failure> {
        quartz::check(&self.cron).map_err(|problem| {
            Failure::bad_request(format!("Invalid cron string '{}': {problem}", self.cron))
        })?;
        if TimeZone::get(&self.timezone_id).is_err() {
            return Err(Failure::bad_request(format!(
                "Unknown time-zone ID: {}",
                self.timezone_id
            )));
        }
        schedules
            .catalog
            .hardware_tiers
            .for_run(Some(&self.hardware_tier_id))?;
        let environment = schedules
            .catalog
            .environments
            .for_run(self.environment_id.as_deref())?;
        environment.revision(&self.revision_spec)?;
        if schedules
            .catalog
            .users
            .with_id(&self.scheduled_by_user_id)
            .is_none()
        {
            let id = &self.scheduled_by_user_id;
            return Err(Failure::bad_request(format!("User {id} does not exist")));
        }
        Ok(self)
    }
}

/// The spec, which a schedule has to have, unlike a job.
fn revision_spec(fields: &mut Fields) -> RevisionSpec {
    let name = "environmentRevisionSpec";
    if fields.optional_value(name).is_none() {
        fields.complain(name, "error.path.missing");
    }
    RevisionSpec::v4_field(fields, name).unwrap_or_default()
}

impl ScheduledJob {
    fn v4(&self, schedules: &ScheduledJobs) -> Value {
        let spec = &self.spec;
        let tier = schedules
            .catalog
            .hardware_tiers
            .with_id(&spec.hardware_tier_id);
        let user = schedules.catalog.users.with_id(&spec.scheduled_by_user_id);
        let mut json = json!({
            "id": self.id,
            "created": self.created.rfc3339(),
            "projectId": self.project_id,
            "title": spec.title,
            "command": spec.command,
            "schedule": {
                "cronString": spec.cron,
                "isCustom": spec.is_custom,
                "humanReadableCronString": quartz::described(&spec.cron),
            },
            "timezoneId": spec.timezone_id,
            "isPaused": spec.is_paused,
            "allowConcurrentExecution": spec.allow_concurrent_execution,
            "hardwareTierIdentifier": spec.hardware_tier_id,
            "hardwareTierName": tier.map(|tier| tier.name.as_str()).unwrap_or_default(),
            "environmentRevisionSpec": spec.revision_spec.v4(),
            "scheduledByUserId": spec.scheduled_by_user_id,
            "scheduledByUserName": user.map(|user| user.name.clone()).unwrap_or_default(),
            "notifyOnCompleteEmailAddresses": spec.notify,
            "dataConfig": {
                "datasetConfig": spec.dataset_config,
                "snapshotDatasetsOnCompletion": spec.snapshot_datasets,
                "snapshotNetAppVolumesOnCompletion": spec.snapshot_net_app_volumes,
                "externalVolumeMounts": spec.external_volume_mounts,
                "netAppVolumeIds": spec.net_app_volume_ids,
            },
        });
        json.put("overrideEnvironmentId", spec.environment_id.as_deref());
        json.put("capacityType", spec.capacity_type.as_deref());
        json.put("publishModelId", spec.publish_model_id.as_deref());
        json.put("mainRepoGitRef", spec.git_ref.as_ref().map(GitRef::v4));
        for (name, value) in &spec.others {
            json[name] = value.clone();
        }
        json
    }
}

impl ScheduledJobs {
    pub(crate) fn new(catalog: Arc<Catalog>, clock: Clock) -> Self {
        ScheduledJobs {
            all: Store::default(),
            catalog,
            clock,
        }
    }

    pub(crate) fn state(&self) -> Value {
        self.all.map(|one| one.v4(self))
    }

    fn of_project(&self, project_id: &str) -> Vec<ScheduledJob> {
        self.all.filter(|one| one.project_id == project_id)
    }

    /// Looks at or changes a scheduled job of a project, if it exists.
    fn with<T>(
        &self,
        project_id: &str,
        key: &str,
        act: impl FnOnce(&mut ScheduledJob) -> T,
    ) -> Result<T, Failure> {
        let act = |one: &mut ScheduledJob| (one.project_id == project_id).then(|| act(one));
        let done = self.all.with(key, act).flatten();
        done.ok_or_else(|| Failure::not_found(format!("Scheduled job {key} was not found")))
    }
}

async fn list(
    State(schedules): Of<ScheduledJobs>,
    Caller(user): Caller,
    Path(project_id): Id,
) -> Answer {
    schedules.catalog.projects.seen_by(&user, &project_id)?;
    let scheduled = schedules.of_project(&project_id);
    Ok(Json(
        scheduled.iter().map(|one| one.v4(&schedules)).collect(),
    ))
}

async fn list_for_user(
    State(schedules): Of<ScheduledJobs>,
    Caller(user): Caller,
    Path(project_id): Id,
) -> Answer {
    schedules.catalog.projects.seen_by(&user, &project_id)?;
    let scheduled = schedules.of_project(&project_id);
    let with_right =
        |one: &ScheduledJob| json!({ "scheduledJob": one.v4(&schedules), "canEdit": true });
    Ok(Json(scheduled.iter().map(with_right).collect()))
}

async fn one(
    State(schedules): Of<ScheduledJobs>,
    Caller(user): Caller,
    Path((project_id, key)): Ids,
) -> Answer {
    schedules.catalog.projects.seen_by(&user, &project_id)?;
    let found = schedules.with(&project_id, &key, |one| one.clone())?;
    Ok(Json(found.v4(&schedules)))
}

async fn create(
    State(schedules): Of<ScheduledJobs>,
    Caller(user): Caller,
    Path(project_id): Id,
    fields: Fields,
) -> Answer {
    schedules.catalog.projects.seen_by(&user, &project_id)?;
    let created = ScheduledJob {
        id: id::object_id(),
        created: schedules.clock.now(),
        project_id,
        spec: ScheduleSpec::read(&schedules, fields)?,
    };
    schedules.all.push(&created.id, created.clone());
    Ok(Json(created.v4(&schedules)))
}

async fn replace(
    State(schedules): Of<ScheduledJobs>,
    Caller(user): Caller,
    Path((project_id, key)): Ids,
    fields: Fields,
) -> Answer {
    schedules.catalog.projects.seen_by(&user, &project_id)?;
    let spec = ScheduleSpec::read(&schedules, fields)?;
    let replaced = schedules.with(&project_id, &key, |one| {
        one.spec = spec;
        one.clone()
    })?;
    Ok(Json(replaced.v4(&schedules)))
}

async fn remove(
    State(schedules): Of<ScheduledJobs>,
    Caller(user): Caller,
    Path((project_id, key)): Ids,
) -> Result<StatusCode, Failure> {
    schedules.catalog.projects.seen_by(&user, &project_id)?;
    schedules.with(&project_id, &key, |_| ())?;
    schedules.all.remove(&key);
    Ok(StatusCode::OK)
}
