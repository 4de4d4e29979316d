//! Where a rehearsal speaks: headings, indented step output, marks for results; masked, and safe for a terminal.
//!
//! On a terminal there is colour, elsewhere there are plain lines. What is said is decided elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::masks::Masks;

/// The one place all output of a rehearsal goes through.
#[derive(Clone)]
pub struct Console {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    out: Box<dyn Write + Send>,
    colour: bool,
    masks: Masks,
    patience: Patience,
    /// When something was said last, be it that something still runs.
    last_said: Instant,
    /// Whether a line stands there that gives way to the next.
    has_live_line: bool,
}

/// How a console shows that something goes on while nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// After this long by a line of its own.
    Lines(Duration),
    /// After this long by one line that is written anew, cut at this width.
    LiveLine(Duration, usize),
}

/// How a line looks where there is colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// As it comes.
    Plain,
    /// A heading.
    Bold,
    /// Less important.
    Dim,
    /// Something went well.
    Good,
    /// Something needs attention.
    Warning,
    /// Something failed.
    Bad,
}

impl Look {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "\x1b[1m",
            Self::Dim => "\x1b[2m",
            Self::Good => "\x1b[32m",
            Self::Warning => "\x1b[33m",
            Self::Bad => "\x1b[31m",
        }
    }
}

impl Console {
    /// Speaks on stdout, with colour if that is a terminal and `NO_COLOR` is not set.
    pub fn stdout() -> Self {
        let out = std::io::stdout();
        let is_terminal = out.is_terminal();
        let colour =
            is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let console = Self::new(Box::new(out), colour);
        if is_terminal && std::env::var_os("TERM").is_some_and(|terminal| terminal != "dumb") {
            console.with_patience(Patience::LiveLine(Duration::from_secs(1), width()))
        } else {
            console
        }
    }

    /// Speaks wherever it is told to.
    pub fn new(out: Box<dyn Write + Send>, colour: bool) -> Self {
        Self {
            inner: Arc::new(Mutex::new(Inner {
                out,
                colour,
                masks: Masks::default(),
                patience: Patience::Lines(Duration::from_secs(15)),
                last_said: Instant::now(),
                has_live_line: false,
            })),
        }
    }

    /// What was said before a thread broke off stays said.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows in this way that something goes on.
    pub fn with_patience(self, patience: Patience) -> Self {
        self.inner().patience = patience;
        self
    }

    /// Something still runs: this is said when nothing else was for a while.
    pub fn still_runs(&self, what: &str, begun: Instant) {
        let mut inner = self.inner();
        let (Patience::Lines(after) | Patience::LiveLine(after, _)) = inner.patience;
        if inner.last_said.elapsed() < after {
            return;
        }
        let what = one_line(&inner.masks.apply(what));
        let what = safe(&what, false);
        let seconds = begun.elapsed().as_secs();
        let text = format!("      … {what}: {seconds} s so far");
        match inner.patience {
            Patience::Lines(_) => {
                let _ = writeln!(inner.out, "{text}");
            }
            Patience::LiveLine(_, width) => {
                let text: String = text.chars().take(width.saturating_sub(1)).collect();
                let _ = write!(inner.out, "{CLEAR_LINE}{text}");
                inner.has_live_line = true;
            }
        }
        let _ = inner.out.flush();
        inner.last_said = Instant::now();
    }

    /// Hides this value from everything said from now on.
    pub fn mask(&self, value: &str) {
        self.inner().masks.add(value);
    }

    /// The text without what is hidden.
    pub fn masked(&self, text: &str) -> String {
        self.inner().masks.apply(text)
    }

    /// Whether the text holds something hidden.
    pub fn hides(&self, text: &str) -> bool {
        self.inner().masks.hides(text)
    }

    /// One line of our own.
    pub fn line(&self, look: Look, text: &str) {
        self.write(look, "", text);
    }

    /// One line about a step, indented like its output.
    pub fn step_note(&self, look: Look, text: &str) {
        self.write(look, STEP_INDENT, text);
    }

    /// An empty line.
    pub fn blank(&self) {
        self.write(Look::Plain, "", "");
    }

    /// A question: no line end, and the person sees it before answering.
    pub fn question(&self, text: &str) {
        let mut inner = self.inner();
        let text = inner.masks.apply(text);
        inner.said();
        // A console that is gone must not end the rehearsal before it has cleaned up.
        let _ = write!(inner.out, "{text} ").and_then(|()| inner.out.flush());
    }

    /// Lines that belong together, each with its look and indent: nothing else is said between them.
    pub fn block(&self, lines: &[(Look, &'static str, String)]) {
        let mut inner = self.inner();
        for (look, indent, text) in lines {
            inner.write(*look, indent, text);
        }
    }

    /// A line, indented.
    pub fn write(&self, look: Look, indent: &str, text: &str) {
        self.inner().write(look, indent, text);
    }
}

impl Inner {
    fn write(&mut self, look: Look, indent: &str, text: &str) {
        let text = self.masks.apply(text);
        self.said();
        for line in text.split('\n') {
            let line = safe(line.trim_end_matches('\r'), self.colour);
            let line = match (line.is_empty(), self.colour && look != Look::Plain) {
                (true, _) => String::new(),
                (false, true) => format!("{indent}{}{line}\x1b[0m", look.code()),
                (false, false) => format!("{indent}{line}"),
            };
            // A console that is gone must not end the rehearsal before it has cleaned up.
            let _ = writeln!(self.out, "{line}");
        }
        let _ = self.out.flush();
    }

    /// Makes room for what is said next.
    fn said(&mut self) {
        if std::mem::take(&mut self.has_live_line) {
            let _ = write!(self.out, "{CLEAR_LINE}");
        }
        self.last_said = Instant::now();
    }
}

/// How far a step's output stands in from its heading.
pub const STEP_INDENT: &str = "      ";

/// Back to the beginning of the line, which is emptied.
const CLEAR_LINE: &str = "\r\x1b[2K";

/// Without a terminal to ask, tables are made for this width.
const WIDTH: usize = 120;

/// How many columns there are.
pub fn width() -> usize {
    let terminal = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    let terminal = terminal.map(|size| usize::from(size.ws_col));
    let said = || std::env::var("COLUMNS").ok()?.parse().ok();
    let width = terminal.filter(|width| *width > 0).or_else(said);
    width.unwrap_or(WIDTH)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The line without control characters that could move the cursor or retitle the window; colours may stay.
fn safe(line: &str, colour: bool) -> String {
    // Of a line that draws over itself, such as a progress bar, the last state counts.
    let line = line.rsplit('\r').next().unwrap_or_default();
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    let mut coloured = false;
    while let Some(at) = rest.find(|c: char| c.is_control() && c != '\t') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(sequence) = rest.strip_prefix("\x1b[") {
            let end = sequence
                .find(|c: char| c.is_ascii_alphabetic() || c == '~')
                .map(|end| end + 1);
            let end = end.unwrap_or(sequence.len());
            let (sequence, after) = sequence.split_at(end);
            if colour && sequence.ends_with('m') && sequence.len() < 20 {
                text.push_str("\x1b[");
                text.push_str(sequence);
                coloured = true;
            }
            rest = after;
        } else {
            let mut characters = rest.chars();
            characters.next();
            rest = characters.as_str();
        }
    }
    text.push_str(rest);
    if coloured {
        text.push_str("\x1b[0m");
    }
    text
}

/// A console that keeps what it is told, for tests.
#[cfg(test)]
pub fn captured() -> (Console, Arc<Mutex<Vec<u8>>>) {
    struct Shared(Arc<Mutex<Vec<u8>>>);
    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let text = Arc::new(Mutex::new(Vec::new()));
    (Console::new(Box::new(Shared(text.clone())), false), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cannot_steer_the_terminal() {
        for (line, plain) in [
            ("a\x1b[2Jb", "ab"),
            ("\x1b]0;title\x07x", "]0;titlex"),
            ("10 %\r50 %\r100 %", "100 %"),
            ("\x1b[31mred\x1b[0m", "red"),
            ("tab\there", "tab\there"),
            ("cut \x1b[12", "cut "),
        ] {
            assert_eq!(safe(line, false), plain);
        }
        assert_eq!(safe("\x1b[31mred", true), "\x1b[31mred\x1b[0m");
    }

    #[test]
    fn everything_said_is_masked() {
        let (console, text) = captured();
        console.mask("canary");
        console.line(Look::Bold, "a canary");
        console.write(Look::Plain, STEP_INDENT, "two\ncanary lines");
        console.question("canary?");
        let text = String::from_utf8(text.lock().unwrap().clone()).unwrap();
        assert_eq!(text, "a ***\n      two\n      *** lines\n***? ");
    }

    #[test]
    fn what_goes_on_is_said_when_nothing_else_is() {
        let begun = Instant::now();
        let (console, text) = captured();
        console.mask("canary");
        console.still_runs("Start job", begun);
        assert_eq!(text.lock().unwrap().len(), 0, "not at once");
        let console = console.with_patience(Patience::Lines(Duration::ZERO));
        console.still_runs("Start job canary", begun);
        let console = console.with_patience(Patience::LiveLine(Duration::ZERO, 20));
        console.still_runs("Start job", begun);
        console.still_runs("Start job", begun);
        console.line(Look::Plain, "done");
        let text = String::from_utf8(text.lock().unwrap().clone()).unwrap();
        let live = "\r\x1b[2K      … Start job: ";
        let expected = format!("      … Start job ***: 0 s so far\n{live}{live}\r\x1b[2Kdone\n");
        assert_eq!(text, expected);
    }
}
