//! Rules that no linter has, walked over every workflow: those in the repository and those of every fixture.
//!
//! Each rule comes with a defect that it must find, so that none can pass by looking at nothing.

use std::fs;

use serde_json::Value;
use xtask::actions;

use super::read::{Read, holds_secret, runs, steps};
use super::{FIXTURES, rendered, top};

type Finding = Option<String>;

/// A rule: what must hold, the check, and an edit that breaks it: in which workflow, what becomes what.
struct Rule {
    name: &'static str,
    check: fn(&Read) -> Finding,
    broken: [&'static str; 3],
}

const RULES: &[Rule] = &[
    Rule {
        name: "only a push, a pull request or a person starts a run",
        check: triggers,
        broken: ["ci.yml", "  pull_request:\n", "  pull_request_target:\n"],
    },
    Rule {
        name: "no pull request starts a workflow that holds a secret",
        check: no_secret_for_pull_requests,
        broken: [
            "deploy-apps.yml",
            "  push:\n",
            "  pull_request: {}\n  push:\n",
        ],
    },
    Rule {
        name: "a secret stands only in the env of a step whose job has an environment",
        check: secrets_in_env,
        broken: [
            "deploy-apps.yml",
            "    steps:\n",
            "    env:\n      KEY: ${{ secrets.DOMINO_TOKEN }}\n    steps:\n",
        ],
    },
    Rule {
        name: "no expression stands in a command",
        check: no_expression_in_run,
        broken: [
            "deploy-apps.yml",
            "publish dashboard",
            "publish ${{ inputs.stop-after }}",
        ],
    },
    Rule {
        name: "nothing but our programs runs where a secret is",
        check: only_our_programs,
        broken: [
            "deploy-apps.yml",
            "run: exec deploy-app publish dashboard",
            "run: pip install x && exec deploy-app publish dashboard",
        ],
    },
    Rule {
        name: "each stage needs the one before",
        check: stage_order,
        broken: [
            "deploy-models.yml",
            "needs:\n      - deploy-dev\n",
            "needs:\n      - build\n",
        ],
    },
    Rule {
        name: "the version that a stage serves is what the next one gets",
        check: version_handed_on,
        broken: [
            "deploy-models.yml",
            "${{ needs.deploy-dev.outputs.quality-version }}",
            "latest",
        ],
    },
    Rule {
        name: "every action is one of the table, by commit, with its version beside it",
        check: pinned,
        broken: [
            "ci.yml",
            "actions/checkout@9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0 # v7.0.0",
            "actions/checkout@v7",
        ],
    },
    Rule {
        name: "the token may do nothing but what a job says",
        check: permissions,
        broken: ["ci.yml", "permissions: {}\n", "permissions: write-all\n"],
    },
    Rule {
        name: "no command is empty",
        check: no_empty_run,
        broken: [
            "ci.yml",
            "run: cargo fmt --all --check",
            "run: '# cargo fmt'",
        ],
    },
    Rule {
        name: "a checkout keeps no credential",
        check: no_kept_credential,
        broken: [
            "ci.yml",
            "          persist-credentials: false\n",
            "          persist-credentials: true\n",
        ],
    },
    Rule {
        name: "no deployment is cancelled by a newer one",
        check: nothing_cancelled,
        broken: [
            "deploy-apps.yml",
            "cancel-in-progress: false",
            "cancel-in-progress: true",
        ],
    },
    Rule {
        name: "a job has time for all its steps",
        check: time_enough,
        broken: [
            "deploy-apps.yml",
            "    timeout-minutes: 45\n",
            "    timeout-minutes: 30\n",
        ],
    },
    Rule {
        name: "the tools that read workflows know every key",
        check: understood,
        broken: ["ci.yml", "runs-on: ubuntu-24.04", "runs-in: ubuntu-24.04"],
    },
];

fn triggers(workflow: &Read) -> Finding {
    let known = ["push", "pull_request", "workflow_dispatch"];
    let on = workflow.yaml["on"].as_object()?;
    on.keys()
        .find(|event| !known.contains(&event.as_str()))
        .cloned()
}

fn no_secret_for_pull_requests(workflow: &Read) -> Finding {
    let on = workflow.yaml["on"].as_object()?;
    let starts = on.contains_key("pull_request");
    (starts && workflow.jobs().any(|(_, job)| holds_secret(job))).then(|| "pull_request".to_owned())
}

fn secrets_in_env(workflow: &Read) -> Finding {
    workflow
        .texts()
        .into_iter()
        .filter(|(_, text)| text.contains("secrets."))
        .find_map(|(path, text)| {
            let parts: Vec<&str> = path.trim_start_matches('.').split('.').collect();
            let allowed = match parts.as_slice() {
                ["jobs", job, "steps", _, "env", _] => {
                    workflow.yaml["jobs"][job]["environment"]["name"].is_string()
                }
                _ => false,
            };
            (!allowed).then(|| format!("{path}: {text}"))
        })
}

fn no_expression_in_run(workflow: &Read) -> Finding {
    workflow
        .jobs()
        .flat_map(|(_, job)| runs(job))
        .find(|run| run.contains("${{"))
        .map(str::to_owned)
}

fn only_our_programs(workflow: &Read) -> Finding {
    let programs = ["deploy-job", "deploy-app", "deploy-model", "promote-stage"];
    let plain = |word: &str| {
        word.chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let ours = |run: &str| {
        // Only a program that takes the place of the shell hears that its step is cancelled.
        let mut words = run.split(' ');
        let takes_its_place = words.next() == Some("exec");
        let program = words.next().unwrap_or_default();
        takes_its_place
            && programs.contains(&program)
            && words.all(|word| !word.is_empty() && plain(word))
    };
    // Unpacking is the one thing that runs beside them, and the same text everywhere.
    let unpack = "tar --extract --file \"$RUNNER_TEMP/programs/programs.tar\" --directory \"$RUNNER_TEMP/programs\"\n\
                  echo \"$RUNNER_TEMP/programs\" >> \"$GITHUB_PATH\"\n";
    let actions = [actions::CHECKOUT.name, actions::DOWNLOAD_ARTIFACT.name];
    workflow
        .jobs()
        .filter(|(_, job)| holds_secret(job))
        .flat_map(|(_, job)| steps(job))
        .find_map(|step| {
            let allowed = match (step["uses"].as_str(), step["run"].as_str()) {
                (Some(uses), None) => uses
                    .split_once('@')
                    .is_some_and(|(name, _)| actions.contains(&name)),
                (None, Some(run)) => run == unpack || ours(run),
                _ => false,
            };
            (!allowed).then(|| step.to_string())
        })
}

fn stage_order(workflow: &Read) -> Finding {
    // The job that brings the programs is the one that has no environment.
    let (mut before, _) = workflow
        .jobs()
        .find(|(_, job)| job["environment"].is_null())?;
    for (id, job) in workflow.stages() {
        let needs = job["needs"]
            .as_array()
            .is_some_and(|needs| needs.len() == 1 && needs[0] == before.as_str());
        if !needs {
            return Some(format!("{id} does not need {before}"));
        }
        before = id;
    }
    None
}

fn version_handed_on(workflow: &Read) -> Finding {
    let mut before: Option<(&String, &Value)> = None;
    for (id, job) in workflow.stages() {
        for step in steps(job) {
            let words: Vec<&str> = step["run"]
                .as_str()
                .unwrap_or_default()
                .split(' ')
                .collect();
            let (["exec", "deploy-model", "publish", model, ..], Some((stage, earlier))) =
                (words.as_slice(), before)
            else {
                continue;
            };
            let output = format!("{model}-version");
            let served = &earlier["outputs"][&output];
            // A model that is no registry's has no version: the stage before says nothing of one.
            if served.is_null() && step["env"]["MODEL_VERSION"].is_null() {
                continue;
            }
            let given = format!("${{{{ needs.{stage}.outputs.{output} }}}}");
            let wanted = format!("${{{{ steps.publish-{model}.outputs.version }}}}");
            if step["env"]["MODEL_VERSION"] != given.as_str() || *served != wanted.as_str() {
                return Some(format!("{id}: {step}"));
            }
        }
        before = Some((id, job));
    }
    None
}

fn pinned(workflow: &Read) -> Finding {
    workflow
        .text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("uses: "))
        .find_map(|uses| {
            let known = actions::ALL.iter().any(|action| {
                action.commit.len() == 40
                    && action.commit.bytes().all(|byte| byte.is_ascii_hexdigit())
                    && uses == format!("{}@{} # {}", action.name, action.commit, action.version)
            });
            (!known).then(|| uses.to_owned())
        })
}

fn permissions(workflow: &Read) -> Finding {
    if workflow.yaml["permissions"]
        .as_object()
        .is_none_or(|top| !top.is_empty())
    {
        return Some("permissions at the top".to_owned());
    }
    workflow.jobs().find_map(|(id, job)| {
        // Who publishes a release writes; it runs nothing but third-party actions of the table and `gh`.
        let publishes = workflow.name == "release.yml"
            && id == "publish"
            && runs(job).all(|run| run.lines().all(|line| line.starts_with("gh ")));
        let mut all = job["permissions"]
            .as_object()
            .into_iter()
            .flat_map(|all| all.values())
            .peekable();
        let fits = all.peek().is_some() && all.all(|access| access == "read" || publishes);
        (!fits).then(|| id.clone())
    })
}

fn no_empty_run(workflow: &Read) -> Finding {
    let says_something = |run: &str| {
        run.lines()
            .any(|line| !line.trim().is_empty() && !line.trim().starts_with('#'))
    };
    workflow
        .jobs()
        .flat_map(|(_, job)| runs(job))
        .find(|run| !says_something(run))
        .map(str::to_owned)
}

fn no_kept_credential(workflow: &Read) -> Finding {
    let all = workflow.jobs().flat_map(|(_, job)| steps(job));
    let mut checkouts = all.filter(|step| {
        step["uses"]
            .as_str()
            .is_some_and(|uses| uses.starts_with("actions/checkout@"))
    });
    checkouts
        .find(|step| step["with"]["persist-credentials"] != false)
        .map(Value::to_string)
}

fn nothing_cancelled(workflow: &Read) -> Finding {
    let deploys = workflow.stages();
    if deploys.is_empty() {
        return None;
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

fn time_enough(workflow: &Read) -> Finding {
    workflow.jobs().find_map(|(id, job)| {
        let needed: u64 = steps(job)
            .filter_map(|step| step["timeout-minutes"].as_u64())
            .sum();
        let enough = job["timeout-minutes"]
            .as_u64()
            .is_some_and(|minutes| minutes > needed);
        (!enough).then(|| id.clone())
    })
}

fn understood(workflow: &Read) -> Finding {
    let read = yaml_serde::from_str::<github_actions_models::workflow::Workflow>(&workflow.text);
    read.err().map(|error| error.to_string())
}

/// Every rule that this workflow breaks.
pub fn broken(workflow: &Read) -> Vec<String> {
    let broken = RULES
        .iter()
        .filter_map(|rule| (rule.check)(workflow).map(|found| (rule.name, found)));
    broken
        .map(|(name, found)| format!("{}: not true that {name}: {found}", workflow.name))
        .collect()
}

#[test]
fn no_workflow_of_the_repository_breaks_a_rule() {
    let mut seen = 0;
    for entry in fs::read_dir(top().join(".github/workflows")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let broken = broken(&Read::of(
            &path.file_name().unwrap().to_string_lossy(),
            &text,
        ));
        assert!(broken.is_empty(), "{broken:#?}");
        seen += 1;
    }
    assert!(seen > 1);
}

#[test]
fn no_workflow_of_a_fixture_breaks_a_rule() {
    for fixture in FIXTURES {
        for (name, text) in rendered(fixture) {
            let broken = broken(&Read::of(&format!("{fixture}/{name}"), &text));
            assert!(broken.is_empty(), "{broken:#?}");
        }
    }
}

#[test]
fn every_rule_finds_the_defect_it_is_there_for() {
    for rule in RULES {
        let [workflow, whole, defect] = rule.broken;
        let fixture = if workflow == "deploy-models.yml" {
            "two-stages"
        } else {
            "one-stage"
        };
        let text = super::one(fixture, workflow);
        assert!(
            text.contains(whole),
            "{}: `{whole}` is not in {workflow}",
            rule.name
        );
        assert_eq!(
            (rule.check)(&Read::of(workflow, &text)),
            None,
            "{}",
            rule.name
        );
        let found = (rule.check)(&Read::of(workflow, &text.replace(whole, defect)));
        assert!(found.is_some(), "{}: `{defect}` was not found", rule.name);
    }
}
