//! The looks of a step that was the first of several to create something, until what the others created is gone.

use std::time::Duration;

/// How often it looks. What is there after that belongs to a step that has ended.
const MOST: u32 = 8;
/// The pause after the first look; each later one is longer by as much.
const FIRST: Duration = Duration::from_millis(400);

/// Rechecks with growing pauses.
#[derive(Debug)]
pub struct Rechecks {
    taken: u32,
    delay_scale: f64,
}

impl Rechecks {
    /// The first look, with pauses multiplied by `delay_scale`.
    pub fn begin(delay_scale: f64) -> Self {
        Self {
            taken: 1,
            delay_scale,
        }
    }

    /// Whether there is nothing more to wait for.
    pub fn are_over(&self) -> bool {
        self.taken > MOST
    }

    /// Waits for the next look.
    pub async fn pause(&mut self) {
        tokio::time::sleep(FIRST.mul_f64(self.delay_scale) * self.taken).await;
        self.taken += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_over_after_the_eighth() {
        let over = |taken| {
            let delay_scale = 1.0;
            Rechecks { taken, delay_scale }.are_over()
        };
        assert!(!over(8));
        assert!(over(9));
    }
}
