//! Makes the writes of a stage's set-up, each once: where a reply is lost, it is looked whether the thing is there. What is
//! made is added to what was seen, for the writes after it.

use domino_core::api::git_credentials::NewGitCredential;
use domino_core::api::projects::{CONTRIBUTOR, Collaborator, NewProject, ProjectDetails};
use domino_core::api::service_accounts::ServiceAccount;
use domino_core::client::{ApiError, write_once};
use domino_core::error::{CommandError, Exit};
use domino_core::step::Step;
use secrecy::ExposeSecret;

use super::account::email;
use super::seen::{AccountSeen, Seen, administrators, as_account, mapped, project};
use super::set_up::{StageSetUp, Write};
use crate::github::apply;
use crate::github::secret::Values;

/// Why a write was not made.
pub(super) enum Failure {
    /// Domino's answer.
    Domino(ApiError),
    /// Anything else.
    Other(CommandError),
    /// Something that it needs was not made.
    Lacks(&'static str),
    /// GitHub refused it, and will refuse it again: the other stages go on.
    GitHub(CommandError),
    /// GitHub refused what comes before it.
    Skipped,
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Domino(error)
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        Self::Other(error)
    }
}

type Done<T = ()> = Result<T, Failure>;

impl StageSetUp<'_> {
    /// Makes one write.
    pub(super) async fn perform(
        &mut self,
        write: &Write,
        values: &mut Values,
        step: &mut Step,
    ) -> Done {
        if self.is_beside && self.seen.account.is_none() {
            // It was made for the first repository meanwhile.
            let reader = self.connection.reader();
            self.seen = Seen::read(&reader, self.stage, &self.account).await?;
        }
        match write {
            Write::Project => self.make_project().await,
            Write::Account => self.make_account().await,
            Write::Roles(kept) => self.set_roles(kept).await,
            Write::Member => self.add_member().await,
            Write::Role => self.raise_role().await,
            Write::GitCredential => self.add_credential().await,
            Write::Token(name) => self.get_token(name, values, step).await,
            Write::Mapping => self.map_credential().await,
            Write::GitHub(at, _) => self.write_on_github(*at, values).await,
            Write::TokenName => self.name_token().await,
        }
    }

    async fn make_project(&mut self) -> Done {
        let owner = self.seen.owner.clone();
        let owner = owner.ok_or(Failure::Lacks("an owner of the project"))?;
        let (writer, reader) = (self.connection.writer(), self.connection.reader());
        // Without it Domino cannot look into a private repository while it makes the project.
        let own = reader.git_credentials(&self.seen.own.id).await;
        let own = own.ok().flatten().unwrap_or_default();
        let own = own
            .iter()
            .find(|one| one.domain.eq_ignore_ascii_case(&self.code.domain));
        let new = NewProject {
            name: &self.stage.project.name,
            description: "Made by domino-pipeline",
            owner: &owner,
            repository: &self.code.url,
            domain: &self.code.domain,
            credential: own.map(|one| one.id.as_str()),
        };
        let made = write_once(
            self.connection.delay_scale(),
            async || writer.create_project(&new).await,
            async || match reader.project(&self.stage.project).await? {
                Some(found) => reader.project_details(&found.id).await.map(Some),
                None => Ok(None),
            },
        );
        self.seen.project = Some(made.await?.into_inner());
        Ok(())
    }

    async fn make_account(&mut self) -> Done {
        let (writer, reader) = (self.connection.writer(), self.connection.reader());
        let (name, email) = (&self.account, email(&self.account, &self.connection));
        let made = write_once(
            self.connection.delay_scale(),
            async || writer.create_service_account(name, &email).await,
            async || {
                let all = reader.service_accounts().await?;
                Ok(all.into_iter().find(|one| one.username == *name))
            },
        );
        let account = made.await?.into_inner();
        self.seen.account = Some(AccountSeen {
            account,
            roles: self.seen.own.roles.clone(),
            credentials: Vec::new(),
            tokens: Vec::new(),
        });
        Ok(())
    }

    fn account_made(&self) -> Done<ServiceAccount> {
        let seen = self.seen.account.as_ref();
        seen.map(|seen| seen.account.clone())
            .ok_or(Failure::Lacks("the service account"))
    }

    /// The project, which may have been made for another stage meanwhile.
    async fn project_made(&mut self) -> Done<ProjectDetails> {
        if self.seen.project.is_none() {
            self.seen.project = project(&self.connection.reader(), &self.stage.project).await?;
        }
        let project = self.seen.project.clone();
        project.ok_or(Failure::Lacks("the project"))
    }

    async fn set_roles(&mut self, kept: &[String]) -> Done {
        let account = self.account_made()?;
        let (writer, reader) = (self.connection.writer(), self.connection.reader());
        write_once(
            self.connection.delay_scale(),
            async || writer.set_roles(&account.id, kept).await,
            async || Ok((reader.roles(&account.id).await? == kept).then_some(())),
        )
        .await?;
        if let Some(seen) = &mut self.seen.account {
            seen.roles = kept.to_vec();
        }
        Ok(())
    }

    async fn add_member(&mut self) -> Done {
        let project = self.project_made().await?;
        let (writer, reader) = (self.connection.writer(), self.connection.reader());
        let user = match self.account_made() {
            Ok(account) => account.id,
            Err(lacks) => match reader.user(&self.account).await? {
                Some(user) => user.id,
                None => return Err(lacks),
            },
        };
        write_once(
            self.connection.delay_scale(),
            async || writer.add_contributor(&project.id, &user).await,
            async || {
                let there = reader.project_details(&project.id).await?;
                Ok(there
                    .collaborators
                    .iter()
                    .any(|one| one.id == user)
                    .then_some(()))
            },
        )
        .await?;
        if let Some(project) = &mut self.seen.project {
            project.collaborators.push(Collaborator {
                id: user,
                role: CONTRIBUTOR.to_owned(),
            });
        }
        Ok(())
    }

    async fn raise_role(&mut self) -> Done {
        let (project, account) = (self.project_made().await?, self.account_made()?);
        let (writer, reader) = (self.connection.writer(), self.connection.reader());
        let is_raised =
            |one: &Collaborator| one.id == account.id && one.role.eq_ignore_ascii_case(CONTRIBUTOR);
        write_once(
            self.connection.delay_scale(),
            async || writer.make_contributor(&project.id, &account.id).await,
            async || {
                let there = reader.project_details(&project.id).await?;
                Ok(there.collaborators.iter().any(is_raised).then_some(()))
            },
        )
        .await?;
        Ok(())
    }

    async fn add_credential(&mut self) -> Done {
        let account = self.account_made()?;
        let token = self
            .git_token
            .as_ref()
            .and_then(|token| token.value.as_ref());
        let token = token.ok_or(Failure::Lacks("a token that may read the repository"))?;
        let new = NewGitCredential {
            name: "domino-pipeline",
            domain: &self.code.domain,
            token,
        };
        let (writer, reader) = (self.connection.writer(), self.connection.reader());
        let made = write_once(
            self.connection.delay_scale(),
            async || writer.add_git_credential(&account, &new).await,
            async || {
                let all = reader.credentials_of_account(&account).await?;
                let mut all = all.into_iter();
                Ok(all.find(|one| one.domain.eq_ignore_ascii_case(new.domain)))
            },
        );
        let made = made.await?.into_inner();
        if let Some(seen) = &mut self.seen.account {
            seen.credentials.push(made);
        }
        Ok(())
    }

    /// Gets the token, and looks whom it signs in before it goes anywhere.
    async fn get_token(&mut self, name: &str, values: &mut Values, step: &mut Step) -> Done {
        let account = self.account_made()?;
        if let Some(seen) = &self.seen.account
            && !administrators(&seen.roles).is_empty()
        {
            return Err(Failure::Lacks("an account that is no administrator"));
        }
        let (writer, reader) = (self.connection.writer(), self.connection.reader());
        let token = match self.token.take() {
            Some(token) => token,
            None => {
                let made = write_once(
                    self.connection.delay_scale(),
                    async || writer.create_token(&account, name).await,
                    async || reader.token(&account, name).await,
                );
                made.await?.into_inner().token.ok_or_else(|| {
                    CommandError::new(
                        Exit::Unreachable,
                        format!("Domino made token `{name}` and does not tell it"),
                    )
                    .hint("run this again: it makes the next one; invalidate this one in Domino's API")
                })?
            }
        };
        step.hide_text(token.expose_secret());
        let signed_in = as_account(&self.connection, &token)?
            .reader()
            .own_user()
            .await?;
        if signed_in.id != account.id || !administrators(&signed_in.roles).is_empty() {
            let error = format!(
                "token `{name}` signs in `{}` with roles `{}`, and goes to no secret",
                signed_in.user_name,
                signed_in.roles.join("`, `")
            );
            return Err(CommandError::refused(error)
                .hint(format!(
                    "take the roles of an administrator from `{}`, and invalidate the token",
                    self.account
                ))
                .into());
        }
        values.add_token(&self.stage.name, token.clone());
        self.token = Some(token);
        self.is_issued = true;
        Ok(())
    }

    async fn map_credential(&mut self) -> Done {
        let project = self.project_made().await?;
        let repository = project.main_repository.as_ref().map(|one| &one.id);
        let repository = repository.ok_or(Failure::Lacks("a project that is based on git"))?;
        let credential = self.own_credential();
        let credential = credential.ok_or(Failure::Lacks("the git credential"))?;
        let token = self.token.as_ref().ok_or(Failure::Lacks("the token"))?;
        let own = self.account_made()?.id;
        let account = as_account(&self.connection, token)?;
        let (writer, reader) = (account.writer(), account.reader());
        write_once(
            self.connection.delay_scale(),
            async || {
                writer
                    .map_credential(&project.id, repository, credential)
                    .await
            },
            async || {
                let there = mapped(&reader, &project.id, repository, &own).await?;
                Ok((there.as_deref() == Some(credential)).then_some(()))
            },
        )
        .await?;
        Ok(())
    }

    async fn write_on_github(&mut self, at: usize, values: &Values) -> Done {
        let github = self.github.as_ref();
        let github = github.ok_or(Failure::Lacks("a token for GitHub"))?;
        let write = &github.plan.writes[at];
        if github.is_refused {
            return Err(Failure::Skipped);
        }
        if write.is_token() && !self.is_issued {
            return Err(Failure::Lacks("the token"));
        }
        let written = apply::perform(&github.plan, write, values).await;
        self.unless_refused(written)
    }

    async fn name_token(&mut self) -> Done {
        let github = self.github.as_ref();
        let github = github.ok_or(Failure::Lacks("a token for GitHub"))?;
        if github.is_refused {
            return Err(Failure::Skipped);
        }
        if !self.is_issued {
            return Err(Failure::Lacks("the token"));
        }
        let (plan, token) = (&github.plan, &github.token);
        let named = github
            .held
            .set_name(plan.repository, plan.environment, token)
            .await;
        self.unless_refused(named)
    }

    /// Once GitHub refused something of an environment, nothing more goes there: no secret without its rules.
    fn unless_refused(&mut self, written: Result<(), CommandError>) -> Done {
        let refused = match written {
            Ok(()) => return Ok(()),
            Err(error) if error.exit() == Exit::Refused => error,
            Err(error) => return Err(error.into()),
        };
        if let Some(github) = &mut self.github {
            github.is_refused = true;
        }
        Err(Failure::GitHub(refused))
    }

    /// What became of the stage's token where GitHub refused `write`, and what to do with it.
    pub(super) fn token_without_secret(&self, write: &Write) -> Option<String> {
        let github = self.github.as_ref()?;
        let is_new = |one: &Write| matches!(one, Write::Token(name) if *name == github.token);
        if self.token.is_none() || !self.writes.iter().any(is_new) {
            return None;
        }
        let token = format!("token `{}` of `{}`", github.token, self.account);
        Some(match write {
            Write::TokenName => format!("the secret holds {token}, and no variable says so yet"),
            _ => format!(
                "{token} opens Domino and is in no secret: running this again puts it there, or else invalidate it"
            ),
        })
    }
}
