//! What runs and what does not: conditions, needs, gates.

use super::{rehearse, rehearse_with};
use crate::approval::Approve;
use crate::interrupt::Interrupt;
use crate::report::Outcome;

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
