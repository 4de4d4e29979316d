//! Hardware tiers. Choosing one is the only way to choose a data plane.

use serde::Deserialize;

pub use super::ids::HardwareTierId;
use super::named::Named;
use super::projects::ProjectId;
use crate::client::{ApiError, Reader, segment};

/// A hardware tier that a project may use, with the data plane that it belongs to.
#[derive(Debug, Clone)]
pub struct HardwareTier {
    /// The id that requests contain.
    pub id: HardwareTierId,
    /// The name, which need not be unique.
    pub name: String,
    /// Whether it is archived.
    pub archived: bool,
    /// The data plane that its runs are placed on; `None` if Domino does not tell.
    pub data_plane: Option<DataPlane>,
}

/// A cluster that runs are placed on.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataPlane {
    /// The id that a hardware tier's `dataPlaneId` names.
    pub id: String,
    /// The name that people see.
    pub name: String,
    /// Whether Domino can reach it.
    #[serde(default = "yes")]
    pub is_healthy: bool,
}

/// A hardware tier as the list of the whole deployment shows it.
#[derive(Debug, Clone)]
pub struct AnyHardwareTier {
    /// The id that requests contain.
    pub id: HardwareTierId,
    /// The name that people see, which need not be unique.
    pub name: String,
    /// What it can be used for.
    pub r#use: TierUse,
    /// The id of the data plane that it belongs to.
    pub data_plane_id: Option<String>,
}

/// What a tier can be used for: model endpoints have tiers of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TierUse {
    /// Tiers of jobs and apps.
    Runs,
    /// Tiers of model endpoints.
    ModelEndpoints,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    hardware_tier: Tier,
    data_plane: Option<DataPlane>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tier {
    id: HardwareTierId,
    name: String,
    hwt_flags: Option<Flags>,
    data_plane_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    hardware_tiers: Vec<Tier>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Flags {
    #[serde(default)]
    is_archived: bool,
    #[serde(default)]
    is_model_api_tier: bool,
}

fn yes() -> bool {
    true
}

impl Named for HardwareTier {
    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Reader {
    /// `GET /v4/hardwareTier`: the tiers of both kinds in one list, with only the ids of their data planes. `None` if
    /// this account may not read it. Contract: v4 and the published templates.
    pub async fn all_hardware_tiers(&self) -> Result<Option<Vec<AnyHardwareTier>>, ApiError> {
        let listed: Option<Envelope> = match self.read_if_there("/v4/hardwareTier", &[]).await {
            Err(error) if error.status() == Some(reqwest::StatusCode::FORBIDDEN) => None,
            other => other?,
        };
        let used = |tier: &Tier| {
            let flags = tier.hwt_flags.as_ref();
            match flags.is_some_and(|flags| flags.is_model_api_tier) {
                true => TierUse::ModelEndpoints,
                false => TierUse::Runs,
            }
        };
        Ok(listed.map(|listed| {
            let tiers = listed.hardware_tiers.into_iter();
            tiers
                .map(|tier| AnyHardwareTier {
                    r#use: used(&tier),
                    id: tier.id,
                    name: tier.name,
                    data_plane_id: tier.data_plane_id,
                })
                .collect()
        }))
    }

    /// `GET /v4/projects/{id}/hardwareTiers`: the tiers that the project may use, a bare array. Every member of
    /// the project may read it, unlike the deployment's own list. Contract: v4.
    pub async fn hardware_tiers(
        &self,
        project: &ProjectId,
        r#use: TierUse,
    ) -> Result<Vec<HardwareTier>, ApiError> {
        let path = format!("/v4/projects/{}/hardwareTiers", segment(project.as_str()));
        let query: &[(&str, &str)] = match r#use {
            TierUse::Runs => &[],
            TierUse::ModelEndpoints => &[("forModelApi", "true")],
        };
        let listed: Vec<Listed> = self.read(&path, query).await?;
        Ok(listed
            .into_iter()
            .map(
                |Listed {
                     hardware_tier,
                     data_plane,
                 }| HardwareTier {
                    id: hardware_tier.id,
                    name: hardware_tier.name,
                    archived: hardware_tier
                        .hwt_flags
                        .is_some_and(|flags| flags.is_archived),
                    data_plane,
                },
            )
            .filter(|tier| !tier.archived)
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{method, path, query_param, query_param_is_missing};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    #[tokio::test]
    async fn tiers_come_with_their_data_planes_and_without_archived_ones() {
        let server = MockServer::start().await;
        let plane = json!({"id": "d1", "name": "prod-plane", "isHealthy": false});
        Mock::given(method("GET"))
            .and(path("/v4/projects/p1/hardwareTiers"))
            .and(query_param_is_missing("forModelApi"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!([
                {"hardwareTier": {"id": "s", "name": "Small", "hwtFlags": {"isArchived": false}}, "dataPlane": plane},
                {"hardwareTier": {"id": "o", "name": "Old", "hwtFlags": {"isArchived": true}}, "dataPlane": plane},
            ])))
            .expect(1)
            .mount(&server)
            .await;
        let reader = connection(&server.uri()).reader();
        let tiers = reader
            .hardware_tiers(&ProjectId::new("p1"), TierUse::Runs)
            .await
            .unwrap();
        assert_eq!(tiers.len(), 1);
        assert_eq!(tiers[0].id.as_str(), "s");
        let plane = tiers[0].data_plane.as_ref().unwrap();
        assert_eq!(
            (plane.name.as_str(), plane.is_healthy),
            ("prod-plane", false)
        );
    }

    #[tokio::test]
    async fn model_endpoints_have_tiers_of_their_own() {
        let server = MockServer::start().await;
        Mock::given(query_param("forModelApi", "true"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!([])))
            .expect(1)
            .mount(&server)
            .await;
        let reader = connection(&server.uri()).reader();
        assert!(
            reader
                .hardware_tiers(&ProjectId::new("p1"), TierUse::ModelEndpoints)
                .await
                .unwrap()
                .is_empty()
        );
    }
}
