//! What runs of an entity in a stage, and how it differs from the stage file: the types that every way of showing it
//! shares. As JSON they are the documented format of `status --format json`.

use domino_core::hold::Hold;
use jiff::Timestamp;
use serde::Serialize;
use stage_file::StageFile;

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

/// That an entity was rolled back and stays there until it is released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The day on which it went back.
    pub since: String,
    /// The beginning of the commit that it went back from.
    pub from: Option<String>,
}

impl From<&Hold> for Held {
    fn from(hold: &Hold) -> Self {
        Self {
            since: hold.since.to_string(),
            from: hold.from.clone(),
        }
    }
}

/// What runs of one entity in one stage.
#[derive(Debug, Clone, Serialize)]
pub struct Deployed {
    /// Whether it is a job, a schedule, an app or a model.
    pub kind: EntityKind,
    /// The entity's name in the file.
    pub entity: String,
    /// The stage's name in the file.
    pub stage: String,
    /// The name or title in Domino.
    pub name: Option<String>,
    /// The id in Domino.
    pub id: Option<String>,
    /// The version of the registered model that an endpoint serves.
    pub version: Option<String>,
    /// The commit, or the beginning of its id.
    pub commit: Option<String>,
    /// The GitHub workflow run that deployed it.
    pub workflow_run: Option<String>,
    /// That no merge moves it.
    pub held: Option<Held>,
    /// Since when, if Domino tells.
    pub since: Option<Timestamp>,
    /// Who deployed it, by the name in Domino.
    pub by: Option<String>,
    /// Whether it is in order.
    pub health: Health,
    /// Its status in Domino's words.
    pub status: String,
    /// When it runs next, in the schedule's own time zone; for active schedules.
    pub next_run: Option<String>,
    /// What else is known of it, in words: `monitored`.
    pub facts: Vec<String>,
    /// What differs from the file, or was changed by hand.
    pub differences: Vec<Difference>,
}

/// The kind of an entity. A job with a schedule counts as a kind of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntityKind {
    /// A job that runs once in each deployment.
    Job,
    /// A job that Domino starts by itself.
    Schedule,
    /// An app, at whatever address.
    App,
    /// A model endpoint.
    Model,
}

/// Whether what runs is in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// It serves, or the last run succeeded.
    Well,
    /// Somebody or the file stopped it: a paused schedule.
    Paused,
    /// Something is in progress.
    UnderWay,
    /// It failed, or is down.
    Wrong,
    /// Nothing of it exists in Domino.
    Nothing,
}

/// One thing that differs from the file, or was changed by hand since our last deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The name of the thing: `hardware tier`.
    pub what: &'static str,
    /// What Domino has.
    pub domino: String,
    /// What the file says, if it says something.
    pub file: Option<String>,
    /// The line of the key in the file.
    pub line: Option<usize>,
    /// Whether somebody changed it since our last deployment, as far as that is known.
    pub by_hand: bool,
}

/// Something of ours in Domino that the file no longer has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOver {
    /// Whether it is a job, a schedule, an app or a model.
    pub kind: EntityKind,
    /// The stage and entity of its marker: `prod/report`.
    pub marker: String,
    /// Its name or title in Domino.
    pub name: String,
    /// The id in Domino, by which it can be removed.
    pub id: String,
    /// How to remove it.
    pub hint: String,
}

impl StageStatus {
    /// What the stage has of an entity. A job may not be for it.
    pub fn entity(&self, (kind, name): (EntityKind, &str)) -> Option<&Deployed> {
        let mut entities = self.entities.iter();
        entities.find(|one| one.kind == kind && one.entity == name)
    }
}

impl EntityKind {
    /// What people call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Schedule => "schedule",
            Self::App => "app",
            Self::Model => "model",
        }
    }
}

impl Deployed {
    /// An entity of which nothing exists in a stage; the rest is filled in.
    pub fn nothing(kind: EntityKind, entity: &str, stage: &str) -> Self {
        Self {
            kind,
            entity: entity.to_owned(),
            stage: stage.to_owned(),
            name: None,
            id: None,
            version: None,
            commit: None,
            workflow_run: None,
            held: None,
            since: None,
            by: None,
            health: Health::Nothing,
            status: "not in Domino".into(),
            next_run: None,
            facts: Vec::new(),
            differences: Vec::new(),
        }
    }

    /// Whether it is not as the file wants it: something differs, it is down, or it does not exist.
    pub fn differs(&self) -> bool {
        !self.differences.is_empty() || matches!(self.health, Health::Wrong | Health::Nothing)
    }

    /// The commit as people read it.
    pub fn short_commit(&self) -> Option<&str> {
        let commit = self.commit.as_deref()?;
        Some(commit.get(..7).unwrap_or(commit))
    }

    /// What is deployed: the version, the commit, or both.
    pub fn what(&self) -> String {
        let version = self.version.as_ref().map(|version| format!("v{version}"));
        let parts = version.into_iter();
        let parts: Vec<String> = parts
            .chain(self.short_commit().map(str::to_owned))
            .collect();
        match (parts.is_empty(), self.health) {
            (false, _) => parts.join(" "),
            (true, Health::Nothing) => "nothing".into(),
            (true, _) => "not told".into(),
        }
    }

    /// Adds a difference from what a key of the file says.
    pub(super) fn differs_from(
        &mut self,
        file: &StageFile,
        key: &[&str],
        what: &'static str,
        domino: impl Into<String>,
        wanted: impl Into<String>,
        by_hand: bool,
    ) {
        self.differences.push(Difference {
            what,
            domino: domino.into(),
            file: Some(wanted.into()),
            line: file.line_of(key),
            by_hand,
        });
    }

    /// Adds something that somebody changed and the file does not mention.
    pub(super) fn changed_by_hand(&mut self, what: &'static str, domino: impl Into<String>) {
        self.differences.push(Difference {
            what,
            domino: domino.into(),
            file: None,
            line: None,
            by_hand: true,
        });
    }
}

impl Difference {
    /// In words: ``visibility is `PUBLIC`, and stages.toml says `AUTHENTICATED` (line 62); changed by hand``.
    pub fn in_words(&self, file: &str) -> String {
        let line = self.line.map(|line| format!(" (line {line})"));
        let said = self.file.as_ref().map(|said| {
            format!(
                ", and {file} says `{said}`{}",
                line.as_deref().unwrap_or_default()
            )
        });
        let by_hand = match self.by_hand {
            true => "; changed by hand since our last deployment",
            false => "",
        };
        format!(
            "{} is `{}`{}{by_hand}",
            self.what,
            self.domino,
            said.unwrap_or_default()
        )
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

impl Held {
    /// The hold as a sentence.
    pub fn in_words(&self) -> String {
        let from = self.from.as_ref();
        let from = from.map(|from| format!(" from {from}")).unwrap_or_default();
        format!("went back{from} on {}, and no merge moves it", self.since)
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

/// A moment of Domino's, in epoch milliseconds.
pub(super) fn moment(milliseconds: Option<i64>) -> Option<Timestamp> {
    Timestamp::from_millisecond(milliseconds?).ok()
}

/// How long ago, in the largest suitable unit: `3 h`.
pub fn ago(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(since.as_second()).max(0);
    match seconds {
        0..60 => "now".into(),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}
