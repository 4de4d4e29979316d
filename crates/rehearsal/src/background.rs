//! Scripts that run beside the steps after them: at most ten of a job at once, further ones in their order.
//!
//! Here they only run. `step.rs` takes over their results where a step waits for them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use github_workflow::read::Step;

use crate::executed::Executed;
use crate::interrupt::GLANCE;
use crate::script::{Prepared, Ran};
use crate::step_log::StepLog;

/// GitHub runs at most this many steps of a job side by side.
pub const MOST_AT_ONCE: usize = 10;

/// The steps of a job that run beside the steps after them.
#[derive(Default)]
pub struct Beside<'w> {
    /// The steps that nothing has waited for yet, in the order of the file.
    pub open: Vec<Open<'w>>,
    places: Places,
}

/// A step that has begun and has not been waited for.
pub struct Open<'w> {
    /// The step as the file has it.
    pub step: &'w Step,
    /// The step's name as GitHub shows it.
    pub name: String,
    /// Whether it still runs.
    pub state: State,
}

/// Whether a step still runs.
pub enum State {
    /// It still runs.
    Running(Running),
    /// It has ended; what it left, and how long it took.
    Over(Executed, Duration),
}

/// How many steps of a job may run side by side, and whose turn it is.
#[derive(Debug, Clone, Default)]
struct Places {
    shared: Arc<(Mutex<Turns>, Condvar)>,
}

#[derive(Debug, Default)]
struct Turns {
    running: usize,
    waiting: VecDeque<usize>,
    next: usize,
}

/// A script that runs.
pub struct Running {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(Ran, Duration)>,
}

impl Beside<'_> {
    /// Begins a script, or queues it. `tell` says how it ended, at the end of its log.
    pub fn begin(
        &self,
        script: Prepared,
        mut log: StepLog,
        tell: impl FnOnce(&Executed, Duration, &mut StepLog) + Send + 'static,
    ) -> Running {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, places) = (stop.clone(), self.places.clone());
        let ticket = places.ticket();
        let thread = std::thread::spawn(move || {
            let turn = places.wait(ticket, || script.over(&stopped));
            let begun = Instant::now();
            let ran = match &turn {
                Ok(_) => script.run(&stopped, &mut log),
                Err(_) => Ran::default(),
            };
            let ran = turn.err().map_or(ran, |over| *over);
            let took = begun.elapsed();
            tell(&ran.executed, took, &mut log);
            log.end();
            (ran, took)
        });
        Running { stop, thread }
    }
}

impl Places {
    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ticket(&self) -> usize {
        let mut turns = self.turns();
        turns.next += 1;
        let ticket = turns.next;
        turns.waiting.push_back(ticket);
        ticket
    }

    /// Waits for a free place, unless `over` says that none is needed any longer.
    fn wait(&self, ticket: usize, over: impl Fn() -> Option<Ran>) -> Result<Turn<'_>, Box<Ran>> {
        let mut turns = self.turns();
        loop {
            if let Some(ran) = over() {
                turns.waiting.retain(|waiting| *waiting != ticket);
                return Err(Box::new(ran));
            }
            if turns.running < MOST_AT_ONCE && turns.waiting.front() == Some(&ticket) {
                turns.waiting.pop_front();
                turns.running += 1;
                return Ok(Turn(self));
            }
            let waited = self.shared.1.wait_timeout(turns, GLANCE);
            turns = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// A place that is taken; dropping it frees the place.
struct Turn<'a>(&'a Places);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.turns().running -= 1;
        self.0.shared.1.notify_all();
    }
}

impl Running {
    /// Asks it to end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// What it left and how long it took; waits for its end.
    pub fn end(self) -> (Ran, Duration) {
        self.thread.join().unwrap_or_else(|_| {
            let mut ran = Ran::default();
            ran.executed =
                Executed::failed("the rehearsal itself broke off in this step".to_owned());
            (ran, Duration::ZERO)
        })
    }
}
