//! The whole answer: what was read of each stage, what waits, and what follows from all of it. As JSON it is the documented
//! format of `status --format json`.

use jiff::Timestamp;
use serde::Serialize;

use super::deployed::{Deployed, EntityKind, Health, LeftOver, ago};

/// The whole answer: the stages in pipeline order, each with all entities of the file.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The version of this document's format: 1.
    pub format: u32,
    /// When Domino was read.
    pub at: Timestamp,
    /// The GitHub repository, `owner/name`, if it is known.
    pub repository: Option<String>,
    /// Why it is unknown what waits on GitHub for an approval, if so.
    pub waiting_not_seen: Option<String>,
    /// The stages, in pipeline order.
    pub stages: Vec<StageStatus>,
}

/// What was read of one stage.
#[derive(Debug, Clone, Serialize)]
pub struct StageStatus {
    /// The stage's name in the file.
    pub stage: String,
    /// The GitHub environment of its deploy jobs, as the file names it.
    pub github_environment: String,
    /// The host of its Domino.
    pub host: String,
    /// Its project there, `owner/name`.
    pub project: String,
    /// The data plane that the file names.
    pub data_plane: Option<String>,
    /// Who approves on GitHub, as the file says.
    pub approvers: Vec<String>,
    /// Why nothing is known about it, if so.
    pub not_seen: Option<NotSeen>,
    /// What else a reader must know: a token that expires soon.
    pub warnings: Vec<String>,
    /// What waits for somebody before it enters the stage.
    pub waiting: Vec<Waiting>,
    /// All entities of the file, in its order; empty if the stage was not read.
    pub entities: Vec<Deployed>,
    /// What has our marker in Domino and is no longer in the file.
    pub left_over: Vec<LeftOver>,
}

/// Why a stage was not read, or could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotSeen {
    /// Whether there is no token for it, which is no error.
    pub without_token: bool,
    /// What happened, outermost first.
    pub reasons: Vec<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// The exit code that it leads to.
    #[serde(skip)]
    pub exit: u8,
}

/// Something that waits for somebody before it enters a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Where it waits: `GitHub` or `Domino`.
    pub place: &'static str,
    /// What waits, in words: a workflow and the reason for its run, or an approval.
    pub what: String,
    /// The SHA of the commit that it would deploy, if known.
    pub commit: Option<String>,
    /// Whom it waits for; empty while only a timer runs.
    pub waits_for: Vec<String>,
    /// Who started it.
    pub started_by: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// The page on which it can be approved.
    pub link: Option<String>,
}

impl StageStatus {
    /// What the stage has of an entity. A job may not be for it.
    pub fn entity(&self, (kind, name): (EntityKind, &str)) -> Option<&Deployed> {
        let mut entities = self.entities.iter();
        entities.find(|one| one.kind == kind && one.entity == name)
    }
}

impl Status {
    /// Whether something differs from the file, as far as it was read.
    pub fn differs(&self) -> bool {
        self.stages.iter().any(|stage| {
            !stage.left_over.is_empty() || stage.entities.iter().any(Deployed::differs)
        })
    }

    /// What differs from the file, a line each: ``dev app dashboard: visibility is …``.
    pub fn differences(&self, file: &str) -> Vec<String> {
        let entities = self.stages.iter().flat_map(|stage| &stage.entities);
        entities
            .flat_map(|entity| {
                let what = format!("{} {} {}", entity.stage, entity.kind.word(), entity.entity);
                let wrong = match entity.health {
                    Health::Nothing => Some(entity.status.clone()),
                    Health::Wrong => Some(format!("it is `{}`", entity.status)),
                    _ => None,
                };
                let differences = entity.differences.iter().map(|one| one.in_words(file));
                let all = wrong.into_iter().chain(differences);
                all.map(|one| format!("{what}: {one}")).collect::<Vec<_>>()
            })
            .collect()
    }

    /// All entities that some stage has, in the order of the file.
    pub fn entities(&self) -> Vec<(EntityKind, &str)> {
        let mut all: Vec<(EntityKind, &str)> = Vec::new();
        for stage in &self.stages {
            let mut at = 0;
            for entity in &stage.entities {
                let one = (entity.kind, entity.entity.as_str());
                match all.iter().position(|known| *known == one) {
                    Some(known) => at = known + 1,
                    None => {
                        all.insert(at, one);
                        at += 1;
                    }
                }
            }
        }
        all
    }

    /// What is held, a line each.
    pub fn held(&self) -> Vec<String> {
        let entities = self.stages.iter().flat_map(|stage| &stage.entities);
        let held = entities.filter_map(|entity| {
            let what = format!("{} {} {}", entity.stage, entity.kind.word(), entity.entity);
            Some(format!("{what}: {}", entity.held.as_ref()?.in_words()))
        });
        held.collect()
    }

    /// What waits for whom, a line each.
    pub fn waiting(&self) -> Vec<String> {
        let waiting = self.stages.iter().flat_map(|stage| {
            let each = stage.waiting.iter();
            each.map(move |one| format!("{}: {}", stage.stage, one.in_words(self.at)))
        });
        waiting.collect()
    }

    /// The page of a commit on GitHub, if the repository is known.
    pub fn url_of(&self, commit: &str) -> Option<String> {
        let repository = self.repository.as_ref()?;
        let is_commit = commit.len() >= 7 && commit.bytes().all(|b| b.is_ascii_hexdigit());
        is_commit.then(|| format!("https://github.com/{repository}/commit/{commit}"))
    }

    /// The page of an entity's commit on GitHub, if the repository is known.
    pub fn commit_url(&self, entity: &Deployed) -> Option<String> {
        self.url_of(entity.commit.as_ref()?)
    }

    /// The exit code if a stage could not be read; 0 if all stages with a token were.
    pub fn exit_of_trouble(&self) -> u8 {
        let not_seen = self
            .stages
            .iter()
            .filter_map(|stage| stage.not_seen.as_ref());
        not_seen.map(|not_seen| not_seen.exit).max().unwrap_or(0)
    }
}

impl Waiting {
    /// Whom it waits for, in words.
    pub fn whom(&self) -> String {
        match self.waits_for.is_empty() {
            true => "waits for its timer".into(),
            false => format!("waits for {}", self.waits_for.join(", ")),
        }
    }

    /// All of it as one sentence.
    pub fn in_words(&self, now: Timestamp) -> String {
        let commit = self
            .commit
            .as_deref()
            .map(|commit| commit.get(..7).unwrap_or(commit));
        let commit = commit
            .map(|commit| format!(" ({commit})"))
            .unwrap_or_default();
        let since = self.since.map(|since| format!(", {}", ago(since, now)));
        let (place, what, whom) = (self.place, &self.what, self.whom());
        format!(
            "{what}{commit} {whom} on {place}{}",
            since.unwrap_or_default()
        )
    }
}
