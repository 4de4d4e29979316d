//! The outside view of `cargo xtask gen-workflows` and `cargo xtask plan`: what lies in the repository, what a
//! stage file becomes, what a person sees.
//!
//! What the command writes and refuses is asked in `workflows/command.rs`; whether any workflow is unsafe, in
//! `workflows/rules.rs`; what a hostile stage file can do, in
//! `workflows/hostile.rs`; what a pull request is told, in `workflows/plan.rs`; whether a release can be fetched, in
//! `workflows/release.rs`.

#[path = "workflows/bill.rs"]
mod bill;
#[path = "workflows/by_stage_file.rs"]
mod by_stage_file;
#[path = "workflows/command.rs"]
mod command;
#[path = "workflows/hostile.rs"]
mod hostile;
#[path = "workflows/in_turn.rs"]
mod in_turn;
#[path = "workflows/limits.rs"]
mod limits;
#[path = "workflows/parts.rs"]
mod parts;
#[path = "workflows/plan.rs"]
mod plan;
#[path = "workflows/read.rs"]
mod read;
#[path = "workflows/release.rs"]
mod release;
#[path = "workflows/rules.rs"]
mod rules;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use domino_pipeline::{diagram, gen_workflows, pipelines};
use stage_file::StageFile;

/// The top of the repository.
fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn fixture(name: &str) -> PathBuf {
    top().join(format!("tests/fixtures/workflows-{name}.toml"))
}

const FIXTURES: [&str; 11] = [
    "one-stage",
    "two-stages",
    "five-stages",
    "no-apps",
    "thirty-entities",
    "odd-names",
    "release",
    "private-release",
    "pip",
    "trained",
    "by-hand",
];

fn load(path: &Path) -> StageFile {
    StageFile::load(path).unwrap_or_else(|error| panic!("{error}"))
}

/// Every workflow of a fixture: its name and its text.
fn rendered(name: &str) -> Vec<(String, String)> {
    let file = load(&fixture(name));
    let workflows = pipelines::workflows(&file);
    workflows
        .iter()
        .map(|workflow| (workflow.name.to_owned(), workflow.text().unwrap()))
        .collect()
}

fn one(name: &str, workflow: &str) -> String {
    let (_, text) = rendered(name)
        .into_iter()
        .find(|(name, _)| name == workflow)
        .unwrap();
    text
}

fn names(name: &str) -> Vec<String> {
    rendered(name).into_iter().map(|(name, _)| name).collect()
}

/// The real program, writing to a folder.
fn gen_workflows_to(out: &Path, stages: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_domino-pipeline"));
    command
        .arg("gen-workflows")
        .arg("--out")
        .arg(out)
        .arg("--stages")
        .arg(stages)
        .args(more);
    command.output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn what_lies_in_the_repository_is_what_the_stage_file_asks_for() {
    let top = top();
    let file = load(&top.join("stages.toml"));
    let workflows = pipelines::workflows(&file);
    let generated = gen_workflows::generated(&file, workflows, &top, false).unwrap();
    let stale: String = generated
        .iter()
        .filter(|file| file.is_stale())
        .map(gen_workflows::Generated::diff)
        .collect();
    assert!(stale.is_empty(), "run `cargo xtask gen-workflows`\n{stale}");
}

#[test]
fn every_workflow_says_from_what_and_by_which_command() {
    for (name, text) in FIXTURES.iter().flat_map(|fixture| rendered(fixture)) {
        let header: Vec<&str> = text.lines().take(2).collect();
        assert_eq!(
            header,
            [
                "# From stages.toml: change that file, not this one.",
                "# Written by: domino-pipeline gen-workflows"
            ],
            "{name}"
        );
    }
}

#[test]
fn a_kind_without_entities_has_no_workflow() {
    assert_eq!(
        names("no-apps"),
        ["deploy-jobs.yml", "deploy-models.yml", "ci.yml"]
    );
    assert_eq!(
        names("one-stage"),
        [
            "deploy-jobs.yml",
            "deploy-apps.yml",
            "deploy-models.yml",
            "ci.yml"
        ]
    );
}

#[test]
fn training_and_publish_of_a_model_are_one_chain_and_only_the_first_stage_trains() {
    insta::assert_snapshot!("trained_deploy_models", one("trained", "deploy-models.yml"));
}

#[test]
fn a_job_is_in_the_jobs_of_its_stages_only_and_hands_its_revision_past_the_others() {
    insta::assert_snapshot!("trained_deploy_jobs", one("trained", "deploy-jobs.yml"));
}

#[test]
fn jobs_that_only_train_leave_no_workflow_of_jobs() {
    let text = fs::read_to_string(fixture("trained")).unwrap();
    let from = text.find("[job.clean]").unwrap();
    let to = text.find("[model.red]").unwrap();
    let alone = format!("{}{}", &text[..from], &text[to..]);
    let file = StageFile::read(&alone, Path::new("stages.toml")).unwrap();
    let names: Vec<String> = pipelines::workflows(&file)
        .into_iter()
        .map(|workflow| workflow.name)
        .collect();
    assert_eq!(names, ["deploy-models.yml", "ci.yml"]);
}

#[test]
fn one_stage_becomes_one_job_after_the_build() {
    insta::assert_snapshot!("one_stage_deploy_apps", one("one-stage", "deploy-apps.yml"));
}

#[test]
fn a_job_is_started_or_scheduled_in_stage_order() {
    insta::assert_snapshot!(
        "two_stages_deploy_jobs",
        one("two-stages", "deploy-jobs.yml")
    );
}

#[test]
fn a_model_is_moved_then_published_with_the_version_of_the_stage_before() {
    insta::assert_snapshot!(
        "two_stages_deploy_models",
        one("two-stages", "deploy-models.yml")
    );
}

#[test]
fn ci_runs_the_list_of_checks_without_a_secret() {
    insta::assert_snapshot!("ci", one("one-stage", "ci.yml"));
}

#[test]
fn a_pull_request_where_the_programs_are_released_is_planned_by_them() {
    insta::assert_snapshot!("release_plan", one("release", "plan.yml"));
}

#[test]
fn receipts_are_recorded_by_jobs_that_may_write_and_hold_no_secret() {
    let text = one("release", "deploy-jobs.yml");
    let (_, records) = text.split_once("\n  record-").expect("a job that records");
    insta::assert_snapshot!("release_records", records);
}

#[test]
fn a_repository_that_installs_a_wheel_builds_nothing_and_hands_no_file_on() {
    insta::assert_snapshot!("pip_deploy_models", one("pip", "deploy-models.yml"));
    insta::assert_snapshot!("pip_plan", one("pip", "plan.yml"));
    for (name, text) in rendered("pip") {
        let text: String = text.lines().skip(2).collect();
        for absent in ["cargo", "artifact", "gh ", "actions/cache"] {
            assert!(!text.contains(absent), "{name} has `{absent}`");
        }
    }
}

#[test]
fn a_private_release_is_read_with_a_token_of_its_own() {
    let token = "GH_TOKEN: ${{ secrets.RELEASE_TOKEN }}";
    for (name, text) in rendered("private-release") {
        assert!(text.contains(token), "{name}");
        assert!(!text.contains("GH_TOKEN: ${{ github.token }}"), "{name}");
    }
}

#[test]
fn a_push_ends_before_a_stage_that_is_entered_by_hand_and_a_run_for_that_one_begins_there() {
    let mut begun = 0;
    for (name, text) in rendered("by-hand") {
        let workflow: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        let Some(jobs) = workflow["jobs"].as_object().filter(|_| name != "ci.yml") else {
            continue;
        };
        for (id, job) in jobs {
            let Some(stage) = id.strip_prefix("deploy-") else {
                continue;
            };
            let condition = job["if"].as_str().unwrap_or_default();
            let picked = format!("inputs.stage == '{stage}'");
            let wanted = match stage {
                "dev" => format!("github.event_name == 'push' || {picked}"),
                _ => picked,
            };
            assert_eq!(condition, wanted, "{name} {id}");
            // Nothing is handed on between runs.
            assert_eq!(job["needs"], serde_json::json!(["build"]), "{name} {id}");
            assert!(job["outputs"].is_null(), "{name} {id}");
            begun += 1;
        }
        let inputs = &workflow["on"]["workflow_dispatch"]["inputs"];
        if name.starts_with("deploy-") {
            assert!(inputs["stop-after"].is_null(), "{name}");
            let offered = inputs["stage"]["options"].as_array().unwrap();
            assert_eq!(
                offered.len(),
                jobs.keys().filter(|id| id.starts_with("deploy-")).count()
            );
        }
    }
    // The report in prod only, apps and models in all three.
    assert_eq!(begun, 7);
    insta::assert_snapshot!("by_hand_models", one("by-hand", "deploy-models.yml"));
}

#[test]
fn drift_is_looked_for_at_its_times_with_one_token_a_stage() {
    insta::assert_snapshot!(one("pip", "drift.yml"));
    let built = one("two-stages", "drift.yml");
    assert!(built.contains("--package domino-pipeline"), "{built}");
    assert!(!names("one-stage").contains(&"drift.yml".to_owned()));
}

#[test]
fn what_was_left_is_followed_at_its_times_with_one_token_a_stage() {
    insta::assert_snapshot!(one("pip", "follow.yml"));
    assert!(!names("one-stage").contains(&"follow.yml".to_owned()));
    let follow = |keys: &str, job: &str| {
        let text = fs::read_to_string(fixture("one-stage")).unwrap();
        let (_, stages) = text.split_once("[defaults]").unwrap();
        let stages = stages.split("[job.").next().unwrap();
        let text = format!(
            "[pipeline]\nfollow = \"0 * * * *\"\n{keys}\n[defaults]{stages}\n[stage.more]\nhardware-tier = \"other\"\n\
             github-environment = \"MORE\"\n[job.a]\ncommand = \"a.py\"\n{job}"
        );
        let file = StageFile::read(&text, "stages.toml".as_ref()).unwrap();
        let mut all = pipelines::workflows(&file).into_iter();
        let found = all.find(|workflow| workflow.name == "follow.yml");
        found.map(|workflow| workflow.text().unwrap())
    };
    let built = follow("", "").unwrap();
    assert!(built.contains("--package deploy-job "), "{built}");
    assert!(built.contains("parallel:"), "{built}");
    let in_turn = follow("side-by-side = false", "").unwrap();
    assert!(!in_turn.contains("parallel:"), "{in_turn}");
    assert!(
        in_turn.contains("--timeout 150m") && in_turn.contains("cancelled()"),
        "{in_turn}"
    );
    // A schedule leaves nothing.
    assert_eq!(follow("", "schedule = { cron = \"0 0 6 * * ?\" }"), None);
}

#[test]
fn a_job_that_is_not_waited_for_takes_the_minutes_of_its_start() {
    let text = fs::read_to_string(fixture("pip")).unwrap();
    let text = text.replacen(
        "[job.train]\n",
        "[job.train]\nwait = false\ntimeout = \"2d\"\n",
        1,
    );
    let file = StageFile::read(&text, "stages.toml".as_ref()).unwrap();
    let workflows = pipelines::workflows(&file);
    let jobs = workflows
        .iter()
        .find(|it| it.name == "deploy-jobs.yml")
        .unwrap();
    assert!(
        jobs.workflow
            .jobs
            .iter()
            .all(|job| job.timeout_minutes <= 30)
    );
}

#[test]
fn each_run_ends_with_the_picture_of_its_kind_in_the_colours_of_its_results() {
    let text = one("two-stages", "deploy-models.yml");
    let read = read::Read::of("deploy-models.yml", &text);
    let (id, last) = read.jobs().last().unwrap();
    assert_eq!(id, "summary");
    assert_eq!(last["if"], "always()");
    assert_eq!(
        last["needs"],
        serde_json::json!(["deploy-dev", "deploy-prod"])
    );
    assert_eq!(last["permissions"], serde_json::json!({}));
    let variables = &last["steps"][0]["env"];
    assert_eq!(
        variables["RESULTS"],
        "class stage1 ${{ needs.deploy-dev.result }}\nclass stage2 ${{ needs.deploy-prod.result }}"
    );
    let picture = variables["PICTURE"].as_str().unwrap();
    assert!(!picture.contains("${{"), "{picture}");
    assert!(picture.contains("model quality"), "{picture}");
    assert!(!picture.contains("job train"), "{picture}");
}

#[test]
fn a_job_runs_on_the_labels_or_the_group_that_its_stage_names() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[pipeline]\nrunner = [\"self-hosted\", \"linux\"]\n\
                [defaults]\nhost = \"domino.example.com\"\nproject = \"a/b\"\nhardware-tier = \"small\"\n\
                [stage.dev]\n\
                [stage.test]\nrunner = \"test-net\"\n\
                [stage.prod]\napprovers = [\"ann\"]\nrunner = { group = \"Prod net\", labels = [\"x64\"] }\n\
                [app.a]\nentry-point = \"a.sh\"\n";
    let stages = folder.path().join("stages.toml");
    fs::write(&stages, text).unwrap();
    let written = gen_workflows_to(folder.path(), &stages, &[]);
    assert!(written.status.success(), "{}", stderr(&written));
    let apps = fs::read_to_string(folder.path().join(".github/workflows/deploy-apps.yml")).unwrap();
    let runs_on: Vec<String> = apps
        .match_indices("runs-on:")
        .map(|(at, _)| {
            let text: String = apps[at..].lines().take(6).collect::<Vec<_>>().join(" ");
            let end = text.find("timeout-minutes").unwrap();
            text[..end].split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect();
    for wanted in [
        "runs-on: - self-hosted - linux",
        "runs-on: test-net",
        "runs-on: group: Prod net labels: - x64",
    ] {
        assert!(
            runs_on.iter().any(|found| found == wanted),
            "{wanted}: {runs_on:?}"
        );
    }
}

#[test]
fn the_files_that_a_command_names_and_those_of_paths_are_watched() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[pipeline]\npaths = [\"lib/\", \"requirements.txt\"]\n\
                [defaults]\nhost = \"domino.example.com\"\nproject = \"a/b\"\nhardware-tier = \"small\"\n[stage.dev]\n\
                [job.train]\ncommand = \"python training/train.py --config=conf/train.yaml\"\n\
                [job.module]\ncommand = \"python -m pkg.score\"\n\
                [job.make]\ncommand = \"make report\"\n\
                [job.quiet]\ncommand = \"make clean\"\npaths = []\n\
                [app.a]\nentry-point = \"a.sh\"\npaths = [\"web/\"]\n";
    let stages = folder.path().join("stages.toml");
    fs::write(&stages, text).unwrap();
    fs::create_dir_all(folder.path().join("pkg/score")).unwrap();
    fs::create_dir_all(folder.path().join("training")).unwrap();
    fs::write(folder.path().join("training/train.py"), "").unwrap();
    let written = gen_workflows_to(folder.path(), &stages, &[]);
    let told = stderr(&written);
    assert!(written.status.success(), "{told}");
    assert_eq!(told.matches("no word of the command").count(), 1, "{told}");
    assert!(
        told.contains("of `[job.make]` is a file of this repository"),
        "{told}"
    );
    let watched = |name: &str| {
        let path = folder.path().join(".github/workflows").join(name);
        let text = fs::read_to_string(path).unwrap();
        let (_, paths) = text.split_once("    paths:\n").unwrap();
        let paths = paths
            .lines()
            .map_while(|line| line.trim_start().strip_prefix("- "));
        paths
            .map(|path| path.trim_matches('"').to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        watched("deploy-jobs.yml")[4..],
        [
            "training/**",
            "conf/**",
            "pkg/**",
            "lib/**",
            "requirements.txt"
        ]
    );
    assert_eq!(
        watched("deploy-apps.yml")[4..],
        ["a.sh", "lib/**", "requirements.txt", "web/**"]
    );
}

#[test]
fn warnings_of_a_file_that_can_be_used_are_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[defaults]\nhost = \"domino.example.com\"\nproject = \"a/b\"\n\
                [stage.dev]\nhardware-tier = \"small\"\n[stage.prod]\nhardware-tier = \"small\"\n\
                approvers = [\"ann\"]\n[job.train]\ncommand = \"train.py\"\n";
    let stages = folder.path().join("stages.toml");
    fs::write(&stages, text).unwrap();
    fs::write(folder.path().join("train.py"), "").unwrap();
    let written = gen_workflows_to(folder.path(), &stages, &[]);
    assert!(written.status.success());
    let told = stderr(&written);
    assert_eq!(told.matches(": warning: ").count(), 1, "{told}");
    assert!(
        told.contains("share project `a/b` and hardware tier `small`"),
        "{told}"
    );
}

#[test]
fn a_step_has_the_time_that_the_stage_file_gives_and_more_than_github_allows_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let stages = folder.path().join("stages.toml");
    let text = |runner: &str| {
        format!(
            "[pipeline]\nrunner = \"{runner}\"\naccept = [\"no-approvers\"]\n[defaults]\nhost = \"domino.example.com\"\nproject = \"a/b\"\n\
             hardware-tier = \"small\"\n[stage.dev]\n[job.long]\ncommand = \"l.py\"\npaths = []\ntimeout = \"7h\"\n[app.slow]\n\
             entry-point = \"a.sh\"\ntimeout = \"30m\"\n[model.big]\nregistered-model = \"big\"\ntimeout = \"2h\"\n\
             [stage.prod]\nproject = \"a/prod\"\n[job.long.stage.prod]\ntimeout = \"1h\"\n[app.slow.stage.prod]\n\
             timeout = \"1h\"\n[model.big.stage.prod]\ntimeout = \"1h\"\n"
        )
    };
    fs::write(&stages, text("ubuntu-24.04")).unwrap();
    let told = stderr(&gen_workflows_to(folder.path(), &stages, &[]));
    assert!(
        told.contains("warning: job `deploy-dev` of deploy-jobs.yml may take 435 minutes"),
        "{told}"
    );
    assert_eq!(told.matches("may take").count(), 1, "{told}");
    for (workflow, dev, prod) in [
        ("deploy-jobs.yml", 425, 65),
        ("deploy-apps.yml", 65, 125),
        ("deploy-models.yml", 250, 130),
    ] {
        let path = folder.path().join(pipelines::FOLDER).join(workflow);
        let text = fs::read_to_string(path).unwrap();
        let (of_dev, of_prod) = text.split_once("  deploy-prod:").unwrap();
        for (part, minutes) in [(of_dev, dev), (of_prod, prod)] {
            let of_the_step = format!(" timeout-minutes: {minutes}\n");
            assert!(part.contains(&of_the_step), "{minutes}: {part}");
        }
    }
    fs::write(&stages, text("own-runner")).unwrap();
    let told = stderr(&gen_workflows_to(folder.path(), &stages, &[]));
    assert!(!told.contains("may take"), "{told}");
}

#[test]
fn the_pipeline_is_drawn_with_its_data_planes_and_approvals() {
    insta::assert_snapshot!(
        "two_stages_diagram",
        diagram::mermaid(&load(&fixture("two-stages")))
    );
    insta::assert_snapshot!(
        "odd_names_diagram",
        diagram::mermaid(&load(&fixture("odd-names")))
    );
}

#[test]
fn only_what_stands_between_the_markers_is_touched() {
    let readme = format!("# A\n{}\nold\n{}\nrest\n", diagram::BEGIN, diagram::END);
    let kept = diagram::kept_in(&readme, "new\n").unwrap();
    assert_eq!(
        kept,
        format!("# A\n{}\nnew\n{}\nrest\n", diagram::BEGIN, diagram::END)
    );
    assert_eq!(diagram::kept_in(&kept, "new\n").unwrap(), kept);
    assert_eq!(
        diagram::kept_in("no markers\n", "new\n").unwrap(),
        "no markers\n"
    );
}

#[test]
fn half_a_pair_of_markers_is_an_error() {
    let error = diagram::kept_in(&format!("{}\nold\n", diagram::BEGIN), "new\n").unwrap_err();
    assert!(error.to_string().contains(diagram::END), "{error}");
}
