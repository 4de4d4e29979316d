//! What has an id and a name, and so can be found by either.

/// A thing that has an id and a name.
pub trait Named {
    /// Its id.
    fn id(&self) -> &str;
    /// Its name.
    fn name(&self) -> &str;
}
