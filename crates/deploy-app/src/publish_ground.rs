//! Where an app goes, what of it is there, and what it is to be: read, with nothing decided or written.

use std::path::Path;

use domino_core::api::apps::{App, AppVersion, Apps, Thumbnail};
use domino_core::api::projects::Project;
use domino_core::client::Reader;
use domino_core::commit::Commit;
use domino_core::deployment_marker::APP_TAG;
use domino_core::error::{CommandError, Result};
use domino_core::hold::{Hold, Moving};
use domino_core::place::ResolvedPlacement;
use domino_core::step::{Report, StepContext};
use stage_file::{Kind, StageFile};

use crate::find::{all_apps, describe, ours};
use crate::last_written::{last_visibility, marker_of, tag};
use crate::publish_args::PublishArgs;
use crate::questions::{once_replaced, refuse_hidden_namesake, revision};
use crate::settings::{refuse_unknown, version_fields};
use crate::wanted::{Kept, Wanted};

/// Where the app goes, and what of it is there.
pub(crate) struct Ground {
    pub(crate) name: String,
    pub(crate) project: Project,
    pub(crate) apps: Apps<Reader>,
    pub(crate) place: ResolvedPlacement,
    pub(crate) existing: Option<App>,
    pub(crate) found_by: Option<&'static str>,
    /// What is to be said of a revision that is not the one meant.
    pub(crate) other_revision: Option<String>,
}

impl Ground {
    /// Three requests side by side after the one that finds the project.
    pub(crate) async fn read(
        context: &StepContext,
        args: &PublishArgs,
        entity: &stage_file::App,
        report: &mut Report,
    ) -> Result<Self> {
        let (file, stage) = (&context.file, &context.stage);
        let reader = context.connection.reader();
        let project = Project::of_stage(&reader, file, stage).await?;
        let name = file.app_name(entity, stage);
        let target = file.target(Kind::App, &entity.name, stage);
        let (mut place, (apps, all)) = tokio::try_join!(
            ResolvedPlacement::find(&reader, file, stage, Kind::App, &project, &target),
            all_apps(&reader, args.app.generation(entity), &project.id, &name),
        )?;
        let of = (Kind::App, entity.name.as_str());
        let other_revision = args.revision.settle(&mut place, file, stage, of)?;
        let (existing, found_by) = ours(context, entity, &apps, all, args.beside).await?;
        let can = apps.capabilities();
        let existing = match can.replaces_what_runs || args.as_file_says {
            true => existing,
            false => once_replaced(&apps, existing, reader.delay_scale()).await?,
        };
        if let Some(app) = &existing {
            describe(report, context, app);
        }
        if existing.is_none() && can.older.is_some() {
            refuse_hidden_namesake(&reader, &project, can, &name).await?;
        }
        Ok(Self {
            name,
            project,
            apps,
            place,
            existing,
            found_by,
            other_revision,
        })
    }
}

/// What the version is to be, and whether it is held.
pub(crate) async fn wants(
    context: &StepContext,
    args: &PublishArgs,
    entity: &stage_file::App,
    (apps, existing): (&Apps<Reader>, Option<&App>),
    (place, commit): (ResolvedPlacement, Commit),
) -> Result<(Wanted, Option<Hold>)> {
    let (file, stage) = (&context.file, &context.stage);
    let (reader, can) = (context.connection.reader(), apps.capabilities());
    let target = file.target(Kind::App, &entity.name, stage);
    let fields = version_fields(entity, stage, &place);
    refuse_unknown(file, can, entity, stage, &fields)?;
    let revision = revision(&reader, file, can, &place, &target).await?;
    let current = existing.and_then(|app| app.version.as_ref());
    let hold = hold(context, args, entity, current, &commit)?;
    let kept = current.map(|version| Kept::of(version, &place));
    let mut wanted = Wanted {
        commit,
        place,
        revision,
        entry_point: entity.entry_point.clone(),
        description: entity.description.clone(),
        visibility: entity.visibility,
        says_visibility: file.sets(&["app", entity.name.as_str(), "visibility"]),
        last_visibility: existing.and_then(|app| last_visibility(context, entity, app)),
        as_file_says: args.as_file_says,
        another_runs: match existing {
            Some(app) if app.status().is_down() && !args.as_file_says => {
                let versions = apps.versions(&app.id).await?;
                versions.iter().any(|version| !version.status().is_down())
            }
            _ => false,
        },
        fields,
        discoverable: entity.settings_in(stage).discoverable,
        thumbnail: thumbnail(file, entity, apps, existing).await?,
        kept: kept.unwrap_or_default(),
    };
    if can.tags_versions {
        let visibility = existing.and_then(|app| app.visibility.as_deref());
        let visibility = wanted.visibility_of_ours(visibility);
        let tag = tag(context, entity, &wanted.commit, &visibility, hold.clone());
        wanted.kept.carried.set_tag(APP_TAG, &tag);
    }
    Ok((wanted, hold))
}

/// The app's picture, unless Domino has it already.
async fn thumbnail(
    file: &StageFile,
    entity: &stage_file::App,
    apps: &Apps<Reader>,
    existing: Option<&App>,
) -> Result<Option<Thumbnail>> {
    let Some(named) = &entity.thumbnail else {
        return Ok(None);
    };
    let key = ["app", entity.name.as_str(), "thumbnail"];
    let unusable = |why: String| {
        CommandError::usage(format!("thumbnail `{}` {why}", named.display())).at(file, &key)
    };
    let folder = file.path.parent().unwrap_or(Path::new(""));
    let bytes = std::fs::read(folder.join(named))
        .map_err(|error| unusable(format!("cannot be read: {error}")))?;
    let picture = Thumbnail::of(named, bytes);
    let picture = picture.filter(|picture| !picture.bytes.is_empty());
    let picture = picture.ok_or_else(|| unusable("is empty or no picture by its name".into()))?;
    let has = match existing {
        Some(app) => apps.thumbnail(&app.id).await?,
        None => None,
    };
    Ok(Some(picture).filter(|picture| has.as_ref() != Some(&picture.bytes)))
}

/// The hold that the app has after this. One that is held is not moved to another commit.
fn hold(
    context: &StepContext,
    args: &PublishArgs,
    entity: &stage_file::App,
    current: Option<&AppVersion>,
    commit: &Commit,
) -> Result<Option<Hold>> {
    let marked = current.and_then(|version| marker_of(context, entity, version));
    let runs = marked.as_ref().map(|marked| marked.commit.as_str());
    let moving = Moving {
        what: &format!("app `{}`", entity.name),
        entity: &entity.name,
        stage: &context.stage.name,
        runs,
        held: marked.as_ref().and_then(|marked| marked.hold.as_ref()),
        is_same: runs.is_some_and(|runs| commit.as_str().starts_with(runs)),
        back: args.back,
    };
    args.hold.settle(moving, commit)
}
