//! The README's "Make it yours", followed literally in a repository of its own, except the push; and its rehearsal
//! through every stage.
//!
//! The commands are read from the README, so that they cannot differ from what is tested. `cargo` is a stand-in: it
//! runs the `domino-pipeline` of this build, and uses links to its debug programs, because compiling the workspace
//! again would take minutes and prove nothing new, and packing debug programs takes long as well.

#[path = "getting_started/beyond_defaults.rs"]
mod beyond_defaults;
mod built;
#[path = "getting_started/by_hand.rs"]
mod by_hand;
#[path = "getting_started/from_empty.rs"]
mod from_empty;
#[path = "getting_started/inside.rs"]
mod inside;
#[path = "getting_started/one_push.rs"]
mod one_push;
#[path = "getting_started/real_client.rs"]
mod real_client;
mod terminal;
#[path = "getting_started/thirty.rs"]
mod thirty;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use domino_sandbox::{Account, Options, Sandbox, Seed};
use tempfile::TempDir;

const TOKEN: &str = "canary-token-getting-started";

fn top() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    top.canonicalize().unwrap()
}

/// The commands of the section: the lines that Markdown shows as code.
fn commands() -> Vec<String> {
    let readme = fs::read_to_string(top().join("README.md")).unwrap();
    let (_, section) = readme.split_once("\n## Make it yours").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    section
        .lines()
        .filter_map(|line| {
            // Seven blanks within a list, four outside of one; what is a paragraph or a table has at most three.
            let command = line.strip_prefix("    ")?.trim_start();
            (!command.is_empty()).then(|| command.to_owned())
        })
        .collect()
}

/// A repository that somebody made of this one, and the Domino it is for.
struct Scratch {
    folder: TempDir,
    sandbox: Option<Sandbox>,
}

impl Scratch {
    /// A copy of what git knows here, committed.
    fn new() -> Self {
        Self::copy_of("")
    }

    /// A copy of what git knows below a folder here, committed.
    fn copy_of(from: &str) -> Self {
        let from = top().join(from);
        let folder = tempfile::tempdir().unwrap();
        let listed = Command::new("git")
            .args(["ls-files", "-z"])
            .current_dir(&from)
            .output()
            .unwrap();
        for path in String::from_utf8(listed.stdout)
            .unwrap()
            .split_terminator('\0')
        {
            let to = folder.path().join("repository").join(path);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            // A file that is about to be removed here is listed and not there.
            if from.join(path).is_file() {
                fs::copy(from.join(path), to).unwrap();
            }
        }
        let scratch = Self {
            folder,
            sandbox: None,
        };
        scratch.stand_in_for_cargo();
        for command in [
            "git init --quiet --initial-branch main",
            "git add --all",
            "git commit --quiet --message Template",
        ] {
            let output = scratch.bash(command, &[]);
            assert!(output.status.success(), "{command}: {output:?}");
        }
        scratch
    }

    fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    fn stand_in_for_cargo(&self) {
        let script = format!(
            r#"#!/usr/bin/env bash
set -euo pipefail
verb="$1"; shift
case "$verb" in
    xtask) DOMINO_PIPELINE_ROOT='{repository}' exec '{pipeline}' "$@" ;;
    build)
        out="$PWD/${{CARGO_TARGET_DIR:-target}}/release"
        case "${{CARGO_TARGET_DIR:-}}" in /*) out="$CARGO_TARGET_DIR/release" ;; esac
        mkdir -p "$out"
        while [ $# -gt 0 ]; do
            [ "$1" != --package ] || ln -sf "{built}/$2" "$out/"
            shift
        done ;;
    run)
        [ "$1" = --package ] && [ "$3" = -- ]
        program="$2"; shift 3
        exec "{built}/$program" "$@" ;;
    *) echo "cargo $verb is not expected here" >&2; exit 1 ;;
esac
"#,
            repository = self.repository().display(),
            pipeline = env!("CARGO_BIN_EXE_domino-pipeline"),
            built = built::folder().display(),
        );
        let bin = self.folder.path().join("bin");
        fs::create_dir_all(&bin).unwrap();
        for (name, script) in [
            ("cargo", script),
            // The programs are on the path of whoever has installed them.
            (
                "domino-pipeline",
                "#!/usr/bin/env bash\nexec cargo xtask \"$@\"\n".to_owned(),
            ),
            (
                "deploy-job",
                "#!/usr/bin/env bash\nexec cargo run --package deploy-job -- \"$@\"\n".to_owned(),
            ),
        ] {
            let path = bin.join(name);
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    /// Runs a command as a person would in the repository.
    fn bash(&self, command: &str, variables: &[(String, String)]) -> Output {
        let mut bash = self.command(command);
        bash.envs(variables.iter().cloned()).output().unwrap()
    }

    fn command(&self, command: &str) -> Command {
        let bin = self.folder.path().join("bin");
        let path = std::env::var("PATH").unwrap();
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", command])
            .current_dir(self.repository())
            .stdin(Stdio::null())
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("DOMINO_PACE", "0.1");
        for name in ["AUTHOR", "COMMITTER"] {
            bash.env(format!("GIT_{name}_NAME"), "Ann")
                .env(format!("GIT_{name}_EMAIL"), "ann@example.com");
        }
        for name in [
            "DOMINO_TOKEN",
            "DOMINO_USER_API_KEY",
            "DOMINO_API_HOST",
            "GITHUB_TOKEN",
            "GH_TOKEN",
            "GITHUB_ACTIONS",
        ] {
            bash.env_remove(name);
        }
        bash
    }

    /// Generates the workflows of what was changed, and commits all of it.
    fn generate_and_commit(&self, message: &str) {
        let commit = format!(
            "cargo xtask gen-workflows && git add --all && git commit --quiet --message '{message}'"
        );
        let done = self.bash(&commit, &[]);
        assert!(done.status.success(), "{done:?}");
    }

    /// What the first step says to do with an editor: the own project and tiers.
    fn edit_stages(&mut self) {
        let path = self.repository().join("stages.toml");
        let text = fs::read_to_string(&path).unwrap();
        let edited = text
            .replace("wine-team/wine-quality", "own-team/own-project")
            .replace("dev-small", "own-small");
        assert_ne!(text, edited);
        fs::write(&path, edited).unwrap();
        let account = Account {
            user_name: "ci-bot".into(),
            api_key: "canary-key-getting-started".into(),
            token: TOKEN.into(),
        };
        let sandbox = Sandbox::start(Options {
            repository: self.repository(),
            seed: Seed::from_stage_file(&path).unwrap(),
            credentials: vec![account],
            ..Options::default()
        });
        self.sandbox = Some(sandbox.unwrap());
    }

    /// The value that a person has for a variable that the README leaves open.
    fn value(&self, name: &str) -> String {
        match name {
            "DOMINO_TOKEN" => TOKEN.to_owned(),
            other => panic!("the README sets `{other}`, and this test does not know to what"),
        }
    }
}

#[test]
fn the_readme_followed_literally_ends_with_a_commit_that_can_be_pushed() {
    let mut scratch = Scratch::new();
    scratch.edit_stages();
    let host = scratch.sandbox.as_ref().unwrap().url().to_owned();
    let mut variables = Vec::new();
    let mut done = Vec::new();
    for command in commands() {
        if command.starts_with("git push") {
            // Nothing is pushed, but from here on the repository has a place on GitHub.
            scratch.bash(
                "git remote add origin https://github.com/example-org/own",
                &[],
            );
            continue;
        }
        if let Some(set) = command.strip_prefix("export ") {
            let (name, open) = set.split_once('=').unwrap();
            assert_eq!(open, "…", "{command}");
            variables.push((name.to_owned(), scratch.value(name)));
            // The doctor visits the deployment of the stage file, which here is the sandbox.
            variables.push(("DOMINO_API_HOST".to_owned(), host.clone()));
            continue;
        }
        let ours = ["domino-pipeline ", "deploy-job ", "git "];
        assert!(
            ours.iter().any(|program| command.starts_with(program)),
            "{command}"
        );
        let output = scratch.bash(&command, &variables);
        let said = format!(
            "$ {command}\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(
            !said.contains("canary"),
            "a secret was shown by `{command}`"
        );
        assert!(output.status.success(), "{said}");
        if command.starts_with("domino-pipeline doctor") {
            // On a deployment where nothing was trained yet, that is said, and is no fault.
            assert!(
                said.contains("-- registered model `wine-quality`"),
                "{said}"
            );
            assert!(!said.contains("!! "), "{said}");
        }
        done.push(command);
    }
    for expected in ["gen-workflows", "rehearse", "doctor", "git commit"] {
        assert!(
            done.iter().any(|command| command.contains(expected)),
            "{expected}: {done:?}"
        );
    }
    let left = scratch.bash("git status --porcelain", &[]);
    assert_eq!(
        String::from_utf8_lossy(&left.stdout),
        "",
        "everything is committed"
    );
    let check = scratch.bash("cargo xtask gen-workflows --check", &[]);
    assert!(check.status.success(), "{check:?}");
    let readme = fs::read_to_string(scratch.repository().join("README.md")).unwrap();
    assert!(
        readme.contains("tier own-small"),
        "the picture is of the own stages"
    );
}

/// A rehearsal that keeps its sandbox. It ends with the test.
struct Kept {
    rehearsal: Child,
    said: String,
    url: String,
}

impl Kept {
    fn rehearse(scratch: &Scratch, only: &str) -> Self {
        let mut rehearsal = scratch
            .command(&format!(
                "exec cargo xtask rehearse --approve all --keep {only}"
            ))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut said, mut url) = (String::new(), None);
        for line in BufReader::new(rehearsal.stdout.as_mut().unwrap()).lines() {
            let line = line.unwrap();
            said += &format!("{line}\n");
            let kept = line.strip_prefix("the sandbox stays up at ");
            if let Some(told) = kept.and_then(|rest| rest.split(' ').next()) {
                url = Some(told.to_owned());
            }
            // Its last line comes after those that export what opens the sandbox.
            if let Some(url) = url.take_if(|_| line.starts_with("run it again")) {
                return Self {
                    rehearsal,
                    said,
                    url,
                };
            }
        }
        let _ = rehearsal.wait();
        panic!("no sandbox was kept:\n{said}");
    }

    /// A page of the sandbox.
    fn page(&self, path: &str) -> String {
        self.answer(path, "")
    }

    /// What the sandbox answers to a request with this line among its headers.
    fn answer(&self, path: &str, header: &str) -> String {
        let address = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let lines = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n{header}\r\n");
        stream.write_all(lines.as_bytes()).unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    }

    /// The registered versions, row by row: model, version, stage, aliases, trained by.
    fn models(&self) -> Vec<Vec<String>> {
        cells(&self.page("/"), "<table id=\"models\">")
    }

    /// The jobs of the only project, row by row: title, status, commit, hardware tier, who started it.
    fn jobs(&self) -> Vec<Vec<String>> {
        let board = self.page("/");
        let (_, link) = board.split_once("<li><a href=\"").unwrap();
        cells(&self.page(link.split('"').next().unwrap()), "<table>")
    }

    /// The endpoints by name: what each answers with, its status, its data plane.
    fn endpoints(&self) -> Vec<[String; 4]> {
        let board = self.page("/");
        let mut endpoints = Vec::new();
        for column in board.split("<section class=\"column\"><h2>").skip(1) {
            let plane = column.split('<').next().unwrap();
            for card in column.split("<article ").skip(1) {
                if card.contains("<small>endpoint</small>") {
                    let after = |start: &str, end: &str| {
                        let (_, rest) = card.split_once(start).unwrap();
                        without_tags(rest.split_once(end).unwrap().0)
                    };
                    endpoints.push([
                        after("<h3>", " <small>"),
                        after("<dt>answers</dt>", "</div>"),
                        after("<p class=\"badge\">", "</p>"),
                        plane.to_owned(),
                    ]);
                }
            }
        }
        endpoints.sort();
        endpoints
    }

    /// What each endpoint answers with, by name.
    fn answers(&self) -> Vec<[String; 2]> {
        let endpoints = self.endpoints().into_iter();
        endpoints.map(|[name, answer, ..]| [name, answer]).collect()
    }

    /// Whether a step of the table at the end succeeded.
    fn succeeded(&self, workflow: &str, job: &str, step: &str) -> bool {
        self.said.lines().any(|line| {
            let mut parts = line
                .split("  ")
                .map(str::trim)
                .filter(|part| !part.is_empty());
            parts.next() == Some(workflow)
                && parts.next() == Some(job)
                && parts.next() == Some(step)
                && parts.next() == Some("✓ success")
        })
    }

    fn end(self) {
        self.end_with(0);
    }

    fn end_with(mut self, code: i32) {
        let id = self.rehearsal.id().to_string();
        let status = Command::new("kill").args(["-INT", &id]).status();
        assert!(status.unwrap().success());
        let ended = self.rehearsal.wait().unwrap();
        assert_eq!(ended.code(), Some(code), "{}", self.said);
    }
}

/// The cells of the table that begins with this, row by row, without the one of headings.
fn cells(page: &str, start: &str) -> Vec<Vec<String>> {
    let (_, table) = page.split_once(start).unwrap();
    let (table, _) = table.split_once("</table>").unwrap();
    let rows = table.split("<tr>").skip(2);
    rows.map(|row| row.split("</td>").map(without_tags).collect())
        .collect()
}

fn without_tags(markup: &str) -> String {
    let tag = regex::Regex::new("<[^>]*>").unwrap();
    tag.replace_all(markup, "").trim().to_owned()
}

impl Drop for Kept {
    fn drop(&mut self) {
        // All of it fails where it has ended already, which is how it should be. Otherwise the test failed, and an
        // interrupt ends what the sandbox runs as well.
        let id = self.rehearsal.id().to_string();
        if let Ok(None) = self.rehearsal.try_wait() {
            let _ = Command::new("kill").args(["-INT", &id]).status();
            let _ = self.rehearsal.wait();
        }
    }
}

fn keep_receipts_as_notes(scratch: &Scratch) {
    let path = scratch.repository().join("stages.toml");
    let stages = fs::read_to_string(&path).unwrap();
    let pipeline = "[pipeline]\n";
    assert!(stages.contains(pipeline));
    let notes = format!("{pipeline}receipts = \"notes\"\n");
    fs::write(&path, stages.replace(pipeline, &notes)).unwrap();
    scratch.generate_and_commit("Keep receipts");
}

#[test]
fn without_stop_after_jobs_apps_and_models_go_through_every_stage() {
    let scratch = Scratch::new();
    keep_receipts_as_notes(&scratch);
    let kept = Kept::rehearse(&scratch, "");
    // They arrive in the rehearsed repository on GitHub, and not in the one of the person.
    let receipts = "receipts: 12 as git notes in refs/notes/deployments; their chain is whole";
    assert!(kept.said.contains(receipts), "{}", kept.said);
    let notes = scratch.bash("git for-each-ref refs/notes", &[]);
    assert_eq!(String::from_utf8_lossy(&notes.stdout), "");
    for stage in ["dev", "staging", "prod"] {
        for (workflow, step) in [
            ("deploy-jobs", "Schedule job score"),
            ("deploy-apps", "Publish app dashboard"),
            ("deploy-models", "Publish model wine-quality"),
        ] {
            let job = format!("deploy-{stage}");
            assert!(
                kept.succeeded(workflow, &job, step),
                "{workflow} {job} {step}\n{}",
                kept.said
            );
        }
    }
    for (stage, trains) in [("dev", true), ("staging", false), ("prod", false)] {
        let job = format!("deploy-{stage}");
        let trained = kept.succeeded("deploy-models", &job, "Start job train");
        assert_eq!(trained, trains, "{stage}\n{}", kept.said);
    }
    // One version went the whole way, was moved twice, and is what every endpoint answers with.
    let models = kept.models();
    let mut live = models.iter().filter(|row| row[2] == "Production");
    let version = match (live.next(), live.next()) {
        (Some(row), None) => format!("{} version {}", row[0], row[1]),
        _ => panic!("not one version in Production: {models:?}"),
    };
    let answers = format!("version 1: {version}");
    let expected = [
        ["wine-quality", "prod-plane"],
        ["wine-quality-dev", "dev-plane"],
        ["wine-quality-staging", "staging-plane"],
    ]
    .map(|[name, plane]| [name, &answers, "Running", plane].map(str::to_owned));
    assert_eq!(kept.endpoints(), expected);
    kept.end();
}

#[test]
fn a_yes_to_every_question_ends_green() {
    let scratch = Scratch::new();
    let command = "exec cargo xtask rehearse --only deploy-jobs --only deploy-models";
    let command = scratch.command(command);
    // The workflows go on side by side, so which stage of which asks first is open. A question that gives way to what
    // another job says is shown again below it.
    let answers = [("? [y/n] ", "y"); 100];
    let (code, shown) = terminal::run(&command, 120, &answers);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("first in Domino, then on GitHub"), "{shown}");
    for (workflow, stage) in ["jobs", "models"]
        .into_iter()
        .flat_map(|name| [(name, "staging"), (name, "prod")])
    {
        let holds = format!("this holds up deploy-{workflow}/deploy-{stage}, and after it ");
        assert!(shown.contains(&holds), "{holds}: {shown}");
    }
    for stage in ["STAGE", "PROD"] {
        let question =
            format!("on GitHub, as wine-reviewers: approve the deployment to {stage}? [y/n] ");
        assert!(shown.contains(&question), "{shown}");
    }
    assert!(
        shown.contains("in Domino, as approver: approve it? [y/n] "),
        "{shown}"
    );
}
