//! `status --watch`: the table on a terminal, redrawn every few seconds until Ctrl-C.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use domino_core::error::CommandError;
use domino_core::step::{Interrupts, Signal, Step, block_on};

use super::look::Look;
use super::table;
use crate::error::Result;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(5);
/// Switches to the terminal's other screen, without a cursor; the earlier content returns at the end.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// Reads again and again. Ctrl-C is the normal end, and no error.
pub(super) fn watch(look: &Look<'_>, step: &Step) -> Result<ExitCode> {
    let ended = block_on(async {
        let mut interrupts = Interrupts::listen()?;
        draw(ENTER)?;
        let ended = tokio::select! {
            ended = redraw(look, step) => ended.map(|()| Signal::Interrupt),
            signal = interrupts.next() => Ok(signal),
        };
        draw(LEAVE)?;
        ended
    })?;
    Ok(match ended {
        Signal::Interrupt => ExitCode::SUCCESS,
        Signal::Terminate => ExitCode::from(ended.exit() as u8),
    })
}

async fn redraw(look: &Look<'_>, step: &Step) -> Result<(), CommandError> {
    loop {
        let status = look.look().await;
        let width = rehearsal::console::width();
        let text = table::text(&status, &look.file.path.display().to_string(), width);
        let at = status.at.to_zoned(jiff::tz::TimeZone::system());
        let text = format!("{text}\n{} (Ctrl-C ends it)\n", at.strftime("%H:%M:%S"));
        // The rest of each line is cleared, and the screen below the last: nothing flickers.
        let clean = step.scrubber().clean_lines(&text);
        let lines: String = clean
            .lines()
            .map(|line| format!("{line}\x1b[K\r\n"))
            .collect();
        draw(&format!("\x1b[H{lines}\x1b[J"))?;
        tokio::time::sleep(PAUSE).await;
    }
}

fn draw(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
