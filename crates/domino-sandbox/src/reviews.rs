//! Model reviews, as Domino 5.8 to 5.11 had them before governance: a user requests a stage for a
//! model version, and the stage is set once a reviewer approves. Only the request has a known
//! route; a reviewer answers on Domino's pages, and here on the sandbox's.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Method;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::clock::{Clock, Moment};
use crate::id;
use crate::registered_models::{self, RegisteredModels};
use crate::reply::{Answer, Failure};
use crate::request::{Fields, Ids, Of};
use crate::store::Store;
use crate::users::{Caller, User};
use crate::version::Version;

/// One request for a review.
struct Review {
    id: String,
    model: String,
    version: u64,
    project: String,
    target_stage: String,
    notes: Option<String>,
    requested_by: Arc<User>,
    reviewers: Vec<Arc<User>>,
    created: Moment,
    status: ReviewStatus,
    decided_by: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReviewStatus {
    Pending,
    Approved,
    ChangesRequested,
}

impl ReviewStatus {
    fn word(self) -> &'static str {
        match self {
            ReviewStatus::Pending => "PENDING",
            ReviewStatus::Approved => "APPROVED",
            ReviewStatus::ChangesRequested => "CHANGES_REQUESTED",
        }
    }
}

/// Every review, oldest first.
pub(crate) struct Reviews {
    all: Store<Review>,
    models: Arc<RegisteredModels>,
    clock: Clock,
}

/// A review that waits for a reviewer.
pub(crate) struct PendingReview {
    pub(crate) id: String,
    pub(crate) model: String,
    pub(crate) version: u64,
    pub(crate) project: String,
    pub(crate) target_stage: String,
    pub(crate) requested_by: String,
    pub(crate) reviewers: Vec<String>,
}

pub(crate) fn routes(reviews: Arc<Reviews>, domino: Version) -> Router {
    match domino {
        Version::V5_9 => Router::new().route(
            "/api/registeredmodels/v1/{name}/versions/{version}/reviews",
            post(request),
        ),
        _ => Router::new(),
    }
    .with_state(reviews)
}

impl Reviews {
    pub(crate) fn new(models: Arc<RegisteredModels>, clock: Clock) -> Self {
        Reviews {
            all: Store::default(),
            models,
            clock,
        }
    }

    pub(crate) fn pending(&self) -> Vec<PendingReview> {
        let pending: Vec<Option<PendingReview>> = self.all.map(|one| {
            (one.status == ReviewStatus::Pending).then(|| PendingReview {
                id: one.id.clone(),
                model: one.model.clone(),
                version: one.version,
                project: one.project.clone(),
                target_stage: one.target_stage.clone(),
                requested_by: one.requested_by.name.clone(),
                reviewers: one.reviewers.iter().map(|user| user.name.clone()).collect(),
            })
        });
        pending.into_iter().flatten().collect()
    }

    /// Answers a review as `user`. An approval moves the version into the stage.
    pub(crate) async fn decide(
        &self,
        user: &User,
        id: &str,
        approves: bool,
    ) -> Result<(), Failure> {
        let transition = self.change(id, |review| review.transition_by(user))??;
        let status = if approves {
            let route = "model-versions/transition-stage";
            let asked = self
                .models
                .mlflow
                .ask(&user.name, Method::POST, route, transition);
            asked.await?;
            ReviewStatus::Approved
        } else {
            ReviewStatus::ChangesRequested
        };
        self.change(id, |review| {
            review.status = status;
            review.decided_by = Some(user.name.clone());
        })
    }

    fn change<T>(&self, id: &str, act: impl FnOnce(&mut Review) -> T) -> Result<T, Failure> {
        let done = self.all.with(id, act);
        done.ok_or_else(|| Failure::not_found(format!("Review {id} was not found")))
    }

    pub(crate) fn state(&self) -> Value {
        self.all.map(Review::json)
    }
}

impl Review {
    /// The transition that an approval by `user` would carry out, if the review waits for this user.
    fn transition_by(&self, user: &User) -> Result<Value, Failure> {
        if !self.reviewers.iter().any(|one| one.id == user.id) {
            return Err(Failure::forbidden(format!(
                "User {} is not a reviewer of this request",
                user.name
            )));
        }
        if self.status != ReviewStatus::Pending {
            return Err(Failure::bad_request(format!(
                "The review is {} already",
                self.status.word()
            )));
        }
        Ok(json!({
            "name": self.model,
            "version": self.version.to_string(),
            "stage": self.target_stage,
            "archive_existing_versions": false,
        }))
    }

    fn json(&self) -> Value {
        let reviewers = self.reviewers.iter();
        json!({
            "id": self.id,
            "modelName": self.model,
            "modelVersion": self.version,
            "targetStage": self.target_stage,
            "notes": self.notes,
            "status": self.status.word(),
            "requestedBy": self.requested_by.name,
            "reviewers": reviewers
                .map(|user| json!({ "userId": user.id, "userName": user.name }))
                .collect::<Vec<_>>(),
            "decidedBy": self.decided_by,
            "createdAt": self.created.rfc3339(),
        })
    }
}

async fn request(
    State(reviews): Of<Reviews>,
    Caller(user): Caller,
    Path((name, version)): Ids,
    mut fields: Fields,
) -> Answer {
    let target_stage = fields.text("targetStage");
    let notes = fields.optional_text("notes");
    let reviewers = fields.objects("reviewers", |reviewer| reviewer.text("userId"));
    fields.finish()?;
    let version = registered_models::version_number(&version)?;
    let model = reviews.models.one(&user, &name).await?;
    reviews.models.version(&user, &name, version).await?;
    if reviewers.is_empty() {
        return Err(Failure::bad_request("A review needs a reviewer"));
    }
    let reviewers = reviewers.iter().map(|id| {
        let known = reviews.models.catalog.users.with_id(id);
        known.ok_or_else(|| Failure::bad_request(format!("User {id} does not exist")))
    });
    let id = id::object_id();
    let review = Review {
        id: id.clone(),
        model: name,
        version,
        project: format!("{}/{}", model.project.owner, model.project.name()),
        target_stage,
        notes,
        requested_by: user,
        reviewers: reviewers.collect::<Result<_, _>>()?,
        created: reviews.clock.now(),
        status: ReviewStatus::Pending,
        decided_by: None,
    };
    let json = review.json();
    reviews.all.push(&id, review);
    Ok(Json(json))
}
