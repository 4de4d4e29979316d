//! Scheduled jobs: runs that Domino starts by itself.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::environments::{EnvironmentId, RevisionSpec};
use super::git_ref::GitRef;
use super::hardware_tiers::HardwareTierId;
pub use super::ids::ScheduleId;
use super::projects::ProjectId;
use super::run_settings::JobSettings;
use super::users::UserId;
use crate::client::{ApiError, Reader, Writer, segment};

/// A scheduled job as Domino has it.
#[derive(Debug, Clone, Deserialize)]
pub struct ScheduledJob {
    /// The key.
    pub id: ScheduleId,
    /// When it was created, as Domino writes it.
    #[serde(default)]
    pub created: Value,
    /// The hardware tier's name.
    #[serde(default, rename = "hardwareTierName")]
    pub hardware_tier_name: Option<String>,
    /// The name of the account that it runs as.
    #[serde(default, rename = "scheduledByUserName")]
    pub scheduled_by_user_name: Option<String>,
    /// What it does.
    #[serde(flatten)]
    pub definition: ScheduleDefinition,
}

impl ScheduledJob {
    /// Domino's own order of two scheduled jobs: by creation time, then by id.
    pub fn is_before(&self, other: &Self) -> bool {
        let when = |scheduled: &Self| (scheduled.created.to_string(), scheduled.id.to_string());
        when(self) < when(other)
    }
}

/// What a scheduled job has beyond the fields of its definition, set by people or by the stage file: the key in Domino,
/// and what people call it.
/// Domino keeps these as they are sent; of other fields it may decide itself.
const CARRIED: &[(&str, &str)] = &[
    ("publishModelId", "the endpoint to publish afterwards"),
    ("capacityType", "capacity type"),
    ("computeClusterProperties", "compute cluster"),
    ("volumeSpecificationOverride", "size of the volume"),
    ("datasetConfig", "data sets"),
    ("snapshotDatasetsOnCompletion", "snapshots of data sets"),
    (
        "snapshotNetAppVolumesOnCompletion",
        "snapshots of NetApp volumes",
    ),
    ("externalVolumeMounts", "external volumes"),
    ("netAppVolumeIds", "NetApp volumes"),
];

/// Fields that Domino sets by itself and no request contains.
const BY_DOMINO: &[&str] = &[
    "id",
    "created",
    "projectId",
    "hardwareTierName",
    "scheduledByUserName",
];

/// What a scheduled job does: exactly what is sent, and what is compared with what exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleDefinition {
    /// The title, which ends with our marker.
    pub title: String,
    /// The command line of each run.
    pub command: String,
    /// When it starts a run.
    pub schedule: Cron,
    /// The IANA time zone.
    pub timezone_id: String,
    /// Whether it is paused.
    pub is_paused: bool,
    /// Whether a run may start while the previous one still runs.
    pub allow_concurrent_execution: bool,
    /// The hardware tier's id (never its name).
    pub hardware_tier_identifier: HardwareTierId,
    /// The compute environment's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_environment_id: Option<EnvironmentId>,
    /// The revision of that environment to run.
    pub environment_revision_spec: RevisionSpec,
    /// The id of the user that it runs as.
    pub scheduled_by_user_id: UserId,
    /// Who gets an email when a run ends.
    pub notify_on_complete_email_addresses: Vec<String>,
    /// The commit to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub main_repo_git_ref: Option<GitRef>,
    /// Everything else that it has, as it was read. A replacement is whole, so this is sent back.
    #[serde(flatten, deserialize_with = "rest")]
    pub rest: Map<String, Value>,
}

impl ScheduleDefinition {
    /// What counts when two of them are compared: everything that is ours, and of the rest what Domino keeps as it is
    /// sent.
    pub fn compared(&self) -> Map<String, Value> {
        let mut object = match serde_json::to_value(self) {
            Ok(Value::Object(object)) => object,
            _ => Map::new(),
        };
        let is_kept = |name: &str| CARRIED.iter().any(|(known, _)| *known == name);
        object.retain(|name, value| {
            !self.rest.contains_key(name) || is_kept(name) && !is_nothing(value)
        });
        object
    }

    /// Sets what is asked for; of a cluster of the same type that it has, what is not asked for stays. The fields that
    /// were set.
    pub fn set(&mut self, settings: &JobSettings) -> Map<String, Value> {
        let asked = settings.fields();
        for (name, value) in &asked {
            let value = match (self.rest.remove(name), value) {
                (Some(Value::Object(mut old)), Value::Object(new))
                    if old.get("clusterType") == new.get("clusterType") =>
                {
                    old.extend(new.clone());
                    Value::Object(old)
                }
                _ => value.clone(),
            };
            self.rest.insert(name.clone(), value);
        }
        asked
    }

    /// What of the rest somebody has set beside `ours`, in words.
    pub fn carried(&self, ours: &Map<String, Value>) -> Vec<String> {
        let is_theirs =
            |(name, value): &(&String, &Value)| !is_nothing(value) && !ours.contains_key(*name);
        let set = self.rest.iter().filter(is_theirs);
        set.map(|(name, _)| {
            let known = CARRIED.iter().find(|(known, _)| known == name);
            known.map_or_else(|| format!("`{name}`"), |(_, words)| (*words).to_owned())
        })
        .collect()
    }
}

/// Whether a value means the same as a field that is left out.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// What remains of a reply, arranged as a request has it.
fn rest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    let mut rest = Map::deserialize(deserializer)?;
    // A reply has them together, a request separately.
    if let Some(Value::Object(data)) = rest.remove("dataConfig") {
        rest.extend(data);
    }
    rest.retain(|name, value| !value.is_null() && !BY_DOMINO.contains(&name.as_str()));
    Ok(rest)
}

/// A Quartz cron expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cron {
    /// Seconds first, six or seven fields.
    pub cron_string: String,
    /// Whether somebody wrote it by hand.
    #[serde(default)]
    pub is_custom: bool,
}

impl Reader {
    /// `GET /v4/projects/{id}/scheduledjobs`: all of them, a bare array. Contract: v4.
    pub async fn scheduled_jobs(&self, project: &ProjectId) -> Result<Vec<ScheduledJob>, ApiError> {
        self.read(&path(project), &[]).await
    }
}

impl Writer {
    /// `POST /v4/projects/{id}/scheduledjobs`: a new one, 200. Contract: v4.
    pub async fn create_scheduled_job(
        &self,
        project: &ProjectId,
        definition: &ScheduleDefinition,
    ) -> Result<ScheduledJob, ApiError> {
        self.write(reqwest::Method::POST, &path(project), Some(definition))
            .await
    }

    /// `PUT /v4/projects/{id}/scheduledjobs/{key}`: replaces it as a whole, 200. Contract: v4.
    pub async fn replace_scheduled_job(
        &self,
        project: &ProjectId,
        id: &ScheduleId,
        definition: &ScheduleDefinition,
    ) -> Result<ScheduledJob, ApiError> {
        let path = format!("{}/{}", path(project), segment(id.as_str()));
        self.write(reqwest::Method::PUT, &path, Some(definition))
            .await
    }

    /// `DELETE /v4/projects/{id}/scheduledjobs/{key}`: 200 with nothing. Contract: v4.
    pub async fn delete_scheduled_job(
        &self,
        project: &ProjectId,
        id: &ScheduleId,
    ) -> Result<(), ApiError> {
        let path = format!("{}/{}", path(project), segment(id.as_str()));
        self.write_only::<()>(reqwest::Method::DELETE, &path, None)
            .await
    }
}

fn path(project: &ProjectId) -> String {
    format!("/v4/projects/{}/scheduledjobs", segment(project.as_str()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wiremock::matchers::{body_json, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::api::run_settings::{ComputeCluster, TierReference};
    use crate::client::tests::connection;

    fn definition() -> ScheduleDefinition {
        ScheduleDefinition {
            title: "Score [prod/score]".into(),
            command: "score.py".into(),
            schedule: Cron {
                cron_string: "0 0 6 ? * MON".into(),
                is_custom: true,
            },
            timezone_id: "UTC".into(),
            is_paused: false,
            allow_concurrent_execution: false,
            hardware_tier_identifier: HardwareTierId::new("small-k8s"),
            override_environment_id: None,
            environment_revision_spec: RevisionSpec::Active,
            scheduled_by_user_id: UserId::new("u1"),
            notify_on_complete_email_addresses: vec![],
            main_repo_git_ref: Some(GitRef::Commit("ab".repeat(20))),
            rest: Map::new(),
        }
    }

    fn body() -> Value {
        json!({
            "title": "Score [prod/score]",
            "command": "score.py",
            "schedule": {"cronString": "0 0 6 ? * MON", "isCustom": true},
            "timezoneId": "UTC",
            "isPaused": false,
            "allowConcurrentExecution": false,
            "hardwareTierIdentifier": "small-k8s",
            "environmentRevisionSpec": "ActiveRevision",
            "scheduledByUserId": "u1",
            "notifyOnCompleteEmailAddresses": [],
            "mainRepoGitRef": {"type": "commitId", "value": "ab".repeat(20)},
        })
    }

    fn reply() -> Value {
        let mut reply = body();
        reply["id"] = json!("s1");
        reply["hardwareTierName"] = json!("Small");
        reply["schedule"]["humanReadableCronString"] = json!("at six");
        reply
    }

    #[tokio::test]
    async fn what_is_sent_is_whole_and_what_comes_back_compares_equal() {
        let server = MockServer::start().await;
        for (verb, at) in [
            ("POST", "/v4/projects/p1/scheduledjobs"),
            ("PUT", "/v4/projects/p1/scheduledjobs/s1"),
        ] {
            Mock::given(method(verb))
                .and(path(at))
                .and(body_json(body()))
                .respond_with(ResponseTemplate::new(200).set_body_json(reply()))
                .expect(1)
                .mount(&server)
                .await;
        }
        let (writer, project) = (connection(&server.uri()).writer(), ProjectId::new("p1"));
        let created = writer
            .create_scheduled_job(&project, &definition())
            .await
            .unwrap();
        assert_eq!(created.definition, definition());
        writer
            .replace_scheduled_job(&project, &created.id, &definition())
            .await
            .unwrap();
    }

    #[test]
    fn what_a_reply_has_beyond_ours_is_sent_back_where_a_request_has_it() {
        let mut reply = reply();
        reply["created"] = json!("2026-01-01T00:00:00Z");
        reply["capacityType"] = json!("spot");
        reply["somethingNew"] = json!({"a": 1});
        reply["publishModelId"] = Value::Null;
        reply["dataConfig"] = json!({
            "externalVolumeMounts": ["v1"], "netAppVolumeIds": [], "snapshotDatasetsOnCompletion": false,
        });
        let read: ScheduledJob = serde_json::from_value(reply).unwrap();
        let mut sent = body();
        sent["capacityType"] = json!("spot");
        sent["somethingNew"] = json!({"a": 1});
        sent["externalVolumeMounts"] = json!(["v1"]);
        sent["netAppVolumeIds"] = json!([]);
        sent["snapshotDatasetsOnCompletion"] = json!(false);
        assert_eq!(serde_json::to_value(&read.definition).unwrap(), sent);
        assert_eq!(
            read.definition.carried(&Map::new()),
            ["capacity type", "external volumes", "`somethingNew`"]
        );
    }

    #[test]
    fn what_is_asked_for_is_set_and_the_rest_of_the_same_cluster_stays() {
        let cluster = |kind: &str| {
            json!({
                "clusterType": kind, "workerCount": 9, "extraConfigs": {"a": "1"},
                "workerHardwareTierId": {"value": "old"},
            })
        };
        let tier = HardwareTierId::new("w");
        let settings = JobSettings {
            compute_cluster_properties: Some(ComputeCluster {
                cluster_type: "Ray",
                compute_environment_id: EnvironmentId::new("e1"),
                compute_environment_revision_spec: RevisionSpec::Active,
                master_hardware_tier_id: None,
                worker_hardware_tier_id: TierReference { value: tier },
                worker_count: 2,
                max_worker_count: None,
            }),
            external_volume_mounts: Some(vec![]),
            ..JobSettings::default()
        };
        for (had, kept) in [("Ray", json!({"a": "1"})), ("Spark", Value::Null)] {
            let mut definition = definition();
            let rest = &mut definition.rest;
            rest.insert("computeClusterProperties".into(), cluster(had));
            rest.insert("externalVolumeMounts".into(), json!(["v1"]));
            rest.insert("capacityType".into(), json!("spot"));
            let ours = definition.set(&settings);
            let now = &definition.rest;
            assert_eq!(now["computeClusterProperties"]["workerCount"], 2);
            assert_eq!(now["computeClusterProperties"]["extraConfigs"], kept);
            assert_eq!(now["externalVolumeMounts"], json!([]));
            assert_eq!(definition.carried(&ours), ["capacity type"]);
        }
    }

    #[tokio::test]
    async fn the_list_is_a_bare_array_and_a_deletion_answers_nothing() {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path("/v4/projects/p1/scheduledjobs"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!([reply()])))
            .mount(&server)
            .await;
        Mock::given(method("DELETE"))
            .and(path("/v4/projects/p1/scheduledjobs/s1"))
            .respond_with(ResponseTemplate::new(200))
            .expect(1)
            .mount(&server)
            .await;
        let (connection, project) = (connection(&server.uri()), ProjectId::new("p1"));
        let all = connection.reader().scheduled_jobs(&project).await.unwrap();
        connection
            .writer()
            .delete_scheduled_job(&project, &all[0].id)
            .await
            .unwrap();
    }
}
