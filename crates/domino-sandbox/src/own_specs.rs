//! Where a deployment serves the descriptions of its own API, to anybody. Those of the sandbox say which release it
//! is and describe no route: to check a client, use those of a real deployment.

use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::version::Version;

/// The addresses, and the title that each document has.
const PLACES: [(&str, &str); 3] = [
    ("/docs/openapi/openapi-public.json", "Domino Public API"),
    ("/assets/public-api.json", "Domino Public API"),
    ("/assets/swagger.json", "Domino Data Lab API v4"),
];

pub(crate) fn open_routes(version: Version) -> Router {
    PLACES.iter().fold(Router::new(), |router, (place, title)| {
        let document = json!({
            "openapi": "3.0.3",
            "info": { "title": title, "version": version.release() },
            "paths": {},
        });
        router.route(place, get(async move || Json(document)))
    })
}
