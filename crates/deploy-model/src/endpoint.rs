//! The endpoint of a model in a stage: found by its name, and described to the person.

use domino_core::api::async_endpoints::{self, AsyncEndpoint};
use domino_core::api::model_apis::{
    Deployment, DeploymentStatus, Generation, ModelApi, ModelApiVersion, ModelApis,
};
use domino_core::api::model_endpoints::{ModelEndpoint, Route};
use domino_core::api::projects::Project;
use domino_core::client::Reader;
use domino_core::credential::Credential;
use domino_core::error::{CommandError, Result};
use domino_core::own_endpoint::{EndpointSearch, OwnEndpoint, registered_name};
use domino_core::revision::hand_on;
use domino_core::step::{Report, StepContext};
use stage_file::{EndpointApi, Host, Model, Stage, StageFile};

use crate::calls::Calls;
use crate::token::Token;

/// Where an endpoint is called.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct EndpointAddress {
    /// The host where the endpoint is called, when it is not Domino's own: that of a remote data plane [default: the
    /// model's `endpoint-host` in stages.toml]
    #[arg(long, value_name = "HOST", env = "DOMINO_MODEL_HOST", value_parser = endpoint_host)]
    pub(crate) endpoint_host: Option<EndpointHost>,
}

/// A host that may be empty: GitHub passes a variable that does not exist as an empty text.
#[derive(Debug, Clone)]
pub(crate) struct EndpointHost(Option<Host>);

fn endpoint_host(text: &str) -> Result<EndpointHost, String> {
    match text.trim() {
        "" => Ok(EndpointHost(None)),
        text => match text.parse() {
            Ok(host) => Ok(EndpointHost(Some(host))),
            Err(problem) => Err(format!("it {problem}")),
        },
    }
}

impl EndpointAddress {
    pub(crate) fn host(&self) -> Option<&Host> {
        self.endpoint_host
            .as_ref()
            .and_then(|given| given.0.as_ref())
    }
}

/// The endpoint of a model in a stage, if it exists, and the project that it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) project: Project,
    pub(crate) apis: ModelApis<Reader>,
    pub(crate) name: String,
    pub(crate) api: Option<ModelApi>,
    /// What to say if its name in Domino differs from the expected one.
    pub(crate) other_name: Option<String>,
}

impl Endpoint {
    /// Looks for it in the stage's project.
    pub(crate) async fn find(
        reader: &Reader,
        file: &StageFile,
        stage: &Stage,
        model: &Model,
    ) -> Result<Self> {
        let project = Project::of_stage(reader, file, stage).await?;
        let registered = registered_name(model);
        let apis = reader
            .find_model_apis_of(&project, registered, generation(model))
            .await?;
        let search = EndpointSearch {
            file,
            stage,
            model,
            apis: &apis,
        };
        let found = Self::of(&search, project).await?;
        if found.api.is_none()
            && let Some(hidden) = search.hidden_words(&found.project)
        {
            return Err(CommandError::refused(hidden));
        }
        Ok(found)
    }

    /// Looks for it among the endpoints of a project, even under another name.
    pub(crate) async fn of(search: &EndpointSearch<'_>, project: Project) -> Result<Self> {
        Ok(Self::among(search, project, search.find().await?))
    }

    /// The endpoint with its name, and no other.
    pub(crate) fn named(
        search: &EndpointSearch<'_>,
        project: Project,
    ) -> Result<Self, CommandError> {
        Ok(Self::among(search, project, search.named()?))
    }

    fn among(search: &EndpointSearch<'_>, project: Project, found: Option<OwnEndpoint>) -> Self {
        let name = search.name();
        let other_name = found.as_ref().and_then(|found| {
            let by = found.found_by?;
            Some(format!(
                "called `{}` in Domino and `{name}` here: ours by {by}",
                found.api.name
            ))
        });
        Self {
            project,
            apis: search.apis.apis.clone(),
            name: found.as_ref().map_or(name, |found| found.api.name.clone()),
            api: found.map(|found| found.api),
            other_name,
        }
    }

    /// Its versions, newest first. If this account may not read them, the error says what role is missing.
    pub(crate) async fn versions(&self, api: &ModelApi) -> Result<Vec<ModelApiVersion>> {
        let versions = self.apis.versions(&api.id).await;
        versions.map_err(|error| self.with_role(error))
    }

    /// The error, with the missing role if this account is not allowed what it tried.
    pub(crate) fn with_role(&self, error: impl Into<CommandError>) -> CommandError {
        let error = error.into();
        let is_forbidden = error.causes().any(|cause| cause.contains("403 Forbidden"))
            || error.to_string().contains("403 Forbidden");
        if !is_forbidden {
            return error;
        }
        let failure = CommandError::refused(format!(
            "this account may not do this with endpoint `{}`",
            self.name
        ))
        .hint(
            "an owner of the endpoint must make the account a collaborator with the role Editor: a Viewer sees it, and \
             publishes nothing",
        );
        error.context(failure)
    }

    /// The endpoint, or an error that says that it does not exist.
    pub(crate) fn existing(
        &self,
        model: &str,
        stage: &Stage,
        file: &StageFile,
    ) -> Result<&ModelApi> {
        self.api.as_ref().ok_or_else(|| {
            CommandError::refused(format!(
                "project `{}` has no endpoint `{}`",
                self.project.name, self.name
            ))
            .hint(format!(
                "publish it: deploy-model publish {model} --stage {}",
                stage.name
            ))
            .at(file, &["model", model])
        })
    }
}

/// The generation of Domino's API that the stage file names.
pub(crate) fn generation(model: &Model) -> Option<Generation> {
    model.api.map(|api| match api {
        EndpointApi::ModelServing => Generation::ModelServing,
        EndpointApi::Models => Generation::Models,
    })
}

/// The host where endpoints are called: the given one, otherwise that of the stage file, otherwise Domino's own. A
/// proxy inside a run leads only to Domino's API.
pub(crate) fn host(context: &StepContext, model: &Model, address: &EndpointAddress) -> Host {
    let said = context.file.endpoint_settings(model, &context.stage);
    let given = address.host().cloned().or(said.endpoint_host);
    match (given, context.connection.credential()) {
        (Some(given), _) => given,
        (None, Credential::Proxy(_)) => context.stage.host.clone(),
        (None, _) => context.connection.host().clone(),
    }
}

/// The client of an endpoint, with the model's own token.
pub(crate) fn endpoint_client(
    context: &StepContext,
    model: &Model,
    address: &EndpointAddress,
    api: &ModelApi,
    token: &Token,
) -> Result<Calls, CommandError> {
    let connection = &context.connection;
    let (host, secret) = (host(context, model, address), token.secret());
    Ok(match api.is_async {
        Some(true) => Calls::Later(
            AsyncEndpoint::of(connection, host, &api.id, secret)?,
            connection.delay_scale(),
        ),
        _ => Calls::AtOnce(ModelEndpoint::of(connection, host, &api.id, secret)?),
    })
}

/// The address where people call an endpoint.
pub(crate) fn url(
    context: &StepContext,
    model: &Model,
    address: &EndpointAddress,
    api: &ModelApi,
) -> String {
    let host = host(context, model, address);
    if api.is_async == Some(true) {
        return async_endpoints::url(&host, &api.id);
    }
    format!(
        "{}/models/{}/{}/model",
        host.as_str(),
        api.id,
        callers_route(api)
    )
}

/// The route by which people call an endpoint.
pub(crate) fn callers_route(api: &ModelApi) -> Route {
    match api.routes_by_label() {
        true => Route::Promoted,
        false => Route::Latest,
    }
}

/// A version as people call it: `version 8`, or by its id if Domino tells no number.
pub(crate) fn called(number: Option<u64>, id: impl std::fmt::Display) -> String {
    match number {
        Some(number) => format!("version {number}"),
        None => format!("version {id}"),
    }
}

/// A version as people call it.
pub(crate) fn name_of(version: &ModelApiVersion) -> String {
    called(version.number, &version.id)
}

/// The status of a version, in Domino's words.
pub(crate) fn status_text(deployment: Option<&Deployment>) -> String {
    match deployment {
        None => "not deployed yet".into(),
        Some(deployment)
            if deployment.is_pending && deployment.status == DeploymentStatus::Running =>
        {
            format!("{}, with something under way", deployment.status)
        }
        Some(deployment) => deployment.status.to_string(),
    }
}

/// Which version answers, and its status.
pub(crate) fn serving(api: &ModelApi) -> String {
    match &api.active {
        None => "nothing".into(),
        Some(active) => format!(
            "{} (`{}`)",
            called(active.number, &active.id),
            status_text(active.deployment.as_ref())
        ),
    }
}

/// Adds what is known about an endpoint and a version of it to the report.
pub(crate) fn describe(
    report: &mut Report,
    url: &str,
    name: &str,
    api: &ModelApi,
    version: &ModelApiVersion,
) {
    report.output("id", api.id.as_str()).output("url", url);
    hand_on(report, version.environment_revision_id.as_deref());
    report.version_id = Some(version.id.to_string());
    report.output("status", status_text(version.deployment.as_ref()));
    report
        .fact("endpoint", format!("{name} ({})", api.id))
        .fact(
            "endpoint version",
            match version.number {
                Some(number) => format!("{number} ({})", version.id),
                None => version.id.to_string(),
            },
        )
        .fact("status", status_text(version.deployment.as_ref()))
        .fact("url", url);
    if let Some(number) = version.number {
        report.output("endpoint-version", number.to_string());
    }
    if let Some(source) = &version.source {
        report.fact("serves", source.to_string());
    }
}
