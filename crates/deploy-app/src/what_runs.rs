//! What runs of an app at this moment, in words: always read, never remembered.

use std::time::Duration;

use domino_core::api::GitRef;
use domino_core::api::apps::{App, AppId, AppVersion, Apps};
use domino_core::client::{ApiError, Reader};
use domino_core::step::{Report, StepContext};

use crate::find::{describe, version_text};
use crate::launch::Launcher;
use crate::previous::PreviousVersion;

/// How long a last look may take: the step has already failed.
const LOOK: Duration = Duration::from_secs(10);

/// What a report says about a version, which a failure makes untrue.
const OF_A_VERSION: &[&str] = &["version", "status", "commit"];

/// Reports what Domino has of the app now, in place of what was wanted or true before.
pub(crate) async fn report_what_is(
    report: &mut Report,
    context: &StepContext,
    apps: &Apps<Reader>,
    id: &AppId,
) {
    let Ok(Ok(Some(app))) = tokio::time::timeout(LOOK, apps.app(id)).await else {
        return report.forget(OF_A_VERSION);
    };
    describe(report, context, &app);
    let git_ref = app.version.as_ref().map(|version| &version.git_ref);
    match git_ref {
        None => report.forget(&["version", "commit"]),
        Some(Some(GitRef::Commit(_))) => {}
        Some(_) => report.forget(&["commit"]),
    }
}

/// The result of creating an app whose id is not known.
pub(crate) async fn what_was_created(launcher: &Launcher<'_>) -> String {
    let name = launcher.name;
    match launcher.apps.named(&launcher.project.id, name).await {
        Ok(apps) => match apps.first() {
            Some(app) => format!(
                "app `{name}` was created as `{}`; {}",
                app.id,
                status_text(app, None)
            ),
            None => format!("app `{name}` is not to be seen in Domino"),
        },
        Err(error) => format!("it could not be seen what was created: {error}"),
    }
}

/// What runs now, or why that could not be read.
pub(crate) async fn what_runs(
    launcher: &Launcher<'_>,
    id: &AppId,
    previous: Option<&PreviousVersion>,
) -> String {
    let looked = look_what_runs(launcher, id, previous).await;
    looked.unwrap_or_else(|error| format!("it could not be seen what runs now: {error}"))
}

/// What runs now.
pub(crate) async fn look_what_runs(
    launcher: &Launcher<'_>,
    id: &AppId,
    previous: Option<&PreviousVersion>,
) -> Result<String, ApiError> {
    let apps = &launcher.apps;
    let Some(app) = apps.app(id).await? else {
        return Ok(format!("app `{}` is not there any more", launcher.name));
    };
    // If a new version replaces another, the previous one may still run while Domino shows the new one.
    let replaced = previous
        .map(|previous| &previous.version)
        .filter(|old| app.version_other_than(Some(&old.id)).is_some())
        .filter(|_| apps.capabilities().replaces_what_runs);
    let old = match replaced {
        Some(version) => {
            let old = apps.version(&app.id, &version.id).await;
            old.ok().flatten().or_else(|| Some(version.clone()))
        }
        None => None,
    };
    Ok(status_text(&app, old.as_ref()))
}

/// The status of an app in words: that of its current version, and of the one that it replaces.
fn status_text(app: &App, old: Option<&AppVersion>) -> String {
    let one = |version: &AppVersion| match version.status() {
        status if status.is_up() => format!("{} runs", version_text(version)),
        status => format!("{} is `{}`", version_text(version), status.word()),
    };
    let current = match &app.version {
        None => "nothing of it runs".into(),
        Some(version) if version.status().is_down() => {
            let word = version.status().word().to_owned();
            format!("nothing of it runs: {} is `{word}`", version_text(version))
        }
        Some(version) => one(version),
    };
    match old {
        Some(old) if old.status().is_up() => format!(
            "{}, and {}",
            one(old),
            match &app.version {
                Some(version) => one(version),
                None => "no other".into(),
            }
        ),
        Some(old) => format!("{current}; before, {}", one(old)),
        None => current,
    }
}

#[cfg(test)]
mod tests {
    use domino_core::api::apps::AppVersionId;

    use super::*;
    use crate::wanted::tests::version;

    fn app(current: Option<AppVersion>) -> App {
        App {
            id: AppId::new("a1"),
            name: "dashboard-dev".into(),
            entry_point: None,
            description: None,
            visibility: None,
            discoverable: None,
            url: None,
            publisher: None,
            version: current,
        }
    }

    fn named(id: &str, status: &str) -> AppVersion {
        AppVersion {
            id: AppVersionId::new(id),
            ..version(status)
        }
    }

    #[test]
    fn what_runs_is_said_exactly() {
        assert_eq!(status_text(&app(None), None), "nothing of it runs");
        assert_eq!(
            status_text(&app(Some(named("v2", "Running"))), None),
            "version v2 of commit abababababab runs"
        );
        assert_eq!(
            status_text(&app(Some(named("v2", "Preparing"))), None),
            "version v2 of commit abababababab is `Preparing`"
        );
        assert_eq!(
            status_text(&app(Some(named("v2", "Stopped"))), None),
            "nothing of it runs: version v2 of commit abababababab is `Stopped`"
        );
    }

    #[test]
    fn two_versions_at_once_are_both_named() {
        assert_eq!(
            status_text(
                &app(Some(named("v2", "Queued"))),
                Some(&named("v1", "Running"))
            ),
            "version v1 of commit abababababab runs, and version v2 of commit abababababab is `Queued`"
        );
        assert_eq!(
            status_text(
                &app(Some(named("v2", "Queued"))),
                Some(&named("v1", "Stopped"))
            ),
            "version v2 of commit abababababab is `Queued`; before, version v1 of commit abababababab is `Stopped`"
        );
    }
}
