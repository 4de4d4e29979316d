//! Things that have an id and a name, and so can be found by either.

/// A thing that the stage file may name by its id or by its name.
pub trait Named {
    /// The id, which requests contain.
    fn id(&self) -> &str;
    /// The name, which people see and which need not be unique.
    fn name(&self) -> &str;
}
