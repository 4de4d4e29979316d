//! Model reviews, as Domino 5.8 to 5.11 had them before governance: somebody asks for a stage of a
//! model version, and the stage is set once a reviewer approves. Only the request is known as a
//! route; a reviewer answers on Domino's pages, and so on the sandbox's.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Path, State};
use axum::http::Method;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::clock::Moment;
use crate::domino::Domino;
use crate::id;
use crate::registered_models;
use crate::reply::{Answer, Failure};
use crate::request::Fields;
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
    status: Status,
    decided_by: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Pending,
    Approved,
    ChangesRequested,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Status::Pending => "PENDING",
            Status::Approved => "APPROVED",
            Status::ChangesRequested => "CHANGES_REQUESTED",
        }
    }
}

/// Every review, oldest first.
#[derive(Default)]
pub(crate) struct Reviews(Mutex<Vec<Review>>);

/// A review that waits for its reviewers.
pub(crate) struct Pending {
    pub(crate) id: String,
    pub(crate) model: String,
    pub(crate) version: u64,
    pub(crate) project: String,
    pub(crate) target_stage: String,
    pub(crate) requested_by: String,
    pub(crate) reviewers: Vec<String>,
}

pub(crate) fn routes(domino: Version) -> Router<Arc<Domino>> {
    match domino {
        Version::V5_9 => Router::new().route(
            "/api/registeredmodels/v1/{name}/versions/{version}/reviews",
            post(request),
        ),
        _ => Router::new(),
    }
}

impl Reviews {
    pub(crate) fn pending(&self) -> Vec<Pending> {
        let reviews = self.lock();
        let waiting = reviews.iter().filter(|one| one.status == Status::Pending);
        waiting
            .map(|one| Pending {
                id: one.id.clone(),
                model: one.model.clone(),
                version: one.version,
                project: one.project.clone(),
                target_stage: one.target_stage.clone(),
                requested_by: one.requested_by.name.clone(),
                reviewers: one.reviewers.iter().map(|user| user.name.clone()).collect(),
            })
            .collect()
    }

    /// Answers a review as `user`. An approval moves the version into the stage.
    pub(crate) async fn decide(
        domino: &Domino,
        user: &User,
        id: &str,
        approves: bool,
    ) -> Result<(), Failure> {
        let transition = {
            let mut reviews = domino.reviews.lock();
            let review = find(&mut reviews, id)?;
            if !review.reviewers.iter().any(|one| one.id == user.id) {
                return Err(Failure::forbidden(format!(
                    "User {} is not a reviewer of this request",
                    user.name
                )));
            }
            if review.status != Status::Pending {
                return Err(Failure::bad_request(format!(
                    "The review is {} already",
                    review.status.word()
                )));
            }
            json!({
                "name": review.model,
                "version": review.version.to_string(),
                "stage": review.target_stage,
                "archive_existing_versions": false,
            })
        };
        let status = if approves {
            let route = "model-versions/transition-stage";
            let asked = domino
                .mlflow
                .ask(domino, &user.name, Method::POST, route, transition);
            asked.await?;
            Status::Approved
        } else {
            Status::ChangesRequested
        };
        let mut reviews = domino.reviews.lock();
        let review = find(&mut reviews, id)?;
        review.status = status;
        review.decided_by = Some(user.name.clone());
        Ok(())
    }

    pub(crate) fn state(&self) -> Value {
        self.lock().iter().map(Review::json).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Review>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Review {
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

fn find<'a>(reviews: &'a mut [Review], id: &str) -> Result<&'a mut Review, Failure> {
    let review = reviews.iter_mut().find(|one| one.id == id);
    review.ok_or_else(|| Failure::not_found(format!("Review {id} was not found")))
}

async fn request(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path((name, version)): Path<(String, String)>,
    mut fields: Fields,
) -> Answer {
    let target_stage = fields.text("targetStage");
    let notes = fields.optional_text("notes");
    let reviewers = fields.objects("reviewers", |reviewer| reviewer.text("userId"));
    fields.finish()?;
    let version = registered_models::version_number(&version)?;
    let model = registered_models::one(&domino, &user, &name).await?;
    registered_models::version(&domino, &user, &name, version).await?;
    if reviewers.is_empty() {
        return Err(Failure::bad_request("A review needs a reviewer"));
    }
    let reviewers = reviewers.iter().map(|id| {
        let known = domino.users.with_id(id).cloned();
        known.ok_or_else(|| Failure::bad_request(format!("User {id} does not exist")))
    });
    let review = Review {
        id: id::object_id(),
        model: name,
        version,
        project: format!("{}/{}", model.project.owner, model.project.name),
        target_stage,
        notes,
        requested_by: user,
        reviewers: reviewers.collect::<Result<_, _>>()?,
        created: domino.now(),
        status: Status::Pending,
        decided_by: None,
    };
    let json = review.json();
    domino.reviews.lock().push(review);
    Ok(Json(json))
}
