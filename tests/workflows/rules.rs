//! Rules that no linter has, applied to every workflow: those in the repository and those of every fixture.
//!
//! Each rule comes with defects that it must find, so that none can pass without checking anything. `safety.rs` and
//! `order.rs` check the rules.

pub mod order;
mod safety;

use std::fs;

use self::order::*;
use self::safety::*;
use super::read::{self, Read};
use super::{FIXTURES, rendered, top};

/// What is wrong, if anything.
pub type Finding = Option<String>;

/// A rule: what must hold, the check, and edits that break it: in which workflow, what becomes what.
struct Rule {
    name: &'static str,
    check: fn(&Read) -> Finding,
    broken: &'static [[&'static str; 3]],
}

const RULES: &[Rule] = &[
    Rule {
        name: "only a push, a pull request, the merge queue or a person starts a run",
        check: triggers,
        broken: &[
            ["ci.yml", "  pull_request:\n", "  pull_request_target:\n"],
            [
                "deploy-apps.yml",
                "  push:\n",
                "  schedule:\n    - cron: 0 6 * * *\n  push:\n",
            ],
        ],
    },
    Rule {
        name: "no pull request starts a workflow that holds a secret",
        check: no_secret_for_pull_requests,
        broken: &[
            [
                "deploy-apps.yml",
                "  push:\n",
                "  pull_request: {}\n  push:\n",
            ],
            [
                "deploy-apps.yml",
                "  push:\n",
                "  merge_group: {}\n  push:\n",
            ],
            [
                "private-release/plan.yml",
                "sha256sum --check \"$archive.sha256\"\n",
                "./change/check.sh\n",
            ],
        ],
    },
    Rule {
        name: "a secret stands only in the env of a step whose job has an environment",
        check: secrets_in_env,
        broken: &[
            [
                "deploy-apps.yml",
                "    steps:\n",
                "    env:\n      KEY: ${{ secrets.DOMINO_TOKEN }}\n    steps:\n",
            ],
            [
                "deploy-apps.yml",
                "    steps:\n",
                "    env:\n      KEY: ${{ secrets['DOMINO_TOKEN'] }}\n    steps:\n",
            ],
            [
                "deploy-apps.yml",
                "    steps:\n",
                "    secrets: inherit\n    steps:\n",
            ],
            [
                "deploy-apps.yml",
                "${{ secrets.DOMINO_TOKEN }}",
                "${{ toJSON(secrets) }}",
            ],
            [
                "deploy-apps.yml",
                "${{ secrets.DOMINO_TOKEN }}",
                "${{ Secrets[inputs.stop-after] }}",
            ],
            [
                "deploy-apps.yml",
                "github.ref == 'refs/heads/main'",
                "secrets.DOMINO_TOKEN != ''",
            ],
            [
                "private-release/deploy-jobs.yml",
                "          RELEASE: v1.2.0\n",
                "          RELEASE: ${{ secrets.DOMINO_TOKEN }}\n",
            ],
            [
                "private-release/deploy-jobs.yml",
                "      - name: Hand the programs on\n",
                "      - name: Hand the programs on\n        env:\n          GH_TOKEN: ${{ secrets.RELEASE_TOKEN }}\n",
            ],
        ],
    },
    Rule {
        name: "no expression stands in a command",
        check: no_expression_in_run,
        broken: &[[
            "deploy-apps.yml",
            "publish dashboard",
            "publish ${{ inputs.stop-after }}",
        ]],
    },
    Rule {
        name: "nothing but our programs runs where a secret is",
        check: only_our_programs,
        broken: &[[
            "deploy-apps.yml",
            "run: exec deploy-app publish dashboard",
            "run: pip install x && exec deploy-app publish dashboard",
        ]],
    },
    Rule {
        name: "no step may fail but the download whose next step looks whether it came",
        check: no_failure_goes_unseen,
        broken: &[
            [
                "deploy-apps.yml",
                "        run: exec deploy-app publish dashboard",
                "        continue-on-error: true\n        run: exec deploy-app publish dashboard",
            ],
            [
                "deploy-apps.yml",
                "    steps:\n",
                "    continue-on-error: true\n    steps:\n",
            ],
            [
                "deploy-apps.yml",
                "[ ! -f \"$RUNNER_TEMP/programs/programs.tar\" ]",
                "false",
            ],
        ],
    },
    Rule {
        name: "a step that installs holds no secret, takes one wheel by its hash and nothing else",
        check: installs_one_wheel,
        broken: &[
            ["pip/deploy-jobs.yml", " --require-hashes", ""],
            ["pip/deploy-jobs.yml", " --no-deps", ""],
            ["pip/deploy-jobs.yml", " --only-binary :all:", ""],
            [
                "pip/deploy-jobs.yml",
                "python3 -I -m venv",
                "python3 -m venv",
            ],
            [
                "pip/deploy-jobs.yml",
                "WHEEL: domino-deploy==1.2.0 --hash=sha256:",
                "WHEEL: domino-deploy==1.2.0 other-package==1 --hash=sha256:",
            ],
            [
                "pip/deploy-jobs.yml",
                "          INDEX_URL:",
                "          DOMINO_TOKEN: ${{ secrets.DOMINO_TOKEN }}\n          INDEX_URL:",
            ],
            [
                "pip/deploy-jobs.yml",
                "${{ vars.PIP_INDEX_URL }}",
                "${{ secrets.PIP_INDEX_URL }}",
            ],
        ],
    },
    Rule {
        name: "each stage needs the one before",
        check: stage_order,
        broken: &[
            [
                "pip/back.yml",
                "inputs.stage == 'prod' && contains",
                "contains",
            ],
            [
                "pip/deploy-models.yml",
                "    needs:\n      - deploy-dev\n    if:",
                "    if:",
            ],
            [
                "deploy-models.yml",
                "needs:\n      - deploy-dev\n",
                "needs:\n      - build\n",
            ],
            [
                "deploy-models.yml",
                "    name: Build the programs\n    if:",
                "    name: Build the programs\n    environment:\n      name: DEV\n    if:",
            ],
        ],
    },
    Rule {
        name: "the version that a stage serves is what the next one gets",
        check: version_handed_on,
        broken: &[
            [
                "deploy-models.yml",
                "${{ needs.deploy-dev.outputs.quality-version }}",
                "latest",
            ],
            [
                "deploy-models.yml",
                "          MODEL_VERSION: ${{ needs.deploy-dev.outputs.quality-version }}\n",
                "",
            ],
            [
                "deploy-models.yml",
                "      quality-version: ${{ steps.publish-quality.outputs.version }}\n",
                "      quality-version: ${{ steps.request-quality.outputs.version }}\n",
            ],
            [
                "deploy-models.yml",
                "MODEL_VERSION: ${{ steps.publish-quality.outputs.version }}",
                "MODEL_VERSION: latest",
            ],
            [
                "deploy-models.yml",
                "      quality-version-identity: ${{ steps.publish-quality.outputs.version-identity }}\n",
                "",
            ],
        ],
    },
    Rule {
        name: "each stage deploys something",
        check: every_stage_deploys,
        broken: &[[
            "deploy-apps.yml",
            "run: exec deploy-app publish dashboard --stage prod",
            "run: 'true # exec deploy-app publish dashboard --stage prod'",
        ]],
    },
    Rule {
        name: "only the production branch deploys, and only when something of its kind changes",
        check: production_branch,
        broken: &[
            ["pip/back.yml", "github.ref == 'refs/heads/main' && ", ""],
            [
                "pip/back.yml",
                "  workflow_dispatch:\n",
                "  push: {}\n  workflow_dispatch:\n",
            ],
            [
                "deploy-apps.yml",
                "    if: github.ref == 'refs/heads/main' #",
                "    if: always() #",
            ],
            [
                "deploy-apps.yml",
                "    branches:\n      - main\n",
                "    branches:\n      - main\n      - dev\n",
            ],
            [
                "deploy-apps.yml",
                "    paths:\n      - stages.toml\n",
                "    tags-ignore:\n      - stages.toml\n",
            ],
        ],
    },
    Rule {
        name: "every action is one of the table, by commit, with its version beside it",
        check: pinned,
        broken: &[[
            "ci.yml",
            "actions/checkout@9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0 # v7.0.0",
            "actions/checkout@v7",
        ]],
    },
    Rule {
        name: "the token may do nothing but what a job says",
        check: permissions,
        broken: &[
            ["ci.yml", "permissions: {}\n", "permissions: write-all\n"],
            [
                "pip/drift.yml",
                "      issues: write",
                "      actions: write",
            ],
            [
                "release/deploy-jobs.yml",
                "run: exec domino-pipeline receipts record",
                "run: pip install x && exec domino-pipeline receipts record",
            ],
        ],
    },
    Rule {
        name: "no command is empty",
        check: no_empty_run,
        broken: &[[
            "ci.yml",
            "run: cargo fmt --all --check",
            "run: '# cargo fmt'",
        ]],
    },
    Rule {
        name: "a checkout keeps no credential",
        check: no_kept_credential,
        broken: &[[
            "ci.yml",
            "          persist-credentials: false\n",
            "          persist-credentials: true\n",
        ]],
    },
    Rule {
        name: "two deployments to one stage wait for each other, and none is cancelled",
        check: nothing_cancelled,
        broken: &[
            [
                "deploy-apps.yml",
                "cancel-in-progress: false",
                "cancel-in-progress: true",
            ],
            [
                "deploy-apps.yml",
                "group: deploy-apps-prod #",
                "group: deploy-apps-prod-${{ github.run_id }} #",
            ],
            [
                "deploy-models.yml",
                "group: deploy-models-prod #",
                "group: deploy-models-dev #",
            ],
        ],
    },
    Rule {
        name: "a job has time for all its steps",
        check: time_enough,
        broken: &[[
            "deploy-apps.yml",
            "    timeout-minutes: 45\n",
            "    timeout-minutes: 30\n",
        ]],
    },
    Rule {
        name: "the tools that read workflows know every key",
        check: understood,
        broken: &[["ci.yml", "runs-on: ubuntu-24.04", "runs-in: ubuntu-24.04"]],
    },
];

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
        for [workflow, whole, defect] in rule.broken {
            let (fixture, workflow) = match workflow.split_once('/') {
                Some((fixture, workflow)) => (fixture, workflow),
                None if *workflow == "deploy-models.yml" => ("two-stages", *workflow),
                None => ("one-stage", *workflow),
            };
            let text = read::flat(&super::one(fixture, workflow));
            assert!(
                text.contains(whole),
                "{}: `{whole}` is not in {workflow}",
                rule.name
            );
            let sound = (rule.check)(&Read::of(workflow, &text));
            assert_eq!(sound, None, "{}", rule.name);
            let found = (rule.check)(&Read::of(workflow, &text.replace(whole, defect)));
            assert!(found.is_some(), "{}: `{defect}` was not found", rule.name);
        }
    }
}
