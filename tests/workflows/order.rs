//! Checks of the order through the stages: what starts it, in which order, with which version, and who waits for
//! whom.

use serde_json::Value;

use super::Finding;
use crate::read::{Read, begins_by_hand, groups, quoted, runs, steps};

/// Whether a command is one of our programs and nothing else.
pub fn is_ours(run: &str) -> bool {
    let programs = ["deploy-job", "deploy-app", "deploy-model", "promote-stage"];
    let plain = |word: &str| {
        word.chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    // Only a program that takes the place of the shell hears that its step is cancelled.
    let mut words = run.split(' ');
    let takes_its_place = words.next() == Some("exec");
    let program = words.next().unwrap_or_default();
    let looks = ["status", "back"]
        .iter()
        .any(|verb| run.starts_with(&format!("exec domino-pipeline {verb} ")));
    takes_its_place
        && (looks || programs.contains(&program))
        && words.all(|word| !word.is_empty() && plain(word))
}

pub fn stage_order(workflow: &Read) -> Finding {
    let stages = workflow.stages();
    if stages.is_empty() {
        return None;
    }
    if goes_back(workflow) {
        // A person picks the one stage that is meant.
        let picks = |job: &Value| {
            let condition = job["if"].as_str().unwrap_or_default();
            condition.contains("inputs.stage == '") && condition.contains("inputs.entity")
        };
        let other = stages.into_iter().find(|(_, job)| !picks(job));
        return other.map(|(id, job)| format!("{id}: {}", job["if"]));
    }
    // The job that brings the programs comes first, and has no environment. Where each stage installs them by itself,
    // the first stage comes first.
    let (mut before, first) = workflow.jobs().next()?;
    let installs = steps(first).any(|step| !step["env"]["WHEEL"].is_null());
    let is_first = first["environment"].is_null() || (installs && first["needs"].is_null());
    if !is_first {
        return Some(format!("{before} has an environment and no job before it"));
    }
    let provides = before;
    for (id, job) in stages.into_iter().skip(usize::from(installs)) {
        if begins_by_hand(job) {
            before = provides;
        }
        let needs = job["needs"]
            .as_array()
            .is_some_and(|needs| needs.len() == 1 && needs[0] == before.as_str());
        let is_alone = installs && begins_by_hand(job) && job["needs"].is_null();
        if !needs && !is_alone {
            return Some(format!("{id} does not need {before}"));
        }
        before = id;
    }
    None
}

/// The program, its verb and its entity.
fn command(step: &Value) -> Option<[&str; 3]> {
    let mut words = step["run"].as_str()?.strip_prefix("exec ")?.split(' ');
    Some([words.next()?, words.next()?, words.next()?])
}

pub fn version_handed_on(workflow: &Read) -> Finding {
    let stages = workflow.stages();
    let all = || stages.iter().flat_map(|(_, job)| steps(job));
    // A model that is no registry's has no version: then nothing says anything of one.
    let has_version = |model: &str| {
        let output = format!("{model}-version");
        stages
            .iter()
            .any(|(_, job)| !job["outputs"][&output].is_null())
            || all().any(|step| {
                command(step).is_some_and(|[program, _, name]| {
                    name == model
                        && (program == "promote-stage" || !step["env"]["MODEL_VERSION"].is_null())
                })
            })
    };
    let models = all().filter_map(command).filter_map(|[program, _, model]| {
        (program == "deploy-model" && has_version(model)).then_some(model)
    });
    models
        .collect::<Vec<_>>()
        .into_iter()
        .find_map(|model| version_of(workflow, model))
}

/// What is wrong with the way that the version of this model goes through the stages.
pub fn version_of(workflow: &Read, model: &str) -> Finding {
    let ways = [
        ("version", "MODEL_VERSION"),
        ("version-identity", "MODEL_VERSION_IDENTITY"),
    ];
    let runs = workflow.stages_by_run();
    ways.into_iter()
        .find_map(|way| runs.iter().find_map(|stages| handed_on(stages, model, way)))
}

fn handed_on(stages: &[(&String, &Value)], model: &str, (told, variable): (&str, &str)) -> Finding {
    let served = format!("${{{{ steps.publish-{model}.outputs.{told} }}}}");
    let output = format!("{model}-{told}");
    for (at, (id, job)) in stages.iter().enumerate() {
        let given = at
            .checked_sub(1)
            .map(|before| format!("${{{{ needs.{}.outputs.{output} }}}}", stages[before].0));
        if at + 1 < stages.len() && job["outputs"][&output] != served.as_str() {
            return Some(format!("{id} does not hand on the {told} of {model}"));
        }
        for step in steps(job) {
            // A run that begins at a later stage publishes what it moved there.
            let moved = format!("${{{{ steps.apply-{model}.outputs.version }}}}");
            let begins = at == 0 && begins_by_hand(job) && variable == "MODEL_VERSION";
            let wanted = match command(step) {
                Some(["deploy-model", "publish", name]) if name == model && begins => {
                    Some(moved.as_str())
                }
                Some(["deploy-model", "publish", name]) if name == model => given.as_deref(),
                Some(["promote-stage", "apply", name]) if name == model => given.as_deref(),
                Some(["promote-stage", "request", name]) if name == model => Some(served.as_str()),
                _ => continue,
            };
            if step["env"][variable].as_str() != wanted {
                return Some(format!("{id}: {step}"));
            }
        }
    }
    None
}

pub fn every_stage_deploys(workflow: &Read) -> Finding {
    let idle = |job: &Value| !runs(job).any(is_ours);
    let stages = workflow.stages();
    let found = stages.iter().find(|(_, job)| idle(job));
    found.map(|(id, _)| (*id).clone())
}

/// Whether it is the workflow by which a person goes back.
fn goes_back(workflow: &Read) -> bool {
    workflow.name.ends_with("back.yml")
}

/// What a person starts has every job, or the one that brings the programs, on one branch only.
fn started_by_hand(workflow: &Read) -> Finding {
    let on = workflow.yaml["on"].as_object()?;
    if on.len() != 1 || !on.contains_key("workflow_dispatch") {
        return Some(format!("started by {:?}", on.keys().collect::<Vec<_>>()));
    }
    let is_limited = |job: &Value| {
        let condition = job["if"].as_str().unwrap_or_default();
        condition.starts_with("github.ref == 'refs/heads/")
    };
    let (first, programs) = workflow.jobs().next()?;
    let brings = programs["environment"].is_null() && is_limited(programs);
    let free = workflow.stages().into_iter().find(|(_, job)| {
        let after = brings
            && job["needs"]
                .as_array()
                .is_some_and(|needs| needs[0] == first.as_str());
        !after && !is_limited(job)
    });
    free.map(|(id, job)| format!("{id}: {}", job["if"]))
}

pub fn production_branch(workflow: &Read) -> Finding {
    if workflow.stages().is_empty() {
        return None;
    }
    if goes_back(workflow) {
        return started_by_hand(workflow);
    }
    let push = &workflow.yaml["on"]["push"];
    let branch = match push["branches"].as_array().map(Vec::as_slice) {
        // A name in which nothing means anything to GitHub's patterns.
        Some([Value::String(branch)]) => branch.replace('\\', ""),
        _ => return Some(format!("started by a push to {}", push["branches"])),
    };
    if push["paths"].as_array().is_none_or(Vec::is_empty) {
        return Some("started by any change".to_owned());
    }
    let (id, first) = workflow.jobs().next()?;
    let wanted = format!("github.ref == {}", quoted(&format!("refs/heads/{branch}")));
    (first["if"] != wanted.as_str()).then(|| format!("{id}: {}", first["if"]))
}

pub fn nothing_cancelled(workflow: &Read) -> Finding {
    let deploys = workflow.stages();
    if deploys.is_empty() {
        return None;
    }
    let mut groups = Vec::new();
    for (_, job) in &deploys {
        let group = job["concurrency"]["group"].as_str().unwrap_or_default();
        // What differs from run to run keeps no two runs apart; what two stages share lets one replace the other.
        if group.is_empty() || group.contains("${{") || groups.contains(&group) {
            return Some(job["concurrency"].to_string());
        }
        groups.push(group);
    }
    let all = deploys
        .iter()
        .map(|(_, job)| &job["concurrency"])
        .chain([&workflow.yaml["concurrency"]]);
    all.filter(|concurrency| {
        concurrency["cancel-in-progress"] != false || !concurrency["group"].is_string()
    })
    .map(Value::to_string)
    .next()
}

pub fn time_enough(workflow: &Read) -> Finding {
    workflow.jobs().find_map(|(id, job)| {
        let needed: u64 = groups(job)
            .map(|group| {
                let minutes = group
                    .iter()
                    .filter_map(|step| step["timeout-minutes"].as_u64());
                let (all, longest) = (minutes.clone().sum::<u64>(), minutes.max());
                // Ten of a group run at once.
                all.div_ceil(10).max(longest.unwrap_or(0))
            })
            .sum();
        let enough = job["timeout-minutes"]
            .as_u64()
            .is_some_and(|minutes| minutes > needed);
        (!enough).then(|| id.clone())
    })
}
