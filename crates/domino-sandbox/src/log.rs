//! The log of a run: its lines with the moment and the kind of each, up to millions of them. `spelling` writes it for
//! each API.

pub(crate) mod spelling;

use crate::clock::Moment;
use crate::locked::Locked;

/// Where a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Domino's own messages while it prepares the run.
    Prepare,
    Stdout,
    Stderr,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) at: Moment,
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

/// Which lines are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineFilter {
    All,
    Only(Kind),
    Output,
}

impl LineFilter {
    fn includes(self, kind: Kind) -> bool {
        match self {
            LineFilter::All => true,
            LineFilter::Only(only) => kind == only,
            LineFilter::Output => kind != Kind::Prepare,
        }
    }
}

/// The lines of one reply, and whether more follow.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LogPage {
    pub(crate) lines: Vec<Line>,
    /// Whether nothing that was wanted follows this page.
    pub(crate) is_last: bool,
}

/// A longer line is split, so that binary output stays readable in pages.
const LONGEST_LINE: usize = 64 << 10;

/// The log of one run. All text is in one string, with a small entry for each line.
#[derive(Default)]
pub(crate) struct Log(Locked<Lines>);

#[derive(Default)]
struct Lines {
    text: String,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    /// Nanoseconds since the epoch, different for each line, because pages are based on them.
    at: u64,
    /// Where the line ends in the text.
    end: usize,
    kind: Kind,
}

impl Log {
    /// Appends `text`, which may be several lines, as said at `now`.
    pub(crate) fn say(&self, kind: Kind, text: &str, now: Moment) {
        let mut lines = self.0.lock();
        for line in text.lines() {
            lines.push(kind, line, now);
        }
    }

    /// Appends the whole lines of `bytes`, and keeps in it what is not yet a line.
    pub(crate) fn take_lines(&self, kind: Kind, bytes: &mut Vec<u8>, now: Moment) {
        let whole = match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => at + 1,
            None if bytes.len() >= LONGEST_LINE => bytes.len(),
            None => return,
        };
        let mut lines = self.0.lock();
        for line in bytes[..whole].split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            lines.push(kind, &String::from_utf8_lossy(line), now);
        }
        drop(lines);
        bytes.drain(..whole);
    }

    /// The page of at most `limit` wanted lines after `after` nanoseconds, `offset` skipped.
    /// The last `withheld` lines of the log are left out.
    pub(crate) fn page(
        &self,
        wanted: LineFilter,
        after: u64,
        offset: usize,
        limit: usize,
        withheld: usize,
    ) -> LogPage {
        let lines = self.0.lock();
        let existing = lines.entries.len().saturating_sub(withheld);
        let first = lines.entries[..existing].partition_point(|entry| entry.at <= after);
        let mut found = (first..existing)
            .filter(|at| wanted.includes(lines.entries[*at].kind))
            .skip(offset);
        let page: Vec<Line> = found
            .by_ref()
            .take(limit)
            .map(|at| lines.line(at))
            .collect();
        LogPage {
            lines: page,
            is_last: withheld == 0 && found.next().is_none(),
        }
    }

    /// The moment after which `lines` more lines come before the one of `after` nanoseconds.
    pub(crate) fn back(&self, after: u64, lines: usize) -> u64 {
        let kept = self.0.lock();
        let first = kept.entries.partition_point(|entry| entry.at <= after);
        match first.checked_sub(lines + 1) {
            Some(at) => kept.entries[at].at,
            None => 0,
        }
    }

    /// The last line of `kind` with any text in it.
    pub(crate) fn last(&self, kind: Kind) -> Option<String> {
        let lines = self.0.lock();
        let mut newest_first = (0..lines.entries.len()).rev();
        newest_first.find_map(|at| {
            let text = lines.text_of(at);
            (lines.entries[at].kind == kind && !text.trim().is_empty()).then(|| text.to_owned())
        })
    }

    /// How many lines there are.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().entries.len()
    }
}

impl Lines {
    fn push(&mut self, kind: Kind, line: &str, now: Moment) {
        let mut rest = line;
        loop {
            let cut = rest.floor_char_boundary(LONGEST_LINE);
            let (piece, after) = rest.split_at(cut);
            self.text.push_str(piece);
            let next = self.entries.last().map_or(0, |last| last.at + 1);
            self.entries.push(Entry {
                at: next.max(now.nanoseconds()),
                end: self.text.len(),
                kind,
            });
            if after.is_empty() {
                return;
            }
            rest = after;
        }
    }

    fn text_of(&self, at: usize) -> &str {
        let start = at
            .checked_sub(1)
            .map_or(0, |before| self.entries[before].end);
        &self.text[start..self.entries[at].end]
    }

    fn line(&self, at: usize) -> Line {
        Line {
            at: Moment::from_nanoseconds(self.entries[at].at),
            kind: self.entries[at].kind,
            text: self.text_of(at).to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(page: &LogPage) -> Vec<&str> {
        page.lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn pages_go_by_the_last_line_seen_and_lose_nothing() {
        let log = Log::default();
        let now = Moment::from_nanoseconds(1000);
        log.say(Kind::Prepare, "getting ready", now);
        log.say(Kind::Stdout, "one\ntwo\nthree", now);
        log.say(Kind::Stderr, "four", now);
        let mut after = 0;
        let mut seen = Vec::new();
        loop {
            let page = log.page(LineFilter::All, after, 0, 2, 0);
            seen.extend(page.lines.iter().map(|line| line.text.clone()));
            after = page
                .lines
                .last()
                .map_or(after, |line| line.at.nanoseconds());
            if page.is_last {
                break;
            }
        }
        assert_eq!(seen, ["getting ready", "one", "two", "three", "four"]);
    }

    #[test]
    fn a_page_holds_what_is_wanted_from_its_offset_on() {
        let log = Log::default();
        let now = Moment::from_nanoseconds(7);
        log.say(Kind::Prepare, "p", now);
        log.say(Kind::Stdout, "a\nb\nc", now);
        log.say(Kind::Stderr, "e", now);
        let output = log.page(LineFilter::Output, 0, 1, 2, 0);
        assert_eq!(texts(&output), ["b", "c"]);
        assert!(!output.is_last);
        let errors = log.page(LineFilter::Only(Kind::Stderr), 0, 0, 10, 0);
        assert_eq!(texts(&errors), ["e"]);
        assert!(errors.is_last);
        let late = log.page(LineFilter::All, 0, 0, 10, 1);
        assert!(!late.is_last && !texts(&late).contains(&"e"));
        assert_eq!(log.last(Kind::Stdout).as_deref(), Some("c"));
    }

    #[test]
    fn no_two_lines_have_the_same_moment() {
        let log = Log::default();
        for _ in 0..100 {
            log.say(Kind::Stdout, "same", Moment::from_nanoseconds(5));
        }
        let page = log.page(LineFilter::All, 0, 0, 1000, 0);
        assert!(page.lines.windows(2).all(|pair| pair[0].at < pair[1].at));
    }

    #[test]
    fn going_back_repeats_that_many_lines() {
        let log = Log::default();
        log.say(Kind::Stdout, "a\nb\nc\nd", Moment::from_nanoseconds(5));
        let third = log.page(LineFilter::All, 0, 2, 1, 0).lines[0]
            .at
            .nanoseconds();
        let after = log.back(third, 2);
        assert_eq!(
            texts(&log.page(LineFilter::All, after, 0, 9, 0)),
            ["b", "c", "d"]
        );
        assert_eq!(log.back(third, 9), 0);
    }

    #[test]
    fn bytes_become_lines_as_they_end() {
        let log = Log::default();
        let now = Moment::from_nanoseconds(7);
        let mut bytes = b"one\r\ntw".to_vec();
        log.take_lines(Kind::Stdout, &mut bytes, now);
        assert_eq!(bytes, b"tw");
        bytes.extend_from_slice(b"o \xff\n");
        log.take_lines(Kind::Stdout, &mut bytes, now);
        assert!(bytes.is_empty());
        let page = log.page(LineFilter::All, 0, 0, 9, 0);
        assert_eq!(texts(&page), ["one", "two \u{fffd}"]);
    }

    #[test]
    fn a_line_without_end_is_cut_in_pieces() {
        let log = Log::default();
        let mut bytes = vec![b'x'; LONGEST_LINE + 10];
        log.take_lines(Kind::Stdout, &mut bytes, Moment::from_nanoseconds(7));
        let page = log.page(LineFilter::All, 0, 0, 9, 0);
        let sizes: Vec<usize> = page.lines.iter().map(|line| line.text.len()).collect();
        assert_eq!(sizes, [LONGEST_LINE, 10]);
    }
}
