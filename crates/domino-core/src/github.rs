//! GitHub's REST API, as far as it is needed: who approved this workflow run, and in the modules below, how an
//! environment is protected and set up, and one issue that is maintained. The token goes to GitHub and nowhere else.
//!
//! It decides about nobody: the caller says whether an approver may approve.

mod age;
mod approval;
mod attempt;
mod by_hand;
mod compare;
mod deployments;
mod environment;
mod issue;
mod stage_before;
mod waiting;

use serde::Deserialize;
use url::Url;

pub use self::approval::{ApprovalRules, RunApproval};
pub use self::by_hand::StarterRules;
pub(crate) use self::compare::{Comparison, compare};
pub use self::deployments::{Deployments, GitHubDeployment};
pub use self::environment::{
    BranchLimit, BranchPolicy, EnvironmentWriter, Environments, Protection, PublicKey, Reviewer,
    ReviewerKind, Secret, SecretPlace,
};
pub use self::issue::{IssueKeeper, Kept};
pub(crate) use self::stage_before::StageBefore;
pub use self::waiting::{WaitingRun, WaitingRuns};
use crate::client::{ApiError, Cause, Connection, Reader};
use crate::credential::Credential;
use crate::error::{CommandError, Exit};
use stage_file::Host;

/// Where GitHub's API is when nothing else is said.
const API: &str = "https://api.github.com";

/// The workflow run that this process is a step of.
#[derive(Debug)]
pub struct WorkflowRun {
    reader: Reader,
    prefix: String,
    repository: String,
    id: u64,
}

/// What a reviewer said when a job of the run wanted to enter an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReview {
    /// What was said.
    pub decision: ReviewDecision,
    /// Who said it: a GitHub login.
    pub user: String,
    /// The environments that it is about, by their names.
    pub environments: Vec<String>,
}

/// What a reviewer said.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum ReviewDecision {
    /// Yes.
    Approved,
    /// No.
    Rejected,
    /// Nothing yet, or a word that we do not know.
    Other(String),
}

impl From<String> for ReviewDecision {
    fn from(word: String) -> Self {
        match word.as_str() {
            "approved" => Self::Approved,
            "rejected" => Self::Rejected,
            _ => Self::Other(word),
        }
    }
}

#[derive(Deserialize)]
struct Wire {
    state: ReviewDecision,
    user: Option<Login>,
    #[serde(default)]
    environments: Vec<Environment>,
}

#[derive(Debug, Deserialize)]
struct Login {
    login: Option<String>,
}

#[derive(Deserialize)]
struct Environment {
    name: Option<String>,
}

impl WorkflowRun {
    /// The run that the runner's variables name; an error says which of them is missing. `connection` lends its
    /// limits only.
    pub fn of_this_step(
        connection: &Connection,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, CommandError> {
        let set = |name: &str| set(&variable, name);
        let needed = |name: &str| {
            set(name).ok_or_else(|| {
                CommandError::new(
                    Exit::NotApproved,
                    format!("who approved on GitHub cannot be asked: `{name}` is not set"),
                )
                .hint(match name {
                    "GITHUB_TOKEN" => {
                        "hand `GITHUB_TOKEN: ${{ github.token }}` to the step and give its job `permissions: actions: read`"
                    }
                    _ => "run this as a step of the generated workflow: the approvals are those of its run",
                })
            })
        };
        let repository = needed("GITHUB_REPOSITORY")?;
        let run = needed("GITHUB_RUN_ID")?;
        let token = needed("GITHUB_TOKEN")?;
        let id = run.parse().map_err(|_| malformed("GITHUB_RUN_ID", &run))?;
        let (reader, prefix) = opened(connection, set("GITHUB_API_URL"), &repository, token)?;
        Ok(Self {
            reader,
            prefix,
            repository,
            id,
        })
    }

    /// The token, to be hidden in all that is shown.
    pub fn token(variable: impl Fn(&str) -> Option<String>) -> Option<Credential> {
        set(variable, "GITHUB_TOKEN").map(|token| Credential::GitHubToken(token.into()))
    }

    /// The run's number in addresses.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// `GET /repos/{owner}/{repo}/actions/runs/{run_id}/approvals`: what the reviewers of the run's environments
    /// said. Needs `actions: read`. Contract: GitHub's published OpenAPI description.
    pub async fn reviews(&self) -> Result<Vec<RunReview>, CommandError> {
        let path = format!(
            "{}/repos/{}/actions/runs/{}/approvals",
            self.prefix, self.repository, self.id
        );
        let reviews: Vec<Wire> = self.reader.read(&path, &[]).await.map_err(|error| {
            refusal(
                "who approved this run",
                "the step needs `GITHUB_TOKEN`, and its job `permissions: actions: read`",
                &error,
            )
        })?;
        Ok(reviews
            .into_iter()
            .map(|review| RunReview {
                decision: review.state,
                // A user who was deleted since has no login, and so is nobody's approver.
                user: review.user.and_then(|user| user.login).unwrap_or_default(),
                environments: review
                    .environments
                    .into_iter()
                    .filter_map(|environment| environment.name)
                    .collect(),
            })
            .collect())
    }
}

/// A variable of the runner, where it has a value.
fn set(variable: impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    variable(name)
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

/// A reader of GitHub, and the path before every route of its API. Nothing is sent yet.
fn opened(
    connection: &Connection,
    api: Option<String>,
    repository: &str,
    token: String,
) -> Result<(Reader, String), CommandError> {
    let (github, prefix) = connected(connection, api, repository, token)?;
    Ok((github.reader(), prefix))
}

fn connected(
    connection: &Connection,
    api: Option<String>,
    repository: &str,
    token: String,
) -> Result<(Connection, String), CommandError> {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.trim_matches('.').is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    match repository.split_once('/') {
        Some((owner, name)) if is_part(owner) && is_part(name) => {}
        _ => return Err(malformed("GITHUB_REPOSITORY", repository)),
    }
    let api = api.unwrap_or_else(|| API.to_owned());
    let (host, prefix) = origin_and_path(&api).ok_or_else(|| malformed("GITHUB_API_URL", &api))?;
    let connection = connection.beside(host, Credential::GitHubToken(token.into()))?;
    Ok((connection, prefix))
}

fn malformed(name: &str, text: &str) -> CommandError {
    CommandError::usage(format!("`{name}` is malformed: `{text}`"))
}

/// GitHub's address as scheme and authority, and the path before every route: an own GitHub server has one.
fn origin_and_path(address: &str) -> Option<(Host, String)> {
    let url = Url::parse(address).ok()?;
    let nothing_else = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    let host: Host = url.origin().ascii_serialization().parse().ok()?;
    nothing_else.then(|| (host, url.path().trim_end_matches('/').to_owned()))
}

/// A read that failed, in words that name GitHub. `permission` is what to do when the token may not ask.
fn refusal(what: &str, permission: &str, error: &ApiError) -> CommandError {
    failure(&format!("cannot read {what}"), permission, error)
}

/// The same error in words that name GitHub, since those of the client are about Domino. `what` is what cannot be done,
/// and `permission` what to do when the token may not do it.
fn failure(what: &str, permission: &str, error: &ApiError) -> CommandError {
    let said = match error.cause() {
        Cause::Refused {
            words: Some(words), ..
        } => format!("; GitHub says: {words}"),
        Cause::Refused { .. } => String::new(),
        _ => std::error::Error::source(error).map_or_else(String::new, |why| format!(": {why}")),
    };
    let failure = CommandError::new(error.exit(), format!("{what}: {error}{said}"));
    match error.status().map(|status| status.as_u16()) {
        _ if error.is_rate_limit() => {
            failure.hint("GitHub is being asked too often: run this again later")
        }
        Some(401 | 403 | 404) => failure.hint(permission),
        _ => failure.hint("run this again; if GitHub is an own server, check `GITHUB_API_URL`"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{header, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    fn run(variables: &[(&str, &str)]) -> Result<WorkflowRun, CommandError> {
        WorkflowRun::of_this_step(&connection("https://domino.example.com"), |name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn at(api: &str) -> Result<WorkflowRun, CommandError> {
        run(&[
            ("GITHUB_API_URL", api),
            ("GITHUB_REPOSITORY", "acme/wine"),
            ("GITHUB_RUN_ID", "77"),
            ("GITHUB_TOKEN", "canary-github-1"),
        ])
    }

    #[tokio::test]
    async fn the_reviews_of_the_run_are_read_with_the_jobs_token() {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path("/api/v3/repos/acme/wine/actions/runs/77/approvals"))
            .and(header("authorization", "Bearer canary-github-1"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!([
                {"state": "approved", "comment": "", "user": {"login": "ann", "id": 1},
                 "environments": [{"id": 1, "name": "PROD"}]},
                {"state": "rejected", "comment": "no", "user": null, "environments": [{"id": 2, "name": "STAGE"}]},
                {"state": "pending", "user": {"login": "bob"}, "environments": []},
                {"state": "approved", "user": {"id": 5}, "environments": [{"id": 3}, {"name": "PROD"}]},
                {"state": "approved"},
            ])))
            .expect(1)
            .mount(&server)
            .await;
        let run = at(&format!("{}/api/v3/", server.uri())).unwrap();
        let reviews = run.reviews().await.unwrap();
        assert_eq!(reviews[0].user, "ann");
        assert_eq!(reviews[0].decision, ReviewDecision::Approved);
        assert_eq!(reviews[0].environments, ["PROD"]);
        assert_eq!(
            (reviews[1].user.as_str(), &reviews[1].decision),
            ("", &ReviewDecision::Rejected)
        );
        assert_eq!(reviews[2].decision, ReviewDecision::Other("pending".into()));
        let of = |at: usize| (reviews[at].user.as_str(), reviews[at].environments.len());
        assert_eq!([of(3), of(4)], [("", 1), ("", 0)]);
    }

    #[tokio::test]
    async fn a_used_up_limit_is_waited_for_like_a_429() {
        let in_a_moment = jiff::Timestamp::now().as_second() + 5;
        let words = json!({"message": "API rate limit exceeded for installation"});
        let used_up = ResponseTemplate::new(403)
            .insert_header("x-ratelimit-remaining", "0")
            .insert_header("x-ratelimit-reset", in_a_moment.to_string())
            .set_body_json(words.clone());
        let secondary = ResponseTemplate::new(403)
            .insert_header("retry-after", "1")
            .set_body_json(words.clone());
        for limited in [used_up, secondary] {
            let server = MockServer::start().await;
            Mock::given(method("GET"))
                .respond_with(limited)
                .up_to_n_times(2)
                .expect(2)
                .mount(&server)
                .await;
            Mock::given(method("GET"))
                .respond_with(ResponseTemplate::new(200).set_body_json(json!([])))
                .expect(1)
                .mount(&server)
                .await;
            assert_eq!(at(&server.uri()).unwrap().reviews().await.unwrap(), []);
        }

        // An hour is longer than anybody waits; a budget that is not used up makes a 403 no limit.
        let in_an_hour = jiff::Timestamp::now().as_second() + 3600;
        for (remaining, exit, hint) in [
            ("0", Exit::Unreachable, "asked too often"),
            ("7", Exit::Refused, "actions: read"),
        ] {
            let server = MockServer::start().await;
            Mock::given(method("GET"))
                .respond_with(
                    ResponseTemplate::new(403)
                        .insert_header("x-ratelimit-remaining", remaining)
                        .insert_header("x-ratelimit-reset", in_an_hour.to_string())
                        .set_body_json(words.clone()),
                )
                .expect(1)
                .mount(&server)
                .await;
            let failure = at(&server.uri()).unwrap().reviews().await.unwrap_err();
            assert_eq!(failure.exit(), exit);
            assert!(failure.to_do().unwrap().contains(hint), "{failure:?}");
        }
    }

    #[tokio::test]
    async fn a_refusal_is_githubs_and_names_the_permission() {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .respond_with(
                ResponseTemplate::new(403)
                    .set_body_json(json!({"message": "Resource not accessible by integration"})),
            )
            .mount(&server)
            .await;
        let failure = at(&server.uri()).unwrap().reviews().await.unwrap_err();
        let text = failure.to_string();
        assert!(text.contains("GitHub says: Resource not accessible by integration"));
        assert!(!text.contains("Domino") && !text.contains("canary-github"));
        assert_eq!(failure.exit(), Exit::Refused);
        let hint = failure.to_do().unwrap();
        assert!(hint.contains("actions: read"), "{hint}");
    }

    #[test]
    fn outside_a_workflow_run_nobody_can_be_asked() {
        let failure = run(&[]).unwrap_err();
        assert_eq!(failure.exit(), Exit::NotApproved);
        assert!(failure.to_string().contains("`GITHUB_REPOSITORY`"));
    }

    #[test]
    fn the_token_goes_to_an_address_of_github_only() {
        for api in [
            "",
            "https://api.github.com",
            "https://git.example.com/api/v3",
        ] {
            assert!(at(api).is_ok(), "{api}");
        }
        for api in [
            "http://api.github.com",
            "https://me@git.example.com",
            "git.example.com",
            "https://git.example.com/?x=y",
        ] {
            assert_eq!(at(api).unwrap_err().exit(), Exit::Usage, "{api}");
        }
        let bad = run(&[
            ("GITHUB_REPOSITORY", "acme/../x"),
            ("GITHUB_RUN_ID", "77"),
            ("GITHUB_TOKEN", "t"),
        ]);
        assert_eq!(bad.unwrap_err().exit(), Exit::Usage);
    }
}
