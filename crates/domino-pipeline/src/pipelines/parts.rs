//! Splits what one kind deploys into several files if it does not fit into one: how many parts, and what goes into
//! which.
//!
//! Things that belong together stay in one file: a model and the job that trains it, and entities that come after one
//! another. The part depends only on a name and on the number of parts, and on nothing else in the stage file: so
//! adding or removing something changes one file. With one more part, as few as possible move, and all of them into
//! the new one.

use std::collections::{HashMap, HashSet};

use stage_file::{Kind, StageFile};

use github_workflow::limits::{LARGEST_FILE, rough_size};
use github_workflow::write::Workflow;

use super::workflow_file::WorkflowFile;
use crate::share::Share;

/// Estimates fill a part up to here; its real size is checked afterwards.
const FULL: usize = LARGEST_FILE / 10 * 9;

/// An entity takes more than this in each of its stages.
const LEAST: usize = 400;

/// This many lineages are measured together.
const TOGETHER: usize = 25;

/// The files of one kind: one, if GitHub accepts it.
pub(super) fn files(
    share: Share<'_>,
    workflow: impl Fn(Share<'_>) -> Workflow + Sync,
) -> Vec<WorkflowFile> {
    let entities = entities(share);
    if entities.iter().map(|entity| entity.stages).sum::<usize>() * LEAST <= LARGEST_FILE {
        let whole = WorkflowFile::new(name(share), workflow(share));
        if !whole.is_too_large() {
            return vec![whole];
        }
    }
    let lineages = lineages(share, &entities, &workflow);
    let sizes = lineages.iter().map(|lineage| lineage.size.min(FULL));
    let first = sizes.sum::<usize>().div_ceil(FULL).max(1);
    for count in first.. {
        let parts = parts(&lineages, count);
        let is_full = |part: &Vec<&Lineage<'_>>| {
            let size: usize = part.iter().map(|lineage| lineage.size).sum();
            part.len() > 1 && size > FULL
        };
        if parts.iter().any(is_full) {
            continue;
        }
        let files = written(share, &parts, &workflow);
        // A single lineage that is too large is refused when its file is written.
        let fits =
            |(lineages, file): &(usize, WorkflowFile)| *lineages == 1 || !file.is_too_large();
        if files.iter().all(fits) {
            return files.into_iter().map(|(_, file)| file).collect();
        }
    }
    Vec::new()
}

/// The file of each part that is not empty, and how many lineages it has; written side by side.
fn written(
    share: Share<'_>,
    parts: &[Vec<&Lineage<'_>>],
    workflow: &(impl Fn(Share<'_>) -> Workflow + Sync),
) -> Vec<(usize, WorkflowFile)> {
    std::thread::scope(|scope| {
        let parts = parts.iter().enumerate();
        let parts = parts.filter(|(_, part)| !part.is_empty());
        let started: Vec<_> = parts
            .map(|(at, part)| {
                scope.spawn(move || {
                    let own = only(share.file, part);
                    let share = Share {
                        file: &own,
                        part: at + 1,
                        ..share
                    };
                    let file = WorkflowFile::new(name(share), workflow(share));
                    // This creates the text, which later callers then find.
                    file.is_too_large();
                    (part.len(), file)
                })
            })
            .collect();
        let ended = started.into_iter().map(|part| part.join());
        ended
            .map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn name(share: Share<'_>) -> String {
    let part = match share.part {
        1 => String::new(),
        part => format!("-{part}"),
    };
    format!("deploy-{}s{part}.yml", share.kind.word())
}

/// The entities that stay in one file.
struct Lineage<'a> {
    /// Its entities, in the order of the file.
    entities: Vec<(Kind, &'a str)>,
    /// The hash of the name of its first entity of the kind.
    hash: u64,
    /// Roughly how many bytes it takes in a file.
    size: usize,
}

/// The lineages of a share, in the order of the file.
fn lineages<'a>(
    share: Share<'a>,
    entities: &[InOrder<'a>],
    workflow: &impl Fn(Share<'_>) -> Workflow,
) -> Vec<Lineage<'a>> {
    let at: HashMap<Entity<'_>, usize> = entities
        .iter()
        .enumerate()
        .map(|(at, entity)| (entity.entity, at))
        .collect();
    // Each points to an earlier one of the same lineage, or to itself.
    let mut first: Vec<usize> = (0..entities.len()).collect();
    for (here, entity) in entities.iter().enumerate() {
        for other in entity.before.iter().filter_map(|other| at.get(other)) {
            let (one, other) = (root(&first, here), root(&first, *other));
            first[one.max(other)] = one.min(other);
        }
    }
    let mut of_first: HashMap<usize, usize> = HashMap::new();
    let mut lineages: Vec<Lineage<'a>> = Vec::new();
    for (here, InOrder { entity, .. }) in entities.iter().enumerate() {
        let lineage = *of_first.entry(root(&first, here)).or_insert_with(|| {
            lineages.push(Lineage {
                entities: Vec::new(),
                hash: 0,
                size: 0,
            });
            lineages.len() - 1
        });
        let lineage = &mut lineages[lineage];
        if lineage.entities.iter().all(|(kind, _)| *kind != share.kind) {
            lineage.hash = hash(entity.1);
        }
        lineage.entities.push(*entity);
    }
    for some in lineages.chunks_mut(TOGETHER) {
        measure(share, some, workflow);
    }
    lineages
}

fn root(first: &[usize], mut at: usize) -> usize {
    while first[at] != at {
        at = first[at];
    }
    at
}

/// A job, an app or a model by its name.
type Entity<'a> = (Kind, &'a str);

/// An entity, and the entities that come before it.
struct InOrder<'a> {
    entity: Entity<'a>,
    before: Vec<Entity<'a>>,
    /// The number of stages that it is deployed to.
    stages: usize,
}

/// Every entity of a share, in the order of the file.
fn entities(share: Share<'_>) -> Vec<InOrder<'_>> {
    fn names(kind: Kind, names: &[String]) -> Vec<Entity<'_>> {
        names.iter().map(|name| (kind, name.as_str())).collect()
    }
    let stages = share.file.stages.len();
    let jobs = share.jobs().map(|job| InOrder {
        entity: (Kind::Job, job.name.as_str()),
        before: names(Kind::Job, &job.after),
        stages: job.deployed_to.len(),
    });
    let apps = share.file.apps.iter().map(|app| InOrder {
        entity: (Kind::App, app.name.as_str()),
        before: names(Kind::App, &app.after),
        stages,
    });
    let models = share.file.models.iter().map(|model| {
        let mut before = names(Kind::Model, &model.after);
        before.extend(model.trained_by.iter().map(|job| (Kind::Job, job.as_str())));
        InOrder {
            entity: (Kind::Model, model.name.as_str()),
            before,
            stages,
        }
    });
    match share.kind {
        Kind::Job => jobs.collect(),
        Kind::App => apps.collect(),
        Kind::Model => jobs.chain(models).collect(),
    }
}

/// Roughly how many bytes these lineages take in a file: their steps, and their share of the common text.
fn measure(
    share: Share<'_>,
    lineages: &mut [Lineage<'_>],
    workflow: &impl Fn(Share<'_>) -> Workflow,
) {
    let own = only(share.file, &lineages.iter().collect::<Vec<_>>());
    let workflow = workflow(Share {
        file: &own,
        ..share
    });
    let at: HashMap<Entity<'_>, usize> = lineages
        .iter()
        .enumerate()
        .flat_map(|(at, lineage)| lineage.entities.iter().map(move |entity| (*entity, at)))
        .collect();
    let mut of_all = 0;
    let mut sizes = vec![0; lineages.len()];
    for job in workflow.jobs.iter().filter(|job| job.environment.is_some()) {
        let outputs = job.outputs.iter();
        of_all += outputs
            .map(|(name, value)| name.len() + value.text().len() + OUTPUT)
            .sum::<usize>();
        for step in job.every_step() {
            let id = step.id.as_deref().and_then(|id| id.split_once('-'));
            let entity = id.and_then(|(verb, name)| {
                let kind = match verb {
                    "start" | "schedule" => Kind::Job,
                    _ => share.kind,
                };
                at.get(&(kind, name))
            });
            match entity {
                Some(at) => sizes[*at] += rough_size(step),
                // The step that says what was not deployed has a line for each.
                None if !step.env.is_empty() => of_all += rough_size(step),
                None => {}
            }
        }
    }
    let own: usize = sizes.iter().sum();
    for (lineage, size) in lineages.iter_mut().zip(sizes) {
        lineage.size = size + size * of_all / own.max(1);
    }
}

/// What a line of a job's outputs takes in addition to its name and its expression.
const OUTPUT: usize = "      : ${{  }}\n".len();

/// Which lineage goes into which of this many parts; some may be empty.
fn parts<'a>(lineages: &'a [Lineage<'a>], count: usize) -> Vec<Vec<&'a Lineage<'a>>> {
    let mut parts = vec![Vec::new(); count];
    for lineage in lineages {
        parts[part_of(lineage.hash, count)].push(lineage);
    }
    parts
}

/// FNV-1a: the same on every machine and in every version.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Lamping and Veach's jump consistent hash: with one more part, a key stays or goes into the new one.
fn part_of(mut key: u64, count: usize) -> usize {
    let (mut part, mut next) = (0, 0);
    while next < count {
        part = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        let jump = (1_u64 << 31) as f64 / ((key >> 33) + 1) as f64;
        next = ((part + 1) as f64 * jump) as usize;
    }
    part
}

/// The stage file with only these lineages.
fn only(file: &StageFile, part: &[&Lineage<'_>]) -> StageFile {
    let entities = part.iter().flat_map(|lineage| &lineage.entities);
    let kept: HashSet<Entity<'_>> = entities.copied().collect();
    file.with_only(|kind, name| kept.contains(&(kind, name)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{apps, jobs, models};
    use super::*;

    fn file(entities: &str) -> StageFile {
        let text = format!(
            "[defaults]\nhost = \"domino.example.com\"\nproject = \"a/b\"\n[stage.dev]\nhardware-tier = \"s\"\n{entities}"
        );
        StageFile::read(&text, Path::new("stages.toml")).unwrap()
    }

    fn names(file: &StageFile, kind: Kind) -> Vec<Vec<&str>> {
        let share = Share {
            file,
            kind,
            part: 1,
        };
        let workflow = match kind {
            Kind::Job => jobs::deploy_jobs,
            Kind::App => apps::deploy_apps,
            Kind::Model => models::deploy_models,
        };
        let lineages = lineages(share, &entities(share), &workflow);
        assert!(lineages.iter().all(|lineage| lineage.size > 0));
        let names = lineages.iter().map(|lineage| {
            let entities = lineage.entities.iter();
            entities.map(|(_, name)| *name).collect()
        });
        names.collect()
    }

    #[test]
    fn what_comes_after_one_another_and_what_is_trained_with_it_is_one_lineage() {
        let job =
            |name: &str, after: &str| format!("[job.{name}]\ncommand = \"x\"\nafter = [{after}]\n");
        let model = |name: &str, keys: &str| {
            format!("[model.{name}]\nregistered-model = \"{name}\"\n{keys}\n")
        };
        let file = file(
            &[
                job("a", ""),
                job("b", "\"d\""),
                job("c", "\"a\""),
                job("d", ""),
                job("train", ""),
                model("m", "trained-by = \"train\""),
                model("next", ""),
                model("o", "after = [\"m\"]"),
                model("p", "trained-by = \"train\""),
            ]
            .concat(),
        );
        assert_eq!(names(&file, Kind::Job), [vec!["a", "c"], vec!["b", "d"]]);
        assert_eq!(
            names(&file, Kind::Model),
            [vec!["train", "m", "o", "p"], vec!["next"]]
        );
    }

    #[test]
    fn with_one_more_part_a_name_stays_or_goes_into_the_new_one() {
        let names: Vec<String> = (0..1000).map(|at| format!("job-{at}")).collect();
        for count in 1..40 {
            let moved = names.iter().filter(|name| {
                let (before, after) = (part_of(hash(name), count), part_of(hash(name), count + 1));
                assert!(before == after || after == count, "{name}");
                before != after
            });
            // Roughly as many as the new part should have.
            assert!(
                moved.count() < 2 * names.len() / (count + 1) + 20,
                "{count}"
            );
        }
    }

    #[test]
    fn a_name_is_in_the_same_part_on_every_machine() {
        let parts = ["train", "score", "wine-quality"].map(|name| part_of(hash(name), 10));
        assert_eq!(parts, [2, 4, 4]);
    }
}
