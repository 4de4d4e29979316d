//! The pages that show a person the state of the apps: a table for the index, and one page for each
//! app with its log. Like the pages of jobs they need no sign-in; the apps themselves do.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::app::App;
use super::store::Apps;
use crate::html::{commit, escaped, log_lines, nothing_here, page};
use crate::request::{Id, Of};
use crate::run_status::RunStatus;

pub(super) fn routes() -> Router<Arc<Apps>> {
    Router::new().route("/modelproducts/{id}", get(one))
}

fn is_settled(app: &App) -> bool {
    let mut active = app.active().into_iter();
    active.all(|instance| instance.status() == RunStatus::Running)
}

/// The apps as a part of the index.
pub(crate) fn section(apps: &Apps) -> String {
    let all = apps.all();
    if all.is_empty() {
        return "<p>None so far.</p>".to_owned();
    }
    let rows: String = all
        .iter()
        .rev()
        .map(|app| {
            let facts = app.facts();
            let latest = app.latest_instance();
            let running = latest.as_ref().and_then(|latest| latest.commit());
            let status = latest.map_or("never started", |latest| latest.status().word());
            let project = format!("{}/{}", app.project.owner, app.project.name());
            format!(
                "<tr><td><a href=\"{}/\">{}</a></td><td>{status}</td><td>{}</td><td>{}</td><td><a href=\"{}\">log</a></td></tr>\n",
                escaped(&app.path()),
                escaped(&facts.name),
                commit(running.as_deref()),
                escaped(&project),
                escaped(&app.page()),
            )
        })
        .collect();
    format!(
        "<table><tr><th>app</th><th>status</th><th>commit</th><th>project</th><th></th></tr>\n{rows}</table>"
    )
}

/// One app: its status, its address, and the log of the instance that was started last.
async fn one(State(apps): Of<Apps>, Path(id): Id) -> Response {
    let Some(app) = apps.find(|app| app.id == id) else {
        return nothing_here();
    };
    let facts = app.facts();
    let link = format!("{}{}/", apps.host.url, app.path());
    let link = escaped(&link);
    let mut content = format!("<p><a href=\"{link}\">{link}</a></p>\n");
    match app.instances().pop() {
        None => content += "<p>Never started</p>",
        Some((version, instance)) => {
            content += &format!(
                "<p>Version {}, instance {}: <strong>{}</strong></p>\n<p>{}</p>\n{}",
                version.number,
                instance.number,
                instance.status().word(),
                escaped(&instance.commit().unwrap_or_default()),
                log_lines(&instance.log),
            );
        }
    }
    page(&facts.name, is_settled(&app), &content).into_response()
}
