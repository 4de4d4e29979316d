//! Lets a browser and an app change from HTTP to another protocol through the proxy, as WebSockets do. The proxy then
//! does not read what they send.

use axum::extract::Request;
use axum::http::header::{CONNECTION, UPGRADE};
use axum::http::{HeaderMap, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

/// The protocol that `headers` ask or agree to change to.
pub(super) fn requested(headers: &HeaderMap) -> Option<HeaderValue> {
    let connection = headers.get(CONNECTION)?.to_str().ok()?;
    let mut options = connection.split(',').map(str::trim);
    options
        .any(|option| option.eq_ignore_ascii_case("upgrade"))
        .then(|| headers.get(UPGRADE).cloned())?
}

/// Puts the request, or the consent, into `headers`.
pub(super) fn request(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol);
}

/// The connection on which `request` came, should it change.
pub(super) fn of(request: &mut Request) -> Option<OnUpgrade> {
    request.extensions_mut().remove()
}

/// Joins the two connections once both have changed, until one of them ends.
pub(super) fn join(client: OnUpgrade, app: OnUpgrade) {
    tokio::spawn(async move {
        if let (Ok(client), Ok(app)) = (client.await, app.await) {
            // An end with an error is an end.
            let _ =
                tokio::io::copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(app))
                    .await;
        }
    });
}
