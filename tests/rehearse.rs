//! `cargo xtask rehearse` as a person runs it: the real program, a real sandbox, a repository of its own.
//!
//! Tests beside the code cover what workflows may do; here it is what the person sees, and that nothing is left
//! behind.

#[path = "rehearse/project.rs"]
mod project;
mod terminal;

use std::io::Read;
use std::path::Path;

use project::{CANARY, Ongoing, Project, WORKFLOW};

#[test]
fn a_pipeline_goes_through_every_stage_and_ends_with_a_table() {
    let project = Project::new();
    let rehearsed = project.rehearse(&[]);
    assert_eq!(rehearsed.code, 0, "{}", rehearsed.text);
    rehearsed.tells("ci-bot deploys to DEV on Domino 6.3");
    rehearsed.tells("ci-bot deploys to PROD on Domino 6.3");
    rehearsed.tells("the credential is Bearer ***");
    rehearsed
        .tells("environment PROD guards stage prod: ann must approve; GitHub waits 5 minutes more");
    rehearsed.tells("PROD was approved by ann");
    rehearsed.tells("before: http://127.0.0.1:");
    rehearsed.tells("rehearsal succeeded");
    let row = rehearsed
        .text
        .lines()
        .find(|line| line.starts_with("deploy-jobs  deploy-prod  Deploy train to prod"));
    let row = row.expect("no row in the table");
    assert!(row.contains("✓ success"), "{row}");
    let (_, link) = rehearsed
        .text
        .split_once("deploy-jobs / deploy-prod: Deploy train to prod\nhttp://")
        .expect("no link");
    assert_eq!(
        link.lines().next().unwrap().split('/').nth(1),
        Some("somewhere")
    );
    assert!(!rehearsed.text.contains(CANARY), "{}", rehearsed.text);
    let summary =
        std::fs::read_to_string(project.path("summaries/deploy-jobs.deploy-dev.md")).unwrap();
    assert_eq!(summary.trim(), "### Deployed train to DEV");
}

#[test]
fn every_domino_version_can_be_rehearsed_and_the_newest_takes_tokens() {
    let project = Project::new();
    let rehearsed = project.rehearse(&["--domino-version", "6.4", "--only", "deploy-jobs"]);
    assert_eq!(rehearsed.code, 0, "{}", rehearsed.text);
    rehearsed.tells("ci-bot deploys to DEV on Domino 6.4");
}

#[test]
fn a_request_that_the_given_specs_do_not_know_is_named_and_exits_4() {
    let project = Project::new();
    let spec = project.path("spec.json");
    let knows = r#"{"paths": {"/v4/users/self": {"get": {"responses": {"200": {"description": "fine"}}}}}}"#;
    std::fs::write(&spec, knows).unwrap();
    let spec = spec.display().to_string();
    let fine = project.rehearse(&["--spec", &spec]);
    assert_eq!(fine.code, 0, "{}", fine.text);
    fine.tells("0 findings");
    std::fs::write(&spec, r#"{"paths": {}}"#).unwrap();
    let broken = project.rehearse(&["--spec", &spec]);
    assert_eq!(broken.code, 4, "{}", broken.text);
    broken.tells("finding: GET /v4/users/self: no spec has this route");
}

#[test]
fn without_approvals_the_first_gate_ends_the_pipeline_with_exit_7() {
    let rehearsed = Project::new().rehearse(&["--approve", "none"]);
    assert_eq!(rehearsed.code, 7, "{}", rehearsed.text);
    rehearsed.tells("ci-bot deploys to DEV");
    rehearsed.tells("✗ not approved");
    assert!(
        !rehearsed.text.contains("deploys to PROD"),
        "{}",
        rehearsed.text
    );
}

#[test]
fn a_run_can_stop_after_a_stage_as_one_started_by_hand() {
    let project = Project::new();
    let rehearsed = project.rehearse(&["--stop-after", "dev"]);
    assert_eq!(rehearsed.code, 0, "{}", rehearsed.text);
    rehearsed.tells("by workflow_dispatch");
    rehearsed.tells("Deploy to prod: skipped");
    let rehearsed = project.rehearse(&["--stop-after", "nowhere"]);
    assert_eq!(rehearsed.code, 2, "{}", rehearsed.text);
    rehearsed.tells("no input of this workflow offers to stop after `nowhere`");
}

#[test]
fn a_run_is_started_by_hand_with_inputs() {
    let project = Project::new();
    project.change(
        WORKFLOW,
        "    inputs:\n",
        "    inputs:\n      back:\n        description: Back\n        type: boolean\n        default: false\n",
    );
    project.change(
        WORKFLOW,
        "          DOMINO_ENV: ${{ vars.DOMINO_ENV }}\n",
        "          DOMINO_ENV: ${{ vars.DOMINO_ENV }}\n          BACK: ${{ inputs.back }}\n",
    );
    let line = "print(f\"{user} deploys";
    let more = format!("print(f\"back is '{{os.environ['BACK']}}'\")\n{line}");
    project.change("ask.py", line, &more).commit();
    let told = |args: &[&str]| project.rehearse(args);
    told(&[]).tells("back is ''");
    let by_hand = told(&["--input", "back=true", "--stop-after", "dev"]);
    assert_eq!(by_hand.code, 0, "{}", by_hand.text);
    by_hand.tells("back is 'true'");
    by_hand.tells("Deploy to prod: skipped");
    told(&["--actor", "ann", "--stop-after", "dev"]).tells("by workflow_dispatch of ann");
    for (input, why) in [
        (
            "back=yes",
            "input `back` cannot be `yes`: it is `true` or `false`",
        ),
        (
            "bakc=true",
            "no workflow has an input `bakc`; there are back, stop-after",
        ),
        ("back", "it must be NAME=VALUE"),
    ] {
        let refused = told(&["--input", input]);
        assert_eq!(refused.code, 2, "{}", refused.text);
        refused.tells(why);
    }
}

#[test]
fn what_cannot_be_rehearsed_is_named_all_at_once_and_nothing_runs() {
    let project = Project::new();
    project.change(
        WORKFLOW,
        "      - run: tar --create",
        "      - uses: actions/setup-python@v5\n      - run: tar --create",
    );
    project
        .change(WORKFLOW, "name: PROD", "name: PRODUCTION")
        .commit();
    let rehearsed = project.rehearse(&[]);
    assert_eq!(rehearsed.code, 2, "{}", rehearsed.text);
    rehearsed.tells(
        "cannot rehearse: deploy-jobs.yml:22: action `actions/setup-python@v5` is not rehearsed",
    );
    rehearsed.tells("no stage of stages.toml has the GitHub environment `PRODUCTION`");
    rehearsed.tells("2 problems; nothing was run");
    assert!(!rehearsed.text.contains("━━"), "{}", rehearsed.text);
}

#[test]
fn only_what_is_committed_is_rehearsed_unless_asked() {
    let project = Project::new();
    project.change("ask.py", "deploys to", "carries to");
    let rehearsed = project.rehearse(&[]);
    rehearsed.tells("not committed, so not rehearsed: ask.py");
    rehearsed.tells("ci-bot deploys to DEV");
    let rehearsed = project.rehearse(&["--uncommitted"]);
    assert_eq!(rehearsed.code, 0, "{}", rehearsed.text);
    rehearsed.tells("ci-bot carries to DEV");
}

#[test]
fn a_failing_step_ends_in_exit_5_and_its_own_words() {
    let project = Project::new();
    project
        .change(
            WORKFLOW,
            "run: exec python3 ask.py train",
            "run: python3 ask.py train && exit 3",
        )
        .commit();
    let rehearsed = project.rehearse(&[]);
    assert_eq!(rehearsed.code, 5, "{}", rehearsed.text);
    rehearsed.tells("✗ failed (exit 3)");
    rehearsed.tells("Deploy to prod: skipped");
    rehearsed.tells("rehearsal failed after");
}

#[test]
fn faults_reach_the_steps() {
    let project = Project::new();
    let faults = project.path("faults.toml");
    std::fs::write(
        &faults,
        "[[fault]]\nroute = \"GET /v4/users/self\"\nkind = \"status\"\nstatus = 503\n",
    )
    .unwrap();
    let rehearsed = project.rehearse(&["--faults", faults.to_str().unwrap()]);
    assert_eq!(rehearsed.code, 5, "{}", rehearsed.text);
    rehearsed.tells("503");
}

#[test]
fn wrong_usage_is_told_before_anything_starts() {
    let project = Project::new();
    let rehearsed = project.rehearse(&["--only", "deploy-nothing"]);
    rehearsed.tells("there is no workflow `deploy-nothing`; there are deploy-jobs");
    assert_eq!(rehearsed.code, 2);
    let rehearsed = project.rehearse(&["--approve", "ask"]);
    rehearsed.tells("`--approve ask` needs a terminal");
    assert_eq!(rehearsed.code, 2);
}

#[test]
fn the_help_names_every_fault_file_that_ships() {
    let help = Project::new().rehearse(&["--help"]);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../faults");
    for file in Path::new(folder).read_dir().unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        help.tells(&format!("\n    faults/{name} "));
    }
}

fn sandbox_address(lines: &[String]) -> String {
    let line = lines
        .iter()
        .find(|line| line.contains("is the sandbox at"))
        .expect("no sandbox");
    let address = line.split("http://").nth(1).unwrap();
    address.split(';').next().unwrap().to_owned()
}

#[test]
fn an_interrupt_ends_the_step_the_sandbox_and_the_temporary_folders() {
    let project = Project::new();
    project
        .change(WORKFLOW, "run: exec python3 ask.py train", "run: exec python3 -c 'import os, time; print(\"pid\", os.getpid(), os.environ[\"RUNNER_TEMP\"], flush=True); time.sleep(60)'");
    std::fs::copy(
        project.path(WORKFLOW),
        project.path(".github/workflows/deploy-models.yml"),
    )
    .unwrap();
    project.commit();
    let mut ongoing = Ongoing::until(&mut project.command(&[]), " pid ");
    let lines = ongoing.lines.clone();
    let (_, told) = lines.last().unwrap().split_once(" pid ").unwrap();
    let (pid, temp) = told.split_once(' ').unwrap();
    assert!(Path::new(temp).exists());
    assert_eq!(ongoing.interrupt(), 130);
    assert!(!Path::new(temp).exists());
    assert!(
        !Path::new("/proc").join(pid).exists(),
        "the step still runs"
    );
    assert!(std::net::TcpStream::connect(sandbox_address(&lines)).is_err());
    let mut rest = String::new();
    ongoing
        .child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut rest)
        .unwrap();
    assert!(rest.contains("rehearsal cancelled after"), "{rest}");
    // Neither goes on to its next stage.
    for workflow in ["deploy-jobs ", "deploy-models "] {
        let mut rows = rest.lines().filter(|line| line.starts_with(workflow));
        let last = rows.find(|line| line.contains(" deploy-prod "));
        assert!(
            last.is_some_and(|line| line.contains("✗ cancelled")),
            "{rest}"
        );
    }
}

#[test]
fn the_sandbox_can_be_kept_until_the_person_ends_it() {
    let project = Project::new();
    let mut ongoing = Ongoing::until(&mut project.command(&["--keep"]), "the sandbox stays up at");
    let lines = ongoing.lines.clone();
    assert!(std::net::TcpStream::connect(sandbox_address(&lines)).is_ok());
    assert_eq!(ongoing.interrupt(), 0);
    assert!(std::net::TcpStream::connect(sandbox_address(&lines)).is_err());
}

#[test]
fn on_a_terminal_a_clear_yes_goes_through_and_what_runs_is_shown_live() {
    let project = Project::new();
    project
        .change(
            WORKFLOW,
            "run: exec python3 ask.py train",
            "run: python3 -c 'import time; time.sleep(1.5)' && exec python3 ask.py train",
        )
        .commit();
    let question = "on GitHub, as ann: approve the deployment to PROD? [y/n] ";
    let answers = [(question, "perhaps"), (question, "y")];
    let (code, text) = terminal::run(&project.command(&[]), 80, &answers);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("✓ approved, as ann"), "{text}");
    assert!(
        text.contains("\r\u{1b}[2K… deploy-jobs/deploy-dev: Deploy train to dev, 1 s so far"),
        "{text}"
    );
    let (_, table) = text.split_once("\nworkflow ").expect("no table");
    for line in table.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn after_a_refusal_on_a_terminal_the_sandbox_stays_up_until_enter() {
    let project = Project::new();
    let answers = [("to PROD? [y/n] ", "n"), ("export APPROVER_TOKEN=", "")];
    let (code, text) = terminal::run(&project.command(&[]), 120, &answers);
    assert_eq!(code, 7, "{text}");
    let (_, after) = text.split_once("was not approved").expect("no verdict");
    assert!(after.contains("until Enter"), "{text}");
    for exported in [
        "export DOMINO_API_HOST=http://127.0.0.1:",
        "export DOMINO_TOKEN=",
        "export AUTHOR_TOKEN=",
        "export APPROVER_TOKEN=",
        "export DOMINO_MODEL_TOKEN=",
    ] {
        assert!(after.contains(exported), "{exported}: {text}");
    }
}
