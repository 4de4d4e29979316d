//! Reads a remote log as it grows: every line once, in constant memory.
//!
//! Domino returns pages "from" a time in nanoseconds and does not say whether that time itself is included. So this
//! finds out, once, when the first line of a page could be the last one of the page before.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::{Poll, Span};
use crate::api::logs::{LogEntry, LogPage};
use crate::client::{ApiError, Reader};
use crate::error::CommandError;

/// The most lines that Domino returns at once.
const LARGEST_PAGE: usize = 10_000;
/// How many pages are read at once: whoever follows a log that never pauses must also get to look at its writer.
const PAGES: usize = 10;
/// How long reading the rest of a log may take.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// How many lines are remembered to recognise repeated ones.
const REMEMBERED: usize = 50_000;
/// How many of the last lines are kept for an excerpt.
const EXCERPT: usize = 20;

/// How far a log has been read.
#[derive(Debug)]
pub struct LogTail {
    position: u128,
    last: Option<LogEntry>,
    includes_its_start: Option<bool>,
    complete: bool,
    /// Whether more lines may be waiting than have been read.
    more: bool,
    /// The last lines that were read, in order.
    recent: VecDeque<u64>,
    /// How often each of them occurred.
    known: HashMap<u64, u32>,
    hasher: RandomState,
    excerpt: VecDeque<String>,
    spoken: bool,
    lines: u64,
}

/// What is known about the writer of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogWriter {
    /// It may write more.
    Runs,
    /// It has ended; its last lines may still come late.
    Over,
    /// Only the log itself says when it is complete.
    Unknown,
}

/// How much of a log is printed.
#[derive(Debug)]
pub struct LogPrint<'a> {
    /// Knows the server's time, and how pauses are scaled.
    pub reader: &'a Reader,
    /// Whether to read on until the writer has ended; otherwise what exists now is enough.
    pub follow: bool,
    /// What is known about the writer before the first look.
    pub writer: LogWriter,
    /// How long lines may come late once the writer has ended.
    pub grace: Duration,
}

impl LogWriter {
    /// A writer that has ended if `is_over` says so, and may write more if not.
    pub fn over_if(is_over: bool) -> Self {
        match is_over {
            true => Self::Over,
            false => Self::Runs,
        }
    }
}

impl Default for LogTail {
    fn default() -> Self {
        Self {
            position: 0,
            last: None,
            includes_its_start: None,
            complete: false,
            more: false,
            recent: VecDeque::new(),
            known: HashMap::new(),
            hasher: RandomState::new(),
            excerpt: VecDeque::new(),
            spoken: false,
            lines: 0,
        }
    }
}

impl LogTail {
    /// Reads what exists now, at most ten pages, and passes each new line to `line`. `page` requests the page from a
    /// position on, with at most so many lines. [`LogTail::has_more`] tells whether more is waiting,
    /// [`LogTail::is_complete`] whether nothing more will come.
    pub async fn read(
        &mut self,
        mut page: impl AsyncFnMut(&str, usize) -> Result<LogPage, ApiError>,
        mut line: impl FnMut(&str),
    ) -> Result<(), ApiError> {
        self.more = true;
        for _ in 0..PAGES {
            let from = self.position.to_string();
            let got = page(&from, LARGEST_PAGE).await?;
            if self.includes_its_start.is_none()
                && self.begins_with_the_last(&got)
                && self.advances(&got)
            {
                self.includes_its_start = Some(self.finds_its_start_included(&mut page).await?);
            }
            self.more = self.take(got, &mut line);
            if !self.more {
                break;
            }
        }
        Ok(())
    }

    /// Reads the rest of a log whose writer has ended: everything that is waiting, and for `grace` what comes late,
    /// unless the log says earlier that it is complete. Pauses are multiplied by `delay_scale`.
    pub async fn rest(
        &mut self,
        grace: Duration,
        delay_scale: f64,
        mut page: impl AsyncFnMut(&str, usize) -> Result<LogPage, ApiError>,
        mut line: impl FnMut(&str),
    ) -> Result<(), ApiError> {
        let mut poll = Poll::until(grace, delay_scale);
        loop {
            self.read(&mut page, &mut line).await?;
            if self.is_complete() || !self.more && !poll.next().await {
                return Ok(());
            }
        }
    }

    /// The same, with thirty seconds at most. The error says why the log was not read to its end.
    pub async fn finish(
        &mut self,
        grace: Duration,
        delay_scale: f64,
        page: impl AsyncFnMut(&str, usize) -> Result<LogPage, ApiError>,
        line: impl FnMut(&str),
    ) -> Result<(), String> {
        let rest = self.rest(grace, delay_scale, page, line);
        match tokio::time::timeout(LONGEST_REST, rest).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(format!("{:#}", CommandError::from(error))),
            Err(_) => Err(format!("it goes on {} after", Span(LONGEST_REST))),
        }
    }

    /// Prints a log as far as `how` says; `look` tells whether its writer has ended. It ends early, without an error,
    /// if a line can no longer be printed.
    pub async fn print(
        &mut self,
        how: LogPrint<'_>,
        mut look: impl AsyncFnMut() -> Result<LogWriter, ApiError>,
        mut page: impl AsyncFnMut(&str, usize) -> Result<LogPage, ApiError>,
        mut print: impl FnMut(&str) -> std::io::Result<()>,
    ) -> Result<(), ApiError> {
        let (began, delay_scale) = (how.reader.now(), how.reader.delay_scale());
        let (mut poll, mut writer) = (Poll::forever(delay_scale), how.writer);
        loop {
            if how.follow && writer == LogWriter::Runs {
                writer = look().await?;
            }
            let mut is_open = true;
            let line = |text: &str| is_open = is_open && print(text).is_ok();
            self.read(&mut page, line).await?;
            let ended = writer == LogWriter::Over;
            // A running writer may be faster than we read; what it writes after we began was not asked for.
            let enough = !self.more || (!how.follow && !ended && self.reaches(began));
            let complete = writer == LogWriter::Unknown && self.is_complete();
            // The reader of our stdout has seen enough, `head` for example.
            if !is_open || complete || (enough && !how.follow) {
                return Ok(());
            }
            if enough && ended {
                let line = |text: &str| drop(print(text));
                return self.rest(how.grace, delay_scale, page, line).await;
            }
            if enough {
                poll.next().await;
            }
        }
    }

    /// Whether the log said that it is complete.
    pub fn is_complete(&self) -> bool {
        self.complete && !self.more
    }

    /// Whether more lines may be waiting: there were more pages than are read at once, or one did not arrive.
    pub fn has_more(&self) -> bool {
        self.more
    }

    /// Whether what was read reaches this moment of the server's clock.
    pub fn reaches(&self, moment: jiff::Timestamp) -> bool {
        u128::try_from(moment.as_nanosecond()).is_ok_and(|moment| self.position >= moment)
    }

    /// How many lines were read.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The last lines that are not empty.
    pub fn excerpt(&self) -> Vec<String> {
        self.excerpt.iter().cloned().collect()
    }

    /// Takes in a page; `true` if another one may be waiting.
    fn take(&mut self, page: LogPage, line: &mut impl FnMut(&str)) -> bool {
        let next = position_of(&page).unwrap_or(0);
        let advances = next > self.position;
        let start_ms = i64::try_from(self.position / 1_000_000).unwrap_or(i64::MAX);
        let again = match self.sent_again(&page, start_ms) {
            0 if self.includes_its_start == Some(true) && self.begins_with_the_last(&page) => 1,
            again => again,
        };
        let mut anything = false;
        for entry in page.entries.into_iter().skip(again) {
            // In a page that begins before our position, or does not advance, a known line is a repeated one.
            let maybe_again = self.position > 0 && (entry.timestamp < start_ms || !advances);
            let hash = self.hasher.hash_one(&entry);
            if maybe_again && self.known.contains_key(&hash) {
                continue;
            }
            anything = true;
            self.remember(hash);
            self.meet(&entry);
            for text in entry.log.trim_end_matches(['\n', '\r']).split('\n') {
                self.lines += 1;
                self.keep(text);
                line(text);
            }
            if advances || entry.timestamp >= start_ms {
                self.last = Some(entry);
            }
        }
        self.position = self.position.max(next);
        self.complete = page.is_complete;
        anything && advances
    }

    fn advances(&self, page: &LogPage) -> bool {
        position_of(page).is_some_and(|next| next > self.position)
    }

    fn begins_with_the_last(&self, page: &LogPage) -> bool {
        self.last.is_some() && page.entries.first() == self.last.as_ref()
    }

    /// How many lines at the beginning of a page are repeated. Only a page that begins before our position can tell:
    /// equal lines of one millisecond may be new ones.
    fn sent_again(&self, page: &LogPage, start_ms: i64) -> usize {
        let goes_back = |first: &LogEntry| first.timestamp < start_ms;
        if self.position == 0 || !page.entries.first().is_some_and(goes_back) {
            return 0;
        }
        let hashes = page.entries.iter().map(|entry| self.hasher.hash_one(entry));
        let hashes: Vec<u64> = hashes.take(self.recent.len()).collect();
        let longest_first = (1..=hashes.len()).rev();
        let mut overlaps = longest_first.filter(|length| {
            let end = self.recent.range(self.recent.len() - length..);
            end.eq(&hashes[..*length])
        });
        overlaps.next().unwrap_or(0)
    }

    /// A page of one line from the position ends at the position itself if that is included, and after it if not. A
    /// server that returns more than was asked for tells nothing; then the line that looks like the last one counts
    /// as that one.
    async fn finds_its_start_included(
        &self,
        page: &mut impl AsyncFnMut(&str, usize) -> Result<LogPage, ApiError>,
    ) -> Result<bool, ApiError> {
        let one = page(&self.position.to_string(), 1).await?;
        Ok(one.entries.len() != 1 || position_of(&one) == Some(self.position))
    }

    fn remember(&mut self, hash: u64) {
        self.recent.push_back(hash);
        *self.known.entry(hash).or_default() += 1;
        if self.recent.len() > REMEMBERED
            && let Some(oldest) = self.recent.pop_front()
            && let Some(times) = self.known.get_mut(&oldest)
        {
            *times -= 1;
            if *times == 0 {
                self.known.remove(&oldest);
            }
        }
    }

    /// Domino's own lines while it prepares a run are worth an excerpt only until the run itself prints.
    fn meet(&mut self, entry: &LogEntry) {
        if !self.spoken && matches!(entry.log_type.as_str(), "stdout" | "stderr") {
            self.spoken = true;
            self.excerpt.clear();
        }
    }

    fn keep(&mut self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        if self.excerpt.len() == EXCERPT {
            self.excerpt.pop_front();
        }
        // A line may be endless; only its beginning is kept, for a person.
        self.excerpt.push_back(line.chars().take(500).collect());
    }
}

fn position_of(page: &LogPage) -> Option<u128> {
    page.pagination.latest_time_nano.as_deref()?.parse().ok()
}

#[cfg(test)]
mod tests;
