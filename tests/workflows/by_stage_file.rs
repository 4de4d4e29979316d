//! Rules that need the stage file: only it says which models have a version, which stages have approvers, and which
//! entity goes through which stages.

use serde_json::Value;
use stage_file::{ModelSource, StageFile};

use super::read::{self, Read};
use super::rules::{Finding, order::version_of};
use super::{FIXTURES, fixture, load, rendered};

/// A rule that needs the stage file: only it says which models have a version.
fn version_missing(file: &StageFile, workflow: &Read) -> Finding {
    let models = file
        .models
        .iter()
        .filter(|model| matches!(model.source, ModelSource::Registered { .. }));
    models
        .into_iter()
        .find_map(|model| version_of(workflow, &model.name))
}

#[test]
fn every_registered_model_goes_through_the_stages_in_one_version() {
    let mut seen = 0;
    for name in FIXTURES {
        let file = load(&fixture(name));
        for (workflow, text) in rendered(name) {
            if workflow == "deploy-models.yml" {
                let read = Read::of(&workflow, &text);
                assert_eq!(version_missing(&file, &read), None, "{name}");
                seen += 1;
            }
        }
    }
    assert!(seen > 1);
    // With every trace of a version gone, no reader of the workflow alone could tell.
    let file = load(&fixture("two-stages"));
    let bare: String = super::one("two-stages", "deploy-models.yml")
        .split_inclusive('\n')
        .filter(|line| !line.contains("MODEL_VERSION") && !line.contains("quality-version"))
        .collect();
    assert!(version_missing(&file, &Read::of("deploy-models.yml", &bare)).is_some());
}

/// A rule that needs the stage file: only it says which stages have approvers. What deploys to one asks who approved the
/// run, and no other job may.
fn approvals_unread(file: &StageFile, workflow: &Read) -> Finding {
    workflow.stages().into_iter().find_map(|(id, job)| {
        let is_of = |stage: &&stage_file::Stage| id.ends_with(&format!("-{}", stage.name));
        let stage = file.stages.iter().find(is_of)?;
        let guarded = !stage.approvers.is_empty() || stage.gates.github_approval;
        let blind = read::steps(job).find(|step| {
            let run = step["run"].as_str().unwrap_or_default();
            let writes = ["deploy-", "promote-stage apply", "domino-pipeline back"];
            let writes = run
                .strip_prefix("exec ")
                .is_some_and(|command| writes.iter().any(|program| command.starts_with(program)));
            guarded && writes && step["env"]["GITHUB_TOKEN"] != "${{ github.token }}"
        });
        let may = job["permissions"]["actions"] == "read";
        // Whoever starts a run asks what earlier attempts did.
        let starts = read::runs(job).any(|run| run.contains("deploy-job start"));
        match blind {
            Some(step) => Some(format!("{id}: {step}")),
            None if may != (guarded || starts) => Some(format!("{id}: {}", job["permissions"])),
            None => None,
        }
    })
}

#[test]
fn what_deploys_to_a_stage_with_approvers_can_read_who_approved_and_nothing_else_can() {
    let mut seen = 0;
    for name in FIXTURES {
        let file = load(&fixture(name));
        for (workflow, text) in rendered(name) {
            let read = Read::of(&workflow, &text);
            assert_eq!(approvals_unread(&file, &read), None, "{name}");
            let text = read::flat(&text);
            let line = "          GITHUB_TOKEN: ${{ github.token }}\n";
            for (whole, defect) in [
                (line, ""),
                ("      actions: read # reads who approved this run\n", ""),
            ] {
                // What only looks has the token for another reason.
                if file.stages.iter().any(|stage| !stage.approvers.is_empty())
                    && !read.stages().is_empty()
                    && text.contains(whole)
                {
                    let broken = Read::of(&workflow, &text.replace(whole, defect));
                    assert!(
                        approvals_unread(&file, &broken).is_some(),
                        "{name}: `{whole}`"
                    );
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 2);
}

/// What is wrong with the way that the revision of each entity's compute environment goes through the stages.
fn revision_lost(workflow: &Read) -> Finding {
    let runs = workflow.stages_by_run();
    runs.iter().find_map(|stages| revision_lost_in(stages))
}

fn revision_lost_in(stages: &[(&String, &Value)]) -> Finding {
    for (at, (id, job)) in stages.iter().enumerate() {
        for step in read::steps(job) {
            let Some(entity @ (_, name)) = deployed(step) else {
                continue;
            };
            let output = format!("{name}-revision");
            let own = step["id"].as_str().unwrap_or_default();
            let handed_on = format!("${{{{ steps.{own}.outputs.environment-revision }}}}");
            let has = |(_, job): &(&String, &Value)| {
                read::steps(job).any(|step| deployed(step) == Some(entity))
            };
            let is_last = !stages[at + 1..].iter().any(has);
            if !is_last && job["outputs"][&output] != handed_on.as_str() {
                return Some(format!("{id} does not hand on the revision of {name}"));
            }
            // A stage between that has none of it passes on what it was given.
            let given = stages[..at].iter().any(has).then(|| {
                let before = &stages[at - 1].0;
                format!("${{{{ needs.{before}.outputs.{output} }}}}")
            });
            if step["env"]["REVISION_BEFORE"].as_str() != given.as_deref() {
                return Some(format!("{id}: {step}"));
            }
        }
    }
    None
}

/// The entity that a step deploys: the program's kind, and the name.
fn deployed(step: &Value) -> Option<(&str, &str)> {
    let mut words = step["run"]
        .as_str()?
        .strip_prefix("exec deploy-")?
        .split(' ');
    Some((words.next()?, words.nth(1)?))
}

#[test]
fn the_revision_that_a_stage_ran_is_told_the_next_one() {
    for name in FIXTURES {
        for (workflow, text) in rendered(name) {
            assert_eq!(revision_lost(&Read::of(&workflow, &text)), None, "{name}");
        }
    }
    let text = read::flat(&super::one("two-stages", "deploy-models.yml"));
    for (whole, defect) in [
        ("${{ needs.deploy-dev.outputs.quality-revision }}", "latest"),
        (
            "      quality-revision: ${{ steps.publish-quality.outputs.environment-revision }}\n",
            "",
        ),
    ] {
        assert!(text.contains(whole), "{whole}");
        let broken = Read::of("deploy-models.yml", &text.replace(whole, defect));
        assert!(revision_lost(&broken).is_some(), "{whole}");
    }
}
