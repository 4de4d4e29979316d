//! Rounds of two steps at the same moment, each round in a Domino of its own.
//!
//! `DOMINO_ROUNDS=100` plays that many instead of a few, `DOMINO_LATENCY_MS=2000` slower ones.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domino_sandbox::{Fault, Misbehaviour};

use super::Scene;

/// What every request takes in the slow rounds.
pub const SLOW: Duration = Duration::from_millis(300);

/// Plays the rounds, so many of them side by side: each is mostly waiting. A round is told what every request takes.
pub fn play(together: usize, latency: Duration, round: impl Fn(Duration) + Sync) {
    let told = std::env::var("DOMINO_ROUNDS").ok();
    let number = told.and_then(|told| told.parse().ok()).unwrap_or(together);
    let latency = match std::env::var("DOMINO_LATENCY_MS") {
        Ok(told) if !latency.is_zero() => Duration::from_millis(told.parse().unwrap()),
        _ => latency,
    };
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..together.min(number) {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::Relaxed) < number {
                    round(latency);
                }
            });
        }
    });
}

/// From now on every request takes this long.
pub fn slow_down(scene: &Scene, latency: Duration) {
    if !latency.is_zero() {
        let delay = Misbehaviour::Delay { by: latency };
        scene.sandbox.faults().add(Fault::on("/**", delay));
    }
}
