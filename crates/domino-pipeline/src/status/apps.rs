//! Apps in a stage: the running version of each, and what somebody changed about it.

use domino_core::api::apps::{App as Existing, AppStatus, visibility_word};
use domino_core::deployment_marker::{APP_TAG, EntityMarker, FoundMarker};
use stage_file::{App, Kind};

use super::compare::Where;
use super::deployed::{Deployed, EntityKind, Health, moment};
use super::jobs::commit;
use super::seen::Seen;

/// An app of the file in this stage.
pub(super) fn deployed(seen: &Seen<'_>, app: &App) -> Deployed {
    let mut found = Deployed::nothing(EntityKind::App, &app.name, &seen.stage.name);
    let marker = seen.marker(&app.name);
    let name = seen.file.app_name(app, seen.stage);
    let Some(existing) = find(seen, &name, &marker, &mut found) else {
        return found;
    };
    found.name = Some(existing.name.clone());
    found.id = Some(existing.id.to_string());
    let status = existing.status();
    status.word().clone_into(&mut found.status);
    found.health = match status {
        AppStatus::Up(_) => Health::Well,
        AppStatus::Starting(_) | AppStatus::Stopping(_) | AppStatus::Unknown(_) => Health::UnderWay,
        AppStatus::Down(_) | AppStatus::Never => Health::Wrong,
    };
    compare_app(seen, app, existing, &mut found);
    let Some(version) = &existing.version else {
        return found;
    };
    found.commit = commit(version.git_ref.as_ref());
    found.since = moment(version.since());
    found.by.clone_from(&version.publisher);
    let tag = version.carried.tag(APP_TAG);
    if let Some(tag) = tag {
        found.workflow_run = marker.workflow_run_in(tag).map(str::to_owned);
    }
    match tag.and_then(|tag| FoundMarker::in_text(tag, &marker)) {
        Some(mark) => {
            found.held = mark.hold.as_ref().map(Into::into);
            compare_with_mark(seen, app, existing, &mark, &mut found);
        }
        None => {
            if seen.tags_apps {
                found.changed_by_hand(
                    "its version, which deploy-app did not publish,",
                    &*version.id.to_string(),
                );
            }
            compare_visibility(seen, app, existing, None, &mut found);
        }
    }
    let place = Where {
        tier: version.hardware_tier.as_ref(),
        plane: None,
        environment: version.environment.as_ref(),
        revision: version.revision.as_deref(),
    };
    let target = seen.file.target(Kind::App, &app.name, seen.stage);
    place.compare(seen, &target, &mut found);
    found
}

/// The app with that name, otherwise the one that has our tag.
fn find<'a>(
    seen: &'a Seen<'_>,
    name: &str,
    marker: &EntityMarker,
    found: &mut Deployed,
) -> Option<&'a Existing> {
    let named: Vec<&Existing> = seen.apps.iter().filter(|app| app.name == name).collect();
    if named.len() > 1 {
        found.changed_by_hand("the number of apps of its name", named.len().to_string());
    }
    if let Some(first) = named.first() {
        return Some(first);
    }
    let tagged = seen.apps.iter().find(|app| {
        let tag = app.version.as_ref().and_then(|v| v.carried.tag(APP_TAG));
        tag.is_some_and(|tag| marker.is_of(tag))
    })?;
    let key = [
        "app",
        &found.entity.clone(),
        "stage",
        &seen.stage.name,
        "name",
    ];
    found.differs_from(seen.file, &key, "the name", &tagged.name, name, true);
    Some(tagged)
}

fn compare_app(seen: &Seen<'_>, app: &App, existing: &Existing, found: &mut Deployed) {
    let (file, name) = (seen.file, app.name.as_str());
    if let Some(script) = existing
        .entry_point
        .as_ref()
        .filter(|s| **s != app.entry_point)
    {
        let key = ["app", name, "entry-point"];
        found.differs_from(file, &key, "entry point", script, &app.entry_point, false);
    }
    let description = existing.description.as_deref().unwrap_or_default();
    if !app.description.is_empty() && description != app.description {
        let key = ["app", name, "description"];
        found.differs_from(
            file,
            &key,
            "description",
            description,
            &app.description,
            false,
        );
    }
}

/// What the tag of the version records of our last deployment.
fn compare_with_mark(
    seen: &Seen<'_>,
    app: &App,
    existing: &Existing,
    mark: &FoundMarker,
    found: &mut Deployed,
) {
    if let Some(commit) = &found.commit
        && !commit.starts_with(&mark.commit)
        && !mark.commit.starts_with(commit.as_str())
    {
        let commit = commit.clone();
        found.changed_by_hand("the commit", commit);
    }
    compare_visibility(seen, app, existing, Some(&mark.state), found);
}

fn compare_visibility(
    seen: &Seen<'_>,
    app: &App,
    existing: &Existing,
    written: Option<&str>,
    found: &mut Deployed,
) {
    let Some(visibility) = &existing.visibility else {
        return;
    };
    let by_hand = written.is_some_and(|written| written != visibility);
    let key = ["app", app.name.as_str(), "visibility"];
    let wanted = visibility_word(app.visibility);
    if seen.file.sets(&key) {
        if visibility != wanted {
            found.differs_from(seen.file, &key, "visibility", visibility, wanted, by_hand);
        }
    } else if by_hand {
        found.changed_by_hand("visibility", visibility);
    }
}
