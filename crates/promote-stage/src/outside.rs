//! Writing from outside of Domino: the experiment manager of some deployments requires the run that a write belongs
//! to, one of the same project and user. The run is named only after a write was refused.

use domino_core::api::projects::{Project, ProjectId};
use domino_core::client::ApiError;
use domino_core::credential::Credential;
use domino_core::error::Result;
use domino_core::execution_context::ExecutionContext;
use domino_core::step::StepContext;

use crate::registry::Registry;

/// Domino's tag that names the project of a model and of a version.
const PROJECT_TAG: &str = "mlflow.domino.project_id";

/// What happened to a write that was refused.
#[derive(Debug, Clone)]
pub(crate) enum Outside {
    /// It is accepted in the context of this run.
    Taken(String),
    /// It is refused in the context of this run as well.
    Refused(String),
    /// We have no run in the project.
    NoRun,
}

/// Whether a refusal may be due to a missing run: for a credential of Domino's that is sent from outside.
pub(crate) fn may_want_run(context: &StepContext, error: &ApiError) -> bool {
    let is_ours = matches!(
        context.connection.credential(),
        Credential::Token(_) | Credential::TokenFile(_) | Credential::ApiKey(_)
    );
    let is_refusal = error
        .status()
        .is_some_and(|status| matches!(status.as_u16(), 401 | 403));
    is_ours && is_refusal && !error.not_processed()
}

/// The run to name: one that created a version of the model, otherwise the newest that we started in the model's
/// project, or in that of the stage if the model does not tell. An error here matters less than the reason for the
/// look.
pub(crate) async fn run(
    context: &StepContext,
    planned: &Registry,
) -> (Outside, Option<ExecutionContext>) {
    let id = own_run(context, planned).await.ok().flatten();
    let context = id.and_then(|id| ExecutionContext::of(&id));
    match &context {
        Some(known) => (Outside::Refused(known.run().to_owned()), context),
        None => (Outside::NoRun, None),
    }
}

async fn own_run(context: &StepContext, planned: &Registry) -> Result<Option<String>> {
    let reader = context.connection.reader();
    let (own, project) = tokio::try_join!(
        async { Ok(reader.own_user().await?) },
        Project::of_stage(&reader, &context.file, &context.stage)
    )?;
    let project = match planned.model.tags.get(PROJECT_TAG) {
        Some(id) => ProjectId::new(id.as_str()),
        None => project.id,
    };
    let made = planned.versions.iter().find_map(|version| {
        let is = |key: &str, id: &str| version.tags.get(key).is_some_and(|known| known == id);
        let is_ours =
            is("mlflow.domino.user_id", own.id.as_str()) && is(PROJECT_TAG, project.as_str());
        version.tags.get("mlflow.domino.run_id").filter(|_| is_ours)
    });
    if let Some(made) = made {
        return Ok(Some(made.clone()));
    }
    let is_ours = |job: &domino_core::api::jobs::Job| {
        job.started_by.as_ref().is_some_and(|by| by.id == own.id)
    };
    let newest = reader.newest_job(&project, is_ours).await?;
    Ok(newest.map(|job| job.id.as_str().to_owned()))
}

impl Outside {
    /// The same once it is known whether the write was accepted.
    pub(crate) fn after(self, is_taken: bool) -> Self {
        match self {
            Self::Refused(run) if is_taken => Self::Taken(run),
            other => other,
        }
    }

    /// The run in whose context writes are accepted.
    pub(crate) fn run(&self) -> Option<String> {
        match self {
            Self::Taken(run) => Some(run.clone()),
            Self::Refused(_) | Self::NoRun => None,
        }
    }

    /// What a person must know about it.
    pub(crate) fn trouble(&self) -> Option<String> {
        match self {
            Self::Taken(_) => None,
            Self::Refused(run) => Some(format!(
                "the write was refused also with `X-Domino-Execution` for run {run}, our newest in the project: it is for \
                 want of something else; where no write is taken from outside of Domino, `promote = \"inside\"` under \
                 `[pipeline]` lets a run write"
            )),
            Self::NoRun => Some(
                "from outside of Domino the experiment manager may want `X-Domino-Execution`, which names a run of the \
                 same project and user, and this account has none there: run a job once with deploy-job start, or in the \
                 project that the model's tag `mlflow.domino.project_id` names; or let a run write, with \
                 `promote = \"inside\"` under `[pipeline]`"
                    .into(),
            ),
        }
    }
}
