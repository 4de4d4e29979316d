//! Logs as servers return them: with and without the start of a page, in pages of any size, without an end.

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
    for _ in 0..5 {
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

/// A log that has one more line each time it is read.
fn endless(from: &str) -> LogPage {
    let next = from.parse::<u128>().unwrap() + 1_000_000;
    let lines = vec![(next, "more".to_owned())];
    Server {
        lines,
        inclusive: false,
        page: 1,
    }
    .page(from, 1)
}

#[tokio::test]
async fn a_log_that_never_pauses_is_read_ten_pages_at_once() {
    let (mut tail, mut asked) = (LogTail::default(), 0);
    for read in 1..=3 {
        tail.read(
            async |from: &str, _: usize| {
                asked += 1;
                Ok(endless(from))
            },
            |_: &str| {},
        )
        .await
        .unwrap();
        assert_eq!((asked, tail.lines()), (read * 10, read as u64 * 10));
        assert!(tail.has_more() && !tail.is_complete());
    }
    assert!(tail.reaches(jiff::Timestamp::UNIX_EPOCH));
    assert!(!tail.reaches(jiff::Timestamp::now()));
}

#[tokio::test]
async fn the_rest_of_a_log_is_all_that_waits_and_what_comes_late() {
    let lines: Vec<_> = (0..95).map(|n| at(n, &format!("line {n}"))).collect();
    let (mut server, mut asked) = (
        Server {
            lines,
            inclusive: false,
            page: 2,
        },
        0,
    );
    let late = at(200, "late");
    let (mut tail, mut read) = (LogTail::default(), Vec::new());
    tail.rest(
        Duration::from_secs(60),
        0.01,
        async |from: &str, limit: usize| {
            asked += 1;
            if asked == 60 {
                server.lines.push(late.clone());
            }
            let page = server.page(from, limit);
            Ok(LogPage {
                is_complete: asked > 60,
                ..page
            })
        },
        |line: &str| read.push(line.to_owned()),
    )
    .await
    .unwrap();
    assert_eq!(read.len(), 96);
    assert_eq!(read[95], "late");
}

#[tokio::test]
async fn a_log_that_never_says_that_it_is_complete_is_waited_for_no_longer_than_the_grace() {
    let mut tail = LogTail::default();
    let reading = tail.rest(
        Duration::from_millis(30),
        1.0,
        async |_: &str, _: usize| {
            Ok(LogPage {
                entries: Vec::new(),
                is_complete: false,
                pagination: LogPosition::default(),
            })
        },
        |_: &str| {},
    );
    let in_time = tokio::time::timeout(Duration::from_secs(30), reading).await;
    in_time.unwrap().unwrap();
    assert!(!tail.is_complete() && !tail.has_more());
}
