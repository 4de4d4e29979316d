//! Model reviews, Domino 5.8 to 5.11. **Unproven**: the one route here is known only from the published templates,
//! where the call is commented out, and from no specification and no live deployment.
//!
//! No route reads a review back, so nothing here tells whether one was approved: Domino sets the version's stage
//! itself when the reviewers approve.

use reqwest::Method;
use serde::Serialize;

use super::registered_models::VersionNumber;
use super::users::UserId;
use crate::client::{ApiError, Writer, segment};

/// Asks the reviewers to let a version enter a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewReview {
    /// The experiment manager's stage.
    pub target_stage: String,
    /// Who is asked.
    pub reviewers: Vec<Reviewer>,
}

/// Who is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reviewer {
    /// The user's id.
    pub user_id: UserId,
}

impl Writer {
    /// `POST /api/registeredmodels/v1/{name}/versions/{version}/reviews`. The content of a success is unknown and
    /// ignored. Contract: the published templates, where the call is commented out.
    pub async fn request_review(
        &self,
        model: &str,
        version: VersionNumber,
        review: &NewReview,
    ) -> Result<(), ApiError> {
        let path = format!(
            "/api/registeredmodels/v1/{}/versions/{version}/reviews",
            segment(model)
        );
        self.write_only(Method::POST, &path, Some(review)).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{body_json, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    #[tokio::test]
    async fn a_review_is_asked_of_users_by_their_ids_for_a_model_however_odd_its_name() {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path(
                "/api/registeredmodels/v1/wein%20%26%20k%C3%A4se%20%25/versions/7/reviews",
            ))
            .and(body_json(
                json!({"targetStage": "Production", "reviewers": [{"userId": "u1"}]}),
            ))
            .respond_with(ResponseTemplate::new(200))
            .expect(1)
            .mount(&server)
            .await;
        let review = NewReview {
            target_stage: "Production".into(),
            reviewers: vec![Reviewer {
                user_id: UserId::new("u1"),
            }],
        };
        let writer = connection(&server.uri()).writer();
        writer
            .request_review("wein & käse %", VersionNumber::new(7), &review)
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_deployment_without_reviews_is_told_apart() {
        let server = MockServer::start().await;
        let review = NewReview {
            target_stage: "Production".into(),
            reviewers: Vec::new(),
        };
        let writer = connection(&server.uri()).writer();
        let error = writer
            .request_review("wine", VersionNumber::new(7), &review)
            .await
            .unwrap_err();
        assert!(error.is_unknown_route());
    }
}
