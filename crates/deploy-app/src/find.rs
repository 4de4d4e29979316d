//! Finds the app that is meant, and reports what is known about it.

use domino_core::api::GitRef;
use domino_core::api::apps::{App, AppStatus, AppVersion, Apps, Generation, visibility_word};
use domino_core::api::projects::{Project, ProjectId};
use domino_core::client::Reader;
use domino_core::error::{CommandError, Context as _, Result};

use domino_core::revision::hand_on;
use domino_core::step::{Report, StepContext, StepFlags};

use stage_file::{AppApi, Stage};

use crate::own_app::under_another_name;
use crate::wanted::in_short;

/// What every verb is given.
#[derive(Debug, clap::Args)]
pub(crate) struct AppArgs {
    /// The app, as in `[app.<name>]` of stages.toml
    pub(crate) app: String,
    /// The API of Domino's to use; when not given, the newest that this Domino has
    #[arg(long, value_enum)]
    pub(crate) api: Option<Api>,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// What `--api` takes.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Api {
    /// `/api/apps/v1`, from Domino 6.3 on, unless it is switched off
    V1,
    /// `/api/apps/beta`, from Domino 6.1 on
    Beta,
    /// `/v4/modelProducts`, every Domino
    V4,
}

impl AppArgs {
    /// The generation that `--api` names, or else the stage file.
    pub(crate) fn generation(&self, entity: &stage_file::App) -> Option<Generation> {
        let by_file = entity.api.map(|api| match api {
            AppApi::V1 => Generation::V1,
            AppApi::Beta => Generation::Beta,
            AppApi::V4 => Generation::V4,
        });
        let by_flag = self.api.map(|api| match api {
            Api::V1 => Generation::V1,
            Api::Beta => Generation::Beta,
            Api::V4 => Generation::V4,
        });
        by_flag.or(by_file)
    }
}

/// What Domino has of an app of the stage file.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) project: Project,
    /// The apps by one generation of the API, the same from the first request to the last.
    pub(crate) apps: Apps<Reader>,
    pub(crate) name: String,
    pub(crate) app: Option<App>,
    /// How it was found, if it has another name.
    pub(crate) found_by: Option<&'static str>,
}

/// The app of the stage file.
pub(crate) fn app_of<'a>(context: &'a StepContext, args: &AppArgs) -> Result<&'a stage_file::App> {
    Ok(context.file.app(&args.app)?)
}

/// The app of the stage file and what Domino has of it: two requests, one after the other.
pub(crate) async fn find<'a>(
    context: &'a StepContext,
    args: &AppArgs,
    beside: bool,
) -> Result<(&'a stage_file::App, Lookup)> {
    let app = app_of(context, args)?;
    let reader = context.connection.reader();
    let project = Project::of_stage(&reader, &context.file, &context.stage).await?;
    let name = context.file.app_name(app, &context.stage);
    let (apps, all) = all_apps(&reader, args.generation(app), &project.id, &name).await?;
    let (existing, found_by) = ours(context, app, &apps, all, beside).await?;
    let found = Lookup {
        project,
        apps,
        name,
        app: existing,
        found_by,
    };
    Ok((app, found))
}

/// Our app among those of the project: by its name, otherwise by other signs, which are returned.
pub(crate) async fn ours(
    context: &StepContext,
    entity: &stage_file::App,
    apps: &Apps<Reader>,
    all: Vec<App>,
    beside: bool,
) -> Result<(Option<App>, Option<&'static str>)> {
    let name = context.file.app_name(entity, &context.stage);
    let (named, others): (Vec<App>, Vec<App>) = all.into_iter().partition(|app| app.name == name);
    let named = the_one(without_left_over(entity, apps, named), &name)?;
    if named.is_some() || beside {
        return Ok((named, None));
    }
    let reader = context.connection.reader();
    let Some((app, by)) = under_another_name(context, entity, &reader, &others).await? else {
        return Ok((None, None));
    };
    // The oldest API's list does not tell what an app runs.
    let app = match app.version {
        Some(_) => Some(app),
        None => apps.app(&app.id).await?,
    };
    Ok((app, Some(by)))
}

/// What to say of an app that has another name in Domino.
pub(crate) fn other_name(app: &App, name: &str, found_by: Option<&str>) -> String {
    found_by.map_or_else(String::new, |by| {
        format!(
            ", called `{}` in Domino and `{name}` here: ours by {by}",
            app.name
        )
    })
}

/// The apps of the project, by the given generation or the newest that this Domino has.
pub(crate) async fn all_apps(
    reader: &Reader,
    forced: Option<Generation>,
    project: &ProjectId,
    name: &str,
) -> Result<(Apps<Reader>, Vec<App>)> {
    let (apps, found) = match forced {
        None => match reader.find_apps(project, name).await {
            Ok(found) => found,
            Err(error) if error.status().is_some_and(|status| status.as_u16() == 403) => {
                let failure = CommandError::refused("the project's apps may not be listed").hint(
                    "ask for the permission; where this Domino has its newest API for apps switched off, \
                     force an older one: `--api beta`",
                );
                return Err(error).context(failure);
            }
            Err(error) => return Err(error.into()),
        },
        Some(generation) => match reader.apps(generation).of_project(project, name).await {
            Ok(found) => (reader.apps(generation), found),
            Err(error) if error.is_unknown_route() => {
                let text = format!(
                    "this Domino does not have `{}`",
                    generation.capabilities().route
                );
                let failure = CommandError::refused(text).hint(format!(
                    "leave out `--api {generation}`, or `api` in stages.toml: what it has is found"
                ));
                return Err(error).context(failure);
            }
            Err(error) => return Err(error.into()),
        },
    };
    Ok((apps, found))
}

/// Without what remains after two steps created the app at once and an app cannot be deleted: exactly what we create,
/// never started, beside one that was.
fn without_left_over(entity: &stage_file::App, apps: &Apps<Reader>, named: Vec<App>) -> Vec<App> {
    let is_left_over = |app: &App| {
        app.status() == AppStatus::Never
            && app.entry_point.as_ref() == Some(&entity.entry_point)
            && app.description.as_ref() == Some(&entity.description)
            && app.visibility.as_deref() == Some(visibility_word(entity.visibility))
    };
    let others = named.iter().filter(|app| !is_left_over(app));
    if apps.capabilities().archives_apps || others.count() != 1 {
        return named;
    }
    named.into_iter().filter(|app| !is_left_over(app)).collect()
}

/// The one app of this name. Several are an error that lists them, because it is not clear which one is meant.
fn the_one(mut apps: Vec<App>, name: &str) -> Result<Option<App>, CommandError> {
    if apps.len() < 2 {
        return Ok(apps.pop());
    }
    let listed: Vec<String> = apps
        .iter()
        .map(|app| match &app.url {
            Some(url) => format!("`{}` at {url} ({})", app.id, app.status().word()),
            None => format!("`{}` ({})", app.id, app.status().word()),
        })
        .collect();
    Err(CommandError::refused(format!(
        "{} apps are called `{name}`: {}",
        apps.len(),
        listed.join(", ")
    ))
    .hint("rename or delete all but one of them in Domino; the name is how the app is found"))
}

/// Where a person opens the app. Some deployments tell an internal address, which answers 404 to everybody.
pub(crate) fn link(context: &StepContext, app: &App) -> Option<String> {
    let host = context.connection.host().as_str();
    let url = app.url.as_deref()?;
    if url.contains("/apps-internal/") {
        return Some(format!("{host}/modelproducts/{}?scope=project", app.id));
    }
    Some(match url.starts_with('/') {
        true => format!("{host}{url}"),
        false => url.to_owned(),
    })
}

/// A version as people read it: `version 6a… of commit 3f2a91c0b1d2`.
pub(crate) fn version_text(version: &AppVersion) -> String {
    format!(
        "version {} of {}",
        version.id,
        in_short(version.git_ref.as_ref())
    )
}

/// Adds what is known about an app to the report: outputs for later steps, facts for people.
pub(crate) fn describe(report: &mut Report, context: &StepContext, app: &App) {
    report.output("id", app.id.as_str());
    report.fact("app", format!("{} ({})", app.name, app.id));
    if let Some(version) = &app.version {
        describe_version(report, version);
    } else {
        report.output("status", app.status().word());
        report.fact("status", app.status().word());
    }
    if let Some(link) = link(context, app) {
        report.output("url", &link).fact("link", link);
    }
}

/// The same for one version.
pub(crate) fn describe_version(report: &mut Report, version: &AppVersion) {
    let status = version.status();
    hand_on(report, version.revision.as_deref());
    report.version_id = Some(version.id.to_string());
    report
        .output("version", version.id.as_str())
        .output("status", status.word())
        .fact("version", version.id.as_str())
        .fact("status", status.word());
    match &version.git_ref {
        Some(GitRef::Commit(commit)) => report.output("commit", commit).fact("commit", commit),
        Some(moving) => report.fact("commit", moving.to_string()),
        None => report,
    };
}

/// The first line of an error: what could not be done.
pub(crate) fn cannot(verb: &str, app: &str, stage: &Stage) -> String {
    format!("cannot {verb} app `{app}` in stage `{}`", stage.name)
}

#[cfg(test)]
mod tests {
    use domino_core::api::apps::AppId;

    use super::*;

    fn app(id: &str, url: Option<&str>) -> App {
        App {
            id: AppId::new(id),
            name: "dashboard-dev".into(),
            entry_point: None,
            description: None,
            visibility: None,
            discoverable: None,
            url: url.map(str::to_owned),
            publisher: None,
            version: None,
        }
    }

    #[test]
    fn several_apps_of_one_name_are_listed_and_none_is_chosen() {
        let apps = vec![
            app("a1", Some("https://domino.example.com/apps/a1")),
            app("a2", None),
        ];
        let failure = the_one(apps, "dashboard-dev").unwrap_err();
        assert_eq!(
            failure.to_string(),
            "2 apps are called `dashboard-dev`: `a1` at https://domino.example.com/apps/a1 (never started), \
             `a2` (never started)"
        );
    }

    #[test]
    fn one_app_is_the_one_and_none_is_none() {
        let one = the_one(vec![app("a1", None)], "x").unwrap();
        assert_eq!(one.unwrap().id.as_str(), "a1");
        assert!(the_one(Vec::new(), "x").unwrap().is_none());
    }
}
