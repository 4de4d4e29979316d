//! Whether the experiment manager lets an account write: one tag of ours is set at a version of each registered model, and
//! deleted again.
//!
//! It leaves nothing, also when it is interrupted or a reply is lost. What could not be deleted is named.

use std::cell::RefCell;
use std::collections::BTreeSet;

use domino_core::api::mlflow::{ModelVersion, Tracking, TrackingReader, TrackingWriter};
use domino_core::client::{ApiError, write_once};
use domino_core::error::CommandError;
use domino_core::own_endpoint::registered_name;
use domino_core::step::{Interrupts, Through};
use domino_core::variable::variable;
use futures_util::future::join_all;
use jiff::Timestamp;

use super::finding::Finding;
use super::visit::Visit;

/// What a tag of ours begins with; the stage follows, so that stages that are visited at once do not meet.
const TAG: &str = "doctor.write-probe";

/// The tags that may be there now, each in words.
type Left = RefCell<BTreeSet<String>>;

/// Probes for every stage that has a credential: what was found, in the order of the visits.
///
/// # Errors
/// When it was interrupted; what may be left is named.
pub(super) async fn probe(visits: &[Visit<'_>]) -> Result<Vec<Vec<Finding>>, CommandError> {
    let left = Left::default();
    let mut interrupts = Interrupts::listen()?;
    let all = join_all(visits.iter().map(|visit| of_stage(visit, &left)));
    let signal = match interrupts.finish(all).await {
        Through::Completed(findings) => return Ok(findings),
        Through::Interrupted(signal, _) => signal,
    };
    let left: Vec<String> = left.take().into_iter().collect();
    let error = match &left[..] {
        [] => CommandError::new(signal.exit(), "interrupted; the write probe left nothing"),
        left => CommandError::new(
            signal.exit(),
            format!(
                "interrupted; the write probe may have left {}",
                left.join(", ")
            ),
        )
        .hint(
            "delete it in the experiment manager, or run this again to its end: it deletes its own",
        ),
    };
    Err(error)
}

async fn of_stage(visit: &Visit<'_>, left: &Left) -> Vec<Finding> {
    if visit.no_credential.is_some() {
        return Vec::new();
    }
    let uri = variable("MLFLOW_TRACKING_URI");
    let tracking = match Tracking::of(&visit.connection, uri.as_deref()) {
        Ok(tracking) => tracking,
        Err(failure) => return vec![Finding::of_error("write probe", &failure.into())],
    };
    let names: BTreeSet<&str> = visit
        .file
        .models
        .iter()
        .filter_map(registered_name)
        .collect();
    if names.is_empty() {
        let nothing = "write probe: the stage file has no registered model, so nothing was written";
        return vec![Finding::well(nothing)];
    }
    let key = format!("{TAG}.{}", visit.stage.name);
    let probes = names.iter().map(|name| {
        let probe = Probe {
            reader: tracking.reader(),
            writer: tracking.writer(),
            key: &key,
            left,
        };
        async move { probe.of_model(name).await }
    });
    join_all(probes).await
}

/// The tag of one stage at one version.
struct Probe<'a> {
    reader: TrackingReader,
    writer: TrackingWriter,
    key: &'a str,
    left: &'a Left,
}

impl Probe<'_> {
    async fn of_model(&self, name: &str) -> Finding {
        let versions = match self.reader.model_versions(name).await {
            Ok(versions) => versions,
            Err(error) => return Finding::of_error("write probe", &error.into()),
        };
        let Some(version) = versions.first() else {
            return Finding::NotAsked(
                format!("write probe: `{name}` has no version to set a tag at"),
                "run the job that registers it first".into(),
            );
        };
        let tag = format!(
            "tag `{}` at version {} of `{name}`",
            self.key, version.version
        );
        self.left.borrow_mut().insert(tag.clone());
        let set = self.set(version).await;
        let may_be_there = set.as_ref().err().is_none_or(ApiError::outcome_unknown);
        if !may_be_there {
            self.left.borrow_mut().remove(&tag);
        } else if let Err(error) = self.delete(version).await {
            let what = format!("write probe: the {tag} was set and could not be deleted");
            return match Finding::of_error(&what, &error.into()) {
                Finding::Wrong(what, _, exit) => Finding::Wrong(
                    what,
                    Some("delete it in the experiment manager; nothing goes by it".into()),
                    exit,
                ),
                finding => finding,
            };
        }
        match set {
            Ok(()) => {
                self.left.borrow_mut().remove(&tag);
                Finding::well(format!(
                    "experiment manager takes writes: the {tag} was set and deleted"
                ))
            }
            Err(error) if may_be_there => {
                let what = format!(
                    "write probe: it is not known whether the {tag} was set, and it is not there now"
                );
                Finding::of_error(&what, &error.into())
            }
            Err(error) => {
                match Finding::of_error("experiment manager takes no write", &error.into()) {
                    Finding::Wrong(what, to_do, exit) => {
                        let inside = "where it takes none from outside of Domino, `promote = \"inside\"` under `[pipeline]` \
                                  lets a run promote";
                        let to_do =
                            to_do.map_or(inside.to_owned(), |to_do| format!("{to_do}; {inside}"));
                        Finding::Wrong(what, Some(to_do), exit)
                    }
                    finding => finding,
                }
            }
        }
    }

    async fn set(&self, version: &ModelVersion) -> Result<(), ApiError> {
        let value = Timestamp::now().to_string();
        let written = write_once(
            self.reader.delay_scale(),
            async || {
                self.writer
                    .set_version_tag(&version.name, version.version, self.key, &value)
                    .await
            },
            async || Ok((self.value(version).await? == Some(value.clone())).then_some(())),
        );
        written.await.map(drop)
    }

    /// It is gone as well where somebody else was faster.
    async fn delete(&self, version: &ModelVersion) -> Result<(), ApiError> {
        let is_gone = async || Ok(self.value(version).await?.is_none().then_some(()));
        let written = write_once(
            self.reader.delay_scale(),
            async || {
                self.writer
                    .delete_version_tag(&version.name, version.version, self.key)
                    .await
            },
            is_gone,
        );
        match written.await {
            Ok(_) => Ok(()),
            Err(error) => match is_gone().await {
                Ok(Some(())) => Ok(()),
                _ => Err(error),
            },
        }
    }

    async fn value(&self, version: &ModelVersion) -> Result<Option<String>, ApiError> {
        let existing = self.reader.model_version(&version.name, version.version);
        Ok(existing
            .await?
            .and_then(|mut existing| existing.tags.remove(self.key)))
    }
}
