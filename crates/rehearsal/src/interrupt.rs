//! Ctrl-C and similar signals: the first asks for an orderly end, as Cancel on GitHub does; the second ends at once.
//!
//! A single run or job can be cancelled as well: each has a part of its own, which also ends with the whole.

use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

/// How often waiting code checks whether it is to end.
pub const GLANCE: Duration = Duration::from_millis(20);

/// Whether the rehearsal, a run or a job has been asked to end.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    own: Arc<Asked>,
    whole: Option<Arc<Interrupt>>,
}

#[derive(Debug, Default)]
struct Asked {
    times: AtomicUsize,
    signal: AtomicI32,
    since: OnceLock<Instant>,
}

impl Interrupt {
    /// Handles SIGINT, SIGTERM and SIGHUP from now until the process ends.
    ///
    /// # Errors
    /// When the signals cannot be handled.
    pub fn listen() -> anyhow::Result<Self> {
        let interrupt = Self::default();
        let heard = interrupt.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (mut int, mut term, mut hup) = {
            let _inside = runtime.enter();
            let listen = |kind| signal(kind).context("cannot listen for signals");
            (
                listen(SignalKind::interrupt())?,
                listen(SignalKind::terminate())?,
                listen(SignalKind::hangup())?,
            )
        };
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                runtime.block_on(async {
                    loop {
                        let number = tokio::select! {
                            _ = int.recv() => 2,
                            _ = term.recv() => 15,
                            _ = hup.recv() => 1,
                        };
                        heard.ask(number);
                    }
                });
            })?;
        Ok(interrupt)
    }

    /// A part that ends with the whole and can be cancelled by itself.
    pub fn part(&self) -> Self {
        Self {
            own: Arc::default(),
            whole: Some(Arc::new(self.clone())),
        }
    }

    /// Notes a signal that asks for the end; there may be several.
    pub fn ask(&self, signal: i32) {
        self.own.signal.store(signal, Ordering::SeqCst);
        self.cancel();
    }

    /// Asks for the end without a signal.
    pub fn cancel(&self) {
        self.own.since.get_or_init(Instant::now);
        self.own.times.fetch_add(1, Ordering::SeqCst);
    }

    /// When the end was first asked for.
    pub fn since(&self) -> Option<Instant> {
        let whole = self.whole.as_ref().and_then(|whole| whole.since());
        self.own.since.get().copied().into_iter().chain(whole).min()
    }

    /// Whether the end was asked for.
    pub fn asked(&self) -> bool {
        self.times() > 0
    }

    /// Waits until the end is asked for.
    pub fn wait(&self) {
        while !self.asked() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// How many times the end was asked for.
    pub fn times(&self) -> usize {
        let whole = self.whole.as_ref().map_or(0, |whole| whole.times());
        self.own.times.load(Ordering::SeqCst).max(whole)
    }

    /// The exit code of an interrupted program: 130 after SIGINT, 143 after SIGTERM.
    pub fn exit_code(&self) -> u8 {
        u8::try_from(128 + self.own.signal.load(Ordering::SeqCst)).unwrap_or(130)
    }
}
