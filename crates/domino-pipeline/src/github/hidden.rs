//! A question on the terminal whose answer is not shown. The terminal is restored afterwards, even after Ctrl-C.

use std::io::Write as _;

use domino_core::error::{CommandError, Result};
use domino_core::step::Interrupts;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::oneshot;

/// The terminal of stdin, as it was before.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> std::io::Result<Self> {
        let before = tcgetattr(std::io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        quiet.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(std::io::stdin(), OptionalActions::Now, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A terminal that was closed needs no restoring.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// Asks, and waits for a line or a signal.
pub(crate) async fn answer(question: &str) -> Result<String> {
    let mut interrupts = Interrupts::listen()?;
    // Echo is off before the question appears: nothing that is typed early is shown.
    let _quiet = Quiet::begin()?;
    eprint!("{question}");
    std::io::stderr().flush()?;
    let (send, answer) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        // After a signal nobody receives the answer.
        let _ = send.send(read.map(|_| line));
    });
    tokio::select! {
        line = answer => match line {
            Ok(line) => Ok(line?),
            Err(_) => Err(CommandError::message("the answer was not read")),
        },
        signal = interrupts.next() => {
            eprintln!();
            Err(CommandError::new(signal.exit(), "interrupted; nothing was changed"))
        }
    }
}
