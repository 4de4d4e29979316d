//! What an import reports besides the file that it writes.

/// The report of an import; each note is a sentence.
#[derive(Debug, Default)]
pub struct Notes {
    /// What was decided.
    pub decided: Vec<String>,
    /// What only the reader can know.
    pub unknown: Vec<String>,
    /// What was wrong with the configuration.
    pub defects: Vec<String>,
}
