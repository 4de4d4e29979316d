//! The keys of what a run has of its own, and of its cluster.
//!
//! Data only; what a key means for the programs is said where its type is.

use super::Form::*;
use super::Need::*;
use super::stage::ENVIRONMENT;
use super::{Key, Section, key};

pub(super) const OWN_HARDWARE_TIER: Key = key(
    "hardware-tier",
    Text,
    Otherwise("the stage's"),
    "A hardware tier, by id or name.",
);

pub(super) const OWN_ENVIRONMENT: Key = key(
    "environment",
    TextOr(&ENVIRONMENT),
    Otherwise("the stage's"),
    "A compute environment, by id or name.",
);

pub(super) const VOLUMES: Key = key(
    "volumes",
    Texts,
    Otherwise("what Domino has"),
    "External volumes of the project to mount, by id or name.",
);

pub(super) const NETAPP_VOLUMES: Key = key(
    "netapp-volumes",
    Texts,
    Otherwise("what Domino has"),
    "NetApp volumes to mount, by id: no API lists them by name.",
);

pub(super) const VOLUME_SIZE: Key = key(
    "volume-size",
    Number(1, 100_000),
    Otherwise("the project's own"),
    "The size of a run's own disk in GiB. Not for a schedule, whose API does not say how it is written.",
);

pub(super) const CLUSTER_KEY: Key = key(
    "cluster",
    Table(&CLUSTER),
    Otherwise("what Domino has"),
    "Workers that come with a run.",
);

pub(super) const CAPACITY: Key = key(
    "capacity",
    Word(&["on-demand", "spot"]),
    Otherwise("what Domino has"),
    "The kind of machine: `spot` may be taken away while the run goes on.",
);

pub(super) const SNAPSHOT_DATASETS: Key = key(
    "snapshot-datasets",
    Flag,
    Otherwise("what Domino has"),
    "Whether Domino takes a snapshot of the data sets when a run ends.",
);

/// The same key in the table for one stage.
pub(super) const fn in_stage(of: Key, otherwise: &'static str) -> Key {
    key(of.name, of.form, Otherwise(otherwise), of.about)
}

/// `cluster = { … }` of a job.
pub static CLUSTER: Section = Section {
    header: "cluster = { … }",
    about: "Workers that come with a run. A table for one stage says all of it.",
    keys: &[
        key(
            "type",
            Word(&["ray", "spark", "dask", "mpi"]),
            Required,
            "The framework.",
        ),
        key(
            "workers",
            Number(1, 1_000),
            Required,
            "How many workers; with `max-workers` the fewest.",
        ),
        key(
            "max-workers",
            Number(1, 1_000),
            Otherwise("always as many as `workers`"),
            "The most workers; Domino chooses how many there are.",
        ),
        key(
            "worker-tier",
            Text,
            Required,
            "The hardware tier of a worker, by id or name.",
        ),
        key(
            "master-tier",
            Text,
            Otherwise("Domino's choice"),
            "The hardware tier of the master, by id or name.",
        ),
        key(
            "environment",
            TextOr(&ENVIRONMENT),
            Required,
            "The compute environment of the cluster, by id or name; not `as-before`.",
        ),
    ],
};
