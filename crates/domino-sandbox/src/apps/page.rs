//! The pages on which a person reads how the apps do: a table for the index, and one page for each
//! app with its log. Like the pages of jobs they need no sign-in; the apps themselves do.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::App;
use crate::domino::Domino;
use crate::jobs::Status;
use crate::page::{escaped, log_lines, nothing_here, page};

pub(super) fn routes() -> Router<Arc<Domino>> {
    Router::new().route("/modelproducts/{id}", get(one))
}

fn is_settled(app: &App) -> bool {
    let mut active = app.active().into_iter();
    active.all(|instance| instance.status() == Status::Running)
}

/// The apps as a part of the index.
pub(crate) fn section(domino: &Domino) -> String {
    let apps = domino.apps.all();
    if apps.is_empty() {
        return "<p>None so far.</p>".to_owned();
    }
    let rows: String = apps
        .iter()
        .rev()
        .map(|app| {
            let facts = app.facts();
            let latest = app.latest_instance();
            let status = latest.map_or("never started", |latest| latest.status().word());
            let project = format!("{}/{}", app.project.owner, app.project.name);
            format!(
                "<tr><td><a href=\"{}/\">{}</a></td><td>{status}</td><td>{}</td><td><a href=\"{}\">log</a></td></tr>\n",
                escaped(&app.path()),
                escaped(&facts.name),
                escaped(&project),
                escaped(&app.page()),
            )
        })
        .collect();
    format!("<table><tr><th>app</th><th>status</th><th>project</th><th></th></tr>\n{rows}</table>")
}

/// One app: where it stands, where it is, and the log of the instance that was started last.
async fn one(State(domino): State<Arc<Domino>>, Path(id): Path<String>) -> Response {
    let Some(app) = domino.apps.find(|app| app.id == id) else {
        return nothing_here();
    };
    let facts = app.facts();
    let link = format!("{}{}/", domino.url, app.path());
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
