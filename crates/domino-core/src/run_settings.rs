//! What a run has beside its hardware tier and environment, found among what Domino has: volumes, a cluster, the kind
//! of machine. What the stage file does not say is not asked for.

use stage_file::{Capacity, ClusterType, RunSettings};

use crate::api::environments::{Environment, RevisionSpec};
use crate::api::external_volumes::ExternalVolume;
use crate::api::hardware_tiers::HardwareTier;
use crate::api::jobs::Job as Run;
use crate::api::run_settings::{ComputeCluster, JobSettings, TierReference};
use crate::choice::{Named, choose, named};
use crate::error::CommandError;
use crate::step::Plan;

/// What a run has. `None` is what the stage file says nothing of.
#[derive(Debug, Clone, Default)]
pub struct ResolvedSettings {
    /// The external volumes.
    pub volumes: Option<Vec<ExternalVolume>>,
    /// The ids of the NetApp volumes.
    pub netapp_volumes: Option<Vec<String>>,
    /// The size of the run's own disk in GiB.
    pub volume_size: Option<u32>,
    /// The cluster of workers to start with each run.
    pub cluster: Option<ResolvedCluster>,
    /// The kind of machine.
    pub capacity: Option<Capacity>,
    /// Whether a snapshot of the data sets is taken at the end.
    pub snapshot_datasets: Option<bool>,
}

/// A cluster as Domino makes it.
#[derive(Debug, Clone)]
pub struct ResolvedCluster {
    r#type: ClusterType,
    workers: u32,
    max_workers: Option<u32>,
    worker_tier: HardwareTier,
    master_tier: Option<HardwareTier>,
    environment: Environment,
    revision: RevisionSpec,
}

/// What Domino has to choose from; empty where nothing of it is asked for.
#[derive(Debug)]
pub(crate) struct Choices<'a> {
    pub(crate) volumes: &'a [ExternalVolume],
    pub(crate) tiers: &'a [HardwareTier],
    pub(crate) environments: &'a [Environment],
}

/// A key of the stage file that could not be met, such as `["cluster", "worker-tier"]`.
pub(crate) type Unmet = (&'static [&'static str], CommandError);

impl ResolvedSettings {
    /// Finds what is named. Each tier of the cluster is handed to `check` with its key.
    pub(crate) fn find(
        settings: &RunSettings,
        choices: &Choices<'_>,
        check: impl Fn(&HardwareTier, &'static [&'static str]) -> Result<(), CommandError>,
    ) -> Result<Self, Unmet> {
        let volumes = settings.volumes.external.as_ref().map(|wanted| {
            let find = |wanted: &String| {
                let volume = choose(choices.volumes, wanted, "external volume")?;
                Ok(volume.clone())
            };
            wanted.iter().map(find).collect::<Result<Vec<_>, _>>()
        });
        let tier = |wanted: &str, key| {
            let tier = choose(choices.tiers, wanted, "hardware tier");
            let tier = tier.map_err(|error| (key, error))?;
            check(tier, key).map_err(|error| (key, error))?;
            Ok(tier.clone())
        };
        let cluster = match &settings.cluster {
            None => None,
            Some(cluster) => {
                let wanted = &cluster.environment;
                let noun = "compute environment";
                let environment = choose(choices.environments, &wanted.id_or_name, noun)
                    .map_err(|error| (&["cluster", "environment"][..], error))?;
                let master = cluster.master_tier.as_deref();
                Some(ResolvedCluster {
                    r#type: cluster.r#type,
                    workers: cluster.workers,
                    max_workers: cluster.max_workers,
                    worker_tier: tier(&cluster.worker_tier, &["cluster", "worker-tier"])?,
                    master_tier: master
                        .map(|wanted| tier(wanted, &["cluster", "master-tier"]))
                        .transpose()?,
                    environment: environment.clone(),
                    revision: RevisionSpec::from(&wanted.revision),
                })
            }
        };
        Ok(Self {
            volumes: volumes
                .transpose()
                .map_err(|error| (&["volumes"][..], error))?,
            netapp_volumes: settings.volumes.netapp.clone(),
            volume_size: settings.volume_size,
            cluster,
            capacity: settings.capacity,
            snapshot_datasets: settings.snapshot_datasets,
        })
    }

    /// What Domino is asked for.
    pub fn job(&self) -> JobSettings {
        let volumes = self.volumes.as_ref();
        JobSettings {
            external_volume_mounts: volumes
                .map(|volumes| volumes.iter().map(|volume| volume.id.clone()).collect()),
            net_app_volume_ids: self.netapp_volumes.clone(),
            override_volume_size: self.volume_size,
            compute_cluster_properties: self.cluster.as_ref().map(ResolvedCluster::wire),
            capacity_type: self.capacity.map(|capacity| match capacity {
                Capacity::OnDemand => "on-demand",
                Capacity::Spot => "spot",
            }),
            snapshot_datasets_on_completion: self.snapshot_datasets,
        }
    }

    /// Adds what was found to a plan.
    pub(crate) fn describe(&self, plan: &mut Plan) {
        if let Some(volumes) = &self.volumes {
            let volumes = volumes.iter().map(|volume| {
                let read_only = if volume.read_only { ", read only" } else { "" };
                format!("{} at {}{read_only}", named(volume), volume.mount_path)
            });
            plan.fact("volumes", listed(volumes.collect()));
        }
        if let Some(volumes) = &self.netapp_volumes {
            plan.fact("NetApp volumes", listed(volumes.clone()));
        }
        if let Some(size) = self.volume_size {
            plan.fact("disk", format!("{size} GiB"));
        }
        if let Some(cluster) = &self.cluster {
            plan.fact("cluster", cluster.in_words());
        }
        if let Some(capacity) = self.job().capacity_type {
            plan.fact("capacity", capacity);
        }
        if let Some(snapshot) = self.snapshot_datasets {
            let words = if snapshot { "at the end" } else { "none" };
            plan.fact("snapshot of data sets", words);
        }
    }

    /// How a run differs from what was asked for, as far as Domino tells.
    pub(crate) fn wrong_in(&self, run: &Run) -> Vec<String> {
        let mut wrong = Vec::new();
        if let (Some(cluster), Some(got)) = (&self.cluster, &run.compute_cluster) {
            let wanted = cluster.wire();
            let word = wanted.cluster_type;
            if let Some(got) = got["clusterType"].as_str().filter(|got| *got != word) {
                wrong.push(format!("cluster: `{got}` in place of `{word}`"));
            }
            let tier = wanted.worker_hardware_tier_id.value.as_str();
            let got = got["workerHardwareTierId"]["value"].as_str();
            if let Some(got) = got.filter(|got| *got != tier) {
                wrong.push(format!(
                    "hardware tier of the workers: `{got}` in place of `{tier}`"
                ));
            }
        }
        for volume in self.volumes.iter().flatten() {
            let mut mounted = run.mounted_volumes().peekable();
            if mounted.peek().is_some() && !mounted.any(|name| name == volume.name) {
                wrong.push(format!("volume `{}`: not mounted", volume.name));
            }
        }
        wrong
    }

    /// What was asked for and Domino says nothing of, in words.
    pub(crate) fn unreported_in(&self, run: &Run) -> Vec<&'static str> {
        let cluster = self.cluster.is_some() && run.compute_cluster.is_none();
        let volumes = self
            .volumes
            .as_ref()
            .is_some_and(|wanted| !wanted.is_empty());
        let volumes = volumes && run.mounted_volumes().next().is_none();
        let words = [(cluster, "cluster"), (volumes, "external volume")];
        words
            .into_iter()
            .filter_map(|(is_unreported, word)| is_unreported.then_some(word))
            .collect()
    }
}

impl ResolvedCluster {
    fn wire(&self) -> ComputeCluster {
        let tier = |tier: &HardwareTier| TierReference {
            value: tier.id.clone(),
        };
        ComputeCluster {
            cluster_type: self.word(),
            compute_environment_id: self.environment.id.clone(),
            compute_environment_revision_spec: self.revision.clone(),
            master_hardware_tier_id: self.master_tier.as_ref().map(tier),
            worker_hardware_tier_id: tier(&self.worker_tier),
            worker_count: self.workers,
            max_worker_count: self.max_workers,
        }
    }

    fn word(&self) -> &'static str {
        match self.r#type {
            ClusterType::Ray => "Ray",
            ClusterType::Spark => "Spark",
            ClusterType::Dask => "Dask",
            ClusterType::Mpi => "MPI",
        }
    }

    fn in_words(&self) -> String {
        let most = self.max_workers.map(|most| format!(" to {most}"));
        let (count, most) = (self.workers, most.unwrap_or_default());
        let workers = match (count, most.is_empty()) {
            (1, true) => "worker",
            _ => "workers",
        };
        let master = self.master_tier.as_ref();
        let master = master.map(|tier| format!(", master on {}", named(tier)));
        format!(
            "{}, {count}{most} {workers} on {}{}, environment {}",
            self.word(),
            named(&self.worker_tier),
            master.unwrap_or_default(),
            self.environment.name()
        )
    }
}

fn listed(names: Vec<String>) -> String {
    match names.is_empty() {
        true => "none".into(),
        false => names.join(", "),
    }
}
