//! What keeps running in Domino after it was removed from the stage file, and how to end it: a merge ends nothing
//! that runs.

use stage_file::{Job, Stage, StageFile};

use super::code_span::code;

/// One sentence for each thing that a change leaves running.
pub(super) fn left_behind(before: &StageFile, after: &StageFile) -> Vec<String> {
    let mut sentences = Vec::new();
    for stage in &before.stages {
        let stays = after.stages.iter().any(|other| other.name == stage.name);
        let scheduled = before.jobs_of(stage).filter(|job| job.schedule.is_some());
        for job in scheduled {
            let goes_on = |other: &Job| {
                other.name == job.name && other.schedule.is_some() && other.is_deployed_to(stage)
            };
            if !stays || !after.jobs.iter().any(goes_on) {
                let command = format!(
                    "deploy-job schedule {} --stage {} --delete",
                    job.name, stage.name
                );
                sentences.push(by_command(&command, stays));
            }
        }
        for app in &before.apps {
            if !stays || !after.apps.iter().any(|other| other.name == app.name) {
                let command = format!("deploy-app unpublish {} --stage {}", app.name, stage.name);
                sentences.push(by_command(&command, false));
            }
        }
        for model in &before.models {
            if !stays || !after.models.iter().any(|other| other.name == model.name) {
                sentences.push(endpoint(&model.name, stage));
            }
        }
    }
    sentences
}

/// `is_known` says whether the program still finds what it needs in the new stage file.
fn by_command(command: &str, is_known: bool) -> String {
    let when = match is_known {
        true => "",
        false => "before merging, while the stage file still has it: ",
    };
    format!("{when}{}", code(command))
}

fn endpoint(model: &str, stage: &Stage) -> String {
    format!(
        "in Domino: stop the endpoint of model {} of stage {}",
        code(model),
        code(&stage.name)
    )
}
