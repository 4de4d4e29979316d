//! External volumes: storage outside of Domino that a project may mount.

use serde::Deserialize;

use super::hardware_tiers::DataPlane;
pub use super::ids::ExternalVolumeId;
use super::named::Named;
use super::projects::ProjectId;
use crate::client::{ApiError, Reader, segment};

/// An external volume of a project.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExternalVolume {
    /// The id that requests contain.
    pub id: ExternalVolumeId,
    /// The name that people see and the stage file may use.
    pub name: String,
    /// Where a run finds it.
    #[serde(default)]
    pub mount_path: String,
    /// Whether a run can only read it.
    #[serde(default)]
    pub read_only: bool,
    /// The data planes that can mount it.
    #[serde(default)]
    pub data_planes: Vec<DataPlane>,
}

impl Named for ExternalVolume {
    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Reader {
    /// `GET /v4/datamount/projects/{id}`: the external volumes of a project, a bare array. Contract: v4.
    pub async fn external_volumes(
        &self,
        project: &ProjectId,
    ) -> Result<Vec<ExternalVolume>, ApiError> {
        let path = format!("/v4/datamount/projects/{}", segment(project.as_str()));
        self.read(&path, &[]).await
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
    async fn the_volumes_of_a_project_come_with_where_they_are_mounted() {
        let server = MockServer::start().await;
        let volume = json!({
            "id": "v1", "name": "raw", "volumeType": "Nfs", "mountPath": "/mnt/raw", "readOnly": true,
            "dataPlanes": [{"id": "d1", "name": "prod-plane", "isHealthy": true}],
        });
        Mock::given(method("GET"))
            .and(path("/v4/datamount/projects/p1"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!([volume])))
            .expect(1)
            .mount(&server)
            .await;
        let reader = connection(&server.uri()).reader();
        let volumes = reader.external_volumes(&ProjectId::new("p1")).await;
        let [volume] = &volumes.unwrap()[..] else {
            panic!("one volume")
        };
        assert_eq!(
            (volume.name(), volume.mount_path.as_str(), volume.read_only),
            ("raw", "/mnt/raw", true)
        );
        assert_eq!(volume.data_planes[0].name, "prod-plane");
    }
}
