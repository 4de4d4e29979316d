//! The routes of governance to bundles and what belongs to them, and to policies, which can only be read.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, patch, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::bundle::{Bundle, BundleState, attached_model};
use super::store::Governance;
use super::wording::{API, conflict, locked};
use crate::id;
use crate::reply::{Answer, Failure};
use crate::request::{Fields, Id, Ids, Of, Parameters};
use crate::users::{Caller, User};

pub(super) fn routes() -> Router<Arc<Governance>> {
    let at = |path: &str| format!("{API}{path}");
    Router::new()
        .route(&at("/bundles"), get(list).post(create))
        .route(&at("/bundles/{id}"), get(one).patch(change).delete(remove))
        .route(&at("/bundles/{id}/approvals"), get(approvals))
        .route(&at("/bundles/{id}/gates"), get(gates))
        .route(&at("/bundles/{id}/findings"), get(findings))
        .route(&at("/bundles/{id}/attachments"), post(attach))
        .route(&at("/bundles/{id}/attachments/{one}"), delete(detach))
        .route(&at("/bundles/{id}/stages/{stage}"), patch(assign))
        .route(&at("/findings"), post(find))
        .route(&at("/results/latest"), get(latest))
        .route(&at("/policy-overviews"), get(policies))
        .route(&at("/policies/{id}"), get(policy))
}

/// One page of a list.
fn page(items: Vec<Value>, parameters: &Parameters) -> Answer {
    let slice = parameters.slice(25, items.len())?;
    Ok(Json(json!({
        "data": slice.cut(items).collect::<Vec<_>>(),
        "meta": {
            "pagination": {
                "limit": slice.limit,
                "offset": slice.offset,
                "totalCount": slice.total,
            },
            "filters": [],
            "search": parameters.text("search").unwrap_or_default(),
            "sort": [],
        },
    })))
}

async fn list(
    State(governance): Of<Governance>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Answer {
    let among = |name: &str, value: &str| {
        let bracketed = format!("{name}[]");
        let mut wanted = parameters
            .all(name)
            .chain(parameters.all(&bracketed))
            .peekable();
        wanted.peek().is_none() || wanted.any(|wanted| wanted == value)
    };
    let search = parameters.text("search").unwrap_or_default().to_lowercase();
    let bundles = governance.bundles.lock();
    let found = bundles.iter().map(|(_, bundle)| bundle);
    let found = found.filter(|bundle| {
        governance
            .models
            .catalog
            .projects
            .seen_by(&user, &bundle.project.id)
            .is_ok()
            && among("project_id", &bundle.project.id)
            && among("policy_id", &bundle.policies[0].id)
            && among("state", bundle.state.word())
            && among("id", &bundle.id)
            && bundle.name.to_lowercase().contains(&search)
    });
    let found = found.map(Bundle::json).collect();
    page(found, &parameters)
}

/// Reads the type and the identifier of an attachment.
fn attachment(fields: &mut Fields) -> (String, Value) {
    let kind = fields.text("type");
    let identifier = fields.optional_value("identifier");
    if !identifier.as_ref().is_some_and(Value::is_object) {
        fields.complain("identifier", "error.expected.jsobject");
    }
    (kind, identifier.unwrap_or_default())
}

/// Whether the attached thing exists.
async fn check(
    governance: &Governance,
    user: &User,
    kind: &str,
    identifier: &Value,
) -> Result<(), Failure> {
    if let Some((name, version)) = attached_model(kind, identifier)? {
        governance.models.version(user, &name, version).await?;
    }
    Ok(())
}

async fn create(
    State(governance): Of<Governance>,
    Caller(user): Caller,
    mut fields: Fields,
) -> Answer {
    let name = fields.text("name");
    let policy_id = fields.text("policyId");
    let project_id = fields.text("projectId");
    let additional = fields.texts_if_any("additionalPolicyIds");
    let attachments = fields.objects("attachments", attachment);
    fields.finish()?;
    let project = governance
        .models
        .catalog
        .projects
        .seen_by(&user, &project_id)?;
    let mut policies = Vec::new();
    for id in std::iter::once(&policy_id).chain(&additional) {
        policies.push(governance.policy(id)?.clone());
    }
    for (kind, identifier) in &attachments {
        check(&governance, &user, kind, identifier).await?;
    }
    let now = governance.clock.now();
    let mut bundle = Bundle::new(&user, &project, &name, policies, now);
    for (kind, identifier) in attachments {
        bundle.attach(&user, &kind, identifier, now)?;
    }
    let json = bundle.json();
    let mut bundles = governance.bundles.lock();
    let same = |known: &Bundle| {
        known.name == name && known.project.id == project.id && known.state != BundleState::Archived
    };
    if bundles.iter().any(|(_, known)| same(known)) {
        return Err(conflict(format!("a bundle named {name} exists already")));
    }
    bundles.push((bundle.id.clone(), bundle));
    Ok(Json(json))
}

async fn one(State(governance): Of<Governance>, Caller(user): Caller, Path(id): Id) -> Answer {
    let bundle = |bundle: &mut Bundle| Ok(Json(bundle.json()));
    governance.with_bundle(&user, &id, bundle)
}

async fn change(
    State(governance): Of<Governance>,
    Caller(user): Caller,
    Path(id): Id,
    mut fields: Fields,
) -> Answer {
    let state = fields.optional_text("state");
    let stage = fields.optional_text("stage");
    let policy_id = fields.optional_text("policyId");
    fields.finish()?;
    let policy = match &policy_id {
        Some(id) => Some(governance.policy(id)?.clone()),
        None => None,
    };
    let state = match state {
        Some(word) => Some(
            BundleState::parse(&word)
                .ok_or_else(|| Failure::bad_request(format!("{word} is not a state")))?,
        ),
        None => None,
    };
    let now = governance.clock.now();
    governance.with_bundle(&user, &id, |bundle| {
        if let Some(policy) = policy {
            bundle.policies[0] = policy;
            bundle.restart(now);
        }
        if let Some(stage) = stage {
            let known = bundle.policies[0].stage(&stage);
            known
                .ok_or_else(|| Failure::bad_request(format!("the policy has no stage {stage}")))?;
            bundle.stage = stage;
        }
        if let Some(state) = state {
            bundle.state = state;
        }
        Ok(Json(bundle.json()))
    })
}

async fn remove(
    State(governance): Of<Governance>,
    Caller(user): Caller,
    Path(id): Id,
) -> Result<StatusCode, Failure> {
    governance.with_bundle(&user, &id, |_| Ok(()))?;
    governance.bundles.remove(&id);
    Ok(StatusCode::NO_CONTENT)
}

async fn approvals(
    State(governance): Of<Governance>,
    Caller(user): Caller,
    Path(id): Id,
) -> Answer {
    governance.with_bundle(&user, &id, |bundle| {
        let approvals = bundle.approvals.iter();
        Ok(Json(approvals.map(|one| one.json()).collect()))
    })
}

async fn gates(State(governance): Of<Governance>, Caller(user): Caller, Path(id): Id) -> Answer {
    let gates = |bundle: &mut Bundle| Ok(Json(bundle.gates().into()));
    governance.with_bundle(&user, &id, gates)
}

async fn findings(
    State(governance): Of<Governance>,
    Caller(user): Caller,
    Path(id): Id,
    parameters: Parameters,
) -> Answer {
    let found = governance.with_bundle(&user, &id, |bundle| Ok(bundle.findings.clone()))?;
    page(found, &parameters)
}

/// A finding about a bundle.
async fn find(
    State(governance): Of<Governance>,
    Caller(user): Caller,
    mut fields: Fields,
) -> Answer {
    let bundle_id = fields.text("bundleId");
    let approval_id = fields.text("approvalId");
    let (name, severity) = (fields.text("name"), fields.text("severity"));
    let person =
        |inner: &mut Fields| Some(json!({ "id": inner.text("id"), "name": inner.text("name") }));
    let approver = fields.object("approver", person);
    let assignee = fields.object("assignee", person);
    fields.finish()?;
    if !["S0", "S1", "S2", "S3"].contains(&severity.as_str()) {
        return Err(Failure::bad_request(format!("{severity} is no severity")));
    }
    let finding = json!({
        "id": id::uuid(), "bundleId": bundle_id, "approvalId": approval_id, "name": name,
        "severity": severity, "status": "ToDo", "approver": approver, "assignee": assignee,
    });
    governance.with_bundle(&user, &bundle_id, |bundle| {
        bundle.findings.push(finding.clone());
        Ok(Json(finding))
    })
}

/// The newest answers of a bundle.
async fn latest(
    State(governance): Of<Governance>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Answer {
    let id = parameters.required("bundleID")?;
    governance.with_bundle(&user, id, |bundle| {
        let results = bundle.results.iter();
        Ok(Json(
            results
                .filter(|result| result["isLatest"] == true)
                .cloned()
                .collect(),
        ))
    })
}

async fn attach(
    State(governance): Of<Governance>,
    Caller(user): Caller,
    Path(id): Id,
    mut fields: Fields,
) -> Answer {
    let (kind, identifier) = attachment(&mut fields);
    fields.finish()?;
    check(&governance, &user, &kind, &identifier).await?;
    let now = governance.clock.now();
    governance.with_bundle(&user, &id, |bundle| {
        if bundle.state == BundleState::Archived {
            return Err(locked(format!("the bundle {} is archived", bundle.name)));
        }
        bundle.attach(&user, &kind, identifier, now)?;
        let attached = bundle.attachments.last();
        Ok(Json(attached.map(|one| bundle.attachment_json(one)).into()))
    })
}

async fn detach(
    State(governance): Of<Governance>,
    Caller(user): Caller,
    Path((id, attachment_id)): Ids,
) -> Result<StatusCode, Failure> {
    governance.with_bundle(&user, &id, |bundle| {
        let at = bundle
            .attachments
            .iter()
            .position(|one| one.id == attachment_id)
            .ok_or_else(|| Failure::not_found(format!("attachment {attachment_id} not found")))?;
        bundle.attachments.remove(at);
        Ok(StatusCode::NO_CONTENT)
    })
}

/// Names who looks after a stage. A stage cannot be completed this way, nor any other way.
async fn assign(
    State(governance): Of<Governance>,
    Caller(user): Caller,
    Path((id, stage_id)): Ids,
    mut fields: Fields,
) -> Answer {
    let assignee = fields.optional_object(
        "assignee",
        |inner| json!({ "id": inner.text("id"), "name": inner.text("name") }),
    );
    fields.finish()?;
    governance.with_bundle(&user, &id, |bundle| {
        let primary = bundle.policies[0].clone();
        let mut stages = primary.stages.iter();
        let stage = stages
            .find(|stage| stage.id == stage_id)
            .ok_or_else(|| Failure::not_found(format!("stage {stage_id} not found")))?;
        bundle.assignees.retain(|(id, _)| *id != stage_id);
        if let Some(assignee) = assignee {
            bundle.assignees.push((stage_id.clone(), assignee));
        }
        Ok(Json(bundle.stage_json(stage)))
    })
}

async fn policies(State(governance): Of<Governance>, _: Caller, parameters: Parameters) -> Answer {
    let search = parameters.text("search").unwrap_or_default().to_lowercase();
    let statuses: Vec<&str> = parameters
        .all("status")
        .chain(parameters.all("status[]"))
        .collect();
    let policies = governance.policies.iter().filter(|policy| {
        policy.name.to_lowercase().contains(&search)
            && (statuses.is_empty() || statuses.contains(&"Published"))
    });
    page(
        policies.map(|policy| policy.overview()).collect(),
        &parameters,
    )
}

async fn policy(State(governance): Of<Governance>, _: Caller, Path(id): Id) -> Answer {
    Ok(Json(governance.policy(&id)?.json()))
}
