//! What is in the repository besides code: nothing real, nothing secret, nothing that a tool left behind, and
//! everything that a person who takes it over needs.
//!
//! Only files that git knows are checked.

use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file of the repository, by its path.
fn paths() -> Vec<String> {
    let output = Command::new("git")
        .current_dir(top())
        .args(["ls-files", "-z"])
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let paths: Vec<String> = text
        .split_terminator('\0')
        .filter(|path| top().join(path).is_file())
        .map(str::to_owned)
        .collect();
    assert!(paths.len() > 100, "{}", paths.len());
    paths
}

/// Every file that is text, with its text.
fn texts() -> Vec<(String, String)> {
    let read = |path: String| {
        Some((
            path.clone(),
            std::fs::read_to_string(top().join(path)).ok()?,
        ))
    };
    paths().into_iter().filter_map(read).collect()
}

/// What a pattern finds, with where.
fn found(pattern: &str) -> Vec<(String, String)> {
    let pattern = Regex::new(pattern).unwrap();
    let mut found = Vec::new();
    for (path, text) in texts() {
        for hit in pattern.captures_iter(&text) {
            let what = hit.get(1).or(hit.get(0)).unwrap().as_str().to_owned();
            found.push((path.clone(), what));
        }
    }
    found
}

#[test]
fn nobody_real_is_named() {
    let reserved = |host: &str| {
        let host = host.to_ascii_lowercase();
        ["example", "test", "invalid", "localhost"]
            .iter()
            .any(|end| host == *end || host.ends_with(&format!(".{end}")))
            || ["example.com", "example.org", "example.net"]
                .iter()
                .any(|end| host == *end || host.ends_with(&format!(".{end}")))
    };
    let addresses = found(r"[A-Za-z0-9._%+-]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})");
    assert!(!addresses.is_empty());
    for (path, host) in addresses {
        // How git and GitHub spell their own addresses, and the end of a script's name.
        let known = ["github.com", "users.noreply.github.com", "v3.sh"];
        assert!(
            reserved(&host) || known.contains(&host.as_str()),
            "an address at `{host}` in {path}"
        );
    }
    for (path, host) in
        found(r"(?i)https?://(?:[^/\s@]*@)?([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,})")
    {
        let public = [
            "github.com",
            "api.github.com",
            "docs.github.com",
            "json-schema.org",
            "www.apache.org",
            // The name of SVG's elements, which no picture can do without.
            "www.w3.org",
        ];
        assert!(
            reserved(&host) || public.contains(&host.as_str()),
            "`{host}` in {path}"
        );
    }
}

#[test]
fn no_secret_is_kept_here() {
    let secrets = [
        r"gh[pousr]_[A-Za-z0-9]{36}",
        r"github_pat_[A-Za-z0-9_]{60}",
        r"AKIA[0-9A-Z]{16}",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}",
        r"eyJ[A-Za-z0-9_-]{30,}\.eyJ[A-Za-z0-9_-]{30,}\.",
    ];
    let mut found = found(&secrets.join("|"));
    // What counts upwards is there to be refused, and opens nothing.
    found.retain(|(_, secret)| !secret.contains("0123456789abcdef"));
    assert_eq!(found, []);
}

#[test]
fn no_tool_left_anything_behind() {
    let left = Regex::new(
        r"(^|/)(\.ipynb_checkpoints|__pycache__|target|node_modules|\.venv|\.DS_Store|\.env)(/|$)|\.(pyc|orig|rej|swp|log|pem|key|snap\.new|pending-snap)$",
    )
    .unwrap();
    let left: Vec<String> = paths()
        .into_iter()
        .filter(|path| left.is_match(path))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn the_license_is_the_one_that_every_crate_names() {
    let license = std::fs::read_to_string(top().join("LICENSE")).unwrap();
    assert!(license.contains("Apache License") && license.contains("Version 2.0"));
    let workspace = std::fs::read_to_string(top().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("license = \"Apache-2.0\""));
    for path in paths().iter().filter(|path| path.ends_with("/Cargo.toml")) {
        let manifest = std::fs::read_to_string(top().join(path)).unwrap();
        assert!(manifest.contains("license.workspace = true"), "{path}");
    }
}

#[test]
fn every_link_of_a_page_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let mut links = 0;
    for (path, text) in texts().iter().filter(|(path, _)| path.ends_with(".md")) {
        let folder = top().join(path).parent().unwrap().to_owned();
        for target in link.captures_iter(text).map(|hit| hit[1].to_owned()) {
            let file = target.split('#').next().unwrap_or_default();
            if target.contains("://") || file.is_empty() {
                continue;
            }
            links += 1;
            assert!(folder.join(file).exists(), "{path}: {target}");
        }
    }
    assert!(links > 2, "{links}");
}
