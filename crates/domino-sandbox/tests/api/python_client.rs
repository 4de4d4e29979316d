//! Domino's official Python client against the sandbox: what people's scripts do must work as it does with Domino.
//!
//! It runs when `CLIENT_TEST` is set, since the client comes from PyPI, and says so when it does not.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use domino_sandbox::{HardwareTierSeed, Seed};

use crate::world::World;

/// The last release that sends a key as Basic, and one that sends a header.
const VERSIONS: [&str; 2] = ["1.4.8", "2.2.0"];

#[test]
fn the_official_client_does_its_work() {
    if std::env::var_os("CLIENT_TEST").is_none_or(|value| value.is_empty()) {
        let mut stderr = std::io::stderr();
        let _ = writeln!(
            stderr,
            "NOT RUN: Domino's Python client; set CLIENT_TEST for that"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python_client.py");
    for version in VERSIONS {
        let world = World::seeded(
            Seed::default()
                .project("wine-team/wine")
                .hardware_tier(HardwareTierSeed::new("large-k8s", "Large")),
        );
        world.is_beyond_the_specs("some of what it asks for is older than any spec");
        let place = folder.path().join(version);
        succeeds(Command::new("python3").args(["-m", "venv"]).arg(&place));
        succeeds(
            Command::new(place.join("bin/pip"))
                .args(["install", "--quiet", "--disable-pip-version-check"])
                .arg(format!("dominodatalab=={version}")),
        );
        // The key is one of this sandbox alone.
        let said = succeeds(
            Command::new(place.join("bin/python"))
                .arg(&script)
                .arg(world.sandbox.url())
                .arg(world.author().api_key)
                .env_remove("DOMINO_API_PROXY"),
        );
        assert!(said.ends_with("failed: 0\n"), "{version}: {said}");
    }
}

/// What the command prints; its output where it fails.
#[track_caller]
fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}{stderr}");
    stdout
}
