//! What shows a person the state of the apps: a card on the board, and one page for each
//! app with its log. Like the pages of jobs they need no sign-in; the apps themselves do.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::app::App;
use super::store::Apps;
use crate::html::card::{Card, Health};
use crate::html::{commit, escaped, log_lines, moment, nothing_here, page};
use crate::request::{Id, Of};
use crate::run_status::RunStatus;

pub(super) fn routes() -> Router<Arc<Apps>> {
    Router::new().route("/modelproducts/{id}", get(one))
}

fn is_settled(app: &App) -> bool {
    let mut active = app.active().into_iter();
    active.all(|instance| instance.status() == RunStatus::Running)
}

/// A card for each app, the newest first.
pub(crate) fn cards(apps: &Apps) -> Vec<Card> {
    apps.all().iter().rev().map(|app| card(apps, app)).collect()
}

fn card(apps: &Apps, app: &App) -> Card {
    let name = app.facts().name;
    let latest = app.instances().pop();
    let (version, instance) = latest.unzip();
    let status = instance.as_ref().map(|latest| latest.status());
    let tier = instance.as_ref().map(|latest| latest.hardware_tier.clone());
    let tier = tier.unwrap_or_else(|| apps.catalog.hardware_tiers.default_tier().clone());
    let running = instance.as_ref().and_then(|latest| latest.commit());
    Card {
        plane: tier.data_plane.name.clone(),
        title: format!(
            "<a href=\"{}/\">{}</a>",
            escaped(&app.path()),
            escaped(&name)
        ),
        kind: "app",
        health: match status {
            Some(RunStatus::Running) => Health::Well,
            Some(RunStatus::Failed | RunStatus::Error) => Health::Wrong,
            Some(status) if !status.is_terminal() => Health::UnderWay,
            _ => Health::Quiet,
        },
        word: status.map_or("never started", RunStatus::word).to_owned(),
        rows: vec![
            (
                "version",
                version.map_or_else(String::new, |version| version.number.to_string()),
            ),
            ("commit", commit(running.as_deref())),
            (
                "since",
                instance
                    .as_ref()
                    .map_or_else(String::new, |latest| moment(latest.created)),
            ),
            (
                "by",
                instance
                    .as_ref()
                    .map_or_else(String::new, |latest| escaped(&latest.started_by.name)),
            ),
            ("tier", escaped(&tier.name)),
            (
                "log",
                format!(
                    "<a href=\"{}\">of the newest instance</a>",
                    escaped(&app.page())
                ),
            ),
        ],
    }
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
