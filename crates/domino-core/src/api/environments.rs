//! Compute environments and their revisions.

use serde::{Deserialize, Serialize};

pub use super::ids::EnvironmentId;
use super::named::Named;
use super::projects::ProjectId;
use crate::client::{ApiError, Reader, segment};
use stage_file::Revision;

/// A compute environment that a project may use.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    /// The id that requests contain.
    pub id: EnvironmentId,
    /// The name that people know it by.
    pub name: String,
    /// Whether it is archived.
    #[serde(default)]
    pub archived: bool,
    /// The id of the revision that runs unless another one is chosen.
    pub active_revision_id: Option<String>,
    /// The number of the active revision, which people see; `None` if Domino does not tell it.
    pub active_revision_number: Option<u32>,
}

/// The revision of an environment to run, in v4's spelling: a word, or an object with an id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RevisionSpec {
    /// The active revision, which also runs when none is chosen.
    #[serde(rename = "ActiveRevision")]
    Active,
    /// The newest revision, active or not.
    #[serde(rename = "LatestRevision")]
    Latest,
    /// A fixed revision.
    #[serde(untagged)]
    One {
        /// As Domino lists it: 24 hexadecimal digits.
        #[serde(rename = "revisionId")]
        revision_id: String,
    },
    /// A word that we never send, such as `RestrictedRevision`.
    #[serde(untagged)]
    Other(String),
}

impl From<&Revision> for RevisionSpec {
    fn from(revision: &Revision) -> Self {
        match revision {
            // If the revision of the stage before is known, that one is used instead.
            Revision::Active | Revision::AsBefore => Self::Active,
            Revision::Latest => Self::Latest,
            Revision::Id(id) => Self::One {
                revision_id: id.clone(),
            },
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    latest_revision: Option<LatestRevision>,
}

#[derive(Deserialize)]
struct LatestRevision {
    id: String,
}

#[derive(Deserialize)]
struct Useable {
    environments: Vec<Environment>,
}

impl Named for Environment {
    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Reader {
    /// `GET /v4/projects/{id}/useableEnvironments`: the environments that the project may use, without archived ones.
    /// Contract: v4.
    pub async fn environments(&self, project: &ProjectId) -> Result<Vec<Environment>, ApiError> {
        let path = format!(
            "/v4/projects/{}/useableEnvironments",
            segment(project.as_str())
        );
        let useable: Useable = self.read(&path, &[]).await?;
        Ok(useable
            .environments
            .into_iter()
            .filter(|environment| !environment.archived)
            .collect())
    }

    /// `GET /v4/environments/{id}`: the id of the newest revision, for APIs that accept only an id. Contract: v4.
    pub async fn latest_revision(&self, id: &EnvironmentId) -> Result<Option<String>, ApiError> {
        let path = format!("/v4/environments/{}", segment(id.as_str()));
        let details: Option<Details> = self.read_if_there(&path, &[]).await?;
        Ok(details
            .and_then(|details| details.latest_revision)
            .map(|revision| revision.id))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    #[tokio::test]
    async fn usable_environments_are_listed_without_archived_ones() {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path("/v4/projects/p1/useableEnvironments"))
            .respond_with(
                ResponseTemplate::new(200).set_body_json(json!({"environments": [
                    {"id": "e1", "name": "Standard", "archived": false, "activeRevisionNumber": 3},
                    {"id": "e2", "name": "Old", "archived": true},
                ]})),
            )
            .expect(1)
            .mount(&server)
            .await;
        let environments = connection(&server.uri())
            .reader()
            .environments(&ProjectId::new("p1"))
            .await
            .unwrap();
        assert_eq!(environments.len(), 1);
        assert_eq!(environments[0].active_revision_number, Some(3));
    }

    #[tokio::test]
    async fn the_newest_revision_is_told_by_its_id() {
        for (body, expected) in [
            (
                json!({"id": "e1", "latestRevision": {"id": "r9", "number": 9}}),
                Some("r9"),
            ),
            (json!({"id": "e1", "latestRevision": null}), None),
        ] {
            let server = MockServer::start().await;
            Mock::given(method("GET"))
                .and(path("/v4/environments/e1"))
                .respond_with(ResponseTemplate::new(200).set_body_json(body))
                .expect(1)
                .mount(&server)
                .await;
            let reader = connection(&server.uri()).reader();
            let newest = reader.latest_revision(&EnvironmentId::new("e1")).await;
            assert_eq!(newest.unwrap().as_deref(), expected);
        }
    }

    #[test]
    fn a_revision_is_a_word_or_an_object() {
        let spec = |revision| serde_json::to_value(RevisionSpec::from(&revision)).unwrap();
        assert_eq!(spec(Revision::Active), json!("ActiveRevision"));
        assert_eq!(spec(Revision::Latest), json!("LatestRevision"));
        assert_eq!(spec(Revision::Id("r1".into())), json!({"revisionId": "r1"}));
        for (told, expected) in [
            (json!("ActiveRevision"), RevisionSpec::Active),
            (json!("LatestRevision"), RevisionSpec::Latest),
            (
                json!({"revisionId": "r1"}),
                RevisionSpec::from(&Revision::Id("r1".into())),
            ),
            (
                json!("RestrictedRevision"),
                RevisionSpec::Other("RestrictedRevision".into()),
            ),
        ] {
            assert_eq!(
                serde_json::from_value::<RevisionSpec>(told).unwrap(),
                expected
            );
        }
    }
}
