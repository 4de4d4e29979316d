//! Faults that pick what they touch by a part of its name, up to a number of times.

use crate::locked::Locked;

/// A fault of jobs, apps or endpoints.
pub(super) trait Targeted: Clone + Default {
    /// A part of the names that it touches.
    fn target(&self) -> &str;

    /// How many it touches; all without.
    fn times(&self) -> Option<usize>;
}

/// Faults of one kind, each with the number of things it has touched.
#[derive(Default)]
pub(super) struct TargetedFaults<T>(Locked<Vec<(T, usize)>>);

impl<T: Targeted> TargetedFaults<T> {
    pub(super) fn add(&self, fault: T) {
        self.0.lock().push((fault, 0));
    }

    pub(super) fn clear(&self) {
        self.0.lock().clear();
    }

    /// The fault of what is about to start under `name`: the first one that is due, or none.
    pub(super) fn pick(&self, name: &str) -> T {
        for (fault, touched) in self.0.lock().iter_mut() {
            let is_due = fault.times().is_none_or(|times| *touched < times);
            if is_due && name.contains(fault.target()) {
                *touched += 1;
                return fault.clone();
            }
        }
        T::default()
    }
}
