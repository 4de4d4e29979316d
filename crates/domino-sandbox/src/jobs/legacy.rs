//! Jobs as runs of the oldest API, which python-domino still reads: lists under `data`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{Job, Jobs};
use crate::domino::Domino;
use crate::reply::{Answer, Failure};
use crate::users::{Caller, User};

pub(super) fn routes() -> Router<Arc<Domino>> {
    Router::new()
        .route("/v1/projects/{owner}/{name}/runs", get(list))
        .route("/v1/projects/{owner}/{name}/runs/{run_id}", get(one))
}

fn run(job: &Job) -> Value {
    let shown = job.shown();
    json!({
        "id": job.id,
        "number": job.number,
        "title": job.wish.title,
        "status": shown.status,
        "isCompleted": shown.is_completed,
        "commitId": job.wish.commit_id.as_ref().unwrap_or(&job.project.commit_id),
        "outputCommitId": shown.output_commit_id,
        "hardwareTierId": job.hardware_tier.id,
        "startingUserId": job.started_by.id,
        "queued": job.submitted().milliseconds(),
        "started": shown.started.map(|started| started.milliseconds()),
        "completed": shown.completed.map(|completed| completed.milliseconds()),
    })
}

async fn list(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path((owner, name)): Path<(String, String)>,
) -> Answer {
    let project = domino.projects.named_seen_by(&user, &owner, &name)?;
    let jobs = domino.jobs.of_project(project);
    let runs: Vec<Value> = jobs.iter().rev().map(|job| run(job)).collect();
    let url = format!("/v1/projects/{owner}/{name}/runs");
    Ok(Json(
        json!({ "objectType": "list", "url": url, "data": runs }),
    ))
}

async fn one(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path((owner, name, run_id)): Path<(String, String, String)>,
) -> Answer {
    Ok(Json(run(&*job_of(&domino, &user, &owner, &name, &run_id)?)))
}

/// The run with this id, if it is one of the project with these names.
pub(super) fn job_of(
    domino: &Domino,
    user: &User,
    owner: &str,
    name: &str,
    id: &str,
) -> Result<Arc<Job>, Failure> {
    let project = domino.projects.named_seen_by(user, owner, name)?;
    let job = Jobs::seen_by(domino, user, id)?;
    if job.project.id != project.id {
        return Err(Failure::not_found(format!("Run {id} was not found")));
    }
    Ok(job)
}
