//! GitHub's own OpenAPI description, which npm installs if `ACTIONS_LIBRARY` says that npm is available.

use std::path::Path;
use std::process::Command;

use domino_contract::Contract;

const PACKAGE: &str = "@octokit/openapi@23.0.2";

/// The description, or nothing where there is no npm.
pub fn description() -> Option<Contract> {
    std::env::var_os("ACTIONS_LIBRARY").filter(|value| !value.is_empty())?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("github-openapi");
    let file = folder.join("node_modules/@octokit/openapi/generated/api.github.com.json");
    if !file.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("package.json"), r#"{"private": true}"#).unwrap();
        let status = Command::new("npm")
            .args([
                "install",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--save-exact",
                PACKAGE,
            ])
            .current_dir(&folder)
            .status()
            .expect("npm is there");
        assert!(status.success(), "npm install failed");
    }
    Some(Contract::read(&[file]).unwrap())
}
