//! Serves the apps at their URLs: `/apps/{id or vanity URL}/` and everything below it goes to the
//! process of the running instance, without the prefix and without any credential of Domino's.
//! Replies are passed on as they come; for an app that does not run or answer, the proxy replies.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, post};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::access::Visibility;
use super::app::App;
use super::store::Apps;
use super::upgrade;
use crate::account::API_KEY_HEADER;
use crate::html::escaped;
use crate::reply::Failure;
use crate::request::{Of, Parameters};
use crate::users::{Caller, User};

/// How long an app may take to begin its reply.
const PATIENCE: Duration = Duration::from_secs(60);

/// The header with the name of the user, for the app.
const USER_HEADER: &str = "domino-username";

/// What concerns one connection only, and so ends at the proxy.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Marks a response that is not to be read before it is passed on.
#[derive(Clone, Copy)]
pub(crate) struct Streamed;

pub(super) fn routes() -> Router<Arc<Apps>> {
    Router::new()
        .route("/sign-in", post(sign_in))
        .route("/apps/{app}", any(serve))
        .route("/apps/{app}/", any(serve))
        .route("/apps/{app}/{*rest}", any(serve))
}

async fn serve(State(apps): Of<Apps>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let (segment, rest) = split(&path);
    let visitor = apps.sessions.visitor(request.headers());
    let app = apps.at(segment);
    let access = app.as_ref().map(|app| app.facts().access);
    let is_public = access
        .as_ref()
        .is_some_and(|access| access.visibility == Visibility::Public);
    let response = match (app, access) {
        // Only a signed-in user may know whether the app exists.
        _ if visitor.is_none() && !is_public => apps.sessions.sign_in_page(&path),
        (Some(app), Some(access)) => {
            let is_let_in =
                |user: &Arc<User>| access.lets_in(&apps.catalog.projects, &app.project, user);
            match rest {
                _ if !is_public && !visitor.as_ref().is_some_and(is_let_in) => {
                    let text = "You may not open this app. Its owner can let you in.";
                    notice(StatusCode::FORBIDDEN, "No access", text)
                }
                Some(rest) => forward(&apps, &app, visitor.as_deref(), rest, request).await,
                None => to_folder(request.uri()),
            }
        }
        _ => notice(StatusCode::NOT_FOUND, "Not found", "There is no such app."),
    };
    let mut response = response;
    if let Some(user) = visitor {
        response.extensions_mut().insert(Caller(user));
    }
    response
}

async fn sign_in(State(apps): Of<Apps>, parameters: Parameters) -> Result<Response, Failure> {
    let user = parameters.required("user")?;
    let to = parameters.required("to")?;
    // Only to an app of this sandbox, and not to another place that looks like one.
    let is_plain = to.bytes().all(|byte| byte.is_ascii_graphic());
    if !to.starts_with("/apps/") || !is_plain {
        return Err(Failure::bad_request("There is no such app"));
    }
    let cookie = apps.sessions.cookie_of(user);
    let cookie = cookie.ok_or_else(|| Failure::bad_request("There is no such user"))?;
    let headers = [(SET_COOKIE, cookie), (LOCATION, to.to_owned())];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// The app's part of a path, and what the app itself is asked for; none without a slash between.
fn split(path: &str) -> (&str, Option<&str>) {
    let path = path.trim_start_matches("/apps/");
    match path.find('/') {
        Some(at) => (&path[..at], Some(&path[at..])),
        None => (path, None),
    }
}

/// Adds the final slash, without which the relative links of a page lead beside the app.
fn to_folder(uri: &Uri) -> Response {
    let query = uri.query().map(|query| format!("?{query}"));
    let location = format!("{}/{}", uri.path(), query.unwrap_or_default());
    (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response()
}

/// Has the app answer, if it runs.
async fn forward(
    apps: &Apps,
    app: &App,
    visitor: Option<&User>,
    rest: &str,
    request: Request,
) -> Response {
    let Some(address) = app.serving().and_then(|serving| serving.address()) else {
        let text = "The app does not run.";
        return notice(StatusCode::SERVICE_UNAVAILABLE, "Not running", text);
    };
    let Ok(stream) = TcpStream::connect(address).await else {
        let text = "The app runs, but nothing listens where it should.";
        return notice(StatusCode::BAD_GATEWAY, "No answer", text);
    };
    let request = for_app(apps, visitor, rest, request);
    match tokio::time::timeout(PATIENCE, exchange(stream, request)).await {
        Ok(Some(response)) => response,
        Ok(None) => {
            let text = "The app closed the connection without an answer.";
            notice(StatusCode::BAD_GATEWAY, "No answer", text)
        }
        Err(_) => {
            let text = "The app took too long to answer.";
            notice(StatusCode::GATEWAY_TIMEOUT, "No answer", text)
        }
    }
}

/// The request as the app gets it. The host stays Domino's, so that an app can compare it with
/// the origin of what it is sent.
fn for_app(apps: &Apps, visitor: Option<&User>, rest: &str, mut request: Request) -> Request {
    let query = request.uri().query().map(|query| format!("?{query}"));
    let path = format!("{rest}{}", query.unwrap_or_default());
    if let Ok(uri) = path.parse() {
        *request.uri_mut() = uri;
    }
    let upgrade = upgrade::requested(request.headers());
    let headers = request.headers_mut();
    let cookies = apps.sessions.others(headers);
    without_hop_by_hop(headers);
    for secret in [AUTHORIZATION.as_str(), API_KEY_HEADER, USER_HEADER] {
        headers.remove(secret);
    }
    headers.remove(COOKIE);
    if let Some(Ok(cookies)) = cookies.map(HeaderValue::try_from) {
        headers.insert(COOKIE, cookies);
    }
    if let Some(Ok(name)) = visitor.map(|user| HeaderValue::from_str(&user.name)) {
        headers.insert(USER_HEADER, name);
    }
    if let Some(protocol) = upgrade {
        upgrade::request(headers, protocol);
    }
    request
}

fn without_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all("connection")
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// One request on a connection of its own. None when the app breaks it off before its reply.
async fn exchange(stream: TcpStream, mut request: Request) -> Option<Response> {
    let client = upgrade::of(&mut request);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .ok()?;
    // It goes on until the body of the reply is through, or its reader has gone.
    tokio::spawn(connection.with_upgrades());
    let mut response = sender.send_request(request).await.ok()?;
    let upgraded = upgrade::requested(response.headers());
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        upgrade::join(client?, hyper::upgrade::on(&mut response));
    }
    let mut response = response.map(Body::new);
    without_hop_by_hop(response.headers_mut());
    if let Some(protocol) = upgraded {
        upgrade::request(response.headers_mut(), protocol);
    }
    response.extensions_mut().insert(Streamed);
    Some(response)
}

/// A page in place of an app.
fn notice(status: StatusCode, title: &str, text: &str) -> Response {
    let (title, text) = (escaped(title), escaped(text));
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body><h1>{title}</h1><p>{text}</p></body></html>\n"
    );
    (status, Html(page)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_split_after_the_app() {
        assert_eq!(split("/apps/dash"), ("dash", None));
        assert_eq!(split("/apps/dash/"), ("dash", Some("/")));
        assert_eq!(split("/apps/dash/a%20b/c"), ("dash", Some("/a%20b/c")));
        assert_eq!(split("/apps/dash//x"), ("dash", Some("//x")));
    }

    #[test]
    fn what_concerns_one_connection_ends_at_the_proxy() {
        let pairs = [("connection", "x-own, close"), ("x-own", "1"), ("te", "a")];
        let pairs = pairs.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let mut headers: HeaderMap = pairs.into_iter().collect();
        headers.insert("accept", "*/*".parse().unwrap());
        without_hop_by_hop(&mut headers);
        assert_eq!(headers.len(), 1);
    }
}
