//! Model endpoints in a stage: the version that answers at each, and what somebody changed about it.

use domino_core::api::model_apis::{Deployment, DeploymentStatus, ModelApiSource, ModelApiVersion};
use domino_core::deployment_marker::{
    EntityMarker, FoundMarker, Written, fingerprint_of_text, text_and_variables,
};
use stage_file::{Kind, Model, ModelSource, VersionRule};

use super::compare::Where;
use super::deployed::{Deployed, EntityKind, Health, moment};
use super::seen::{Endpoint, Seen};

/// A model of the file in this stage.
pub(super) fn deployed(seen: &Seen<'_>, model: &Model) -> Deployed {
    let mut found = Deployed::nothing(EntityKind::Model, &model.name, &seen.stage.name);
    let marker = seen.marker(&model.name);
    let Some(endpoint) = find(seen, model, &marker, &mut found) else {
        return found;
    };
    found.name = Some(endpoint.api.name.clone());
    found.id = Some(endpoint.api.id.to_string());
    let Some(version) = endpoint.active().or(endpoint.versions.first()) else {
        (found.health, found.status) = (Health::Wrong, "no version".into());
        return found;
    };
    stands(endpoint, version, &mut found);
    let mark = endpoint.found_marker(version, &marker);
    serves(model, version, mark.as_ref(), &mut found);
    let hold = mark.as_ref().and_then(|mark| mark.hold.as_ref());
    found.held = hold.map(Into::into);
    found.since = moment(version.created);
    found.by = version.created_by.as_deref().map(|id| seen.person(id));
    found.facts.extend(
        version
            .number
            .map(|number| format!("endpoint version {number}")),
    );
    if version
        .carried
        .get("monitoringEnabled")
        .is_some_and(|on| on == true)
    {
        found.facts.push("monitored".into());
    }
    if mark.is_none() {
        let number = version
            .number
            .map_or_else(|| version.id.to_string(), |n| n.to_string());
        found.changed_by_hand("its version, which deploy-model did not publish,", number);
    }
    let written = mark.as_ref().and_then(|mark| mark.written.as_ref());
    compare(seen, model, endpoint, version, written, &mut found);
    found
}

/// The endpoint with that name, otherwise the one whose versions have our marker.
fn find<'a>(
    seen: &'a Seen<'_>,
    model: &Model,
    marker: &EntityMarker,
    found: &mut Deployed,
) -> Option<&'a Endpoint> {
    let name = seen.file.endpoint_name(model, seen.stage);
    let named: Vec<&Endpoint> = seen
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.api.name == name)
        .collect();
    if named.len() > 1 {
        found.changed_by_hand(
            "the number of endpoints of its name",
            named.len().to_string(),
        );
    }
    if let Some(first) = named.first() {
        return Some(first);
    }
    let is_ours = |endpoint: &&Endpoint| {
        let newest = endpoint.active().or(endpoint.versions.first());
        newest.is_some_and(|version| endpoint.found_marker(version, marker).is_some())
    };
    let ours = seen.endpoints.iter().find(is_ours)?;
    let key = ["model", &model.name, "stage", &seen.stage.name, "endpoint"];
    found.differs_from(seen.file, &key, "the name", &ours.api.name, name, true);
    Some(ours)
}

/// The status of the version that answers, and of a newer one.
fn stands(endpoint: &Endpoint, version: &ModelApiVersion, found: &mut Deployed) {
    let told = endpoint
        .api
        .active
        .as_ref()
        .filter(|active| active.id == version.id);
    let told = told.and_then(|active| active.deployment.as_ref());
    let deployment = told.or(version.deployment.as_ref());
    found.status = deployment.map_or_else(|| "not deployed".into(), |d| d.status.to_string());
    found.health = match deployment {
        None => Health::Wrong,
        Some(deployment) => health(deployment),
    };
    if let Some(newest) = endpoint
        .versions
        .first()
        .filter(|newest| newest.id != version.id)
    {
        let status = newest.deployment.as_ref().map(|d| d.status.to_string());
        let number = newest
            .number
            .map_or_else(|| newest.id.to_string(), |n| n.to_string());
        let status = status.unwrap_or_else(|| "not told".into());
        found
            .facts
            .push(format!("a newer version {number} is `{status}`"));
    }
}

fn health(deployment: &Deployment) -> Health {
    match &deployment.status {
        DeploymentStatus::Running => Health::Well,
        DeploymentStatus::Failed
        | DeploymentStatus::Stopped
        | DeploymentStatus::Stalled
        | DeploymentStatus::Unreachable => Health::Wrong,
        _ => Health::UnderWay,
    }
}

/// What is served: by the version's source, otherwise by the marker that its publish left.
fn serves(
    model: &Model,
    version: &ModelApiVersion,
    mark: Option<&FoundMarker>,
    found: &mut Deployed,
) {
    found.version = match &version.source {
        Some(ModelApiSource::Registered { version, .. }) => Some(version.to_string()),
        Some(ModelApiSource::Function { .. }) => None,
        None => mark
            .and_then(|mark| mark.version)
            .map(|version| version.to_string()),
    };
    found.commit = mark.map(|mark| mark.commit.clone());
    found.workflow_run = mark.and_then(|mark| mark.workflow_run.clone());
    if let (
        ModelSource::Registered { name, .. },
        Some(ModelApiSource::Registered { name: told, .. }),
    ) = (&model.source, &version.source)
        && name != told
    {
        found.facts.push(format!("serves model `{told}`"));
    }
}

fn compare(
    seen: &Seen<'_>,
    model: &Model,
    endpoint: &Endpoint,
    version: &ModelApiVersion,
    written: Option<&Written>,
    found: &mut Deployed,
) {
    let (file, name, api) = (seen.file, model.name.as_str(), &endpoint.api);
    if let ModelSource::Registered {
        version: VersionRule::Number(wanted),
        ..
    } = &model.source
        && let Some(is) = found.version.clone().filter(|is| *is != wanted.to_string())
    {
        let key = ["model", name, "version"];
        found.differs_from(file, &key, "version", is, wanted.to_string(), false);
    }
    if let Some(is) = api.replicas {
        compare_replicas(seen, model, is, written, found);
    }
    let (text, _) = text_and_variables(&api.description);
    let by_hand = written.is_some_and(|written| written.text != fingerprint_of_text(&text));
    let key = ["model", name, "description"];
    if !model.description.is_empty() && text != model.description {
        let wanted = model.description.as_str();
        found.differs_from(file, &key, "description", text, wanted, by_hand);
    }
    if let (Some(is), Some(wanted)) = (version.logs_requests, model.log_requests)
        && is != wanted
    {
        let key = ["model", name, "log-requests"];
        let (is, wanted) = (is.to_string(), wanted.to_string());
        found.differs_from(file, &key, "log-requests", is, wanted, false);
    }
    let place = Where {
        tier: api.hardware_tier_id.as_ref(),
        plane: version.data_plane_id.as_deref(),
        environment: api.environment_id.as_ref(),
        revision: version.environment_revision_id.as_deref(),
    };
    let target = file.target(Kind::Model, name, seen.stage);
    place.compare(seen, &target, found);
}

/// Compares the replicas with the file, or if it does not say, with those of our last deployment.
fn compare_replicas(
    seen: &Seen<'_>,
    model: &Model,
    is: u32,
    written: Option<&Written>,
    found: &mut Deployed,
) {
    let (file, name) = (seen.file, model.name.as_str());
    let by_hand = written.is_some_and(|written| written.replicas != is);
    let own = ["model", name, "stage", &seen.stage.name, "replicas"];
    let all = ["model", name, "replicas"];
    let key = match file.sets(&own) {
        true => &own[..],
        false => &all[..],
    };
    match file.replicas(model, seen.stage) {
        None if by_hand => found.changed_by_hand("replicas", is.to_string()),
        Some(wanted) if is != wanted => {
            let (is, wanted) = (is.to_string(), wanted.to_string());
            found.differs_from(file, key, "replicas", is, wanted, by_hand);
        }
        _ => {}
    }
}
