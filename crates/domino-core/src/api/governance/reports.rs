//! Files of a project as attachments of a bundle. Domino's own documentation tells how such a file is named; no spec does.

use reqwest::Method;
use serde_json::json;

use super::{Attachment, BASE, BundleId};
use crate::client::{ApiError, Writer, segment};

/// The kind of an attached file.
const REPORT: &str = "Report";

impl Attachment {
    /// Whether it is this file of the project.
    pub fn is_report(&self, file: &str) -> bool {
        self.kind == REPORT && self.identifier["filename"] == file
    }
}

impl Writer {
    /// `POST /api/governance/v1/bundles/{id}/attachments`, with a file of the project's own file system as of a commit.
    /// Contract: governance API; the identifier by what Domino's users send.
    pub async fn attach_report(
        &self,
        bundle: &BundleId,
        file: &str,
        commit: &str,
    ) -> Result<(), ApiError> {
        let body = json!({
            "type": REPORT,
            "identifier": {"branch": "master", "commit": commit, "source": "DFS", "filename": file},
        });
        let path = format!("{BASE}/bundles/{}/attachments", segment(bundle.as_str()));
        self.write_only(Method::POST, &path, Some(&body)).await
    }
}

#[cfg(test)]
mod tests {
    use wiremock::matchers::{body_json, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    #[tokio::test]
    async fn a_report_is_attached_by_file_and_commit_and_known_again() {
        let server = MockServer::start().await;
        let attachment = json!({
            "type": "Report",
            "identifier": {"branch": "master", "commit": "c1", "source": "DFS", "filename": "sheets/a.md"},
        });
        Mock::given(method("POST"))
            .and(path(format!("{BASE}/bundles/b1/attachments")))
            .and(body_json(&attachment))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"id": "a1"})))
            .expect(1)
            .mount(&server)
            .await;
        let writer = connection(&server.uri()).writer();
        let bundle = BundleId::new("b1");
        writer
            .attach_report(&bundle, "sheets/a.md", "c1")
            .await
            .unwrap();
        let attached: Attachment = serde_json::from_value(attachment).unwrap();
        assert!(attached.is_report("sheets/a.md") && !attached.is_report("sheets/b.md"));
        let model: Attachment = serde_json::from_value(
            json!({"type": "ModelVersion", "identifier": {"filename": "sheets/a.md"}}),
        )
        .unwrap();
        assert!(!model.is_report("sheets/a.md"));
    }
}
