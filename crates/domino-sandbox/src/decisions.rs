//! The requests that wait for a person: every request for an approval, from governance or reviews, and the routes by
//! which the index page and the command line answer one. They exist only in the sandbox; a Domino has pages instead.

use std::fmt;
use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::governance::{EventType, Governance};
use crate::id;
use crate::reply::{Answer, Failure};
use crate::request::{Ids, Of};
use crate::reviews::Reviews;
use crate::users::{Caller, User, Users};

/// A request that waits.
pub(crate) struct Waiting {
    pub(crate) id: String,
    /// What is asked for, in words.
    pub(crate) what: String,
    /// The rule that requires the approval.
    pub(crate) rule: String,
    pub(crate) project: String,
    pub(crate) requested_by: String,
    pub(crate) approvers: Vec<String>,
    is_review: bool,
}

/// Keeps other sites' pages from pressing the buttons of this one.
pub(crate) struct Desk {
    token: String,
    hosts: [String; 2],
}

/// Every place where a person is asked, and how they answer.
pub(crate) struct Decisions {
    pub(crate) desk: Desk,
    pub(crate) governance: Arc<Governance>,
    pub(crate) reviews: Arc<Reviews>,
    pub(crate) users: Arc<Users>,
}

/// The routes for those with a credential.
pub(crate) fn routes(decisions: Arc<Decisions>) -> Router {
    Router::new()
        .route("/sandbox/requests", get(list))
        .route("/sandbox/requests/{id}/{decision}", post(answer))
        .with_state(decisions)
}

/// The route of the page's buttons.
pub(crate) fn open_routes(decisions: Arc<Decisions>) -> Router {
    Router::new()
        .route("/sandbox/decisions", post(press))
        .with_state(decisions)
}

impl Desk {
    pub(crate) fn new(port: u16, address: String) -> Self {
        Desk {
            token: id::secret(),
            hosts: [address, format!("localhost:{port}")],
        }
    }

    /// The token of the page's forms, for a page that was requested under this sandbox's own address. Another name
    /// that resolves to this address gets none, so that its pages cannot read the token.
    pub(crate) fn token(&self, headers: &HeaderMap) -> Option<&str> {
        let host = headers.get(header::HOST)?.to_str().ok()?;
        self.hosts
            .iter()
            .any(|own| own == host)
            .then_some(self.token.as_str())
    }

    /// Whether a form was sent by a page of this sandbox.
    fn is_own(&self, headers: &HeaderMap, token: &str) -> bool {
        let origin = headers.get(header::ORIGIN);
        let is_own_origin = origin.is_none_or(|origin| {
            let mut hosts = self.hosts.iter();
            hosts.any(|host| origin.as_bytes() == format!("http://{host}").as_bytes())
        });
        is_own_origin && self.token(headers) == Some(token)
    }
}

/// What waits for whom, in one line for a person.
impl fmt::Display for Waiting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let approvers = self.approvers.join(" or ");
        write!(formatter, "{} by {approvers}, for {}", self.what, self.rule)
    }
}

impl Decisions {
    /// Every request that waits, oldest first.
    pub(crate) fn waiting(&self) -> Vec<Waiting> {
        let governance = self.governance.pending().into_iter();
        let governance = governance.map(|pending| Waiting {
            id: pending.id,
            what: match pending.contents.as_slice() {
                [] => pending.bundle,
                contents => format!("{} ({})", contents.join(", "), pending.bundle),
            },
            rule: format!("{}: {}", pending.policy, pending.approval),
            project: pending.project,
            requested_by: pending.requested_by,
            approvers: pending.approvers,
            is_review: false,
        });
        let reviews = self.reviews.pending().into_iter();
        let reviews = reviews.map(|pending| Waiting {
            id: pending.id,
            what: format!("{} version {}", pending.model, pending.version),
            rule: format!("Model review for {}", pending.target_stage),
            project: pending.project,
            requested_by: pending.requested_by,
            approvers: pending.reviewers,
            is_review: true,
        });
        governance.chain(reviews).collect()
    }

    /// Approves every request that waits for `user`, and reports the result of each.
    pub(crate) async fn approve_all(&self, user: &Arc<User>) -> Vec<String> {
        let mut results = Vec::new();
        for request in self.waiting() {
            if !request.approvers.contains(&user.name) {
                continue;
            }
            let what = request.to_string();
            results.push(match self.decide(user, &request.id, "approve").await {
                Ok(()) => format!("approved {what}"),
                Err(failure) => format!("could not approve {what}: {}", failure.message),
            });
        }
        results
    }

    /// Answers the request with this id as `user`.
    async fn decide(&self, user: &Arc<User>, id: &str, word: &str) -> Result<(), Failure> {
        let approves = match word {
            "approve" => true,
            "reject" => false,
            other => return Err(Failure::not_found(format!("There is no decision {other}"))),
        };
        let waiting = self.waiting();
        let request = waiting.iter().find(|request| request.id == id);
        let request = request
            .ok_or_else(|| Failure::not_found(format!("No request with id {id} is waiting")))?;
        if request.is_review {
            return self.reviews.decide(user, id, approves).await;
        }
        let event = match approves {
            true => EventType::Approved,
            false => EventType::Rejected,
        };
        self.governance.decide(user, id, event)
    }
}

async fn list(State(decisions): Of<Decisions>, _: Caller) -> Json<Value> {
    let waiting = decisions.waiting();
    let one = |request: &Waiting| {
        json!({
            "id": request.id,
            "what": request.what,
            "rule": request.rule,
            "project": request.project,
            "requestedBy": request.requested_by,
            "approvers": request.approvers,
        })
    };
    Json(waiting.iter().map(one).collect())
}

async fn answer(
    State(decisions): Of<Decisions>,
    Caller(user): Caller,
    Path((id, word)): Ids,
) -> Answer {
    decisions.decide(&user, &id, &word).await?;
    Ok(Json(json!({ "id": id, "decision": word, "by": user.name })))
}

/// A pressed button.
#[derive(Deserialize)]
struct Pressed {
    token: String,
    id: String,
    decision: String,
    /// The approver who decides.
    by: String,
}

/// A button of the index page acts as the approver that it names: only the person at this machine can press it.
async fn press(
    State(decisions): Of<Decisions>,
    headers: HeaderMap,
    Form(pressed): Form<Pressed>,
) -> Response {
    if !decisions.desk.is_own(&headers, &pressed.token) {
        let text = "This form was not sent by a page of the sandbox";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    let Some(user) = decisions.users.named(&pressed.by) else {
        return Failure::not_found(format!("There is no user {}", pressed.by)).into_response();
    };
    match decisions
        .decide(&user, &pressed.id, &pressed.decision)
        .await
    {
        Ok(()) => Redirect::to("/").into_response(),
        Err(failure) => failure.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn only_a_page_of_its_own_address_may_press_a_button() {
        let desk = Desk::new(41234, "127.0.0.1:41234".into());
        let own = [("host", "127.0.0.1:41234")];
        let token = desk.token(&headers(&own)).unwrap().to_owned();
        assert!(desk.is_own(&headers(&own), &token));
        assert!(
            desk.token(&headers(&[("host", "localhost:41234")]))
                .is_some()
        );
        let with_origin = |origin| {
            let pairs = [("host", "127.0.0.1:41234"), ("origin", origin)];
            desk.is_own(&headers(&pairs), &token)
        };
        assert!(with_origin("http://127.0.0.1:41234"));
        for foreign in ["https://example.com", "null", "http://127.0.0.1:1"] {
            assert!(!with_origin(foreign), "{foreign}");
        }
        assert!(!desk.is_own(&headers(&own), "another"));
        // A foreign name that resolves to this machine.
        let rebound = headers(&[("host", "evil.example.com:41234")]);
        assert_eq!(desk.token(&rebound), None);
        assert!(!desk.is_own(&rebound, &token));
    }
}
