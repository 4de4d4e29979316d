//! Jobs as the public API has them: started under `v1`, read under `beta`, wrapped under their
//! key, with times in RFC 3339 and `refType` in git references.

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
use crate::reply::{Answer, Put, wrapped};
use crate::request::{Fields, Id, Of, Parameters};
use crate::users::Caller;

pub(super) fn routes() -> Router<Arc<Jobs>> {
    Router::new()
        .route("/api/jobs/v1/jobs", post(start))
        .route("/api/jobs/beta/jobs", get(list))
        .route("/api/jobs/beta/jobs/{job_id}", get(one))
}

/// A job in the words of the public API, as lists have it.
fn public(job: &Job, report: &JobReport) -> Value {
    let mut stage_times = json!({ "submissionTime": job.submitted().rfc3339() });
    stage_times.put("startTime", report.started.map(Moment::rfc3339));
    stage_times.put("completedTime", report.completed.map(Moment::rfc3339));
    let git_ref = GitRef::or_head(&job.spec.git_ref);
    let mut json = json!({
        "id": job.id,
        "number": job.number,
        "runCommand": job.spec.command,
        "startedById": job.started_by.id,
        "status": {
            "executionStatus": report.status,
            "isCompleted": report.is_completed,
            "isArchived": false,
            "isScheduled": false,
        },
        "stageTimes": stage_times,
        "commitDetails": parts::commit_details(job, report),
        "mainRepoGitRef": git_ref.public(),
        "gitRepos": [parts::main_repository(job, report, job.project.repository.public_provider())],
        "projects": [],
        "datasetMounts": [],
        "externalVolumeMounts": [],
        "netAppVolumeMounts": [],
        "dominoStats": parts::stats(report),
    });
    json.put("title", job.title());
    json
}

/// A job with the details that lists leave out.
fn details(job: &Job) -> Json<Value> {
    let report = job.report();
    let mut json = public(job, &report);
    json["commentsCount"] = 0.into();
    json["goalIds"] = json!([]);
    json["tags"] = json!([]);
    json.put("queuedJobStatusDetails", parts::queue(&report));
    wrapped("job", json)
}

/// Answers 200, not 201. `hardwareTier` is an id.
async fn start(State(jobs): Of<Jobs>, Caller(user): Caller, mut fields: Fields) -> Answer {
    let project_id = fields.text("projectId");
    let spec = JobSpec {
        command: fields.text("runCommand"),
        title: fields.optional_text("title"),
        git_ref: GitRef::public_field(&mut fields, "mainRepoGitRef"),
        commit_id: fields.optional_text("commitId"),
        hardware_tier_id: fields.optional_text("hardwareTier"),
        environment_id: fields.optional_text("environmentId"),
        revision_spec: RevisionSpec::public_field(&mut fields, "environmentRevisionSpec"),
        snapshot_datasets: fields.is_set("snapshotDatasetsOnCompletion"),
        snapshot_net_app_volumes: fields.is_set("snapshotNetAppVolumesOnCompletion"),
        external_volume_ids: fields.texts_if_any("externalVolumeMountIds"),
        net_app_volume_ids: fields.texts_if_any("netAppVolumeIds"),
        capacity_type: fields.optional_text("capacityType"),
        cluster: ClusterSpec::public_field(&mut fields),
        ..JobSpec::default()
    };
    fields.finish()?;
    let project = jobs.catalog.projects.seen_by(&user, &project_id)?;
    Ok(details(&*jobs.start(&user, &project, spec)?))
}

async fn one(State(jobs): Of<Jobs>, Caller(user): Caller, Path(id): Id) -> Answer {
    Ok(details(&*jobs.seen_by(&user, &id)?))
}

async fn list(State(jobs): Of<Jobs>, Caller(user): Caller, parameters: Parameters) -> Answer {
    let project = jobs
        .catalog
        .projects
        .seen_by(&user, parameters.required("projectId")?)?;
    // Only the list of archived jobs shows archived jobs, and none is archived here.
    parameters.flag("showArchived")?;
    let listing = Listing {
        group: parameters.text("statusFilter"),
        search: None,
        tag: parameters.text("tagFilter"),
        order_by: parameters.text("sortBy").unwrap_or("number"),
        ascending: parameters.flag("ascending")?,
    };
    let seen = listing.of(jobs.of_project(&project));
    parameters.page("jobs", 10, seen, |(job, report)| public(job, report))
}
