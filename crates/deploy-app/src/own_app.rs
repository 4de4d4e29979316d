//! Finds our app if it was renamed: by the tag that we gave its version, otherwise by its entry point and the account
//! that created it.
//!
//! What is certainly ours is used; what may be ours is an error that names it: a second app beside it would have an
//! address that nobody knows.

use domino_core::api::apps::App;
use domino_core::client::Reader;
use domino_core::deployment_marker::{APP_TAG, EntityMarker};
use domino_core::error::{CommandError, Result};
use domino_core::step::StepContext;

/// Our app among those of the project, none of which has the right name; and how it was found.
pub(crate) async fn under_another_name(
    context: &StepContext,
    entity: &stage_file::App,
    reader: &Reader,
    all: &[App],
) -> Result<Option<(App, &'static str)>> {
    let marker = EntityMarker::new(&context.stage.name, &entity.name);
    let tagged: Vec<&App> = all.iter().filter(|app| is_tagged(app, &marker)).collect();
    match tagged[..] {
        [] => {}
        [one] => return Ok(Some((one.clone(), "its tag"))),
        _ => return Err(uncertain(context, entity, &tagged)),
    }
    let mut maybe: Vec<&App> = all
        .iter()
        .filter(|app| app.entry_point.as_ref() == Some(&entity.entry_point))
        .filter(|app| tag(app).is_none() && !is_known(context, app))
        .collect();
    if maybe.is_empty() {
        return Ok(None);
    }
    let user = reader.own_user().await?;
    let is_by_us = |app: &App| app.publisher.as_deref() == Some(user.id.as_str());
    maybe.retain(|app| app.publisher.is_none() || is_by_us(app));
    match maybe[..] {
        [] => Ok(None),
        [one] if is_by_us(one) && !may_be_another(context, entity, all) => {
            Ok(Some((one.clone(), "its entry point and account")))
        }
        _ => Err(uncertain(context, entity, &maybe)),
    }
}

fn tag(app: &App) -> Option<&str> {
    app.version.as_ref()?.carried.tag(APP_TAG)
}

fn is_tagged(app: &App, marker: &EntityMarker) -> bool {
    tag(app).is_some_and(|tag| marker.is_of(tag))
}

/// Whether the stage file has an app of this name, in any stage.
fn is_known(context: &StepContext, app: &App) -> bool {
    let file = &context.file;
    file.stages.iter().any(|stage| {
        let mut apps = file.apps.iter();
        apps.any(|entity| file.app_name(entity, stage) == app.name)
    })
}

/// Whether another app of the file, or the same app in another stage, has that entry point and is missing in the
/// project where it belongs.
fn may_be_another(context: &StepContext, entity: &stage_file::App, all: &[App]) -> bool {
    let (file, here) = (&context.file, &context.stage);
    let same_place =
        |stage: &&stage_file::Stage| stage.host == here.host && stage.project == here.project;
    file.stages.iter().filter(same_place).any(|stage| {
        let alike = file
            .apps
            .iter()
            .filter(|other| other.entry_point == entity.entry_point)
            .filter(|other| other.name != entity.name || stage.name != here.name);
        alike.into_iter().any(|other| {
            let name = file.app_name(other, stage);
            let marker = EntityMarker::new(&stage.name, &other.name);
            !all.iter()
                .any(|app| app.name == name || is_tagged(app, &marker))
        })
    })
}

fn uncertain(context: &StepContext, entity: &stage_file::App, maybe: &[&App]) -> CommandError {
    let name = context.file.app_name(entity, &context.stage);
    let named: Vec<String> = maybe
        .iter()
        .map(|app| format!("`{}` ({}, {})", app.name, app.id, app.status().word()))
        .collect();
    let key = format!("[app.{}.stage.{}]", entity.name, context.stage.name);
    CommandError::refused(format!(
        "there is no app `{name}`, and this may be ours under another name: {}",
        named.join(", ")
    ))
    .hint(format!(
        "if it is, rename it to `{name}` in Domino, or write its name as `name` under `{key}`; if not, give `--beside`"
    ))
}
