//! The pages a person opens: what runs here, and the log of one run. They need no sign-in, since
//! only the person at this machine can reach them, and they show nothing that opens the API.

mod models;
mod requests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::X_FRAME_OPTIONS;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;

use crate::apps;
use crate::domino::Domino;
use crate::jobs::Job;
use crate::log::{Kind, Log, Wanted};
use crate::projects::Project;

/// The most lines of a log that a page shows; the API has the rest.
const LINES: usize = 5000;

pub(crate) fn routes() -> Router<Arc<Domino>> {
    Router::new()
        .route("/", get(index))
        .route("/u/{owner}/{project}", get(to_jobs))
        .route("/u/{owner}/{project}/{page}", get(to_jobs_from_page))
        .route("/jobs/{owner}/{project}", get(jobs))
        .route("/jobs/{owner}/{project}/{job_id}", get(job))
        .route("/jobs/{owner}/{project}/{job_id}/{tab}", get(job_tab))
}

/// `text` as it may stand in HTML.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A whole page; one about something that still goes on looks again by itself.
pub(crate) fn page(title: &str, is_settled: bool, content: &str) -> Html<String> {
    let refresh = if is_settled {
        ""
    } else {
        "<meta http-equiv=\"refresh\" content=\"2\">"
    };
    let title = escaped(title);
    Html(format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>{refresh}\
         <link rel=\"icon\" href=\"data:,\">\
         <style>\
         body{{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}}\
         table{{border-collapse:collapse}}td,th{{padding:.2rem 1rem .2rem 0;text-align:left}}\
         pre{{background:#f5f5f5;padding:1rem;overflow:auto}}\
         .prepare{{color:#777}}.stderr{{color:#a00}}\
         form{{margin:0}}button{{font:inherit;padding:.1rem .8rem}}.yes{{color:#060}}.no{{color:#a00}}\
         .production{{color:#060;font-weight:bold}}.staging{{color:#850}}.archived{{color:#777}}\
         </style></head><body><h1>{title}</h1>\n{content}</body></html>\n"
    ))
}

/// What waits and what runs. It looks again by itself, since a request may come at any time.
/// No other page may show it in a frame, and so have its buttons pressed unseen.
async fn index(State(domino): State<Arc<Domino>>, headers: HeaderMap) -> Response {
    let projects = domino.projects.all().iter();
    let links: String = projects
        .map(|project| format!("<li>{}</li>", project_link(project)))
        .collect();
    let jobs = domino.jobs.all();
    let content = format!(
        "<p>A sandbox that behaves like Domino {}, on this machine only.</p>\n\
         <h2>Waiting for approval</h2>{}\n<h2>Registered models</h2>{}\n\
         <h2>Endpoints</h2>{}\n<h2>Jobs</h2>{}\n<h2>Apps</h2>{}\n\
         <h2>Projects</h2><ul>{links}</ul>",
        domino.version.release(),
        requests::section(&domino, &headers),
        models::registered(&domino).await,
        models::endpoints(&domino),
        table(&jobs),
        apps::section(&domino)
    );
    let unframed = [(X_FRAME_OPTIONS, "DENY")];
    (unframed, page("Domino sandbox", false, &content)).into_response()
}

fn project_link(project: &Project) -> String {
    let name = escaped(&format!("{}/{}", project.owner, project.name));
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
                "<tr><td><a href=\"{}\">#{} {}</a></td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                escaped(&job.page()),
                job.number,
                escaped(job.wish.title.as_deref().unwrap_or(&job.wish.command)),
                job.status().word(),
                escaped(&job.hardware_tier.name),
                escaped(&job.started_by.name),
            )
        })
        .collect();
    format!(
        "<table><tr><th>job</th><th>status</th><th>hardware tier</th><th>started by</th></tr>\n{rows}</table>"
    )
}

async fn to_jobs(Path((owner, project)): Path<(String, String)>) -> Redirect {
    Redirect::temporary(&format!("/jobs/{owner}/{project}"))
}

async fn to_jobs_from_page(Path((owner, project, _)): Path<(String, String, String)>) -> Redirect {
    to_jobs(Path((owner, project))).await
}

async fn jobs(
    State(domino): State<Arc<Domino>>,
    Path((owner, name)): Path<(String, String)>,
) -> Response {
    let Some(project) = domino.projects.named(&owner, &name) else {
        return nothing_here();
    };
    let jobs = domino.jobs.of_project(project);
    let title = format!("Jobs of {owner}/{name}");
    page(&title, are_settled(&jobs), &table(&jobs)).into_response()
}

async fn job(
    state: State<Arc<Domino>>,
    Path((owner, name, id)): Path<(String, String, String)>,
) -> Response {
    job_tab(state, Path((owner, name, id, "logs".to_owned()))).await
}

/// The page of a job, which shows the log whatever tab it is asked for.
async fn job_tab(
    State(domino): State<Arc<Domino>>,
    Path((owner, name, id, _)): Path<(String, String, String, String)>,
) -> Response {
    let project = domino.projects.named(&owner, &name);
    let jobs = project
        .map(|project| domino.jobs.of_project(project))
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
        escaped(&job.wish.command),
        log_lines(&job.log),
    );
    let title = job.wish.title.as_deref().unwrap_or(&job.wish.command);
    page(title, status.is_terminal(), &content).into_response()
}

/// The end of `log`, which for most is all of it.
pub(crate) fn log_lines(log: &Log) -> String {
    let first = log.len().saturating_sub(LINES);
    let lines: String = log
        .page(Wanted::All, 0, first, LINES, 0)
        .lines
        .iter()
        .map(|line| {
            let kind = match line.kind {
                Kind::Prepare => "prepare",
                Kind::Stdout => "stdout",
                Kind::Stderr => "stderr",
            };
            format!("<span class=\"{kind}\">{}</span>\n", escaped(&line.text))
        })
        .collect();
    let cut = match first {
        0 => String::new(),
        first => format!("<p>{first} earlier lines are left out.</p>"),
    };
    format!("{cut}<pre>{lines}</pre>")
}

pub(crate) fn nothing_here() -> Response {
    let content = "<p>There is no such page. <a href=\"/\">What there is</a></p>";
    (StatusCode::NOT_FOUND, page("Not found", true, content)).into_response()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn markup_in_a_log_stays_text() {
        assert_eq!(
            escaped("<b a=\"'&'\">"),
            "&lt;b a=&quot;&#39;&amp;&#39;&quot;&gt;"
        );
    }
}
