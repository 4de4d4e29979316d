//! How fast the sandbox does what takes Domino minutes: at once for tests, visibly for people.

use std::time::Duration;

/// How long each status lasts that is not real work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    step: Duration,
}

impl Pace {
    /// No status lasts; each is only passed through.
    pub fn instant() -> Self {
        Pace {
            step: Duration::ZERO,
        }
    }

    /// Each status lasts long enough for a person to see it.
    pub fn human() -> Self {
        Pace {
            step: Duration::from_millis(400),
        }
    }

    /// Each status lasts for `step`.
    pub fn every(step: Duration) -> Self {
        Pace { step }
    }

    /// Waits for the length of one status; at the instant pace it only lets other tasks run.
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
