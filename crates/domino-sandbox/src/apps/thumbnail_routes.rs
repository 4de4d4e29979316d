//! The picture of an app, for which only beta has routes. The specification names no limit of its size.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::store::Apps;
use super::thumbnail::Thumbnail;
use crate::reply::{Answer, Failure, Put};
use crate::request::{Fields, Id, Of};
use crate::users::Caller;

const APPS: &str = "/api/apps/beta/apps";

pub(super) fn routes() -> Router<Arc<Apps>> {
    let picture = format!("{APPS}/{{app_id}}/thumbnail");
    Router::new()
        .route(&picture, get(read).post(upload).delete(remove))
        .route(&format!("{picture}/metadata"), get(metadata))
}

fn of_app(apps: &Apps, Caller(user): &Caller, id: &str) -> Result<Thumbnail, Failure> {
    let picture = apps.seen_by(user, id)?.facts().thumbnail;
    picture.ok_or_else(|| Failure::not_found(format!("App {id} has no thumbnail")))
}

async fn read(
    State(apps): Of<Apps>,
    caller: Caller,
    Path(id): Id,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let picture = of_app(&apps, &caller, &id)?;
    let etag = picture.etag();
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known == etag.as_str())
    {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let headers = [
        (header::CONTENT_TYPE, picture.content_type),
        (header::ETAG, etag),
    ];
    Ok((headers, picture.bytes.to_vec()).into_response())
}

async fn metadata(State(apps): Of<Apps>, caller: Caller, Path(id): Id) -> Answer {
    let picture = of_app(&apps, &caller, &id)?;
    let mut json = json!({
        "etag": picture.etag(),
        "contentType": picture.content_type,
        "sizeBytes": picture.bytes.len(),
        "updatedAt": picture.updated.milliseconds(),
    });
    json.put("filename", picture.file_name);
    Ok(Json(json))
}

async fn upload(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path(id): Id,
    mut fields: Fields,
) -> Result<Response, Failure> {
    let app = apps.seen_by(&user, &id)?;
    let content = STANDARD.decode(fields.text("contentBase64")).ok();
    if content.is_none() {
        fields.complain("contentBase64", "error.expected.base64");
    }
    let content_type = fields.text("contentType");
    let file_name = fields.optional_text("filename");
    fields.finish()?;
    let picture = Thumbnail {
        bytes: content.unwrap_or_default().into(),
        content_type,
        file_name: file_name.clone(),
        updated: apps.host.now(),
    };
    let is_new = app.facts().thumbnail.is_none();
    let mut json = json!({
        "etag": picture.etag(),
        "created": is_new,
        "sizeBytes": picture.bytes.len(),
    });
    json.put("filename", file_name);
    app.change(apps.host.now(), |facts| facts.thumbnail = Some(picture));
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(json)).into_response())
}

async fn remove(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path(id): Id,
) -> Result<StatusCode, Failure> {
    let app = apps.seen_by(&user, &id)?;
    app.change(apps.host.now(), |facts| facts.thumbnail = None);
    Ok(StatusCode::NO_CONTENT)
}
