//! What prevents a truthful rehearsal, with its place in the file.
//!
//! All problems of all files are named in one run; none of them is a reason to leave something out in silence.

use std::fmt;

/// Something in a workflow file that cannot be rehearsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file's name.
    pub file: String,
    /// The line, counted from 1; zero when it concerns the file as a whole.
    pub line: u64,
    /// The problem, in one sentence.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.what)
        } else {
            write!(f, "{}:{}: {}", self.file, self.line, self.what)
        }
    }
}
