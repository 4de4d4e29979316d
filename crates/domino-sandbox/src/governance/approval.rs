//! One approval of a bundle: its status, who requested it, who decided. There is no status for a
//! rejection; a rejected approval waits to be submitted again.

use std::sync::Arc;

use serde_json::{Value, json};

use super::events::EventType;
use super::policy::{Policy, PolicyStage, approvers};
use super::wording::by;
use crate::clock::Moment;
use crate::id;
use crate::reply::{Failure, Put};
use crate::users::User;

pub(super) struct Approval {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) policy: Arc<Policy>,
    pub(super) stage_approval_id: String,
    pub(super) bundle_id: String,
    pub(super) status: ApprovalStatus,
    pub(super) requested_by: Option<String>,
    approvers: Vec<Arc<User>>,
    updated: Moment,
    updated_by: Option<Arc<User>>,
    events: Vec<Event>,
}

/// Something that happened to an approval.
struct Event {
    what: EventType,
    by: Arc<User>,
    at: Moment,
    meta: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ApprovalStatus {
    PendingSubmission,
    PendingReview,
    Approved,
    ConditionallyApproved,
}

impl ApprovalStatus {
    pub(super) fn word(self) -> &'static str {
        match self {
            ApprovalStatus::PendingSubmission => "PendingSubmission",
            ApprovalStatus::PendingReview => "PendingReview",
            ApprovalStatus::Approved => "Approved",
            ApprovalStatus::ConditionallyApproved => "ConditionallyApproved",
        }
    }

    /// Whether the approval is given.
    pub(super) fn is_given(self) -> bool {
        matches!(
            self,
            ApprovalStatus::Approved | ApprovalStatus::ConditionallyApproved
        )
    }

    /// The next status after `event`, if `event` is allowed in this one.
    fn after(self, event: EventType) -> Option<Self> {
        match (self, event) {
            (ApprovalStatus::PendingSubmission, EventType::Submitted) => {
                Some(ApprovalStatus::PendingReview)
            }
            (ApprovalStatus::PendingReview, EventType::Cancelled | EventType::Rejected) => {
                Some(ApprovalStatus::PendingSubmission)
            }
            (ApprovalStatus::PendingReview, EventType::Approved)
            | (ApprovalStatus::ConditionallyApproved, EventType::FindingsApproved) => {
                Some(ApprovalStatus::Approved)
            }
            (ApprovalStatus::PendingReview, EventType::ConditionallyApproved) => {
                Some(ApprovalStatus::ConditionallyApproved)
            }
            _ => None,
        }
    }
}

impl Approval {
    pub(super) fn new(
        bundle_id: &str,
        policy: &Arc<Policy>,
        stage: &PolicyStage,
        now: Moment,
    ) -> Self {
        Approval {
            id: id::uuid(),
            name: stage.approval.name.clone(),
            policy: policy.clone(),
            stage_approval_id: stage.approval.id.clone(),
            bundle_id: bundle_id.to_owned(),
            status: ApprovalStatus::PendingSubmission,
            requested_by: None,
            approvers: stage.approval.approvers.clone(),
            updated: now,
            updated_by: None,
            events: Vec::new(),
        }
    }

    pub(super) fn approver_names(&self) -> Vec<String> {
        let approvers = self.approvers.iter();
        approvers.map(|user| user.name.clone()).collect()
    }

    /// Whether `user` is among those who may decide.
    pub(super) fn is_for(&self, user: &User) -> bool {
        self.approvers.iter().any(|approver| approver.id == user.id)
    }

    /// Applies `event`, sent by `user`. An approver may decide about their own request, as in Domino; a client must
    /// check that itself.
    pub(super) fn apply(
        &mut self,
        event: EventType,
        user: &Arc<User>,
        meta: Value,
        now: Moment,
    ) -> Result<(), Failure> {
        if event.is_decision() && !self.is_for(user) {
            return Err(Failure::forbidden(format!(
                "user {} is not an assigned approver of {}",
                user.name, self.name
            )));
        }
        if event == EventType::Cancelled && self.requested_by.as_deref() != Some(&user.name) {
            return Err(Failure::forbidden(format!(
                "user {} did not submit the request",
                user.name
            )));
        }
        let Some(status) = self.status.after(event) else {
            return Err(Failure::bad_request(format!(
                "{} is not possible while the approval is {}",
                event.word(),
                self.status.word()
            )));
        };
        if event == EventType::Submitted {
            self.requested_by = Some(user.name.clone());
        }
        self.status = status;
        self.updated = now;
        self.updated_by = Some(user.clone());
        self.events.push(Event {
            what: event,
            by: user.clone(),
            at: now,
            meta,
        });
        Ok(())
    }

    /// When the request that was decided, or waits, was submitted.
    pub(super) fn submitted(&self) -> Option<Moment> {
        let mut newest_first = self.events.iter().rev();
        newest_first
            .find(|event| event.what == EventType::Submitted)
            .map(|event| event.at)
    }

    pub(super) fn updated(&self) -> Moment {
        self.updated
    }

    pub(super) fn json(&self) -> Value {
        let mut json = json!({
            "id": self.id,
            "name": self.name,
            "bundleId": self.bundle_id,
            "policyId": self.policy.id,
            "stageApprovalId": self.stage_approval_id,
            "status": self.status.word(),
            "approvers": approvers(&self.approvers),
            "updatedAt": self.updated.rfc3339(),
        });
        let updated_by = self.updated_by.as_ref();
        json.put("updatedBy", updated_by.map(|user| by(user)));
        json
    }

    pub(super) fn state(&self) -> Value {
        let events: Vec<Value> = self
            .events
            .iter()
            .map(|event| {
                json!({
                    "event": event.what.word(),
                    "by": event.by.name,
                    "at": event.at.rfc3339(),
                    "meta": event.meta,
                })
            })
            .collect();
        json!({
            "id": self.id,
            "name": self.name,
            "policy": self.policy.name,
            "status": self.status.word(),
            "approvers": self.approver_names(),
            "requestedBy": self.requested_by,
            "events": events,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_moves_only_where_its_status_allows() {
        use ApprovalStatus::*;
        let moves = [
            (PendingSubmission, EventType::Submitted, Some(PendingReview)),
            (PendingSubmission, EventType::Approved, None),
            (PendingReview, EventType::Submitted, None),
            (PendingReview, EventType::Rejected, Some(PendingSubmission)),
            (PendingReview, EventType::Cancelled, Some(PendingSubmission)),
            (PendingReview, EventType::Approved, Some(Approved)),
            (Approved, EventType::Rejected, None),
            (Approved, EventType::Submitted, None),
            (
                ConditionallyApproved,
                EventType::FindingsApproved,
                Some(Approved),
            ),
        ];
        for (from, event, to) in moves {
            assert_eq!(from.after(event), to, "{from:?} {event:?}");
        }
    }
}
