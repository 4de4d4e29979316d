//! How a GitHub environment is protected, and what it holds: reviewers, wait timer, branches, variables, the names
//! of secrets, of which GitHub shows nobody the value. What changes it is in `writer`.

mod branches;
mod environments;
mod protection;
mod retention;
mod reviewer;
mod secrets;
mod variables;
mod writer;

pub use self::branches::{BranchLimit, BranchPolicy};
pub use self::environments::Environments;
pub use self::protection::Protection;
pub use self::reviewer::{Reviewer, ReviewerKind};
pub use self::secrets::{PublicKey, Secret, SecretPlace};
pub use self::writer::EnvironmentWriter;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wiremock::matchers::{header, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;
    use crate::error::Exit;

    async fn answering(route: &str, status: u16, body: Value) -> (MockServer, Environments) {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path(route))
            .and(header("authorization", "Bearer canary-github-1"))
            .respond_with(ResponseTemplate::new(status).set_body_json(body))
            .mount(&server)
            .await;
        let environments = Environments::of(
            &connection("https://domino.example.com"),
            Some(format!("{}/api/v3", server.uri())),
            "acme/wine",
            "canary-github-1",
        );
        (server, environments.unwrap())
    }

    const PROD: &str = "/api/v3/repos/acme/wine/environments/PROD%20EU";

    #[tokio::test]
    async fn the_rules_of_an_environment_are_read_as_one_protection() {
        let body = json!({
            "id": 1, "name": "PROD EU",
            "protection_rules": [
                {"id": 1, "type": "wait_timer", "wait_timer": 30},
                {"id": 2, "type": "required_reviewers", "prevent_self_review": true, "reviewers": [
                    {"type": "User", "reviewer": {"login": "ann", "id": 1}},
                    {"type": "Team", "reviewer": {"id": 2, "slug": "wine-reviewers", "name": "Wine reviewers"}},
                ]},
                {"id": 3, "type": "branch_policy"},
            ],
            "deployment_branch_policy": {"protected_branches": false, "custom_branch_policies": true},
            "can_admins_bypass": false,
        });
        let (_server, environments) = answering(PROD, 200, body).await;
        let protection = environments.protection("PROD EU").await.unwrap().unwrap();
        assert_eq!(
            protection,
            Protection {
                reviewers: vec![
                    Reviewer {
                        kind: ReviewerKind::User,
                        id: 1,
                        name: "ann".into()
                    },
                    Reviewer {
                        kind: ReviewerKind::Team,
                        id: 2,
                        name: "team:wine-reviewers".into()
                    },
                ],
                prevents_self_review: true,
                wait_timer: 30,
                branches: BranchLimit::Named,
                admins_may_bypass: Some(false),
            }
        );
        assert_eq!(environments.protection("DEV").await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_github_leaves_out_of_an_answer_is_no_trouble() {
        let body = json!({"protection_rules": [
            {"id": 1, "type": "wait_timer"},
            {"id": 2, "type": "required_reviewers", "reviewers": [
                {"type": "User"}, {"type": "User", "reviewer": null}, {"reviewer": {}},
                {"type": "User", "reviewer": {"login": "bob"}},
                {"type": "User", "reviewer": {"login": "ann", "id": 1}},
            ]},
            {"id": 3, "type": "required_reviewers"},
        ]});
        let (_server, environments) = answering(PROD, 200, body).await;
        let protection = environments.protection("PROD EU").await.unwrap().unwrap();
        let names: Vec<&str> = protection
            .reviewers
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        assert_eq!(names, ["ann"]);

        let body = json!({"total_count": 2, "secrets": [{}, {"name": "DOMINO_TOKEN"}]});
        let (_server, environments) = answering(&format!("{PROD}/secrets"), 200, body).await;
        let secrets = environments.secrets("PROD EU").await.unwrap();
        let names: Vec<&str> = secrets.iter().map(|secret| secret.name.as_str()).collect();
        assert_eq!(names, ["DOMINO_TOKEN"]);

        let route = format!("{PROD}/variables/DOMINO_ENV");
        let (_server, environments) = answering(&route, 200, json!({"name": "DOMINO_ENV"})).await;
        let variable = environments.variable("PROD EU", "DOMINO_ENV").await;
        assert_eq!(variable.unwrap(), None);
    }

    #[tokio::test]
    async fn an_environment_without_rules_protects_nothing() {
        let body = json!({"id": 1, "name": "PROD EU", "protection_rules": [], "deployment_branch_policy": null});
        let (_server, environments) = answering(PROD, 200, body).await;
        let protection = environments.protection("PROD EU").await.unwrap().unwrap();
        assert_eq!(protection, Protection::default());
    }

    #[tokio::test]
    async fn a_variable_has_a_value_and_a_secret_only_a_name() {
        let route = format!("{PROD}/variables/DOMINO_ENV");
        let (_server, environments) =
            answering(&route, 200, json!({"name": "DOMINO_ENV", "value": "PROD"})).await;
        let variable = environments
            .variable("PROD EU", "DOMINO_ENV")
            .await
            .unwrap();
        assert_eq!(variable.as_deref(), Some("PROD"));
        assert_eq!(
            environments.variable("PROD EU", "OTHER").await.unwrap(),
            None
        );

        let body = json!({"total_count": 1, "secrets": [{"name": "DOMINO_TOKEN", "created_at": "2026-01-01T00:00:00Z"}]});
        let (_server, environments) = answering(&format!("{PROD}/secrets"), 200, body).await;
        let secrets = environments.secrets("PROD EU").await.unwrap();
        assert_eq!(secrets[0].name, "DOMINO_TOKEN");
        assert!(secrets[0].updated_at.is_none());
    }

    #[tokio::test]
    async fn a_refusal_is_githubs_and_names_the_permission() {
        let body = json!({"message": "Resource not accessible by integration"});
        let (_server, environments) = answering(&format!("{PROD}/secrets"), 403, body).await;
        let failure = environments.secrets("PROD EU").await.unwrap_err();
        assert_eq!(failure.exit(), Exit::Refused);
        let text = failure.to_string();
        assert!(
            text.contains("GitHub says: Resource not accessible"),
            "{text}"
        );
        let hint = failure.to_do().unwrap();
        assert!(hint.contains("GITHUB_TOKEN"), "{hint}");
    }
}
