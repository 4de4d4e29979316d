//! The cluster of workers that a job asks for. Its parts are checked and kept; the command runs alone, since a cluster is
//! more than one process on one machine can stand for.

use serde_json::{Value, json};

use crate::catalog::Catalog;
use crate::environments::RevisionSpec;
use crate::reply::{Failure, Put};
use crate::request::Fields;

/// A cluster as it was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClusterSpec {
    /// In the spelling of `/v4`: `Ray`.
    kind: String,
    environment_id: String,
    revision_spec: Option<RevisionSpec>,
    worker_tier_id: String,
    master_tier_id: Option<String>,
    workers: u64,
    max_workers: Option<u64>,
}

/// The frameworks, as `/v4` writes them; the public API writes them in small letters.
const KINDS: [&str; 4] = ["Spark", "Ray", "Dask", "MPI"];

impl ClusterSpec {
    /// Reads it as `/v4` spells it.
    pub(super) fn v4_field(fields: &mut Fields) -> Option<Self> {
        fields.optional_object("computeClusterProperties", |inner| ClusterSpec {
            kind: kind(inner, |kind| kind.to_owned()),
            environment_id: inner.text("computeEnvironmentId"),
            revision_spec: RevisionSpec::v4_field(inner, "computeEnvironmentRevisionSpec"),
            worker_tier_id: inner.object("workerHardwareTierId", |tier| tier.text("value")),
            master_tier_id: inner
                .optional_object("masterHardwareTierId", |tier| tier.text("value")),
            workers: inner.number("workerCount"),
            max_workers: inner.optional_number("maxWorkerCount"),
        })
    }

    /// Reads it as the public API spells it.
    pub(super) fn public_field(fields: &mut Fields) -> Option<Self> {
        fields.optional_object("computeCluster", |inner| ClusterSpec {
            kind: kind(inner, str::to_lowercase),
            environment_id: inner.text("computeEnvironmentId"),
            revision_spec: RevisionSpec::public_field(inner, "computeEnvironmentRevisionSpec"),
            worker_tier_id: inner.text("workerHardwareTier"),
            master_tier_id: inner.optional_text("masterHardwareTierId"),
            workers: inner.number("workerCount"),
            max_workers: inner.optional_number("maxWorkerCount"),
        })
    }

    /// Whether what it names is there.
    pub(super) fn check(&self, catalog: &Catalog) -> Result<(), Failure> {
        let tiers = &catalog.hardware_tiers;
        tiers.for_run(Some(&self.worker_tier_id))?;
        tiers.for_run(self.master_tier_id.as_deref())?;
        let environment = catalog.environments.for_run(Some(&self.environment_id))?;
        environment.revision(&self.revision_spec.clone().unwrap_or_default())?;
        Ok(())
    }

    pub(super) fn v4(&self) -> Value {
        let mut cluster = json!({
            "clusterType": self.kind,
            "computeEnvironmentId": self.environment_id,
            "computeEnvironmentRevisionSpec": self.revision_spec.clone().unwrap_or_default().v4(),
            "workerCount": self.workers,
            "workerHardwareTierId": { "value": self.worker_tier_id },
        });
        cluster.put("maxWorkerCount", self.max_workers);
        let master = self.master_tier_id.as_ref();
        cluster.put(
            "masterHardwareTierId",
            master.map(|id| json!({ "value": id })),
        );
        cluster
    }

    /// What a log says of it.
    pub(super) fn in_words(&self) -> String {
        format!("{} cluster of {} workers", self.kind, self.workers)
    }
}

/// The framework, in the spelling of `/v4`.
fn kind(fields: &mut Fields, spelt: fn(&str) -> String) -> String {
    let asked = fields.text("clusterType");
    match KINDS.into_iter().find(|kind| spelt(kind) == asked) {
        Some(kind) => kind.to_owned(),
        None => {
            fields.complain("clusterType", "error.invalid");
            String::new()
        }
    }
}
