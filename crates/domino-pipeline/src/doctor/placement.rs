//! Where the entities of a stage run: each hardware tier with its data plane, each compute environment.

use domino_core::api::projects::Project;
use domino_core::choice::Named;
use domino_core::client::Reader;
use domino_core::place::ResolvedPlacement;
use futures_util::future::join_all;
use stage_file::{Kind, RunSettings, Target};

use super::finding::Finding;
use super::visit::Visit;

/// A line for each tier and environment that the stage's entities name, however many name it.
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
    }
    // Tiers first: an environment is useless without one.
    questions.sort_by_key(|question| question.what);
    join_all(
        questions
            .iter()
            .map(|question| question.ask(visit, reader, project)),
    )
    .await
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
