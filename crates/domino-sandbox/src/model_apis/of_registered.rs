//! The endpoints that were created from a registered model, listed among its routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use serde_json::json;

use super::model_api::ModelApi;
use super::store::ModelApis;
use crate::registered_models::{project_json, version_number};
use crate::reply::Answer;
use crate::request::{Id, Ids, Of, Parameters};
use crate::users::Caller;

pub(super) fn routes() -> Router<Arc<ModelApis>> {
    Router::new()
        .route("/api/registeredmodels/v1/{name}/modelapis", get(endpoints))
        .route(
            "/api/registeredmodels/v1/{name}/versions/{version}/modelapis",
            get(version_endpoints),
        )
}

/// The endpoints made of a model, whichever version of it.
async fn endpoints(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path(name): Id,
    parameters: Parameters,
) -> Answer {
    apis.registered_models.one(&user, &name).await?;
    listed(apis.made_of(&name, None), &parameters)
}

/// The endpoints made of one version of a model.
async fn version_endpoints(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path((name, number)): Ids,
    parameters: Parameters,
) -> Answer {
    let number = version_number(&number)?;
    apis.registered_models.one(&user, &name).await?;
    apis.registered_models.version(&user, &name, number).await?;
    listed(apis.made_of(&name, Some(number)), &parameters)
}

fn listed(apis: Vec<Arc<ModelApi>>, parameters: &Parameters) -> Answer {
    let item = |api: &Arc<ModelApi>| {
        let settings = api.settings();
        let mut json = json!({
            "id": api.id,
            "name": settings.name,
            "description": settings.description,
            "project": project_json(&api.project),
            "updatedAt": api.modified().rfc3339(),
        });
        if let Some(active) = api.active() {
            json["activeModelVersionId"] = active.id.as_str().into();
            json["activeVersionNumber"] = active.number.into();
            json["activeVersionStatus"] = active.reported_status().into();
        }
        json
    };
    parameters.page("items", 25, apis, item)
}
