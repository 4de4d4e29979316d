//! What a run has beside its hardware tier and its compute environment: volumes, a cluster of workers, the kind of
//! capacity. What the file does not say is `None`, and stays what Domino has.

use serde::{Deserialize, Serialize, Serializer};

use crate::compute_environment::ComputeEnvironment;

/// The volumes that are mounted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Volumes {
    /// External volumes of the project, by id or name.
    #[serde(rename = "volumes")]
    pub external: Option<Vec<String>>,
    /// NetApp volumes, by id.
    #[serde(rename = "netapp-volumes")]
    pub netapp: Option<Vec<String>>,
}

/// What a run of a job has of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RunSettings {
    /// The volumes that are mounted.
    #[serde(flatten)]
    pub volumes: Volumes,
    /// The size of the run's own disk, in GiB.
    pub volume_size: Option<u32>,
    /// The cluster that comes with it.
    pub cluster: Option<Cluster>,
    /// The kind of machine.
    pub capacity: Option<Capacity>,
    /// Whether Domino takes a snapshot of its data sets when it ends.
    pub snapshot_datasets: Option<bool>,
}

/// `cluster = { … }`: workers beside the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cluster {
    /// The framework.
    pub r#type: ClusterType,
    /// How many workers; the fewest, where there is a most.
    pub workers: u32,
    /// The most workers, between which and `workers` Domino chooses.
    pub max_workers: Option<u32>,
    /// The hardware tier of a worker, by id or name.
    pub worker_tier: String,
    /// The hardware tier of the master, by id or name.
    pub master_tier: Option<String>,
    /// The compute environment of the cluster.
    #[serde(serialize_with = "in_words")]
    pub environment: ComputeEnvironment,
}

/// The frameworks that Domino has clusters of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClusterType {
    /// The framework Ray.
    Ray,
    /// Apache Spark.
    Spark,
    /// The framework Dask.
    Dask,
    /// Open MPI.
    Mpi,
}

/// The kind of machine that a run gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capacity {
    /// One that is kept.
    OnDemand,
    /// One that may be taken away.
    Spot,
}

impl Volumes {
    /// These, and what they do not say as `below` has it.
    pub fn over(&self, below: &Self) -> Self {
        let first = |own: &Option<Vec<String>>, below: &Option<Vec<String>>| {
            own.as_ref().or(below.as_ref()).cloned()
        };
        Self {
            external: first(&self.external, &below.external),
            netapp: first(&self.netapp, &below.netapp),
        }
    }
}

impl RunSettings {
    /// These, and what they do not say as `below` has it.
    pub fn over(&self, below: &Self) -> Self {
        Self {
            volumes: self.volumes.over(&below.volumes),
            volume_size: self.volume_size.or(below.volume_size),
            cluster: self.cluster.as_ref().or(below.cluster.as_ref()).cloned(),
            capacity: self.capacity.or(below.capacity),
            snapshot_datasets: self.snapshot_datasets.or(below.snapshot_datasets),
        }
    }
}

fn in_words<S: Serializer>(
    environment: &ComputeEnvironment,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(environment)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Kind, StageFile};

    const FILE: &str = r#"
[defaults]
host = "domino.example.com"
project = "a/b"
[stage.dev]
[stage.prod]
[job.train]
command = "train.py"
volumes = ["raw"]
netapp-volumes = ["n1"]
volume-size = 50
capacity = "spot"
snapshot-datasets = true
cluster = { type = "ray", workers = 2, max-workers = 4, worker-tier = "w", environment = "Ray" }
[job.train.stage.prod]
volumes = []
capacity = "on-demand"
cluster = { type = "mpi", workers = 1, worker-tier = "w", master-tier = "m", environment = { name = "MPI", revision = "latest" } }
[job.plain]
command = "plain.py"
"#;

    #[test]
    fn a_stage_says_over_the_job_and_silence_stays_silent() {
        let file = StageFile::read(FILE, Path::new("stages.toml")).unwrap();
        let settings =
            |job: &str, stage: usize| file.target(Kind::Job, job, &file.stages[stage]).settings;
        let dev = settings("train", 0);
        assert_eq!(
            dev.volumes.external.as_deref(),
            Some(&["raw".to_owned()][..])
        );
        assert_eq!(
            (dev.volume_size, dev.capacity),
            (Some(50), Some(Capacity::Spot))
        );
        let cluster = dev.cluster.unwrap();
        assert_eq!(
            (cluster.r#type, cluster.workers, cluster.max_workers),
            (ClusterType::Ray, 2, Some(4))
        );
        let prod = settings("train", 1);
        assert_eq!(prod.volumes.external.as_deref(), Some(&[][..]));
        assert_eq!(prod.volumes.netapp.as_deref(), Some(&["n1".to_owned()][..]));
        assert_eq!(prod.capacity, Some(Capacity::OnDemand));
        assert_eq!(prod.snapshot_datasets, Some(true));
        let cluster = prod.cluster.unwrap();
        assert_eq!(cluster.environment.to_string(), "MPI, newest revision");
        assert_eq!(cluster.master_tier.as_deref(), Some("m"));
        assert_eq!(settings("plain", 0), RunSettings::default());
    }

    #[test]
    fn the_key_that_decides_is_that_of_the_stage_where_it_is_there() {
        let file = StageFile::read(FILE, Path::new("stages.toml")).unwrap();
        let key = |stage: usize, key: &[&str]| {
            let stage = &file.stages[stage];
            file.entity_key(Kind::Job, "train", stage, key).join(".")
        };
        assert_eq!(key(0, &["volumes"]), "job.train.volumes");
        assert_eq!(key(1, &["volumes"]), "job.train.stage.prod.volumes");
        assert_eq!(
            key(1, &["cluster", "worker-tier"]),
            "job.train.stage.prod.cluster.worker-tier"
        );
        assert_eq!(key(1, &["netapp-volumes"]), "job.train.netapp-volumes");
    }
}
