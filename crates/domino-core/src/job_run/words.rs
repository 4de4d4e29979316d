//! What a run is called before a person. How it stands is in `report`.

/// What a run is called before a person.
#[derive(Debug, Clone)]
pub struct Words {
    /// What it is a run of: ``job `train` ``.
    pub what: String,
    /// What could not be done where it is not started, for the first line of an error.
    pub cannot: String,
    /// The command that shows it.
    pub status: String,
    /// How to see whether it runs, where that is not known.
    pub look: String,
}
