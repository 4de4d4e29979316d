//! What a run is asked to have beside its hardware tier and environment: a start and a scheduled job spell it alike.

use serde::Serialize;
use serde_json::{Map, Value};

use super::environments::{EnvironmentId, RevisionSpec};
use super::external_volumes::ExternalVolumeId;
use super::hardware_tiers::HardwareTierId;

/// What is asked for; what is `None` is left out. Contract: v4.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobSettings {
    /// The ids of the external volumes to mount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_volume_mounts: Option<Vec<ExternalVolumeId>>,
    /// NetApp volumes to mount, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_app_volume_ids: Option<Vec<String>>,
    /// The size of the run's own disk; only a start takes it.
    #[serde(
        rename = "overrideVolumeSizeGiB",
        skip_serializing_if = "Option::is_none"
    )]
    pub override_volume_size: Option<u32>,
    /// The cluster that comes with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compute_cluster_properties: Option<ComputeCluster>,
    /// `on-demand` or `spot`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_type: Option<&'static str>,
    /// Whether a snapshot of its data sets is taken when it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_datasets_on_completion: Option<bool>,
}

/// A cluster of workers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComputeCluster {
    /// The framework, in Domino's word: `Ray`.
    pub cluster_type: &'static str,
    /// The compute environment of the cluster.
    pub compute_environment_id: EnvironmentId,
    /// The revision of that environment to run.
    pub compute_environment_revision_spec: RevisionSpec,
    /// The master's hardware tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master_hardware_tier_id: Option<TierReference>,
    /// The hardware tier of each worker.
    pub worker_hardware_tier_id: TierReference,
    /// How many workers; the fewest where there is a most.
    pub worker_count: u32,
    /// The most workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_worker_count: Option<u32>,
}

/// A hardware tier where an object holds its id.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TierReference {
    /// The id.
    pub value: HardwareTierId,
}

impl JobSettings {
    /// The same as the fields of a request.
    pub fn fields(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_asked_for_is_left_out_and_the_rest_is_spelt_as_v4_has_it() {
        assert_eq!(JobSettings::default().fields(), Map::new());
        let tier = |id: &str| TierReference {
            value: HardwareTierId::new(id),
        };
        let settings = JobSettings {
            external_volume_mounts: Some(vec![ExternalVolumeId::new("v1")]),
            net_app_volume_ids: Some(vec![]),
            override_volume_size: Some(50),
            compute_cluster_properties: Some(ComputeCluster {
                cluster_type: "Ray",
                compute_environment_id: EnvironmentId::new("e1"),
                compute_environment_revision_spec: RevisionSpec::Active,
                master_hardware_tier_id: Some(tier("m")),
                worker_hardware_tier_id: tier("w"),
                worker_count: 2,
                max_worker_count: None,
            }),
            capacity_type: Some("spot"),
            snapshot_datasets_on_completion: Some(true),
        };
        assert_eq!(
            Value::Object(settings.fields()),
            json!({
                "externalVolumeMounts": ["v1"],
                "netAppVolumeIds": [],
                "overrideVolumeSizeGiB": 50,
                "computeClusterProperties": {
                    "clusterType": "Ray",
                    "computeEnvironmentId": "e1",
                    "computeEnvironmentRevisionSpec": "ActiveRevision",
                    "masterHardwareTierId": {"value": "m"},
                    "workerHardwareTierId": {"value": "w"},
                    "workerCount": 2,
                },
                "capacityType": "spot",
                "snapshotDatasetsOnCompletion": true,
            })
        );
    }
}
