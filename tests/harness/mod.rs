//! A repository, a sandbox and one of our programs: what a user sees, and what Domino received.
//!
//! Every program gets every credential. Whatever it prints, writes for GitHub or puts into addresses is searched for
//! them, and so are the arguments of the processes that it starts first: no test can pass while a credential leaks
//! there.
#![allow(dead_code, reason = "each program's test uses the part it needs")]

mod contract;
pub mod github;
pub mod http;
mod masks;
pub mod matrix;
mod repository;
pub mod rounds;
mod secrets;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use domino_sandbox::{Account, AppsV1, MlflowContext, Options, Sandbox, Seed};
use tempfile::TempDir;

pub use secrets::{KEY, MODEL_TOKEN, TOKEN};

/// The smallest stage file that has three stages and a job; `[job.…]` tables of a test are added to it.
pub const STAGES: &str = r#"
[defaults]
host = "domino.example.com"
project = "wine-team/wine"
environment = "Standard"

[stage.dev]
hardware-tier = "dev-small"
data-plane = "dev-plane"
github-environment = "DEV"

[stage.staging]
hardware-tier = "staging-small"
data-plane = "staging-plane"
github-environment = "STAGE"

[stage.prod]
hardware-tier = "prod-small"
data-plane = "prod-plane"
github-environment = "PROD"
"#;

/// A repository with a stage file and scripts, and a sandbox that runs its commits.
pub struct Scene {
    pub sandbox: Sandbox,
    pub commit: String,
    folder: TempDir,
    program: &'static str,
    environment: BTreeMap<String, String>,
}

/// How a scene differs from the usual one.
pub struct Setup<'a> {
    /// The path of the program, `env!("CARGO_BIN_EXE_…")`.
    pub program: &'static str,
    /// The stage file.
    pub stages: &'a str,
    /// Files of the repository by path.
    pub files: &'a [(&'a str, &'a str)],
    /// What the sandbox's version is: `6.3`, or `6.3, apps v1 404` where its Apps v1 is switched off with that answer.
    pub version: &'a str,
    /// What is added to the seed that is made from the stage file.
    pub seed: fn(Seed) -> Seed,
    /// A real MLflow server behind the sandbox.
    pub mlflow: Option<&'a str>,
    /// What its experiment manager demands of callers outside of a run.
    pub mlflow_context: MlflowContext,
    /// A folder of programs that the image of every run has.
    pub programs: Option<&'a Path>,
}

impl Setup<'_> {
    /// The usual scene of a program.
    pub fn of(program: &'static str) -> Self {
        Setup {
            program,
            stages: STAGES,
            files: &[],
            version: "6.3",
            seed: |seed| seed,
            mlflow: None,
            mlflow_context: MlflowContext::None,
            programs: None,
        }
    }

    /// Commits the files and starts the sandbox.
    pub fn scene(self) -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let files = [&[("stages.toml", self.stages)], self.files].concat();
        let commit = repository::begin(folder.path(), &files);
        let seed = (self.seed)(Seed::from_stage_file(&folder.path().join("stages.toml")).unwrap());
        let account = Account {
            user_name: "ci-bot".into(),
            api_key: KEY.into(),
            token: TOKEN.into(),
        };
        let (version, apps_v1) = match self.version.split_once(", apps v1 ") {
            Some((version, answer)) => (version, answer.parse().unwrap()),
            None => (self.version, AppsV1::On),
        };
        let sandbox = Sandbox::start(Options {
            repository: folder.path().to_owned(),
            version: version.parse().unwrap(),
            apps_v1,
            seed,
            credentials: vec![account],
            model_token: Some(MODEL_TOKEN.into()),
            mlflow: self.mlflow.map(str::to_owned),
            mlflow_context: self.mlflow_context,
            programs: self.programs.map(Path::to_owned),
            ..Options::default()
        })
        .unwrap();
        let mut environment: BTreeMap<String, String> = ["PATH", "HOME", "LANG"]
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)))
            .collect();
        environment.insert("DOMINO_API_HOST".into(), sandbox.url().into());
        for (name, value) in secrets::VARIABLES {
            environment.insert((*name).to_owned(), (*value).to_owned());
        }
        environment.insert("DOMINO_PACE".into(), "0.02".into());
        Scene {
            sandbox,
            commit,
            folder,
            program: self.program,
            environment,
        }
    }
}

impl Scene {
    /// The repository's folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Sets a variable of the program's environment.
    pub fn variable(&mut self, name: &str, value: &str) -> &mut Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Takes a variable out of the program's environment.
    pub fn without(&mut self, name: &str) -> &mut Self {
        self.environment.remove(name);
        self
    }

    /// Loads a fault file that ships. These are for rehearsals, whose pauses are not quite as short as in other tests.
    pub fn load_faults(&mut self, file: &str) -> &mut Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../faults");
        self.sandbox.faults().load(&folder.join(file)).unwrap();
        self.variable("DOMINO_PACE", "0.2")
    }

    /// Makes the program a step of a GitHub workflow run, with files for outputs and summary.
    pub fn on_github(&mut self, run: &str) -> &mut Self {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        let (output, summary, commit) = (file(".output"), file(".summary"), self.commit.clone());
        self.variable("GITHUB_ACTIONS", "true")
            .variable("GITHUB_RUN_ID", run)
            .variable("GITHUB_SHA", &commit)
            .variable("GITHUB_OUTPUT", &output)
            .variable("GITHUB_STEP_SUMMARY", &summary)
    }

    /// The step outputs so far, with what differs from run to run masked.
    pub fn outputs(&self) -> String {
        self.masked(&std::fs::read_to_string(self.path().join(".output")).unwrap_or_default())
    }

    /// The ids of the compute environment's revisions: the active one, and another.
    pub fn revisions(&self) -> (String, String) {
        let environment = self.sandbox.state()["environments"][0].clone();
        let id = |which: &str| environment[which]["id"].as_str().unwrap().to_owned();
        (id("selectedRevision"), id("latestRevision"))
    }

    /// One step output.
    pub fn output(&self, name: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.path().join(".output")).ok()?;
        text.lines()
            .rev()
            .find_map(|line| line.strip_prefix(&format!("{name}=")))
            .map(str::to_owned)
    }

    /// The step summary so far, masked.
    pub fn summary(&self) -> String {
        self.masked(&std::fs::read_to_string(self.path().join(".summary")).unwrap_or_default())
    }

    /// Writes a file and commits everything; the scene's commit is the new one.
    pub fn commit_file(&mut self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
        self.commit = repository::commit(self.path());
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.start(arguments).end()
    }

    /// The program with its streams as the shell's `redirection` says: its exit code and what stayed of stdout.
    pub fn run_in_shell(&self, redirection: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let output = Command::new("/bin/sh")
            .args([
                "-c",
                &format!("exec \"$0\" \"$@\" {redirection}"),
                self.program,
            ])
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .envs(self.stage_variable(arguments))
            .envs(&self.environment)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), stdout)
    }

    /// On GitHub the environment of each stage says which stage it is, unless a test says otherwise.
    fn stage_variable(&self, arguments: &[&str]) -> Option<(&'static str, String)> {
        self.environment.get("GITHUB_ACTIONS")?;
        let at = arguments
            .iter()
            .position(|argument| ["--stage", "--to"].contains(argument))?;
        Some(("DOMINO_ENV", (*arguments.get(at + 1)?).to_owned()))
    }

    /// Runs another program in the same scene, to its end.
    pub fn run_program(&self, program: &Path, arguments: &[&str]) -> Run {
        self.start_program(program, arguments).end()
    }

    /// The program with its environment, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .envs(&self.environment);
        command
    }

    /// Starts the program.
    pub fn start(&self, arguments: &[&str]) -> Running<'_> {
        self.start_program(Path::new(self.program), arguments)
    }

    fn start_program(&self, program: &Path, arguments: &[&str]) -> Running<'_> {
        let child = Command::new(program)
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .envs(self.stage_variable(arguments))
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Running {
            scene: self,
            watched: secrets::watch_arguments(child.id()),
            child,
            arguments: arguments.join(" "),
        }
    }

    /// Text with ids, times, addresses and commits masked, and without any credential in it.
    pub fn masked(&self, text: &str) -> String {
        // What tells GitHub to hide a credential must name it; nothing else may.
        let text: String = text
            .lines()
            .filter(|line| !line.starts_with("::add-mask::"))
            .flat_map(|line| [line, "\n"])
            .collect();
        secrets::none_in("what was shown", &text);
        let text = text
            .replace(&self.commit, "[commit]")
            .replace(&self.commit[..12], "[short]");
        let text = text.replace(self.sandbox.url(), "http://sandbox");
        let text = text.replace(&self.path().display().to_string(), "[repository]");
        masks::masked(&text)
    }

    /// The requests that Domino received since `from`, as `METHOD /path`.
    pub fn requests_since(&self, from: usize) -> Vec<String> {
        self.sandbox
            .requests()
            .iter()
            .skip(from)
            .map(|request| masks::masked(&format!("{} {}", request.method, request.path)))
            .collect()
    }
}

impl Drop for Scene {
    /// Whatever a test was about, each request of ours and each reply of the sandbox must be as the specs say, and
    /// no credential may be where it can be read.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for file in [".output", ".summary"] {
            if let Ok(text) = std::fs::read_to_string(self.path().join(file)) {
                secrets::none_in(file, &text);
            }
        }
        for request in self.sandbox.requests() {
            let query = request.query.unwrap_or_default();
            secrets::none_in("an address", &format!("{}?{query}", request.path));
        }
        contract::hold(&self.sandbox);
    }
}

/// A program that runs.
pub struct Running<'a> {
    scene: &'a Scene,
    child: Child,
    watched: Option<std::thread::JoinHandle<Vec<String>>>,
    arguments: String,
}

impl Running<'_> {
    /// Sends a signal by its name: `INT` or `TERM`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// The program's id among the processes of this machine.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Gives each line of stdout to `line` as it comes, until the last; none of them is kept.
    pub fn each_line(&mut self, mut line: impl FnMut(&str)) {
        let stdout = self.child.stdout.as_mut().unwrap();
        for text in BufReader::new(stdout).lines() {
            line(&text.unwrap());
        }
    }

    /// Waits for the end.
    pub fn end(mut self) -> Run {
        let mut stderr = self.child.stderr.take().unwrap();
        let reading = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            stderr.read_to_end(&mut bytes).map(|_| bytes)
        });
        let mut stdout = Vec::new();
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_end(&mut stdout)
            .unwrap();
        let stderr = reading.join().unwrap().unwrap();
        let status = self.child.wait().unwrap();
        if let Some(watched) = self.watched {
            let seen = watched.join().unwrap().join("\n");
            secrets::none_in("the arguments of a process", &seen);
        }
        Run {
            exit: status.code().unwrap_or(-1),
            stdout: self.scene.masked(&String::from_utf8(stdout).unwrap()),
            stderr: self.scene.masked(&String::from_utf8(stderr).unwrap()),
            arguments: self.arguments,
        }
    }
}

/// What came of a program, masked.
pub struct Run {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
    arguments: String,
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "$ {}\nexit: {}\n", self.arguments, self.exit)?;
        write!(f, "--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr)
    }
}

impl Run {
    /// Requires an exit code; shows everything when it is another.
    #[track_caller]
    pub fn exits(self, exit: i32) -> Self {
        assert_eq!(self.exit, exit, "{self}");
        self
    }

    /// Fails unless the plan, or what else goes to stdout, says this.
    #[track_caller]
    pub fn plans(self, words: &str) -> Self {
        assert!(
            self.stdout.contains(words),
            "`{words}` is not planned:\n{self}"
        );
        self
    }

    /// Requires a text on stderr.
    #[track_caller]
    pub fn tells(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is not said:\n{self}");
        self
    }
}

/// Waits until something holds, or fails.
#[track_caller]
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
