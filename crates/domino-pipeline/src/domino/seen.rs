//! What a stage has in Domino now, as far as its set-up needs it and as far as the token may see it.

use domino_core::api::git_credentials::GitCredential;
use domino_core::api::governance::{PolicyOverview, PolicyStatus};
use domino_core::api::projects::{ProjectDetails, ProjectId};
use domino_core::api::service_accounts::{ServiceAccount, TokenDetails};
use domino_core::api::users::{User, UserId};
use domino_core::client::{ApiError, Connection, Reader};
use domino_core::credential::Credential;
use domino_core::error::{CommandError, Result};
use secrecy::SecretString;
use stage_file::{DominoApproval, ProjectName, Stage};

/// The role that begins the names of all administrators' roles would be too much for an account of a pipeline.
const ADMINISTRATOR: &str = "admin";

/// What a stage has in Domino now.
#[derive(Clone)]
pub(super) struct Seen {
    /// Who asks.
    pub(super) own: User,
    /// The id of the project's owner, where we may make projects for it.
    pub(super) owner: Option<UserId>,
    pub(super) project: Option<ProjectDetails>,
    /// Whether service accounts may be managed with this token.
    pub(super) may_manage: bool,
    pub(super) account: Option<AccountSeen>,
    /// The policy that the stage's gates name; `Err` where it cannot be had.
    pub(super) policy: Option<std::result::Result<(), String>>,
}

/// What there is of a service account.
#[derive(Clone)]
pub(super) struct AccountSeen {
    pub(super) account: ServiceAccount,
    pub(super) roles: Vec<String>,
    pub(super) credentials: Vec<GitCredential>,
    pub(super) tokens: Vec<TokenDetails>,
}

impl Seen {
    /// Asks Domino.
    pub(super) async fn read(reader: &Reader, stage: &Stage, name: &str) -> Result<Self> {
        let own = reader.own_user().await?;
        let project = project(reader, &stage.project).await?;
        let owner = match project {
            Some(_) => None,
            None => owner(reader, &own, &stage.project).await?,
        };
        let accounts = unless_forbidden(reader.service_accounts().await)?;
        let may_manage = accounts.is_some();
        let accounts = accounts.unwrap_or_default();
        let account = accounts.into_iter().find(|one| one.username == name);
        let account = match account {
            Some(account) => Some(AccountSeen::read(reader, account).await?),
            None => None,
        };
        Ok(Self {
            own,
            owner,
            project,
            may_manage,
            account,
            policy: policy(reader, stage).await?,
        })
    }
}

impl AccountSeen {
    async fn read(reader: &Reader, account: ServiceAccount) -> Result<Self> {
        let (roles, credentials, tokens) = tokio::try_join!(
            reader.roles(&account.id),
            reader.credentials_of_account(&account),
            reader.tokens(&account),
        )?;
        Ok(Self {
            account,
            roles,
            credentials,
            tokens,
        })
    }
}

/// The roles that make somebody an administrator of some kind.
pub(crate) fn administrators(roles: &[String]) -> Vec<&str> {
    let is_one = |role: &&String| role.to_lowercase().contains(ADMINISTRATOR);
    roles.iter().filter(is_one).map(String::as_str).collect()
}

/// A connection as the service account.
pub(crate) fn as_account(connection: &Connection, token: &SecretString) -> Result<Connection> {
    let credential = Credential::Token(token.clone());
    Ok(connection.beside(connection.host().clone(), credential)?)
}

/// The project. Domino 6.2 answers 403 to one that is not there.
pub(crate) async fn project(reader: &Reader, name: &ProjectName) -> Result<Option<ProjectDetails>> {
    let found = match reader.project(name).await {
        Err(error) if is_forbidden(&error) => {
            if reader.known_projects().await.contains(name) {
                return Err(error.into());
            }
            None
        }
        found => found?,
    };
    match found {
        Some(project) => Ok(Some(reader.project_details(&project.id).await?)),
        None => Ok(None),
    }
}

/// The credential by which the runs of this account get the code of a repository.
pub(super) async fn mapped(
    reader: &Reader,
    project: &ProjectId,
    repository: &str,
    user: &UserId,
) -> std::result::Result<Option<String>, ApiError> {
    let all = reader
        .credential_mappings(project)
        .await?
        .unwrap_or_default();
    let own = all
        .into_iter()
        .find(|one| one.user_id == *user && one.repo_id == repository);
    Ok(own.and_then(|own| own.credential_id))
}

/// The owner that a new project gets: oneself, an organisation of one's own, or another user.
async fn owner(reader: &Reader, own: &User, name: &ProjectName) -> Result<Option<UserId>> {
    if own.user_name == name.owner {
        return Ok(Some(own.id.clone()));
    }
    let mut organizations = own.organizations.iter();
    if let Some(organization) = organizations.find(|one| one.name == name.owner) {
        return Ok(Some(organization.id.clone()));
    }
    let user = reader.user(&name.owner).await?;
    Ok(user.map(|user| user.id))
}

/// Whether the policy of the stage's gates is in force.
async fn policy(reader: &Reader, stage: &Stage) -> Result<Option<std::result::Result<(), String>>> {
    let Some(wanted) = &stage.gates.policy else {
        return Ok(None);
    };
    if stage.gates.domino_approval != DominoApproval::Governance {
        return Ok(None);
    }
    let all = match reader.policies().await {
        Err(error) if is_forbidden(&error) || error.is_unknown_route() => {
            return Ok(Some(Err(format!("the policies cannot be seen: {error}"))));
        }
        all => all?,
    };
    let is_meant = |one: &&PolicyOverview| one.name == *wanted || one.id.as_str() == wanted;
    let found = all.iter().find(is_meant);
    Ok(Some(match found {
        Some(policy) if policy.status == PolicyStatus::Published => Ok(()),
        Some(_) => Err(format!("policy `{wanted}` is not published")),
        None => Err(format!("there is no policy `{wanted}`")),
    }))
}

/// Whether this token may not do it; not that it asks too often.
pub(super) fn is_forbidden(error: &ApiError) -> bool {
    error.status().is_some_and(|status| status.as_u16() == 403) && error.retry_after().is_none()
}

fn unless_forbidden<T>(found: std::result::Result<T, ApiError>) -> Result<Option<T>, CommandError> {
    match found {
        Err(error) if is_forbidden(&error) => Ok(None),
        found => Ok(Some(found?)),
    }
}
