//! The plan of a publish: what exists, what is wanted, and what follows. It only reads.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domino_core::api::environments::{EnvironmentId, RevisionSpec};
use domino_core::api::model_apis::{DesiredModelApi, ModelApiSource};
use domino_core::api::projects::Project;
use domino_core::api::registered_models::VersionNumber;
use domino_core::client::Reader;
use domino_core::commit::Commit;
use domino_core::deployment_marker::{DeploymentMarker, EntityMarker, described, state_of};
use domino_core::error::{CommandError, Result};
use domino_core::place::ResolvedPlacement;
use domino_core::step::{StepContext, StepFlags, duration};
use stage_file::{Kind, Model, StageFile};

use crate::check::{Built, mismatches};
use crate::difference::{ExistingEndpoint, Wanted, Work, work};
use crate::endpoint::{Endpoint, EndpointAddress};
use crate::recorded_requests::RecordedRequests;
use crate::source::{self, Source};
use crate::stage_before;
use crate::stage_order::StageOrder;
use crate::version::Choice;

/// What `publish --help` ends with.
pub(crate) const SMOKE: &str = "\
The step output `smoke` is `passed`, `failed`, `none` (no smoke test is given), `skipped` (no token), `refused` \
(the token) or `unreachable`: nothing answers at the endpoint's address. With `failed` the version gives way to the \
one before; with `refused` and `unreachable` the step fails as well, and the version stays, untested.";

/// `deploy-model publish`.
#[derive(Debug, clap::Args)]
pub(crate) struct PublishArgs {
    /// The model, as in `[model.<name>]` of stages.toml
    pub(crate) model: String,
    /// The version of the registered model; else the first stage goes by the rule in stages.toml, and every later
    /// stage takes the version that the stage before serves
    #[arg(long, value_name = "VERSION", env = "MODEL_VERSION", value_parser = given_version)]
    pub(crate) version: Option<GivenVersion>,
    /// Publish a version that the stage before does not serve, and say why. A stage before on another Domino cannot
    /// be asked: its version passes with a warning
    #[arg(long, value_name = "REASON")]
    pub(crate) force_version: Option<String>,
    /// The commit that this is for: a whole id, or what git knows here; else GITHUB_SHA, else HEAD
    #[arg(long, value_name = "COMMIT")]
    pub(crate) commit: Option<String>,
    /// The file of recorded requests, in place of the one in stages.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) smoke: Option<PathBuf>,
    /// The environment variables of the endpoint were changed in Domino by hand to what stages.toml says
    #[arg(long)]
    pub(crate) variables_are_set: bool,
    /// Print the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not wait for the version to serve, and do not test it
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// How long to wait for the version to serve; as long again, and 5 minutes, for putting the one before back
    #[arg(long, value_name = "TIME", default_value = "40m", value_parser = duration)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) address: EndpointAddress,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// A version that may be empty: GitHub passes an output that does not exist as an empty text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GivenVersion(Option<VersionNumber>);

fn given_version(text: &str) -> Result<GivenVersion, String> {
    match text.trim() {
        "" => Ok(GivenVersion(None)),
        text => text.parse().map(|version| GivenVersion(Some(version))),
    }
}

impl PublishArgs {
    pub(crate) fn version(&self) -> Option<VersionNumber> {
        self.version.and_then(|given| given.0)
    }
}

/// What will be done.
#[derive(Debug)]
pub(crate) struct PublishPlan<'a> {
    pub(crate) model: &'a Model,
    pub(crate) endpoint: Endpoint,
    pub(crate) source: Source,
    pub(crate) place: ResolvedPlacement,
    pub(crate) wanted: Wanted,
    pub(crate) existing: Option<ExistingEndpoint>,
    pub(crate) work: Work,
    /// Where nothing is to be done: what is known of the commit that what serves was built from.
    pub(crate) built: Option<Built>,
    pub(crate) smoke: Option<RecordedRequests>,
    /// What must be said beside the plan.
    pub(crate) remarks: Vec<String>,
}

/// Reads what is needed to decide, and decides: the project; then tiers, environments, endpoints and the version
/// side by side; then the versions of the endpoint, and what the stage before serves.
pub(crate) async fn plan<'a>(
    context: &'a StepContext,
    args: &PublishArgs,
) -> Result<PublishPlan<'a>> {
    let (file, stage) = (&context.file, &context.stage);
    let model = file.model(&args.model)?;
    let commit = Commit::wanted(args.commit.as_deref())?;
    let smoke = smoke(context, model, args.smoke.as_deref())?;
    let reader = context.connection.reader();
    let choice = source::choice(context, model, args.version())?;
    let project = Project::of_stage(&reader, file, stage).await?;
    let target = file.target(Kind::Model, &model.name, stage);
    let (place, apis, source) = tokio::try_join!(
        ResolvedPlacement::find(&reader, file, stage, Kind::Model, &project, &target),
        async { Ok(reader.find_model_apis(&project).await?) },
        source::without_the_stage_before(context, &project, model, choice.as_ref()),
    )?;
    let endpoint = Endpoint::among(&apis, project.clone(), file.endpoint_name(model, stage))?;
    let (environment_id, existing, source) = tokio::try_join!(
        environment(&reader, &project, &place),
        existing(&endpoint),
        async {
            let (None, Some(Choice::StageBefore(before))) = (&source, &choice) else {
                return Ok(source);
            };
            let serves = stage_before::ask(context, model, before, &apis).await?;
            source::of_the_stage_before(model, &before.name, serves).map(Some)
        },
    )?;
    let name = &model.name;
    let source =
        source.ok_or_else(|| CommandError::message(format!("model `{name}` has no source")))?;
    let mut remarks = revision_remarks(file, &place, &target.environment_key)?;
    let desired = desired(context, model, &project, environment_id, &place, &source);
    let mut wanted = wanted(context, model, desired, &place, &source, &commit);
    if let Some(existing) = &existing
        && endpoint.apis.capabilities().fixes_variables
        && !existing.has_variables(&wanted)
        && !args.variables_are_set
    {
        return Err(cannot_change_variables(context, model, &endpoint));
    }
    let work = work(endpoint.apis.capabilities(), existing.as_ref(), &wanted);
    let (work, built) = compare(&reader, &wanted, &place, existing.as_ref(), work).await;
    if let (Work::Version { .. }, Some(active)) =
        (&work, existing.as_ref().and_then(ExistingEndpoint::active))
    {
        wanted.marker.after = active.number;
        wanted.desired.version_description = wanted.marker.to_string();
    }
    if !matches!(work, Work::Nothing(_)) && !matches!(choice, Some(Choice::StageBefore(_))) {
        let order = StageOrder {
            context,
            model,
            version: source.version(),
            commit: &commit,
            forced: args.force_version.as_deref(),
        };
        remarks.extend(order.check(&apis).await?);
    }
    remarks.extend(domino_chooses(context, &place, &source));
    Ok(PublishPlan {
        model,
        endpoint,
        source,
        place,
        wanted,
        existing,
        work,
        built,
        smoke,
        remarks,
    })
}

/// Compares what serves with what is wanted, where nothing would be done. That it was made for this says nothing about
/// what became of it: a publish may have failed on that, or never come to look.
async fn compare(
    reader: &Reader,
    wanted: &Wanted,
    place: &ResolvedPlacement,
    existing: Option<&ExistingEndpoint>,
    work: Work,
) -> (Work, Option<Built>) {
    let (Work::Nothing(version), Some(existing)) = (&work, existing) else {
        return (work, None);
    };
    let built = Built::ask(reader, wanted, &existing.api.id, version).await;
    let tier = place.tier.as_ref();
    let differences = mismatches(wanted, tier, &existing.api, version, &built);
    if differences.is_empty() {
        return (work, Some(built));
    }
    let settings = false;
    (
        Work::Version {
            differences,
            settings,
        },
        Some(built),
    )
}

/// What Domino decides, because nothing lets us.
fn domino_chooses(
    context: &StepContext,
    place: &ResolvedPlacement,
    source: &Source,
) -> Vec<String> {
    let tier = place.tier.is_none().then(|| {
        let stage = &context.stage.name;
        format!(
            "no hardware tier is given for models in stage `{stage}`, so that Domino takes its own"
        )
    });
    let commit = matches!(source.what, ModelApiSource::Function { .. }).then(|| {
        "a function cannot be pinned to a commit: Domino builds what it finds at the head of the repository".to_owned()
    });
    tier.into_iter().chain(commit).collect()
}

/// The endpoint with its versions. The list may leave out the status of the newest version, which decides whether it is
/// on its way.
async fn existing(endpoint: &Endpoint) -> Result<Option<ExistingEndpoint>> {
    let Some(api) = &endpoint.api else {
        return Ok(None);
    };
    let mut versions = endpoint.apis.versions(&api.id).await?;
    if let Some(newest) = versions.first_mut()
        && newest.deployment.is_none()
        && api
            .active
            .as_ref()
            .is_none_or(|active| active.id != newest.id)
        && let Some(told) = endpoint.apis.version(&api.id, &newest.id).await?
    {
        *newest = told;
    }
    Ok(Some(ExistingEndpoint {
        api: api.clone(),
        versions,
    }))
}

/// An endpoint must name its compute environment, also where a job may leave it out.
async fn environment(
    reader: &Reader,
    project: &Project,
    place: &ResolvedPlacement,
) -> Result<EnvironmentId> {
    if let Some((environment, _)) = &place.environment {
        return Ok(environment.id.clone());
    }
    let settings = reader.project_settings(&project.id).await?;
    settings.default_environment_id.ok_or_else(|| {
        CommandError::refused(format!(
            "project `{}` has no default compute environment",
            project.name
        ))
        .hint("write `environment` for the stage into stages.toml")
    })
}

/// A build takes the active revision of its environment; no route lets one choose.
fn revision_remarks(
    file: &StageFile,
    place: &ResolvedPlacement,
    key: &[String],
) -> Result<Vec<String>, CommandError> {
    let Some((environment, spec)) = &place.environment else {
        return Ok(Vec::new());
    };
    let name = &environment.name;
    match spec {
        RevisionSpec::One { revision_id }
            if environment.active_revision_id.as_ref() != Some(revision_id) =>
        {
            Err(CommandError::refused(format!(
                "revision `{revision_id}` of environment `{name}` is not its active one, and an endpoint is always \
                 built on that"
            ))
            .hint(format!(
                "make it the active revision in Domino, or change {}",
                file.place_of(key)
            ))
            .at(file, key))
        }
        RevisionSpec::Latest => Ok(vec![format!(
            "an endpoint is always built on the active revision of environment `{name}`, also where stages.toml says \
             the latest"
        )]),
        _ => Ok(Vec::new()),
    }
}

fn desired(
    context: &StepContext,
    model: &Model,
    project: &Project,
    environment_id: EnvironmentId,
    place: &ResolvedPlacement,
    source: &Source,
) -> DesiredModelApi {
    let (file, stage) = (&context.file, &context.stage);
    let variables = file.environment_variables(model, stage);
    DesiredModelApi {
        name: file.endpoint_name(model, stage),
        description: described(&model.description, &variables),
        project_id: project.id.clone(),
        environment_id,
        hardware_tier_id: place.tier.as_ref().map(|tier| tier.id.clone()),
        replicas: file.replicas(model, stage),
        environment_variables: variables,
        source: source.what.clone(),
        version_description: String::new(),
        logs_requests: model.log_requests,
    }
}

/// What is desired, with the marker that becomes the description of the version.
fn wanted(
    context: &StepContext,
    model: &Model,
    mut desired: DesiredModelApi,
    place: &ResolvedPlacement,
    source: &Source,
    commit: &Commit,
) -> Wanted {
    let marker = DeploymentMarker {
        version: source.version(),
        state: Some(state_of(&desired, commit)),
        ..DeploymentMarker::new(EntityMarker::new(&context.stage.name, &model.name), commit)
    };
    desired.version_description = marker.to_string();
    let environment = place.environment.as_ref();
    Wanted {
        desired,
        marker,
        revision: environment.and_then(|(environment, _)| environment.active_revision_id.clone()),
    }
}

/// Domino takes environment variables when an endpoint is created, tells them to nobody and changes them on no
/// route, so that a change in the stage file would never arrive.
fn cannot_change_variables(
    context: &StepContext,
    model: &Model,
    endpoint: &Endpoint,
) -> CommandError {
    let stage = context.stage.name.as_str();
    let own = model
        .stages
        .get(stage)
        .is_some_and(|own| !own.environment_variables.is_empty());
    let key: &[&str] = match own {
        true => &[
            "model",
            &model.name,
            "stage",
            stage,
            "environment-variables",
        ],
        false => &["model", &model.name, "environment-variables"],
    };
    CommandError::refused(format!(
        "endpoint `{}` was created with other environment variables, and Domino's API cannot change them",
        endpoint.name
    ))
    .hint(
        "set them in Domino under the endpoint's settings and run this once with `--variables-are-set`, or give the \
         model another `endpoint` name in stages.toml",
    )
    .at(&context.file, key)
}

/// Reads the smoke test: the one given, else the one in the stage file, whose path begins where that file is.
fn smoke(
    context: &StepContext,
    model: &Model,
    given: Option<&Path>,
) -> Result<Option<RecordedRequests>, CommandError> {
    match (given, &model.smoke_test) {
        (Some(given), _) => RecordedRequests::read(given, given).map(Some),
        (None, Some(named)) => {
            let folder = context.file.path.parent().unwrap_or(Path::new(""));
            let read = RecordedRequests::read(&folder.join(named), named);
            let key = ["model", model.name.as_str(), "smoke-test"];
            read.map(Some)
                .map_err(|failure| failure.at(&context.file, &key))
        }
        (None, None) => Ok(None),
    }
}
