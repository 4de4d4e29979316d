//! Jobs as runs of the oldest API, which python-domino still reads: lists under `data`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::job::{Job, JobSpec};
use super::store::Jobs;
use crate::process;
use crate::reply::{Answer, Failure, legacy_list};
use crate::request::{Fields, Ids, Of};
use crate::users::{Caller, User};

pub(super) fn routes() -> Router<Arc<Jobs>> {
    Router::new()
        .route("/v1/projects/{owner}/{name}/runs", get(list).post(start))
        .route("/v1/projects/{owner}/{name}/runs/{run_id}", get(one))
}

fn run(job: &Job) -> Value {
    let report = job.report();
    let statistics = report.stats.iter();
    let statistics: Vec<Value> = statistics
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect();
    json!({
        "id": job.id,
        "number": job.number,
        "title": job.title(),
        "status": report.status,
        "isCompleted": report.is_completed,
        "commitId": job.spec.commit_id.as_ref().unwrap_or(&job.project.commit_id),
        "outputCommitId": report.output_commit_id,
        "hardwareTierId": job.hardware_tier.id,
        "startingUserId": job.started_by.id,
        "queued": job.submitted().milliseconds(),
        "started": report.started.map(|started| started.milliseconds()),
        "completed": report.completed.map(|completed| completed.milliseconds()),
        "diagnosticStatistics": { "data": statistics, "isError": false },
    })
}

async fn list(State(jobs): Of<Jobs>, Caller(user): Caller, Path((owner, name)): Ids) -> Answer {
    let project = jobs.catalog.projects.named_seen_by(&user, &owner, &name)?;
    let jobs = jobs.of_project(&project);
    let runs: Vec<Value> = jobs.iter().rev().map(|job| run(job)).collect();
    let url = format!("/v1/projects/{owner}/{name}/runs");
    Ok(legacy_list(&url, runs))
}

/// Starts a run of a file with its arguments, or of a line for the shell (`isDirect`); `tier` is an id or a name.
async fn start(
    State(jobs): Of<Jobs>,
    Caller(user): Caller,
    Path((owner, name)): Ids,
    mut fields: Fields,
) -> Answer {
    let words = fields.texts("command");
    let words: Vec<String> = match fields.is_set("isDirect") {
        true => words,
        false => words.iter().map(|word| shell_word(word)).collect(),
    };
    let tier = fields.optional_text("tier");
    let spec = JobSpec {
        command: words.join(" "),
        title: fields.optional_text("title"),
        commit_id: fields.optional_text("commitId"),
        hardware_tier_id: tier.map(|tier| jobs.catalog.hardware_tiers.id_of(&tier)),
        ..JobSpec::default()
    };
    fields.finish()?;
    let project = jobs.catalog.projects.named_seen_by(&user, &owner, &name)?;
    let job = jobs.start(&user, &project, spec)?;
    Ok(Json(json!({
        "runId": job.id,
        "message": format!("Run {} was started", job.number),
    })))
}

/// A word as a shell reads it back; what needs no quotes gets none.
fn shell_word(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,@%+".contains(letter);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => process::quoted(word),
    }
}

async fn one(
    State(jobs): Of<Jobs>,
    Caller(user): Caller,
    Path((owner, name, run_id)): Path<(String, String, String)>,
) -> Answer {
    Ok(Json(run(&*job_of(&jobs, &user, &owner, &name, &run_id)?)))
}

/// The run with this id, if it is one of the project with these names.
pub(super) fn job_of(
    jobs: &Jobs,
    user: &User,
    owner: &str,
    name: &str,
    id: &str,
) -> Result<Arc<Job>, Failure> {
    let project = jobs.catalog.projects.named_seen_by(user, owner, name)?;
    let job = jobs.seen_by(user, id)?;
    if job.project.id != project.id {
        return Err(Failure::not_found(format!("Run {id} was not found")));
    }
    Ok(job)
}
