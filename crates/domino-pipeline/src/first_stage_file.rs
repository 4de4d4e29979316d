//! The stage file that a repository begins with: from answers, or from examples.

mod answers;
mod text;
mod wheel;

use std::path::Path;

pub use self::answers::{Answers, Args};

/// The stage file of the sample for a repository that takes the programs from a release, with examples for everything
/// that is the team's own.
pub fn for_release(folder: &Path, release_repository: &str) -> String {
    text::text(&Answers::for_release(folder, release_repository))
}

/// The stage file that results from these answers.
pub fn of(answers: &Answers) -> String {
    text::text(answers)
}
