//! reqwest's client, set up: which authorities it trusts, which proxy it uses, and which redirects it follows.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect;

use super::limits::Limits;
use super::proxy::Proxy;
use super::tls::{self, CertificateDemand, ConnectError};

/// How many redirects within the origin are followed.
pub(super) const MOST_REDIRECTS: usize = 5;

/// An HTTP client; `plain` is for this machine only and needs neither TLS nor a proxy.
pub(super) fn http_client(
    limits: &Limits,
    plain: bool,
    proxy: Option<&Proxy>,
    redirects: redirect::Policy,
) -> Result<(reqwest::Client, Arc<CertificateDemand>), ConnectError> {
    let (configuration, demand) = tls::configuration(limits, plain)?;
    let mut builder = reqwest::Client::builder()
        .user_agent(limits.program)
        .timeout(limits.request)
        .connect_timeout(limits.request.min(Duration::from_secs(10)))
        .redirect(redirects)
        .tls_backend_preconfigured(configuration)
        .no_proxy();
    if let Some(proxy) = proxy {
        let proxy = reqwest::Proxy::all(proxy.address())
            .map_err(|problem| ConnectError::Setup(format!("the proxy: {problem}")))?;
        builder = builder.proxy(proxy);
    }
    let client = builder
        .build()
        .map_err(|problem| ConnectError::Setup(format!("HTTP: {problem}")))?;
    Ok((client, demand))
}

/// Follows a redirect that keeps the method, only within the origin that was asked: any other would receive the
/// credential.
pub(super) fn follow_within_the_origin(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let same = attempt
        .previous()
        .last()
        .is_some_and(|from| from.origin() == attempt.url().origin());
    let keeps_method = matches!(attempt.status().as_u16(), 307 | 308);
    if same && keeps_method && attempt.previous().len() < MOST_REDIRECTS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}
