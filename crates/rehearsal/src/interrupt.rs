//! Ctrl-C and its relatives: the first asks for an orderly end, as Cancel on GitHub does; the second insists.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

/// Whether the person wants the rehearsal to end.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    times: Arc<AtomicUsize>,
    signal: Arc<AtomicI32>,
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

    /// Asks for the end, once more.
    pub fn ask(&self, signal: i32) {
        self.signal.store(signal, Ordering::SeqCst);
        self.times.fetch_add(1, Ordering::SeqCst);
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
        self.times.load(Ordering::SeqCst)
    }

    /// What a program that was interrupted exits with: 130 after SIGINT, 143 after SIGTERM.
    pub fn exit_code(&self) -> u8 {
        u8::try_from(128 + self.signal.load(Ordering::SeqCst)).unwrap_or(130)
    }
}
