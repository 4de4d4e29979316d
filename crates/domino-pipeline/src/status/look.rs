//! Reads all stages side by side, each with its own connection and time limit.

use std::time::Duration;

use domino_core::client::{Connection, Limits, Reader};
use domino_core::error::{CommandError, Exit};
use domino_core::github::{WaitingRun, WaitingRuns};
use domino_core::step::{Step, host_of};
use futures_util::future::join_all;
use jiff::Timestamp;
use stage_file::{Host, Stage, StageFile};

use super::answer::{NotSeen, StageStatus, Status};
use super::deployed::Deployed;
use super::seen::Seen;
use super::{apps, jobs, left_over, models, waiting};
use crate::{repository, stage_token};
use domino_core::variable::variable;

/// What a look starts from: the stages and how each is read.
#[derive(Debug)]
pub(crate) struct Look<'a> {
    pub(super) file: &'a StageFile,
    stages: Vec<(&'a Stage, Access)>,
    repository: Option<String>,
    /// What tells which runs wait on GitHub, or why nothing does; nothing at all where nobody wants to know.
    github: Option<Result<WaitingRuns, String>>,
    /// How long one stage may take.
    patience: Duration,
}

/// How a stage is read.
#[derive(Debug)]
enum Access {
    /// With this connection; and what to say about its token.
    Open(Host, Reader, Option<String>),
    /// Not at all; the reason.
    Not(NotSeen),
}

impl<'a> Look<'a> {
    /// Reads the tokens and opens the connections. No secret of the environment will be shown.
    ///
    /// # Errors
    /// When no stage has a token, or `DOMINO_API_HOST` would send tokens of several Dominos to one.
    pub(crate) fn prepare(
        limits: Limits,
        file: &'a StageFile,
        stages: Vec<&'a Stage>,
        is_for_an_issue: bool,
        step: &mut Step,
    ) -> Result<Self, CommandError> {
        stage_token::one_host(&stages)?;
        let is_alone = stages.len() == 1;
        let mut asked = Vec::new();
        for stage in stages {
            let access = match open(&limits, file, stage, is_alone, step) {
                Ok(access) => access,
                Err(error) => Access::Not(not_seen(&error)),
            };
            asked.push((stage, access));
        }
        let without = |access: &Access| matches!(access, Access::Not(why) if why.without_token);
        if asked.iter().all(|(_, access)| without(access)) {
            return Err(no_token(&asked));
        }
        let folder = file.path.parent().unwrap_or(std::path::Path::new(""));
        let origin = || repository::origin(&std::path::Path::new(".").join(folder));
        // What waits comes and goes, and an issue is about what stays.
        let github = (!is_for_an_issue).then(|| waiting::on_github(&limits, file, step));
        Ok(Self {
            file,
            github,
            stages: asked,
            repository: variable("GITHUB_REPOSITORY").or_else(origin),
            patience: limits.request * 2,
        })
    }

    /// Looks at every stage.
    pub(crate) async fn look(&self) -> Status {
        let looks = self
            .stages
            .iter()
            .map(|(stage, access)| self.stage(stage, access));
        let (mut stages, runs) = tokio::join!(join_all(looks), self.waiting_runs());
        let repository = self.repository.as_deref();
        let (runs, waiting_not_seen) = match runs {
            Ok(runs) => (runs, None),
            Err(why) => (Vec::new(), Some(why)),
        };
        for (status, (stage, _)) in stages.iter_mut().zip(&self.stages) {
            let here = waiting::of_stage(&runs, stage, repository);
            status.waiting.splice(0..0, here);
        }
        Status {
            format: 1,
            at: Timestamp::now(),
            repository: self.repository.clone(),
            waiting_not_seen,
            stages,
        }
    }

    /// The runs that wait on GitHub, or why they are not known.
    async fn waiting_runs(&self) -> Result<Vec<WaitingRun>, String> {
        let github = match &self.github {
            None => return Ok(Vec::new()),
            Some(github) => github.as_ref().map_err(Clone::clone)?,
        };
        match tokio::time::timeout(self.patience, github.all()).await {
            Ok(runs) => runs.map_err(|error| error.to_string()),
            Err(_) => Err("GitHub did not answer in time".into()),
        }
    }

    async fn stage(&self, stage: &Stage, access: &Access) -> StageStatus {
        let mut status = StageStatus {
            stage: stage.name.clone(),
            github_environment: stage.github_environment.clone(),
            host: stage.host.to_string(),
            project: stage.project.to_string(),
            data_plane: stage.data_plane.clone(),
            approvers: stage.approvers.clone(),
            not_seen: None,
            warnings: Vec::new(),
            waiting: Vec::new(),
            entities: Vec::new(),
            left_over: Vec::new(),
        };
        let (host, reader, expiry) = match access {
            Access::Open(host, reader, expiry) => (host, reader, expiry),
            Access::Not(why) => {
                status.not_seen = Some(why.clone());
                return status;
            }
        };
        status.host = host.to_string();
        status.warnings.extend(expiry.clone());
        let (seen, open) = tokio::join!(
            tokio::time::timeout(self.patience, Seen::look(reader, self.file, stage)),
            tokio::time::timeout(self.patience, waiting::in_domino(reader, self.file, stage)),
        );
        match open {
            Ok(Ok(open)) => status.waiting = open,
            Ok(Err(error)) => {
                let text = format!(
                    "open approvals of stage `{}` were not seen: {error}",
                    stage.name
                );
                status.warnings.push(text);
            }
            // Whatever else was asked has not been answered either.
            Err(_) => {}
        }
        match seen {
            Ok(Ok(seen)) => {
                status.entities = entities(&seen, Timestamp::now());
                status.left_over = left_over::of(&seen);
            }
            Ok(Err(error)) => status.not_seen = Some(not_seen(&error)),
            Err(_) => {
                let text = format!(
                    "`{host}` did not answer all questions within {} s",
                    self.patience.as_secs_f64()
                );
                let error = CommandError::new(Exit::Unreachable, text)
                    .hint("is Domino slow? `--request-timeout` gives it more time");
                status.not_seen = Some(not_seen(&error));
            }
        }
        status
    }
}

/// Every entity of the file, in its order: jobs, apps, models.
fn entities(seen: &Seen<'_>, now: Timestamp) -> Vec<Deployed> {
    let file = seen.file;
    let jobs = file
        .jobs_of(seen.stage)
        .map(|job| jobs::deployed(seen, job, now));
    let apps = file.apps.iter().map(|app| apps::deployed(seen, app));
    let models = file
        .models
        .iter()
        .map(|model| models::deployed(seen, model));
    jobs.chain(apps).chain(models).collect()
}

fn open(
    limits: &Limits,
    file: &StageFile,
    stage: &Stage,
    is_alone: bool,
    step: &mut Step,
) -> Result<Access, CommandError> {
    let variable = stage.read_token_variable();
    let Some(credential) = stage_token::of_stage(file, stage, is_alone)? else {
        return Ok(Access::Not(NotSeen {
            without_token: true,
            reasons: vec![format!("there is no token for stage `{}`", stage.name)],
            hint: Some(format!("put one that may read into `{variable}`")),
            exit: 0,
        }));
    };
    step.hide(&credential);
    let expiry = credential.expiry(Timestamp::now());
    let expiry = expiry.map(|expiry| format!("the token of stage `{}` {expiry}", stage.name));
    let host = host_of(stage, &credential)?;
    let connection = Connection::open(host.clone(), credential, limits.clone())?;
    Ok(Access::Open(host, connection.reader(), expiry))
}

fn no_token(asked: &[(&Stage, Access)]) -> CommandError {
    let names: Vec<String> = asked
        .iter()
        .map(|(stage, _)| format!("`{}`", stage.read_token_variable()))
        .collect();
    let several = match variable("DOMINO_TOKEN") {
        Some(_) if names.len() > 1 => {
            "; `DOMINO_TOKEN` is of one stage: say which with `--stage` or `DOMINO_ENV`"
        }
        _ => "",
    };
    CommandError::refused("there is no token for any stage").hint(format!(
        "put a token that may read into {}{several}",
        names.join(", ")
    ))
}

fn not_seen(error: &CommandError) -> NotSeen {
    let mut reasons = vec![error.to_string()];
    for cause in error.causes() {
        if !reasons.iter().any(|known| known == cause) {
            reasons.push(cause.to_owned());
        }
    }
    let line = error.line().map(|at| format!(" ({}:{})", at.file, at.line));
    let hint = error.to_do();
    NotSeen {
        without_token: false,
        reasons,
        hint: hint.map(|hint| format!("{hint}{}", line.unwrap_or_default())),
        exit: error.exit() as u8,
    }
}
