//! The bill of materials of a release: its commands are run here, and the library of the CycloneDX project, which has
//! no part in writing it, reads the result.
//!
//! The test runs if `BILL_TEST` is set: the tool is compiled, and the library comes from PyPI the first time.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use domino_pipeline::pipelines;
use serde_json::Value;

use super::release::commands;

/// The library, with what validates against the schemas.
const LIBRARY: &str = "cyclonedx-python-lib[json-validation]==11.12.0";

/// Validates each bill strictly, and tells what it holds: the program, and each part with its version.
const READ: &str = r#"
import json, sys
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

told = {}
for name in sys.argv[1:]:
    text = open(name).read()
    bill = json.loads(text)
    problem = JsonStrictValidator(SchemaVersion.from_version(bill["specVersion"])).validate_str(text)
    if problem is not None:
        sys.exit(f"{name}: {problem}")
    read = Bom.from_json(bill)
    parts = [f"{part.name} {part.version}" for part in read.components]
    told[read.metadata.component.name] = {"parts": parts, "depends": len(read.dependencies)}
json.dump(told, sys.stdout)
"#;

fn run(command: &mut Command) -> String {
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Everything that cargo reads of the workspace, in another folder: the bills are written beside the manifests.
fn copy_of_the_workspace() -> tempfile::TempDir {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = tempfile::tempdir().unwrap();
    let parts = ["Cargo.toml", "Cargo.lock", "crates", "xtask", "tests"];
    let mut copy = Command::new("cp");
    copy.arg("-r").args(parts).arg(folder.path());
    run(copy.current_dir(top));
    folder
}

fn tools() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("bill-of-materials")
}

fn python() -> PathBuf {
    let folder = tools().join("python");
    let python = folder.join("bin/python");
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    }
    let install = "-m pip install --quiet --disable-pip-version-check --only-binary :all:";
    run(Command::new(&python).args(install.split(' ')).arg(LIBRARY));
    python
}

/// `name version` of each crate that Cargo.lock knows.
fn locked() -> Vec<String> {
    let lock = include_str!("../../Cargo.lock");
    let value = |line: &str, key| {
        let text: &str = line.strip_prefix(key)?;
        Some(text.trim_matches('"').to_owned())
    };
    let lines: Vec<&str> = lock.lines().collect();
    let pairs = lines.windows(2).filter_map(|pair| {
        let (name, version) = (value(pair[0], "name = ")?, value(pair[1], "version = ")?);
        Some(format!("{name} {version}"))
    });
    pairs.collect()
}

#[test]
fn the_bill_of_materials_is_read_back_by_a_library_that_did_not_write_it() {
    if std::env::var("BILL_TEST").is_err() {
        eprintln!("the bill of materials was not read back: BILL_TEST is not set");
        return;
    }
    let folder = copy_of_the_workspace();
    let release = pipelines::release().text().unwrap();
    let path = std::env::var("PATH").unwrap();
    for command in commands(&release, "bill-of-materials") {
        let mut shell = Command::new("bash");
        shell.args(["--noprofile", "--norc", "-euo", "pipefail", "-c", &command]);
        shell
            .env("CARGO_INSTALL_ROOT", tools())
            .env("PATH", format!("{}/bin:{path}", tools().display()));
        run(shell.current_dir(folder.path()));
    }
    let bills: Vec<PathBuf> = std::fs::read_dir(folder.path().join("bill"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".cdx.json"))
        .collect();
    let told = run(Command::new(python()).args(["-c", READ]).args(&bills));
    let told: Value = serde_json::from_str(&told).unwrap();
    let locked = locked();
    let programs = [
        "deploy-app",
        "deploy-job",
        "deploy-model",
        "domino-pipeline",
        "promote-stage",
    ];
    assert_eq!(told.as_object().unwrap().len(), programs.len(), "{told:#}");
    for program in programs {
        let parts = told[program]["parts"].as_array().unwrap();
        let holds = |name: &str| {
            parts
                .iter()
                .any(|part| part.as_str().unwrap().starts_with(name))
        };
        for name in ["domino-core ", "rustls ", "reqwest ", "serde_json "] {
            assert!(holds(name), "{program} without {name}: {parts:?}");
        }
        for part in parts {
            let part = part.as_str().unwrap().to_owned();
            assert!(locked.contains(&part), "{program}: {part} is not locked");
        }
        assert!(told[program]["depends"].as_u64().unwrap() > 50, "{told:#}");
    }
}
