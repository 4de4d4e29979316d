//! How a GitHub environment is protected, and what it holds: reviewers, wait timer, branches, variables, the names
//! of secrets. It changes none of it, and GitHub shows nobody the value of a secret.

use serde::Deserialize;

use super::{opened, refusal};
use crate::client::{ApiError, Connection, Reader, segment};
use crate::credential::Credential;
use crate::error::CommandError;

/// What to do when the token may not ask.
const PERMISSION: &str = "use a `GITHUB_TOKEN` that may read the repository's environments, variables and secrets' names";

/// The environments of a GitHub repository.
#[derive(Debug)]
pub struct Environments {
    reader: Reader,
    path: String,
}

/// What stands between a job and an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protection {
    /// Who may approve: logins, and teams as `team:<slug>`.
    pub reviewers: Vec<String>,
    /// Whether the person who started the run may not approve it.
    pub prevents_self_review: bool,
    /// How many minutes a job waits.
    pub wait_timer: u32,
    /// Whether only certain branches may deploy to it.
    pub limits_branches: bool,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    protection_rules: Vec<Rule>,
    deployment_branch_policy: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Rule {
    wait_timer: Option<u32>,
    #[serde(default)]
    prevent_self_review: bool,
    #[serde(default)]
    reviewers: Vec<Reviewer>,
}

#[derive(Deserialize)]
struct Reviewer {
    reviewer: Option<Named>,
}

/// A user has a login, a team a slug.
#[derive(Deserialize)]
struct Named {
    login: Option<String>,
    slug: Option<String>,
}

#[derive(Deserialize)]
struct Variable {
    value: Option<String>,
}

#[derive(Deserialize)]
struct Secrets {
    #[serde(default)]
    secrets: Vec<Secret>,
}

#[derive(Deserialize)]
struct Secret {
    name: Option<String>,
}

impl Environments {
    /// Those of the repository `owner/name`; `api` is GitHub's address where it is not github.com. `connection`
    /// lends its limits only.
    pub fn of(
        connection: &Connection,
        api: Option<String>,
        repository: &str,
        token: &str,
    ) -> Result<Self, CommandError> {
        let (reader, prefix) = opened(connection, api, repository, token.to_owned())?;
        Ok(Self {
            reader,
            path: format!("{prefix}/repos/{repository}/environments"),
        })
    }

    /// The token as a credential, to be hidden in all that is shown.
    pub fn credential(token: &str) -> Credential {
        Credential::GitHubToken(token.to_owned().into())
    }

    /// `GET /repos/{owner}/{repo}/environments/{name}`. `None` when there is none of this name, and when the token
    /// cannot see the repository. Contract: GitHub's published OpenAPI description.
    pub async fn protection(&self, name: &str) -> Result<Option<Protection>, CommandError> {
        let path = format!("{}/{}", self.path, segment(name));
        let wire: Option<Wire> = self.told(name, self.reader.read_if_there(&path, &[]).await)?;
        Ok(wire.map(Protection::from))
    }

    /// `GET …/environments/{name}/variables/{variable}`: the value of a variable of the environment. Contract:
    /// GitHub's published OpenAPI description.
    pub async fn variable(
        &self,
        name: &str,
        variable: &str,
    ) -> Result<Option<String>, CommandError> {
        let path = format!(
            "{}/{}/variables/{}",
            self.path,
            segment(name),
            segment(variable)
        );
        let found: Option<Variable> =
            self.told(name, self.reader.read_if_there(&path, &[]).await)?;
        Ok(found.and_then(|variable| variable.value))
    }

    /// `GET …/environments/{name}/secrets`: the names of the environment's secrets; GitHub allows 100. Contract:
    /// GitHub's published OpenAPI description.
    pub async fn secret_names(&self, name: &str) -> Result<Vec<String>, CommandError> {
        let path = format!("{}/{}/secrets", self.path, segment(name));
        let all = self.reader.read(&path, &[("per_page", "100")]).await;
        let all: Secrets = self.told(name, all)?;
        Ok(all
            .secrets
            .into_iter()
            .filter_map(|secret| secret.name)
            .collect())
    }

    fn told<T>(&self, name: &str, answer: Result<T, ApiError>) -> Result<T, CommandError> {
        let what = format!("GitHub environment `{name}`");
        answer.map_err(|error| refusal(&what, PERMISSION, &error))
    }
}

impl From<Wire> for Protection {
    fn from(wire: Wire) -> Self {
        let mut protection = Self {
            limits_branches: wire.deployment_branch_policy.is_some(),
            ..Self::default()
        };
        for rule in wire.protection_rules {
            protection.wait_timer = protection.wait_timer.max(rule.wait_timer.unwrap_or(0));
            protection.prevents_self_review |= rule.prevent_self_review;
            protection
                .reviewers
                .extend(rule.reviewers.into_iter().filter_map(|one| {
                    let reviewer = one.reviewer?;
                    let team = reviewer.slug.map(|slug| format!("team:{slug}"));
                    reviewer.login.or(team)
                }));
        }
        protection
    }
}

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
                    {"type": "Team", "reviewer": {"id": 1, "slug": "wine-reviewers", "name": "Wine reviewers"}},
                ]},
                {"id": 3, "type": "branch_policy"},
            ],
            "deployment_branch_policy": {"protected_branches": false, "custom_branch_policies": true},
        });
        let (_server, environments) = answering(PROD, 200, body).await;
        let protection = environments.protection("PROD EU").await.unwrap().unwrap();
        assert_eq!(
            protection,
            Protection {
                reviewers: vec!["ann".into(), "team:wine-reviewers".into()],
                prevents_self_review: true,
                wait_timer: 30,
                limits_branches: true,
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
                {"type": "User", "reviewer": {"login": "ann"}},
            ]},
            {"id": 3, "type": "required_reviewers"},
        ]});
        let (_server, environments) = answering(PROD, 200, body).await;
        let protection = environments.protection("PROD EU").await.unwrap().unwrap();
        assert_eq!(protection.reviewers, ["ann"]);

        let body = json!({"total_count": 2, "secrets": [{}, {"name": "DOMINO_TOKEN"}]});
        let (_server, environments) = answering(&format!("{PROD}/secrets"), 200, body).await;
        let names = environments.secret_names("PROD EU").await.unwrap();
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
        assert_eq!(
            environments.secret_names("PROD EU").await.unwrap(),
            ["DOMINO_TOKEN"]
        );
    }

    #[tokio::test]
    async fn a_refusal_is_githubs_and_names_the_permission() {
        let body = json!({"message": "Resource not accessible by integration"});
        let (_server, environments) = answering(&format!("{PROD}/secrets"), 403, body).await;
        let failure = environments.secret_names("PROD EU").await.unwrap_err();
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
