//! The page that shows a person the state of an endpoint: its versions, how to call it, and the
//! logs of the newest version. Like the other pages it needs no sign-in and shows no token.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::store::ModelApis;
use crate::html::{escaped, log_lines, nothing_here, page};
use crate::request::{Id, Ids, Of};

pub(super) fn routes() -> Router<Arc<ModelApis>> {
    Router::new()
        .route("/models/{id}/overview", get(one))
        .route("/models/{id}/{which}/model", get(of_address))
}

/// What a browser shows at the address where a model is called. Domino itself only answers calls there, and a person
/// who follows the link of a deployment would find nothing.
async fn of_address(apis: Of<ModelApis>, Path((id, _)): Ids) -> Response {
    one(apis, Path(id)).await
}

async fn one(State(apis): Of<ModelApis>, Path(id): Id) -> Response {
    let Some(api) = apis.with_id(&id) else {
        return nothing_here();
    };
    let active = api.active().map(|version| version.number);
    let versions = api.versions();
    let rows: String = versions
        .iter()
        .rev()
        .map(|version| {
            let answers = if active == Some(version.number) {
                "answers"
            } else {
                ""
            };
            format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{answers}</td></tr>\n",
                version.number,
                escaped(&version.served()),
                escaped(version.status().word()),
            )
        })
        .collect();
    let logs = versions.last().map_or(String::new(), |newest| {
        format!(
            "<h2>Build of version {}</h2>{}<h2>Its process</h2>{}",
            newest.number,
            log_lines(&newest.build_log),
            log_lines(&newest.instance_log),
        )
    });
    let is_settled = versions.iter().all(|version| version.is_settled());
    let content = format!(
        "<p><a href=\"/\">What else there is</a></p>\n\
         <table><tr><th>version</th><th>serves</th><th>status</th><th></th></tr>\n{rows}</table>\n\
         <p>Call it with its token as user and password:</p>\n\
         <pre>curl -u \"$DOMINO_MODEL_TOKEN:$DOMINO_MODEL_TOKEN\" -H 'Content-Type: application/json' \
         -d '{{\"data\": {{}}}}' {}/models/{}/latest/model</pre>\n{logs}",
        escaped(&apis.host.url),
        api.id
    );
    page(&api.settings().name, is_settled, &content).into_response()
}
