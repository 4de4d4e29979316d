//! Takes one version from its build to the end of its process. The version that answered before
//! goes on answering until this one does; only then it stops.

use std::sync::Arc;

use tempfile::TempDir;

use super::serving;
use super::status::{Build, Status};
use super::{ModelApi, Version, build};
use crate::domino::Domino;
use crate::log::Kind;

/// How a deployment came to its end.
enum End {
    /// The build is all there was to do, or a fault lets nothing more happen.
    Stays,
    Stopped,
    Failed(String),
}

/// Builds `version` and serves it until it stops or dies.
pub(super) async fn run(domino: Arc<Domino>, api: Arc<ModelApi>, version: Arc<Version>) {
    let end = walk(&domino, &api, &version).await;
    finish(&version, end);
}

/// Serves a version again from the `folder` that it was built in.
pub(super) async fn again(
    domino: Arc<Domino>,
    api: Arc<ModelApi>,
    version: Arc<Version>,
    folder: Arc<TempDir>,
) {
    // It may have been told to stop when it had ended already.
    tokio::select! {
        biased;
        () = version.stopping.notified() => {}
        () = std::future::ready(()) => {}
    }
    let end = served(&domino, &api, &version, folder.path()).await;
    finish(&version, end);
}

fn finish(version: &Version, end: End) {
    match end {
        End::Stays => {}
        End::Stopped => version.enter(Status::Stopped),
        End::Failed(why) => version.fail(why),
    }
}

async fn walk(domino: &Arc<Domino>, api: &Arc<ModelApi>, version: &Arc<Version>) -> End {
    let folder = tempfile::Builder::new()
        .prefix(&format!("{}-", version.id))
        .tempdir_in(domino.folder.path().join("runs"));
    let folder = match folder {
        Ok(folder) => folder,
        Err(problem) => return End::Failed(format!("No folder for the version: {problem}")),
    };
    let built = tokio::select! {
        biased;
        () = version.stopping.notified() => return End::Stopped,
        built = built(domino, api, version, folder.path()) => built,
    };
    if let Err(end) = built {
        return end;
    }
    let folder = Arc::new(folder);
    version.keep(folder.clone());
    served(domino, api, version, folder.path()).await
}

/// Goes on to `status`, unless the version never gets beyond where it is.
async fn enter(domino: &Domino, version: &Version, status: Status) -> Result<(), End> {
    let stuck = version.fault.stuck_at.as_deref();
    if stuck == Some(version.status().word()) {
        return Err(End::Stays);
    }
    domino.pace.step().await;
    version.enter(status);
    Ok(())
}

async fn built(
    domino: &Arc<Domino>,
    api: &ModelApi,
    version: &Version,
    folder: &std::path::Path,
) -> Result<(), End> {
    enter(domino, version, Status::Building).await?;
    version.enter_build(Build::Building);
    if version.fault.stuck_at.as_deref() == Some("Building") {
        return Err(End::Stays);
    }
    if let Err(why) = build::build(domino, api, version, folder).await {
        version.build_log.say(Kind::Stderr, &why, domino.now());
        version.enter_build(Build::Failed);
        return Err(End::Failed(why));
    }
    let done = "The build is complete";
    version.build_log.say(Kind::Stdout, done, domino.now());
    version.enter_build(Build::Complete);
    enter(domino, version, Status::Ready).await?;
    if !version.wish.should_deploy {
        return Err(End::Stays);
    }
    enter(domino, version, Status::Starting).await
}

async fn served(
    domino: &Arc<Domino>,
    api: &Arc<ModelApi>,
    version: &Arc<Version>,
    folder: &std::path::Path,
) -> End {
    match version.fault.stuck_at.as_deref() {
        Some("Starting") => return until_stopped(version).await,
        // A word that is not on the way takes the place of the last one.
        Some(word) if word != "Running" => {
            version.enter(Status::Other(word.to_owned()));
            return until_stopped(version).await;
        }
        _ => {}
    }
    let (mut running, process) = match serving::start(domino, api, version, folder) {
        Ok(started) => started,
        Err(problem) => return End::Failed(format!("The model was not started: {problem}")),
    };
    let socket = process.socket.clone();
    let listening = async {
        serving::listens(&process).await;
        domino.pace.step().await;
    };
    let started = tokio::select! {
        () = listening => Ok(()),
        _ = running.ended() => Err(End::Failed("The model ended before it served".to_owned())),
        () = version.stopping.notified() => Err(End::Stopped),
    };
    let end = match started {
        Ok(()) => {
            version.set_process(Some(process));
            version.enter(Status::Running);
            if version.fault.dies_after == Some(0) {
                version.dying.notify_one();
            }
            if api.activate(version) {
                let end = tokio::select! {
                    _ = running.ended() => End::Failed("The process of the model ended".to_owned()),
                    () = version.dying.notified() => {
                        End::Failed("The process of the model was killed".to_owned())
                    }
                    () = version.stopping.notified() => End::Stopped,
                };
                version.set_process(None);
                end
            } else {
                version.set_process(None);
                End::Stopped
            }
        }
        Err(end) => end,
    };
    if let End::Failed(why) = &end {
        version.instance_log.say(Kind::Stderr, why, domino.now());
    }
    running.stop().await;
    // It is gone already when the process never listened.
    let _ = std::fs::remove_file(socket);
    end
}

async fn until_stopped(version: &Version) -> End {
    version.stopping.notified().await;
    End::Stopped
}
