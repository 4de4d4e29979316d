//! The part of the index about models: each version with its stage, and the endpoints with the
//! version that answers.

use crate::html::escaped;
use crate::jobs::Jobs;
use crate::model_apis::ModelApis;
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

/// The endpoints as a part of the index.
pub(super) fn endpoints(apis: &ModelApis) -> String {
    let apis = apis.unarchived();
    if apis.is_empty() {
        return "<p>None so far.</p>".to_owned();
    }
    let rows: String = apis
        .iter()
        .rev()
        .map(|api| {
            let settings = api.settings();
            let answers = match api.active() {
                Some(active) => format!("version {}: {}", active.number, active.served()),
                None => "nothing yet".to_owned(),
            };
            let newest = api.versions().last().map_or(String::new(), |newest| {
                format!("version {}: {}", newest.number, newest.status().word())
            });
            let plane = settings.hardware_tier.as_ref();
            let plane = plane.map_or("", |tier| tier.data_plane.name.as_str());
            format!(
                "<tr><td><a href=\"{}\">{}</a></td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                escaped(&api.page()),
                escaped(&settings.name),
                escaped(&answers),
                escaped(&newest),
                escaped(plane),
            )
        })
        .collect();
    format!(
        "<table id=\"endpoints\"><tr><th>endpoint</th><th>answers</th><th>newest</th>\
         <th>data plane</th></tr>\n{rows}</table>"
    )
}
