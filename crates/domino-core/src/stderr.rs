//! What a person reads on stderr. A full disk or a closed pipe does not stop the work: a deployment goes on, and the
//! exit code tells how it ended.

use std::fmt::Arguments;
use std::io::Write;

/// Writes one line; what cannot be written is dropped.
pub(crate) fn tell(line: Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Writes text as it is; what cannot be written is dropped.
pub(crate) fn tell_text(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
