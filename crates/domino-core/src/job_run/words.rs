//! What a run is called in text for people. `report` describes its status.

/// What a run is called in text for people.
#[derive(Debug, Clone)]
pub struct Words {
    /// What it is a run of: ``job `train` ``.
    pub what: String,
    /// The first line of an error when it cannot be started.
    pub cannot: String,
    /// The command that shows it.
    pub status: String,
    /// How to see whether it runs, if that is not known.
    pub look: String,
}
