//! The versions of an app in `/api/apps/v1`: content that never changes, a deployment that each start can change, and
//! a description that can be changed separately. A start first stops what runs.

use std::sync::Arc;

use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::app::App;
use super::generation::{Generation, create_version, one_version, versions};
use super::run::Replacing;
use super::store::Apps;
use super::v1::{V1, instance_of};
use super::version::{AppVersion, AppVersionSpec, tags};
use crate::reply::{Answer, Failure};
use crate::request::{Fields, Id, Ids, Of};
use crate::users::Caller;

pub(super) fn routes() -> Router<Arc<Apps>> {
    let all = "/api/apps/v1/apps/{app_id}/versions";
    let version = format!("{all}/{{version_id}}");
    Router::new()
        .route(all, get(versions::<V1>).post(create_version::<V1>))
        .route(&format!("{all}/createAndStart"), post(create_and_start))
        .route(&version, get(one_version::<V1>).patch(update))
        .route(&format!("{version}/start"), post(start))
        .route(&format!("{version}/stop"), post(stop))
}

/// What a start changes of a version's deployment.
fn read_overrides(fields: &mut Fields) -> AppVersionSpec {
    let mut spec = AppVersionSpec::default();
    fields.optional_object("deployment", |deployment| {
        spec.read_deployment(deployment);
    });
    spec
}

fn unprocessable(message: &str) -> Failure {
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, message)
}

/// Creates a version and starts it. If it cannot be started, the version remains, and the reply warns.
async fn create_and_start(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path(app_id): Id,
    mut fields: Fields,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let spec = V1::read_version(&mut fields);
    let overrides = fields.optional_object("startOverrides", read_overrides);
    fields.finish()?;
    let app = apps.seen_by(&user, &app_id)?;
    let version = apps.add_version(&app, &user, spec)?;
    let started = deploy(&apps, &app, &version, overrides.unwrap_or_default())
        .and_then(|()| apps.launch(&app, &version, &user, Replacing::StopFirst));
    let mut json = json!({ "version": V1::version(&apps, &app, &version), "warnings": [] });
    match started {
        Ok(instance) => json["instance"] = instance_of(&instance),
        Err(failure) => {
            let warning = format!("The version was not started: {}", failure.message);
            json["warnings"] = json!([warning]);
        }
    }
    Ok((StatusCode::CREATED, Json(json)))
}

/// Applies the changes that a start makes to the deployment.
fn deploy(
    apps: &Apps,
    app: &App,
    version: &AppVersion,
    overrides: AppVersionSpec,
) -> Result<(), Failure> {
    let now = apps.host.now();
    if let Some(url) = &overrides.vanity_url {
        apps.free_vanity_url(url, Some(app))?;
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

/// Only the description of a version can be changed, and its bundle only once.
async fn update(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path((app_id, version_id)): Ids,
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
    let app = apps.seen_by(&user, &app_id)?;
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
    version.change(apps.host.now(), |details| {
        details.description = description.or(details.description.take());
        details.bundle_id = bundle_id.or(details.bundle_id.take());
        if let Some(tags) = tags {
            details.tags = tags;
        }
    });
    Ok(Json(V1::version(&apps, &app, &version)))
}

/// Starts a version, or starts it again. The body, which may be left out, changes its deployment.
async fn start(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path((app_id, version_id)): Ids,
    request: Request,
) -> Answer {
    let mut overrides = AppVersionSpec::default();
    if request.headers().contains_key(header::CONTENT_TYPE) {
        let mut fields = Fields::from_request(request, &()).await?;
        overrides = read_overrides(&mut fields);
        fields.finish()?;
    }
    let app = apps.seen_by(&user, &app_id)?;
    let version = app.version(&version_id)?;
    let tier = overrides.hardware_tier_id.as_deref();
    apps.catalog
        .hardware_tiers
        .for_run(Some(tier.unwrap_or(&version.hardware_tier_id())))?;
    deploy(&apps, &app, &version, overrides)?;
    apps.launch(&app, &version, &user, Replacing::StopFirst)?;
    Ok(Json(V1::version(&apps, &app, &version)))
}

/// Stops what runs of a version; one that does not run stays unchanged. The reply is empty.
async fn stop(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path((app_id, version_id)): Ids,
) -> Result<(), Failure> {
    let app = apps.seen_by(&user, &app_id)?;
    for instance in app.version(&version_id)?.instances() {
        instance.stop();
    }
    Ok(())
}
