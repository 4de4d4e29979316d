//! The HTTP requests that the sandbox itself sends: to the processes that serve models, to another
//! MLflow server, to another sandbox. One connection each, to this machine or a plain address.

use std::io;
use std::path::PathBuf;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderValue, Request, Response, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// Who is asked.
#[derive(Clone, Debug)]
pub(crate) enum Peer {
    /// A process that listens on a socket of this machine.
    Socket(PathBuf),
    /// A host with its port.
    Authority(String),
}

impl Peer {
    /// The peer of an address `http://host[:port][/prefix]`, and the prefix of its paths.
    pub(crate) fn of(address: &str) -> anyhow::Result<(Self, String)> {
        let rest = address.strip_prefix("http://").ok_or_else(|| {
            anyhow::anyhow!("`{address}` is not an address like http://127.0.0.1:5000")
        })?;
        let (authority, prefix) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        anyhow::ensure!(
            !authority.is_empty() && !authority.contains('@'),
            "`{address}` names no host, or a user besides it"
        );
        let port = authority.rsplit_once(':').map(|(_, port)| port);
        let authority = match port {
            Some(port) if port.parse::<u16>().is_ok() => authority.to_owned(),
            _ => format!("{authority}:80"),
        };
        let prefix = prefix.trim_end_matches('/').to_owned();
        Ok((Peer::Authority(authority), prefix))
    }
}

/// Sends `request`, whose address is a path, and reads the whole reply.
pub(crate) async fn send(peer: &Peer, mut request: Request<Body>) -> io::Result<Response<Bytes>> {
    let host = match peer {
        Peer::Socket(_) => "localhost",
        Peer::Authority(authority) => authority,
    };
    let host = HeaderValue::from_str(host).map_err(io::Error::other)?;
    request.headers_mut().insert(header::HOST, host);
    match peer {
        Peer::Socket(path) => exchange(UnixStream::connect(path).await?, request).await,
        Peer::Authority(authority) => {
            let stream = TcpStream::connect(authority).await?;
            stream.set_nodelay(true)?;
            exchange(stream, request).await
        }
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Body>,
) -> io::Result<Response<Bytes>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    let connection = tokio::spawn(connection);
    let reply = async {
        let reply = sender
            .send_request(request)
            .await
            .map_err(io::Error::other)?;
        let (parts, body) = reply.into_parts();
        let body = to_bytes(Body::new(body), usize::MAX)
            .await
            .map_err(io::Error::other)?;
        Ok(Response::from_parts(parts, body))
    };
    let reply = reply.await;
    connection.abort();
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let parts = |address: &str| match Peer::of(address) {
            Ok((Peer::Authority(authority), prefix)) => Some((authority, prefix)),
            _ => None,
        };
        let expected = |authority: &str, prefix: &str| Some((authority.into(), prefix.into()));
        assert_eq!(
            parts("http://127.0.0.1:5000"),
            expected("127.0.0.1:5000", "")
        );
        assert_eq!(
            parts("http://localhost/mlflow/"),
            expected("localhost:80", "/mlflow")
        );
        assert_eq!(parts("http://[::1]:5000"), expected("[::1]:5000", ""));
        assert_eq!(parts("https://127.0.0.1:5000"), None);
        assert_eq!(parts("http://user:word@host"), None);
    }
}
