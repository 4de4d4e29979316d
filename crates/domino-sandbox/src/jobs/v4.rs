//! Jobs in `/v4/jobs`: unwrapped objects, epoch milliseconds, and paging parameters whose names are swapped.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::cluster::ClusterSpec;
use super::job::{Job, JobReport, JobSpec};
use super::list::Listing;
use super::parts;
use super::store::Jobs;
use crate::clock::Moment;
use crate::environments::RevisionSpec;
use crate::git_ref::GitRef;
use crate::reply::{Answer, Failure, Put, Slice};
use crate::request::{Fields, Id, Of, Parameters};
use crate::run_status::{COMPLETED, QUEUED, RUNNING};
use crate::users::Caller;

pub(super) fn routes() -> Router<Arc<Jobs>> {
    Router::new()
        .route("/v4/jobs", get(list))
        .route("/v4/jobs/start", post(start))
        .route("/v4/jobs/stop", post(stop))
        .route("/v4/jobs/restart", post(restart))
        .route("/v4/jobs/getStatus/values", get(status_values))
        .route("/v4/jobs/{job_id}", get(one))
        .route("/v4/jobs/{job_id}/name", post(rename))
        .route("/v4/jobs/{job_id}/runtimeExecutionDetails", get(details))
        .route("/v4/jobs/{project_id}/resolveJobDefaults", post(defaults))
}

/// A job in the words of `/v4`.
fn v4(job: &Job, report: &JobReport) -> Value {
    let mut stage_time = json!({ "submissionTime": job.submitted().milliseconds() });
    stage_time.put("runStartTime", report.started.map(Moment::milliseconds));
    stage_time.put("completedTime", report.completed.map(Moment::milliseconds));
    let git_ref = GitRef::or_head(&job.spec.git_ref);
    let volumes = job.volumes.iter();
    let volumes = volumes.map(|volume| json!({ "name": volume.name, "mount": volume.mount() }));
    let mut json = json!({
        "id": job.id,
        "number": job.number,
        "projectId": job.project.id,
        "jobRunCommand": job.spec.command,
        "title": job.title(),
        "startedBy": { "id": job.started_by.id, "username": job.started_by.name },
        "statuses": {
            "executionStatus": report.status,
            "isCompleted": report.is_completed,
            "isArchived": false,
            "isScheduled": false,
        },
        "stageTime": stage_time,
        "commitDetails": parts::commit_details(job, report),
        "mainRepoGitRef": git_ref.v4(),
        "dependentRepositories": [parts::main_repository(job, report, job.project.repository.v4_provider())],
        "dependentDatasetMounts": [],
        "dependentProjects": [],
        "dependentExternalVolumeMounts": volumes.collect::<Vec<Value>>(),
        "dependentNetAppVolumeMounts": parts::net_app_volumes(job),
        "tags": [],
        "goalIds": [],
        "commentsCount": 0,
        "dominoStats": parts::stats(report),
        "suggestDatasets": false,
        "snapshotDatasetsOnCompletion": job.spec.snapshot_datasets,
        "snapshotNetAppVolumesOnCompletion": job.spec.snapshot_net_app_volumes,
        "dataPlane": job.hardware_tier.data_plane.v4(),
    });
    if let Some((reason, message)) = &report.failure {
        json["abnormalStatus"] =
            json!({ "runFailureReason": reason, "runFailureMessage": message });
    }
    json.put(
        "computeCluster",
        job.spec.cluster.as_ref().map(ClusterSpec::v4),
    );
    json.put("queuedJobHistoryDetails", parts::queue(report));
    json
}

fn answer(job: &Job) -> Json<Value> {
    Json(v4(job, &job.report()))
}

async fn rename(
    State(jobs): Of<Jobs>,
    Caller(user): Caller,
    Path(id): Id,
    mut fields: Fields,
) -> Answer {
    let name = fields.text("name");
    fields.finish()?;
    let job = jobs.seen_by(&user, &id)?;
    job.rename(name);
    Ok(answer(&job))
}

async fn start(State(jobs): Of<Jobs>, Caller(user): Caller, mut fields: Fields) -> Answer {
    let project_id = fields.text("projectId");
    let spec = JobSpec {
        command: fields.text("commandToRun"),
        title: fields.optional_text("title"),
        git_ref: GitRef::v4_field(&mut fields, "mainRepoGitRef"),
        commit_id: fields.optional_text("commitId"),
        hardware_tier_id: fields.optional_text("overrideHardwareTierId"),
        environment_id: fields.optional_text("environmentId"),
        revision_spec: RevisionSpec::v4_field(&mut fields, "environmentRevisionSpec"),
        snapshot_datasets: fields.is_set("snapshotDatasetsOnCompletion"),
        snapshot_net_app_volumes: fields.is_set("snapshotNetAppVolumesOnCompletion"),
        external_volume_ids: fields.texts_if_any("externalVolumeMounts"),
        net_app_volume_ids: fields.texts_if_any("netAppVolumeIds"),
        capacity_type: capacity_type(&mut fields),
        volume_size: fields.optional_number("overrideVolumeSizeGiB"),
        cluster: ClusterSpec::v4_field(&mut fields),
        ..JobSpec::default()
    };
    let old_cluster = fields.optional_value("onDemandSparkClusterProperties");
    fields.finish()?;
    if old_cluster.is_some() {
        return Err(Failure::bad_request(
            "On-demand Spark clusters are asked for as computeClusterProperties on this deployment",
        ));
    }
    let project = jobs.catalog.projects.seen_by(&user, &project_id)?;
    Ok(answer(&*jobs.start(&user, &project, spec)?))
}

/// One of the two words that there are.
fn capacity_type(fields: &mut Fields) -> Option<String> {
    let word = fields.optional_text("capacityType")?;
    if !["on-demand", "spot"].contains(&word.as_str()) {
        fields.complain("capacityType", "error.invalid");
    }
    Some(word)
}

async fn one(State(jobs): Of<Jobs>, Caller(user): Caller, Path(id): Id) -> Answer {
    Ok(answer(&*jobs.seen_by(&user, &id)?))
}

async fn stop(State(jobs): Of<Jobs>, Caller(user): Caller, mut fields: Fields) -> Answer {
    let job_id = fields.text("jobId");
    let commit_results = fields.flag("commitResults");
    fields.finish()?;
    let job = jobs.seen_by(&user, &job_id)?;
    job.stop(commit_results)?;
    Ok(answer(&job))
}

async fn restart(State(jobs): Of<Jobs>, Caller(user): Caller, mut fields: Fields) -> Answer {
    let job_id = fields.text("jobId");
    let with_same_commit = fields.flag("shouldUseOriginalInputCommit");
    fields.finish()?;
    let job = jobs.seen_by(&user, &job_id)?;
    Ok(answer(&*jobs.restart(&user, &job, with_same_commit)?))
}

/// One page of a project's jobs: `sort_by` is the direction, `order_by` the field, pages count
/// from 1, and a page has three items by default.
async fn list(State(jobs): Of<Jobs>, Caller(user): Caller, parameters: Parameters) -> Answer {
    let project = jobs
        .catalog
        .projects
        .seen_by(&user, parameters.required("projectId")?)?;
    let order_by = parameters.text("order_by").unwrap_or("number");
    let sort_by = parameters.text("sort_by").unwrap_or("desc");
    // Only the list of archived jobs shows archived jobs, and none is archived here.
    parameters.flag("show_archived")?;
    let listing = Listing {
        group: parameters.text("status"),
        search: parameters.text("query"),
        tag: parameters.text("tag"),
        order_by,
        ascending: sort_by == "asc",
    };
    let seen = listing.of(jobs.of_project(&project));
    let size = parameters.size("page_size", 3)?.min(Slice::CAP);
    let page = parameters.size("page_no", 1)?.max(1);
    let slice = Slice::of((page - 1).saturating_mul(size), size, seen.len());
    let jobs: Vec<Value> = slice
        .cut(&seen)
        .map(|(job, report)| v4(job, report))
        .collect();
    let mut columns: Vec<&str> = seen
        .iter()
        .flat_map(|(_, report)| report.stats.iter().map(|(name, _)| name.as_str()))
        .collect();
    columns.sort_unstable();
    columns.dedup();
    Ok(Json(json!({
        "jobs": jobs,
        "totalCount": slice.total,
        "pagination": {
            "offset": slice.offset,
            "limit": slice.limit,
            "sortBy": sort_by,
            "orderBy": order_by,
        },
        "dominoStatColumns": columns,
    })))
}

async fn status_values(_: Caller) -> Json<Value> {
    let active: Vec<&str> = QUEUED.into_iter().chain(RUNNING).collect();
    Json(json!({
        "queued": QUEUED,
        "running": RUNNING,
        "completed": COMPLETED,
        "archived": COMPLETED,
        "active": active,
    }))
}

async fn details(State(jobs): Of<Jobs>, Caller(user): Caller, Path(id): Id) -> Answer {
    let job = jobs.seen_by(&user, &id)?;
    let spec = job.spec.revision_spec.clone().unwrap_or_default();
    Ok(Json(json!({
        "environment": {
            "environmentId": job.environment.id,
            "environmentName": job.environment.name,
            "environmentRevisionId": job.revision.id,
            "revisionNumber": job.revision.number,
            "environmentRevisionSpec": spec.v4(),
        },
        "hardwareTier": job.hardware_tier.of_run(),
    })))
}

/// What a job would get that is started with these settings.
async fn defaults(
    State(jobs): Of<Jobs>,
    Caller(user): Caller,
    Path(project_id): Id,
    mut fields: Fields,
) -> Answer {
    let commit_id = fields.optional_text("commitId");
    let git_ref = GitRef::v4_field(&mut fields, "mainRepoGitRef");
    let tier_id = fields.optional_object("hardwareTierId", |inner| inner.text("value"));
    let environment_id = fields.optional_text("environmentId");
    let spec = RevisionSpec::v4_field(&mut fields, "environmentRevisionSpec").unwrap_or_default();
    fields.finish()?;
    let project = jobs.catalog.projects.seen_by(&user, &project_id)?;
    let tier = jobs.catalog.hardware_tiers.for_run(tier_id.as_deref())?;
    let environment = jobs
        .catalog
        .environments
        .for_run(environment_id.as_deref())?;
    let revision = environment.revision(&spec)?;
    Ok(Json(json!({
        "commitId": commit_id.as_ref().unwrap_or(&project.commit_id),
        "mainRepoGitRef": git_ref.unwrap_or_else(GitRef::head).v4(),
        "hardwareTierId": { "value": tier.id },
        "environmentId": environment.id,
        "environmentRevisionSpec": { "revisionId": revision.id },
        "datasetSnapshots": [],
        "netAppVolumeSnapshots": [],
        "externalVolumeMountIds": [],
        "netAppVolumeIds": [],
        "volumeSizeGiB": 10.0,
    })))
}
