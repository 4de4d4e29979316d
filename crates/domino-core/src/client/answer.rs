//! One answer of the server, read within limits and checked: is it a success, and is it what it claims to be?

use reqwest::{Method, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::error::{ApiError, Cause};

/// At most this many characters of the server's words are kept for a person.
const LONGEST_WORDS: usize = 400;

/// A whole answer, in memory.
#[derive(Debug)]
pub(crate) struct Answer {
    method: Method,
    url: String,
    pub(crate) status: StatusCode,
    content_type: String,
    retry_after: Option<u64>,
    location: Option<String>,
    /// When the server sent it, by the server's own clock.
    pub(super) date: Option<jiff::Timestamp>,
    body: Vec<u8>,
}

impl Answer {
    /// Reads the body; a body of more than `largest_body` bytes is refused.
    pub(super) async fn receive(
        method: Method,
        url: &str,
        mut response: reqwest::Response,
        largest_body: usize,
    ) -> Result<Self, ApiError> {
        let header = |name| {
            response
                .headers()
                .get(name)
                .and_then(|value: &header::HeaderValue| value.to_str().ok())
                .map(str::to_owned)
        };
        let date = header(header::DATE).and_then(|date| super::clock::read(&date));
        let retry_after =
            header(header::RETRY_AFTER).and_then(|value| seconds_until(value.trim(), date));
        let spent = || GitHubLimit::of(|name| response.headers().get(name)?.to_str().ok());
        let retry_after = retry_after.or_else(|| spent()?.seconds_left(date));
        let mut answer = Self {
            url: url.to_owned(),
            status: response.status(),
            content_type: header(header::CONTENT_TYPE)
                .unwrap_or_default()
                .to_ascii_lowercase(),
            retry_after,
            location: header(header::LOCATION),
            date,
            body: Vec::new(),
            method,
        };
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if answer.body.len() + chunk.len() > largest_body => {
                    let problem = format!("more than {largest_body} bytes");
                    return Err(answer.error(Cause::NotUnderstood {
                        problem,
                        excerpt: String::new(),
                    }));
                }
                Ok(Some(chunk)) => answer.body.extend_from_slice(&chunk),
                Ok(None) => return Ok(answer),
                Err(problem) => return Err(answer.error(Cause::from_transport(&problem))),
            }
        }
    }

    /// The target of a redirect that turns any request into a read, if it is within the origin of `url`.
    pub(super) fn moved_within(&self, url: &str) -> Option<String> {
        if !matches!(self.status.as_u16(), 301..=303) {
            return None;
        }
        let from = Url::parse(url).ok()?;
        let to = from.join(self.location.as_deref()?).ok()?;
        (to.origin() == from.origin()).then(|| to.into())
    }

    /// A success stays one unless it is a web page: Domino's ingress answers 200 with its sign-in page.
    pub(super) fn judged(self) -> Result<Self, ApiError> {
        if self.status.is_success() {
            return if self.is_html() {
                Err(self.error(Cause::NotSignedIn))
            } else {
                Ok(self)
            };
        }
        if self.status.is_redirection() {
            let to = self.location.clone().unwrap_or_else(|| "nowhere".into());
            let within = self.moved_within(&self.url).is_some();
            let to = shortened(&to);
            return Err(self.error(Cause::Redirected { to, within }));
        }
        let body: Option<Value> = serde_json::from_slice(&self.body).ok();
        if self.status == StatusCode::CONFLICT
            && let Some(path) = body
                .as_ref()
                .and_then(|b| b.get("redirectPath"))
                .and_then(Value::as_str)
        {
            return Err(self.error(Cause::Relogin {
                path: shortened(path),
            }));
        }
        let request_id = body
            .as_ref()
            .and_then(|b| {
                b.get("requestId")
                    .or_else(|| b.get("metadata")?.get("requestId"))
            })
            .and_then(Value::as_str)
            .map(shortened);
        let code = body
            .as_ref()
            .and_then(|b| b.get("error_code"))
            .and_then(Value::as_str)
            .map(shortened);
        let words = match &body {
            Some(body) => words_of(body),
            None => self.words_without_json(),
        };
        let cause = Cause::Refused {
            status: self.status,
            words,
            code,
            request_id,
            retry_after: self.retry_after,
        };
        Err(self.error(cause))
    }

    /// The body as it came.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// Decodes the body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body).map_err(|problem| {
            let excerpt = if self.is_text() {
                excerpt(&self.body)
            } else {
                format!("{} bytes of {}", self.body.len(), shortened(self.kind()))
            };
            self.error(Cause::NotUnderstood {
                problem: without_its_middle(&problem.to_string()),
                excerpt,
            })
        })
    }

    fn error(&self, cause: Cause) -> ApiError {
        ApiError::new(self.method.clone(), &self.url, cause)
    }

    fn is_html(&self) -> bool {
        self.content_type.starts_with("text/html") && self.body.trim_ascii_start().starts_with(b"<")
    }

    fn is_text(&self) -> bool {
        std::str::from_utf8(&self.body)
            .is_ok_and(|text| !text.chars().any(|c| c.is_control() && !c.is_whitespace()))
    }

    fn kind(&self) -> &str {
        if self.content_type.is_empty() {
            "no content type"
        } else {
            &self.content_type
        }
    }

    /// A web page and binary data are named as such, never shown.
    fn words_without_json(&self) -> Option<String> {
        if self.body.trim_ascii().is_empty() {
            return None;
        }
        if self.is_html() || self.body.trim_ascii_start().starts_with(b"<!") {
            let title = title_of(&String::from_utf8_lossy(&self.body));
            return Some(match title {
                Some(title) => format!("(a web page titled `{title}`)"),
                None => "(a web page)".into(),
            });
        }
        if !self.is_text() {
            return Some(format!("({} bytes of binary data)", self.body.len()));
        }
        Some(excerpt(&self.body))
    }
}

/// The title of a web page, on one line: often all that a proxy or a gateway tells.
pub(super) fn title_of(page: &str) -> Option<String> {
    let start = page.to_ascii_lowercase().find("<title")?;
    let (_, rest) = page.get(start..)?.split_once('>')?;
    let title: Vec<&str> = rest.split('<').next()?.split_whitespace().collect();
    let title = title.join(" ").replace('`', "'");
    (!title.is_empty()).then(|| shortened(&title))
}

/// `Retry-After` is a number of seconds, or a time of day, which is compared with the server's own clock if known.
fn seconds_until(value: &str, now: Option<jiff::Timestamp>) -> Option<u64> {
    if let Ok(seconds) = value.parse() {
        return Some(seconds);
    }
    let then = super::clock::read(value)?;
    let now = now.unwrap_or_else(jiff::Timestamp::now);
    let wait = then.duration_since(now).as_millis().max(0);
    u64::try_from(wait).ok().map(|wait| wait.div_ceil(1000))
}

/// GitHub's limit of requests is used up. GitHub says so by these headers, with 403 as well as with 429.
struct GitHubLimit {
    /// When requests are possible again, in seconds since 1970.
    reset: Option<i64>,
}

impl GitHubLimit {
    fn of<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        (header("x-ratelimit-remaining")?.trim() == "0").then(|| Self {
            reset: header("x-ratelimit-reset").and_then(|at| at.trim().parse().ok()),
        })
    }

    fn seconds_left(&self, now: Option<jiff::Timestamp>) -> Option<u64> {
        let now = now.unwrap_or_else(jiff::Timestamp::now).as_second();
        // If GitHub does not say when, a minute is what its documentation asks for.
        let reset = self.reset.unwrap_or(now + 60);
        u64::try_from((reset - now).max(0)).ok()
    }
}

/// The server's own words, from its several shapes of errors: `errors[]`, `error`, `message`.
fn words_of(body: &Value) -> Option<String> {
    let one = |value: &Value| -> Option<String> {
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Object(object) => object
                .get("message")
                .and_then(Value::as_str)
                .map(str::to_owned),
            _ => None,
        }
    };
    if let Some(errors) = body
        .get("errors")
        .and_then(Value::as_array)
        .filter(|errors| !errors.is_empty())
    {
        let words: Vec<String> = errors.iter().filter_map(one).collect();
        if !words.is_empty() {
            return Some(shortened(&words.join("; ")));
        }
    }
    let words = ["error", "message"]
        .iter()
        .find_map(|key| body.get(key).and_then(one));
    let code = body.get("error_code").and_then(Value::as_str);
    match (code, words) {
        (Some(code), Some(words)) => Some(shortened(&format!("{code}: {words}"))),
        (None, Some(words)) => Some(shortened(&words)),
        (Some(code), None) => Some(shortened(code)),
        (None, None) if body.is_null() => None,
        (None, None) => Some(shortened(&body.to_string())),
    }
}

fn excerpt(body: &[u8]) -> String {
    // Four bytes a character at most: one character more than is kept is enough to tell that something is left out.
    let head = &body[..body.len().min((LONGEST_WORDS + 1) * 4)];
    shortened(String::from_utf8_lossy(head).trim())
}

/// A decoder's message repeats the value that it failed on, which may be endless; what it expected and where is at
/// the end.
fn without_its_middle(text: &str) -> String {
    let half = LONGEST_WORDS / 2;
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= LONGEST_WORDS {
        return shortened(text);
    }
    let end = characters.len() - half;
    let text = |part: &[char]| shortened(&part.iter().collect::<String>());
    let first = whole_words(&characters[..half], characters.get(half));
    let mut rest = &characters[end..];
    if is_of_a_word(characters[end - 1]) {
        let cut = rest.iter().take_while(|c| is_of_a_word(**c)).count();
        rest = &rest[cut..];
    }
    format!("{} … {}", text(first), text(rest))
}

fn shortened(text: &str) -> String {
    let clean: Vec<char> = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST_WORDS + 1)
        .collect();
    match clean.get(LONGEST_WORDS) {
        None => clean.into_iter().collect(),
        next => whole_words(&clean[..LONGEST_WORDS], next)
            .iter()
            .chain(&['…'])
            .collect(),
    }
}

/// The beginning of a text that continues with `next`, without the word that is cut there: a server may repeat the
/// credential, and the scrubber does not recognise half of one.
fn whole_words<'a>(beginning: &'a [char], next: Option<&char>) -> &'a [char] {
    if !next.is_some_and(|next| is_of_a_word(*next)) {
        return beginning;
    }
    let last = beginning.iter().rposition(|c| !is_of_a_word(*c));
    &beginning[..last.map_or(0, |last| last + 1)]
}

/// Whether a credential can contain this character: those of a bearer token.
fn is_of_a_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~+/=".contains(character)
}

#[cfg(test)]
mod tests;
