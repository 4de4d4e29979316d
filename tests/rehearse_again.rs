//! A rehearsal that is kept running and run again, as a person does it: the real program in two terminals.
//!
//! Tests beside the code cover what runs again and what stays; here it is what steps see, and what a person reads.

#[path = "rehearse/project.rs"]
mod project;

use project::{Ongoing, Project, WORKFLOW};

/// A rehearsal that stays up, whose first attempt at the stage dev fails.
struct Kept {
    project: Project,
    ongoing: Ongoing,
    folder: String,
}

impl Kept {
    fn new(args: &[&str]) -> Self {
        Self::of(Project::new(), args)
    }

    fn of(project: Project, args: &[&str]) -> Self {
        let tell = "echo attempt $GITHUB_RUN_ATTEMPT of $GITHUB_RUN_ID at $GITHUB_SHA by $GITHUB_ACTOR, started by $GITHUB_TRIGGERING_ACTOR; [ $GITHUB_RUN_ATTEMPT != 1 ]";
        project
            .change(
                WORKFLOW,
                "run: exec python3 ",
                &format!("run: {tell} && exec python3 "),
            )
            .commit();
        let args = [&["--keep"], args].concat();
        let ongoing = Ongoing::until(&mut project.command(&args), "run it again");
        let line = ongoing.lines.last().unwrap();
        let (_, folder) = line.split_once("--kept ").expect("a folder");
        let folder = folder.to_owned();
        Self {
            project,
            ongoing,
            folder,
        }
    }

    fn rerun(&self, args: &[&str]) -> project::Rehearsed {
        let args = [&["--kept", &self.folder, "--rerun"], args].concat();
        self.project.rehearse(&args)
    }
}

/// What is said of an attempt, between these two words.
fn told<'a>(text: &'a str, attempt: &str) -> Vec<&'a str> {
    let told = text.lines().filter_map(|line| line.split_once(attempt));
    told.map(|(_, rest)| rest)
        .filter(|rest| !rest.contains('$'))
        .collect()
}

#[test]
fn what_failed_is_run_again_with_what_the_other_jobs_left() {
    let mut kept = Kept::new(&[]);
    let first = kept.ongoing.lines.join("\n");
    let [of_first] = told(&first, "attempt 1 of ")[..] else {
        panic!("{first}");
    };
    assert!(
        of_first.ends_with("by author, started by author"),
        "{first}"
    );

    let again = kept.rerun(&["failed", "--actor", "bob"]);
    assert_eq!(again.code, 0, "{}", again.text);
    let of_again = told(&again.text, "attempt 2 of ");
    let expected = of_first.replace("started by author", "started by bob");
    assert_eq!(of_again, [&expected], "same run, commit and actor");
    // The stage after it had never run, and is given what this one hands on.
    again.tells("before: http://127.0.0.1:");
    again.tells(", attempt 2 by push");
    again.tells("- success in attempt 1");
    again.tells("PROD was approved by ann");
    assert!(!again.text.contains("Run tar --create"), "{}", again.text);

    let nothing = kept.rerun(&["failed"]);
    assert_eq!(nothing.code, 2, "{}", nothing.text);
    nothing.tells("no job failed, so none is run again: `--rerun all` runs all of them");
    let all = kept.rerun(&["all"]);
    assert_eq!(all.code, 0, "{}", all.text);
    assert_eq!(told(&all.text, "attempt 3 of "), [of_first]);
    all.tells("Run tar --create");

    assert_eq!(
        kept.ongoing.interrupt(),
        5,
        "what its first attempt ended with"
    );
    let gone = kept.rerun(&["all"]);
    assert_eq!(gone.code, 2, "{}", gone.text);
    gone.tells("no rehearsal is kept in ");
    gone.tells(
        "`domino-pipeline rehearse --keep` keeps a rehearsal until Ctrl-C, and prints its folder",
    );
}

/// Downloads and unpacks with the steps that `gen-workflows` writes.
fn bring_the_programs_as_generated(project: &Project) {
    let generated = include_str!("../.github/workflows/deploy-jobs.yml");
    let (_, steps) = generated
        .split_once("      - name: Download the programs\n")
        .unwrap();
    let (download, rest) = steps
        .split_once("      - name: Unpack the programs\n")
        .unwrap();
    let (unpack, _) = rest.split_once("      - ").unwrap();

    let own = std::fs::read_to_string(project.path(WORKFLOW)).unwrap();
    let (_, rest) = own
        .split_once("      - uses: actions/download-artifact@")
        .unwrap();
    let last = "      - run: tar --extract --file programs.tar\n";
    let (first, _) = rest.split_once(last).unwrap();
    project
        .change(
            WORKFLOW,
            &format!("      - uses: actions/download-artifact@{first}{last}"),
            &format!(
                "      - name: Download the programs\n{download}      - name: Unpack the programs\n{unpack}"
            ),
        )
        .change(
            WORKFLOW,
            "exec python3 ask.py",
            "exec python3 $RUNNER_TEMP/programs/ask.py",
        );
}

#[test]
fn an_artifact_that_expired_fails_the_job_that_needs_it_and_running_all_again_makes_it_anew() {
    let project = Project::new();
    bring_the_programs_as_generated(&project);
    let kept = Kept::of(project, &["--artifact-days", "5"]);
    let late = kept.rerun(&["failed", "--days-later", "6"]);
    assert_eq!(late.code, 5, "{}", late.text);
    late.tells(
        "Artifact not found for name: programs. Please ensure that your artifact is not expired",
    );
    late.tells("It was kept for 5 days, and this is 6 days after its upload.");
    late.tells("The programs are missing: The step before says why they could not be downloaded.");
    late.tells("\"Re-run all jobs\" makes them anew, \"Re-run failed jobs\" does not.");
    assert!(!late.text.contains("attempt 2 of "), "{}", late.text);
    let all = kept.rerun(&["all"]);
    assert_eq!(all.code, 0, "{}", all.text);
    all.tells("kept 1 file as artifact `programs` for 5 days");
    let too_late = kept.rerun(&["all", "--days-later", "25"]);
    assert_eq!(too_late.code, 2, "{}", too_late.text);
    too_late.tells(
        "GitHub runs a run again for 30 days, and this would be 31 days after the first attempt",
    );
}

#[test]
fn what_a_rerun_cannot_do_is_told() {
    let project = Project::new();
    let refused = |args: &[&str], why: &str| {
        let rehearsed = project.rehearse(args);
        assert_eq!(rehearsed.code, 2, "{}", rehearsed.text);
        rehearsed.tells(why);
    };
    refused(&["--rerun", "failed"], "with `--kept`");
    refused(&["--rerun", "failed", "--keep"], "cannot be used with");
    let nowhere = project.path("nowhere").display().to_string();
    refused(
        &["--rerun", "all", "--kept", &nowhere],
        "no rehearsal is kept in ",
    );
    // Who starts the runs can be said without a re-run.
    project
        .rehearse(&["--actor", "bob"])
        .tells(" by workflow_dispatch of bob");

    // A process that was killed leaves its folder, and no sandbox.
    let mut kept = Kept::new(&[]);
    kept.ongoing.kill();
    let gone = kept.rerun(&["failed"]);
    assert_eq!(gone.code, 2, "{}", gone.text);
    gone.tells("no longer answers at http://127.0.0.1:");
}
