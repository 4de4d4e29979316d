//! What we last wanted of an app, so that "somebody changed it since" can be distinguished from "the stage file
//! changed": from the tag of the running version, otherwise from the stage file of its commit, if git has it.

use std::process::Command;

use domino_core::api::GitRef;
use domino_core::api::apps::{App, AppVersion, visibility_word};
use domino_core::commit::Commit;
use domino_core::deployment_marker::{APP_TAG, DeploymentMarker, EntityMarker, FoundMarker};
use domino_core::hold::Hold;
use domino_core::step::StepContext;
use stage_file::StageFile;

/// The visibility that the app had when we last published it, in Domino's word.
pub(crate) fn last_visibility(
    context: &StepContext,
    entity: &stage_file::App,
    app: &App,
) -> Option<String> {
    let version = app.version.as_ref()?;
    marker_of(context, entity, version)
        .map(|found| found.state)
        .or_else(|| {
            let file = file_of_commit(context, version)?;
            let entity = file.app(&entity.name).ok()?;
            Some(visibility_word(entity.visibility).to_owned())
        })
}

/// What we wrote at a version.
pub(crate) fn marker_of(
    context: &StepContext,
    entity: &stage_file::App,
    version: &AppVersion,
) -> Option<FoundMarker> {
    let marker = EntityMarker::new(&context.stage.name, &entity.name);
    FoundMarker::in_text(version.carried.tag(APP_TAG)?, &marker)
}

/// The tag for the next version: `[dev/dashboard 3f2a91c0b1d2 run 77 state PUBLIC]`. The state is the visibility that
/// the app has and that we set. If somebody else set another one since, the last one of ours stays in the tag.
pub(crate) fn tag(
    context: &StepContext,
    entity: &stage_file::App,
    commit: &Commit,
    visibility: &str,
    hold: Option<Hold>,
) -> String {
    let of = EntityMarker::new(&context.stage.name, &entity.name);
    let mut marker = DeploymentMarker::new(of, commit);
    marker.state = Some(visibility.to_owned());
    marker.hold = hold;
    marker.to_string()
}

/// The stage file in the commit that a version runs.
fn file_of_commit(context: &StepContext, version: &AppVersion) -> Option<StageFile> {
    let Some(GitRef::Commit(commit)) = &version.git_ref else {
        return None;
    };
    let commit = Commit::wanted(Some(commit)).ok()?;
    let path = &context.file.path;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let name = path.file_name()?.to_str()?;
    let mut git = Command::new("git");
    if let Some(folder) = folder {
        git.arg("-C").arg(folder);
    }
    let output = git
        .args(["show", &format!("{commit}:./{name}")])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    StageFile::read(std::str::from_utf8(&output.stdout).ok()?, path).ok()
}
