//! What the specs are known to lack, each with its reason, and each use counted. Two things are skipped without being
//! counted: `format`, which `schema.rs` removes from every schema, and fields of replies that a schema does not name.

use crate::Exchange;

/// The specs list few error statuses: any route may answer 401, 404, 429 or 503.
pub(crate) const OTHER_STATUS: &str = "a status of errors that the route does not document";
/// Proxies and ingresses answer with text, HTML or nothing.
pub(crate) const OTHER_ERROR: &str = "an error that is no JSON object";

/// The family that some deployments' public spec leaves out and a spec of its own describes. It is a gap only if none
/// of the given specs has the family; otherwise each of its routes is checked.
pub(crate) const GOVERNANCE: &str = "/api/governance/";
pub(crate) const NO_GOVERNANCE: &str = "governance, of which no given spec says anything";

/// A known gap of the specs.
pub(crate) enum Exception {
    /// The whole route is missing.
    Route(&'static str),
    /// One field of the body is missing.
    Field(&'static str, &'static str),
}

/// The gap that an exchange belongs to.
pub(crate) fn exception_for(exchange: &Exchange<'_>) -> Option<Exception> {
    let path = exchange.path;
    let starts = |prefix: &str| path.starts_with(prefix);
    let gap = match path {
        // No spec describes it, but every client reads it.
        "/version" => "GET /version",
        // The specs themselves.
        _ if starts("/assets/") || starts("/docs/openapi/") => "the specs' own addresses",
        // Legacy routes were never described.
        _ if starts("/v1/") => "legacy /v1 routes",
        // v4's spec has only POST, but every published client reads it.
        "/v4/projects" if exchange.method == "GET" => "GET /v4/projects",
        // Internal, seen on live deployments.
        _ if starts("/v4/models/") => "/v4/models routes",
        // On by default since 6.3; the public spec has it from 6.4 on.
        _ if starts("/api/apps/v1/") => "apps v1, which came with 6.4",
        // Found only in the templates and in Domino's own front end.
        _ if starts("/api/registeredmodels/") && path.contains("/reviews") => "model reviews",
        // MLflow has its own contract; tests run against the real server.
        _ if starts("/api/2.0/mlflow") || starts("/api/3.0/mlflow") || path == "/health" => {
            "MLflow's own API"
        }
        // The public spec has its body, `ModelApiVersionProductionLabel`, and no path.
        _ if starts("/api/modelServing/") && path.ends_with("/productionLabel") => {
            "the production label of a model API version"
        }
        // What a person or a caller of a model sees; not part of the API.
        _ if starts("/models/") => "invocation of a model endpoint",
        _ if starts("/apps/") || starts("/apps-internal/") || starts("/modelproducts/") => {
            "pages of an app"
        }
        _ if starts("/jobs/") || path == "/" => "pages for people",
        // The official client sends the project as well, which the route's spec does not list.
        "/v4/jobs/stop" => {
            return Some(Exception::Field(
                "projectId of POST /v4/jobs/stop",
                "projectId",
            ));
        }
        _ => return None,
    };
    Some(Exception::Route(gap))
}

/// What 5.9 answers for a project that the caller cannot see; the official client reads it like this, too.
pub(crate) const NO_PROJECT: &str = "200 with nothing for a project that cannot be seen";

/// Whether a reply means that.
pub(crate) fn is_no_project(exchange: &Exchange<'_>) -> bool {
    let fields = exchange.reply.and_then(serde_json::Value::as_object);
    exchange.path == "/v4/gateway/projects/findProjectByOwnerAndName"
        && fields.is_some_and(serde_json::Map::is_empty)
}

/// The public spec wants 24 hexadecimal digits for the bundle of an endpoint; governance, which makes bundles, gives
/// them UUIDs.
pub(crate) const BUNDLE_ID: &str = "the bundle of an endpoint by a UUID";

/// Whether what is wrong at a place means that.
pub(crate) fn is_bundle_id(exchange: &Exchange<'_>, problem: &str) -> bool {
    let told = problem.split_once("/bundleId: \"");
    let id = told.and_then(|(_, rest)| rest.split('"').next());
    exchange.path.starts_with("/api/modelServing/")
        && id.is_some_and(|id| id.len() == 36 && id.matches('-').count() == 4)
}
