//! The checkout and the artifact actions, input by input.

use std::path::PathBuf;

use super::emulated::{ActionContext, Emulated, Inputs, NotEmulated};
use crate::artifacts::{self, Upload, Uploaded};
use crate::file_pattern::HiddenFiles;
use crate::workspace::History;

/// `actions/checkout`: the commit's files.
pub fn check_out(inputs: &Inputs<'_>, around: &ActionContext<'_>) -> Result<Emulated, NotEmulated> {
    let told = |error: anyhow::Error| format!("{error:#}");
    let history = match inputs.text("fetch-depth") {
        None | Some("1") => History::CommitOnly,
        Some("0") => History::Everything,
        Some(other) => {
            let what = format!("`fetch-depth: {other}`: 0 and 1 can be rehearsed");
            return Err(NotEmulated::CannotRehearse(what));
        }
    };
    if !inputs.on("clean", true)? {
        return Err(NotEmulated::CannotRehearse("`clean: false`".into()));
    }
    let asked = match inputs.text("ref") {
        Some(name) => Some(around.repository.commit(name).map_err(told)?),
        None => None,
    };
    let commit = asked.as_ref().unwrap_or(around.commit);
    around
        .workspace
        .check_out(
            around.repository,
            around.slug,
            around.branch,
            commit,
            history,
        )
        .map_err(told)?;
    Ok(Emulated::Done(
        format!("checked out {} {}", commit.short(), commit.title),
        vec![
            ("commit", commit.sha.clone()),
            ("ref", format!("refs/heads/{}", around.branch)),
        ],
    ))
}

/// `actions/upload-artifact`: files kept for later jobs.
pub fn upload(inputs: &Inputs<'_>, around: &ActionContext<'_>) -> Result<Emulated, NotEmulated> {
    let name = inputs.text("name").unwrap_or("artifact");
    let path = inputs.text("path").ok_or("input `path` is required")?;
    let hidden = if inputs.on("include-hidden-files", false)? {
        HiddenFiles::Include
    } else {
        HiddenFiles::Exclude
    };
    let days =
        match inputs.text("retention-days") {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| {
                format!("input `retention-days` is a number of days, and is `{text}`")
            })?),
        };
    let how = Upload {
        hidden,
        overwrite: inputs.on("overwrite", false)?,
        days,
    };
    let kept = &around.artifacts;
    match kept.upload(name, &around.workspace.folder, path, how)? {
        Uploaded::Files(count, for_days) => {
            let id = around.artifacts.id(name).unwrap_or_default();
            let files = if count == 1 { "file" } else { "files" };
            Ok(Emulated::Done(
                format!(
                    "kept {count} {files} as artifact `{name}` for {}, without permissions, as GitHub does",
                    artifacts::days(for_days)
                ),
                vec![("artifact-id", id.to_string())],
            ))
        }
        Uploaded::Nothing => {
            let nothing = format!(
                "no files were found with the provided path: {}",
                path.replace('\n', ", ")
            );
            match inputs.text("if-no-files-found") {
                None | Some("warn") => Ok(Emulated::Warned(nothing)),
                Some("ignore") => Ok(Emulated::Done(nothing, Vec::new())),
                Some("error") => Err(nothing.into()),
                Some(other) => Err(format!("input `if-no-files-found` cannot be `{other}`").into()),
            }
        }
    }
}

/// `actions/download-artifact`: files that earlier jobs kept.
pub fn download(inputs: &Inputs<'_>, around: &ActionContext<'_>) -> Result<Emulated, NotEmulated> {
    let into: PathBuf = around
        .workspace
        .folder
        .join(inputs.text("path").unwrap_or("."));
    let into: PathBuf = into.components().collect();
    let (name, pattern) = (inputs.text("name"), inputs.text("pattern"));
    let count = match (name, pattern) {
        (None, Some(pattern)) => {
            let merge = inputs.on("merge-multiple", false)?;
            around.artifacts.download_matching(pattern, merge, &into)?
        }
        _ => around.artifacts.download(name, &into)?,
    };
    let what = match (name, pattern) {
        (Some(name), _) => format!("artifact `{name}`"),
        (None, Some(pattern)) => format!("all artifacts called `{pattern}`"),
        (None, None) => "all artifacts".into(),
    };
    let files = if count == 1 { "file" } else { "files" };
    Ok(Emulated::Done(
        format!("brought {what}, {count} {files}"),
        vec![("download-path", into.display().to_string())],
    ))
}
