//! The set-up of one stage: from what Domino and GitHub have to what the stage file asks for, as lines of a plan and the
//! writes behind them, and what is left to people.

mod secret;

use domino_core::api::model_apis::EndpointRole;
use domino_core::api::projects::CONTRIBUTOR;
use domino_core::api::users::UserId;
use domino_core::client::Connection;
use domino_core::error::Result;
use domino_core::step::{ChangeKind, Step};
use secrecy::SecretString;
use stage_file::{Stage, StageFile};

use super::code::{Code, GitToken};
use super::seen::{Seen, administrators};
use crate::github::access::Repository;
use crate::github::difference::EnvironmentPlan;
use crate::github::held::{Held, TOKEN_NAME};

/// What a stage is to get and what of it exists.
pub(super) struct StageSetUp<'a> {
    pub(super) stage: &'a Stage,
    pub(super) connection: Connection,
    /// The name of the service account.
    pub(super) account: String,
    pub(super) code: &'a Code,
    pub(super) git_token: Option<GitToken>,
    /// What there is; what is made is added.
    pub(super) seen: Seen,
    pub(super) github: Option<OnGitHub<'a>>,
    /// The account's token, once it is known.
    pub(super) token: Option<SecretString>,
    /// Whether the token was looked at and may go into the secret.
    pub(super) is_issued: bool,
    /// Whether this is a further repository, which gets a token of its own and nothing else.
    pub(super) is_beside: bool,
    pub(super) lines: Vec<(ChangeKind, String)>,
    pub(super) writes: Vec<Write>,
    /// What this token may not do, or what no API does: words for a person.
    pub(super) left: Vec<String>,
}

/// What concerns the GitHub environment.
pub(super) struct OnGitHub<'a> {
    pub(super) plan: EnvironmentPlan<'a>,
    pub(super) held: Held,
    /// The token that its secret is to hold.
    pub(super) token: String,
    /// Whether GitHub refused one of the writes.
    pub(super) is_refused: bool,
}

/// A change in Domino or on GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Write {
    Project,
    Account,
    /// All roles that the account keeps.
    Roles(Vec<String>),
    Member,
    Role,
    GitCredential,
    /// A new token, or one whose way into the secret was broken off.
    Token(String),
    Mapping,
    /// The write of this number of the environment's plan.
    GitHub(usize, String),
    TokenName,
}

impl std::fmt::Display for Write {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Project => f.write_str("project"),
            Self::Account => f.write_str("service account"),
            Self::Roles(_) => f.write_str("roles of the service account"),
            Self::Member | Self::Role => f.write_str("role in the project"),
            Self::GitCredential => f.write_str("git credential"),
            Self::Token(name) => write!(f, "token `{name}`"),
            Self::Mapping => f.write_str("choice of the git credential"),
            Self::GitHub(_, name) => write!(f, "{name} on GitHub"),
            Self::TokenName => write!(f, "variable `{TOKEN_NAME}` on GitHub"),
        }
    }
}

impl<'a> StageSetUp<'a> {
    /// Reads what there is and compares; changes nothing.
    pub(super) async fn plan(
        file: &'a StageFile,
        stage: &'a Stage,
        connection: Connection,
        (account, code, git_token): (String, &'a Code, Option<GitToken>),
        (repository, earlier): (Option<&'a Repository>, &[Self]),
        step: &mut Step,
    ) -> Result<Self> {
        let seen = Seen::read(&connection.reader(), stage, &account).await?;
        let mut set_up = Self {
            git_token,
            ..Self::unplanned(stage, connection, account, code, seen)
        };
        set_up.project(earlier);
        set_up.account();
        set_up.member().await?;
        set_up.git_credential();
        match repository {
            Some(repository) => set_up.secret(file, repository, step).await?,
            None => set_up.left.push(format!(
                "the token of `{}`: without a token for GitHub none is made, since there would be no secret to put it \
                 into; set `GITHUB_TOKEN`",
                set_up.account
            )),
        }
        set_up.endpoints(file).await?;
        set_up.policy();
        Ok(set_up)
    }

    /// One with what there is, and nothing planned yet.
    fn unplanned(
        stage: &'a Stage,
        connection: Connection,
        account: String,
        code: &'a Code,
        seen: Seen,
    ) -> Self {
        Self {
            stage,
            connection,
            account,
            code,
            git_token: None,
            seen,
            github: None,
            token: None,
            is_issued: false,
            is_beside: false,
            lines: Vec::new(),
            writes: Vec::new(),
            left: Vec::new(),
        }
    }

    /// The same for a further repository: its environment, and a token of the same account.
    pub(super) async fn beside(
        &self,
        file: &'a StageFile,
        repository: &'a Repository,
        step: &mut Step,
    ) -> Result<Self> {
        let (connection, account) = (self.connection.clone(), self.account.clone());
        let seen = self.seen.clone();
        let mut set_up = Self {
            is_beside: true,
            ..Self::unplanned(self.stage, connection, account, self.code, seen)
        };
        set_up.secret(file, repository, step).await?;
        Ok(set_up)
    }

    /// Whose set-up this is: the stage, and the repository if it is a further one.
    pub(super) fn title(&self) -> String {
        let stage = &self.stage.name;
        match self.github.as_ref().filter(|_| self.is_beside) {
            Some(github) => format!("{stage}, {}", github.plan.repository.name),
            None => stage.clone(),
        }
    }

    fn line(&mut self, kind: ChangeKind, text: impl Into<String>) {
        self.lines.push((kind, text.into()));
    }

    fn write(&mut self, write: Write, line: impl Into<String>) {
        let kind = match write {
            Write::Role | Write::Roles(_) => ChangeKind::Update,
            _ => ChangeKind::Create,
        };
        self.line(kind, line);
        self.writes.push(write);
    }

    /// Stages may share a project.
    fn project(&mut self, earlier: &[Self]) {
        let (name, url) = (&self.stage.project, &self.code.url);
        let shares = |other: &&Self| {
            other.stage.project == *name && other.connection.host() == self.connection.host()
        };
        let Some(project) = &self.seen.project else {
            if let Some(first) = earlier.iter().find(shares) {
                let text = format!("project `{name}`, that of stage `{}`", first.stage.name);
                return self.line(ChangeKind::Keep, text);
            }
            if self.seen.owner.is_none() {
                let text = format!(
                    "project `{name}`: `{}` is no user and no organization of yours, so that nobody can own it; make it \
                     in Domino from {url} (Projects > New project)",
                    name.owner
                );
                return self.left.push(text);
            }
            let text = format!("project `{name}`, private, based on {url}");
            return self.write(Write::Project, text);
        };
        let text = match &project.main_repository {
            Some(there) if self.code.is_at(&there.uri) => format!("project `{name}`"),
            Some(there) => format!("project `{name}`, based on {}", there.uri),
            None => {
                let text = format!(
                    "project `{name}` is not based on git, and none can become so: name another one in stages.toml, which \
                     is made then"
                );
                return self.left.push(text);
            }
        };
        self.line(ChangeKind::Keep, text);
    }

    fn account(&mut self) {
        let name = self.account.clone();
        if !self.seen.may_manage {
            let text = format!(
                "service account `{name}`, its git credential and its token: only an administrator may make them, and no \
                 page of Domino does; let one run this with a token of their own"
            );
            return self.left.push(text);
        }
        let Some(seen) = &self.seen.account else {
            let own = self.seen.own.roles.clone();
            self.write(Write::Account, format!("service account `{name}`"));
            // Domino gives it the roles of who makes it.
            return self.roles(&own);
        };
        let roles = seen.roles.clone();
        self.line(ChangeKind::Keep, format!("service account `{name}`"));
        self.roles(&roles);
    }

    /// No token of an administrator goes to GitHub, and a token has the roles that its account had when it was made.
    fn roles(&mut self, roles: &[String]) {
        let taken = administrators(roles);
        if taken.is_empty() {
            return;
        }
        let text = format!(
            "`{}` loses `{}`, which it has of who made it",
            self.account,
            taken.join("`, `")
        );
        let mut kept: Vec<String> = roles.to_vec();
        kept.retain(|role| !taken.contains(&role.as_str()));
        if kept.is_empty() {
            kept.push("Practitioner".to_owned());
        }
        self.write(Write::Roles(kept), text);
    }

    async fn member(&mut self) -> Result<()> {
        let account = match &self.seen.account {
            Some(seen) => Some(seen.account.id.clone()),
            None if self.seen.may_manage => None,
            None => {
                let user = self.connection.reader().user(&self.account).await?;
                user.map(|user| user.id)
            }
        };
        if account.is_none() && !self.seen.may_manage {
            return Ok(());
        }
        let text = format!("`{}` is a contributor of the project", self.account);
        let role = account.as_ref().and_then(|id| self.role(id));
        match role {
            Some(None) => self.line(ChangeKind::Keep, text.replace("a contributor", "the owner")),
            Some(Some(role)) if role.eq_ignore_ascii_case(CONTRIBUTOR) => {
                self.line(ChangeKind::Keep, text);
            }
            Some(Some(role)) => self.write(Write::Role, format!("{text}, no longer `{role}`")),
            None => self.write(Write::Member, text),
        }
        Ok(())
    }

    /// The role of a user in the project; an owner has none.
    fn role(&self, id: &UserId) -> Option<Option<String>> {
        let project = self.seen.project.as_ref()?;
        if project.owner_id == *id {
            return Some(None);
        }
        let mut all = project.collaborators.iter();
        let found = all.find(|one| one.id == *id)?;
        Some(Some(found.role.clone()))
    }

    fn git_credential(&mut self) {
        if !self.seen.may_manage {
            return;
        }
        let domain = &self.code.domain;
        let text = format!("a git credential of `{}` for {domain}", self.account);
        if self.own_credential().is_some() {
            return self.line(ChangeKind::Keep, text);
        }
        match &self.git_token {
            Some(token) => {
                let text = format!("{text}, {}", token.source);
                self.write(Write::GitCredential, text);
            }
            None => self.left.push(format!("{text}: {}", GitToken::TO_DO)),
        }
    }

    /// The account's credential for the host of the repository.
    pub(super) fn own_credential(&self) -> Option<&str> {
        let mut all = self.seen.account.as_ref()?.credentials.iter();
        let found = all.find(|one| one.domain.eq_ignore_ascii_case(&self.code.domain));
        found.map(|one| one.id.as_str())
    }

    fn policy(&mut self) {
        let Some(policy) = &self.seen.policy else {
            return;
        };
        let name = self.stage.gates.policy.as_deref().unwrap_or_default();
        match policy {
            Ok(()) => {
                let text = format!(
                    "policy `{name}` is published; `promote-stage request` makes a bundle of it for each version"
                );
                self.line(ChangeKind::Keep, text);
            }
            Err(problem) => {
                let text = format!(
                    "{problem}: who approves what stands in no stage file; make and publish it in Domino (Govern > \
                     Policies), or name another one as `policy`"
                );
                self.left.push(text);
            }
        }
    }

    /// Who is no collaborator of an endpoint cannot deploy to it. No published route adds one.
    async fn endpoints(&mut self, file: &StageFile) -> Result<()> {
        let Some(project) = &self.seen.project else {
            return Ok(());
        };
        let reader = self.connection.reader();
        let Some(project) = reader
            .project(&self.stage.project)
            .await?
            .filter(|found| found.id == project.id)
        else {
            return Ok(());
        };
        if file.models.is_empty() {
            return Ok(());
        }
        let account = self
            .seen
            .account
            .as_ref()
            .map(|seen| seen.account.id.clone());
        let listed = reader.find_model_apis(&project).await?;
        for model in &file.models {
            let name = file.endpoint_name(model, self.stage);
            let Some(there) = listed.all.iter().find(|api| api.name == name) else {
                let text = format!(
                    "endpoint `{name}`: its first deployment makes it, and the account owns it"
                );
                self.line(ChangeKind::Keep, text);
                continue;
            };
            let role = match &account {
                Some(account) => reader.endpoint_role(&there.id, account).await?,
                None => Some(EndpointRole::NotNamed),
            };
            match role {
                Some(EndpointRole::Deploys(role)) => {
                    let text = format!("`{}` is {role} of endpoint `{name}`", self.account);
                    self.line(ChangeKind::Keep, text);
                }
                Some(EndpointRole::Sees(_) | EndpointRole::NotNamed) => self.left.push(format!(
                    "endpoint `{name}`: make `{}` an Editor of it (Endpoints > {name} > Settings > Access and Sharing), by \
                     hand, because no published route does",
                    self.account
                )),
                None => {}
            }
        }
        Ok(())
    }
}
