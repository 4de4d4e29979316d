//! What a repository without any Rust needs besides its workflows: a first stage file, the schema for editors, and a
//! file that keeps the pinned actions up to date.
//!
//! Once they exist, the stage file and Dependabot's file belong to the team.

use std::fs;
use std::path::Path;

use stage_file::StageFile;

use crate::error::{Context as _, Result, VerbError};
use crate::{first_stage_file, repository};

/// Dependabot's file, from the top of the repository.
pub const DEPENDABOT: &str = ".github/dependabot.yml";

/// The first content of that file. It touches generated files only, so that a pull request by Dependabot shows that a
/// newer release of the programs is due.
pub const DEPENDABOT_TEXT: &str = "\
# Says when an action of the generated workflows has a newer version. A newer release of the programs brings it:
# change `release` in stages.toml, run `domino-pipeline gen-workflows`, and push.
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

/// Writes a stage file for a repository that has none: that of the sample, with the programs from a release of ours.
/// It contains nothing of our own host, project or approvers.
///
/// # Errors
/// When it is unknown which repository releases the programs, or the file cannot be written.
pub fn begin(out: &Path, release_repository: Option<&str>) -> Result<()> {
    let repository = match release_repository {
        Some(repository) => repository.to_owned(),
        None => repository::origin(&repository::root()).ok_or_else(|| {
            VerbError::usage("which GitHub repository releases the programs is not known")
                .hint("name it with `--release-repository OWNER/NAME`")
        })?,
    };
    let text = first_stage_file::for_release(out, &repository);
    let path = out.join("stages.toml");
    StageFile::read(&text, &path)?;
    fs::create_dir_all(out).context(|| format!("cannot create `{}`", out.display()))?;
    fs::write(&path, text).context(|| format!("cannot write `{}`", path.display()))?;
    eprintln!("wrote stages.toml, to be made yours: host, project, hardware tiers, entities");
    Ok(())
}
