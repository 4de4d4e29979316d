//! A Domino behind TLS: it accepts HTTP/2 with a certificate of an authority of its own, counts connections, and
//! passes each request to the sandbox.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use h2::server::SendResponse;
use http::{Request, Response};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::harness::http::send_bytes;

/// The body of a reply; whole, in memory.
type Body = std::io::Cursor<Vec<u8>>;

/// Listens until the test ends.
pub struct TlsDoor {
    pub address: String,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    protocols: Mutex<Vec<Vec<u8>>>,
    requests: AtomicUsize,
}

/// An authority that nobody knows but who has its file.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    file: PathBuf,
}

/// A certificate for a server by that name or address.
pub fn certificate_for(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

impl Authority {
    /// A new one, its certificate as PEM in `folder`.
    pub fn new(folder: &Path) -> Self {
        Self::with(CertificateParams::default(), folder)
    }

    /// The same, as `params` have it otherwise.
    pub fn with(mut params: CertificateParams, folder: &Path) -> Self {
        let key = KeyPair::generate().unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let file = folder.join("authority.pem");
        std::fs::write(&file, certificate.pem()).unwrap();
        Self {
            certificate: certificate.der().clone(),
            issuer: Issuer::new(params, key),
            file,
        }
    }

    /// A certificate for a client with its key, as PEM in one file of `folder`.
    pub fn client(&self, folder: &Path) -> PathBuf {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::default()
            .signed_by(&key, &self.issuer)
            .unwrap();
        let file = folder.join("client.pem");
        std::fs::write(&file, certificate.pem() + &key.serialize_pem()).unwrap();
        file
    }

    /// What `--ca-file` and `SSL_CERT_FILE` take.
    pub fn file(&self) -> &str {
        self.file.to_str().unwrap()
    }

    /// A server on loopback in front of `sandbox`, with a certificate for `name`.
    pub fn tls_door(&self, name: &str, sandbox: &str) -> TlsDoor {
        self.server(certificate_for(name), None, sandbox)
    }

    /// The same with a certificate as `params` have it; it demands one of `clients` from whoever comes.
    pub fn server(
        &self,
        params: CertificateParams,
        clients: Option<&Authority>,
        sandbox: &str,
    ) -> TlsDoor {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let tls = match clients {
            None => tls.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.certificate.clone()).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                tls.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let mut tls = tls
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Seen::default());
        let (acceptor, sandbox) = (TlsAcceptor::from(Arc::new(tls)), Arc::from(sandbox));
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let seen = Arc::clone(&shared);
                    tokio::spawn(connection(
                        stream,
                        acceptor.clone(),
                        seen,
                        Arc::clone(&sandbox),
                    ));
                }
            });
        });
        TlsDoor { address, seen }
    }
}

impl TlsDoor {
    /// How many connections came, whether or not they went on to speak.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// How many requests came.
    pub fn requests(&self) -> usize {
        self.seen.requests.load(Ordering::SeqCst)
    }

    /// What the connections that went on agreed to speak.
    pub fn protocols(&self) -> Vec<Vec<u8>> {
        self.seen.protocols.lock().unwrap().clone()
    }
}

async fn connection(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    seen: Arc<Seen>,
    sandbox: Arc<str>,
) -> Option<()> {
    seen.connections.fetch_add(1, Ordering::SeqCst);
    let stream = acceptor.accept(stream).await.ok()?;
    let protocol = stream.get_ref().1.alpn_protocol().unwrap_or_default();
    seen.protocols.lock().unwrap().push(protocol.to_vec());
    let mut connection = h2::server::Builder::new()
        .handshake::<_, Body>(stream)
        .await
        .ok()?;
    while let Some(accepted) = connection.accept().await {
        let (request, respond) = accepted.ok()?;
        seen.requests.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(hand_on(request, respond, Arc::clone(&sandbox)));
    }
    None
}

async fn hand_on(
    request: Request<h2::RecvStream>,
    mut respond: SendResponse<Body>,
    sandbox: Arc<str>,
) -> Option<()> {
    let (head, mut stream) = request.into_parts();
    let mut body = Vec::new();
    while let Some(piece) = stream.data().await {
        body.extend_from_slice(&piece.ok()?);
    }
    let (status, reply) = tokio::task::spawn_blocking(move || {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let headers: Vec<(&str, &str)> = ["authorization", "x-domino-api-key"]
            .into_iter()
            .filter_map(|name| Some((name, head.headers.get(name)?.to_str().ok()?)))
            .collect();
        send_bytes(
            head.method.as_str(),
            &format!("{sandbox}{path}"),
            &headers,
            &body,
        )
    })
    .await
    .ok()?;
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(())
        .ok()?;
    let mut stream = respond.send_response(response, false).ok()?;
    stream
        .send_data(Body::new(reply.to_string().into_bytes()), true)
        .ok()
}
