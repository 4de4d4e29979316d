//! The pages that a person opens: what runs here, and the log of one run. They need no sign-in, since only the person
//! at this machine can reach them, and they show nothing that opens the API.

mod board;
mod credentials;
mod models;
mod requests;
mod schedules;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::X_FRAME_OPTIONS;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use crate::domino::Domino;
use crate::html::{commit, escaped, log_lines, nothing_here, page};
use crate::jobs::Job;
use crate::projects::Project;
use crate::request::{Ids, Of};

pub(crate) fn routes(domino: Arc<Domino>) -> Router {
    Router::new()
        .route("/", get(overview))
        .route("/u/{owner}/{project}", get(to_jobs))
        .route("/u/{owner}/{project}/{page}", get(to_jobs_from_page))
        .route("/jobs/{owner}/{project}", get(jobs))
        .route("/jobs/{owner}/{project}/{job_id}", get(job))
        .route("/jobs/{owner}/{project}/{job_id}/{tab}", get(job_tab))
        .with_state(domino)
}

/// What waits and what runs, as a board. It looks again by itself, since a request may come at any time.
/// No other page may show it in a frame, where its buttons could be pressed unseen.
async fn overview(State(domino): Of<Domino>, headers: HeaderMap) -> Response {
    let projects = domino.catalog.projects.all();
    let links: String = projects
        .iter()
        .map(|project| format!("<li>{}</li>", project_link(project)))
        .collect();
    let jobs = domino.jobs.all();
    let parts = [
        (
            "Registered models",
            models::registered(&domino.registered_models, &domino.jobs).await,
        ),
        ("Jobs by project", format!("<ul>{links}</ul>")),
        ("Credentials", credentials::section(&domino.host)),
    ];
    let parts: String = parts
        .iter()
        .map(|(title, part)| format!("<section><h2>{title}</h2>{part}</section>\n"))
        .collect();
    let content = format!(
        "<p>A sandbox that behaves like Domino {}, on this machine only.</p>\n{}{parts}",
        domino.host.version.release(),
        board::board(&domino, &jobs, &headers),
    );
    let unframed = [(X_FRAME_OPTIONS, "DENY")];
    (unframed, page("Domino sandbox", false, &content)).into_response()
}

fn project_link(project: &Project) -> String {
    let name = escaped(&format!("{}/{}", project.owner, project.name()));
    format!("<a href=\"/jobs/{name}\">{name}</a>")
}

fn are_settled(jobs: &[Arc<Job>]) -> bool {
    jobs.iter().all(|job| job.status().is_terminal())
}

fn table(jobs: &[Arc<Job>]) -> String {
    if jobs.is_empty() {
        return "<p>None so far.</p>".to_owned();
    }
    let rows: String = jobs
        .iter()
        .rev()
        .map(|job| {
            format!(
                "<tr><td><a href=\"{}\">#{} {}</a></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                escaped(&job.page()),
                job.number,
                escaped(&job.title().unwrap_or_else(|| job.spec.command.clone())),
                job.status().word(),
                commit(job.commit().as_deref()),
                escaped(&job.hardware_tier.name),
                escaped(&job.started_by.name),
            )
        })
        .collect();
    format!(
        "<table><tr><th>job</th><th>status</th><th>commit</th><th>hardware tier</th><th>started by</th></tr>\n{rows}</table>"
    )
}

async fn to_jobs(Path((owner, project)): Ids) -> Redirect {
    Redirect::temporary(&format!("/jobs/{owner}/{project}"))
}

async fn to_jobs_from_page(Path((owner, project, _)): Path<(String, String, String)>) -> Redirect {
    to_jobs(Path((owner, project))).await
}

async fn jobs(State(domino): Of<Domino>, Path((owner, name)): Ids) -> Response {
    let Some(project) = domino.catalog.projects.named(&owner, &name) else {
        return nothing_here();
    };
    let jobs = domino.jobs.of_project(&project);
    let title = format!("Jobs of {owner}/{name}");
    page(&title, are_settled(&jobs), &table(&jobs)).into_response()
}

async fn job(
    state: Of<Domino>,
    Path((owner, name, id)): Path<(String, String, String)>,
) -> Response {
    job_tab(state, Path((owner, name, id, "logs".to_owned()))).await
}

/// The page of a job, which shows the log whatever tab the address names.
async fn job_tab(
    State(domino): Of<Domino>,
    Path((owner, name, id, _)): Path<(String, String, String, String)>,
) -> Response {
    let project = domino.catalog.projects.named(&owner, &name);
    let jobs = project
        .map(|project| domino.jobs.of_project(&project))
        .unwrap_or_default();
    let Some(job) = jobs.into_iter().find(|job| job.id == id) else {
        return nothing_here();
    };
    let status = job.status();
    let content = format!(
        "<p>Job {} of {}: <strong>{}</strong></p>\n<p><code>{}</code></p>\n{}",
        job.number,
        project_link(&job.project),
        status.word(),
        escaped(&job.spec.command),
        log_lines(&job.log),
    );
    let title = job.title().unwrap_or_else(|| job.spec.command.clone());
    page(&title, status.is_terminal(), &content).into_response()
}
