//! The one way to speak HTTP to Domino: a `Reader` that only reads, and a `Writer` that changes things.
//!
//! Both use one private `send`, which knows the base URL, the credential, the limits and how to read an answer. It
//! knows no endpoint: those are in `api/`, one noun a file.

mod answer;
mod body;
mod certificate;
mod clock;
mod error;
mod http_client;
mod limits;
mod page;
mod proxy;
mod segment;
mod tls;
mod write_once;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use backon::BackoffBuilder;
use reqwest::{Method, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::body::Body;
use self::certificate::TlsProblem;
pub use self::error::{ApiError, Cause};
use self::http_client::{MOST_REDIRECTS, follow_within_the_origin, http_client};
pub use self::limits::{ClientCertificate, Limits};
pub use self::page::Page;
pub(crate) use self::segment::segment;
pub use self::tls::ConnectError;
pub use self::write_once::{Written, write_once};
use crate::credential::Credential;
use crate::execution_context::ExecutionContext;
use stage_file::Host;

/// How often a read is tried before we give up.
const READ_ATTEMPTS: usize = 5;
/// The longest `Retry-After` that we wait for, in seconds; a longer one is reported instead.
const LONGEST_RETRY_AFTER: u64 = 60;

/// A host and a credential, ready to be asked. Gives out readers and writers.
#[derive(Debug, Clone)]
pub struct Connection(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    /// Whether the server wanted a client certificate that we do not have.
    certificate_demand: Arc<tls::CertificateDemand>,
    /// Whether there was an answer yet.
    was_answered: AtomicBool,
    /// For what is not Domino's API: it follows no redirect at all.
    pages: [OnceLock<reqwest::Client>; 2],
    /// Domino's own address, for links.
    host: Host,
    /// Where requests go: the host, or the proxy of a Domino run in its place.
    asked: Host,
    /// What carries them there, if the environment names one.
    proxy: Option<proxy::Proxy>,
    credential: Credential,
    limits: Limits,
    clock: clock::Clock,
}

/// Asks, and changes nothing: GET only, tried again when the trouble may pass.
#[derive(Debug, Clone)]
pub struct Reader(Arc<Inner>);

/// Changes things. What it sends is never sent again blindly: see [`ApiError::outcome_unknown`].
#[derive(Debug, Clone)]
pub struct Writer(Arc<Inner>, Option<ExecutionContext>);

impl Connection {
    /// Prepares a connection; nothing is sent yet. `host` is Domino's own address, also where a proxy is asked.
    pub fn open(host: Host, credential: Credential, limits: Limits) -> Result<Self, ConnectError> {
        let asked = match &credential {
            Credential::Proxy(proxy) => proxy.clone(),
            _ => host.clone(),
        };
        let plain = asked.as_str().starts_with("http://");
        let variable = |name: &str| std::env::var(name).ok();
        let proxy = match plain {
            true => None,
            false => proxy::Proxy::of(&asked, variable).map_err(ConnectError::Proxy)?,
        };
        if let Some(password) = proxy.as_ref().and_then(proxy::Proxy::password) {
            limits.scrubber.hide(&password);
        }
        let (http, certificate_demand) = http_client(
            &limits,
            plain,
            proxy.as_ref(),
            redirect::Policy::custom(follow_within_the_origin),
        )?;
        Ok(Self(Arc::new(Inner {
            http,
            certificate_demand,
            was_answered: AtomicBool::new(false),
            pages: Default::default(),
            host,
            asked,
            proxy,
            credential,
            limits,
            clock: clock::Clock::default(),
        })))
    }

    /// A connection to another address with another credential, and the same limits. A file of authorities is about
    /// Domino's address: another one, such as GitHub's, may have a certificate of a public authority, and is not shown
    /// the client certificate.
    pub fn beside(&self, host: Host, credential: Credential) -> Result<Self, ConnectError> {
        let mut limits = self.0.limits.clone();
        if host != self.0.asked {
            limits.built_in_too = true;
            limits.client_certificate = None;
        }
        Self::open(host, credential, limits)
    }

    /// Something that can only ask.
    pub fn reader(&self) -> Reader {
        Reader(Arc::clone(&self.0))
    }

    /// Something that can change things; made when a plan is applied, and only then.
    pub fn writer(&self) -> Writer {
        Writer(Arc::clone(&self.0), None)
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
            let error = match self.0.send(Method::GET, path, query, None, None).await {
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

    /// How far the server's clock is ahead of this machine's, by its last answer; nothing before any.
    pub fn clock_ahead(&self) -> jiff::SignedDuration {
        self.0.clock.ahead()
    }
}

impl Writer {
    /// The same, whose writes say to which run they belong.
    pub(crate) fn in_context(&self, context: ExecutionContext) -> Self {
        Self(Arc::clone(&self.0), Some(context))
    }

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
        let body = match body.map(Body::json).transpose() {
            Ok(body) => body,
            Err(cause) => return Err(ApiError::new(method, path, cause)),
        };
        let context = self.1.as_ref();
        self.0
            .send(method, path, query, body.as_ref(), context)
            .await
    }

    /// Sends a text as a file, in this field of a form; whatever a success says is not looked at.
    pub(crate) async fn send_file(
        &self,
        path: &str,
        field: &str,
        (name, text): (&str, &str),
    ) -> Result<(), ApiError> {
        let body = Body::file(field, name, text);
        let context = self.1.as_ref();
        let sent = self.0.send(Method::POST, path, &[], Some(&body), context);
        sent.await.map(drop)
    }
}

impl Inner {
    /// One request, one answer. A status that is no success is an error with the server's own words.
    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Body>,
        context: Option<&ExecutionContext>,
    ) -> Result<answer::Answer, ApiError> {
        let started = Instant::now();
        let result = self
            .exchange(method.clone(), path, query, body, context)
            .await;
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
        body: Option<&Body>,
        context: Option<&ExecutionContext>,
    ) -> Result<answer::Answer, ApiError> {
        let mut url = format!("{}{path}", self.asked.as_str());
        let mut answer = self
            .exchange_once(&method, &url, query, body, context)
            .await?;
        // A write is not followed: most redirects would make a read of it, whose success says nothing.
        let mut redirects = 0;
        while method == Method::GET
            && redirects < MOST_REDIRECTS
            && let Some(next) = answer.moved_within(&url)
        {
            redirects += 1;
            url = next;
            answer = self
                .exchange_once(&method, &url, &[], body, context)
                .await?;
        }
        answer.judged()
    }

    async fn exchange_once(
        &self,
        method: &Method,
        url: &str,
        query: &[(&str, &str)],
        body: Option<&Body>,
        context: Option<&ExecutionContext>,
    ) -> Result<answer::Answer, ApiError> {
        let fail = |cause| ApiError::new(method.clone(), url, cause);
        let mut request = self.http.request(method.clone(), url);
        if !query.is_empty() {
            request = request.query(query);
        }
        match self.credential.header(&self.limits.scrubber) {
            Ok(Some((name, value))) => request = request.header(name, value),
            Ok(None) => {}
            Err(failure) => return Err(fail(Cause::NoCredential(failure.to_string()))),
        }
        for (name, value) in self.credential.headers_of_the_api() {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = body.add_to(request);
        }
        if let Some(context) = context {
            request = request.header(ExecutionContext::HEADER, context.header().clone());
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(problem) => {
                return Err(fail(self.explained(&problem).await));
            }
        };
        self.was_answered.store(true, Ordering::Relaxed);
        let answer =
            answer::Answer::receive(method.clone(), url, response, self.limits.body).await?;
        if let Some(date) = answer.date {
            self.clock.set(date);
        }
        Ok(answer)
    }
}

impl Inner {
    /// What an error of the transport means here; in the words of the proxy where one is in between.
    async fn explained(&self, problem: &reqwest::Error) -> Cause {
        let cause = Cause::from_transport(problem);
        // A connection that was of use is not ended for want of a certificate.
        if self.certificate_demand.was_made() && !self.was_answered.load(Ordering::Relaxed) {
            return Cause::NoTrust(TlsProblem::certificate_demanded());
        }
        let (Some(proxy), Cause::NotConnected(detail)) = (&self.proxy, &cause) else {
            return cause;
        };
        let refusal = proxy.refusal(&self.asked).await;
        Cause::NoTunnel {
            proxy: proxy.to_string(),
            status: refusal.as_ref().map(|refusal| refusal.status),
            words: refusal.map_or_else(|| detail.clone(), |refusal| refusal.words),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
