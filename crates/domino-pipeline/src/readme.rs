//! Keeps the text between two markers in a README up to date.
//!
//! It does not define any markers. What is outside of them belongs to people, and is never changed.

use crate::error::{Result, VerbError};

/// Two lines; the text between them is ours.
#[derive(Debug, Clone, Copy)]
pub struct Markers {
    /// The line before it.
    pub begin: &'static str,
    /// The line after it.
    pub end: &'static str,
}

impl Markers {
    /// The README with this text between the markers; unchanged if it has no markers.
    ///
    /// # Errors
    /// When only one of the two markers is there, or they are in the wrong order.
    pub fn keep(self, readme: &str, text: &str) -> Result<String> {
        let Self { begin, end } = self;
        match (readme.find(begin), readme.find(end)) {
            (None, None) => Ok(readme.to_owned()),
            (Some(at), Some(until)) if at < until => {
                let (before, after) = (&readme[..at + begin.len()], &readme[until..]);
                Ok(format!("{before}\n{text}{after}"))
            }
            _ => Err(VerbError::new(format!(
                "README.md needs both markers, `{begin}` and, below it, `{end}`"
            ))),
        }
    }
}
