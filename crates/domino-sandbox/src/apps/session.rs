//! The sign-in of a person at a browser, who cannot put a credential into a header. The page in front of an app has a
//! button for each user, and pressing one sets a cookie. The cookie opens apps and nothing of the API; a client that
//! sends neither it nor a credential gets the page, with status 200, as from Domino.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use axum::response::{Html, IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::host::Host;
use crate::html::escaped;
use crate::id;
use crate::users::{User, Users};

/// A secret for each user, valid as long as the sandbox runs.
pub(crate) struct Sessions {
    /// Cookies do not distinguish ports, and another sandbox has other secrets.
    cookie: String,
    secrets: Vec<(String, String)>,
    users: Arc<Users>,
    host: Arc<Host>,
}

impl Sessions {
    pub(crate) fn new(port: u16, users: Arc<Users>, host: Arc<Host>) -> Self {
        Sessions {
            cookie: format!("domino-sandbox-{port}"),
            secrets: users
                .all()
                .iter()
                .map(|user| (user.name.clone(), id::secret()))
                .collect(),
            users,
            host,
        }
    }

    /// The user who opens an app: by a credential of the API, or by the session of a browser.
    pub(super) fn visitor(&self, headers: &HeaderMap) -> Option<Arc<User>> {
        let account = self.host.accounts.sign_in(headers, self.host.version).ok();
        let name = account.as_ref().map(|account| account.user_name.as_str());
        self.users.named(name.or_else(|| self.user_name(headers))?)
    }

    /// The page that leads to `path` after the sign-in.
    pub(super) fn sign_in_page(&self, path: &str) -> Response {
        let users = self.users.all();
        let buttons: String = users
            .iter()
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

    /// The cookies of `headers` without that of the session, which the app must not see.
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

    /// The cookie of a new session of this user.
    pub(super) fn cookie_of(&self, user_name: &str) -> Option<String> {
        let mut secrets = self.secrets.iter();
        let (_, secret) = secrets.find(|(name, _)| name == user_name)?;
        let cookie = &self.cookie;
        Some(format!(
            "{cookie}={secret}; Path=/apps; HttpOnly; SameSite=Lax"
        ))
    }
}
