//! What can go back, and by which programs. A run of a job cannot, nor can an endpoint that is built from a function.

use std::fmt;

use domino_core::error::CommandError;
use domino_core::receipt::ReceiptKind;
use stage_file::{App, Job, Model, ModelSource, Stage, StageFile};

use super::programs::Invocation;
use super::target::Target;
use crate::error::{Result, VerbError};

/// Something of the stage file that goes back.
#[derive(Debug)]
pub(super) enum Entity<'a> {
    /// A job that Domino starts by itself.
    Schedule(&'a Job),
    App(&'a App),
    Model(&'a Model),
}

impl<'a> Entity<'a> {
    /// The one that is meant: by its name, or as `app dashboard`.
    pub(super) fn named(file: &'a StageFile, stage: &Stage, text: &str) -> Result<Self> {
        let (kind, name) = match text.trim().split_once(' ') {
            Some((kind, name)) => (Some(kind), name.trim()),
            None => (None, text.trim()),
        };
        let is = |words: &[&str]| kind.is_none_or(|kind| words.contains(&kind));
        let mut found = Vec::new();
        if is(&["job", "schedule"])
            && let Ok(job) = file.job(name)
        {
            found.push(Self::Schedule(job));
        }
        if is(&["app"])
            && let Ok(app) = file.app(name)
        {
            found.push(Self::App(app));
        }
        if is(&["model"])
            && let Ok(model) = file.model(name)
        {
            found.push(Self::Model(model));
        }
        let several: Vec<String> = found.iter().map(Self::asked).collect();
        match found.pop() {
            None => Err(unknown(file, text)),
            Some(_) if several.len() > 1 => {
                Err(VerbError::usage(format!("`{name}` is the name of several"))
                    .hint(format!("say which: `{}`", several.join("`, `"))))
            }
            Some(one) => one.can_go_back(stage),
        }
    }

    fn can_go_back(self, stage: &Stage) -> Result<Self> {
        match &self {
            Self::Schedule(job) if job.schedule.is_none() => Err(VerbError::usage(format!(
                "a run of job `{}` cannot be undone: what it wrote is there",
                job.name
            ))
            .hint(format!(
                "to run an older commit once more: deploy-job start {} --stage {} --commit COMMIT --back",
                job.name, stage.name
            ))),
            Self::Schedule(job) if !job.is_deployed_to(stage) => Err(VerbError::usage(format!(
                "job `{}` is not for stage `{}`",
                job.name, stage.name
            ))),
            Self::Model(model) if matches!(model.source, ModelSource::Function { .. }) => {
                Err(VerbError::usage(format!(
                    "model `{}` is built from a function, and Domino always takes the newest commit of it",
                    model.name
                ))
                .hint("revert the commit on the production branch, and let the pipeline take the revert through the stages"))
            }
            _ => Ok(self),
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Schedule(job) => &job.name,
            Self::App(app) => &app.name,
            Self::Model(model) => &model.name,
        }
    }

    /// What its receipts are about.
    pub(super) fn receipt_kind(&self) -> ReceiptKind {
        match self {
            Self::Schedule(_) => ReceiptKind::Schedule,
            Self::App(_) => ReceiptKind::App,
            Self::Model(_) => ReceiptKind::Model,
        }
    }

    /// How a person says which one is meant.
    fn asked(&self) -> String {
        format!("{} {}", self.receipt_kind().word(), self.name())
    }

    /// What brings it back.
    ///
    /// # Errors
    /// It is a model, and its version is not known.
    pub(super) fn back_to(
        &self,
        file: &StageFile,
        stage: &Stage,
        target: &Target,
    ) -> Result<Vec<Invocation>> {
        let (name, stage_name) = (self.name(), &stage.name);
        let (program, verb) = match self {
            Self::Schedule(_) => ("deploy-job", "schedule"),
            Self::App(_) => ("deploy-app", "publish"),
            Self::Model(_) => ("deploy-model", "publish"),
        };
        let commit = &target.commit;
        let words = format!("{verb} {name} --stage {stage_name} --commit {commit} --back --hold");
        let mut publish = Invocation {
            receipt: target.receipt.clone(),
            ..Invocation::of(program, &words)
        };
        let Self::Model(model) = self else {
            return Ok(vec![publish]);
        };
        let Some(version) = target.version else {
            let text = format!(
                "which version of `{name}` stage `{stage_name}` served at commit {} is not known: there is no receipt of it",
                target.commit
            );
            return Err(CommandError::refused(text)
                .hint("give it with `--version`")
                .into());
        };
        publish = publish.with("--version", version.to_string());
        if file.stage_before(stage).is_some() {
            // The stage before serves something newer by now.
            publish = publish.with("--force-version", &target.reason);
        }
        let mut invocations = Vec::new();
        if stage.model_stage.is_some() {
            let words = format!("demote {} --stage {stage_name} --hold", model.name);
            let demote = Invocation {
                receipt: target.receipt.clone(),
                ..Invocation::of("promote-stage", &words)
            };
            let demote = demote.with("--version", version.to_string());
            invocations.push(demote.with("--reason", &target.reason));
        }
        invocations.push(publish);
        Ok(invocations)
    }

    /// What lets it go on.
    pub(super) fn released(&self, stage: &Stage) -> Vec<Invocation> {
        let (name, stage_name) = (self.name(), &stage.name);
        let of = |program, verb: &str, option: &str| {
            Invocation::of(
                program,
                &format!("{verb} {name} {option} {stage_name} --release"),
            )
        };
        match self {
            Self::Schedule(_) => vec![of("deploy-job", "schedule", "--stage")],
            Self::App(_) => vec![of("deploy-app", "publish", "--stage")],
            Self::Model(_) => {
                let enter = stage.model_stage.is_some();
                let enter = enter.then(|| of("promote-stage", "apply", "--to"));
                let publish = of("deploy-model", "publish", "--stage");
                enter.into_iter().chain([publish]).collect()
            }
        }
    }
}

impl fmt::Display for Entity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schedule(job) => write!(f, "the schedule of job `{}`", job.name),
            Self::App(app) => write!(f, "app `{}`", app.name),
            Self::Model(model) => write!(f, "model `{}`", model.name),
        }
    }
}

fn unknown(file: &StageFile, text: &str) -> VerbError {
    let jobs = file.jobs.iter().map(|job| format!("job {}", job.name));
    let apps = file.apps.iter().map(|app| format!("app {}", app.name));
    let models = file
        .models
        .iter()
        .map(|model| format!("model {}", model.name));
    let all: Vec<String> = jobs.chain(apps).chain(models).collect();
    VerbError::usage(format!(
        "`{text}` is no job, app or model of {}",
        file.path.display()
    ))
    .hint(format!("there are: {}", all.join(", ")))
}
