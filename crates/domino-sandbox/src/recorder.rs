//! What the sandbox was asked and what it answered, for tests to check. Credentials are removed before recording;
//! after a very long run or very large replies only the newest are kept.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use axum::http::{HeaderMap, Method, Uri};
use serde_json::Value;

use crate::account::{API_KEY_HEADER, Credential};
use crate::locked::Locked;

/// One request and its reply.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The place in the order of arrival, from 0.
    pub number: usize,
    /// Which connection it came on; connections are counted from 0.
    pub connection: usize,
    /// The method, such as `GET`.
    pub method: String,
    /// The path as it was sent, still percent-encoded.
    pub path: String,
    /// The query as it was sent, without the `?`.
    pub query: Option<String>,
    /// The headers, without those that carry credentials; names are in lower case.
    pub headers: Vec<(String, String)>,
    /// Which kind of credential came with it.
    pub credential: Credential,
    /// The user whom the credential named.
    pub user: Option<String>,
    /// The request's body: as JSON if it is JSON, otherwise its text; absent if it is empty.
    pub body: Option<Value>,
    /// The status of the reply; absent while there is none, or if a fault kept it back.
    pub status: Option<u16>,
    /// The reply's content type.
    pub content_type: Option<String>,
    /// The reply's body as [`Recorded::body`]; none when it is empty or too large to keep.
    pub reply: Option<Value>,
    /// The fault that harmed it, by the name it has in a fault file.
    pub fault: Option<&'static str>,
    /// When it arrived, counted from the start of the sandbox.
    pub started: Duration,
    /// When its reply was ready or given up.
    pub ended: Option<Duration>,
}

impl Recorded {
    /// Whether the two were under way at the same time.
    pub fn overlaps(&self, other: &Recorded) -> bool {
        let before = |first: &Recorded, second: &Recorded| {
            first.ended.is_some_and(|ended| ended <= second.started)
        };
        !before(self, other) && !before(other, self)
    }
}

/// Replies beyond this size are not kept.
const LARGEST_REPLY: usize = 4 << 20;
/// The oldest replies are forgotten beyond this sum.
const ALL_REPLIES: usize = 64 << 20;
/// The oldest requests are forgotten beyond this number.
const ALL_REQUESTS: usize = 50_000;

/// The record of a running sandbox.
pub(crate) struct Recorder {
    start: Instant,
    kept: Locked<Kept>,
}

/// A request with its bodies, which are parsed only on request.
struct Entry {
    recorded: Recorded,
    body: Bytes,
    reply: Bytes,
}

#[derive(Default)]
struct Kept {
    requests: VecDeque<Entry>,
    /// How many requests were forgotten, which makes numbers into places in `requests`.
    forgotten: usize,
    reply_bytes: usize,
}

/// What the recorder learns when a request ends.
pub(crate) struct Completion<'a> {
    pub(crate) user: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) reply: Option<Bytes>,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Recorder {
            start: Instant::now(),
            kept: Locked::default(),
        }
    }

    /// Notes the arrival of a request and gives it its number.
    pub(crate) fn arrived(
        &self,
        connection: usize,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> usize {
        let started = self.start.elapsed();
        let mut kept = self.kept.lock();
        let number = kept.forgotten + kept.requests.len();
        let recorded = Recorded {
            number,
            connection,
            method: method.to_string(),
            path: uri.path().to_owned(),
            query: uri.query().map(str::to_owned),
            headers: harmless(headers),
            credential: Credential::of(headers),
            user: None,
            body: None,
            status: None,
            content_type: None,
            reply: None,
            fault: None,
            started,
            ended: None,
        };
        kept.requests.push_back(Entry {
            recorded,
            body: Bytes::new(),
            reply: Bytes::new(),
        });
        if kept.requests.len() > ALL_REQUESTS {
            kept.forget_oldest();
        }
        number
    }

    pub(crate) fn body(&self, number: usize, body: &Bytes) {
        if let Some(entry) = self.kept.lock().at(number) {
            entry.body = body.clone();
        }
    }

    pub(crate) fn fault(&self, number: usize, fault: &'static str) {
        if let Some(entry) = self.kept.lock().at(number) {
            entry.recorded.fault = Some(fault);
        }
    }

    pub(crate) fn ended(&self, number: usize, completion: Completion<'_>) {
        let ended = self.start.elapsed();
        let reply = completion.reply.unwrap_or_default();
        let mut kept = self.kept.lock();
        let Some(entry) = kept.at(number) else {
            return;
        };
        entry.recorded.user = completion.user;
        entry.recorded.status = completion.status;
        entry.recorded.content_type = completion.content_type.map(str::to_owned);
        entry.recorded.ended = Some(ended);
        if reply.len() <= LARGEST_REPLY {
            entry.reply = reply.clone();
            kept.reply_bytes += reply.len();
            kept.forget_replies();
        }
    }

    pub(crate) fn requests(&self) -> Vec<Recorded> {
        let kept = self.kept.lock();
        let entries = kept.requests.iter();
        entries
            .map(|entry| Recorded {
                body: value(&entry.body),
                reply: value(&entry.reply),
                ..entry.recorded.clone()
            })
            .collect()
    }
}

impl Kept {
    fn at(&mut self, number: usize) -> Option<&mut Entry> {
        self.requests.get_mut(number.checked_sub(self.forgotten)?)
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.requests.pop_front() {
            self.forgotten += 1;
            self.reply_bytes -= oldest.reply.len();
        }
    }

    fn forget_replies(&mut self) {
        let mut at = 0;
        while self.reply_bytes > ALL_REPLIES && at < self.requests.len() {
            let forgotten = std::mem::take(&mut self.requests[at].reply);
            self.reply_bytes -= forgotten.len();
            at += 1;
        }
    }
}

fn harmless(headers: &HeaderMap) -> Vec<(String, String)> {
    let secret = [
        AUTHORIZATION.as_str(),
        PROXY_AUTHORIZATION.as_str(),
        COOKIE.as_str(),
        API_KEY_HEADER,
    ];
    headers
        .iter()
        .filter(|(name, _)| !secret.contains(&name.as_str()))
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), value)
        })
        .collect()
}

fn value(bytes: &[u8]) -> Option<Value> {
    if bytes.is_empty() {
        return None;
    }
    let json = serde_json::from_slice(bytes);
    Some(json.unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrive(recorder: &Recorder) -> usize {
        let headers = [
            (AUTHORIZATION, "Bearer canary".parse().unwrap()),
            (
                "x-domino-api-key".parse().unwrap(),
                "canary".parse().unwrap(),
            ),
            ("accept".parse().unwrap(), "*/*".parse().unwrap()),
        ];
        let headers = headers.into_iter().collect();
        recorder.arrived(0, &Method::GET, &"/v4/jobs?x=1".parse().unwrap(), &headers)
    }

    fn end(recorder: &Recorder, number: usize, reply: &[u8]) {
        let completion = Completion {
            user: Some("author".into()),
            status: Some(200),
            content_type: Some("application/json"),
            reply: Some(Bytes::copy_from_slice(reply)),
        };
        recorder.ended(number, completion);
    }

    #[test]
    fn a_request_is_kept_whole_but_for_its_credentials() {
        let recorder = Recorder::new();
        let number = arrive(&recorder);
        recorder.body(number, &Bytes::from_static(br#"{"a":1}"#));
        end(&recorder, number, b"[]");
        let recorded = &recorder.requests()[0];
        assert_eq!(recorded.query.as_deref(), Some("x=1"));
        assert_eq!(recorded.credential, Credential::Several);
        assert_eq!(recorded.headers, [("accept".to_owned(), "*/*".to_owned())]);
        assert_eq!(recorded.body, Some(serde_json::json!({"a": 1})));
        assert_eq!(recorded.reply, Some(serde_json::json!([])));
        assert!(!format!("{recorded:?}").contains("canary"));
    }

    #[test]
    fn requests_that_were_under_way_together_overlap() {
        let recorder = Recorder::new();
        let first = arrive(&recorder);
        let second = arrive(&recorder);
        end(&recorder, first, b"");
        end(&recorder, second, b"");
        let third = arrive(&recorder);
        let requests = recorder.requests();
        assert!(requests[first].overlaps(&requests[second]));
        assert!(!requests[second].overlaps(&requests[third]));
        assert!(!requests[third].overlaps(&requests[first]));
    }

    #[test]
    fn the_oldest_replies_are_forgotten_first() {
        let recorder = Recorder::new();
        let large = format!("\"{}\"", "x".repeat(LARGEST_REPLY - 2));
        for _ in 0..17 {
            let number = arrive(&recorder);
            end(&recorder, number, large.as_bytes());
        }
        let requests = recorder.requests();
        assert!(requests[0].reply.is_none());
        assert!(requests[16].reply.is_some());
    }
}
