//! The things of one kind that a sandbox keeps: in the order of their creation, found by their ids.

use std::sync::MutexGuard;

use crate::locked::Locked;

/// Every thing of one kind with its id, oldest first.
pub(crate) struct Store<T>(Locked<Vec<(String, T)>>);

impl<T> Default for Store<T> {
    fn default() -> Self {
        Store(Locked::new(Vec::new()))
    }
}

impl<T> Store<T> {
    pub(crate) fn push(&self, id: &str, thing: T) {
        self.lock().push((id.to_owned(), thing));
    }

    /// Reads or changes the thing with this id, if it exists.
    pub(crate) fn with<R>(&self, id: &str, act: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut things = self.lock();
        let thing = things.iter_mut().find(|(known, _)| known == id);
        thing.map(|(_, thing)| act(thing))
    }

    pub(crate) fn remove(&self, id: &str) {
        self.lock().retain(|(known, _)| known != id);
    }

    /// What `read` makes of each thing.
    pub(crate) fn map<R, C: FromIterator<R>>(&self, read: impl Fn(&T) -> R) -> C {
        self.lock().iter().map(|(_, thing)| read(thing)).collect()
    }

    /// The whole list, for what concerns more than one thing.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<(String, T)>> {
        self.0.lock()
    }
}

impl<T: Clone> Store<T> {
    pub(crate) fn with_id(&self, id: &str) -> Option<T> {
        self.with(id, |thing| thing.clone())
    }

    /// The things that are `wanted`.
    pub(crate) fn filter(&self, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        let things = self.lock();
        let wanted = things.iter().filter(|(_, thing)| wanted(thing));
        wanted.map(|(_, thing)| thing.clone()).collect()
    }
}
