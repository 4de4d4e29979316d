//! The last line of a console: a question that waits for its answer, or what runs at the moment.
//!
//! It only holds the text; the console decides when to draw it.

use std::time::{Duration, Instant};

/// At most this many jobs are named at once.
const MOST_NAMED: usize = 4;

/// The content of the last line.
#[derive(Debug, Default)]
pub struct Bottom {
    /// The question that is open, if any.
    pub question: Option<String>,
    /// Whether the line is on the screen now.
    pub is_drawn: bool,
    running: Vec<Running>,
    begun: usize,
}

#[derive(Debug)]
struct Running {
    number: usize,
    who: String,
    what: String,
    begun: Instant,
}

impl Bottom {
    /// Notes that something began to run, and returns its number.
    pub fn begin(&mut self, who: &str, what: String) -> usize {
        self.begun += 1;
        self.running.push(Running {
            number: self.begun,
            who: who.to_owned(),
            what,
            begun: Instant::now(),
        });
        self.begun
    }

    /// Notes that the thing with this number ended.
    pub fn end(&mut self, number: usize) {
        self.running.retain(|running| running.number != number);
    }

    /// What has run for at least this long, in one line: the first step of each job, and how many run beside it.
    pub fn still_runs(&self, long: Duration) -> Option<String> {
        let mut jobs: Vec<(&Running, usize)> = Vec::new();
        let running = self.running.iter();
        for running in running.filter(|running| running.begun.elapsed() >= long) {
            match jobs.iter_mut().find(|(first, _)| first.who == running.who) {
                Some((_, others)) => *others += 1,
                None => jobs.push((running, 0)),
            }
        }
        let mut named: Vec<String> = jobs.iter().take(MOST_NAMED).map(in_words).collect();
        match jobs.len().saturating_sub(MOST_NAMED) {
            0 => {}
            1 => named.push("1 other job".to_owned()),
            others => named.push(format!("{others} other jobs")),
        }
        (!named.is_empty()).then(|| format!("… {}", named.join("; ")))
    }
}

fn in_words((first, others): &(&Running, usize)) -> String {
    let Running {
        who, what, begun, ..
    } = first;
    let who = match who.as_str() {
        "" => String::new(),
        who => format!("{who}: "),
    };
    let others = match others {
        0 => String::new(),
        1 => " and 1 other".to_owned(),
        others => format!(" and {others} others"),
    };
    format!(
        "{who}{what}{others}, {} s so far",
        begun.elapsed().as_secs()
    )
}
