//! `deploy-apps.yml`: publish every app of the stage file, stage by stage.

use stage_file::{Kind, StageFile};

use super::stage::{
    BACK, ByHand, PUT_BACK, StageSteps, asks_github, deploy, domino_step, with_flags,
};
use github_workflow::write::Workflow;

/// `deploy-app publish` waits up to 15 minutes for the new version, and puts the old one back within as long again,
/// whatever stands in its way. The rest is for requests that are under way when a time is up.
const PUBLISH_MINUTES: u32 = 35;

/// What a person may tick.
const FLAGS: [ByHand; 2] = [PUT_BACK, BACK];

/// The workflow for apps.
pub(super) fn deploy_apps(file: &StageFile) -> Workflow {
    deploy(
        file,
        Kind::App,
        file.apps.iter().map(|app| app.entry_point.as_str()),
        &FLAGS,
        |stage, _| {
            StageSteps::new(
                file.apps
                    .iter()
                    .map(|app| {
                        let (name, stage) = (&app.name, &stage.name);
                        let step = domino_step(
                            format!("Publish app {name}"),
                            format!("publish-{name}"),
                            format!("deploy-app publish {name} --stage {stage}"),
                            PUBLISH_MINUTES,
                        );
                        with_flags(asks_github(step), &FLAGS)
                    })
                    .collect(),
            )
        },
    )
}
