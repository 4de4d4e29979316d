//! Faults of requests: which ones are harmed and how. `server` does the harm, where replies are sent.

use std::time::Duration;

use axum::http::Method;
use serde_json::Value;

/// One way in which requests go wrong.
#[derive(Clone, Debug)]
pub struct Fault {
    pub(super) route: Route,
    pub(super) after: usize,
    pub(super) times: Option<usize>,
    pub(super) misbehaviour: Misbehaviour,
}

/// What happens to a request that a fault selects.
///
/// If a variant has `processed`, `true` means that the request takes effect although its reply fails: the case in
/// which a client must look before it tries again.
#[derive(Clone, Debug, PartialEq)]
pub enum Misbehaviour {
    /// This status with a body in the shape the route's family uses for errors.
    Status {
        /// The status code.
        status: u16,
        /// Seconds for a `Retry-After` header; none is sent without.
        retry_after: Option<u64>,
        /// Whether the request takes effect all the same.
        processed: bool,
    },
    /// A reply given in full.
    Reply {
        /// The status code.
        status: u16,
        /// The header `Content-Type`.
        content_type: String,
        /// The body, sent as it is.
        body: String,
    },
    /// Status 200 and the HTML page of a sign-in form.
    LoginPage,
    /// 403 with bytes that are no text.
    BinaryForbidden,
    /// 409 with `redirectPath`: the user must sign in again.
    Relogin,
    /// 307 to the same path on another origin.
    Redirect {
        /// Scheme and authority of the other origin.
        origin: String,
    },
    /// The connection is cut, and new ones are refused for a while.
    Refuse {
        /// How long nothing listens.
        lasting: Duration,
    },
    /// The connection is reset instead of a reply.
    Reset {
        /// Whether the request takes effect before the reset.
        processed: bool,
    },
    /// No reply ever comes, and the connection stays open.
    Hang {
        /// Whether the request takes effect.
        processed: bool,
    },
    /// The reply comes after a delay.
    Delay {
        /// How long it takes; the request is processed at the end of it.
        by: Duration,
    },
    /// The headers promise the whole body, the connection closes after half of it.
    Truncate,
    /// A well-framed reply that holds only the first half of its JSON.
    CutJson,
    /// The body comes in small pieces.
    Trickle {
        /// The pause between two pieces.
        pause: Duration,
        /// The size of one piece.
        bytes: usize,
    },
    /// A 200 reply of this many bytes of valid JSON.
    Huge {
        /// The size of the body.
        bytes: u64,
    },
    /// The true reply with values set or removed, by JSON pointer. Pointers that match nothing are ignored; `*` in a
    /// pointer means every element of a list.
    Edit {
        /// The values to set.
        set: Vec<(String, Value)>,
        /// The values to remove.
        remove: Vec<String>,
    },
    /// These query parameters are ignored, as some list routes do with filters and offsets.
    IgnoreQuery {
        /// The names of the parameters.
        names: Vec<String>,
    },
}

impl Fault {
    /// A fault of every request to `route`: an optional method, then a path in which `*` stands
    /// for one segment and a final `**` for any rest, such as `POST /v4/jobs/start`.
    ///
    /// # Panics
    /// When `route` has neither form; a test with a misspelt route should not pass.
    pub fn on(route: &str, misbehaviour: Misbehaviour) -> Self {
        let route = match Route::parse(route) {
            Ok(route) => route,
            Err(problem) => panic!("{problem}"),
        };
        Fault {
            route,
            after: 0,
            times: None,
            misbehaviour,
        }
    }

    /// The first `requests` to the route pass unharmed.
    pub fn after(mut self, requests: usize) -> Self {
        self.after = requests;
        self
    }

    /// Only `requests` are harmed, counted after those that passed.
    pub fn times(mut self, requests: usize) -> Self {
        self.times = Some(requests);
        self
    }

    /// Only one request is harmed.
    pub fn single(self) -> Self {
        self.times(1)
    }
}

impl Misbehaviour {
    /// The name of the kind, as a fault file has it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Misbehaviour::Status { .. } => "status",
            Misbehaviour::Reply { .. } => "reply",
            Misbehaviour::LoginPage => "login-page",
            Misbehaviour::BinaryForbidden => "binary-forbidden",
            Misbehaviour::Relogin => "relogin",
            Misbehaviour::Redirect { .. } => "redirect",
            Misbehaviour::Refuse { .. } => "refuse",
            Misbehaviour::Reset { .. } => "reset",
            Misbehaviour::Hang { .. } => "hang",
            Misbehaviour::Delay { .. } => "delay",
            Misbehaviour::Truncate => "truncate",
            Misbehaviour::CutJson => "cut-json",
            Misbehaviour::Trickle { .. } => "trickle",
            Misbehaviour::Huge { .. } => "huge",
            Misbehaviour::Edit { .. } => "edit",
            Misbehaviour::IgnoreQuery { .. } => "ignore-query",
        }
    }
}

/// Which requests a fault is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    method: Option<Method>,
    segments: Vec<String>,
}

impl Route {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (method, path) = match text.split_once(' ') {
            None => (None, text),
            Some((method, path)) => {
                let method = Method::from_bytes(method.as_bytes())
                    .ok()
                    .filter(|method| method.as_str().bytes().all(|b| b.is_ascii_uppercase()))
                    .ok_or_else(|| format!("`{method}` is not an HTTP method, in `{text}`"))?;
                (Some(method), path.trim())
            }
        };
        let path = path.strip_prefix('/').ok_or_else(|| {
            format!("`{text}` is not a route; write it like `POST /v4/jobs/start` or `/v4/**`")
        })?;
        Ok(Route {
            method,
            segments: path.split('/').map(str::to_owned).collect(),
        })
    }

    pub(super) fn matches(&self, method: &Method, path: &str) -> bool {
        if self.method.as_ref().is_some_and(|wanted| wanted != method) {
            return false;
        }
        let mut actual = path.trim_start_matches('/').split('/');
        for wanted in &self.segments {
            if wanted == "**" {
                return true;
            }
            match actual.next() {
                Some(segment) if wanted == "*" || wanted == segment => {}
                _ => return false,
            }
        }
        actual.next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_matches_by_method_segment_and_rest() {
        let matches = |route: &str, method: Method, path: &str| {
            Route::parse(route).unwrap().matches(&method, path)
        };
        assert!(matches(
            "POST /v4/jobs/start",
            Method::POST,
            "/v4/jobs/start"
        ));
        assert!(!matches(
            "POST /v4/jobs/start",
            Method::GET,
            "/v4/jobs/start"
        ));
        assert!(matches("/v4/jobs/*", Method::GET, "/v4/jobs/1"));
        assert!(!matches("/v4/jobs/*", Method::GET, "/v4/jobs/1/logs"));
        assert!(!matches("/v4/jobs/*", Method::GET, "/v4/jobs"));
        assert!(matches("/**", Method::PUT, "/anything/at/all"));
        assert!(matches("GET /api/**", Method::GET, "/api/jobs/v1/jobs"));
        assert!(Route::parse("v4/jobs").is_err());
        assert!(Route::parse("post /v4/jobs").is_err());
    }
}
