//! The sheet as a file: uploaded among the project's own files, and attached to the bundle before anybody is asked. Both
//! are written once: the file's name contains a fingerprint of its text.

use domino_core::api::governance::{Attachment, Bundle};
use domino_core::api::projects::ProjectId;
use domino_core::client::{ApiError, Writer, write_once};
use domino_core::deployment_marker::fingerprint_of_text;
use domino_core::error::{Context as _, Result};
use domino_core::step::{Step, StepContext};

use crate::candidate::Candidate;
use crate::gates::governance::bundle_name;

/// A file that is attached to a bundle.
#[derive(Debug)]
pub(crate) struct SheetFile {
    folder: String,
    /// From the top of the project's own files.
    path: String,
    text: String,
}

impl SheetFile {
    /// The file with the text that `write` gives, if the stage wants one.
    pub(crate) fn of(
        context: &StepContext,
        candidate: &Candidate<'_>,
        write: impl FnOnce() -> String,
    ) -> Option<Self> {
        let folder = context.stage.gates.evidence.report.clone()?;
        let text = write();
        let name = file_name(&bundle_name(candidate), &text);
        Some(Self {
            path: format!("{folder}/{name}"),
            folder,
            text,
        })
    }

    /// What is planned, for people.
    pub(crate) fn planned(&self) -> String {
        format!(
            "the sheet attached to the bundle, uploaded as `{}`",
            self.path
        )
    }

    /// Uploads the file and attaches it, unless the bundle has it.
    pub(crate) async fn attach(
        &self,
        step: &mut Step,
        writer: &Writer,
        project: &ProjectId,
        bundle: &Bundle,
    ) -> Result<()> {
        let is_it = |attachment: &Attachment| attachment.is_report(&self.path);
        step.report.fact("attached", self.path.as_str());
        if bundle.attachments.iter().any(is_it) {
            return Ok(());
        }
        let reader = writer.reader();
        let uploaded = async || -> Result<Option<()>, ApiError> {
            let files = reader.project_files(project, &self.folder).await?;
            let mut files = files.iter().map(|file| file.path());
            Ok(files
                .any(|path| path.trim_start_matches('/') == self.path)
                .then_some(()))
        };
        let cannot = "nobody was asked: the sheet could not be uploaded";
        if uploaded().await.context(cannot)?.is_none() {
            write_once(
                reader.delay_scale(),
                async || writer.upload_file(project, &self.path, &self.text).await,
                uploaded,
            )
            .await
            .context(cannot)?;
        }
        let cannot = "nobody was asked: the sheet could not be attached to the bundle";
        let commit = reader.head_commit(project).await.context(cannot)?;
        let attached = async || {
            let now = reader.bundle(&bundle.id).await?;
            let is_there = now.is_some_and(|now| now.attachments.iter().any(is_it));
            Ok(is_there.then_some(()))
        };
        let written = write_once(
            reader.delay_scale(),
            async || writer.attach_report(&bundle.id, &self.path, &commit).await,
            attached,
        )
        .await;
        written.map(drop).context(cannot)
    }
}

/// The name of the bundle in plain characters, with a fingerprint of the text.
fn file_name(bundle: &str, text: &str) -> String {
    let mut plain: String = bundle
        .chars()
        .map(|letter| match letter.is_ascii_alphanumeric() {
            true => letter,
            false => '-',
        })
        .collect();
    while plain.contains("--") {
        plain = plain.replace("--", "-");
    }
    format!("{plain}-{}.md", fingerprint_of_text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_bundle_and_its_text() {
        let name = file_name("wine/quality (new) version 7 to prod", "a");
        let (start, rest) = name.split_at(35);
        assert_eq!(start, "wine-quality-new-version-7-to-prod-");
        assert!(rest.len() == 15 && rest.ends_with(".md"), "{name}");
        assert_ne!(file_name("a", "b"), file_name("a", "c"));
        assert_eq!(file_name("a", "b"), file_name("a", "b"));
    }
}
