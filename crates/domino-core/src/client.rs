//! The one way to speak HTTP to Domino: a `Reader` that only asks, and a `Writer` that changes things.
//!
//! Both stand on one private `send`, which knows the base URL, the credential, the limits and how to read an
//! answer. It knows no endpoint: those are in `api/`, one noun a file.

mod answer;
mod clock;
mod error;
mod page;
mod segment;
mod tls;
mod write_once;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use backon::BackoffBuilder;
use reqwest::{Method, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::error::{ApiError, Cause};
pub use self::page::Page;
pub(crate) use self::segment::segment;
pub use self::tls::ConnectError;
pub use self::write_once::{Written, write_once};
use crate::credential::Credential;
use crate::scrubber::Scrubber;
use stage_file::Host;

/// How often a read is tried before we give up.
const READ_ATTEMPTS: usize = 5;
/// The longest `Retry-After` that we wait for, in seconds; a longer one is reported instead.
const LONGEST_RETRY_AFTER: u64 = 60;

/// Limits and taste of a connection.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long one request may take, from the first byte sent to the last received.
    pub request: Duration,
    /// The most bytes of an answer's body that are read. A page of ten thousand log lines is some megabytes.
    pub body: usize,
    /// What every pause is multiplied with; 1 for people, less in tests.
    pub delay_scale: f64,
    /// A file with further certificate authorities, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Whether each request is named on stderr.
    pub verbose: bool,
    /// What learns of every credential that is sent, and makes harmless what is said.
    pub scrubber: Scrubber,
    /// Who is asking: `deploy-job/0.1.0`.
    pub program: &'static str,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(30),
            body: 64 * 1024 * 1024,
            delay_scale: 1.0,
            ca_file: None,
            verbose: false,
            scrubber: Scrubber::default(),
            program: concat!("domino-core/", env!("CARGO_PKG_VERSION")),
        }
    }
}

/// A host and a credential, ready to be asked. Gives out readers and writers.
#[derive(Debug, Clone)]
pub struct Connection(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    /// For what is not Domino's API: it follows no redirect at all.
    pages: OnceLock<reqwest::Client>,
    /// Domino's own address, for links.
    host: Host,
    /// Where requests go: the host, or the proxy in its place.
    asked: Host,
    credential: Credential,
    limits: Limits,
    clock: clock::Clock,
}

/// Asks, and changes nothing: GET only, tried again when the trouble may pass.
#[derive(Debug, Clone)]
pub struct Reader(Arc<Inner>);

/// Changes things. What it sends is never sent again blindly: see [`ApiError::outcome_unknown`].
#[derive(Debug, Clone)]
pub struct Writer(Arc<Inner>);

impl Connection {
    /// Prepares a connection; nothing is sent yet. `host` is Domino's own address, also where a proxy is asked.
    pub fn open(host: Host, credential: Credential, limits: Limits) -> Result<Self, ConnectError> {
        let asked = match &credential {
            Credential::Proxy(proxy) => proxy.clone(),
            _ => host.clone(),
        };
        let plain = asked.as_str().starts_with("http://");
        let http = http_client(
            &limits,
            plain,
            redirect::Policy::custom(follow_within_the_origin),
        )?;
        Ok(Self(Arc::new(Inner {
            http,
            pages: OnceLock::new(),
            host,
            asked,
            credential,
            limits,
            clock: clock::Clock::default(),
        })))
    }

    /// A connection to another address with another credential, and the same limits.
    pub fn beside(&self, host: Host, credential: Credential) -> Result<Self, ConnectError> {
        Self::open(host, credential, self.0.limits.clone())
    }

    /// Something that can only ask.
    pub fn reader(&self) -> Reader {
        Reader(Arc::clone(&self.0))
    }

    /// Something that can change things; made when a plan is applied, and only then.
    pub fn writer(&self) -> Writer {
        Writer(Arc::clone(&self.0))
    }

    /// The host, for links.
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    /// What kind of credential is used.
    pub fn credential(&self) -> &Credential {
        &self.0.credential
    }

    /// What every pause is multiplied with.
    pub fn delay_scale(&self) -> f64 {
        self.0.limits.delay_scale
    }
}

impl Reader {
    /// GET `path` with `query`, decoded as JSON.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, ApiError> {
        self.answer(path, query).await?.json()
    }

    /// The same, but a 404 is `None`.
    pub(crate) async fn read_if_there<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Option<T>, ApiError> {
        match self.answer(path, query).await {
            Ok(answer) => answer.json().map(Some),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// GET, tried again with growing pauses on what may pass: no connection, 408, 429, 502, 503, 504.
    pub(crate) async fn answer(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<answer::Answer, ApiError> {
        let mut pauses = backon::ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(300))
            .with_max_delay(Duration::from_secs(8))
            .with_max_times(READ_ATTEMPTS - 1)
            .with_jitter()
            .build();
        loop {
            let error = match self.0.send(Method::GET, path, query, None).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(pause) = error.is_retryable().then(|| pauses.next()).flatten() else {
                return Err(error);
            };
            let pause = match error.retry_after() {
                Some(seconds) if seconds > LONGEST_RETRY_AFTER => return Err(error),
                Some(seconds) => Duration::from_secs(seconds),
                None => pause,
            };
            tokio::time::sleep(pause.mul_f64(self.0.limits.delay_scale)).await;
        }
    }

    /// The host, for links.
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    /// What every pause is multiplied with.
    pub fn delay_scale(&self) -> f64 {
        self.0.limits.delay_scale
    }

    /// What time it is for the server, by its last answer; this machine's time before any. A span between this
    /// and a time that the server tells is right also where this machine's clock is not.
    pub fn now(&self) -> jiff::Timestamp {
        self.0.clock.now()
    }
}

impl Writer {
    /// Something that can only ask, over the same connection.
    pub fn reader(&self) -> Reader {
        Reader(Arc::clone(&self.0))
    }

    /// Sends `body` once and decodes the reply.
    pub(crate) async fn write<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<T, ApiError> {
        self.answer(method, path, &[], body).await?.json()
    }

    /// Sends `body` once; whatever a success says is not looked at.
    pub(crate) async fn write_only<B: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<(), ApiError> {
        self.answer(method, path, &[], body).await.map(drop)
    }

    /// Sends `body` once and gives the answer undecoded.
    pub(crate) async fn answer<B: Serialize>(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&B>,
    ) -> Result<answer::Answer, ApiError> {
        let body = match body.map(serde_json::to_value).transpose() {
            Ok(body) => body,
            Err(problem) => {
                let cause = Cause::NotUnderstood {
                    problem: format!("our own body: {problem}"),
                    excerpt: String::new(),
                };
                return Err(ApiError::new(method, path, cause));
            }
        };
        self.0.send(method, path, query, body.as_ref()).await
    }
}

impl Inner {
    /// One request, one answer. A status that is no success is an error with the server's own words.
    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&serde_json::Value>,
    ) -> Result<answer::Answer, ApiError> {
        let started = Instant::now();
        let result = self.exchange(method.clone(), path, query, body).await;
        if self.limits.verbose {
            let outcome = match &result {
                Ok(answer) => answer.status.as_u16().to_string(),
                Err(error) => error.cause.in_short(),
            };
            let milliseconds = started.elapsed().as_millis();
            self.limits.scrubber.say(&format!(
                "  {method} {path} → {outcome} ({milliseconds} ms)"
            ));
        }
        result
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&serde_json::Value>,
    ) -> Result<answer::Answer, ApiError> {
        let url = format!("{}{path}", self.asked.as_str());
        let fail = |cause| ApiError::new(method.clone(), &url, cause);
        let mut request = self.http.request(method.clone(), &url);
        if !query.is_empty() {
            request = request.query(query);
        }
        match self.credential.header(&self.limits.scrubber) {
            Ok(Some((name, value))) => request = request.header(name, value),
            Ok(None) => {}
            Err(failure) => return Err(fail(Cause::NoCredential(failure.to_string()))),
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .map_err(|problem| fail(Cause::from_transport(&problem)))?;
        let answer =
            answer::Answer::receive(method.clone(), &url, response, self.limits.body).await?;
        if let Some(date) = answer.date {
            self.clock.set(date);
        }
        answer.judged()
    }
}

/// A client of HTTP; `plain` when it is for this machine only and needs neither TLS nor a proxy.
fn http_client(
    limits: &Limits,
    plain: bool,
    redirects: redirect::Policy,
) -> Result<reqwest::Client, ConnectError> {
    let mut builder = reqwest::Client::builder()
        .user_agent(limits.program)
        .timeout(limits.request)
        .connect_timeout(limits.request.min(Duration::from_secs(10)))
        .redirect(redirects)
        .tls_backend_preconfigured(tls::configuration(limits.ca_file.as_deref(), plain)?);
    if plain {
        builder = builder.no_proxy();
    }
    builder
        .build()
        .map_err(|problem| ConnectError::Setup(format!("HTTP: {problem}")))
}

/// A redirect is followed only to the origin that was asked: anywhere else would be handed the credential.
fn follow_within_the_origin(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let same = attempt
        .previous()
        .last()
        .is_some_and(|from| from.origin() == attempt.url().origin());
    if same && attempt.previous().len() < 5 {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

#[cfg(test)]
pub(crate) mod tests;
