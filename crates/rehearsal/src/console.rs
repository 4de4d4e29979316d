//! Where a rehearsal speaks: headings, indented step output, marks for results; masked, and safe for a terminal.
//!
//! Jobs speak side by side, so each of their lines says whose it is. On a terminal there is colour, and at the bottom a
//! line that names what runs, or a question; elsewhere there are plain lines. What is said is decided elsewhere.

mod bottom;
mod safe;

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::bottom::Bottom;
use self::safe::{one_line, safe};
use crate::masks::Masks;

/// The one place all output of a rehearsal goes through.
#[derive(Clone)]
pub struct Console {
    inner: Arc<Mutex<Inner>>,
    /// Who speaks, where that must be said, as wide as all who speak.
    who: Arc<str>,
}

struct Inner {
    out: Box<dyn Write + Send>,
    colour: bool,
    masks: Masks,
    patience: Patience,
    /// When something was said last, be it that something still runs.
    last_said: Instant,
    bottom: Bottom,
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
                bottom: Bottom::default(),
            })),
            who: Arc::from(""),
        }
    }

    /// Speaks in the same place, with a name before each line.
    pub fn of(&self, who: &str, width: usize) -> Self {
        Self {
            inner: self.inner.clone(),
            who: format!("{who:width$} | ").into(),
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

    /// Notes that something runs, until what comes back is dropped.
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

    /// Says what runs, when nothing was said for a while.
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

    /// A question: no line end, and the person sees it before answering. It stays below whatever is said until it is
    /// answered.
    pub fn question(&self, text: &str) {
        let mut inner = self.inner();
        let text = format!("{}{}", self.who, inner.masks.apply(text));
        inner.clear_bottom();
        inner.bottom.question = Some(text);
        inner.draw_bottom();
    }

    /// The question was answered. Whoever answered it here ended the line, too.
    pub fn answered(&self) {
        let mut inner = self.inner();
        inner.bottom.question = None;
        inner.bottom.is_drawn = false;
    }

    /// The question needs no answer any more.
    pub fn not_asked_any_more(&self) {
        let mut inner = self.inner();
        if inner.bottom.question.take().is_some() && std::mem::take(&mut inner.bottom.is_drawn) {
            let _ = writeln!(inner.out);
        }
    }

    /// Lines that belong together, each with its look and indent: nothing else is said between them.
    pub fn block(&self, lines: &[(Look, &'static str, String)]) {
        let mut inner = self.inner();
        inner.clear_bottom();
        for (look, indent, text) in lines {
            inner.write(&self.who, *look, indent, text);
        }
        inner.draw_bottom();
    }

    /// A line, indented.
    pub fn write(&self, look: Look, indent: &str, text: &str) {
        let mut inner = self.inner();
        inner.clear_bottom();
        inner.write(&self.who, look, indent, text);
        inner.draw_bottom();
    }
}

/// Something runs as long as this is kept.
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
            // A console that is gone must not end the rehearsal before it has cleaned up.
            let _ = writeln!(self.out, "{line}");
        }
        self.last_said = Instant::now();
    }

    /// Makes room for what is said next.
    fn clear_bottom(&mut self) {
        if std::mem::take(&mut self.bottom.is_drawn) {
            let end = match self.patience {
                Patience::LiveLine(..) => CLEAR_LINE,
                Patience::Lines(_) => "\n",
            };
            let _ = write!(self.out, "{end}");
        }
    }

    /// Shows the question below what was said, or on a terminal what runs.
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
