//! The plan of a publish: what exists, what is wanted, and what follows. It only reads.

use std::path::Path;

use domino_core::api::environments::{EnvironmentId, RevisionSpec};
use domino_core::api::model_apis::{DesiredModelApi, ModelApi, ModelApiSource};
use domino_core::api::projects::Project;
use domino_core::client::Reader;
use domino_core::commit::Commit;
use domino_core::deployment_marker::{DeploymentMarker, EntityMarker, FoundMarker, state_of};
use domino_core::error::{CommandError, Result};
use domino_core::hold::{Hold, Moving};
use domino_core::older_commit::OrderNotes;
use domino_core::own_endpoint::{EndpointSearch, registered_name};
use domino_core::place::ResolvedPlacement;
use domino_core::step::StepContext;
use domino_core::version_identity::VersionIdentity;
use stage_file::{Kind, Model, Routing, StageFile};

use crate::arguments::PublishArgs;
use crate::check::{Built, mismatches};
use crate::difference::{ExistingEndpoint, Wanted, Work, work};
use crate::endpoint::Endpoint;
use crate::fixed;
use crate::going_back;
use crate::kept::{Kept, asynchronous, first_written, monitored, take_over};
use crate::label_route;
use crate::proven::Claim;
use crate::recorded_requests::RecordedRequests;
use crate::source::{self, Source};
use crate::stage_before;
use crate::stage_order::StageOrder;
use crate::version::{Choice, Given};

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
    /// What is known about the commit that the serving version was built from, if nothing is to be done.
    pub(crate) built: Option<Built>,
    pub(crate) smoke: Option<RecordedRequests>,
    /// What distinguishes the version from every other of its number, if the experiment manager tells it.
    pub(crate) identity: Option<VersionIdentity>,
    /// What stays as people set it.
    pub(crate) kept: Kept,
    /// How callers are routed by the stage file, if it says so.
    pub(crate) routing: Option<Routing>,
    /// Whether the stage file says if the model is monitored.
    pub(crate) says_monitoring: bool,
    /// How it relates to what serves.
    pub(crate) order: OrderNotes,
    /// What must be said besides the plan.
    pub(crate) remarks: Vec<String>,
}

/// Reads what is needed to decide, and decides: the project; then tiers, environments, endpoints and the version
/// side by side; then the versions of the endpoint, and what the stage before serves.
pub(crate) async fn plan<'a>(
    context: &'a StepContext,
    args: &'a PublishArgs,
) -> Result<PublishPlan<'a>> {
    let (file, stage) = (&context.file, &context.stage);
    let model = file.model(&args.model)?;
    let commit = Commit::wanted(args.commit.as_deref())?;
    let smoke = smoke(context, model, args.smoke.as_deref())?;
    let reader = context.connection.reader();
    let given = Given {
        version: args.version()?,
        trained_by_run: args.trained_by_run()?,
    };
    let choice = source::choice(context, model, given)?;
    let claim = Claim {
        context,
        model,
        args,
    };
    let project = Project::of_stage(&reader, file, stage).await?;
    let target = file.target(Kind::Model, &model.name, stage);
    let (mut place, apis, source) = tokio::try_join!(
        ResolvedPlacement::find(&reader, file, stage, Kind::Model, &project, &target),
        async {
            let registered = registered_name(model);
            Ok(reader.find_model_apis_of(&project, registered).await?)
        },
        source::without_the_stage_before(context, &project, model, choice.as_ref(), &commit),
    )?;
    let of = (Kind::Model, model.name.as_str());
    let other_revision = args.revision.settle(&mut place, file, stage, of)?;
    let search = EndpointSearch {
        file,
        stage,
        model,
        apis: &apis,
    };
    let endpoint = match args.beside {
        true => Endpoint::named(&search, project.clone())?,
        false => Endpoint::of(&search, project.clone()).await?,
    };
    if endpoint.api.is_none() {
        search.check_hidden(&reader, &project, args.beside).await?;
    }
    let (environment_id, existing, (source, registered)) = tokio::try_join!(
        environment(&reader, &project, &place, endpoint.api.as_ref()),
        existing(&endpoint),
        async {
            let source = match (source, &choice) {
                (None, Some(Choice::StageBefore(before))) => {
                    let serves = stage_before::ask(context, model, before, &project, &apis).await?;
                    source::of_the_stage_before(model, &before.name, serves)?
                }
                (source, _) => source.ok_or_else(|| {
                    CommandError::message(format!("model `{}` has no source", model.name))
                })?,
            };
            let registered = claim.read(source.version()).await?;
            Ok((source, registered))
        },
    )?;
    fixed::check(context, model, &endpoint, smoke.as_ref())?;
    let said = file.endpoint_settings(model, stage);
    let mut remarks = revision_remarks(file, &place, &target.environment_key)?;
    remarks.extend(other_revision);
    if let Some(version) = source.version() {
        remarks.extend(claim.check_identity(version, &registered)?);
    }
    let desired = desired(context, model, &project, environment_id, &place, &source);
    let mut wanted = wanted(context, model, desired, &place, &source, &commit);
    let kept = match &existing {
        Some(existing) => take_over(&claim, &endpoint, existing, &place, &mut wanted)?,
        None => {
            wanted.marker.written = Some(first_written(&wanted));
            Kept::default()
        }
    };
    wanted.marker.hold = hold(args, existing.as_ref(), &wanted)?;
    wanted.desired.version_description = wanted.marker.to_string();
    let work = work(endpoint.apis.capabilities(), existing.as_ref(), &wanted);
    let served = existing.as_ref().and_then(ExistingEndpoint::active);
    let registered = claim.read_beside(registered, served, &source.what).await?;
    let namesake = claim.check_served(served, &source.what, &registered)?;
    let (mut work, built) = compare(&reader, &wanted, &place, existing.as_ref(), work).await;
    if namesake.is_some() && matches!(work, Work::Nothing(_)) {
        work = Work::Version {
            differences: vec![format!("another {} of that number", source.what)],
            settings: false,
        };
    }
    remarks.extend(namesake);
    if let (Work::Version { .. }, Some(active)) =
        (&work, existing.as_ref().and_then(ExistingEndpoint::active))
    {
        wanted.marker.after = active.number;
        wanted.desired.version_description = wanted.marker.to_string();
    }
    let callers_get_another = said.routing == Some(Routing::Advanced)
        && matches!(&work, Work::Nothing(version) if !version.is_promoted());
    let changes = callers_get_another || !matches!(work, Work::Nothing(_));
    if let (true, Some(version)) = (changes, source.version()) {
        remarks.extend(claim.check_let_in(version, &registered)?);
    }
    if !matches!(work, Work::Nothing(_)) && !matches!(choice, Some(Choice::StageBefore(_))) {
        let order = StageOrder {
            context,
            model,
            version: source.version(),
            commit: &commit,
            forced: args.force_version.as_deref(),
        };
        remarks.extend(order.check(&project, &apis).await?);
    }
    let order = match (&work, &existing) {
        (Work::Version { .. }, Some(existing)) if !existing.is_stopped() => {
            let rule = choice.as_ref().and_then(Choice::deciding_rule);
            going_back::check(existing, &wanted, rule, args.back, &context.connection).await?
        }
        _ => OrderNotes::default(),
    };
    remarks.extend(kept.remarks.iter().cloned());
    remarks.extend(order.warning.clone());
    if args.hold.hold && !matches!(work, Work::Version { .. }) {
        remarks.push(format!(
            "model `{}` is not held: no new version of its endpoint is made",
            model.name
        ));
    }
    remarks.extend(label_route::remark(&reader, said.routing, existing.as_ref()).await);
    remarks.extend(domino_chooses(context, &place, &source, existing.is_some()));
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
        identity: registered.identity(),
        kept,
        routing: said.routing,
        says_monitoring: said.monitoring.is_some(),
        order,
        remarks,
    })
}

/// The hold that the endpoint has after this. One that is held is not moved to another version or commit.
fn hold(
    args: &PublishArgs,
    existing: Option<&ExistingEndpoint>,
    wanted: &Wanted,
) -> Result<Option<Hold>> {
    let of = &wanted.marker.of;
    let marked = existing.and_then(|existing| existing.mark_of(existing.active()?, of));
    let is_same = |marked: &FoundMarker| {
        marked.version == wanted.marker.version
            && wanted.marker.commit.as_str().starts_with(&marked.commit)
    };
    let moving = Moving {
        what: &format!("model `{}`", of.entity),
        entity: &of.entity,
        stage: &of.stage,
        runs: marked.as_ref().map(|marked| marked.commit.as_str()),
        held: marked.as_ref().and_then(|marked| marked.hold.as_ref()),
        is_same: marked.as_ref().is_some_and(is_same),
        back: args.back,
    };
    args.hold.settle(moving, &wanted.marker.commit)
}

/// Compares what serves with what is wanted, if nothing else would be done. That it was created for this says nothing
/// about the result: the publish may have failed, or ended before it could check.
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

/// What Domino decides because nothing lets us.
fn domino_chooses(
    context: &StepContext,
    place: &ResolvedPlacement,
    source: &Source,
    exists: bool,
) -> Vec<String> {
    let tier = (place.tier.is_none() && !exists).then(|| {
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

/// The endpoint with its versions. The list may leave out the status of the newest version, which tells whether it is
/// being deployed.
async fn existing(endpoint: &Endpoint) -> Result<Option<ExistingEndpoint>> {
    let Some(api) = &endpoint.api else {
        return Ok(None);
    };
    let mut versions = endpoint.versions(api).await?;
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

/// An endpoint must name its compute environment, even if a job may leave it out. An existing endpoint keeps its own.
async fn environment(
    reader: &Reader,
    project: &Project,
    place: &ResolvedPlacement,
    existing: Option<&ModelApi>,
) -> Result<EnvironmentId> {
    if let Some((environment, _)) = &place.environment {
        return Ok(environment.id.clone());
    }
    if let Some(environment) = existing.and_then(ModelApi::told_environment) {
        return Ok(environment);
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

/// A build takes the active revision of its environment; no route can choose another.
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
    let said = file.endpoint_settings(model, stage);
    DesiredModelApi {
        name: file.endpoint_name(model, stage),
        description: model.description.trim().to_owned(),
        project_id: project.id.clone(),
        environment_id,
        hardware_tier_id: place.tier.as_ref().map(|tier| tier.id.clone()),
        replicas: file.replicas(model, stage),
        environment_variables: variables,
        source: source.what.clone(),
        version_description: String::new(),
        logs_requests: model.log_requests.unwrap_or(false),
        carried: asynchronous(said.asynchronous),
        carried_version: monitored(said.monitoring),
    }
}

/// What is desired, with the marker that becomes part of the version's description.
fn wanted(
    context: &StepContext,
    model: &Model,
    desired: DesiredModelApi,
    place: &ResolvedPlacement,
    source: &Source,
    commit: &Commit,
) -> Wanted {
    let marker = DeploymentMarker {
        version: source.version(),
        state: Some(state_of(&desired, commit)),
        ..DeploymentMarker::new(EntityMarker::new(&context.stage.name, &model.name), commit)
    };
    let environment = place.environment.as_ref();
    Wanted {
        desired,
        marker,
        revision: environment.and_then(|(environment, _)| environment.active_revision_id.clone()),
    }
}

/// Reads the smoke test: the given one, otherwise the one in the stage file, whose path is relative to that file.
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
