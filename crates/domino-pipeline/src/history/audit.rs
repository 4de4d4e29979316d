//! What has no receipt: GitHub's list of deployments and what Domino runs now are asked, and what only they tell of is
//! marked as such. Who cannot be asked is named; nobody who cannot be asked makes an audit fail.

use std::path::Path;

use domino_core::client::{Connection, Limits};
use domino_core::credential::Credential;
use domino_core::github::{Deployments, WorkflowRun};
use domino_core::receipt::History;
use domino_core::step::Step;
use domino_core::variable::variable;
use stage_file::{Stage, StageFile};

use super::args::Args;
use super::row::{Report, Row};
use super::time::Period;
use crate::error::Result;
use crate::repository;
use crate::request_flags::PROGRAM;
use crate::status::deployed::{Deployed, EntityKind, Health};
use crate::status::look::Look;

/// Whom to ask, and what is known already.
pub(super) struct Others<'a> {
    pub(super) args: &'a Args,
    pub(super) history: &'a History,
    pub(super) period: Period,
}

impl Others<'_> {
    /// Asks GitHub and Domino, and adds what has no receipt.
    pub(super) async fn ask(&self, step: &mut Step, report: &mut Report) {
        let found = StageFile::find(self.args.stages.as_deref());
        let file = match found {
            Ok(file) => file,
            Err(problem) => {
                let why = format!("GitHub and Domino: there is no stage file: {problem}");
                report.not_asked.push(why);
                return;
            }
        };
        let is_asked = |stage: &&Stage| {
            let named = &self.args.stages_asked;
            named.is_empty() || named.contains(&stage.name)
        };
        let stages: Vec<&Stage> = file.stages.iter().filter(is_asked).collect();
        // GitHub tells of commits and of no entity.
        if self.args.entities.is_empty()
            && let Err(problem) = self.ask_github(&file, &stages, step, report).await
        {
            report.not_asked.push(format!("GitHub: {problem:#}"));
        }
        if let Err(problem) = self.ask_domino(&file, stages, step, report).await {
            report.not_asked.push(format!("Domino: {problem:#}"));
        }
    }

    fn limits(&self, step: &Step) -> Limits {
        let limits = Limits {
            request: self.args.request_timeout,
            scrubber: step.scrubber().clone(),
            program: PROGRAM,
            ..Limits::default()
        };
        self.args.tls.applied_to(limits)
    }

    async fn ask_github(
        &self,
        file: &StageFile,
        stages: &[&Stage],
        step: &mut Step,
        report: &mut Report,
    ) -> Result<()> {
        let Some(token) = WorkflowRun::token(variable) else {
            let why = "GitHub: `GITHUB_TOKEN` is not set; it needs `deployments: read`".to_owned();
            report.not_asked.push(why);
            return Ok(());
        };
        step.hide(&token);
        let folder = file.path.parent().unwrap_or(Path::new(""));
        let origin = || repository::origin(&Path::new(".").join(folder));
        let Some(repository) = variable("GITHUB_REPOSITORY").or_else(origin) else {
            let why = "GitHub: neither `GITHUB_REPOSITORY` nor `origin` names a repository there";
            report.not_asked.push(why.to_owned());
            return Ok(());
        };
        // It lends its limits only, and no request is sent to its host.
        let limits = self.limits(step);
        let host = file.stages[0].host.clone();
        let connection = Connection::open(host, Credential::Anonymous, limits)
            .map_err(domino_core::error::CommandError::from)?;
        let github = Deployments::open(&connection, variable, &repository)?;
        let Period { from, until, .. } = self.period;
        for stage in stages {
            let mut told: Vec<String> = Vec::new();
            for deployment in github.of(&stage.github_environment, from, until).await? {
                let commit = &deployment.sha;
                let has_receipt = self
                    .history
                    .newest(|receipt| receipt.stage == stage.name && receipt.commit == *commit);
                if has_receipt.is_some()
                    || told.contains(commit)
                    || !github.succeeded(&deployment).await?
                {
                    continue;
                }
                told.push(commit.clone());
                report.rows.push(Row {
                    at: Some(deployment.created_at),
                    started_by: deployment.by().map(str::to_owned),
                    ..Row::without("GitHub", &stage.name, commit)
                });
            }
        }
        Ok(())
    }

    async fn ask_domino(
        &self,
        file: &StageFile,
        stages: Vec<&Stage>,
        step: &mut Step,
        report: &mut Report,
    ) -> Result<()> {
        let look = Look::prepare(self.limits(step), file, stages, false, step)?;
        for stage in look.look().await.stages {
            if let Some(why) = stage.not_seen {
                let why = format!(
                    "Domino of stage `{}`: {}",
                    stage.stage,
                    why.reasons.join(": ")
                );
                report.not_asked.push(why);
            }
            let without = stage
                .entities
                .iter()
                .filter(|entity| self.is_without(entity));
            report.rows.extend(without.map(row));
        }
        Ok(())
    }

    /// Whether it was deployed within the period, as far as Domino tells, and no receipt tells of it.
    fn is_without(&self, entity: &Deployed) -> bool {
        let Some(commit) = entity.commit.as_deref() else {
            return false;
        };
        let is_within = entity.since.is_none_or(|since| self.period.contains(since));
        let names = &self.args.entities;
        let is_asked = names.is_empty() || names.contains(&entity.entity);
        let has_receipt = self.history.newest(|receipt| {
            receipt.stage == entity.stage
                && receipt.kind.word() == entity.kind.word()
                && receipt.entity == entity.entity
                && receipt.commit.starts_with(commit)
        });
        is_asked && is_within && entity.health != Health::Nothing && has_receipt.is_none()
    }
}

fn row(entity: &Deployed) -> Row {
    let commit = entity.commit.clone().unwrap_or_default();
    Row {
        at: entity.since,
        kind: match entity.kind {
            EntityKind::Job => "job",
            EntityKind::Schedule => "schedule",
            EntityKind::App => "app",
            EntityKind::Model => "model",
        },
        entity: entity.entity.clone(),
        version: entity.version.clone(),
        started_by: entity.by.clone(),
        ..Row::without("Domino", &entity.stage, &commit)
    }
}
