//! `deploy-apps.yml`: publish every app of the stage file, stage by stage.

use indexmap::IndexMap;
use stage_file::{App, Kind};

use super::by_hand::{BACK, ByHand, PUT_BACK, with_flags};
use super::chain::Chain;
use super::stage::{StageSteps, asks_github, deploy, domino_step, minutes, with_revision};
use crate::share::Share;
use github_workflow::write::Workflow;

/// `deploy-app publish` waits for the new version, and rolls back to the old one within the same time, whatever
/// happens. The rest is for requests that are in progress when the time is up.
const MORE_MINUTES: u32 = 5;

/// The flags that a person may tick.
const FLAGS: [ByHand; 2] = [PUT_BACK, BACK];

fn files_of(app: &App) -> impl Iterator<Item = String> {
    let picture = app.thumbnail.as_deref().and_then(|path| path.to_str());
    let entry_point = std::iter::once(app.entry_point.as_str());
    entry_point.chain(picture).map(str::to_owned)
}

/// The workflow for apps.
pub(super) fn deploy_apps(share: Share<'_>) -> Workflow {
    let file = share.file;
    deploy(
        share,
        file.apps.iter().flat_map(files_of),
        &FLAGS,
        |stage, before| {
            let mut outputs = IndexMap::new();
            let steps = file.apps.iter().map(|app| {
                let (name, stage_name) = (&app.name, &stage.name);
                let step = domino_step(
                    format!("Publish app {name}"),
                    format!("publish-{name}"),
                    format!("deploy-app publish {name} --stage {stage_name}"),
                    minutes(app.timeout(stage))
                        .saturating_mul(2)
                        .saturating_add(MORE_MINUTES),
                );
                let step = with_flags(asks_github(step), &FLAGS);
                let of = (Kind::App, name.as_str());
                let step = with_revision(share, stage, before, &mut outputs, of, step);
                Chain::new(Kind::App, name, &app.after, vec![step])
            });
            let chains = steps.collect();
            StageSteps {
                outputs,
                ..StageSteps::new(chains)
            }
        },
    )
}
