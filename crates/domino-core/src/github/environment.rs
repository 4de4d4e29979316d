//! How a GitHub environment is protected, and what it holds: reviewers, wait timer, branches, variables, the names
//! of secrets, of which GitHub shows nobody the value. What changes it is in `writer`.

mod branches;
mod reviewer;
mod secrets;
mod writer;

use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use self::branches::{BranchLimit, BranchPolicy};
pub use self::reviewer::{Reviewer, ReviewerKind};
pub use self::secrets::{PublicKey, Secret, SecretPlace};
pub use self::writer::EnvironmentWriter;
use super::{connected, refusal};
use crate::client::{ApiError, Connection, Reader, segment};
use crate::credential::Credential;
use crate::error::CommandError;

/// What to do when the token may not ask.
const PERMISSION: &str = "use a `GITHUB_TOKEN` that may read the repository's environments, variables and secrets' names";
/// The most pages of a list that are read, a hundred things each.
const MOST_PAGES: usize = 50;

/// The environments of a GitHub repository.
#[derive(Debug)]
pub struct Environments {
    connection: Connection,
    reader: Reader,
    /// The path of the repository.
    repository: String,
    /// The path of its environments.
    path: String,
}

/// What stands between a job and an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protection {
    /// Who may approve.
    pub reviewers: Vec<Reviewer>,
    /// Whether the person who started the run may not approve it.
    pub prevents_self_review: bool,
    /// How many minutes a job waits.
    pub wait_timer: u32,
    /// Which branches may deploy to it.
    pub branches: BranchLimit,
    /// Whether an administrator may let a job in unapproved; `None` where GitHub does not tell.
    pub admins_may_bypass: Option<bool>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    protection_rules: Vec<Rule>,
    deployment_branch_policy: Option<branches::WirePolicy>,
    /// Not in the description, and in every answer.
    can_admins_bypass: Option<bool>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    environments: Vec<Called>,
}

#[derive(Deserialize)]
struct Called {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Rule {
    wait_timer: Option<u32>,
    #[serde(default)]
    prevent_self_review: bool,
    #[serde(default)]
    reviewers: Vec<reviewer::Wire>,
}

#[derive(Deserialize)]
struct Variable {
    value: Option<String>,
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
        let (connection, prefix) = connected(connection, api, repository, token.to_owned())?;
        let repository = format!("{prefix}/repos/{repository}");
        Ok(Self {
            reader: connection.reader(),
            connection,
            path: format!("{repository}/environments"),
            repository,
        })
    }

    /// The token as a credential, to be hidden in all that is shown.
    pub fn credential(token: &str) -> Credential {
        Credential::GitHubToken(token.to_owned().into())
    }

    /// Something that can change them; made when a plan is applied, and only then.
    pub fn writer(&self) -> EnvironmentWriter<'_> {
        EnvironmentWriter::new(self, &self.connection)
    }

    /// `GET /repos/{owner}/{repo}/environments`: the names of all. A repository that the token cannot see is an error,
    /// and so an environment that is not among them is not there. Contract: GitHub's published OpenAPI description.
    pub async fn names(&self) -> Result<Vec<String>, CommandError> {
        let all = self.all(&self.path, &[], |page: Page| page.environments);
        let all = all
            .await
            .map_err(|error| refusal("the environments of the repository", PERMISSION, &error))?;
        Ok(all.into_iter().filter_map(|one| one.name).collect())
    }

    /// `GET /repos/{owner}/{repo}/environments/{name}`. `None` when there is none of this name, and when the token
    /// cannot see the repository. Contract: GitHub's published OpenAPI description.
    pub async fn protection(&self, name: &str) -> Result<Option<Protection>, CommandError> {
        self.told(name, self.read_protection(name).await)
    }

    async fn read_protection(&self, name: &str) -> Result<Option<Protection>, ApiError> {
        let wire: Option<Wire> = self.reader.read_if_there(&self.of_name(name), &[]).await?;
        Ok(wire.map(Protection::from))
    }

    /// `GET …/environments/{name}/variables/{variable}`: the value of a variable of the environment. Contract:
    /// GitHub's published OpenAPI description.
    pub async fn variable(
        &self,
        name: &str,
        variable: &str,
    ) -> Result<Option<String>, CommandError> {
        self.told(name, self.read_variable(name, variable).await)
    }

    async fn read_variable(&self, name: &str, variable: &str) -> Result<Option<String>, ApiError> {
        let path = format!("{}/variables/{}", self.of_name(name), segment(variable));
        let found: Option<Variable> = self.reader.read_if_there(&path, &[]).await?;
        Ok(found.and_then(|variable| variable.value))
    }

    /// The path of one environment.
    fn of_name(&self, name: &str) -> String {
        format!("{}/{}", self.path, segment(name))
    }

    /// A list of GitHub's, page after page to its end; `list` takes the things out of a page.
    async fn all<P: DeserializeOwned, T>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        list: impl Fn(P) -> Vec<T>,
    ) -> Result<Vec<T>, ApiError> {
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let page = page.to_string();
            let paging = [("per_page", "100"), ("page", page.as_str())];
            let things = list(self.reader.read(path, &[query, &paging].concat()).await?);
            let is_last = things.len() < 100;
            all.extend(things);
            if is_last {
                return Ok(all);
            }
        }
        Err(ApiError::endless(path, MOST_PAGES))
    }

    fn told<T>(&self, name: &str, answer: Result<T, ApiError>) -> Result<T, CommandError> {
        let what = format!("GitHub environment `{name}`");
        answer.map_err(|error| refusal(&what, PERMISSION, &error))
    }
}

impl From<Wire> for Protection {
    fn from(wire: Wire) -> Self {
        let mut protection = Self {
            branches: wire
                .deployment_branch_policy
                .map_or(BranchLimit::Any, BranchLimit::from),
            admins_may_bypass: wire.can_admins_bypass,
            ..Self::default()
        };
        for rule in wire.protection_rules {
            protection.wait_timer = protection.wait_timer.max(rule.wait_timer.unwrap_or(0));
            protection.prevents_self_review |= rule.prevent_self_review;
            let reviewers = rule.reviewers.into_iter();
            protection
                .reviewers
                .extend(reviewers.filter_map(Reviewer::of_wire));
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
