//! Why a request failed, and what follows from that.

use std::fmt;

use reqwest::{Method, StatusCode};

use super::certificate::TlsProblem;
use crate::exit::Exit;

/// A request that failed. Reads `GET https://… answered 403 Forbidden`, caused by the server's own words.
#[derive(Debug)]
pub struct ApiError {
    method: Method,
    url: String,
    /// Boxed because every call returns this type, which is rarely filled.
    pub(crate) cause: Box<Cause>,
    words: Option<Words>,
}

/// What happened to a request.
#[derive(Debug)]
pub enum Cause {
    /// The server answered with a status that is not a success.
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// The server's own words, if it had any.
        words: Option<String>,
        /// The experiment manager's code for the kind of error, such as `RESOURCE_DOES_NOT_EXIST`.
        code: Option<String>,
        /// The server's id of the request, for its administrators.
        request_id: Option<String>,
        /// The seconds that the server asks to wait.
        retry_after: Option<u64>,
    },
    /// 409 with `redirectPath`: Domino wants the user to sign in again.
    Relogin {
        /// Where Domino sends the person.
        path: String,
    },
    /// A success that is a web page: the sign-in page, or a server that is not Domino.
    NotSignedIn,
    /// A redirect that is not followed: to another origin, or of a write, which would arrive as a read.
    Redirected {
        /// The address that it leads to.
        to: String,
        /// Whether that is within the origin that was asked.
        within: bool,
    },
    /// There was no connection: nothing was sent.
    NotConnected(String),
    /// We do not trust the server, or it does not trust us: nothing was sent, and another try would end the same way.
    NoTrust(TlsProblem),
    /// The proxy in between could not be reached, or refused the tunnel: nothing was sent.
    NoTunnel {
        /// The proxy, without its password, and the variable that names it.
        proxy: String,
        /// The status that it answered, if it did.
        status: Option<u16>,
        /// What it said, or why it could not be reached.
        words: String,
    },
    /// The connection ended, or the time was up, after something had been sent.
    Lost(String),
    /// The answer came but does not match the contract.
    NotUnderstood {
        /// What is wrong with it.
        problem: String,
        /// The beginning of the answer.
        excerpt: String,
    },
    /// The credential could not be read.
    NoCredential(String),
}

#[derive(Debug)]
struct Words(String);

impl ApiError {
    pub(super) fn new(method: Method, url: &str, cause: Cause) -> Self {
        let words = match &cause {
            Cause::Refused {
                words: Some(words),
                request_id,
                ..
            } => Some(match request_id {
                Some(id) => format!("Domino says: {words} (request {id})"),
                None => format!("Domino says: {words}"),
            }),
            Cause::NoTrust(tls) => Some(tls.problem.clone()),
            Cause::NoTunnel {
                proxy,
                status: Some(_),
                words,
            } => Some(format!("{proxy} answered {words}")),
            Cause::NoTunnel { proxy, words, .. } => Some(format!("{proxy}: {words}")),
            Cause::NotConnected(detail) | Cause::Lost(detail) | Cause::NoCredential(detail) => {
                Some(detail.clone())
            }
            Cause::NotUnderstood { problem, excerpt } if excerpt.is_empty() => {
                Some(problem.clone())
            }
            Cause::NotUnderstood { problem, excerpt } => {
                Some(format!("{problem}; it begins: {excerpt}"))
            }
            _ => None,
        };
        Self {
            method,
            url: url.to_owned(),
            cause: Box::new(cause),
            words: words.map(Words),
        }
    }

    /// A list that goes on page after page without end.
    pub(crate) fn endless(path: &str, pages: usize) -> Self {
        let problem = format!("the list goes on after {pages} pages");
        Self::new(
            Method::GET,
            path,
            Cause::NotUnderstood {
                problem,
                excerpt: String::new(),
            },
        )
    }

    /// The same with nothing out of the body of an answer that was not understood: it may hold a secret that nobody knows
    /// yet.
    pub(crate) fn without_excerpt(self) -> Self {
        if !matches!(*self.cause, Cause::NotUnderstood { .. }) {
            return self;
        }
        let cause = Cause::NotUnderstood {
            problem: "its body is not what it should be, and is not shown: it may hold a secret"
                .to_owned(),
            excerpt: String::new(),
        };
        Self::new(self.method, &self.url, cause)
    }

    /// What happened.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The status, if the server answered with one that is not a success.
    pub fn status(&self) -> Option<StatusCode> {
        match self.cause() {
            Cause::Refused { status, .. } => Some(*status),
            Cause::Relogin { .. } => Some(StatusCode::CONFLICT),
            _ => None,
        }
    }

    /// The experiment manager's code for the kind of error. Messages are for people; code branches only on this.
    pub fn code(&self) -> Option<&str> {
        match self.cause() {
            Cause::Refused { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// 404: the thing does not exist.
    pub fn is_absent(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// 404 or 501: this deployment does not have the route. Nothing else means that.
    pub fn is_unknown_route(&self) -> bool {
        matches!(
            self.status(),
            Some(StatusCode::NOT_FOUND | StatusCode::NOT_IMPLEMENTED)
        )
    }

    /// This part of the experiment manager is switched off.
    fn is_switched_off(&self) -> bool {
        self.code() == Some("FEATURE_DISABLED")
    }

    /// MLflow 3.5 and later refuse host names and origins that they were not told of, in plain text and without a code.
    fn is_host_check(&self) -> bool {
        match self.cause() {
            Cause::Refused {
                status,
                words: Some(words),
                code: None,
                ..
            } => {
                *status == StatusCode::FORBIDDEN
                    && ["Invalid Host header", "Cross-origin request blocked"]
                        .iter()
                        .any(|known| words.starts_with(known))
            }
            _ => false,
        }
    }

    /// Whether a write that failed like this may still have been carried out, so that one must look before doing
    /// anything else.
    pub fn outcome_unknown(&self) -> bool {
        match self.cause() {
            Cause::Lost(_) | Cause::NotUnderstood { .. } | Cause::NotSignedIn => true,
            // A server also answers 303 after it has done what was asked.
            Cause::Redirected { within, .. } => *within,
            // The experiment manager answers 500 for what it does not have.
            Cause::Refused { .. } if self.is_switched_off() => false,
            Cause::Refused { status, .. } => {
                status.is_server_error() && *status != StatusCode::NOT_IMPLEMENTED
                    || *status == StatusCode::REQUEST_TIMEOUT
            }
            Cause::NotConnected(_)
            | Cause::NoTrust(_)
            | Cause::NoTunnel { .. }
            | Cause::Relogin { .. }
            | Cause::NoCredential(_) => false,
        }
    }

    /// Whether the server certainly did nothing and may be asked again: no connection, or 429.
    pub fn not_processed(&self) -> bool {
        matches!(self.cause(), Cause::NotConnected(_)) || self.is_rate_limit()
    }

    /// 429, or 403 with a time to wait: this is how GitHub says that there were too many requests.
    pub(crate) fn is_rate_limit(&self) -> bool {
        match self.status() {
            Some(StatusCode::TOO_MANY_REQUESTS) => true,
            Some(StatusCode::FORBIDDEN) => self.retry_after().is_some(),
            _ => false,
        }
    }

    /// The seconds that the server asks to wait.
    pub fn retry_after(&self) -> Option<u64> {
        match self.cause() {
            Cause::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(super) fn is_retryable(&self) -> bool {
        match self.cause() {
            Cause::NotConnected(_) | Cause::Lost(_) => true,
            Cause::NoTunnel { status, .. } => status
                .and_then(|status| StatusCode::from_u16(status).ok())
                .is_none_or(may_pass),
            Cause::Refused { status, .. } => may_pass(*status) || self.is_rate_limit(),
            _ => false,
        }
    }

    /// The exit code that the error leads to.
    pub fn exit(&self) -> Exit {
        match self.cause() {
            _ if self.is_rate_limit() => Exit::Unreachable,
            _ if self.is_switched_off() => Exit::Refused,
            Cause::Refused { status, .. } if status.is_server_error() || may_pass(*status) => {
                Exit::Unreachable
            }
            Cause::Refused { .. }
            | Cause::Relogin { .. }
            | Cause::NotSignedIn
            | Cause::NoCredential(_) => Exit::Refused,
            Cause::Redirected { .. }
            | Cause::NotConnected(_)
            | Cause::NoTrust(_)
            | Cause::NoTunnel { .. }
            | Cause::Lost(_)
            | Cause::NotUnderstood { .. } => Exit::Unreachable,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self.cause() {
            _ if self.is_rate_limit() => "Domino is being asked too often: run this again later",
            _ if self.is_switched_off() => {
                "this experiment manager keeps no registered models, or has that part switched off: ask its administrators"
            }
            _ if self.is_host_check() => {
                "that is no lack of rights: MLflow 3.5 and later take only host names that they were told of; have its server started with `--allowed-hosts` (and `--cors-allowed-origins`), or use the address that it knows"
            }
            Cause::Refused { .. }
                if self.method != Method::GET && self.code() == Some("RESOURCE_DOES_NOT_EXIST") =>
            {
                "it was there when this began: somebody has deleted or renamed it since; look at the registered model in Domino, then run this again"
            }
            Cause::Refused { status, .. } => match status.as_u16() {
                401 if self.url.contains("/api/2.0/mlflow/") => {
                    "from outside of a run the experiment manager may take an API key only: set `DOMINO_USER_API_KEY` in place of a token (a service account gets a key by `POST /account/<its id>/regenerateApiKey` with its token, which ends its key before), or run this inside a Domino job"
                }
                401 => {
                    "Domino does not know the credential: is it expired, of another deployment, or a key sent where only tokens are taken?"
                }
                403 => {
                    "the credential is known but may not do this: ask for the permission in Domino, or use another account"
                }
                500..=599 => {
                    "this is Domino's own trouble: run this again; if it stays, show the request to its administrators"
                }
                _ => return None,
            },
            Cause::Relogin { .. } => {
                "the user's propagated credentials expired: sign in to Domino once more as that user, or use a service account"
            }
            Cause::NotSignedIn => {
                "that is a sign-in page: check `host` in stages.toml and the credential"
            }
            Cause::Redirected { within: true, .. } => {
                "a redirect inside Domino's own address is nothing that its API does: is `host` in stages.toml Domino's own address, and what stands before it set up for its API?"
            }
            Cause::Redirected { .. } => {
                "the credential is not sent to another host: put the final address into `host` in stages.toml"
            }
            Cause::NotConnected(_) => {
                "check `host` in stages.toml, the network, and for a private certificate authority `--ca-file` or `SSL_CERT_FILE`"
            }
            Cause::NoTrust(tls) => tls.to_do,
            Cause::NoTunnel { status, .. } => match status {
                Some(407) => {
                    "the proxy wants a user and a password: `http://USER:PASSWORD@HOST:PORT` in the variable, from a secret"
                }
                Some(401 | 403 | 405) => {
                    "the proxy does not let this machine reach that host: have it allowed, or name the host in `NO_PROXY` where it can be reached directly"
                }
                Some(_) => {
                    "the proxy could not reach the host: check `host` in stages.toml, and ask who runs the proxy"
                }
                None => {
                    "check the variable, or name the host in `NO_PROXY` where it can be reached directly"
                }
            },
            Cause::Lost(_) => "run this again; it finds what it left",
            Cause::NotUnderstood { .. } => {
                "is this really Domino's own address? If so, its version may be one we do not know yet"
            }
            Cause::NoCredential(_) => return None,
        };
        Some(hint.into())
    }
}

impl Cause {
    /// Classifies an error of the transport: was anything sent?
    pub(super) fn from_transport(problem: &reqwest::Error) -> Self {
        if let Some(tls) = TlsProblem::among(problem) {
            return Self::NoTrust(tls);
        }
        let detail = innermost(problem);
        if problem.is_connect() || problem.is_builder() {
            Self::NotConnected(detail)
        } else if problem.is_timeout() {
            Self::Lost("no answer in time".into())
        } else {
            Self::Lost(detail)
        }
    }

    /// One word for a verbose line.
    pub(super) fn in_short(&self) -> String {
        match self {
            Self::Refused { status, .. } => status.as_u16().to_string(),
            Self::Relogin { .. } => "409 sign in again".into(),
            Self::NotSignedIn => "a sign-in page".into(),
            Self::Redirected { .. } => "redirected".into(),
            Self::NotConnected(_) => "no connection".into(),
            Self::NoTrust(_) => "no trust".into(),
            Self::NoTunnel { .. } => "no tunnel".into(),
            Self::Lost(_) => "lost".into(),
            Self::NotUnderstood { .. } => "not understood".into(),
            Self::NoCredential(_) => "no credential".into(),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.method, self.url)?;
        match self.cause() {
            Cause::Refused { status, .. } => write!(f, "answered {status}"),
            Cause::Relogin { path } => {
                write!(f, "answered 409 Conflict: sign in again at `{path}`")
            }
            Cause::NotSignedIn => f.write_str("answered with a web page instead of JSON"),
            Cause::Redirected { to, within: true } if self.method == Method::GET => {
                write!(f, "redirects again and again, at last to `{to}`")
            }
            Cause::Redirected { to, within: true } => {
                write!(f, "redirects the write to `{to}`, which is not followed")
            }
            Cause::Redirected { to, .. } => write!(
                f,
                "redirects to another address, `{to}`, which is not followed"
            ),
            Cause::NotConnected(_) => f.write_str("could not connect"),
            Cause::NoTrust(_) => f.write_str("made no connection that can be trusted"),
            Cause::NoTunnel { .. } => f.write_str("could not connect by way of the proxy"),
            Cause::Lost(_) => f.write_str("got no whole answer"),
            Cause::NotUnderstood { .. } => f.write_str("gave an answer that is not understood"),
            Cause::NoCredential(_) => f.write_str("was not sent"),
        }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Words {}

impl std::error::Error for ApiError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.words.as_ref().map(|words| words as _)
    }
}

/// The deepest cause is the one that tells a person something: `Connection refused`, not `error sending`.
fn innermost(problem: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = problem;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// Whether a status may pass by itself.
fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504)
}

#[cfg(test)]
mod tests;
