//! The routes of a project's own files: the newest commit, a folder's list, and the upload of one file.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::files::ProjectFile;
use crate::catalog::Catalog;
use crate::clock::Moment;
use crate::reply::{Answer, Failure};
use crate::request::{Id, Ids, Of};
use crate::users::Caller;

pub(super) fn routes() -> Router<Arc<Catalog>> {
    Router::new()
        .route("/v4/projects/{project_id}/commits/head", get(head))
        .route(
            "/v4/projects/{project_id}/commits/head/files/{*path}",
            get(list).post(upload),
        )
}

async fn head(State(catalog): Of<Catalog>, Caller(user): Caller, Path(id): Id) -> Answer {
    let project = catalog.projects.seen_by(&user, &id)?;
    let newest = project.commits().swap_remove(0);
    let time = Moment::now(0).milliseconds();
    Ok(Json(
        json!({ "id": newest, "name": "", "commitTime": time }),
    ))
}

/// The files directly in a folder.
async fn list(
    State(catalog): Of<Catalog>,
    Caller(user): Caller,
    Path((id, folder)): Ids,
) -> Answer {
    let project = catalog.projects.seen_by(&user, &id)?;
    let files = project.files.lock();
    let found = files.in_folder(folder.trim_matches('/'));
    let found: Vec<Value> = found.map(ProjectFile::listed).collect();
    Ok(Json(found.into()))
}

async fn upload(
    State(catalog): Of<Catalog>,
    Caller(user): Caller,
    Path((id, path)): Ids,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let project = catalog.projects.seen_by(&user, &id)?;
    let content = upfile(&headers, &body)
        .ok_or_else(|| Failure::bad_request("Missing file `upfile` in the form"))?;
    let told = project.files.lock().upload(path, content);
    Ok((StatusCode::CREATED, Json(told)))
}

/// The file of the form, a text; nothing where the form has none.
fn upfile(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let boundary = kind.strip_prefix("multipart/form-data;")?.trim();
    let boundary = boundary.strip_prefix("boundary=")?.trim_matches('"');
    let body = std::str::from_utf8(body).ok()?;
    let line = format!("--{boundary}");
    body.split(&line).find_map(|part| {
        let (head, content) = part.split_once("\r\n\r\n")?;
        let is_it = head.contains("name=\"upfile\"");
        is_it.then(|| content.strip_suffix("\r\n").unwrap_or(content).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_file_of_a_form_is_what_is_between_its_lines() {
        let kind = HeaderValue::from_static("multipart/form-data; boundary=xyz");
        let headers: HeaderMap = [(header::CONTENT_TYPE, kind)].into_iter().collect();
        let part = |name: &str| {
            format!(
                "--xyz\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a\"\r\n\r\n# A\n\r\n--xyz--\r\n"
            )
        };
        assert_eq!(
            upfile(&headers, part("upfile").as_bytes()).as_deref(),
            Some("# A\n")
        );
        assert_eq!(upfile(&headers, part("file").as_bytes()), None);
        assert_eq!(upfile(&HeaderMap::new(), part("upfile").as_bytes()), None);
    }
}
