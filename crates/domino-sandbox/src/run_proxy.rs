//! The two addresses that a run of Domino has on its own machine: the proxy of Domino's API, and the experiment
//! manager. Requests there need no credential, since only the run can reach them; they are passed to the sandbox as
//! the run's, whatever credential they carried. A run's machine is this one, so the experiment manager is at Domino's
//! port while that is free.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::task::JoinHandle;

use crate::account::API_KEY_HEADER;
use crate::outbound::{self, Peer};

/// Where the experiment manager is in a run of Domino.
const EXPERIMENT_MANAGER: u16 = 8768;

/// Both addresses, until it is dropped.
pub(crate) struct RunProxy {
    /// Domino's API.
    pub(crate) api: String,
    /// The experiment manager.
    pub(crate) mlflow: String,
    serving: [JoinHandle<()>; 2],
}

/// Where calls go, and as whose.
struct OnBehalf {
    sandbox: Peer,
    authorization: HeaderValue,
}

impl RunProxy {
    /// Listens for a run with this token, and passes on to the sandbox at `url`.
    pub(crate) fn start(url: &str, token: &str) -> std::io::Result<Self> {
        let (sandbox, _) = Peer::of(url).map_err(std::io::Error::other)?;
        let mut authorization: HeaderValue = format!("Bearer {token}")
            .parse()
            .map_err(std::io::Error::other)?;
        authorization.set_sensitive(true);
        let on_behalf = Arc::new(OnBehalf {
            sandbox,
            authorization,
        });
        let (api, serving_api) = serve(listen(0)?, on_behalf.clone())?;
        let mlflow = listen(EXPERIMENT_MANAGER).or_else(|_| listen(0))?;
        let (mlflow, serving_mlflow) = serve(mlflow, on_behalf)?;
        Ok(RunProxy {
            api,
            mlflow,
            serving: [serving_api, serving_mlflow],
        })
    }
}

impl Drop for RunProxy {
    fn drop(&mut self) {
        self.serving.iter().for_each(JoinHandle::abort);
    }
}

fn listen(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

fn serve(
    listener: TcpListener,
    on_behalf: Arc<OnBehalf>,
) -> std::io::Result<(String, JoinHandle<()>)> {
    listener.set_nonblocking(true)?;
    let url = format!("http://{}", listener.local_addr()?);
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let app = Router::new().fallback(pass).with_state(on_behalf);
    let serving = tokio::spawn(async move {
        // It ends with the run only.
        let _ = axum::serve(listener, app).await;
    });
    Ok((url, serving))
}

/// One call of the run, and its reply.
async fn pass(State(on_behalf): State<Arc<OnBehalf>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let Ok(uri) = path.parse() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    parts.uri = uri;
    for one_hop in [CONNECTION, TRANSFER_ENCODING] {
        parts.headers.remove(one_hop);
    }
    parts.headers.remove(API_KEY_HEADER);
    let authorization = on_behalf.authorization.clone();
    parts.headers.insert(AUTHORIZATION, authorization);
    let request = Request::from_parts(parts, body);
    match outbound::send(&on_behalf.sandbox, request).await {
        Ok(reply) => {
            let (mut parts, body) = reply.into_parts();
            for one_hop in [CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH] {
                parts.headers.remove(one_hop);
            }
            Response::from_parts(parts, Body::from(body))
        }
        Err(problem) => (
            StatusCode::BAD_GATEWAY,
            format!("Domino gave no reply: {problem}"),
        )
            .into_response(),
    }
}
