//! Where the entities of a stage run, and what they need there: each hardware tier with its data plane, each compute
//! environment, the volumes and the cluster of each that names some. They are found as the steps find them.

use domino_core::api::projects::Project;
use domino_core::choice::Named;
use domino_core::client::Reader;
use domino_core::place::ResolvedPlacement;
use futures_util::future::{join, join_all};
use stage_file::{Kind, RunSettings, Target};

use super::finding::Finding;
use super::visit::Visit;

/// A line for each tier and environment that the stage's entities name, however many name it, and a line for what one
/// entity has beside them.
pub(super) async fn look(visit: &Visit<'_>, reader: &Reader, project: &Project) -> Vec<Finding> {
    let file = visit.file;
    let jobs = file
        .jobs_of(visit.stage)
        .map(|job| (Kind::Job, job.name.as_str()));
    let apps = file.apps.iter().map(|app| (Kind::App, app.name.as_str()));
    let models = file
        .models
        .iter()
        .map(|model| (Kind::Model, model.name.as_str()));
    let mut questions: Vec<Question> = Vec::new();
    let mut besides = Vec::new();
    for (kind, entity) in jobs.chain(apps).chain(models) {
        let target = file.target(kind, entity, visit.stage);
        let (tier, environment) = Question::both(kind, &target);
        for question in [tier, environment] {
            match questions.iter_mut().find(|known| known.is_same(&question)) {
                Some(known) if known.kinds.contains(&kind) => {}
                Some(known) => known.kinds.push(kind),
                None => questions.push(question),
            }
        }
        besides.push((kind, target));
    }
    // Tiers first: an environment is useless without one.
    questions.sort_by_key(|question| question.what);
    let questions = questions
        .iter()
        .map(|question| question.ask(visit, reader, project));
    let besides = besides
        .iter()
        .map(|(kind, target)| beside(visit, reader, project, *kind, target));
    let (mut findings, besides) = join(join_all(questions), join_all(besides)).await;
    findings.extend(besides.into_iter().flatten());
    findings
}

/// The volumes and the cluster of one entity.
async fn beside(
    visit: &Visit<'_>,
    reader: &Reader,
    project: &Project,
    kind: Kind,
    target: &Target,
) -> Vec<Finding> {
    let of = format!("{} `{}`", kind.word(), target.entity);
    let RunSettings {
        volumes, cluster, ..
    } = &target.settings;
    let external = volumes.external.as_ref().filter(|all| !all.is_empty());
    let find = async |settings: RunSettings, hardware_tier: Option<String>| {
        let target = Target {
            environment: None,
            hardware_tier,
            settings,
            ..target.clone()
        };
        ResolvedPlacement::find(reader, visit.file, visit.stage, kind, project, &target).await
    };
    let mut findings = Vec::new();
    if external.is_some() {
        let mut alone = RunSettings::default();
        alone.volumes.external = external.cloned();
        let tier = target.hardware_tier.clone();
        // A tier that is not there has a line of its own.
        let tier = match find(RunSettings::default(), tier.clone()).await {
            Ok(_) => tier,
            Err(_) => None,
        };
        findings.push(match find(alone, tier).await {
            Ok(place) => Finding::well(format!("external volumes of {of}: {}", mounts(&place))),
            Err(error) => Finding::of_error(&format!("external volumes of {of}"), &error),
        });
    }
    if let Some(cluster) = cluster {
        let alone = RunSettings {
            cluster: Some(cluster.clone()),
            ..RunSettings::default()
        };
        findings.push(match find(alone, None).await {
            Ok(_) => Finding::well(format!(
                "cluster of {of}: its tiers, and compute environment `{}`",
                cluster.environment.id_or_name
            )),
            Err(error) => Finding::of_error(&format!("cluster of {of}"), &error),
        });
    }
    if let Some(netapp) = volumes.netapp.as_ref().filter(|all| !all.is_empty()) {
        findings.push(Finding::NotAsked(
            format!("NetApp volumes of {of}: `{}`", netapp.join("`, `")),
            "no API lists them: look in Domino whether the project has them (Data > NetApp Volumes)"
                .to_owned(),
        ));
    }
    findings
}

/// `` `raw` at /mnt/raw ``, one after the other.
fn mounts(place: &ResolvedPlacement) -> String {
    let volumes = place.settings.volumes.iter().flatten();
    let volumes = volumes.map(|volume| format!("`{}` at {}", volume.name(), volume.mount_path));
    volumes.collect::<Vec<_>>().join(", ")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Tier,
    Environment,
}

/// Whether one tier or environment exists, for the kinds that need it.
struct Question {
    what: What,
    kinds: Vec<Kind>,
    target: Target,
}

impl Question {
    fn both(kind: Kind, target: &Target) -> (Self, Self) {
        let tier = Self {
            what: What::Tier,
            kinds: vec![kind],
            target: Target {
                environment: None,
                settings: RunSettings::default(),
                ..target.clone()
            },
        };
        let environment = Self {
            what: What::Environment,
            kinds: vec![kind],
            target: Target {
                hardware_tier: None,
                settings: RunSettings::default(),
                ..target.clone()
            },
        };
        (tier, environment)
    }

    /// Model endpoints have tiers of their own; environments are for all kinds.
    fn is_same(&self, other: &Self) -> bool {
        let for_models = |question: &Self| question.kinds.contains(&Kind::Model);
        self.what == other.what
            && match self.what {
                What::Tier => {
                    self.target.hardware_tier == other.target.hardware_tier
                        && for_models(self) == for_models(other)
                }
                What::Environment => self.target.environment == other.target.environment,
            }
    }

    async fn ask(&self, visit: &Visit<'_>, reader: &Reader, project: &Project) -> Finding {
        let kinds = in_words(&self.kinds);
        let kind = self.kinds[0];
        let found =
            ResolvedPlacement::find(reader, visit.file, visit.stage, kind, project, &self.target)
                .await;
        let place = match found {
            Ok(place) => place,
            Err(error) => return Finding::of_error(&format!("for {kinds}"), &error),
        };
        match self.what {
            What::Tier => self.tier(visit, &place, &kinds),
            What::Environment => environment(&place, &kinds),
        }
    }

    fn tier(&self, visit: &Visit<'_>, place: &ResolvedPlacement, kinds: &str) -> Finding {
        let Some(tier) = &place.tier else {
            return Finding::Well(
                format!("hardware tier of {kinds}: the project's default"),
                Some(format!(
                    "the tier chooses the data plane: better name it, {}",
                    visit.place_of("hardware-tier")
                )),
            );
        };
        let what = format!("hardware tier `{}` of {kinds}", tier.name());
        match &tier.data_plane {
            Some(plane) if !plane.is_healthy => Finding::wrong(
                format!(
                    "{what}: its data plane `{}` is not healthy according to Domino",
                    plane.name
                ),
                "ask Domino's administrators; nothing can start there until it is",
            ),
            Some(plane) => Finding::well(format!("{what}, on data plane `{}`", plane.name)),
            None => Finding::well(what),
        }
    }
}

fn environment(place: &ResolvedPlacement, kinds: &str) -> Finding {
    match &place.environment {
        None => Finding::well(format!(
            "compute environment of {kinds}: the project's default"
        )),
        Some((environment, _)) => {
            let revision = environment
                .active_revision_number
                .map(|number| format!(", active revision {number}"));
            Finding::well(format!(
                "compute environment `{}` of {kinds}{}",
                environment.name(),
                revision.unwrap_or_default()
            ))
        }
    }
}

/// `jobs, apps and models`.
fn in_words(kinds: &[Kind]) -> String {
    let words: Vec<String> = kinds
        .iter()
        .map(|kind| format!("{}s", kind.word()))
        .collect();
    match &words[..] {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        _ => words.concat(),
    }
}
