//! What the index shows of models: each version with its stage, and a card for each endpoint with the
//! version that answers.

use crate::html::card::{Card, Health};
use crate::html::{escaped, moment};
use crate::jobs::Jobs;
use crate::model_apis::{ModelApi, ModelApis, Status};
use crate::registered_models::{Overview, RegisteredModels};

/// The registered models as a part of the index.
pub(super) async fn registered(models: &RegisteredModels, jobs: &Jobs) -> String {
    let versions = match models.overview().await {
        Ok(versions) => versions,
        Err(refusal) => {
            let message = escaped(refusal.message());
            return format!("<p class=\"stderr\">{message}</p>");
        }
    };
    if versions.is_empty() {
        return "<p>None so far.</p>".to_owned();
    }
    let rows: String = versions.iter().map(|one| row(jobs, one)).collect();
    format!(
        "<table id=\"models\"><tr><th>model</th><th>version</th><th>stage</th><th>aliases</th>\
         <th>trained by</th></tr>\n{rows}</table>"
    )
}

fn row(jobs: &Jobs, one: &Overview) -> String {
    let jobs = jobs.all();
    let job = jobs.iter().find(|job| Some(&job.id) == one.job_id.as_ref());
    let trained_by = job.map_or(String::new(), |job| {
        format!(
            "<a href=\"{}\">job {}</a>",
            escaped(&job.page()),
            job.number
        )
    });
    format!(
        "<tr><td>{}</td><td>{}</td><td class=\"{}\">{}</td><td>{}</td><td>{trained_by}</td></tr>\n",
        escaped(&one.model),
        one.number,
        escaped(&one.stage.to_lowercase()),
        escaped(&one.stage),
        escaped(&one.aliases.join(", ")),
    )
}

/// A card for each endpoint, the newest first.
pub(super) fn cards(apis: &ModelApis) -> Vec<Card> {
    apis.unarchived()
        .iter()
        .rev()
        .map(|api| card(api))
        .collect()
}

fn card(api: &ModelApi) -> Card {
    let settings = api.settings();
    let (active, versions) = (api.active(), api.versions());
    let answers = active.as_ref().map_or_else(
        || "nothing yet".to_owned(),
        |active| format!("version {}: {}", active.number, active.served()),
    );
    let newest = versions.last();
    let is_newest = newest.map(|newest| newest.number) == active.as_ref().map(|one| one.number);
    let beside = newest
        .filter(|_| !is_newest)
        .map(|newest| format!("version {}: {}", newest.number, newest.status().word()));
    let status = active.as_ref().or(newest).map(|one| one.status());
    let tier = settings.hardware_tier.as_ref();
    Card {
        plane: tier.map_or_else(|| "Local".to_owned(), |tier| tier.data_plane.name.clone()),
        title: format!(
            "<a href=\"{}\">{}</a>",
            escaped(&api.page()),
            escaped(&settings.name)
        ),
        kind: "endpoint",
        health: match &status {
            Some(Status::Running) if is_newest => Health::Well,
            Some(Status::Failed) => Health::Wrong,
            Some(Status::Stopped) | None => Health::Quiet,
            Some(_) => Health::UnderWay,
        },
        word: status.map_or_else(
            || "no version".to_owned(),
            |status| status.word().to_owned(),
        ),
        rows: vec![
            ("answers", escaped(&answers)),
            ("newest", escaped(&beside.unwrap_or_default())),
            ("changed", moment(api.modified())),
            (
                "tier",
                tier.map_or_else(String::new, |tier| escaped(&tier.name)),
            ),
        ],
    }
}
