//! The routes under `/api/registeredmodels`: models by pages with a token, versions by pages with
//! an offset.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Method;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::store::RegisteredModels;
use crate::id;
use crate::reply::{Answer, Failure, Slice};
use crate::request::{Fields, Id, Ids, Of, Parameters, object_id};
use crate::users::Caller;
use crate::version::Version;

/// The second generation of the routes came with Domino 6.
pub(crate) fn routes(models: Arc<RegisteredModels>, domino: Version) -> Router {
    let first = "/api/registeredmodels/v1";
    let second = "/api/registeredmodels/v2";
    let versions = |root: &str| format!("{root}/{{name}}/versions");
    let version = |root: &str| format!("{root}/{{name}}/versions/{{version}}");
    let mut routes = Router::new()
        .route(first, get(list))
        .route(&format!("{first}/names"), get(names))
        .route(&format!("{first}/{{name}}"), get(read).patch(change))
        .route(&versions(first), get(version_list))
        .route(&version(first), get(version_details));
    if domino != Version::V5_9 {
        routes = routes
            .route(second, get(list))
            .route(&versions(second), get(version_list))
            .route(&version(second), get(version_details));
    }
    routes.with_state(models)
}

async fn list(
    State(models): Of<RegisteredModels>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Answer {
    let project_id = parameters.text("projectId");
    if let Some(id) = project_id {
        object_id("projectId", id)?;
    }
    let pattern = parameters.text("searchPattern").map(str::to_lowercase);
    let offset = match parameters.text("pageToken") {
        None => 0,
        Some(token) => offset(token).ok_or_else(|| Failure::bad_request("Invalid page token"))?,
    };
    let size = parameters.size("maxResults", 25)?.min(Slice::CAP);
    // Every model here is of the category `ml`; the other one is `genai`.
    let category = parameters.text("modelCategory").unwrap_or("ml");
    let mut found = models.all(&user).await?;
    found.retain(|model| {
        category == "ml"
            && project_id.is_none_or(|id| model.project.id == id)
            && pattern
                .as_ref()
                .is_none_or(|pattern| model.name.to_lowercase().contains(pattern))
    });
    let order = parameters.text("orderBy").unwrap_or_default();
    if order.to_lowercase().ends_with("desc") {
        found.reverse();
    }
    let items: Vec<Value> = found
        .iter()
        .skip(offset)
        .take(size)
        .map(|model| model.json(models.is_discoverable(&model.name)))
        .collect();
    // As with offsets, the specification asks for the token under `pagination` and describes it
    // beside `requestId`.
    let mut metadata = json!({ "requestId": id::uuid(), "notices": [], "pagination": {} });
    if offset + items.len() < found.len() {
        let token = token(offset + items.len());
        metadata["nextPageToken"] = token.as_str().into();
        metadata["pagination"]["nextPageToken"] = token.into();
    }
    Ok(Json(json!({ "items": items, "metadata": metadata })))
}

fn token(offset: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("models:{offset}"))
}

fn offset(token: &str) -> Option<usize> {
    let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    decoded.strip_prefix("models:")?.parse().ok()
}

async fn names(
    State(models): Of<RegisteredModels>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Answer {
    let search = parameters.text("search").unwrap_or_default().to_lowercase();
    let found = models.all(&user).await?;
    let wanted = found.iter().filter(|model| {
        let project_id = parameters.text("projectId");
        model.name.to_lowercase().contains(&search)
            && project_id.is_none_or(|id| model.project.id == id)
    });
    parameters.page("items", 10, wanted.collect(), |model| {
        model.name.as_str().into()
    })
}

async fn read(State(models): Of<RegisteredModels>, Caller(user): Caller, Path(name): Id) -> Answer {
    let model = models.one(&user, &name).await?;
    Ok(Json(model.json(models.is_discoverable(&name))))
}

/// Only the description and who may find the model can be changed here.
async fn change(
    State(models): Of<RegisteredModels>,
    Caller(user): Caller,
    Path(name): Id,
    mut fields: Fields,
) -> Answer {
    let description = fields.optional_text("description");
    let discoverable = fields.optional_flag("discoverable");
    fields.finish()?;
    models.one(&user, &name).await?;
    if let Some(description) = description {
        let route = "registered-models/update";
        let input = json!({ "name": name, "description": description });
        let asked = models.mlflow.ask(&user.name, Method::PATCH, route, input);
        asked.await?;
    }
    if let Some(discoverable) = discoverable {
        models.set_discoverable(&name, discoverable);
    }
    let model = models.one(&user, &name).await?;
    Ok(Json(model.json(models.is_discoverable(&name))))
}

async fn version_list(
    State(models): Of<RegisteredModels>,
    Caller(user): Caller,
    Path(name): Id,
    parameters: Parameters,
) -> Answer {
    let model = models.one(&user, &name).await?;
    let versions = models.versions(&user, &name).await?;
    parameters.page("items", 20, versions, |version| {
        version.json(&model.project)
    })
}

async fn version_details(
    State(models): Of<RegisteredModels>,
    Caller(user): Caller,
    Path((name, number)): Ids,
) -> Answer {
    let number = version_number(&number)?;
    let model = models.one(&user, &name).await?;
    let version = models.version(&user, &name, number).await?;
    let run = models.run_of(&user, &version).await;
    Ok(Json(version.details(&run, &model.project)))
}

/// The version in a path, which is a whole number.
pub(crate) fn version_number(text: &str) -> Result<u64, Failure> {
    text.parse().map_err(|_| {
        Failure::bad_request(format!(
            "Cannot parse parameter version as Int: For input string: \"{text}\""
        ))
    })
}
