//! Who may approve: people and teams by the names that people use, with the ids that GitHub requires.

use serde::Deserialize;

use super::environments::Environments;
use crate::choice::{Named, choose};
use crate::client::{ApiError, segment};
use crate::error::CommandError;
use crate::github::refusal;

/// What to do when the token may not read.
const PERMISSION: &str =
    "use a `GITHUB_TOKEN` that may read the repository's collaborators and teams";

/// A person who may approve, or a team any of whose members may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewer {
    /// Whether a reviewer is a person or a team.
    pub kind: ReviewerKind,
    /// GitHub's id of the person or team.
    pub id: u64,
    /// A login, or `team:<slug>`.
    pub name: String,
}

/// Whether a reviewer is a person or a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum ReviewerKind {
    /// A person, known by a login.
    User,
    /// A team of the organisation, known by a slug.
    Team,
}

#[derive(Deserialize)]
pub(super) struct Wire {
    reviewer: Option<Known>,
}

/// A user has a login, a team a slug.
#[derive(Deserialize)]
struct Known {
    id: Option<u64>,
    login: Option<String>,
    slug: Option<String>,
}

#[derive(Deserialize)]
struct Permission {
    permission: Option<String>,
    user: Option<Known>,
}

impl Reviewer {
    /// A reviewer who was deleted has neither name nor id, and is ignored.
    pub(super) fn of_wire(wire: Wire) -> Option<Self> {
        Self::of_known(wire.reviewer?)
    }

    fn of_known(known: Known) -> Option<Self> {
        let (kind, name) = match (known.login, known.slug) {
            (Some(login), _) => (ReviewerKind::User, login),
            (None, slug) => (ReviewerKind::Team, format!("team:{}", slug?)),
        };
        Some(Self {
            kind,
            id: known.id?,
            name,
        })
    }

    /// Whether this is the approver that the stage file names. GitHub compares names without case.
    pub fn is_called(&self, approver: &str) -> bool {
        self.name.eq_ignore_ascii_case(approver)
    }
}

impl Named for Reviewer {
    fn id(&self) -> &str {
        &self.name
    }
    fn name(&self) -> &str {
        &self.name
    }
}

impl Environments {
    /// The reviewer that a login or `team:<slug>` means. If they cannot read the repository, the error names those
    /// who can.
    pub async fn reviewer(&self, approver: &str) -> Result<Reviewer, CommandError> {
        match approver.strip_prefix("team:") {
            Some(_) => self.team(approver).await,
            None => self.user(approver).await,
        }
    }

    /// `GET /repos/{owner}/{repo}/collaborators/{login}/permission`. Contract: GitHub's published OpenAPI description.
    async fn user(&self, login: &str) -> Result<Reviewer, CommandError> {
        let collaborators = format!("{}/collaborators", self.repository);
        let path = format!("{collaborators}/{}/permission", segment(login));
        let asked = self.reader.read_if_there::<Permission>(&path, &[]).await;
        let found = asked.map_err(|error| told(&format!("who `{login}` is"), &error))?;
        let user = found
            .filter(|found| found.permission.as_deref() != Some("none"))
            .and_then(|found| Reviewer::of_known(found.user?));
        if let Some(user) = user {
            return Ok(user);
        }
        let (people, teams) = tokio::join!(self.reviewers_at(&collaborators), self.teams());
        let team = format!("team:{login}");
        if teams.is_ok_and(|teams| teams.iter().any(|known| known.is_called(&team))) {
            let error = format!("`{login}` is no user who may read the repository, but a team");
            return Err(CommandError::refused(error).hint(format!("write `{team}`")));
        }
        match people {
            Ok(people) => choose(&people, login, "collaborator").cloned(),
            Err(_) => {
                let error = format!("there is no user `{login}` who may read the repository");
                Err(CommandError::refused(error)
                    .hint("a reviewer must be able to read it: invite them, or name somebody else"))
            }
        }
    }

    /// The team, among those that can read the repository.
    async fn team(&self, name: &str) -> Result<Reviewer, CommandError> {
        let teams = self.teams().await;
        let teams = teams.map_err(|error| told("the teams of the repository", &error))?;
        match teams.iter().find(|team| team.is_called(name)) {
            Some(team) => Ok(team.clone()),
            None if teams.is_empty() => {
                let error = format!("there is no team `{name}`: no team may read the repository");
                Err(CommandError::refused(error).hint(
                    "give the team access to the repository (only those of organizations have teams), or name people",
                ))
            }
            None => choose(&teams, name, "team").cloned(),
        }
    }

    /// `GET /repos/{owner}/{repo}/teams`. Contract: GitHub's published OpenAPI description.
    async fn teams(&self) -> Result<Vec<Reviewer>, ApiError> {
        self.reviewers_at(&format!("{}/teams", self.repository))
            .await
    }

    /// A list of people or of teams.
    async fn reviewers_at(&self, path: &str) -> Result<Vec<Reviewer>, ApiError> {
        let known = self.all(path, &[], |page: Vec<Known>| page).await?;
        Ok(known.into_iter().filter_map(Reviewer::of_known).collect())
    }
}

fn told(what: &str, error: &ApiError) -> CommandError {
    refusal(what, PERMISSION, error)
}
