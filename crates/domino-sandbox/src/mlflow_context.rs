//! What the experiment manager requires of callers outside of a run: an API key, and for a write the context of a run
//! of theirs, a JWT in `X-Domino-Execution` that names it. Domino's own texts agree on the header and on the literal
//! that signs it; they differ in which calls require it, and in the answer without it. A run of the sandbox's own is
//! let through by its token, because Domino's proxy for runs adds both by itself.

use std::fmt;
use std::str::FromStr;

use axum::http::{HeaderMap, Method, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::account::Credential;
use crate::reply::Failure;

/// Which calls require an API key, and which the context of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MlflowContext {
    /// Every call requires a key, every write the context as well.
    Required,
    /// Every write requires the context, together with any credential.
    Writes,
    /// No write is accepted from outside of a run, whatever comes with it.
    Inside,
    /// No call requires either.
    #[default]
    None,
}

impl FromStr for MlflowContext {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "required" => Ok(Self::Required),
            "writes" => Ok(Self::Writes),
            "inside" => Ok(Self::Inside),
            "none" => Ok(Self::None),
            other => Err(format!(
                "`{other}` is none of required, writes, inside and none"
            )),
        }
    }
}

impl fmt::Display for MlflowContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Required => "required",
            Self::Writes => "writes",
            Self::Inside => "inside",
            Self::None => "none",
        })
    }
}

impl MlflowContext {
    /// Refuses a call that lacks what is required, and returns the project in whose context it comes, if it must come
    /// in one. `project_of_own` returns the project of a run that belongs to the caller.
    pub(crate) fn check(
        self,
        method: &Method,
        headers: &HeaderMap,
        project_of_own: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<InProject>, Failure> {
        if self == Self::Required && Credential::of(headers) != Credential::ApiKey {
            return Err(Failure::new(
                StatusCode::UNAUTHORIZED,
                "The experiment manager takes X-Domino-Api-Key from outside of a run",
            ));
        }
        if self == Self::None || method == Method::GET {
            return Ok(None);
        }
        if self == Self::Inside {
            return Err(Failure::forbidden(
                "The experiment manager takes writes from runs of Domino only",
            ));
        }
        let jwt = headers.get("x-domino-execution").map(|jwt| jwt.to_str());
        let Some(jwt) = jwt else {
            return Err(Failure::forbidden("X-Domino-Execution is missing"));
        };
        let Some(run) = execution_of(jwt.unwrap_or_default()) else {
            return Err(Failure::forbidden("X-Domino-Execution is not understood"));
        };
        match project_of_own(&run) {
            Some(project) => Ok(Some(InProject(project))),
            None => Err(Failure::forbidden(format!(
                "X-Domino-Execution names run {run}, which is none of the caller's"
            ))),
        }
    }
}

/// The id of the project in whose context a write comes; it must be that of what is written.
#[derive(Clone, Debug)]
pub(crate) struct InProject(pub(crate) String);

/// The run that a JWT names, if it is signed with the literal that all of them are.
fn execution_of(jwt: &str) -> Option<String> {
    let (signed, signature) = jwt.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let decoded = |part: &str| -> Option<Value> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(b"secret").ok()?;
    mac.update(signed.as_bytes());
    let is_signed = mac
        .verify_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?)
        .is_ok();
    let is_understood = is_signed && decoded(header)?["alg"] == "HS256";
    let run = decoded(payload)?["execution_id"].as_str()?.to_owned();
    is_understood.then_some(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{"alg":"HS256","typ":"JWT"}` and `{"execution_id":"r1"}`, signed by another program with the literal `secret`.
    const JWT: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleGVjdXRpb25faWQiOiJyMSJ9.8WmonQxW-gsg55NfT9HI2_UfLRXn4zhLkB40I4-PfS0";

    fn check(demands: MlflowContext, method: Method, headers: &[(&'static str, &str)]) -> u16 {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let own = |run: &str| (run == "r1").then(|| "p1".to_owned());
        let checked = demands.check(&method, &headers, own);
        checked.map_or_else(|failure| failure.status.as_u16(), |_| 200)
    }

    #[test]
    fn a_key_and_the_context_of_an_own_run_are_demanded_where_they_are() {
        let (key, bearer) = (("x-domino-api-key", "k"), ("authorization", "Bearer t"));
        let own = ("x-domino-execution", JWT);
        let (get, post) = (Method::GET, Method::POST);
        use MlflowContext::{Inside, None, Required, Writes};
        assert_eq!(check(None, post.clone(), &[bearer]), 200);
        assert_eq!(check(Writes, get.clone(), &[bearer]), 200);
        assert_eq!(check(Writes, post.clone(), &[bearer]), 403);
        assert_eq!(check(Writes, post.clone(), &[bearer, own]), 200);
        assert_eq!(check(Inside, get.clone(), &[bearer]), 200);
        assert_eq!(check(Inside, post.clone(), &[key, own]), 403);
        assert_eq!(check(Required, get.clone(), &[bearer]), 401);
        assert_eq!(check(Required, get, &[key]), 200);
        assert_eq!(check(Required, post.clone(), &[bearer, own]), 401);
        assert_eq!(check(Required, post.clone(), &[key, own]), 200);
        let (signed, _) = JWT.rsplit_once('.').unwrap();
        let forged = format!("{signed}.AAAA");
        assert_eq!(
            check(Required, post, &[key, ("x-domino-execution", &forged)]),
            403
        );
    }
}
