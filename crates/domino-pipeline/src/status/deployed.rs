//! What runs of one entity in one stage, and how it differs from the stage file: the types that every way of showing it
//! shares. As JSON they are part of the documented format of `status --format json`.

use domino_core::hold::Hold;
use jiff::Timestamp;
use serde::Serialize;
use stage_file::StageFile;

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

impl Held {
    /// The hold as a sentence.
    pub fn in_words(&self) -> String {
        let from = self.from.as_ref();
        let from = from.map(|from| format!(" from {from}")).unwrap_or_default();
        format!("went back{from} on {}, and no merge moves it", self.since)
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
