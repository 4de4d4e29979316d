//! Apps in `/api/apps/v1`, from 6.3 on: creating an app creates its first version and starts nothing. Drafts, the
//! other half of this generation, belong to workspaces, which a sandbox does not have; their routes do not exist.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::app::App;
use super::generation::{
    AppSpelling, Generation, archive, facts_of, listed, one, read_changes, read_facts, user_of,
};
use super::instance::Instance;
use super::store::Apps;
use super::version::{AppVersion, AppVersionSpec};
use crate::git_ref::GitRef;
use crate::reply::{Answer, Failure, Put, Slice, page};
use crate::request::{Fields, Id, Of, Parameters};
use crate::users::Caller;

const APPS: &str = "/api/apps/v1/apps";

pub(super) fn routes() -> Router<Arc<Apps>> {
    let one_app = format!("{APPS}/{{app_id}}");
    Router::new()
        .route(APPS, get(list).post(create))
        .route(&one_app, get(one::<V1>).patch(update).delete(archive))
}

/// The spelling of v1, which starts nothing by itself.
pub(super) struct V1;

impl AppSpelling for V1 {
    fn app(apps: &Apps, app: &App) -> Value {
        let access = app.facts().access;
        let mut json = facts_of(apps, app);
        json["authorship"] = json!({ "isDraft": false, "author": user_of(&app.publisher) });
        json["accessControl"] = json!({
            "visibility": access.visibility.word(),
            "accessStatuses": access.statuses_json(),
            "discoverable": access.is_discoverable,
        });
        let version = app.current_version();
        let version = version.map(|version| Self::version(apps, app, &version));
        json.put("currentVersion", version);
        json
    }
}

impl Generation for V1 {
    const STARTS_VERSIONS: bool = false;

    fn version(apps: &Apps, app: &App, version: &AppVersion) -> Value {
        let details = version.details();
        let tier = apps
            .catalog
            .hardware_tiers
            .with_id(&details.hardware_tier_id);
        let mut content = json!({
            "mountDatasets": app.facts().mount_datasets,
            "gitRef": GitRef::or_head(&version.spec.git_ref).v4(),
            "importedGitRepoRefs": [],
            "environmentId": version.environment.id,
            "environmentRevisionId": version.revision.id,
            "dataPlaneId": tier.and_then(|tier| tier.data_plane.id_on_tier()),
            "externalVolumeMountIds": version.spec.external_volume_mount_ids,
            "netAppVolumeIds": version.spec.net_app_volume_ids,
            "extendedIdentityPropagationToAppsEnabled": version.spec.propagates_identity,
        });
        content.put("dfsCommitId", version.spec.dfs_commit_id.as_deref());
        content.put("entryScript", version.spec.entry_script.as_deref());
        let mut deployment = json!({ "hardwareTierId": details.hardware_tier_id });
        deployment.put("vanityUrl", details.vanity_url.as_deref());
        deployment.put("autoscalingSpecification", details.autoscaling);
        let mut json = json!({
            "id": version.id,
            "versionNumber": version.number,
            "createdAt": version.created.milliseconds(),
            "updatedAt": details.updated.milliseconds(),
            "tags": details.tags,
            "content": content,
            "deployment": deployment,
        });
        json.put("description", details.description.as_deref());
        let bundle = details.bundle_id.map(|id| json!({ "id": id }));
        json.put("bundle", bundle);
        let instance = version.current_instance();
        json.put("currentInstance", instance.map(|one| instance_of(&one)));
        json
    }

    fn read_version(fields: &mut Fields) -> AppVersionSpec {
        let mut spec = AppVersionSpec::default();
        fields.optional_object("content", |content| spec.read_content(content));
        fields.optional_object("deployment", |deployment| {
            spec.read_deployment(deployment);
        });
        spec.read_words(fields);
        spec.description = fields.optional_text("description");
        spec
    }
}

/// An instance in the words of v1, the only public API that tells the commit of the code.
pub(super) fn instance_of(instance: &Instance) -> Value {
    let mut json = json!({
        "id": instance.id,
        "status": instance.reported_status(),
        "createdAt": instance.created.milliseconds(),
        "publisher": { "id": instance.started_by.id, "name": instance.started_by.name },
    });
    json.put("gitCommitId", instance.commit());
    json
}

/// Published apps only, and here there are no others.
async fn list(State(apps): Of<Apps>, Caller(user): Caller, parameters: Parameters) -> Answer {
    let (mut found, mut slice) = listed(&apps, &user, &parameters)?;
    let entry_point = parameters.text("entryPoint");
    found.retain(|app| entry_point.is_none_or(|wanted| app.entry_point() == wanted));
    if parameters.flag("draftsOnly")? {
        found.clear();
    }
    slice = Slice {
        total: found.len(),
        ..slice
    };
    let items = slice.cut(found).map(|app| V1::app(&apps, &app));
    Ok(page("items", items.collect(), slice))
}

async fn create(State(apps): Of<Apps>, Caller(user): Caller, mut fields: Fields) -> Answer {
    let project_id = fields.text("projectId");
    let facts = read_facts(&mut fields);
    let spec = fields.optional_object("initialVersion", V1::read_version);
    fields.finish()?;
    let project = apps.catalog.projects.seen_by(&user, &project_id)?;
    let spec = spec.unwrap_or_default();
    apps.catalog
        .environments
        .for_run(spec.environment_id.as_deref())?;
    if let Some(url) = &spec.vanity_url {
        apps.free_vanity_url(url, None)?;
    }
    let app = apps.create(&user, &project, facts)?;
    apps.add_version(&app, &user, spec)?;
    Ok(Json(V1::app(&apps, &app)))
}

/// Fields that are left out stay unchanged. The entry point cannot be changed.
async fn update(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path(id): Id,
    mut fields: Fields,
) -> Answer {
    let app = apps.seen_by(&user, &id)?;
    let mut facts = app.facts();
    read_changes(&mut fields, &mut facts);
    let entry_point = fields.optional_text("entryPoint");
    fields.finish()?;
    if entry_point.is_some() {
        return Err(Failure::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The entry point of an app cannot be changed",
        ));
    }
    app.change(apps.host.now(), |known| *known = facts);
    Ok(Json(V1::app(&apps, &app)))
}
