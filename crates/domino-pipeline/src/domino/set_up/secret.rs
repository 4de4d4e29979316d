//! The way of the account's token into the secret of the GitHub environment, and with which credential its runs get the
//! code.

use domino_core::error::Result;
use domino_core::step::{ChangeKind, Step};
use stage_file::StageFile;

use super::super::account::TokenNames;
use super::super::seen::{as_account, mapped};
use super::{OnGitHub, StageSetUp, Write};
use crate::github::access::Repository;
use crate::github::held::{Held, TOKEN_NAME};
use crate::github::secret::{Issued, Secrets};
use crate::github::survey;

impl<'a> StageSetUp<'a> {
    /// The token, the choice of the git credential, which only the account itself can make, and the secret.
    pub(super) async fn secret(
        &mut self,
        file: &'a StageFile,
        repository: &'a Repository,
        step: &mut Step,
    ) -> Result<()> {
        let environment = &self.stage.github_environment;
        let held = Held::read(repository, environment).await?;
        let names = TokenNames::of(&repository.name, environment);
        let tokens = match &self.seen.account {
            Some(seen) => seen.tokens.as_slice(),
            None => &[],
        };
        let valid = names.valid(tokens);
        let newest = valid.last().map(|&name| name.to_owned());
        let holds = valid.iter().find(|name| held.is(name));
        let holds = holds.map(|&name| name.to_owned());
        let token = holds.clone().or_else(|| newest.clone());
        let token = token.unwrap_or_else(|| names.next(tokens));
        if !self.seen.may_manage {
            return Ok(());
        }
        if let Some(known) = holds.as_ref().or(newest.as_ref()) {
            self.read_token(known, step).await?;
        }
        match (&holds, &newest, &self.token) {
            (Some(name), _, _) => self.line(
                ChangeKind::Keep,
                format!("token `{name}` of `{}`", self.account),
            ),
            // One that Domino does not tell again is of no use.
            (None, Some(_), None) => {
                let next = names.next(match &self.seen.account {
                    Some(seen) => &seen.tokens,
                    None => &[],
                });
                let text = format!("token `{next}` of `{}`", self.account);
                self.write(Write::Token(next.clone()), text);
                return self.on_github(file, repository, held, (next, None)).await;
            }
            (None, Some(name), Some(_)) => {
                let text = format!(
                    "token `{name}` of `{}`, which is in no secret yet",
                    self.account
                );
                self.write(Write::Token(name.clone()), text);
            }
            (None, None, _) => {
                let text = format!("token `{token}` of `{}`", self.account);
                self.write(Write::Token(token.clone()), text);
            }
        }
        self.on_github(file, repository, held, (token, holds)).await
    }

    /// Reads a token's value, if Domino tells it, which is shown nowhere.
    async fn read_token(&mut self, name: &str, step: &mut Step) -> Result<()> {
        let Some(seen) = &self.seen.account else {
            return Ok(());
        };
        let found = self.connection.reader().token(&seen.account, name).await?;
        self.token = found.and_then(|found| found.token);
        if let Some(token) = &self.token {
            step.hide_text(secrecy::ExposeSecret::expose_secret(token));
        }
        Ok(())
    }

    async fn on_github(
        &mut self,
        file: &'a StageFile,
        repository: &'a Repository,
        held: Held,
        (token, holds): (String, Option<String>),
    ) -> Result<()> {
        if !self.is_beside {
            self.mapping().await?;
        }
        let secrets = Secrets::issued(match &holds {
            Some(_) => Issued::Kept,
            None => Issued::Written(token.clone()),
        });
        let mut plans = survey::plan(repository, file, &[self.stage], &secrets).await?;
        let plan = plans.remove(0);
        for (kind, text) in &plan.lines {
            let line = format!("GitHub environment `{}`: {text}", plan.environment);
            self.lines.push((*kind, line));
        }
        for (at, write) in plan.writes.iter().enumerate() {
            self.writes.push(Write::GitHub(at, write.to_string()));
        }
        if holds.is_none() {
            let text = format!(
                "GitHub environment `{}`: variable `{TOKEN_NAME}` = `{token}`",
                plan.environment
            );
            self.write(Write::TokenName, text);
        }
        self.github = Some(OnGitHub {
            plan,
            held,
            token,
            is_refused: false,
        });
        Ok(())
    }

    /// With which credential the account's runs get the code; it can be read as the account alone.
    async fn mapping(&mut self) -> Result<()> {
        let text = format!(
            "runs of `{}` get the code with that git credential",
            self.account
        );
        let repository = self.seen.project.as_ref();
        let repository = repository.and_then(|project| {
            let repository = project.main_repository.as_ref()?;
            Some((project.id.clone(), repository.id.clone()))
        });
        let will_have = self.writes.contains(&Write::GitCredential);
        if self.own_credential().is_none() && !will_have {
            return Ok(());
        }
        if let (Some((project, repository)), Some(credential), Some(token), Some(seen)) = (
            repository,
            self.own_credential(),
            &self.token,
            &self.seen.account,
        ) {
            let account = as_account(&self.connection, token)?.reader();
            match mapped(&account, &project, &repository, &seen.account.id).await? {
                Some(there) if there == credential => {
                    self.line(ChangeKind::Keep, text);
                    return Ok(());
                }
                Some(_) => {
                    let text = format!(
                        "runs of `{}` get the code with another git credential, set by hand",
                        self.account
                    );
                    self.line(ChangeKind::Keep, text);
                    return Ok(());
                }
                None => {}
            }
        }
        self.write(Write::Mapping, text);
        Ok(())
    }
}
