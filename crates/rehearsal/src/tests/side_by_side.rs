//! Steps side by side: when they begin and how many, what is shown of them and when, how they end.

use std::time::{Duration, Instant};

use super::{Rehearsed, rehearse, rehearse_with};
use crate::approval::Approve;
use crate::interrupt::Interrupt;
use crate::report::Outcome;

fn job(steps: &str) -> Rehearsed {
    rehearse(&format!(
        "  a:\n    runs-on: ubuntu-24.04\n    outputs: {{ o: \"${{{{ steps.x.outputs.o }}}}\" }}\n    steps:\n{steps}"
    ))
}

/// A step that succeeds only if another one runs at the same time: each waits for the file of the other.
fn meets(name: &str, other: &str) -> String {
    format!(
        "{{ name: meets {name}, run: \"touch {name}; for i in $(seq 500); do [ -e {other} ] && exit 0; sleep 0.02; done; exit 1\" }}"
    )
}

#[test]
fn a_group_runs_side_by_side_and_is_waited_for() {
    let (a, b) = (meets("one", "two"), meets("two", "one"));
    let rehearsed = job(&format!(
        r#"
      - parallel:
          - {a}
          - {b}
          - {{ name: says, id: x, run: "echo ${{{{ steps.y.outputs.o }}}}.; echo o=1 >> $GITHUB_OUTPUT; echo SET=yes >> $GITHUB_ENV; echo from x >> $GITHUB_STEP_SUMMARY" }}
          - {{ name: other, id: y, run: "echo o=2 >> $GITHUB_OUTPUT; echo from y >> $GITHUB_STEP_SUMMARY" }}
      - {{ name: after, run: "echo saw ${{{{ steps.x.outputs.o }}}}${{{{ steps.y.outcome }}}} $SET" }}
"#
    ));
    assert_eq!(rehearsed.exit_code, 0, "{}", rehearsed.text);
    assert!(
        rehearsed.text.contains("saw 1success yes"),
        "{}",
        rehearsed.text
    );
    assert_eq!(rehearsed.output("a", "o"), Some("1"));
    assert_eq!(rehearsed.summary.trim(), "from x\n\n\nfrom y");
    let names: Vec<&str> = rehearsed.rows.iter().map(|row| row.step.as_str()).collect();
    assert_eq!(names, ["meets one", "meets two", "says", "other", "after"]);
}

#[test]
fn a_failure_in_a_group_leaves_the_others_alone_and_fails_the_job_at_its_end() {
    let rehearsed = job(r#"
      - parallel:
          - { name: bad, id: bad, run: exit 3 }
          - { name: borne, id: borne, continue-on-error: true, run: exit 4 }
          - { name: slow, id: x, run: "sleep 0.2; echo o=done >> $GITHUB_OUTPUT" }
      - parallel:
          - { name: plain, run: echo }
          - { name: of bad, if: "!cancelled() && steps.bad.outcome == 'success'", run: echo }
          - { name: of slow, if: "!cancelled() && steps.x.outcome == 'success'", run: "echo ${{ steps.borne.outcome }} ${{ steps.borne.conclusion }} ${{ job.status }}" }
      - { name: always, if: always(), run: echo }
"#);
    assert_eq!(rehearsed.exit_code, 5);
    assert_eq!(rehearsed.job("a").result, "failure");
    for (step, outcome) in [
        ("bad", Outcome::Failure(Some(3))),
        ("borne", Outcome::Tolerated(Some(4))),
        ("slow", Outcome::Success),
        ("plain", Outcome::Skipped),
        ("of bad", Outcome::Skipped),
        ("of slow", Outcome::Success),
        ("always", Outcome::Success),
    ] {
        assert_eq!(
            rehearsed.outcome(step),
            outcome,
            "{step}: {}",
            rehearsed.text
        );
    }
    assert!(
        rehearsed.text.contains("failure success failure"),
        "{}",
        rehearsed.text
    );
    assert_eq!(rehearsed.output("a", "o"), Some("done"));
}

#[test]
fn a_step_in_the_background_fails_its_job_where_it_is_waited_for() {
    let rehearsed = job(r#"
      - { name: bad, id: bad, background: true, run: exit 3 }
      - { name: between, run: "sleep 0.2; echo '[${{ steps.bad.outcome }}] ${{ job.status }}'" }
      - { wait: bad }
      - { name: after, run: echo }
  b:
    runs-on: ubuntu-24.04
    steps:
      - { name: bad too, id: bad, background: true, run: exit 3 }
      - { wait-all: true, continue-on-error: true }
      - { name: still, run: echo }
  c:
    runs-on: ubuntu-24.04
    steps:
      - { name: unwaited, background: true, run: "sleep 0.2; exit 3" }
"#);
    assert!(rehearsed.text.contains("[] success"), "{}", rehearsed.text);
    assert_eq!(rehearsed.outcome("between"), Outcome::Success);
    assert_eq!(rehearsed.outcome("after"), Outcome::Skipped);
    assert_eq!(rehearsed.job("a").result, "failure");
    assert_eq!(rehearsed.outcome("bad too"), Outcome::Tolerated(Some(3)));
    assert_eq!(rehearsed.outcome("still"), Outcome::Success);
    assert_eq!(rehearsed.job("b").result, "success");
    assert_eq!(rehearsed.job("c").result, "failure");
}

#[test]
fn a_service_is_ended_by_a_later_step_and_fails_nothing() {
    let begun = Instant::now();
    let rehearsed = job(r#"
      - { name: serve, id: x, background: true, run: "trap 'echo told to end; exit 1' TERM; touch up; while :; do sleep 0.02; done" }
      - { name: use, run: "until [ -e up ]; do sleep 0.02; done" }
      - { cancel: x }
      - { name: after, run: "echo was ${{ steps.x.outcome }}" }
"#);
    assert_eq!(rehearsed.exit_code, 0, "{}", rehearsed.text);
    assert_eq!(rehearsed.outcome("serve"), Outcome::Stopped);
    assert!(rehearsed.text.contains("told to end"), "{}", rehearsed.text);
    assert!(
        rehearsed.text.contains("was cancelled"),
        "{}",
        rehearsed.text
    );
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn ten_run_at_once_and_the_others_wait_for_their_turn() {
    // The first ten wait for each other, however slow the machine is.
    let counts = "n=$(mktemp run.XXXXXX); until [ -e full ]; do [ $(ls run.* | wc -l) -lt 10 ] || touch full; sleep 0.02; done; ls run.* | wc -l; rm $n";
    let steps = |at| format!("          - {{ name: s{at}, run: \"{counts}\" }}\n");
    let group: String = (0..23).map(steps).collect();
    let rehearsed = job(&format!("      - parallel:\n{group}"));
    assert_eq!(rehearsed.exit_code, 0, "{}", rehearsed.text);
    let counts = rehearsed
        .lines()
        .filter_map(|line| line.trim().parse::<usize>().ok());
    assert_eq!(counts.max(), Some(10), "{}", rehearsed.text);
}

#[test]
fn a_cancelled_run_ends_what_runs_and_what_waits_in_a_group() {
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
    let long = format!(
        "trap 'exit 130' INT; touch {}; while :; do sleep 0.02; done",
        file.display()
    );
    let group: String = (0..12)
        .map(|at| format!("          - {{ name: s{at}, run: \"{long}\" }}\n"))
        .collect();
    let rehearsed = rehearse_with(
        &format!(
            "  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - parallel:\n{group}      - {{ name: clean up, if: always(), run: echo }}\n"
        ),
        Approve::All,
        &interrupt,
    );
    watcher.join().unwrap();
    for at in 0..12 {
        assert_eq!(
            rehearsed.outcome(&format!("s{at}")),
            Outcome::Cancelled,
            "{}",
            rehearsed.text
        );
    }
    assert_eq!(rehearsed.outcome("clean up"), Outcome::Success);
    assert_eq!(rehearsed.job("a").result, "cancelled");
}

#[test]
fn a_job_shows_twenty_summaries() {
    let group: String = (0..21)
        .map(|at| format!("          - {{ run: \"echo of {at} >> $GITHUB_STEP_SUMMARY\" }}\n"))
        .collect();
    let rehearsed = job(&format!("      - parallel:\n{group}"));
    assert!(rehearsed.summary.contains("of 19"), "{}", rehearsed.summary);
    assert!(
        !rehearsed.summary.contains("of 20"),
        "{}",
        rehearsed.summary
    );
    assert!(
        rehearsed.text.contains("its summary is left out"),
        "{}",
        rehearsed.text
    );
}
