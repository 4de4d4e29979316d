//! How steps end: failures that count and those that do not, time limits, cancellation, what cannot be done.

use std::time::{Duration, Instant};

use super::{Around, rehearse, rehearse_all, rehearse_with};
use crate::approval::Approve;
use crate::interrupt::Interrupt;
use crate::report::Outcome;

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
    assert_eq!(
        rehearsed.outcome("still"),
        Outcome::Success,
        "{}",
        rehearsed.text
    );
}

/// A job whose step never ends by itself, and what cleans up after it.
fn never_ends(before: &str, clean_up: &str) -> String {
    format!(
        r#"
name: Deploy
on: push
jobs:
  a:
    runs-on: ubuntu-24.04
    timeout-minutes: 0.01
    steps:
      - {{ name: long, run: "{before}; trap 'echo told; exit 0' INT; while :; do sleep 0.02; done" }}
      - {{ name: plain, if: "!cancelled()", run: echo }}
      - {{ name: clean up, if: always(), run: "{clean_up}" }}
      - {{ name: last, if: always(), run: echo }}
"#
    )
}

#[test]
fn once_the_time_of_a_job_is_up_always_steps_have_as_long_as_github_gives_and_no_longer() {
    let around = Around {
        after_timeout: Duration::from_secs(2),
        ..Around::default()
    };
    let begun = Instant::now();
    let text = never_ends("true", "echo cleaning; exec sleep 60");
    let rehearsed = rehearse_all(&[("a.yml", &text)], &around);
    assert!(rehearsed.text.contains("told"), "{}", rehearsed.text);
    for (step, outcome) in [
        ("long", Outcome::Cancelled),
        ("plain", Outcome::Skipped),
        ("clean up", Outcome::Cancelled),
        ("last", Outcome::Cancelled),
    ] {
        assert_eq!(
            rehearsed.outcome(step),
            outcome,
            "{step}: {}",
            rehearsed.text
        );
    }
    assert!(rehearsed.text.contains("cleaning"), "{}", rehearsed.text);
    assert!(begun.elapsed() < Duration::from_secs(50));
}

#[test]
fn a_cancelled_run_lets_its_always_steps_go_on_as_long_and_no_longer() {
    let interrupt = Interrupt::default();
    let asking = interrupt.clone();
    let place = tempfile::tempdir().unwrap();
    let (ready, seen) = (place.path().join("ready"), place.path().join("ready"));
    let watcher = std::thread::spawn(move || {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !seen.exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        asking.ask(2);
    });
    let around = Around {
        interrupt: &interrupt,
        after_timeout: Duration::from_secs(2),
        ..Around::default()
    };
    let text = never_ends(&format!("touch {}", ready.display()), "exec sleep 60");
    let text = text.replace("timeout-minutes: 0.01", "timeout-minutes: 5");
    let rehearsed = rehearse_all(&[("a.yml", &text)], &around);
    watcher.join().unwrap();
    let outcomes = ["long", "clean up", "last"].map(|step| rehearsed.outcome(step));
    assert_eq!(outcomes, [Outcome::Cancelled; 3], "{}", rehearsed.text);
    assert_eq!(rehearsed.job("a").result, "cancelled");
}

#[test]
fn an_interrupt_between_two_jobs_is_no_success() {
    let interrupt = Interrupt::default();
    interrupt.ask(2);
    let rehearsed = rehearse_with(
        "  a: { runs-on: ubuntu-24.04, steps: [{ run: echo }] }\n",
        Approve::All,
        &interrupt,
    );
    assert_eq!(rehearsed.job("a").result, "cancelled");
    assert_eq!(rehearsed.outcome(""), Outcome::Cancelled);
    assert_ne!(rehearsed.exit_code, 0, "{}", rehearsed.text);
}

#[test]
fn a_cancelled_run_does_what_github_would_still_do() {
    let interrupt = Interrupt::default();
    let asking = interrupt.clone();
    let ready = tempfile::tempdir().unwrap();
    let file = ready.path().join("ready");
    let seen = file.clone();
    let watcher = std::thread::spawn(move || {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !seen.exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
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
        rehearsed.text.contains("no environment is called"),
        "{}",
        rehearsed.text
    );
    assert_eq!(rehearsed.job("b").result, "failure");
}
