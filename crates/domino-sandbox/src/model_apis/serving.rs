//! The process that serves a version: python with a small server of the sandbox's, listening on a socket that only
//! this user can reach. It has the endpoint's own environment variables and hardly anything else; in particular
//! nothing that opens the API.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::net::UnixStream;

use super::model_api::ModelApi;
use super::version::{ModelApiVersion, Process};
use crate::host::Host;
use crate::log::Log;
use crate::outbound::{self, Peer};
use crate::process::{self, Running, Task};

const SERVER: &str = include_str!("serve.py");

/// Writes the server and what it is to serve into `folder`, beside the model.
pub(super) fn prepare(folder: &Path, what: Value, logs_requests: bool) -> io::Result<()> {
    let mut config = what;
    config["log-requests"] = logs_requests.into();
    std::fs::create_dir_all(folder.join("model"))?;
    std::fs::write(folder.join("serve.py"), SERVER)?;
    std::fs::write(folder.join("config.json"), config.to_string())
}

/// Whether python can load the model; what it says goes into the log of the build.
pub(super) async fn check(
    host: &Host,
    api: &ModelApi,
    version: &ModelApiVersion,
    folder: &Path,
) -> io::Result<bool> {
    let mut running = start_python(host, api, folder, "check", version.build_log.clone())?;
    Ok(running.ended().await?.success())
}

/// Starts the process that serves.
pub(super) fn start(
    host: &Host,
    api: &ModelApi,
    version: &ModelApiVersion,
    folder: &Path,
) -> io::Result<(Running, Process)> {
    let socket = host.new_socket()?;
    let config = folder.join("config.json");
    let mut what: Value = serde_json::from_slice(&std::fs::read(&config)?)?;
    what["socket"] = json!(socket);
    std::fs::write(config, what.to_string())?;
    let log = version.instance_log.clone();
    let running = start_python(host, api, folder, "serve", log)?;
    let id = running.id();
    Ok((running, Process { id, socket }))
}

/// Waits until the process listens.
pub(super) async fn listens(process: &Process) {
    while UnixStream::connect(&process.socket).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Has the process answer one request.
pub(super) async fn call(process: &Process, body: Bytes) -> io::Result<(StatusCode, Value)> {
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = Method::POST;
    let peer = Peer::Socket(process.socket.clone());
    let reply = outbound::send(&peer, request).await?;
    let (parts, body) = reply.into_parts();
    Ok((parts.status, serde_json::from_slice(&body)?))
}

fn start_python(
    host: &Host,
    api: &ModelApi,
    folder: &Path,
    mode: &str,
    log: Arc<Log>,
) -> io::Result<Running> {
    let mut variables = api.environment_variables.clone();
    for (name, value) in [("PYTHONUNBUFFERED", "1"), ("PYTHONDONTWRITEBYTECODE", "1")] {
        if !variables.iter().any(|(known, _)| known == name) {
            variables.push((name.to_owned(), value.to_owned()));
        }
    }
    let command = format!(
        "exec python3 {} {mode} {}",
        process::quoted(&folder.join("serve.py").to_string_lossy()),
        process::quoted(&folder.join("config.json").to_string_lossy())
    );
    let task = Task {
        command: &command,
        folder: &folder.join("model"),
        variables,
        proxy: None,
    };
    process::start(&host.processes, task, log)
}
