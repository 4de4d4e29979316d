//! Ctrl-C and its relatives: the first asks for an orderly end, as Cancel on GitHub does; the second insists.
//!
//! A run and a job can be cancelled by themselves: each has a part of its own, which ends with the whole.

use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

/// How often what waits looks whether it is to end.
pub const GLANCE: Duration = Duration::from_millis(20);

/// Whether somebody wants the rehearsal, a run or a job to end.
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
    /// Listens for SIGINT, SIGTERM and SIGHUP from now until the process ends.
    ///
    /// # Errors
    /// When the signals cannot be listened for.
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

    /// Of something that ends with the whole, and can be cancelled by itself.
    pub fn part(&self) -> Self {
        Self {
            own: Arc::default(),
            whole: Some(Arc::new(self.clone())),
        }
    }

    /// Asks for the end, once more.
    pub fn ask(&self, signal: i32) {
        self.own.signal.store(signal, Ordering::SeqCst);
        self.cancel();
    }

    /// Asks for the end where no signal did.
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

    /// How often the end was asked for.
    pub fn times(&self) -> usize {
        let whole = self.whole.as_ref().map_or(0, |whole| whole.times());
        self.own.times.load(Ordering::SeqCst).max(whole)
    }

    /// What a program that was interrupted exits with: 130 after SIGINT, 143 after SIGTERM.
    pub fn exit_code(&self) -> u8 {
        u8::try_from(128 + self.own.signal.load(Ordering::SeqCst)).unwrap_or(130)
    }
}
