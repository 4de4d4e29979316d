//! The sign-in of a person at a browser, who has no credential to put into a header: the page that
//! stands in place of an app has a button for each user, and pressing one leaves a cookie. The
//! cookie opens apps and nothing of the API; a client that sends neither it nor a credential gets
//! the page, with status 200, as from Domino.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::post;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domino::Domino;
use crate::id;
use crate::page::escaped;
use crate::reply::Failure;
use crate::request::Parameters;
use crate::users::User;

/// A secret for each user, good for as long as the sandbox lives.
pub(crate) struct Sessions {
    /// Cookies do not tell ports apart, and another sandbox has other secrets.
    cookie: String,
    secrets: Vec<(String, String)>,
}

pub(super) fn routes() -> Router<Arc<Domino>> {
    Router::new().route("/sign-in", post(sign_in))
}

impl Sessions {
    pub(crate) fn new<'a>(port: u16, user_names: impl Iterator<Item = &'a str>) -> Self {
        Sessions {
            cookie: format!("domino-sandbox-{port}"),
            secrets: user_names
                .map(|name| (name.to_owned(), id::secret()))
                .collect(),
        }
    }

    /// The name of the user whose session `headers` carry.
    fn user_name(&self, headers: &HeaderMap) -> Option<&str> {
        let cookies = headers.get_all(COOKIE).into_iter();
        let mut pairs = cookies
            .filter_map(|cookies| cookies.to_str().ok())
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        let (_, secret) = pairs.find(|(name, _)| *name == self.cookie)?;
        let mut secrets = self.secrets.iter();
        let (user, _) = secrets.find(|(_, known)| known == secret)?;
        Some(user)
    }

    /// The cookies of `headers` without that of the session, which is no business of an app.
    pub(super) fn others(&self, headers: &HeaderMap) -> Option<String> {
        let cookies = headers.get_all(COOKIE).into_iter();
        let others: Vec<&str> = cookies
            .filter_map(|cookies| cookies.to_str().ok())
            .flat_map(|cookies| cookies.split(';'))
            .map(str::trim)
            .filter(|pair| pair.split('=').next() != Some(&self.cookie))
            .filter(|pair| !pair.is_empty())
            .collect();
        (!others.is_empty()).then(|| others.join("; "))
    }
}

/// Who wants to open an app: by a credential of the API, or by the session of a browser.
pub(super) fn visitor<'a>(domino: &'a Domino, headers: &HeaderMap) -> Option<&'a Arc<User>> {
    let account = domino.accounts.sign_in(headers, domino.version).ok();
    let name = account.map(|account| account.user_name.as_str());
    domino
        .users
        .named(name.or_else(|| domino.sessions.user_name(headers))?)
}

/// The page that leads to `path` once somebody has signed in.
pub(super) fn sign_in_page(domino: &Domino, path: &str) -> Response {
    let users = domino.users.all().iter();
    let buttons: String = users
        .map(|user| {
            let action = format!(
                "/sign-in?user={}&to={}",
                utf8_percent_encode(&user.name, NON_ALPHANUMERIC),
                utf8_percent_encode(path, NON_ALPHANUMERIC)
            );
            format!(
                "<form method=\"post\" action=\"{}\"><button>{}</button></form>\n",
                escaped(&action),
                escaped(&user.name)
            )
        })
        .collect();
    Html(format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <title>Sign in to Domino</title></head>\n<body><h1>Sign in to Domino</h1>\n\
         <p>This is a sandbox on your own machine. Whom do you want to be?</p>\n{buttons}</body></html>\n"
    ))
    .into_response()
}

async fn sign_in(
    State(domino): State<Arc<Domino>>,
    parameters: Parameters,
) -> Result<Response, Failure> {
    let user = parameters.required("user")?;
    let to = parameters.required("to")?;
    // Only to an app of this sandbox, and not to another place that looks like one.
    let is_plain = to.bytes().all(|byte| byte.is_ascii_graphic());
    if !to.starts_with("/apps/") || !is_plain {
        return Err(Failure::bad_request("There is no such app"));
    }
    let mut secrets = domino.sessions.secrets.iter();
    let (_, secret) = secrets
        .find(|(name, _)| name == user)
        .ok_or_else(|| Failure::bad_request("There is no such user"))?;
    let cookie = format!(
        "{}={secret}; Path=/apps; HttpOnly; SameSite=Lax",
        domino.sessions.cookie
    );
    let headers = [(SET_COOKIE, cookie), (LOCATION, to.to_owned())];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}
