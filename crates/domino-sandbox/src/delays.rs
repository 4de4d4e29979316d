//! How fast the sandbox goes through what takes Domino minutes: at once for tests, visibly for people.

use std::time::Duration;

/// How long each status that is not real work stays to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    step: Duration,
}

impl Pace {
    /// Every status is passed through, none is waited in.
    pub fn instant() -> Self {
        Pace {
            step: Duration::ZERO,
        }
    }

    /// Each status can be seen by a person.
    pub fn human() -> Self {
        Pace {
            step: Duration::from_millis(400),
        }
    }

    /// Each status stays for `step`.
    pub fn every(step: Duration) -> Self {
        Pace { step }
    }

    /// Waits out one status; at the instant pace it only lets others run.
    pub(crate) async fn step(self) {
        if self.step.is_zero() {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(self.step).await;
        }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Pace::human()
    }
}
