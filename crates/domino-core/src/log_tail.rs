//! Reading a remote log as it grows: every line once, in constant memory.
//!
//! Domino hands out pages "from" a time in nanoseconds and does not say whether that time itself is included,
//! so this finds out, once, when the first line of a page could be the last one of the page before.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

use crate::api::logs::{LogEntry, LogPage};
use crate::client::ApiError;

/// The most lines that Domino gives at once.
const LARGEST_PAGE: usize = 10_000;
/// How many lines are remembered to recognise one that is sent again.
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
    /// The last lines taken in, in order.
    recent: VecDeque<u64>,
    /// How often each of them was.
    known: HashMap<u64, u32>,
    hasher: RandomState,
    excerpt: VecDeque<String>,
    spoken: bool,
    lines: u64,
}

impl Default for LogTail {
    fn default() -> Self {
        Self {
            position: 0,
            last: None,
            includes_its_start: None,
            complete: false,
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
    /// Reads everything that is there now, page after page, and gives each new line to `line`. `page` asks for
    /// the page from a position on, of at most so many lines. Whether nothing more will come is [`LogTail::is_complete`].
    pub async fn read(
        &mut self,
        mut page: impl AsyncFnMut(&str, usize) -> Result<LogPage, ApiError>,
        mut line: impl FnMut(&str),
    ) -> Result<(), ApiError> {
        loop {
            let from = self.position.to_string();
            let got = page(&from, LARGEST_PAGE).await?;
            if self.includes_its_start.is_none()
                && self.begins_with_the_last(&got)
                && self.advances(&got)
            {
                self.includes_its_start = Some(self.finds_its_start_included(&mut page).await?);
            }
            if !self.take(got, &mut line) {
                return Ok(());
            }
        }
    }

    /// Whether the log said that nothing more will come.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// How many lines were read.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The last lines that say something.
    pub fn excerpt(&self) -> Vec<String> {
        self.excerpt.iter().cloned().collect()
    }

    /// Takes a page in; `true` when another one may be waiting.
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
            // From before where we stand, or from a page that stands still, a known line is one sent again.
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

    /// How many lines at the beginning of a page were the last ones before it. Only a page that begins before where
    /// we stand can tell: equal lines of one millisecond may be new ones.
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

    /// A page of one line from the position ends at the position itself when that is included, and after it
    /// when it is not. A server that gives more than was asked for tells nothing; then the line that looks like
    /// the last one is taken for it.
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

    /// What Domino says while it prepares a run is worth an excerpt only until the run itself speaks.
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
        // A line may be endless; what is kept of it is for a person.
        self.excerpt.push_back(line.chars().take(500).collect());
    }
}

fn position_of(page: &LogPage) -> Option<u128> {
    page.pagination.latest_time_nano.as_deref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::logs::LogPosition;

    /// A server's log: nanoseconds and text. `inclusive` is how it reads "from".
    struct Server {
        lines: Vec<(u128, String)>,
        inclusive: bool,
        page: usize,
    }

    impl Server {
        fn page(&self, from: &str, limit: usize) -> LogPage {
            let from: u128 = from.parse().unwrap();
            let entries: Vec<&(u128, String)> = self
                .lines
                .iter()
                .filter(|(at, _)| {
                    if self.inclusive {
                        *at >= from
                    } else {
                        *at > from
                    }
                })
                .take(self.page.min(limit))
                .collect();
            let latest = entries.last().map_or(from, |(at, _)| *at);
            LogPage {
                is_complete: true,
                pagination: LogPosition {
                    latest_time_nano: Some(latest.to_string()),
                },
                entries: entries
                    .into_iter()
                    .map(|(at, text)| LogEntry {
                        timestamp: i64::try_from(at / 1_000_000).unwrap(),
                        log_type: "stdout".into(),
                        log: format!("{text}\n"),
                    })
                    .collect(),
            }
        }
    }

    async fn read_all(server: &Server) -> Vec<String> {
        let (mut tail, mut lines) = (LogTail::default(), Vec::new());
        for _ in 0..3 {
            tail.read(
                async |from: &str, limit: usize| Ok(server.page(from, limit)),
                |line: &str| lines.push(line.to_owned()),
            )
            .await
            .unwrap();
        }
        assert!(tail.is_complete());
        lines
    }

    fn at(nanoseconds: u128, text: &str) -> (u128, String) {
        (1_760_000_000_000_000_000 + nanoseconds, text.to_owned())
    }

    #[tokio::test]
    async fn every_line_comes_once_however_the_server_reads_from() {
        for inclusive in [false, true] {
            for page in [2, 3, 7, 100] {
                let lines: Vec<_> = (0..50).map(|n| at(n, &format!("line {n}"))).collect();
                let server = Server {
                    lines,
                    inclusive,
                    page,
                };
                let read = read_all(&server).await;
                assert_eq!(read.len(), 50, "inclusive {inclusive}, pages of {page}");
                assert_eq!(read[49], "line 49");
            }
        }
    }

    #[tokio::test]
    async fn equal_lines_of_one_millisecond_are_neither_lost_nor_doubled() {
        for inclusive in [false, true] {
            for page in [2, 3, 10, 100] {
                let lines: Vec<_> = (0..40).map(|n| at(n, ".")).collect();
                let server = Server {
                    lines,
                    inclusive,
                    page,
                };
                assert_eq!(
                    read_all(&server).await.len(),
                    40,
                    "inclusive {inclusive}, pages of {page}"
                );
            }
        }
    }

    #[tokio::test]
    async fn a_page_that_is_sent_again_adds_nothing() {
        let server = Server {
            lines: (0..5).map(|n| at(n * 1_000_000, "x")).collect(),
            inclusive: false,
            page: 100,
        };
        let (mut tail, mut count) = (LogTail::default(), 0);
        for _ in 0..3 {
            tail.read(
                async |_: &str, limit: usize| Ok(server.page("0", limit)),
                |_: &str| count += 1,
            )
            .await
            .unwrap();
        }
        assert_eq!(count, 5);
    }

    #[tokio::test]
    async fn an_entry_of_several_lines_is_several_lines() {
        let server = Server {
            lines: vec![at(1, "a\nb")],
            inclusive: false,
            page: 10,
        };
        assert_eq!(read_all(&server).await, ["a", "b"]);
    }
}
