//! Governance: policies, the bundles that follow them, and who approved what. It came with Domino
//! 6 under `/api/governance/v1`, in a service of its own: UUIDs, lists under `data`, and plain
//! messages for errors.

mod approval;
mod bundle;
mod events;
mod policy;
mod routes;
mod rpc;

use std::sync::{Arc, Mutex, MutexGuard};

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::clock::Moment;
use crate::domino::Domino;
use crate::reply::Failure;
use crate::seed::{PolicySeed, Seed};
use crate::users::{User, Users};
use approval::ApprovalStatus;
use bundle::Bundle;
pub(crate) use events::EventType;
use policy::Policy;
pub(crate) use routes::routes;

/// The policies and bundles of a sandbox.
pub(crate) struct Governance {
    policies: Vec<Arc<Policy>>,
    bundles: Mutex<Vec<Bundle>>,
}

/// A decision that somebody is waited for.
pub(crate) struct Pending {
    /// The id of the approval.
    pub(crate) id: String,
    pub(crate) approval: String,
    pub(crate) bundle: String,
    pub(crate) policy: String,
    pub(crate) project: String,
    pub(crate) requested_by: String,
    pub(crate) approvers: Vec<String>,
    /// What the bundle holds, such as `wine 7`.
    pub(crate) contents: Vec<String>,
}

impl Governance {
    /// The seed's policies, or one that fits any promotion.
    pub(crate) fn new(seed: &Seed, users: &Users, now: Moment) -> anyhow::Result<Self> {
        let any = [PolicySeed::new("Model promotion")];
        let policies = match seed.policies.as_slice() {
            [] => &any,
            policies => policies,
        };
        Ok(Governance {
            policies: policies
                .iter()
                .map(|policy| Ok(Arc::new(Policy::new(policy, users, now)?)))
                .collect::<anyhow::Result<_>>()?,
            bundles: Mutex::default(),
        })
    }

    fn policy(&self, id: &str) -> Result<&Arc<Policy>, Failure> {
        let mut policies = self.policies.iter();
        policies
            .find(|policy| policy.id == id)
            .ok_or_else(|| Failure::not_found(format!("policy {id} not found")))
    }

    /// Looks at or changes the bundle with this id, if it is there and `user` may see it.
    fn with_bundle<T>(
        &self,
        domino: &Domino,
        user: &User,
        id: &str,
        act: impl FnOnce(&mut Bundle) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut bundles = self.lock();
        let mut known = bundles.iter_mut();
        let bundle = known.find(|bundle| bundle.id == id);
        let bundle = bundle.ok_or_else(|| Failure::not_found(format!("bundle {id} not found")))?;
        domino.projects.seen_by(user, &bundle.project.id)?;
        act(bundle)
    }

    /// Why nothing may be created for a bundle, if that is so.
    pub(crate) fn closed_gate(&self, bundle_id: &str, action: &str) -> Result<(), Failure> {
        let bundles = self.lock();
        let bundle = bundles.iter().find(|bundle| bundle.id == bundle_id);
        let bundle = bundle
            .ok_or_else(|| Failure::bad_request(format!("Bundle {bundle_id} does not exist")))?;
        match bundle.closed_gate(action) {
            None => Ok(()),
            Some(reason) => Err(Failure::forbidden(format!(
                "The governance policy of bundle {} does not allow this yet: {reason}",
                bundle.name
            ))),
        }
    }

    /// Every approval that waits for a decision, oldest bundle first.
    pub(crate) fn pending(&self) -> Vec<Pending> {
        let bundles = self.lock();
        let waiting = bundles.iter().flat_map(|bundle| {
            let approvals = bundle.approvals.iter();
            let waiting = approvals.filter(|one| one.status == ApprovalStatus::PendingReview);
            waiting.map(move |approval| Pending {
                id: approval.id.clone(),
                approval: approval.name.clone(),
                bundle: bundle.name.clone(),
                policy: approval.policy.name.clone(),
                project: format!("{}/{}", bundle.project.owner, bundle.project.name),
                requested_by: approval.requested_by.clone().unwrap_or_default(),
                approvers: approval.approver_names(),
                contents: bundle.contents(),
            })
        });
        waiting.collect()
    }

    /// Decides about the approval with this id as `user`.
    pub(crate) fn decide(
        &self,
        domino: &Domino,
        user: &Arc<User>,
        approval_id: &str,
        event: EventType,
    ) -> Result<(), Failure> {
        let mut bundles = self.lock();
        let approvals = bundles.iter_mut().flat_map(|bundle| &mut bundle.approvals);
        let mut approvals = approvals.filter(|approval| approval.id == approval_id);
        let approval = approvals
            .next()
            .ok_or_else(|| Failure::not_found(format!("approval {approval_id} not found")))?;
        approval.take(event, user, Value::Null, domino.now())
    }

    pub(crate) fn state(&self) -> Value {
        self.lock().iter().map(Bundle::state).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Bundle>> {
        self.bundles
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A user as governance names who did something.
fn by(user: &User) -> Value {
    json!({ "id": user.id, "userName": user.name, "name": user.name })
}

/// What cannot be changed any more.
fn locked(message: impl Into<String>) -> Failure {
    Failure::new(StatusCode::LOCKED, message)
}

fn conflict(message: impl Into<String>) -> Failure {
    Failure::new(StatusCode::CONFLICT, message)
}
