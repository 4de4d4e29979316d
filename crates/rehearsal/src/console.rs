//! Where a rehearsal prints: headings, indented step output, marks for results; masked, and safe for a terminal.
//!
//! Jobs print side by side, so each line says whose it is. A terminal gets colour and a last line that names what
//! runs, or a question; anything else gets plain lines. What is printed is decided elsewhere.

mod bottom;
mod safe;

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::bottom::Bottom;
use self::safe::{one_line, safe};
use crate::masks::Masks;

/// The one place that all output of a rehearsal goes through.
#[derive(Clone)]
pub struct Console {
    inner: Arc<Mutex<Inner>>,
    /// The name before each line, padded to the widest name; empty when there is none.
    who: Arc<str>,
}

struct Inner {
    out: Box<dyn Write + Send>,
    colour: bool,
    masks: Masks,
    patience: Patience,
    /// When something was last printed, including a note that something still runs.
    last_said: Instant,
    bottom: Bottom,
}

/// How a console shows that work goes on while nothing is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// After this long, by a line of its own.
    Lines(Duration),
    /// After this long, by one line that is redrawn, cut at this width.
    LiveLine(Duration, usize),
}

/// How a line looks where colour is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// No colour.
    Plain,
    /// A heading.
    Bold,
    /// Less important than the rest.
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
    /// Prints on stdout, with colour if that is a terminal and `NO_COLOR` is not set.
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

    /// Prints to this writer.
    pub fn new(out: Box<dyn Write + Send>, colour: bool) -> Self {
        Self {
            inner: Arc::new(Mutex::new(Inner {
                out,
                colour,
                masks: Masks::default(),
                patience: Patience::Lines(Duration::from_secs(15)),
                last_said: Instant::now(),
                bottom: Bottom::default(),
            })),
            who: Arc::from(""),
        }
    }

    /// Prints in the same place, with a name before each line.
    pub fn of(&self, who: &str, width: usize) -> Self {
        Self {
            inner: self.inner.clone(),
            who: format!("{who:width$} | ").into(),
        }
    }

    /// What a thread printed before it panicked is kept.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets how the console shows that work goes on.
    pub fn with_patience(self, patience: Patience) -> Self {
        self.inner().patience = patience;
        self
    }

    /// Notes that something runs, until the returned value is dropped.
    pub fn runs(&self, what: &str) -> Runs {
        let mut inner = self.inner();
        let what = one_line(&inner.masks.apply(what));
        let who = self.who.trim_end_matches([' ', '|']);
        let number = inner.bottom.begin(who, safe(&what, false));
        Runs {
            console: self.clone(),
            number,
        }
    }

    /// Says what runs, if nothing was printed for a while.
    pub fn still_runs(&self) {
        let mut inner = self.inner();
        let (Patience::Lines(after) | Patience::LiveLine(after, _)) = inner.patience;
        if inner.last_said.elapsed() < after {
            return;
        }
        match inner.patience {
            Patience::Lines(_) => {
                if let Some(text) = inner.bottom.still_runs(Duration::ZERO) {
                    let _ = writeln!(inner.out, "{text}");
                }
            }
            Patience::LiveLine(..) => inner.draw_bottom(),
        }
        let _ = inner.out.flush();
        inner.last_said = Instant::now();
    }

    /// Hides this value in everything printed from now on.
    pub fn mask(&self, value: &str) {
        self.inner().masks.add(value);
    }

    /// The text with hidden values masked.
    pub fn masked(&self, text: &str) -> String {
        self.inner().masks.apply(text)
    }

    /// Whether the text contains a hidden value.
    pub fn hides(&self, text: &str) -> bool {
        self.inner().masks.hides(text)
    }

    /// Prints one line of our own.
    pub fn line(&self, look: Look, text: &str) {
        self.write(look, "", text);
    }

    /// Prints one line about a step, indented like its output.
    pub fn step_note(&self, look: Look, text: &str) {
        self.write(look, STEP_INDENT, text);
    }

    /// Prints an empty line.
    pub fn blank(&self) {
        self.write(Look::Plain, "", "");
    }

    /// Prints a question without a line end. It stays below all other output until it is answered.
    pub fn question(&self, text: &str) {
        let mut inner = self.inner();
        let text = format!("{}{}", self.who, inner.masks.apply(text));
        inner.clear_bottom();
        inner.bottom.question = Some(text);
        inner.draw_bottom();
    }

    /// Notes that the question was answered. The person at this terminal ended the line as well.
    pub fn answered(&self) {
        let mut inner = self.inner();
        inner.bottom.question = None;
        inner.bottom.is_drawn = false;
    }

    /// Withdraws the question, because it needs no answer any longer.
    pub fn not_asked_any_more(&self) {
        let mut inner = self.inner();
        if inner.bottom.question.take().is_some() && std::mem::take(&mut inner.bottom.is_drawn) {
            let _ = writeln!(inner.out);
        }
    }

    /// Prints lines that belong together, each with its look and indent. Nothing else is printed between them.
    pub fn block(&self, lines: &[(Look, &'static str, String)]) {
        let mut inner = self.inner();
        inner.clear_bottom();
        for (look, indent, text) in lines {
            inner.write(&self.who, *look, indent, text);
        }
        inner.draw_bottom();
    }

    /// Prints one line with an indent.
    pub fn write(&self, look: Look, indent: &str, text: &str) {
        let mut inner = self.inner();
        inner.clear_bottom();
        inner.write(&self.who, look, indent, text);
        inner.draw_bottom();
    }
}

/// Something counts as running for as long as this value lives.
pub struct Runs {
    console: Console,
    number: usize,
}

impl Drop for Runs {
    fn drop(&mut self) {
        self.console.inner().bottom.end(self.number);
    }
}

impl Inner {
    fn write(&mut self, who: &str, look: Look, indent: &str, text: &str) {
        let text = self.masks.apply(text);
        for line in text.split('\n') {
            let line = safe(line.trim_end_matches('\r'), self.colour);
            let line = match (line.is_empty(), self.colour && look != Look::Plain) {
                (true, _) => String::new(),
                (false, true) => format!("{indent}{}{line}\x1b[0m", look.code()),
                (false, false) => format!("{indent}{line}"),
            };
            let line = match (who.is_empty(), self.colour) {
                (true, _) => line,
                (false, true) => format!("{}{who}\x1b[0m{line}", Look::Dim.code()),
                (false, false) => format!("{who}{line}").trim_end().to_owned(),
            };
            // A closed output must not end the rehearsal before it has cleaned up.
            let _ = writeln!(self.out, "{line}");
        }
        self.last_said = Instant::now();
    }

    /// Clears the last line for what is printed next.
    fn clear_bottom(&mut self) {
        if std::mem::take(&mut self.bottom.is_drawn) {
            let end = match self.patience {
                Patience::LiveLine(..) => CLEAR_LINE,
                Patience::Lines(_) => "\n",
            };
            let _ = write!(self.out, "{end}");
        }
    }

    /// Draws the last line: the question, or on a terminal what runs.
    fn draw_bottom(&mut self) {
        let text = match (&self.bottom.question, self.patience) {
            (Some(question), _) => Some(format!("{question} ")),
            (None, Patience::Lines(_)) => None,
            (None, Patience::LiveLine(after, width)) => {
                let text = self.bottom.still_runs(after);
                text.map(|text| text.chars().take(width.saturating_sub(1)).collect())
            }
        };
        if let Some(text) = text {
            let clear = match self.patience {
                Patience::LiveLine(..) => CLEAR_LINE,
                Patience::Lines(_) => "",
            };
            let _ = write!(self.out, "{clear}{text}");
            self.bottom.is_drawn = true;
        }
        let _ = self.out.flush();
    }
}

/// How far a step's output is indented under its heading.
pub const STEP_INDENT: &str = "      ";

/// Returns to the beginning of the line and clears it.
const CLEAR_LINE: &str = "\r\x1b[2K";

/// The width of tables when there is no terminal to ask.
const WIDTH: usize = 120;

/// The number of columns of the terminal.
pub fn width() -> usize {
    let terminal = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    let terminal = terminal.map(|size| usize::from(size.ws_col));
    let said = || std::env::var("COLUMNS").ok()?.parse().ok();
    let width = terminal.filter(|width| *width > 0).or_else(said);
    width.unwrap_or(WIDTH)
}

/// A console that keeps what is printed, for tests.
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
    fn everything_said_is_masked() {
        let (console, text) = captured();
        console.mask("canary");
        console.line(Look::Bold, "a canary");
        let job = console.of("jobs/dev", 10);
        job.write(Look::Plain, STEP_INDENT, "two\n\ncanary lines");
        job.question("canary?");
        job.answered();
        let text = String::from_utf8(text.lock().unwrap().clone()).unwrap();
        assert_eq!(
            text,
            "a ***\njobs/dev   |       two\njobs/dev   |\njobs/dev   |       *** lines\njobs/dev   | ***? "
        );
    }

    #[test]
    fn what_goes_on_is_said_when_nothing_else_is() {
        let (console, text) = captured();
        console.mask("canary");
        let jobs = console.of("jobs/dev", 8);
        let train = jobs.runs("Start job");
        console.still_runs();
        assert_eq!(text.lock().unwrap().len(), 0, "not at once");
        let console = console.with_patience(Patience::Lines(Duration::ZERO));
        let beside = (
            jobs.runs("score"),
            console.of("apps/dev", 8).runs("Publish canary"),
        );
        console.still_runs();
        drop(beside);
        let console = console.with_patience(Patience::LiveLine(Duration::ZERO, 22));
        console.still_runs();
        console.line(Look::Plain, "done");
        drop(train);
        console.line(Look::Plain, "over");
        let text = String::from_utf8(text.lock().unwrap().clone()).unwrap();
        let live = "\r\x1b[2K… jobs/dev: Start job";
        let expected = format!(
            "… jobs/dev: Start job and 1 other, 0 s so far; apps/dev: Publish ***, 0 s so far\n{live}\r\x1b[2Kdone\n{live}\r\x1b[2Kover\n"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn a_question_stays_below_what_is_said_until_it_is_answered() {
        let (console, text) = captured();
        let console = console.with_patience(Patience::LiveLine(Duration::from_secs(60), 80));
        console.question("go on?");
        console.line(Look::Plain, "another job says this");
        console.answered();
        console.line(Look::Plain, "✓ yes");
        console.question("and now?");
        console.not_asked_any_more();
        let text = String::from_utf8(text.lock().unwrap().clone()).unwrap();
        let clear = "\r\x1b[2K";
        assert_eq!(
            text,
            format!(
                "{clear}go on? {clear}another job says this\n{clear}go on? ✓ yes\n{clear}and now? \n"
            )
        );
    }
}
