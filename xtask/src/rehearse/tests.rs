//! Whole workflows run from first job to last, without a sandbox: what steps see, what they hand on, what is refused.

use std::sync::mpsc::channel;

use super::approval::{Approvals, Approve};
use super::checks::{self, Found, Known};
use super::console::captured;
use super::github::{Event, GitHub};
use super::interrupt::Interrupt;
use super::pipeline::{self, Done};
use super::process::Grace;
use super::report::{Outcome, Row};
use super::repository::sample;
use super::runner::{self, Domino, Runner};
use super::stage_gates::StageGates;
use super::workflow_file::Workflow;
use super::workspace::Workspace;

const STAGES: &str = r#"
[stage.dev]
github-environment = "DEV"
[stage.prod]
github-environment = "PROD"
approvers = ["ann"]
"#;

/// What a rehearsal left behind.
struct Rehearsed {
    text: String,
    rows: Vec<Row>,
    jobs: Vec<(String, Done)>,
    summary: String,
    exit_code: u8,
}

impl Rehearsed {
    fn job(&self, id: &str) -> &Done {
        &self.jobs.iter().find(|(known, _)| known == id).expect(id).1
    }

    fn output(&self, job: &str, name: &str) -> Option<&str> {
        let outputs = &self.job(job).outputs;
        outputs
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn outcome(&self, step: &str) -> Outcome {
        self.rows
            .iter()
            .find(|row| row.step == step)
            .expect(step)
            .outcome
    }
}

fn rehearse(jobs: &str) -> Rehearsed {
    rehearse_with(jobs, Approve::All, &Interrupt::default())
}

fn rehearse_with(jobs: &str, approve: Approve, interrupt: &Interrupt) -> Rehearsed {
    let text = format!("name: Deploy things\non: push\njobs:\n{jobs}");
    let (_folder, repository) = sample(&[
        ("a.txt", "committed"),
        ("tool", "#!/bin/sh\necho tool runs\n"),
    ]);
    let gates = StageGates::parse(STAGES).unwrap();
    let mut found = Found::default();
    let workflow = Workflow::read("deploy-things.yml", &text, &mut found.problems);
    let workflow = workflow.unwrap_or_else(|| panic!("{:#?}", found.problems));
    let (console, heard) = captured();
    let commit = repository.head().unwrap();
    let github = GitHub {
        repository: "acme/wine".into(),
        branch: "main".into(),
        commit,
        actor: "author".into(),
        event: Event::Push,
        api_url: "http://127.0.0.1:1".into(),
        token: "github-canary".into(),
        first_run_id: 42,
    };
    let run = github.run_of(&workflow, 0);
    let workspace = Workspace::take(None).unwrap();
    let known = Known {
        gates: &gates,
        event: &Event::Push,
        github: &github.context(&run, "", &workspace),
        vars: &[],
        secrets: &[],
    };
    checks::check(&workflow, &known, &mut found);
    assert!(found.problems.is_empty(), "{:#?}", found.problems);

    let (_sender, answers) = channel();
    let artifacts = workspace.base().join("artifacts");
    let summaries = tempfile::tempdir().unwrap();
    let second = std::time::Duration::from_millis(200);
    console.mask("key-canary");
    console.mask("github-canary");
    let runner = Runner {
        repository,
        github,
        workspace,
        domino: Domino {
            url: "http://127.0.0.1:2".into(),
            secrets: vec![("DOMINO_USER_API_KEY".into(), "key-canary".into())],
        },
        gates,
        approvals: Approvals::new(approve, answers),
        console,
        interrupt: interrupt.clone(),
        grace: Grace {
            after_interrupt: second,
            after_terminate: second,
            output: second,
        },
        inherited: runner::inherited(),
        summaries: summaries.path().to_owned(),
        build_folder: None,
        report: Default::default(),
    };
    let jobs = pipeline::run(&runner, &workflow, run, artifacts).unwrap();
    let mut summary = String::new();
    for file in summaries.path().read_dir().unwrap() {
        summary.push_str(&std::fs::read_to_string(file.unwrap().path()).unwrap());
    }
    let report = runner.report.take();
    let text = String::from_utf8(heard.borrow().clone()).unwrap();
    Rehearsed {
        text,
        exit_code: report.exit_code(),
        rows: report.rows,
        jobs,
        summary,
    }
}

#[test]
fn values_are_handed_from_step_to_step_and_from_job_to_job() {
    let rehearsed = rehearse(
        r#"
  build:
    name: Build ${{ github.ref_name }}
    runs-on: ubuntu-24.04
    env: { GREETING: hello }
    outputs:
      text: ${{ steps.make.outputs.text }}
      url: ${{ steps.make.outputs.url || 'none' }}
    steps:
      - id: make
        run: |
          echo "text<<END" >> "$GITHUB_OUTPUT"
          printf 'one\ntwo = 2\n' >> "$GITHUB_OUTPUT"
          echo END >> "$GITHUB_OUTPUT"
          echo "url=http://example.com/x" >> "$GITHUB_OUTPUT"
          echo "LATER=$GREETING there" >> "$GITHUB_ENV"
          mkdir -p "$RUNNER_TEMP/bin"
          printf '#!/bin/sh\necho found on the path\n' > "$RUNNER_TEMP/bin/my-tool"
          chmod +x "$RUNNER_TEMP/bin/my-tool"
          echo "$RUNNER_TEMP/bin" >> "$GITHUB_PATH"
      - name: See ${{ env.LATER }}
        env: { OWN: "${{ env.GREETING }}-${{ steps.make.conclusion }}" }
        run: |
          my-tool
          echo "$LATER $OWN"
  use:
    needs: build
    runs-on: ubuntu-24.04
    steps:
      - name: use
        env: { TEXT: "${{ needs.build.outputs.text }}", RESULT: "${{ needs.build.result }}" }
        run: |
          test "$TEXT" = "$(printf 'one\ntwo = 2')"
          echo "$RESULT at ${{ needs.build.outputs.url }} ${LATER:-nothing later}"
"#,
    );
    assert_eq!(rehearsed.exit_code, 0, "{}", rehearsed.text);
    assert_eq!(rehearsed.output("build", "text"), Some("one\ntwo = 2"));
    for line in [
        "── Build main",
        "▸ See hello there",
        "found on the path",
        "hello there hello-success",
        "success at http://example.com/x nothing later",
    ] {
        assert!(rehearsed.text.contains(line), "{line}: {}", rehearsed.text);
    }
    assert_eq!(
        rehearsed.rows[0].link.as_deref(),
        Some("http://example.com/x")
    );
}

#[test]
fn a_step_sees_github_s_variables_and_nothing_of_the_person_s() {
    // cargo gives every test variables of its own, which stand for whatever a person may have set.
    assert!(std::env::var("CARGO_MANIFEST_DIR").is_ok());
    let rehearsed = rehearse(
        r#"
  look:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v7
      - run: env | sort
      - run: test "$(cat a.txt)" = committed && test -s "$GITHUB_EVENT_PATH" && test "$PWD" = "$GITHUB_WORKSPACE"
"#,
    );
    assert_eq!(rehearsed.exit_code, 0, "{}", rehearsed.text);
    let names: Vec<&str> = rehearsed
        .text
        .lines()
        .filter_map(|line| line.trim_start().split_once('=').map(|(name, _)| name))
        .collect();
    for name in [
        "CI",
        "GITHUB_ACTIONS",
        "GITHUB_ACTOR",
        "GITHUB_API_URL",
        "GITHUB_ENV",
        "GITHUB_EVENT_NAME",
        "GITHUB_JOB",
        "GITHUB_OUTPUT",
        "GITHUB_PATH",
        "GITHUB_REF",
        "GITHUB_REPOSITORY",
        "GITHUB_RUN_ATTEMPT",
        "GITHUB_RUN_ID",
        "GITHUB_SERVER_URL",
        "GITHUB_SHA",
        "GITHUB_STEP_SUMMARY",
        "GITHUB_WORKFLOW",
        "GITHUB_WORKSPACE",
        "PATH",
        "RUNNER_OS",
        "RUNNER_TEMP",
    ] {
        assert!(names.contains(&name), "{name} is missing: {names:?}");
    }
    let known = [
        "PATH",
        "HOME",
        "LANG",
        "CARGO_HOME",
        "RUSTUP_HOME",
        "TERM",
        "CI",
        "GIT_CEILING_DIRECTORIES",
    ];
    let bash = ["PWD", "SHLVL", "OLDPWD", "_"];
    for name in names
        .iter()
        .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
    {
        let expected = known.contains(name)
            || bash.contains(name)
            || name.starts_with("GITHUB_")
            || name.starts_with("RUNNER_");
        assert!(expected, "{name} leaked into the step");
    }
}

#[test]
fn secrets_and_the_sandbox_reach_only_jobs_with_an_environment() {
    let rehearsed = rehearse(
        r#"
  free:
    runs-on: ubuntu-24.04
    steps:
      - name: free
        env: { KEY: "${{ secrets.DOMINO_USER_API_KEY }}", STAGE: "${{ vars.DOMINO_ENV }}" }
        run: echo "free [$KEY] [$STAGE] [${DOMINO_API_HOST-unset}]"
  bound:
    runs-on: ubuntu-24.04
    environment: { name: DEV, url: "${{ steps.deploy.outputs.url }}" }
    steps:
      - id: deploy
        env:
          KEY: ${{ secrets.DOMINO_USER_API_KEY }}
          STAGE: ${{ vars.DOMINO_ENV }}
          DOMINO_API_HOST: https://domino.example.com
        run: |
          echo "bound [$KEY] [$STAGE] [$DOMINO_API_HOST] ${#KEY}"
          echo "url=http://example.com/app" >> "$GITHUB_OUTPUT"
"#,
    );
    assert_eq!(rehearsed.exit_code, 0, "{}", rehearsed.text);
    assert!(
        rehearsed.text.contains("free [] [] [unset]"),
        "{}",
        rehearsed.text
    );
    assert!(
        rehearsed
            .text
            .contains("bound [***] [DEV] [http://127.0.0.1:2] 10"),
        "{}",
        rehearsed.text
    );
    assert!(
        rehearsed.text.contains("deployed: http://example.com/app"),
        "{}",
        rehearsed.text
    );
}

#[test]
fn what_is_masked_shows_nowhere() {
    let rehearsed = rehearse(
        r#"
  dev:
    runs-on: ubuntu-24.04
    environment: DEV
    outputs: { leak: "${{ steps.s.outputs.leak }}", fine: "${{ steps.s.outputs.fine }}" }
    steps:
      - id: s
        env: { KEY: "${{ secrets.DOMINO_USER_API_KEY }}" }
        run: |
          echo "::add-mask::step-canary"
          echo "I know $KEY and step-canary"
          echo "::error file=stages.toml,line=3::with $KEY"
          echo "summary with $KEY and step-canary" >> "$GITHUB_STEP_SUMMARY"
          echo "leak=$KEY" >> "$GITHUB_OUTPUT"
          echo "fine=yes" >> "$GITHUB_OUTPUT"
      - run: echo ${{ secrets.DOMINO_USER_API_KEY }} step-canary
"#,
    );
    assert_eq!(rehearsed.exit_code, 0, "{}", rehearsed.text);
    for canary in ["key-canary", "step-canary"] {
        // The mask is in the script before it is asked for, as it would be in GitHub's log.
        let after = rehearsed.text.split("I know").nth(2).unwrap();
        assert!(!after.contains(canary), "{}", rehearsed.text);
        assert!(!rehearsed.summary.contains(canary), "{}", rehearsed.summary);
    }
    assert!(!rehearsed.text.contains("key-canary"));
    assert!(
        rehearsed.text.contains("error at stages.toml:3: with ***"),
        "{}",
        rehearsed.text
    );
    assert_eq!(rehearsed.summary.trim(), "summary with *** and ***");
    assert_eq!(rehearsed.output("dev", "leak"), None);
    assert_eq!(rehearsed.output("dev", "fine"), Some("yes"));
    assert!(
        rehearsed.text.contains("output `leak` is left out"),
        "{}",
        rehearsed.text
    );
}

#[test]
fn after_a_failure_only_what_asks_for_it_runs() {
    let rehearsed = rehearse(
        r#"
  first:
    runs-on: ubuntu-24.04
    steps:
      - { name: fails, id: bad, run: exit 3 }
      - { name: plain, run: echo no }
      - { name: condition, if: "github.ref == 'refs/heads/main'", run: echo no }
      - { name: on failure, if: "failure() && steps.bad.outcome == 'failure'", run: "echo status ${{ job.status }}" }
      - { name: always, if: always(), run: echo yes }
      - { name: cancelled, if: "${{ cancelled() }}", run: echo no }
  second: { runs-on: ubuntu-24.04, needs: first, steps: [{ run: echo no }] }
  third: { runs-on: ubuntu-24.04, needs: second, if: always(), steps: [{ run: "echo third ${{ needs.second.result }}" }] }
  fourth: { runs-on: ubuntu-24.04, needs: third, steps: [{ run: echo no }] }
  fifth: { runs-on: ubuntu-24.04, needs: second, if: failure(), steps: [{ run: echo fifth }] }
"#,
    );
    assert_eq!(rehearsed.exit_code, 5);
    assert_eq!(rehearsed.outcome("fails"), Outcome::Failure(Some(3)));
    for (step, outcome) in [
        ("plain", Outcome::Skipped),
        ("condition", Outcome::Skipped),
        ("on failure", Outcome::Success),
        ("always", Outcome::Success),
        ("cancelled", Outcome::Skipped),
    ] {
        assert_eq!(rehearsed.outcome(step), outcome, "{step}");
    }
    assert!(rehearsed.text.contains("status failure"));
    let results: Vec<(&str, &str)> = rehearsed
        .jobs
        .iter()
        .map(|(id, done)| (id.as_str(), done.result))
        .collect();
    // The fourth needs only the third, which succeeded; but GitHub looks at everything before it.
    assert_eq!(
        results,
        [
            ("first", "failure"),
            ("second", "skipped"),
            ("third", "success"),
            ("fourth", "skipped"),
            ("fifth", "success")
        ]
    );
    assert!(
        rehearsed.text.contains("third skipped"),
        "{}",
        rehearsed.text
    );
}

#[test]
fn a_skipped_job_skips_those_that_need_it_and_fails_nothing() {
    let rehearsed = rehearse(
        r#"
  off: { runs-on: ubuntu-24.04, if: "${{ github.event_name != 'push' }}", outputs: { v: x }, steps: [{ run: echo }] }
  after: { runs-on: ubuntu-24.04, needs: off, steps: [{ run: echo }] }
  beside: { runs-on: ubuntu-24.04, steps: [{ run: echo beside }] }
  told: { runs-on: ubuntu-24.04, needs: off, if: "!failure()", steps: [{ run: "echo v is [${{ needs.off.outputs.v }}]" }] }
"#,
    );
    assert_eq!(rehearsed.exit_code, 0);
    assert_eq!(rehearsed.job("off").result, "skipped");
    assert_eq!(rehearsed.job("after").result, "skipped");
    assert_eq!(rehearsed.job("beside").result, "success");
    assert!(rehearsed.text.contains("v is []"));
}

#[test]
fn a_tolerated_failure_and_a_step_that_takes_too_long() {
    let rehearsed = rehearse(
        r#"
  a:
    runs-on: ubuntu-24.04
    steps:
      - { name: tolerated, id: t, continue-on-error: true, run: exit 4 }
      - { name: told, run: "echo ${{ steps.t.outcome }} ${{ steps.t.conclusion }} ${{ job.status }}" }
      - { name: slow, timeout-minutes: 0.001, run: sleep 30 }
  b:
    runs-on: ubuntu-24.04
    timeout-minutes: 0.002
    steps:
      - { name: too long, run: sleep 30 }
      - { name: still, if: always(), run: echo still }
"#,
    );
    assert_eq!(rehearsed.outcome("tolerated"), Outcome::Tolerated(Some(4)));
    assert!(
        rehearsed.text.contains("failure success success"),
        "{}",
        rehearsed.text
    );
    assert_eq!(rehearsed.outcome("slow"), Outcome::Failure(None));
    assert!(
        rehearsed.text.contains("timed out after 0.001 minutes"),
        "{}",
        rehearsed.text
    );
    assert_eq!(rehearsed.outcome("too long"), Outcome::Cancelled);
    assert_eq!(rehearsed.job("b").result, "cancelled");
}

#[test]
fn artifacts_reach_later_jobs_without_their_executable_bit() {
    let rehearsed = rehearse(
        r#"
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v7
      - run: chmod +x tool && tar -cf tools.tar tool
      - uses: actions/upload-artifact@v7
        with: { name: tools, path: "tool\ntools.tar\n", if-no-files-found: error }
  use:
    needs: build
    runs-on: ubuntu-24.04
    steps:
      - name: empty
        run: test -z "$(ls -A)"
      - uses: actions/download-artifact@v8
        with: { name: tools, path: "${{ runner.temp }}/tools" }
      - name: use
        run: |
          cd "$RUNNER_TEMP/tools"
          test ! -x tool
          tar -xf tools.tar
          ./tool
"#,
    );
    assert_eq!(rehearsed.exit_code, 0, "{}", rehearsed.text);
    assert!(rehearsed.text.contains("tool runs"));
    assert_eq!(
        rehearsed
            .rows
            .iter()
            .filter(|row| row.outcome == Outcome::Brought)
            .count(),
        3
    );
}

#[test]
fn without_an_approval_the_pipeline_stops_at_the_gate_with_exit_7() {
    let jobs = r#"
  dev: { runs-on: ubuntu-24.04, environment: DEV, steps: [{ name: dev, run: echo in dev }] }
  prod: { runs-on: ubuntu-24.04, needs: dev, environment: PROD, steps: [{ name: prod, run: echo in prod }] }
  after: { runs-on: ubuntu-24.04, needs: prod, steps: [{ run: echo }] }
"#;
    let rehearsed = rehearse_with(jobs, Approve::None, &Interrupt::default());
    assert_eq!(rehearsed.exit_code, 7);
    assert_eq!(rehearsed.outcome("dev"), Outcome::Success);
    assert!(
        rehearsed.text.contains("ann must approve"),
        "{}",
        rehearsed.text
    );
    assert!(!rehearsed.text.contains("in prod"));
    assert_eq!(rehearsed.job("prod").result, "failure");
    assert_eq!(rehearsed.job("after").result, "skipped");
    assert!(
        rehearsed
            .rows
            .iter()
            .any(|row| row.job == "prod" && row.outcome == Outcome::NotApproved)
    );

    let rehearsed = rehearse(jobs);
    assert_eq!(rehearsed.exit_code, 0);
    assert!(
        rehearsed
            .text
            .contains("✓ approved by the rehearsal (`--approve all`), as ann"),
        "{}",
        rehearsed.text
    );
    assert!(rehearsed.text.contains("in prod"));
}

#[test]
fn a_cancelled_run_does_what_github_would_still_do() {
    let interrupt = Interrupt::default();
    let asking = interrupt.clone();
    let ready = tempfile::tempdir().unwrap();
    let file = ready.path().join("ready");
    let seen = file.clone();
    let watcher = std::thread::spawn(move || {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while !seen.exists() && std::time::Instant::now() < deadline {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        asking.ask(2);
    });
    let rehearsed = rehearse_with(
        &format!(
            r#"
  a:
    runs-on: ubuntu-24.04
    steps:
      - name: long
        run: |
          trap 'echo told to stop; exit 130' INT
          touch {}
          while :; do sleep 0.01; done
      - {{ name: plain, run: echo no }}
      - {{ name: clean up, if: always(), run: echo cleaned }}
      - {{ name: if cancelled, if: cancelled(), run: "echo job ${{{{ job.status }}}}" }}
  b: {{ runs-on: ubuntu-24.04, needs: a, steps: [{{ run: echo }}] }}
"#,
            file.display()
        ),
        Approve::All,
        &interrupt,
    );
    watcher.join().unwrap();
    assert_eq!(
        rehearsed.outcome("long"),
        Outcome::Cancelled,
        "{}",
        rehearsed.text
    );
    assert!(
        rehearsed.text.contains("told to stop"),
        "{}",
        rehearsed.text
    );
    assert_eq!(rehearsed.outcome("plain"), Outcome::Skipped);
    assert_eq!(rehearsed.outcome("clean up"), Outcome::Success);
    assert!(
        rehearsed.text.contains("job cancelled"),
        "{}",
        rehearsed.text
    );
    assert_eq!(rehearsed.job("a").result, "cancelled");
    assert_eq!(rehearsed.job("b").result, "cancelled");
}

#[test]
fn what_github_would_fail_fails() {
    let rehearsed = rehearse(
        r#"
  a:
    runs-on: ubuntu-24.04
    steps:
      - { name: outputs, continue-on-error: true, run: "echo broken >> \"$GITHUB_OUTPUT\"" }
      - { name: set-env, continue-on-error: true, run: "echo '::set-env name=A::b'" }
      - { name: folder, continue-on-error: true, working-directory: none, run: echo }
      - { name: artifact, continue-on-error: true, uses: actions/download-artifact@v8, with: { name: none } }
      - { name: attest, uses: actions/attest-build-provenance@v4, with: { subject-path: a } }
"#,
    );
    for step in ["outputs", "set-env", "folder", "artifact"] {
        assert_eq!(
            rehearsed.outcome(step),
            Outcome::Tolerated(None),
            "{step}: {}",
            rehearsed.text
        );
    }
    assert_eq!(rehearsed.outcome("attest"), Outcome::NotRun);
    assert!(
        rehearsed.text.contains("not run here: an attestation"),
        "{}",
        rehearsed.text
    );
    assert!(
        rehearsed
            .text
            .contains("unable to process file command 'output': invalid format 'broken'")
    );
}

#[test]
fn what_only_shows_while_running_is_named_and_never_green() {
    let rehearsed = rehearse(
        r#"
  a:
    runs-on: ubuntu-24.04
    steps:
      - { name: json, continue-on-error: true, run: "echo ${{ fromJSON(github.ref) }}" }
  b:
    runs-on: ubuntu-24.04
    environment: "${{ github.job }}-unknown"
    steps: [{ run: echo }]
"#,
    );
    assert_eq!(rehearsed.exit_code, 2);
    assert!(
        rehearsed
            .text
            .contains("cannot rehearse: deploy-things.yml:"),
        "{}",
        rehearsed.text
    );
    assert!(
        rehearsed
            .text
            .contains("no stage of stages.toml has the GitHub environment"),
        "{}",
        rehearsed.text
    );
    assert_eq!(rehearsed.job("b").result, "failure");
}
