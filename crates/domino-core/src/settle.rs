//! How long to wait between two looks at something remote that is on its way, and how a span of time reads.

use std::time::{Duration, Instant};

/// The first pause between two looks.
const FIRST: Duration = Duration::from_millis(250);
/// The longest pause: what follows a run learns of its end within two seconds.
const LONGEST: Duration = Duration::from_millis(1500);
/// How long the last look may take that begins when the time is up.
const LAST: Duration = Duration::from_secs(2);

/// The pauses between looks: short at first, longer later, until a deadline.
#[derive(Debug)]
pub struct Poll {
    pause: Duration,
    delay_scale: f64,
    deadline: Instant,
}

impl Poll {
    /// Poll until `timeout` has passed, with pauses multiplied by `delay_scale`.
    pub fn until(timeout: Duration, delay_scale: f64) -> Self {
        let now = Instant::now();
        // Far enough for anybody, and safe against a time that overflows.
        let deadline = now
            .checked_add(timeout)
            .unwrap_or(now + Duration::from_secs(365 * 24 * 3600));
        Self {
            pause: FIRST,
            delay_scale,
            deadline,
        }
    }

    /// Waits for the next look; `false` when the time is up.
    pub async fn next(&mut self) -> bool {
        let left = self.left();
        if left.is_zero() {
            return false;
        }
        tokio::time::sleep(self.pause.mul_f64(self.delay_scale).min(left)).await;
        self.pause = self.pause.mul_f64(1.2).min(LONGEST);
        true
    }

    /// Carries out one look: it may take what is left of the time, and two seconds at the very end. `None` when
    /// that was not enough.
    pub async fn within<T>(&self, look: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(self.left().max(LAST), look).await.ok()
    }

    /// Something moved: look again soon.
    pub fn reset_backoff(&mut self) {
        self.pause = FIRST;
    }

    /// The time that is left.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// A span of time for people: `1 h 5 min`, `3 min 20 s`, `2.4 s`.
pub fn in_words(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", span.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ if seconds % 3600 < 60 => format!("{} h", seconds / 3600),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_their_limit_and_shrink_when_something_moves() {
        let mut poll = Poll::until(Duration::from_secs(3600), 1.0);
        for _ in 0..20 {
            assert!(poll.next().await);
        }
        assert_eq!(poll.pause, LONGEST);
        poll.reset_backoff();
        assert_eq!(poll.pause, FIRST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_never_ends_is_broken_off_when_the_time_is_up() {
        let poll = Poll::until(Duration::from_secs(1), 1.0);
        assert_eq!(poll.within(std::future::pending::<()>()).await, None);
        assert_eq!(poll.within(std::future::ready(7)).await, Some(7));
    }

    #[tokio::test]
    async fn the_time_is_up_at_once_without_any() {
        assert!(!Poll::until(Duration::ZERO, 1.0).next().await);
    }
}
