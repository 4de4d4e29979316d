//! Rules on what a run has beside its hardware tier and environment.

use super::rule::{Book, Report};
use crate::text::displayed;

pub(super) fn volumes(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let is_volume =
        |keys: &[&str]| matches!(keys, ["job" | "app", _, .., "volumes" | "netapp-volumes"]);
    let leaves: Vec<_> = book.texts(is_volume).collect();
    for (at, leaf) in leaves.iter().enumerate() {
        let mut earlier = leaves[..at].iter();
        if earlier.any(|other| other.keys == leaf.keys && other.text == leaf.text) {
            report.leaf(leaf, format!("names {} twice", displayed(leaf.text)));
        }
    }
}

/// A schedule's `volumeSpecificationOverride` is an object of which no specification tells the fields.
pub(super) fn volume_size(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for job in book.file.jobs.iter().filter(|job| job.schedule.is_some()) {
        for path in tables(&job.name, job.stages.keys()) {
            let path = [&path[..], &["volume-size"]].concat();
            if book.tree.own(&path).is_some() {
                report.at(
                    &path,
                    "is not for a schedule: Domino's API of scheduled jobs does not say how it is written; set it in \
                     Domino, where it stays",
                );
            }
        }
    }
}

pub(super) fn cluster(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for job in &book.file.jobs {
        for path in tables(&job.name, job.stages.keys()) {
            let at = |key: &[&'static str]| [&path[..], &["cluster"], key].concat();
            let number = |key| {
                let value = book.tree.own(&at(&[key]))?;
                crate::table::whole_number(value)
            };
            if let (Some(workers), Some(most)) = (number("workers"), number("max-workers"))
                && most < workers
            {
                report.at(
                    &at(&["max-workers"]),
                    format!("is less than `workers`, which is {workers}"),
                );
            }
            let revision = at(&["environment", "revision"]);
            if book.tree.own_text(&revision) == Some("as-before") {
                report.at(
                    &revision,
                    "is not for a cluster: nothing hands on which revision that of the stage before ran",
                );
            }
        }
    }
}

/// The tables that may hold such keys of a job: its own, and those for its stages.
fn tables<'a>(job: &'a str, stages: impl Iterator<Item = &'a String>) -> Vec<Vec<&'a str>> {
    let stages = stages.map(|stage| vec!["job", job, "stage", stage]);
    std::iter::once(vec!["job", job]).chain(stages).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::with;

    fn job(keys: &str) -> Vec<String> {
        with(&format!("[job.train]\ncommand = \"train.py\"\n{keys}"))
    }

    const CLUSTER: &str = "type = \"ray\", worker-tier = \"w\", workers = 2";

    #[test]
    fn a_volume_is_named_once() {
        assert_eq!(
            job("volumes = [\"a\", \"b\"]\nnetapp-volumes = [\"a\"]"),
            [""; 0]
        );
        assert_eq!(
            job("volumes = [\"a\", \"a\"]"),
            ["`volumes` in `[job.train]` names `a` twice"]
        );
        assert_eq!(
            job("volumes = [\"a\"]\n[job.train.stage.prod]\nvolumes = [\"a\"]"),
            [""; 0]
        );
    }

    #[test]
    fn the_size_of_a_disk_is_not_for_a_schedule() {
        assert_eq!(job("volume-size = 50"), [""; 0]);
        let schedule = "schedule = { cron = \"0 0 6 * * ?\" }";
        let said = "is not for a schedule: Domino's API of scheduled jobs does not say how it is written; set it in \
                    Domino, where it stays";
        assert_eq!(
            job(&format!("{schedule}\nvolume-size = 50")),
            [format!("`volume-size` in `[job.train]` {said}")]
        );
        assert_eq!(
            job(&format!(
                "{schedule}\n[job.train.stage.prod]\nvolume-size = 50"
            )),
            [format!("`volume-size` in `[job.train.stage.prod]` {said}")]
        );
    }

    #[test]
    fn a_cluster_is_one_that_domino_can_make() {
        let cluster = |more: &str| job(&format!("cluster = {{ {CLUSTER}, {more} }}"));
        assert_eq!(cluster("environment = \"Ray\", max-workers = 2"), [""; 0]);
        assert_eq!(
            cluster("environment = \"Ray\", max-workers = 1"),
            ["`cluster.max-workers` in `[job.train]` is less than `workers`, which is 2"]
        );
        assert_eq!(
            cluster("environment = { name = \"Ray\", revision = \"as-before\" }"),
            [
                "`cluster.environment.revision` in `[job.train]` is not for a cluster: nothing hands on which revision \
                 that of the stage before ran"
            ]
        );
        assert_eq!(
            cluster("max-workers = 3"),
            ["`cluster` in `[job.train]` has no `environment`"]
        );
    }
}
