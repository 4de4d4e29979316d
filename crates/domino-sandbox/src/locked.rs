//! A value behind a lock, for things that many requests read and change.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A mutex that stays usable after a panic, since no change is left half done.
#[derive(Debug, Default)]
pub(crate) struct Locked<T>(Mutex<T>);

impl<T> Locked<T> {
    pub(crate) fn new(value: T) -> Self {
        Locked(Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
