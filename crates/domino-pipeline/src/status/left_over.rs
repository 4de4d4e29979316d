//! What has our marker in Domino and is no longer in the stage file: it keeps running, and nobody looks after it.

use domino_core::deployment_marker::{APP_TAG, EntityMarker};

use super::deployed::{EntityKind, LeftOver};
use super::seen::Seen;

/// Everything of this stage, and of stages that the file does not have.
pub(super) fn of(seen: &Seen<'_>) -> Vec<LeftOver> {
    let mut left = schedules(seen);
    left.extend(runs(seen));
    left.extend(apps(seen));
    left.extend(endpoints(seen));
    left
}

/// Anybody can write a title, so only a marker of a stage of the file counts, at its end.
fn schedules(seen: &Seen<'_>) -> Vec<LeftOver> {
    let of_file = |marker: &EntityMarker| {
        let job = seen.file.job(&marker.entity);
        job.is_ok_and(|job| job.schedule.is_some() && job.is_deployed_to(seen.stage))
    };
    let marked = seen.schedules.iter().filter_map(|one| {
        let marker = EntityMarker::last_in(&one.definition.title)?;
        marker.schedule_in(&one.definition.title)?;
        Some((one, marker))
    });
    marked
        .filter(|(_, marker)| marker.stage == seen.stage.name && !of_file(marker))
        .map(|(one, marker)| LeftOver {
            kind: EntityKind::Schedule,
            hint: format!(
                "deploy-job schedule {} --stage {} --delete",
                marker.entity, marker.stage
            ),
            marker: format!("{}/{}", marker.stage, marker.entity),
            name: one.definition.title.clone(),
            id: one.id.to_string(),
        })
        .collect()
}

/// Runs that have ended are history.
fn runs(seen: &Seen<'_>) -> Vec<LeftOver> {
    let going_on = seen.runs.iter().filter(|run| !run.statuses.is_completed);
    going_on
        .filter_map(|run| {
            let title = run.title.as_deref()?;
            let marker = EntityMarker::last_in(title)?;
            let ours = marker.stage == seen.stage.name && seen.file.job(&marker.entity).is_err();
            ours.then(|| LeftOver {
                kind: EntityKind::Job,
                marker: format!("{}/{}", marker.stage, marker.entity),
                name: title.to_owned(),
                id: run.id.to_string(),
                hint: "stop it in Domino, or let it end".into(),
            })
        })
        .collect()
}

fn apps(seen: &Seen<'_>) -> Vec<LeftOver> {
    let tagged = seen.apps.iter().filter_map(|app| {
        let tag = app.version.as_ref()?.carried.tag(APP_TAG)?;
        Some((app, EntityMarker::last_in(tag)?))
    });
    tagged
        .filter(|(_, marker)| seen.answers_for(marker))
        .filter(|(app, marker)| {
            let known = seen.file.app(&marker.entity).is_ok() && marker.stage == seen.stage.name;
            !known && !app.status().is_down()
        })
        .map(|(app, marker)| LeftOver {
            kind: EntityKind::App,
            marker: format!("{}/{}", marker.stage, marker.entity),
            name: app.name.clone(),
            id: app.id.to_string(),
            hint: "stop it in Domino".into(),
        })
        .collect()
}

fn endpoints(seen: &Seen<'_>) -> Vec<LeftOver> {
    let marked = seen.endpoints.iter().filter_map(|endpoint| {
        let version = endpoint.active()?;
        Some((endpoint, EntityMarker::last_in(&version.description)?))
    });
    marked
        .filter(|(_, marker)| seen.answers_for(marker))
        .filter(|(endpoint, marker)| {
            let model = seen.file.model(&marker.entity);
            let is_its = |model| seen.file.endpoint_name(model, seen.stage) == endpoint.api.name;
            !(model.is_ok_and(is_its) && marker.stage == seen.stage.name)
        })
        .map(|(endpoint, marker)| LeftOver {
            kind: EntityKind::Model,
            marker: format!("{}/{}", marker.stage, marker.entity),
            name: endpoint.api.name.clone(),
            id: endpoint.api.id.to_string(),
            hint: "stop its deployment in Domino, or archive it".into(),
        })
        .collect()
}
