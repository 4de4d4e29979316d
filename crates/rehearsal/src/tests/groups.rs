//! Workflows and jobs side by side: what runs at once, what waits for what, and what an approval holds up.

use super::{Around, Rehearsed, rehearse_all};
use crate::approval::Approve;
use crate::report::Outcome;

/// A workflow with one job that has these steps.
fn workflow(name: &str, head: &str, steps: &str) -> String {
    format!(
        "name: {name}\non: push\n{head}\njobs:\n  {name}:\n    runs-on: ubuntu-24.04\n    steps: [{steps}]\n"
    )
}

fn all(files: &[(&str, String)]) -> Rehearsed {
    all_with(files, &Around::default())
}

fn all_with(files: &[(&str, String)], around: &Around<'_>) -> Rehearsed {
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    rehearse_all(&files, around)
}

/// A folder that all jobs of a test can reach, for files that they leave for one another.
fn meeting_place() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A command that waits until a file exists, and fails if it never does.
fn until(place: &tempfile::TempDir, file: &str) -> String {
    let file = place.path().join(file);
    let file = file.display();
    format!("for i in $(seq 1500); do [ -e {file} ] && break; sleep 0.02; done; [ -e {file} ]")
}

fn touch(place: &tempfile::TempDir, file: &str) -> String {
    format!("touch {}", place.path().join(file).display())
}

#[test]
fn workflows_run_side_by_side_each_job_on_a_runner_of_its_own() {
    let place = meeting_place();
    // Each waits for the others: one after the other, they would never end.
    let step = |own: &str, others: [&str; 2]| {
        let [first, second] = others.map(|other| until(&place, other));
        let own = touch(&place, own);
        format!(
            "{{ run: \"{own}; {first} && {second} && echo $RUNNER_NAME in $GITHUB_WORKSPACE\" }}"
        )
    };
    let rehearsed = all(&[
        ("a.yml", workflow("a", "", &step("a", ["b", "c"]))),
        ("b.yml", workflow("b", "", &step("b", ["a", "c"]))),
        ("c.yml", workflow("c", "", &step("c", ["a", "b"]))),
    ]);
    assert_eq!(rehearsed.exit_code, 0, "{}", rehearsed.text);
    for number in 1..=3 {
        let name = format!("rehearsal-{number} in ");
        assert!(rehearsed.text.contains(&name), "{}", rehearsed.text);
    }
    let jobs: Vec<&str> = rehearsed.rows.iter().map(|row| row.job.as_str()).collect();
    assert_eq!(
        jobs,
        ["a", "b", "c"],
        "the table keeps the order of the files"
    );
    assert!(
        rehearsed.text.contains("\nb/b |    ▸ Run "),
        "{}",
        rehearsed.text
    );
}

#[test]
fn a_job_begins_once_those_it_needs_have_finished_and_waits_for_no_other() {
    let place = meeting_place();
    let text = format!(
        r#"
name: Deploy
on: push
jobs:
  slow:
    runs-on: ubuntu-24.04
    steps: [{{ run: "{}" }}]
  quick: {{ runs-on: ubuntu-24.04, steps: [{{ run: "echo" }}] }}
  after-quick:
    needs: quick
    runs-on: ubuntu-24.04
    steps: [{{ run: "{}" }}]
  after-both: {{ needs: [slow, quick], runs-on: ubuntu-24.04, steps: [{{ run: "echo" }}] }}
"#,
        until(&place, "released"),
        touch(&place, "released"),
    );
    let rehearsed = all(&[("a.yml", text)]);
    assert_eq!(rehearsed.exit_code, 0, "{}", rehearsed.text);
}

/// Three workflows of one group: the first ends once all three are in line.
fn three_of_a_group(rules: &str) -> Rehearsed {
    let place = meeting_place();
    let head = format!("concurrency: {{ group: prod, {rules} }}");
    let first = format!("{{ name: first, run: \"{}\" }}", touch(&place, "1"));
    let second = format!(
        "{{ name: second, run: \"{} && {}\" }}",
        until(&place, "1"),
        touch(&place, "2")
    );
    let third = format!(
        "{{ name: third, run: \"{} || {}\" }}",
        until(&place, "2"),
        until(&place, "1")
    );
    all(&[
        (
            "a.yml",
            workflow("a", &head.replace("prod", "Prod"), &first),
        ),
        ("b.yml", workflow("b", &head, &second)),
        ("c.yml", workflow("c", &head, &third)),
    ])
}

#[test]
fn of_the_runs_that_wait_for_a_group_the_newest_stays() {
    let place = meeting_place();
    let head = "concurrency: prod";
    let step = |file: &str| format!("{{ name: {file}, run: \"{}\" }}", touch(&place, file));
    let rehearsed = all(&[
        ("a.yml", workflow("a", head, &step("1"))),
        ("b.yml", workflow("b", head, &step("2"))),
        ("c.yml", workflow("c", head, &step("3"))),
    ]);
    assert_eq!(rehearsed.job("a").result, "success", "{}", rehearsed.text);
    assert_eq!(rehearsed.job("b").result, "cancelled", "{}", rehearsed.text);
    assert_eq!(rehearsed.job("c").result, "success", "{}", rehearsed.text);
    let words = "b: Canceling since a higher priority waiting request for prod exists";
    assert!(rehearsed.text.contains(words), "{}", rehearsed.text);
    assert!(
        rehearsed
            .text
            .contains("waits for a, which has the concurrency group prod")
    );
    assert!(!place.path().join("2").exists());
}

#[test]
fn a_group_with_queue_max_keeps_all_in_their_order() {
    let rehearsed = three_of_a_group("queue: max");
    assert_eq!(rehearsed.exit_code, 0, "{}", rehearsed.text);
    let at = |text: &str| {
        rehearsed
            .text
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {}", rehearsed.text))
    };
    assert!(at("▸ first") < at("▸ second") && at("▸ second") < at("▸ third"));
}

#[test]
fn cancel_in_progress_ends_the_job_that_goes_on_and_cleans_up() {
    let place = meeting_place();
    let text = format!(
        r#"
name: Deploy
on: push
jobs:
  old:
    runs-on: ubuntu-24.04
    concurrency: dev
    steps:
      - {{ name: long, run: "{}; trap 'echo told to end; exit 1' INT; while :; do sleep 0.02; done" }}
      - {{ name: clean up, if: always(), run: "echo" }}
  begun:
    runs-on: ubuntu-24.04
    steps: [{{ run: "{}" }}]
  new:
    needs: begun
    runs-on: ubuntu-24.04
    concurrency: {{ group: DEV, cancel-in-progress: true }}
    steps: [{{ run: "echo" }}]
  other: {{ needs: begun, runs-on: ubuntu-24.04, steps: [{{ run: "echo" }}] }}
"#,
        touch(&place, "begun"),
        until(&place, "begun"),
    );
    let rehearsed = all(&[("a.yml", text)]);
    assert_eq!(
        rehearsed.outcome("long"),
        Outcome::Cancelled,
        "{}",
        rehearsed.text
    );
    assert_eq!(rehearsed.outcome("clean up"), Outcome::Success);
    let results = ["old", "new", "other"].map(|job| rehearsed.job(job).result);
    assert_eq!(
        results,
        ["cancelled", "success", "success"],
        "{}",
        rehearsed.text
    );
    assert!(
        rehearsed
            .text
            .contains("waits for a/old, which has the concurrency group DEV")
    );
}

#[test]
fn a_job_that_asks_for_the_group_of_its_own_run_is_a_deadlock() {
    let head = "concurrency: deploy";
    let text = workflow("a", head, "{ run: \"echo\" }").replace(
        "runs-on: ubuntu-24.04",
        "runs-on: ubuntu-24.04\n    concurrency: Deploy",
    );
    let rehearsed = all(&[("a.yml", text)]);
    assert_eq!(rehearsed.job("a").result, "cancelled");
    let words =
        "deadlock for concurrency group 'Deploy' was detected between 'top level workflow' and 'a'";
    assert!(rehearsed.text.contains(words), "{}", rehearsed.text);
}

#[test]
fn an_approval_holds_up_its_own_job_only_and_questions_come_one_at_a_time() {
    let gated = |name: &str| {
        format!(
            "name: {name}\non: push\njobs:\n  gate:\n    runs-on: ubuntu-24.04\n    environment: PROD\n    steps: [{{ name: behind {name}, run: echo }}]\n  after: {{ needs: gate, runs-on: ubuntu-24.04, steps: [{{ run: echo }}] }}\n  free: {{ runs-on: ubuntu-24.04, steps: [{{ name: free of {name}, run: echo }}] }}\n"
        )
    };
    let around = Around {
        approve: Approve::Ask,
        answers: &["y", "n"],
        ..Around::default()
    };
    let rehearsed = all_with(&[("a.yml", gated("a")), ("b.yml", gated("b"))], &around);
    let text = &rehearsed.text;
    for name in ["a", "b"] {
        assert_eq!(
            rehearsed.outcome(&format!("free of {name}")),
            Outcome::Success
        );
        let holds =
            format!("this holds up {name}/gate, and after it after; what else can go on does");
        assert!(text.contains(&holds), "{text}");
    }
    // Either of the two may ask first; it gets the first answer.
    let mut results: Vec<&str> = rehearsed
        .jobs
        .iter()
        .filter(|(job, _)| job == "gate")
        .map(|(_, job)| job.result)
        .collect();
    results.sort_unstable();
    assert_eq!(results, ["failure", "success"], "{text}");
    let questions = text
        .matches("approve the deployment to PROD? [y/n]")
        .count();
    assert!(questions >= 2, "{text}");
    let first = text.find("approved").expect("an answer");
    let asked_before = text[..first].matches("this holds up").count();
    assert_eq!(asked_before, 1, "{text}");
}
