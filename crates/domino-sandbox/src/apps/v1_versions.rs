//! The versions of an app as `/api/apps/v1` has them: content that never changes, a deployment that
//! each start can change, words about it that can be changed alone. A start stops what runs first.

use std::sync::Arc;

use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::beta_instances::whole;
use super::instance::Instance;
use super::version::{AppVersion, VersionWish, tags};
use super::{App, Apps, Replacing};
use crate::domino::Domino;
use crate::git_ref::GitRef;
use crate::reply::{Answer, Failure};
use crate::request::Fields;
use crate::users::Caller;

pub(super) fn routes() -> Router<Arc<Domino>> {
    let versions = "/api/apps/v1/apps/{app_id}/versions";
    let version = format!("{versions}/{{version_id}}");
    Router::new()
        .route(versions, get(list).post(create))
        .route(
            &format!("{versions}/createAndStart"),
            post(create_and_start),
        )
        .route(&version, get(one).patch(update))
        .route(&format!("{version}/start"), post(start))
        .route(&format!("{version}/stop"), post(stop))
}

/// A version in the words of v1.
pub(super) fn version_of(domino: &Domino, app: &App, version: &AppVersion) -> Value {
    let details = version.details();
    let tier = domino.hardware_tiers.with_id(&details.hardware_tier_id);
    let mut content = json!({
        "mountDatasets": app.facts().mount_datasets,
        "gitRef": version.git_ref.clone().unwrap_or_else(GitRef::head).v4(),
        "importedGitRepoRefs": [],
        "environmentId": version.environment.id,
        "environmentRevisionId": version.revision.id,
        "dataPlaneId": tier.and_then(|tier| tier.data_plane.id_on_tier()),
        "externalVolumeMountIds": version.external_volume_mount_ids,
        "netAppVolumeIds": version.net_app_volume_ids,
        "extendedIdentityPropagationToAppsEnabled": version.propagates_identity,
    });
    set(&mut content, "dfsCommitId", &version.dfs_commit_id);
    set(&mut content, "entryScript", &version.entry_script);
    let mut deployment = json!({ "hardwareTierId": details.hardware_tier_id });
    set(&mut deployment, "vanityUrl", &details.vanity_url);
    if let Some(autoscaling) = details.autoscaling {
        deployment["autoscalingSpecification"] = autoscaling;
    }
    let mut json = json!({
        "id": version.id,
        "versionNumber": version.number,
        "createdAt": version.created.milliseconds(),
        "updatedAt": details.updated.milliseconds(),
        "tags": details.tags,
        "content": content,
        "deployment": deployment,
    });
    set(&mut json, "description", &details.description);
    if let Some(bundle_id) = details.bundle_id {
        json["bundle"] = json!({ "id": bundle_id });
    }
    if let Some(instance) = version.current_instance() {
        json["currentInstance"] = instance_of(&instance);
    }
    json
}

/// An instance in the words of v1, which alone of the public ones tells the commit of the code.
fn instance_of(instance: &Instance) -> Value {
    let mut json = json!({
        "id": instance.id,
        "status": instance.shown_status(),
        "createdAt": instance.created.milliseconds(),
        "publisher": { "id": instance.started_by.id, "name": instance.started_by.name },
    });
    set(&mut json, "gitCommitId", &instance.commit());
    json
}

fn set(json: &mut Value, key: &str, value: &Option<String>) {
    if let Some(value) = value {
        json[key] = value.as_str().into();
    }
}

/// Reads a version as v1 is asked for one.
pub(super) fn read_version(fields: &mut Fields) -> VersionWish {
    let mut wish = VersionWish::default();
    fields.optional_object("content", |content| wish.read_content(content));
    fields.optional_object("deployment", |deployment| {
        wish.read_deployment(deployment);
    });
    wish.read_words(fields);
    wish.description = fields.optional_text("description");
    wish
}

/// What a start changes of a version's deployment.
fn read_overrides(fields: &mut Fields) -> VersionWish {
    let mut wish = VersionWish::default();
    fields.optional_object("deployment", |deployment| {
        wish.read_deployment(deployment);
    });
    wish
}

fn unprocessable(message: &str) -> Failure {
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, message)
}

/// Newest first.
async fn list(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path(app_id): Path<String>,
) -> Answer {
    let app = Apps::seen_by(&domino, &user, &app_id)?;
    let newest_first = app.versions().into_iter().rev();
    let items = newest_first.map(|version| version_of(&domino, &app, &version));
    Ok(whole(items.collect()))
}

/// Makes a version and starts nothing.
async fn create(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path(app_id): Path<String>,
    mut fields: Fields,
) -> Answer {
    let wish = read_version(&mut fields);
    fields.finish()?;
    let app = Apps::seen_by(&domino, &user, &app_id)?;
    let version = app.add_version(&domino, &user, wish)?;
    Ok(Json(version_of(&domino, &app, &version)))
}

/// Makes a version and starts it. A version that cannot be started stays, and the reply warns.
async fn create_and_start(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path(app_id): Path<String>,
    mut fields: Fields,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let wish = read_version(&mut fields);
    let overrides = fields.optional_object("startOverrides", read_overrides);
    fields.finish()?;
    let app = Apps::seen_by(&domino, &user, &app_id)?;
    let version = app.add_version(&domino, &user, wish)?;
    let started = deploy(&domino, &app, &version, overrides.unwrap_or_default())
        .and_then(|()| Apps::launch(&domino, &app, &version, &user, Replacing::StopFirst));
    let mut json = json!({ "version": version_of(&domino, &app, &version), "warnings": [] });
    match started {
        Ok(instance) => json["instance"] = instance_of(&instance),
        Err(failure) => {
            let warning = format!("The version was not started: {}", failure.message);
            json["warnings"] = json!([warning]);
        }
    }
    Ok((StatusCode::CREATED, Json(json)))
}

/// Takes over what a start says of the deployment.
fn deploy(
    domino: &Domino,
    app: &App,
    version: &AppVersion,
    overrides: VersionWish,
) -> Result<(), Failure> {
    let now = domino.now();
    if let Some(url) = &overrides.vanity_url {
        domino.apps.free_vanity_url(url, Some(app))?;
        app.change(now, |facts| facts.vanity_url = Some(url.clone()));
    }
    version.change(now, |details| {
        if let Some(tier) = overrides.hardware_tier_id {
            details.hardware_tier_id = tier;
        }
        details.autoscaling = overrides.autoscaling.or(details.autoscaling.take());
        details.vanity_url = overrides.vanity_url.or(details.vanity_url.take());
    });
    Ok(())
}

async fn one(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path((app_id, version_id)): Path<(String, String)>,
) -> Answer {
    let app = Apps::seen_by(&domino, &user, &app_id)?;
    let version = app.version(&version_id)?;
    Ok(Json(version_of(&domino, &app, &version)))
}

/// Only the words about a version can be changed, and its bundle only once.
async fn update(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path((app_id, version_id)): Path<(String, String)>,
    mut fields: Fields,
) -> Answer {
    let description = fields.optional_text("description");
    let tags = tags(&mut fields);
    let bundle_id = fields.optional_text("bundleId");
    let content = [
        "content",
        "deployment",
        "gitRef",
        "dfsCommitId",
        "environmentId",
        "environmentRevisionId",
        "entryScript",
        "hardwareTierId",
        "autoscalingSpecification",
        "vanityUrl",
    ];
    let sent = content
        .into_iter()
        .find(|name| fields.optional_value(name).is_some());
    fields.finish()?;
    let app = Apps::seen_by(&domino, &user, &app_id)?;
    let version = app.version(&version_id)?;
    if let Some(name) = sent {
        return Err(unprocessable(&format!(
            "'{name}' cannot be changed; create a new version"
        )));
    }
    let known = version.details().bundle_id;
    if bundle_id.is_some() && known.is_some() && bundle_id != known {
        return Err(unprocessable("The version already has a bundle"));
    }
    version.change(domino.now(), |details| {
        details.description = description.or(details.description.take());
        details.bundle_id = bundle_id.or(details.bundle_id.take());
        if let Some(tags) = tags {
            details.tags = tags;
        }
    });
    Ok(Json(version_of(&domino, &app, &version)))
}

/// Starts a version, or starts it again. The body, which may be left out, changes its deployment.
async fn start(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path((app_id, version_id)): Path<(String, String)>,
    request: Request,
) -> Answer {
    let mut overrides = VersionWish::default();
    if request.headers().contains_key(header::CONTENT_TYPE) {
        let mut fields = Fields::from_request(request, &()).await?;
        overrides = read_overrides(&mut fields);
        fields.finish()?;
    }
    let app = Apps::seen_by(&domino, &user, &app_id)?;
    let version = app.version(&version_id)?;
    let tier = overrides.hardware_tier_id.as_deref();
    domino
        .hardware_tiers
        .for_run(Some(tier.unwrap_or(&version.hardware_tier_id())))?;
    deploy(&domino, &app, &version, overrides)?;
    Apps::launch(&domino, &app, &version, &user, Replacing::StopFirst)?;
    Ok(Json(version_of(&domino, &app, &version)))
}

/// Stops what runs of a version; one that does not run stays as it is. The reply is empty.
async fn stop(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path((app_id, version_id)): Path<(String, String)>,
) -> Result<(), Failure> {
    let app = Apps::seen_by(&domino, &user, &app_id)?;
    for instance in app.version(&version_id)?.instances() {
        instance.stop();
    }
    Ok(())
}
