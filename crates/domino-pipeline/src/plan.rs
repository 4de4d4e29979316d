//! `plan`: what merging a change would deploy to which stage, as Markdown for the summary of a pull request.
//!
//! It reads two parts of the change, as data: the stage file and git's list of files. Nothing in it is run, Domino is
//! not asked, and no credential is needed. It does not show what is running now.

mod changed_files;
mod code_span;
mod facts;
mod left_behind;
mod markdown;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use stage_file::{StageFile, StageFileError};

use crate::error::{Context as _, Result, VerbError};

/// The arguments of `cargo xtask plan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A checkout of the repository before the change
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,
    /// A checkout with the change
    #[arg(value_name = "AFTER")]
    pub after: PathBuf,
}

/// Prints the plan; exit code 2 if the changed stage file has problems, which are then the plan.
pub fn run(args: &Args) -> Result<ExitCode> {
    let before = load(&args.before)?.ok();
    let after = match load(&args.after)? {
        Ok(after) => after,
        Err(problems) => {
            print!("{}", markdown::refused(&problems));
            return Ok(ExitCode::from(2));
        }
    };
    let files = changed_files::between(&args.before, &args.after)?;
    print!("{}", markdown::plan(before.as_ref(), &after, &files));
    Ok(ExitCode::SUCCESS)
}

/// The stage file of a checkout, or why it has none.
fn load(checkout: &Path) -> Result<Result<StageFile, StageFileError>> {
    let path = checkout.join("stages.toml");
    // A link could make us read, and show, any file of the machine.
    if fs::symlink_metadata(&path).is_ok_and(|file| !file.is_file()) {
        return Err(VerbError::new(format!(
            "`{}` is not a plain file",
            path.display()
        )));
    }
    match StageFile::load(&path) {
        Err(StageFileError::Unreadable { path, source }) => {
            Err(source).context(|| format!("cannot read `{}`", path.display()))
        }
        loaded => Ok(loaded),
    }
}
