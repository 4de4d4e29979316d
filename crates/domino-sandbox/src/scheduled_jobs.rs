//! Scheduled jobs, which only `/v4` has. They are kept and shown; nothing here ever fires, since
//! a rehearsal does not last until morning.

mod quartz;

use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::clock::Moment;
use crate::domino::Domino;
use crate::environments::RevisionSpec;
use crate::git_ref::GitRef;
use crate::id;
use crate::reply::{Answer, Failure};
use crate::request::Fields;
use crate::users::{Caller, User};

/// One scheduled job: what it was asked to be, under an id.
#[derive(Clone, Debug)]
struct ScheduledJob {
    id: String,
    created: Moment,
    project_id: String,
    wish: Wish,
}

/// A scheduled job as it is created or replaced.
#[derive(Clone, Debug)]
struct Wish {
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
}

/// Every scheduled job, oldest first.
#[derive(Default)]
pub(crate) struct ScheduledJobs(Mutex<Vec<ScheduledJob>>);

pub(crate) fn routes() -> Router<Arc<Domino>> {
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
}

impl Wish {
    /// Reads and checks a body. What Domino finds out only when a run starts, it takes here too.
    fn read(domino: &Domino, mut fields: Fields) -> Result<Self, Failure> {
        let mut is_custom = false;
        let wish = Wish {
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
            external_volume_mounts: fields
                .optional_texts("externalVolumeMounts")
                .unwrap_or_default(),
            net_app_volume_ids: fields.optional_texts("netAppVolumeIds").unwrap_or_default(),
            snapshot_datasets: fields
                .optional_flag("snapshotDatasetsOnCompletion")
                .unwrap_or(false),
            snapshot_net_app_volumes: fields
                .optional_flag("snapshotNetAppVolumesOnCompletion")
                .unwrap_or(false),
        };
        fields.finish()?;
        Ok(Wish { is_custom, ..wish }).and_then(|wish| wish.checked(domino))
    }

    fn checked(self, domino: &Domino) -> Result<Self, Failure> {
        quartz::check(&self.cron).map_err(|problem| {
            Failure::bad_request(format!("Invalid cron string '{}': {problem}", self.cron))
        })?;
        if TimeZone::get(&self.timezone_id).is_err() {
            return Err(Failure::bad_request(format!(
                "Unknown time-zone ID: {}",
                self.timezone_id
            )));
        }
        domino
            .hardware_tiers
            .for_run(Some(&self.hardware_tier_id))?;
        let environment = domino
            .environments
            .for_run(self.environment_id.as_deref())?;
        environment.revision(&self.revision_spec)?;
        if domino.users.with_id(&self.scheduled_by_user_id).is_none() {
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
    fn v4(&self, domino: &Domino) -> Value {
        let wish = &self.wish;
        let tier = domino.hardware_tiers.with_id(&wish.hardware_tier_id);
        let user = domino.users.with_id(&wish.scheduled_by_user_id);
        let mut json = json!({
            "id": self.id,
            "created": self.created.rfc3339(),
            "projectId": self.project_id,
            "title": wish.title,
            "command": wish.command,
            "schedule": {
                "cronString": wish.cron,
                "isCustom": wish.is_custom,
                "humanReadableCronString": quartz::in_words(&wish.cron),
            },
            "timezoneId": wish.timezone_id,
            "isPaused": wish.is_paused,
            "allowConcurrentExecution": wish.allow_concurrent_execution,
            "hardwareTierIdentifier": wish.hardware_tier_id,
            "hardwareTierName": tier.map(|tier| tier.name.as_str()).unwrap_or_default(),
            "environmentRevisionSpec": wish.revision_spec.v4(),
            "scheduledByUserId": wish.scheduled_by_user_id,
            "scheduledByUserName": user.map(|user| user.name.as_str()).unwrap_or_default(),
            "notifyOnCompleteEmailAddresses": wish.notify,
            "dataConfig": {
                "datasetConfig": wish.dataset_config,
                "snapshotDatasetsOnCompletion": wish.snapshot_datasets,
                "snapshotNetAppVolumesOnCompletion": wish.snapshot_net_app_volumes,
                "externalVolumeMounts": wish.external_volume_mounts,
                "netAppVolumeIds": wish.net_app_volume_ids,
            },
        });
        let optional = [
            ("overrideEnvironmentId", &wish.environment_id),
            ("capacityType", &wish.capacity_type),
            ("publishModelId", &wish.publish_model_id),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                json[name] = value.as_str().into();
            }
        }
        if let Some(git_ref) = &wish.git_ref {
            json["mainRepoGitRef"] = git_ref.v4();
        }
        json
    }
}

impl ScheduledJobs {
    pub(crate) fn state(&self, domino: &Domino) -> Value {
        self.lock()
            .iter()
            .map(|scheduled| scheduled.v4(domino))
            .collect()
    }

    fn of_project(&self, project_id: &str) -> Vec<ScheduledJob> {
        let scheduled = self.lock();
        scheduled
            .iter()
            .filter(|one| one.project_id == project_id)
            .cloned()
            .collect()
    }

    /// Lets `change` have the list and the place of one scheduled job in it.
    fn with<T>(
        &self,
        project_id: &str,
        key: &str,
        change: impl FnOnce(&mut Vec<ScheduledJob>, usize) -> T,
    ) -> Result<T, Failure> {
        let mut scheduled = self.lock();
        let mut places = scheduled.iter();
        match places.position(|one| one.project_id == project_id && one.id == key) {
            Some(at) => Ok(change(&mut scheduled, at)),
            None => Err(Failure::new(
                StatusCode::NOT_FOUND,
                format!("Scheduled job {key} was not found"),
            )),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ScheduledJob>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Lets in who may see the project; whoever may, may change its schedules.
fn allowed(domino: &Domino, user: &User, project_id: &str) -> Result<(), Failure> {
    domino.projects.seen_by(user, project_id).map(|_| ())
}

async fn list(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path(project_id): Path<String>,
) -> Answer {
    allowed(&domino, &user, &project_id)?;
    let scheduled = domino.scheduled_jobs.of_project(&project_id);
    Ok(Json(scheduled.iter().map(|one| one.v4(&domino)).collect()))
}

async fn list_for_user(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path(project_id): Path<String>,
) -> Answer {
    allowed(&domino, &user, &project_id)?;
    let scheduled = domino.scheduled_jobs.of_project(&project_id);
    let with_right =
        |one: &ScheduledJob| json!({ "scheduledJob": one.v4(&domino), "canEdit": true });
    Ok(Json(scheduled.iter().map(with_right).collect()))
}

async fn one(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path((project_id, key)): Path<(String, String)>,
) -> Answer {
    allowed(&domino, &user, &project_id)?;
    let found = domino
        .scheduled_jobs
        .with(&project_id, &key, |all, at| all[at].clone())?;
    Ok(Json(found.v4(&domino)))
}

async fn create(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path(project_id): Path<String>,
    fields: Fields,
) -> Answer {
    allowed(&domino, &user, &project_id)?;
    let created = ScheduledJob {
        id: id::object_id(),
        created: domino.now(),
        project_id,
        wish: Wish::read(&domino, fields)?,
    };
    domino.scheduled_jobs.lock().push(created.clone());
    Ok(Json(created.v4(&domino)))
}

async fn replace(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path((project_id, key)): Path<(String, String)>,
    fields: Fields,
) -> Answer {
    allowed(&domino, &user, &project_id)?;
    let wish = Wish::read(&domino, fields)?;
    let replaced = domino.scheduled_jobs.with(&project_id, &key, |all, at| {
        all[at].wish = wish;
        all[at].clone()
    })?;
    Ok(Json(replaced.v4(&domino)))
}

async fn remove(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path((project_id, key)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    allowed(&domino, &user, &project_id)?;
    domino
        .scheduled_jobs
        .with(&project_id, &key, |all, at| all.remove(at))?;
    Ok(StatusCode::OK)
}
