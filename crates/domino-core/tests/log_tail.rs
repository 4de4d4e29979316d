//! A log that is read as it grows yields every line once and in order, however the server reads "from", how much it
//! returns at once, and when the lines come.

use domino_core::api::logs::{LogEntry, LogPage, LogPosition};
use domino_core::wait::LogTail;
use proptest::prelude::*;

/// A server's log: when each line was written, in nanoseconds, and what it says.
#[derive(Debug, Clone)]
struct Log {
    lines: Vec<(u128, String)>,
    /// Whether "from" means from that line on, or from after it.
    inclusive: bool,
    /// The most lines of a page, whatever is requested.
    page: usize,
    /// How many earlier lines each page repeats.
    repeats: usize,
}

impl Log {
    /// The page from a position on, of the first `there` lines.
    fn page(&self, there: usize, from: &str, limit: usize) -> LogPage {
        let from: u128 = from.parse().unwrap();
        let there = &self.lines[..there];
        let first = there.partition_point(|(at, _)| {
            if self.inclusive {
                *at < from
            } else {
                *at <= from
            }
        });
        let page = self.page.min(limit);
        let lines = there.iter().skip(first.saturating_sub(self.repeats));
        let entries: Vec<_> = lines.take(page).collect();
        LogPage {
            is_complete: there.len() == self.lines.len(),
            pagination: LogPosition {
                latest_time_nano: entries.last().map(|(at, _)| at.to_string()),
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

    /// What is read when so many lines exist at each look.
    fn read(&self, poll: &[usize]) -> Vec<String> {
        let (mut tail, mut read) = (LogTail::default(), Vec::new());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for there in poll.iter().copied().chain([self.lines.len(); 2]) {
            // One read stops after so many pages; everything that exists is read before the next look.
            for _ in 0..=self.lines.len() {
                let page = async |from: &str, limit: usize| Ok(self.page(there, from, limit));
                let line = |line: &str| read.push(line.to_owned());
                runtime.block_on(tail.read(page, line)).unwrap();
                if !tail.has_more() {
                    break;
                }
            }
            assert!(!tail.has_more(), "reading never comes to an end");
        }
        assert!(tail.is_complete());
        read
    }

    fn holds(&self, poll: &[usize]) -> Result<(), TestCaseError> {
        let all: Vec<&String> = self.lines.iter().map(|(_, text)| text).collect();
        let read = self.read(poll);
        prop_assert_eq!(read.iter().collect::<Vec<_>>(), all);
        Ok(())
    }
}

/// Lines, by the time since the previous one and their text.
fn lines(
    apart: impl Strategy<Value = u64>,
    text: impl Strategy<Value = String>,
) -> impl Strategy<Value = Vec<(u128, String)>> {
    prop::collection::vec((apart, text), 0..60).prop_map(|lines| {
        let mut now = 1_760_000_000_000_000_000_u128;
        let at = |(apart, text)| {
            now += u128::from(apart);
            (now, text)
        };
        lines.into_iter().map(at).collect()
    })
}

/// How many lines exist at each look, never fewer than before.
fn poll(lines: usize) -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..=lines, 0..6).prop_map(|mut poll| {
        poll.sort_unstable();
        poll
    })
}

/// Lines written within one millisecond, or far apart, and often the same.
fn any_lines() -> impl Strategy<Value = Vec<(u128, String)>> {
    let apart = prop_oneof![1..5_u64, 1..3_000_000_u64];
    let text = prop_oneof![Just(".".to_owned()), "[ab]", "line [0-9]{1,2}"];
    lines(apart, text)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_line_comes_once_and_in_order(
        (lines, poll) in any_lines().prop_flat_map(|lines| {
            let poll = poll(lines.len());
            (Just(lines), poll)
        }),
        inclusive in any::<bool>(),
        page in 2..40_usize,
    ) {
        Log { lines, inclusive, page, repeats: 0 }.holds(&poll)?;
    }

    #[test]
    fn lines_that_are_sent_again_are_shown_once(
        (lines, poll) in lines(1_000_000..9_000_000_u64, "[a-z]{3}").prop_flat_map(|lines| {
            let poll = poll(lines.len());
            (Just(lines), poll)
        }),
        inclusive in any::<bool>(),
        repeats in 1..6_usize,
        more in 2..20_usize,
    ) {
        Log { lines, inclusive, page: repeats + more, repeats }.holds(&poll)?;
    }
}
