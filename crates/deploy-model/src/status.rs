//! `deploy-model status`: the status of a model's endpoint, also as the exit code.

use domino_core::api::mlflow::Tracking;
use domino_core::api::model_apis::{
    Deployment, DeploymentStatus, ModelApi, ModelApiSource, ModelApiVersion,
};
use domino_core::client::ApiError;
use domino_core::error::{CommandError, Exit, Result};
use domino_core::step::{Step, StepContext, StepFlags, StepResult};
use domino_core::variable::variable;
use domino_core::version_identity::VersionIdentity;

use crate::callers::{promoted, routing};
use crate::check::git_commit;
use crate::endpoint::{Endpoint, EndpointAddress, describe, name_of, status_text, url};

/// `deploy-model status`.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// The model, as in `[model.<name>]` of stages.toml
    pub(crate) model: String,
    #[command(flatten)]
    pub(crate) address: EndpointAddress,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// Shows the version that callers get, and a newer one.
pub(crate) async fn status(
    step: &mut Step,
    context: &StepContext,
    args: &StatusArgs,
) -> Result<StepResult> {
    let model = context.file.model(&args.model)?;
    let reader = context.connection.reader();
    let endpoint = Endpoint::find(&reader, &context.file, &context.stage, model).await?;
    let api = endpoint.existing(&model.name, &context.stage, &context.file)?;
    let versions = endpoint.apis.versions(&api.id).await?;
    let Some(newest) = versions.first() else {
        return Err(CommandError::failed(format!(
            "endpoint `{}` has no version",
            endpoint.name
        )));
    };
    let active = api
        .active
        .as_ref()
        .and_then(|active| versions.iter().find(|version| version.id == active.id));
    let routing = routing(api, &versions);
    // Where callers go by the label, they get the version that has it, whatever is active as `latest`.
    let called = routing.as_ref().and(promoted(&versions)).or(active);
    let version = with_status(&endpoint, api, called.unwrap_or(newest)).await?;
    let url = url(context, model, &args.address, api);
    describe(&mut step.report, &url, &endpoint.name, api, &version);
    if let Some(routing) = routing {
        step.report.fact("routing", routing);
    }
    // The version's own `commitId` may be that of Domino's files, and a registered model has no code from the
    // repository.
    if let Some(ModelApiSource::Function { .. }) = &version.source
        && let Some(commit) = git_commit(&reader, &api.id, &version.id).await
    {
        step.report.fact("built from", commit);
    }
    if newest.id != version.id {
        let newest = with_status(&endpoint, api, newest).await?;
        let words = format!(
            "{} (`{}`)",
            name_of(&newest),
            status_text(newest.deployment.as_ref())
        );
        step.report.fact("newest", words);
    }
    check_registered(context, &version).await?;
    evaluate(&endpoint.name, &version)
}

/// Refuses a version of the same name and number that is another one by now. If the experiment manager does not tell,
/// nothing is known.
async fn check_registered(context: &StepContext, version: &ModelApiVersion) -> Result<()> {
    let Some(ModelApiSource::Registered {
        name,
        version: number,
    }) = &version.source
    else {
        return Ok(());
    };
    let uri = variable("MLFLOW_TRACKING_URI");
    let Ok(tracking) = Tracking::of(&context.connection, uri.as_deref()) else {
        return Ok(());
    };
    match tracking.reader().model_version(name, *number).await {
        Ok(Some(registered)) => {
            VersionIdentity::of(&registered).check_served(version.created, &context.stage.name)
        }
        Ok(None) | Err(_) => Ok(()),
    }
}

/// A version with its status, which a list may leave out.
async fn with_status(
    endpoint: &Endpoint,
    api: &ModelApi,
    version: &ModelApiVersion,
) -> Result<ModelApiVersion, ApiError> {
    if version.deployment.is_some() {
        return Ok(version.clone());
    }
    let told = endpoint.apis.version(&api.id, &version.id).await?;
    Ok(told.unwrap_or_else(|| version.clone()))
}

fn evaluate(endpoint: &str, version: &ModelApiVersion) -> Result<StepResult> {
    let deployment = version.deployment.as_ref();
    let text = format!(
        "{} of endpoint `{endpoint}` is `{}`",
        name_of(version),
        status_text(deployment)
    );
    match deployment.map(|deployment| &deployment.status) {
        _ if deployment.is_some_and(Deployment::is_running) => Ok(StepResult::unchanged(text)),
        Some(DeploymentStatus::Failed | DeploymentStatus::Stopped) => {
            Err(CommandError::failed(text))
        }
        _ => Err(CommandError::new(Exit::Unsettled, text)),
    }
}
