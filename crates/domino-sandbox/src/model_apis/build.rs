//! Builds a version: collects the files of its model in a folder and has python load them. If anything cannot be
//! collected or loaded, the build fails, and its log says why.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::model_api::ModelApi;
use super::serving;
use super::version::{ModelApiVersion, Source};
use crate::checkout::{self, NoCode};
use crate::host::Host;
use crate::log::Kind;
use crate::mlflow::Refusal;
use crate::registered_models::RegisteredModels;

/// The most files and folders a registered model may have.
const MOST_FILES: usize = 10_000;

/// Prepares `folder` so that the version can be served from it. The error is the last line of the build's log.
pub(super) async fn build(
    host: &Host,
    models: &RegisteredModels,
    api: &ModelApi,
    version: &ModelApiVersion,
    folder: &Path,
) -> Result<(), String> {
    let say = |text: &str| version.build_log.say(Kind::Stdout, text, host.now());
    say(&format!(
        "Building version {} of model {} on {}",
        version.number,
        api.settings().name,
        version.environment.name
    ));
    if let Some(commit_id) = &version.spec.commit_id
        && *commit_id != version.project.commit_id
    {
        return Err(format!(
            "Commit {commit_id} does not exist in the file system of project {}",
            version.project.name()
        ));
    }
    let model = folder.join("model");
    let what = match &version.spec.source {
        Source::File { file, function, .. } => {
            let commit = version.commit.as_deref();
            let commit = commit.ok_or("The repository has no commit")?;
            say(&format!(
                "Cloning {} at {commit}",
                version.project.repository.uri
            ));
            let cloned = match version.project.opens_to(&version.created_by.id) {
                Ok(()) => checkout::check_out(&host.repository, commit, &model).await,
                Err(closed) => Err(closed),
            };
            cloned.map_err(|NoCode(reason)| reason)?;
            json!({ "file": file, "function": function })
        }
        Source::Registered {
            model: name,
            version: number,
        } => {
            say(&format!(
                "Fetching version {number} of registered model {name}"
            ));
            let gathered = gather(models, version, name, *number, &model).await;
            let count = gathered.map_err(|refusal| refusal.message().to_owned())?;
            say(&format!("Fetched {count} files"));
            json!({})
        }
    };
    serving::prepare(folder, what, version.spec.log_requests)
        .map_err(|problem| format!("The image could not be written: {problem}"))?;
    if version.fault.build_fails {
        return Err("The build failed (a fault of the sandbox)".to_owned());
    }
    say("Loading the model");
    let loaded = serving::check(host, api, version, folder).await;
    match loaded {
        Ok(true) => Ok(()),
        Ok(false) => Err("The model cannot be loaded".to_owned()),
        Err(problem) => Err(format!("python3 was not started: {problem}")),
    }
}

/// Fetches every file of a registered model into `into`, and says how many there are.
async fn gather(
    models: &RegisteredModels,
    version: &ModelApiVersion,
    name: &str,
    number: u64,
    into: &Path,
) -> Result<usize, Refusal> {
    let user = &version.created_by;
    let registered = models.version(user, name, number).await?;
    let root = models.artifacts(user, &registered).await?;
    let mut folders = vec![PathBuf::new()];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        let path = below(&root, &folder);
        for entry in models.mlflow.artifacts(&path).await? {
            count += 1;
            // Only the last part, so that no entry of any server is outside of the folder.
            let Some(name) = Path::new(&entry.path).file_name() else {
                continue;
            };
            let place = folder.join(name);
            if count > MOST_FILES {
                return Err(Refusal::internal("the model has too many files"));
            }
            if entry.is_folder {
                folders.push(place);
                continue;
            }
            let content = models.mlflow.artifact(&below(&root, &place)).await?;
            let target = into.join(&place);
            let written = target
                .parent()
                .map_or(Ok(()), std::fs::create_dir_all)
                .and_then(|()| std::fs::write(&target, &content));
            written.map_err(|problem| Refusal::internal(problem.to_string()))?;
        }
    }
    if count == 0 {
        return Err(Refusal::missing(format!(
            "Version {number} of registered model {name} has no files at {}",
            registered.source
        )));
    }
    Ok(count)
}

/// `place` below `root`, with the slashes of artifacts.
fn below(root: &str, place: &Path) -> String {
    let mut path = root.to_owned();
    for part in place {
        path.push('/');
        path.push_str(&part.to_string_lossy());
    }
    path
}
