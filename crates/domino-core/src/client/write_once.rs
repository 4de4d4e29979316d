//! A write that must not happen twice: it is sent, and if its outcome is unknown, its result is looked for. It is
//! sent again only if the server certainly did nothing.

use std::time::Duration;

use super::ApiError;

/// A write is sent at most this often if the server certainly did nothing.
const SENDINGS: usize = 4;
/// How often we look for something whose reply was lost, and how far the pauses in between grow.
const LOOKS: u32 = 6;

/// How we know about what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written<T> {
    /// The server's reply says so.
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

/// Carries out `write`. If its outcome is unknown, `look` is called several times to find the result. If it never
/// appears, the first error is returned: sending again could make a second one, if the first comes late. Pauses are
/// multiplied by `delay_scale`.
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
            // An error of the look itself matters less than the reason why we look.
            if let Ok(Some(thing)) = look().await {
                return Ok(Written::Recovered(thing));
            }
            tokio::time::sleep(Duration::from_millis(400).mul_f64(delay_scale) * looked).await;
        }
        return Err(error);
    }
}

#[cfg(test)]
mod tests {
    use reqwest::{Method, StatusCode};
    use tokio::time::Instant;

    use super::super::Cause;
    use super::*;

    fn refused(status: StatusCode, retry_after: Option<u64>) -> ApiError {
        let cause = Cause::Refused {
            status,
            words: None,
            code: None,
            request_id: None,
            retry_after,
        };
        ApiError::new(Method::POST, "/x", cause)
    }

    /// How often a write that always fails is sent, how often its result is looked for, and how many seconds that
    /// takes.
    async fn tried(
        status: StatusCode,
        retry_after: Option<u64>,
        scale: f64,
    ) -> (usize, usize, f64) {
        let (began, mut sent, mut looked) = (Instant::now(), 0, 0);
        let written = write_once(
            scale,
            async || {
                sent += 1;
                Err::<(), _>(refused(status, retry_after))
            },
            async || {
                looked += 1;
                Ok(None)
            },
        )
        .await;
        assert_eq!(written.unwrap_err().status(), Some(status));
        let seconds = (began.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        (sent, looked, seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_is_tried_and_looked_for_so_often_and_so_long() {
        let (busy, down) = (StatusCode::TOO_MANY_REQUESTS, StatusCode::BAD_GATEWAY);
        // Nothing was done: two, four and eight seconds, or what the server asks for, at most a minute.
        assert_eq!(tried(busy, None, 1.0).await, (4, 0, 14.0));
        assert_eq!(tried(busy, None, 0.5).await, (4, 0, 7.0));
        assert_eq!(tried(busy, Some(3), 1.0).await, (4, 0, 9.0));
        assert_eq!(tried(busy, Some(600), 1.0).await, (4, 0, 180.0));
        // It may have been done: 0.4 seconds, and 0.4 more each time.
        assert_eq!(tried(down, None, 1.0).await, (1, 6, 8.4));
        assert_eq!(tried(down, None, 0.5).await, (1, 6, 4.2));
        assert_eq!(tried(StatusCode::FORBIDDEN, None, 1.0).await, (1, 0, 0.0));
    }

    #[test]
    fn what_was_written_is_the_same_however_it_is_known() {
        assert_eq!(Written::Replied(7).into_inner(), 7);
        assert_eq!(Written::Recovered(7).into_inner(), 7);
    }
}
