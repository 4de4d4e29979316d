//! The calls of governance under `rpc`: to change an approval, and to have a bundle computed.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::bundle::{Bundle, BundleState};
use super::events::EventType;
use super::store::Governance;
use super::wording::{API, by, locked};
use crate::id;
use crate::reply::{Answer, Failure};
use crate::request::{Fields, Of};
use crate::users::{Caller, User};

pub(super) fn routes() -> Router<Arc<Governance>> {
    Router::new()
        .route(&format!("{API}/rpc/publish-approval-event"), post(publish))
        .route(&format!("{API}/rpc/compute-policy"), post(compute))
        .route(&format!("{API}/rpc/submit-result-to-policy"), post(submit))
}

/// Changes an approval, which is named by its own id or by that of the policy's stage approval.
async fn publish(
    State(governance): Of<Governance>,
    Caller(user): Caller,
    mut fields: Fields,
) -> Answer {
    let bundle_id = fields.text("bundleId");
    let policy_id = fields.text("policyId");
    let project_id = fields.text("projectId");
    let event = fields.text("eventType");
    let approval_id = fields.optional_text("approvalId");
    let stage_approval_id = fields.optional_text("stageApprovalId");
    let meta = fields.optional_value("meta").unwrap_or_default();
    fields.finish()?;
    let event = EventType::parse(&event)
        .ok_or_else(|| Failure::bad_request(format!("{event} is not an event that can happen")))?;
    let now = governance.clock.now();
    governance.with_bundle(&user, &bundle_id, |bundle| {
        if bundle.state == BundleState::Archived {
            return Err(locked(format!("the bundle {} is archived", bundle.name)));
        }
        if bundle.project.id != project_id {
            return Err(Failure::bad_request("the bundle is not of this project"));
        }
        let mut approvals = bundle.approvals.iter_mut();
        let approval = approvals.find(|one| {
            one.policy.id == policy_id
                && match (&approval_id, &stage_approval_id) {
                    (Some(id), _) => one.id == *id,
                    (None, Some(id)) => one.stage_approval_id == *id,
                    (None, None) => false,
                }
        });
        let approval = approval.ok_or_else(|| {
            Failure::not_found("the bundle has no such approval under this policy")
        })?;
        approval.apply(event, &user, meta, now)?;
        Ok(Json(approval.json()))
    })
}

/// Everything about a bundle under one of its policies.
async fn compute(
    State(governance): Of<Governance>,
    Caller(user): Caller,
    mut fields: Fields,
) -> Answer {
    let bundle_id = fields.text("bundleId");
    let policy_id = fields.text("policyId");
    fields.finish()?;
    governance.with_bundle(&user, &bundle_id, |bundle| {
        computed(bundle, &policy_id, &user)
    })
}

/// Keeps answers to questions of one set of a policy's, and computes the bundle anew.
async fn submit(
    State(governance): Of<Governance>,
    Caller(user): Caller,
    mut fields: Fields,
) -> Answer {
    let bundle_id = fields.text("bundleId");
    let policy_id = fields.text("policyId");
    let evidence_id = fields.text("evidenceId");
    let content = fields.optional_value("content").unwrap_or_default();
    fields.finish()?;
    let now = governance.clock.now();
    governance.with_bundle(&user, &bundle_id, |bundle| {
        if bundle.state != BundleState::Active {
            return Err(locked(format!("the bundle {} is not active", bundle.name)));
        }
        let stages = bundle
            .policies
            .iter()
            .filter(|policy| policy.id == policy_id);
        let mut stages = stages.flat_map(|policy| &policy.stages);
        let stage = stages.find(|stage| stage.evidence_id == evidence_id);
        let stage = stage.ok_or_else(|| Failure::not_found("the policy has no such evidence"))?;
        let answers = content.as_object().cloned().unwrap_or_default();
        let unknown = |id: &&String| !stage.questions.iter().any(|(known, _)| known == *id);
        if let Some(id) = answers.keys().find(unknown) {
            return Err(Failure::bad_request(format!(
                "{id} is no artifact of the evidence"
            )));
        }
        for (artifact, answer) in answers {
            for earlier in &mut bundle.results {
                if earlier["artifactId"] == artifact.as_str() {
                    earlier["isLatest"] = false.into();
                }
            }
            bundle.results.push(json!({
                "id": id::uuid(),
                "bundleId": bundle.id,
                "evidenceId": evidence_id,
                "artifactId": artifact,
                "artifactContent": answer,
                "isLatest": true,
                "createdAt": now.rfc3339(),
                "createdBy": by(&user),
            }));
        }
        computed(bundle, &policy_id, &user)
    })
}

fn computed(bundle: &Bundle, policy_id: &str, user: &User) -> Answer {
    let mut policies = bundle.policies.iter();
    let policy = policies
        .find(|policy| policy.id == policy_id)
        .ok_or_else(|| Failure::not_found("the bundle does not follow this policy"))?;
    let approvals = bundle.approvals.iter();
    let approvals: Vec<Value> = approvals
        .filter(|one| one.policy.id == policy_id)
        .map(|one| {
            let mut json = one.json();
            json["isUserApprover"] = one.is_for(user).into();
            json
        })
        .collect();
    Ok(Json(json!({
        "bundle": bundle.json(),
        "bundleStages": bundle.stages(),
        "policy": policy.json(),
        "isUserApprover": approvals.iter().any(|one| one["isUserApprover"] == true),
        "approvals": approvals,
        "results": bundle.results,
        "drafts": [],
        "findingsInfo": { "bundleFindingsCount": bundle.findings.len() },
        "commentsInfo": { "bundleCommentsCount": 0 },
    })))
}
