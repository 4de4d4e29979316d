//! What a rule is, what it checks, and where it puts what it finds. It does not know any rule.

use std::cell::OnceCell;
use std::fmt::Display;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::StageFile;
use crate::cron::{CronError, Quartz};
use crate::found::Findings;
use crate::problem::Severity;
use crate::tree::{Leaf, Tree};

/// One rule of a stage file.
#[derive(Debug)]
pub struct Rule {
    /// The name, which `accept` under `[pipeline]` takes when the rule is a warning.
    pub name: &'static str,
    /// Whether breaking it stops the work.
    pub severity: Severity,
    /// What it requires, as one sentence.
    pub about: &'static str,
    pub(super) check: fn(&Book<'_>, &mut Report<'_, '_>),
}

pub(super) const fn error(
    name: &'static str,
    about: &'static str,
    check: fn(&Book<'_>, &mut Report<'_, '_>),
) -> Rule {
    Rule {
        name,
        severity: Severity::Error,
        about,
        check,
    }
}

pub(super) const fn warning(
    name: &'static str,
    about: &'static str,
    check: fn(&Book<'_>, &mut Report<'_, '_>),
) -> Rule {
    Rule {
        name,
        severity: Severity::Warning,
        about,
        check,
    }
}

/// What the rules check: the file as it was understood, and as it is written.
pub(super) struct Book<'t> {
    pub file: &'t StageFile,
    pub tree: &'t Tree<'t>,
    /// Every text in the file.
    pub leaves: Vec<Leaf<'t>>,
    pub now: Timestamp,
    pub crons: OnceCell<Vec<Cron>>,
    /// Every rule there is: `accept` names some of them.
    pub rules: &'static [Rule],
}

/// A cron expression with its place.
pub(super) struct Cron {
    pub path: Vec<String>,
    pub quartz: Result<Quartz, CronError>,
}

impl<'t> Book<'t> {
    /// The texts whose key path has a certain form.
    pub fn texts(&self, form: impl Fn(&[&str]) -> bool) -> impl Iterator<Item = &Leaf<'t>> {
        self.leaves.iter().filter(move |leaf| form(&leaf.keys))
    }

    /// The texts of one key of the stages, in the stages or in `[defaults]`.
    pub fn stage_texts(&self, key: &str) -> impl Iterator<Item = &Leaf<'t>> {
        self.texts(move |keys| match keys {
            ["defaults", last] | ["stage", _, last] => *last == key,
            _ => false,
        })
    }

    /// Every cron expression, read once for all the rules about them.
    pub fn crons(&self) -> &[Cron] {
        self.crons.get_or_init(|| {
            let year = self.now.to_zoned(TimeZone::UTC).year();
            self.texts(|keys| matches!(keys, ["job", _, "schedule", "cron"]))
                .map(|leaf| Cron {
                    path: leaf.path(),
                    quartz: Quartz::read(leaf.text, year),
                })
                .collect()
        })
    }

    pub fn has<S: AsRef<str>>(&self, path: &[S]) -> bool {
        self.tree.find(path).value.is_some()
    }
}

/// At most this many names of a group are listed.
const TOLD: usize = 5;

/// The names of a group for a sentence: `` `a`, `b` and `c` ``; for a long group the first ones and how many more.
pub(super) fn named<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> String {
    let count = names.len();
    let told = if count > TOLD + 1 { TOLD } else { count };
    let mut displayed: Vec<String> = names.take(told).map(|name| format!("`{name}`")).collect();
    let last = match count - told {
        0 => displayed.pop().unwrap_or_default(),
        more => format!("{more} more"),
    };
    match displayed.is_empty() {
        true => last,
        false => format!("{} and {last}", displayed.join(", ")),
    }
}

/// Where one rule puts what it finds.
pub(super) struct Report<'r, 't> {
    pub rule: &'static Rule,
    pub findings: &'r mut Findings<'t>,
}

impl Report<'_, '_> {
    /// A key breaks the rule. The message continues after the key's name and the header of its table.
    pub fn at<S: AsRef<str>>(&mut self, path: &[S], says: impl Display) {
        let says = format!("{says}{}", self.acceptable());
        self.findings
            .about(self.rule.name, self.rule.severity, path, says);
    }

    /// A text breaks the rule.
    pub fn leaf(&mut self, leaf: &Leaf<'_>, says: impl Display) {
        self.at(&leaf.path(), says);
    }

    /// The rule is broken as this sentence says; the path is for the line.
    pub fn sentence<S: AsRef<str>>(&mut self, path: &[S], message: impl Display) {
        let message = format!("{message}{}", self.acceptable());
        self.findings
            .push(self.rule.name, self.rule.severity, path, message);
    }

    /// The rule is broken at this byte of the text, whatever key is there.
    pub fn place(&mut self, offset: usize, message: impl Display) {
        let message = format!("{message}{}", self.acceptable());
        self.findings
            .push_at(self.rule.name, self.rule.severity, offset, message);
    }

    fn acceptable(&self) -> String {
        match self.rule.severity {
            Severity::Error => String::new(),
            Severity::Warning => {
                format!(
                    " (accept with `accept = [\"{}\"]` under `[pipeline]`)",
                    self.rule.name
                )
            }
        }
    }
}
