//! Whether this workflow run was started by hand, and by somebody who may: what stands for an approval where GitHub's plan
//! has no required reviewers.

use serde::Deserialize;
use stage_file::{SelfApproval, Stage};

use super::{Login, RunApproval, WorkflowRun, refusal};
use crate::error::CommandError;

/// The event of a run that a person starts.
const BY_HAND: &str = "workflow_dispatch";
/// Who GitHub says committed what it merged itself.
const GITHUB: &str = "web-flow";

/// Who may start a run by hand, and what is held against them.
#[derive(Clone, Copy)]
pub struct StarterRules<'a> {
    /// The stage that is entered.
    pub stage: &'a Stage,
    /// How this is somebody's own work besides that they wrote the commit, if it is.
    pub own_work: &'a dyn Fn(&str) -> Option<&'static str>,
}

#[derive(Deserialize)]
struct Run {
    #[serde(default)]
    event: String,
    #[serde(default)]
    head_sha: String,
    /// Who started this attempt at the run.
    triggering_actor: Option<Login>,
}

#[derive(Deserialize)]
struct Commit {
    author: Option<Login>,
    committer: Option<Login>,
    #[serde(default)]
    parents: Vec<Parent>,
}

#[derive(Deserialize)]
struct Parent {
    sha: String,
}

/// Who wrote a commit: logins, and nothing for whom GitHub does not know.
type Authors = Vec<Option<String>>;

impl WorkflowRun {
    /// Whether the run was started by hand, by one of the stage's approvers whose work its commit is not. It reads `GET
    /// /repos/{owner}/{repo}/actions/runs/{run_id}` and `GET /repos/{owner}/{repo}/commits/{ref}`, which need `actions:
    /// read` and `contents: read`. Contract: GitHub's published OpenAPI description.
    pub async fn started_by_approver(
        &self,
        rules: StarterRules<'_>,
    ) -> Result<RunApproval, CommandError> {
        let path = format!(
            "{}/repos/{}/actions/runs/{}",
            self.prefix, self.repository, self.id
        );
        let run: Run = self.reader.read(&path, &[]).await.map_err(|error| {
            refusal(
                "who started this run",
                "the step needs `GITHUB_TOKEN`, and its job `permissions: actions: read`",
                &error,
            )
        })?;
        match rules.starter(&run) {
            Err(refused) => Ok(refused),
            Ok(starter) => {
                let authors = self.authors(&run.head_sha).await?;
                Ok(rules.evaluate(starter, &run.head_sha, &authors))
            }
        }
    }

    /// Whose work a commit is. What GitHub merged by itself is the work of those whose branches were merged, and not of
    /// whoever pressed the button.
    async fn authors(&self, commit: &str) -> Result<Authors, CommandError> {
        let head = self.commit(commit).await?;
        let merged: Vec<&Parent> = head.parents.iter().skip(1).collect();
        let mut authors = Vec::new();
        if merged.is_empty() || login(head.committer.as_ref()) != Some(GITHUB) {
            authors.push(login(head.author.as_ref()).map(str::to_owned));
        }
        for parent in merged {
            let parent = self.commit(&parent.sha).await?;
            authors.push(login(parent.author.as_ref()).map(str::to_owned));
        }
        Ok(authors)
    }

    async fn commit(&self, commit: &str) -> Result<Commit, CommandError> {
        let path = format!("{}/repos/{}/commits/{commit}", self.prefix, self.repository);
        // The files are not read; one a page keeps the answer short.
        let query = [("per_page", "1")];
        self.reader.read(&path, &query).await.map_err(|error| {
            refusal(
                "who wrote the commit",
                "the step needs `GITHUB_TOKEN`, and its job `permissions: contents: read`",
                &error,
            )
        })
    }
}

fn login(user: Option<&Login>) -> Option<&str> {
    user?.login.as_deref()
}

impl StarterRules<'_> {
    /// Who started the run by hand, if one of the approvers did.
    fn starter<'r>(&self, run: &'r Run) -> Result<&'r str, RunApproval> {
        let stage = &self.stage.name;
        let starter = login(run.triggering_actor.as_ref()).unwrap_or_default();
        if run.event != BY_HAND {
            return Err(RunApproval::Refused {
                reason: format!(
                    "this run was started by `{}`, and stage `{stage}` is entered by one that an approver starts by hand",
                    run.event
                ),
                hint: "let an approver start the workflow by hand: *Run workflow* on its page, or `gh workflow run`",
            });
        }
        let mut approvers = self.stage.approvers.iter();
        match approvers.any(|approver| is(approver, starter)) {
            true => Ok(starter),
            false => Err(RunApproval::Refused {
                reason: format!(
                    "this run was started by `{starter}`, who is none of the stage's `approvers`"
                ),
                hint: "let one of them start it, or run it again",
            }),
        }
    }

    fn evaluate(&self, starter: &str, commit: &str, authors: &[Option<String>]) -> RunApproval {
        let short = commit.get(..12).unwrap_or(commit);
        let is_author = authors.iter().flatten().any(|author| is(author, starter));
        let objection = match (self.own_work)(starter) {
            _ if is_author => Some(format!("who wrote commit {short}")),
            Some(own) => Some(own.to_owned()),
            None if authors.iter().any(Option::is_none) => Some(format!(
                "and may have written commit {short}: GitHub knows no user of its author"
            )),
            None => None,
        };
        let reason = format!("started by hand by `{starter}`");
        match objection {
            Some(objection) if self.stage.self_approval == SelfApproval::Refuse => {
                RunApproval::Refused {
                    reason: format!("this run was {reason}, {objection}"),
                    hint: "let another of the approvers start it, or run it again; a commit is known by the e-mail \
                           addresses of its author's account",
                }
            }
            objection => RunApproval::Given {
                reason,
                by: vec![starter.to_owned()],
                remarks: objection
                    .map(|objection| {
                        format!(
                            "stage `{}` was entered by `{starter}`, {objection}; `self-approval = \"warn\"` lets it pass",
                            self.stage.name
                        )
                    })
                    .into_iter()
                    .collect(),
            },
        }
    }
}

fn is(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};
    use stage_file::StageFile;
    use wiremock::matchers::{method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    fn stage(keys: &str) -> Stage {
        let text = format!(
            "[defaults]\nhost = \"domino.example.com\"\nproject = \"a/b\"\n[stage.dev]\n[stage.prod]\n\
             gate = \"dispatch\"\napprovers = [\"Ann\", \"ben\"]\n{keys}"
        );
        let file = StageFile::read(&text, Path::new("stages.toml")).unwrap();
        file.stages[1].clone()
    }

    fn user(login: &str) -> Value {
        json!({"login": login, "id": 1})
    }

    async fn answered(stage: &Stage, run: Value, commits: &[(&str, Value)]) -> RunApproval {
        let server = MockServer::start().await;
        let answer = async |route: String, body: &Value| {
            Mock::given(method("GET"))
                .and(path(route))
                .respond_with(ResponseTemplate::new(200).set_body_json(body))
                .mount(&server)
                .await;
        };
        answer("/repos/acme/wine/actions/runs/77".into(), &run).await;
        for (sha, commit) in commits {
            answer(format!("/repos/acme/wine/commits/{sha}"), commit).await;
        }
        let told = |name: &str| {
            Some(match name {
                "GITHUB_API_URL" => server.uri(),
                "GITHUB_REPOSITORY" => "acme/wine".to_owned(),
                "GITHUB_RUN_ID" => "77".to_owned(),
                _ => "canary-github-1".to_owned(),
            })
        };
        let run = WorkflowRun::of_this_step(&connection("https://domino.example.com"), told);
        let own_work = |login: &str| (login == "ben").then_some("who trained the version");
        let rules = StarterRules {
            stage,
            own_work: &own_work,
        };
        run.unwrap().started_by_approver(rules).await.unwrap()
    }

    fn by(event: &str, login: &str) -> Value {
        json!({"id": 77, "event": event, "head_sha": "a1", "actor": user("zoe"),
               "triggering_actor": user(login)})
    }

    fn written_by(author: Value) -> Value {
        json!({"sha": "a1", "author": author, "committer": author, "parents": [{"sha": "p"}]})
    }

    #[tokio::test]
    async fn an_approver_who_did_not_write_the_commit_starts_the_run() {
        let commit = [("a1", written_by(user("dora")))];
        let given = answered(&stage(""), by(BY_HAND, "ann"), &commit).await;
        assert_eq!(
            given,
            RunApproval::Given {
                reason: "started by hand by `ann`".into(),
                by: vec!["ann".into()],
                remarks: Vec::new(),
            }
        );
    }

    #[tokio::test]
    async fn nobody_else_does_and_nothing_else() {
        for (run, author, reason) in [
            (
                by("push", "ann"),
                user("dora"),
                "this run was started by `push`, and stage `prod` is entered by one that an approver starts by hand",
            ),
            (
                by(BY_HAND, "cleo"),
                user("dora"),
                "this run was started by `cleo`, who is none of the stage's `approvers`",
            ),
            (
                json!({"id": 77, "event": BY_HAND, "head_sha": "a1"}),
                user("dora"),
                "this run was started by ``, who is none of the stage's `approvers`",
            ),
            (
                by(BY_HAND, "ann"),
                user("ANN"),
                "this run was started by hand by `ann`, who wrote commit a1",
            ),
            (
                by(BY_HAND, "ann"),
                Value::Null,
                "this run was started by hand by `ann`, and may have written commit a1: GitHub knows no user of its author",
            ),
            (
                by(BY_HAND, "ben"),
                user("dora"),
                "this run was started by hand by `ben`, who trained the version",
            ),
        ] {
            match answered(&stage(""), run, &[("a1", written_by(author))]).await {
                RunApproval::Refused { reason: told, .. } => assert_eq!(told, reason),
                other => panic!("{reason}: {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_team_of_one_may_enter_with_a_warning() {
        let commit = [("a1", written_by(user("ann")))];
        let of_one = stage("self-approval = \"warn\"");
        match answered(&of_one, by(BY_HAND, "ann"), &commit).await {
            RunApproval::Given { remarks, .. } => assert_eq!(
                remarks,
                [
                    "stage `prod` was entered by `ann`, who wrote commit a1; `self-approval = \"warn\"` lets it pass"
                ]
            ),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_merge_by_github_is_the_work_of_whose_branch_was_merged() {
        let merge = |committer: &str| {
            json!({"sha": "a1", "author": user("ann"), "committer": user(committer),
                   "parents": [{"sha": "p"}, {"sha": "b2"}]})
        };
        let of = async |committer: &str, branch: &str| {
            let commits = [("a1", merge(committer)), ("b2", written_by(user(branch)))];
            let approval = answered(&stage(""), by(BY_HAND, "ann"), &commits).await;
            matches!(approval, RunApproval::Given { .. })
        };
        assert!(of(GITHUB, "dora").await, "who merged did not write it");
        assert!(!of(GITHUB, "ann").await, "a branch of one's own");
        assert!(
            !of("ann", "dora").await,
            "a merge made by hand may hold anything"
        );
    }
}
