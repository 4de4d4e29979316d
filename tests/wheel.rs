//! A team without Rust: a wheel is built from the programs of this build, and a repository that contains only Python
//! is taken from the installed wheel to a green rehearsal. Neither cargo nor `gh` is on the path, and nothing is
//! downloaded.
//!
//! The programs are debug builds without their symbols; `cargo xtask wheel` checks whether a published wheel runs on
//! old machines. The test runs if `WHEEL_TEST` is set; otherwise it says that it did not.

mod built;

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What a person waits for at most, on two cores with nothing else to do. Tests share them, and debug builds are slow.
const AT_MOST: Duration = Duration::from_secs(60);

fn top() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    top.canonicalize().unwrap()
}

fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}{err}")
}

/// The wheel, what installs it, and a repository.
struct Team {
    folder: TempDir,
    tools: PathBuf,
    wheel: PathBuf,
}

impl Team {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stripped = folder.path().join("programs");
        fs::create_dir(&stripped).unwrap();
        let programs = built::folder();
        for name in built::PROGRAMS.into_iter().chain(["domino-pipeline"]) {
            let copy = stripped.join(name);
            fs::copy(programs.join(name), &copy).unwrap();
            // Without it the wheel is five times as large, and as good.
            let _ = Command::new("strip").arg(&copy).status();
        }
        let target = programs.parent().unwrap();
        let made = Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--locked", "--package", "xtask", "--"])
            .args(["wheel", "--programs"])
            .arg(&stripped)
            .arg("--out")
            .arg(folder.path().join("wheels"))
            .env("CARGO_TARGET_DIR", target)
            .current_dir(top())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", said(&made));
        let mut wheels = fs::read_dir(folder.path().join("wheels")).unwrap();
        let wheel = wheels.next().unwrap().unwrap().path();
        assert!(wheels.next().is_none());
        fs::create_dir(folder.path().join("repository")).unwrap();
        Self {
            tools: target.join("wheel/tools/bin"),
            folder,
            wheel,
        }
    }

    fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    fn run(&self, program: impl AsRef<Path>, arguments: &[&str]) -> Output {
        let mut command = Command::new(program.as_ref());
        command
            .args(arguments)
            .current_dir(self.repository())
            .stdin(Stdio::null())
            .env_clear()
            .env("PATH", path_without(&["cargo", "gh"]))
            .env("HOME", self.folder.path())
            .env("UV_OFFLINE", "1")
            .env("UV_PYTHON_DOWNLOADS", "never")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        command.output().unwrap()
    }

    /// `domino-pipeline`, as a person without it calls it.
    fn pipeline(&self, arguments: &[&str]) -> Output {
        let wheel = self.wheel.display().to_string();
        let uvx = ["--quiet", "--from", &wheel, "domino-pipeline"];
        self.run(self.tools.join("uvx"), &[&uvx, arguments].concat())
    }

    fn git(&self, arguments: &[&str]) {
        let ann = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"];
        let output = self.run("git", &[&ann, arguments].concat());
        assert!(output.status.success(), "{}", said(&output));
    }

    fn sha256(&self) -> String {
        let hash = "import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], 'rb').read()).hexdigest())";
        let wheel = self.wheel.display().to_string();
        let output = self.run("python3", &["-c", hash, &wheel]);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// The person's path without the folders that hold one of these.
fn path_without(programs: &[&str]) -> OsString {
    let path = std::env::var_os("PATH").unwrap();
    let kept = std::env::split_paths(&path)
        .filter(|folder| !programs.iter().any(|name| folder.join(name).exists()));
    std::env::join_paths(kept).unwrap()
}

#[test]
fn a_repository_of_python_alone_goes_from_the_wheel_to_a_green_rehearsal() {
    if std::env::var_os("WHEEL_TEST").is_none_or(|value| value.is_empty()) {
        let _ = writeln!(
            std::io::stderr(),
            "NOT RUN: the test of the wheel; set WHEEL_TEST to yes for that"
        );
        return;
    }
    let team = Team::new();
    let version = env!("CARGO_PKG_VERSION");
    team.git(&["init", "--quiet", "--initial-branch", "main"]);

    let begun = Instant::now();
    let answer = team.pipeline(&["--version"]);
    assert_eq!(said(&answer), format!("domino-pipeline {version}\n"));
    let begun_with = team.pipeline(&["init", "--sample"]);
    assert!(begun_with.status.success(), "{}", said(&begun_with));
    let stages = fs::read_to_string(team.repository().join("stages.toml")).unwrap();
    let hash = team.sha256();
    assert!(stages.contains(&hash), "{hash} is not in {stages}");
    team.git(&["add", "--all"]);
    team.git(&["commit", "--quiet", "--message", "Begin"]);
    let rehearsed = team.pipeline(&["rehearse", "--approve", "all"]);
    let took = begun.elapsed();
    let told = said(&rehearsed);
    assert!(rehearsed.status.success(), "{told}");
    for line in [
        format!("v{version} is not downloaded: the programs are those of"),
        "deploy-job start train --stage dev".to_owned(),
        "deploy-model publish wine-quality --stage prod".to_owned(),
    ] {
        assert!(told.contains(&line), "{line}: {told}");
    }
    assert!(!told.contains("Compiling"), "{told}");
    println!("from the wheel to a green rehearsal in {took:.1?}");
    assert!(took < AT_MOST, "{took:?}");

    let check = team.pipeline(&["gen-workflows", "--check"]);
    assert!(check.status.success(), "{}", said(&check));
    the_step_that_installs_takes_this_wheel_and_no_other(&team);
}

/// The command of the workflow, with the wheel in the place of an index.
fn the_step_that_installs_takes_this_wheel_and_no_other(team: &Team) {
    let install = domino_pipeline::pipelines::INSTALL;
    let version = env!("CARGO_PKG_VERSION");
    let temp = team.folder.path().join("temp");
    fs::create_dir(&temp).unwrap();
    let bash = |hash: &str| {
        Command::new("bash")
            .args(["-e", "-c", install])
            .current_dir(team.repository())
            .env("RUNNER_TEMP", &temp)
            .env("GITHUB_PATH", temp.join("path"))
            .env("INDEX_URL", "")
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", team.wheel.parent().unwrap())
            .env(
                "WHEEL",
                format!("domino-deploy=={version} --hash=sha256:{hash}"),
            )
            .output()
            .unwrap()
    };
    // What the repository calls like a part of Python is not what is imported.
    for name in ["venv.py", "pip.py", "ensurepip.py"] {
        fs::write(team.repository().join(name), "raise SystemExit(9)\n").unwrap();
    }
    let installed = bash(&team.sha256());
    assert!(installed.status.success(), "{}", said(&installed));
    let folder = fs::read_to_string(temp.join("path")).unwrap();
    for program in built::PROGRAMS.into_iter().chain(["domino-pipeline"]) {
        let answer = Command::new(Path::new(folder.trim()).join(program))
            .arg("--version")
            .output()
            .unwrap();
        assert_eq!(said(&answer), format!("{program} {version}\n"));
    }
    let refused = bash(&"0".repeat(64));
    assert!(!refused.status.success());
    assert!(
        said(&refused).contains("DO NOT MATCH"),
        "{}",
        said(&refused)
    );
}
