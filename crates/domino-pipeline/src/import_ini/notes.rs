//! What an import says beside the file that it writes.

/// What there is to say about an import, each as a sentence.
#[derive(Debug, Default)]
pub struct Notes {
    /// What was decided.
    pub decided: Vec<String>,
    /// What nobody but the reader can know.
    pub unknown: Vec<String>,
    /// What was wrong with the configuration.
    pub defects: Vec<String>,
}
