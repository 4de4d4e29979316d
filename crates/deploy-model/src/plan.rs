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
use domino_core::place::ResolvedPlacement;
use domino_core::step::StepContext;
use domino_core::version_identity::VersionIdentity;
use stage_file::{Kind, Model, Routing, StageFile};

use crate::arguments::PublishArgs;
use crate::check::Built;
use crate::decision::{decide, let_in, order};
use crate::difference::{ExistingEndpoint, Wanted, Work};
use crate::endpoint::Endpoint;
use crate::fixed;
use crate::gate::check_gates;
use crate::ground::Ground;
use crate::kept::{Kept, first_written, fixed_at_creation, monitored, take_over};
use crate::label_route;
use crate::proven::Claim;
use crate::recorded_requests::RecordedRequests;
use crate::source::{self, Source};
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
    let ground = Ground::read(&claim, choice.as_ref(), &commit).await?;
    let Ground {
        place, endpoint, ..
    } = &ground;
    let reader = context.connection.reader();
    let (environment_id, existing, (source, registered)) = tokio::try_join!(
        environment(&reader, &ground.project, place, endpoint.api.as_ref()),
        existing(endpoint),
        ground.source(&claim, choice.as_ref()),
    )?;
    fixed::check(context, model, endpoint, smoke.as_ref())?;
    let said = file.endpoint_settings(model, stage);
    let target = file.target(Kind::Model, &model.name, stage);
    let mut remarks = revision_remarks(file, place, &target.environment_key)?;
    remarks.extend(ground.other_revision.clone());
    if let Some(version) = source.version() {
        remarks.extend(claim.check_identity(version, &registered)?);
    }
    let (there, what) = (existing.as_ref(), (&source, &commit));
    let (mut wanted, kept) = wants(&claim, &ground, there, environment_id, what)?;
    let decided = decide(&claim, &ground, there, &source, &wanted, registered);
    let mut decided = decided.await?;
    remarks.extend(decided.namesake.take());
    let work = &decided.work;
    if let (Work::Version { .. }, Some(active)) = (work, there.and_then(ExistingEndpoint::active)) {
        wanted.marker.after = active.number;
        wanted.desired.version_description = wanted.marker.to_string();
    }
    let entering = let_in(&claim, &ground, &decided, choice.as_ref(), what);
    remarks.extend(entering.await?);
    let rule = choice.as_ref().and_then(Choice::deciding_rule);
    let order = order(&claim, rule, there, &wanted, work).await?;
    remarks.extend(kept.remarks.iter().cloned());
    remarks.extend(order.warning.clone());
    remarks.extend(not_held(args, work));
    remarks.extend(label_route::remark(&reader, said.routing, there).await);
    if !matches!(work, Work::Nothing(_)) {
        let tier = place.tier.as_ref();
        remarks.extend(check_gates(&reader, endpoint, &said, tier).await?);
    }
    remarks.extend(domino_chooses(context, place, &source, there.is_some()));
    let Ground {
        endpoint, place, ..
    } = ground;
    Ok(PublishPlan {
        model,
        endpoint,
        source,
        place,
        wanted,
        existing,
        identity: decided.registered.identity(),
        work: decided.work,
        built: decided.built,
        smoke,
        kept,
        routing: said.routing,
        says_monitoring: said.monitoring.is_some(),
        order,
        remarks,
    })
}

/// What the endpoint and its new version are to be, and what stays as people set it.
fn wants(
    claim: &Claim<'_>,
    ground: &Ground,
    existing: Option<&ExistingEndpoint>,
    environment_id: EnvironmentId,
    (source, commit): (&Source, &Commit),
) -> Result<(Wanted, Kept)> {
    let Claim {
        context,
        model,
        args,
    } = claim;
    let Ground { project, place, .. } = ground;
    let desired = desired(context, model, project, environment_id, place, source);
    let mut wanted = wanted(context, model, desired, place, source, commit);
    let kept = match existing {
        Some(existing) => take_over(claim, &ground.endpoint, existing, place, &mut wanted)?,
        None => {
            wanted.marker.written = Some(first_written(&wanted));
            Kept::default()
        }
    };
    wanted.marker.hold = hold(args, existing, &wanted)?;
    wanted.desired.version_description = wanted.marker.to_string();
    Ok((wanted, kept))
}

/// What is to be said where a hold was asked for and nothing is written that could carry it.
fn not_held(args: &PublishArgs, work: &Work) -> Option<String> {
    let is_lost = args.hold.hold && !matches!(work, Work::Version { .. });
    is_lost.then(|| {
        format!(
            "model `{}` is not held: no new version of its endpoint is made",
            args.model
        )
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
        carried: fixed_at_creation(&said),
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
