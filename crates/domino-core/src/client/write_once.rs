//! A write that must not happen twice: sent, and when its outcome is unknown, looked for. It is sent again only
//! where the server certainly did nothing.

use std::time::Duration;

use super::ApiError;

/// How often a write is sent at most when the server certainly did nothing yet.
const SENDINGS: usize = 4;
/// How often we look for something whose reply was lost, and how long the pauses between grow.
const LOOKS: u32 = 6;

/// How we know of what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written<T> {
    /// The server said so.
    Replied(T),
    /// The reply was lost, and the thing was found.
    Recovered(T),
}

impl<T> Written<T> {
    /// The thing itself.
    pub fn into_inner(self) -> T {
        match self {
            Self::Replied(thing) | Self::Recovered(thing) => thing,
        }
    }
}

/// Carries out `write`. When its outcome is unknown, `look` is asked several times whether the thing is there;
/// when it never is, the first error is given back, because one that comes late would then be a second one.
/// Pauses are multiplied by `delay_scale`.
pub async fn write_once<T>(
    delay_scale: f64,
    mut write: impl AsyncFnMut() -> Result<T, ApiError>,
    mut look: impl AsyncFnMut() -> Result<Option<T>, ApiError>,
) -> Result<Written<T>, ApiError> {
    let mut sendings = 0;
    loop {
        sendings += 1;
        let error = match write().await {
            Ok(thing) => return Ok(Written::Replied(thing)),
            Err(error) => error,
        };
        if error.not_processed() && sendings < SENDINGS {
            let seconds = error
                .retry_after()
                .unwrap_or(1 << sendings.min(3))
                .min(super::LONGEST_RETRY_AFTER);
            tokio::time::sleep(Duration::from_secs(seconds).mul_f64(delay_scale)).await;
            continue;
        }
        if !error.outcome_unknown() {
            return Err(error);
        }
        for looked in 1..=LOOKS {
            // What the look itself runs into does not matter more than why we look.
            if let Ok(Some(thing)) = look().await {
                return Ok(Written::Recovered(thing));
            }
            tokio::time::sleep(Duration::from_millis(400).mul_f64(delay_scale) * looked).await;
        }
        return Err(error);
    }
}
