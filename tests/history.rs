//! Receipts on their way into a repository, and what `history` makes of them: the real program, real git, and a bare
//! repository in GitHub's place.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use domino_core::receipt::{
    AppliedPlan, DeployedThing, DeploymentPlace, FORMAT, GivenApproval, People, Receipt,
    ReceiptKind, ReceiptOutcome, SealedReceipt, write_to_folder,
};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_domino-pipeline");

/// A bare repository, and as many clones of it as are asked for.
struct Origin {
    folder: TempDir,
}

/// What the program said and how it ended.
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(args)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn program(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(args).current_dir(folder).env_clear();
    for name in ["PATH", "HOME"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("GITHUB_ACTIONS", "true");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(folder: &Path, args: &[&str]) -> Run {
    ended(program(folder, args).spawn().unwrap())
}

fn ended(child: Child) -> Run {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

impl Origin {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "--quiet", "--bare", "origin.git"]);
        Self { folder }
    }

    fn clone(&self, name: &str) -> std::path::PathBuf {
        git(self.folder.path(), &["init", "--quiet", name]);
        let clone = self.folder.path().join(name);
        git(&clone, &["remote", "add", "origin", "../origin.git"]);
        clone
    }

    /// The lines of all notes.
    fn lines(&self) -> Vec<String> {
        let bare = self.folder.path().join("origin.git");
        let notes = git(&bare, &["ls-tree", "-r", "refs/notes/deployments"]);
        let blobs = notes
            .lines()
            .map(|line| line.split([' ', '\t']).nth(2).unwrap());
        let texts = blobs.map(|blob| git(&bare, &["cat-file", "blob", blob]));
        texts
            .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }
}

/// The receipt of an app in a stage: of the commit of this digit, at this time.
fn receipt(stage: &str, entity: &str, digit: char, at: &str) -> Receipt {
    let at = at.parse().unwrap();
    Receipt {
        format: FORMAT,
        stage: stage.into(),
        kind: ReceiptKind::App,
        entity: entity.into(),
        commit: digit.to_string().repeat(40),
        outcome: ReceiptOutcome::Done,
        result: "it serves".into(),
        began: at,
        at,
        what: DeployedThing::default(),
        who: People {
            author: Some("=Ann".into()),
            started_by: Some("ann".into()),
            run_again_by: None,
            approvals: vec![GivenApproval {
                by: "carol".into(),
                r#where: format!("GitHub environment {}", stage.to_uppercase()),
                at: None,
            }],
        },
        r#where: DeploymentPlace::default(),
        plan: AppliedPlan::default(),
        program: "deploy-app 0.1.0".into(),
        smoke_test: None,
        without_receipt: None,
        back: None,
        previous: None,
    }
}

fn leave(folder: &Path, receipts: &[Receipt]) {
    for receipt in receipts {
        let sealed = SealedReceipt::seal(receipt.clone()).unwrap();
        write_to_folder(folder, &sealed).unwrap();
    }
}

#[test]
fn those_who_record_at_once_lose_nothing_and_what_was_changed_since_is_named() {
    let origin = Origin::new();
    // Five kinds of the same commit, and one entity of which there are several receipts, all at once.
    let recorders: Vec<Child> = (0..6)
        .map(|at| {
            let clone = origin.clone(&format!("clone-{at}"));
            let when = format!("2026-11-1{at}T08:00:00Z");
            let own = format!("app-{at}");
            let receipts = [
                receipt("prod", &own, 'a', &when),
                receipt("dev", "shared", char::from_digit(at, 10).unwrap(), &when),
            ];
            leave(&clone.join("left"), &receipts);
            program(&clone, &["receipts", "record", "left"])
                .spawn()
                .unwrap()
        })
        .collect();
    for recorder in recorders {
        let run = ended(recorder);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stderr.contains("recorded 2 receipts"), "{}", run.stderr);
    }
    assert_eq!(origin.lines().len(), 12);

    let clone = origin.clone("person");
    let whole = run(&clone, &["history", "--exit-code", "--format", "json"]);
    assert_eq!(whole.code, Some(0), "{}{}", whole.stdout, whole.stderr);
    let document: serde_json::Value = serde_json::from_str(&whole.stdout).unwrap();
    assert_eq!(document["deployments"].as_array().unwrap().len(), 12);
    assert_eq!(document["linked"], true);

    // A second recording of the same adds nothing.
    let again = run(
        &origin.folder.path().join("clone-0"),
        &["receipts", "record", "left"],
    );
    assert!(
        again.stderr.contains("recorded already"),
        "{}",
        again.stderr
    );
    let none = run(&clone, &["receipts", "record", "nowhere"]);
    assert_eq!(none.code, Some(0), "{}", none.stderr);

    let at = run(
        &clone,
        &[
            "history",
            "--at",
            "2026-11-12",
            "--stage",
            "dev",
            "--entity",
            "shared",
        ],
    );
    assert_eq!(
        at.stdout
            .lines()
            .filter(|line| line.contains("app shared"))
            .count(),
        1
    );
    assert!(
        at.stdout.contains("2222222") && at.stdout.contains("carol (GitHub environment DEV)"),
        "{}",
        at.stdout
    );

    let audit = ["history", "--audit", "2026-11-11..2026-11-13", "--format"];
    let csv = run(&clone, &[&audit[..], &["csv"]].concat());
    assert_eq!(
        csv.stdout
            .lines()
            .filter(|line| line.starts_with("2026-11-1"))
            .count(),
        6
    );
    assert!(csv.stdout.contains(",'=Ann,"), "{}", csv.stdout);
    assert!(csv.stdout.contains("not asked"), "{}", csv.stdout);
    let html = run(&clone, &[&audit[..], &["html"]].concat());
    assert!(
        html.stdout
            .contains("<title>Who approved what, 2026-11-11..2026-11-13 (UTC)")
    );

    // Somebody rewrites one receipt, and takes another one away.
    let note = git(
        &clone,
        &["notes", "--ref", "deployments", "show", &"2".repeat(40)],
    );
    let forged = note.replace("carol", "mallory");
    for (key, value) in [("user.name", "m"), ("user.email", "m@example.com")] {
        git(&clone, &["config", key, value]);
    }
    git(
        &clone,
        &[
            "notes",
            "--ref",
            "deployments",
            "add",
            "-f",
            "-m",
            &forged,
            &"2".repeat(40),
        ],
    );
    git(
        &clone,
        &["notes", "--ref", "deployments", "remove", &"3".repeat(40)],
    );
    let broken = run(&clone, &["history", "--offline", "--exit-code"]);
    assert_eq!(broken.code, Some(8), "{}", broken.stderr);
    assert!(
        broken
            .stderr
            .contains("altered: app `shared` in `dev` at 2222222"),
        "{}",
        broken.stderr
    );
    // What was pushed is as it was.
    let last = origin
        .lines()
        .iter()
        .filter(|line| line.contains("\"3333333"))
        .count();
    assert_eq!(last, 1);
}

#[test]
fn what_is_not_as_a_step_left_it_is_not_recorded_and_a_time_that_is_none_is_refused() {
    let origin = Origin::new();
    let clone = origin.clone("clone");
    leave(
        &clone.join("left"),
        &[receipt("dev", "x", 'a', "2026-11-12T08:00:00Z")],
    );
    let file = clone.join("left/dev.app.x.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("carol", "mallory")).unwrap();
    let refused = run(&clone, &["receipts", "record", "left"]);
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("nothing was recorded: altered"),
        "{}",
        refused.stderr
    );
    let shown = run(&clone, &["history", "--receipts", "left", "--exit-code"]);
    assert_eq!(shown.code, Some(8), "{}", shown.stderr);
    let wrong = run(&clone, &["history", "--at", "yesterday"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
    assert!(
        wrong.stderr.contains("`yesterday` is no time"),
        "{}",
        wrong.stderr
    );
}
