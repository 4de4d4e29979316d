//! The things of one kind that a sandbox keeps: in the order of their creation, found by their id.

use std::sync::MutexGuard;

use crate::locked::Locked;

/// Something with an id of its own.
pub(crate) trait Identified {
    fn id(&self) -> &str;
}

impl<T: Identified> Identified for std::sync::Arc<T> {
    fn id(&self) -> &str {
        (**self).id()
    }
}

/// Every thing of one kind, oldest first.
pub(crate) struct Store<T>(Locked<Vec<T>>);

impl<T> Default for Store<T> {
    fn default() -> Self {
        Store(Locked::new(Vec::new()))
    }
}

impl<T: Identified> Store<T> {
    pub(crate) fn push(&self, thing: T) {
        self.lock().push(thing);
    }

    /// Looks at or changes the thing with this id, if it exists.
    pub(crate) fn with<R>(&self, id: &str, act: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.lock().iter_mut().find(|one| one.id() == id).map(act)
    }

    pub(crate) fn remove(&self, id: &str) {
        self.lock().retain(|one| one.id() != id);
    }

    /// The whole list, for what concerns more than one thing.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.0.lock()
    }
}

impl<T: Identified + Clone> Store<T> {
    pub(crate) fn with_id(&self, id: &str) -> Option<T> {
        self.find(|one| one.id() == id)
    }

    /// The oldest thing that is `wanted`.
    pub(crate) fn find(&self, wanted: impl Fn(&T) -> bool) -> Option<T> {
        self.lock().iter().find(|one| wanted(one)).cloned()
    }

    /// The things that are `wanted`.
    pub(crate) fn filter(&self, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        self.lock()
            .iter()
            .filter(|one| wanted(one))
            .cloned()
            .collect()
    }

    pub(crate) fn all(&self) -> Vec<T> {
        self.lock().clone()
    }
}
