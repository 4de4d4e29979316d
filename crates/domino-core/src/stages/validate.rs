//! The rules of a stage file: this table, and one small function for each.
//!
//! Whether keys exist and have the right type is settled before; here is what they must mean.

use super::StageFile;
use super::found::Findings;

/// One rule, for the reference.
#[derive(Debug)]
pub struct Rule {
    /// The name, which `accept` takes for a warning.
    pub name: &'static str,
}

/// The rule book.
pub static RULES: &[Rule] = &[];

/// Looks at the file by every rule.
pub(super) fn check(_file: &StageFile, _findings: &mut Findings<'_>) {}
