//! The policies and bundles of a sandbox, and the approvals that bundles wait for.

use std::sync::Arc;

use serde_json::Value;

use super::approval::ApprovalStatus;
use super::bundle::Bundle;
use super::events::EventType;
use super::policy::Policy;
use crate::clock::Clock;
use crate::registered_models::RegisteredModels;
use crate::reply::Failure;
use crate::seed::{PolicySeed, Seed};
use crate::store::Store;
use crate::users::User;

/// The policies and bundles of a sandbox.
pub(crate) struct Governance {
    pub(super) policies: Vec<Arc<Policy>>,
    pub(super) bundles: Store<Bundle>,
    pub(super) models: Arc<RegisteredModels>,
    pub(super) clock: Clock,
}

/// An approval that waits for a decision.
pub(crate) struct PendingApproval {
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
    pub(crate) fn new(
        seed: &Seed,
        models: Arc<RegisteredModels>,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let now = clock.now();
        let any = [PolicySeed::new("Model promotion")];
        let policies = match seed.policies.as_slice() {
            [] => &any,
            policies => policies,
        };
        Ok(Governance {
            policies: policies
                .iter()
                .map(|policy| Ok(Arc::new(Policy::new(policy, &models.catalog.users, now)?)))
                .collect::<anyhow::Result<_>>()?,
            bundles: Store::default(),
            models,
            clock,
        })
    }

    pub(super) fn policy(&self, id: &str) -> Result<&Arc<Policy>, Failure> {
        let mut policies = self.policies.iter();
        policies
            .find(|policy| policy.id == id)
            .ok_or_else(|| Failure::not_found(format!("policy {id} not found")))
    }

    /// Reads or changes the bundle with this id, if it exists and `user` may see it.
    pub(super) fn with_bundle<T>(
        &self,
        user: &User,
        id: &str,
        act: impl FnOnce(&mut Bundle) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let done = self.bundles.with(id, |bundle| {
            self.models
                .catalog
                .projects
                .seen_by(user, &bundle.project.id)?;
            act(bundle)
        });
        done.ok_or_else(|| Failure::not_found(format!("bundle {id} not found")))?
    }

    /// Why nothing may be created for a bundle, if that is so.
    pub(crate) fn closed_gate(&self, bundle_id: &str, action: &str) -> Result<(), Failure> {
        match self.refusal(bundle_id, action) {
            None => Err(Failure::bad_request(format!(
                "Bundle {bundle_id} does not exist"
            ))),
            Some(Some(refusal)) => Err(refusal),
            Some(None) => Ok(()),
        }
    }

    /// Why nothing may be started for a bundle, if there is such a bundle and that is so.
    pub(crate) fn refused(&self, bundle_id: &str, action: &str) -> Result<(), Failure> {
        match self.refusal(bundle_id, action).flatten() {
            None => Ok(()),
            Some(refusal) => Err(refusal),
        }
    }

    /// `None` when there is no such bundle.
    fn refusal(&self, bundle_id: &str, action: &str) -> Option<Option<Failure>> {
        self.bundles.with(bundle_id, |bundle| {
            let reason = bundle.closed_gate(action)?;
            Some(Failure::forbidden(format!(
                "The governance policy of bundle {} does not allow this yet: {reason}",
                bundle.name
            )))
        })
    }

    /// Every approval that waits for a decision, oldest bundle first.
    pub(crate) fn pending(&self) -> Vec<PendingApproval> {
        let bundles = self.bundles.lock();
        let waiting = bundles.iter().flat_map(|(_, bundle)| {
            let approvals = bundle.approvals.iter();
            let waiting = approvals.filter(|one| one.status == ApprovalStatus::PendingReview);
            waiting.map(move |approval| PendingApproval {
                id: approval.id.clone(),
                approval: approval.name.clone(),
                bundle: bundle.name.clone(),
                policy: approval.policy.name.clone(),
                project: format!("{}/{}", bundle.project.owner, bundle.project.name()),
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
        user: &Arc<User>,
        approval_id: &str,
        event: EventType,
    ) -> Result<(), Failure> {
        let mut bundles = self.bundles.lock();
        let approvals = bundles
            .iter_mut()
            .flat_map(|(_, bundle)| &mut bundle.approvals);
        let mut approvals = approvals.filter(|approval| approval.id == approval_id);
        let approval = approvals
            .next()
            .ok_or_else(|| Failure::not_found(format!("approval {approval_id} not found")))?;
        approval.apply(event, user, Value::Null, self.clock.now())
    }

    pub(crate) fn state(&self) -> Value {
        self.bundles.map(Bundle::state)
    }
}
