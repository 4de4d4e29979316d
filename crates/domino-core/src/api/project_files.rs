//! The files of a project in Domino's own file system: its code, or in a git-based project its artifacts.

use serde::Deserialize;

use super::projects::ProjectId;
use crate::client::{ApiError, Reader, Writer, segment};

/// A file of a project.
#[derive(Debug, Clone, Deserialize)]
pub struct ProjectFile {
    /// Where it is.
    path: FilePath,
}

/// Domino writes a path as a text, or as an object with one.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum FilePath {
    Text(String),
    #[serde(rename_all = "camelCase")]
    Object {
        canonicalized_path_string: String,
    },
}

impl ProjectFile {
    /// Its path from the top of the project.
    pub fn path(&self) -> &str {
        match &self.path {
            FilePath::Text(path) => path,
            FilePath::Object {
                canonicalized_path_string,
            } => canonicalized_path_string,
        }
    }
}

#[derive(Deserialize)]
struct Commit {
    id: String,
}

impl Reader {
    /// `GET /v4/projects/{id}/commits/head/files/{folder}`: the files of a folder, a bare array; none where there is no
    /// such folder. Contract: v4.
    pub async fn project_files(
        &self,
        project: &ProjectId,
        folder: &str,
    ) -> Result<Vec<ProjectFile>, ApiError> {
        let found = self.read_if_there(&path(project, folder), &[]).await?;
        Ok(found.unwrap_or_default())
    }

    /// `GET /v4/projects/{id}/commits/head`: the id of the newest commit. Contract: v4.
    pub async fn head_commit(&self, project: &ProjectId) -> Result<String, ApiError> {
        let path = format!("/v4/projects/{}/commits/head", segment(project.as_str()));
        let commit: Commit = self.read(&path, &[]).await?;
        Ok(commit.id)
    }
}

impl Writer {
    /// `POST /v4/projects/{id}/commits/head/files/{path}`, a form with the file as `upfile`: a new commit with it.
    /// Contract: v4.
    pub async fn upload_file(
        &self,
        project: &ProjectId,
        file: &str,
        text: &str,
    ) -> Result<(), ApiError> {
        let name = file.rsplit('/').next().unwrap_or(file);
        self.send_file(&path(project, file), "upfile", (name, text))
            .await
    }
}

fn path(project: &ProjectId, file: &str) -> String {
    let project = segment(project.as_str());
    let file: Vec<String> = file.split('/').map(segment).collect();
    format!(
        "/v4/projects/{project}/commits/head/files/{}",
        file.join("/")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{body_string_contains, header_regex, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    const FILES: &str = "/v4/projects/p1/commits/head/files";

    #[tokio::test]
    async fn a_file_is_sent_as_a_form_to_its_path() {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path(format!("{FILES}/sheets/a%20b.md")))
            .and(header_regex(
                "content-type",
                "^multipart/form-data; boundary=",
            ))
            .and(body_string_contains("name=\"upfile\"; filename=\"a b.md\""))
            .and(body_string_contains("\r\n\r\n# Sheet\r\n--"))
            .respond_with(ResponseTemplate::new(201).set_body_json(json!({"key": "k"})))
            .expect(1)
            .mount(&server)
            .await;
        let (writer, project) = (connection(&server.uri()).writer(), ProjectId::new("p1"));
        let sent = writer.upload_file(&project, "sheets/a b.md", "# Sheet");
        sent.await.unwrap();
    }

    #[tokio::test]
    async fn files_are_listed_by_folder_and_the_head_is_a_commit() {
        let server = MockServer::start().await;
        let file = |path| json!({"path": path, "lastModified": 1, "size": 2, "key": "k"});
        let in_object = json!({"canonicalizedPathString": "sheets/b.md", "separator": "/"});
        let reply = json!([file(json!("sheets/a.md")), file(in_object)]);
        for (route, reply) in [
            (format!("{FILES}/sheets"), reply),
            (
                "/v4/projects/p1/commits/head".into(),
                json!({"id": "c1", "name": "", "commitTime": 3}),
            ),
        ] {
            Mock::given(method("GET"))
                .and(path(route))
                .respond_with(ResponseTemplate::new(200).set_body_json(reply))
                .mount(&server)
                .await;
        }
        let (reader, project) = (connection(&server.uri()).reader(), ProjectId::new("p1"));
        let files = reader.project_files(&project, "sheets").await.unwrap();
        let paths: Vec<_> = files.iter().map(ProjectFile::path).collect();
        assert_eq!(paths, ["sheets/a.md", "sheets/b.md"]);
        assert!(
            reader
                .project_files(&project, "none")
                .await
                .unwrap()
                .is_empty()
        );
        assert_eq!(reader.head_commit(&project).await.unwrap(), "c1");
    }
}
