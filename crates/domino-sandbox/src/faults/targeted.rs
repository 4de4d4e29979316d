//! Faults that select what they affect by a part of its name, up to a number of times.

use crate::locked::Locked;

/// Faults of jobs, apps or endpoints, each with the number of things that it has affected.
#[derive(Default)]
pub(super) struct TargetedFaults<T>(Locked<Vec<(T, usize)>>);

impl<T: Clone + Default> TargetedFaults<T> {
    pub(super) fn add(&self, fault: T) {
        self.0.lock().push((fault, 0));
    }

    pub(super) fn clear(&self) {
        self.0.lock().clear();
    }

    /// The fault of what is about to start under `name`: the first one that is due, or none. For each fault, `target`
    /// returns the part of a name that it affects, and how often it does.
    pub(super) fn pick(&self, name: &str, target: impl Fn(&T) -> (&str, Option<usize>)) -> T {
        for (fault, touched) in self.0.lock().iter_mut() {
            let (part, times) = target(fault);
            if times.is_none_or(|times| *touched < times) && name.contains(part) {
                *touched += 1;
                return fault.clone();
            }
        }
        T::default()
    }
}
