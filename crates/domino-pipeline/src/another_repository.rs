//! What a repository without a line of Rust needs besides its workflows: a stage file to begin with, the schema that
//! completes it, and a file that keeps the pinned actions fresh.
//!
//! The stage file and Dependabot's are the team's own from the moment they are there.

use std::fs;
use std::path::Path;

use stage_file::StageFile;

use crate::error::{Context as _, Result, VerbError};
use crate::repository;

/// Dependabot's file, from the top of the repository.
pub const DEPENDABOT: &str = ".github/dependabot.yml";

/// What stands in it when there is none. It touches generated files only, so that a pull request of its own shows
/// that a newer release of the programs is due.
pub const DEPENDABOT_TEXT: &str = "\
# Says when an action of the generated workflows has a newer version. A newer release of the programs brings it:
# change `release` in stages.toml, run `cargo xtask gen-workflows --out` in the programs' repository, and push.
version: 2
updates:
  - package-ecosystem: github-actions
    directory: /
    schedule:
      interval: weekly
    cooldown:
      default-days: 7
    groups:
      actions:
        patterns: [\"*\"]
";

/// Writes a stage file for a repository that has none: ours, with the programs from a release of ours.
///
/// # Errors
/// When it is not known which repository releases the programs, or the file cannot be written.
pub fn begin(out: &Path, release_repository: Option<&str>) -> Result<()> {
    let root = repository::root();
    let repository = match release_repository {
        Some(repository) => repository.to_owned(),
        None => repository::origin(&root).ok_or_else(|| {
            VerbError::usage("which GitHub repository releases the programs is not known")
                .hint("name it with `--release-repository OWNER/NAME`")
        })?,
    };
    let ours = root.join("stages.toml");
    let text = fs::read_to_string(&ours).context(|| format!("cannot read `{}`", ours.display()))?;
    let release = concat!("v", env!("CARGO_PKG_VERSION"));
    let text = with_release(&text, release, &repository);
    let path = out.join("stages.toml");
    StageFile::read(&text, &path)?;
    fs::create_dir_all(out).context(|| format!("cannot create `{}`", out.display()))?;
    fs::write(&path, text).context(|| format!("cannot write `{}`", path.display()))?;
    eprintln!("wrote stages.toml, to be made yours: host, project, hardware tiers, entities");
    Ok(())
}

/// A stage file whose programs come from a release.
fn with_release(text: &str, release: &str, repository: &str) -> String {
    let install = format!(
        "install = \"release\"           # where the programs come from\nrelease = \"{release}\"\n\
         release-repository = \"{repository}\"\n"
    );
    let is_old = |line: &str| {
        let key = line.split('=').next().unwrap_or_default().trim();
        ["install", "release", "release-repository"].contains(&key)
    };
    let kept: String = text
        .split_inclusive('\n')
        .filter(|line| !is_old(line))
        .collect();
    match kept.split_once("[pipeline]\n") {
        Some((before, after)) => format!("{before}[pipeline]\n{install}{after}"),
        None => format!("{kept}\n[pipeline]\n{install}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_come_from_the_release_whatever_stood_there() {
        let text = "[pipeline]\nbranch = \"main\"\ninstall = \"build\"   # here\n\n[stage.dev]\n";
        assert_eq!(
            with_release(text, "v1.0.0", "a/b"),
            "[pipeline]\ninstall = \"release\"           # where the programs come from\nrelease = \"v1.0.0\"\n\
             release-repository = \"a/b\"\nbranch = \"main\"\n\n[stage.dev]\n"
        );
        assert!(
            with_release("[stage.dev]\n", "v1.0.0", "a/b")
                .ends_with("release-repository = \"a/b\"\n")
        );
    }
}
