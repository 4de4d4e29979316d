//! The rules of a stage file: this table, and one small function for each below it.
//!
//! Whether a key exists and has the right type is settled before; here is what the values must mean,
//! each and together. Nothing is looked up outside the file.

mod entity;
mod gate;
mod model;
mod name;
mod pipeline;
mod schedule;
mod stage;
#[cfg(test)]
mod tests;
mod tier;
mod value;

use std::cell::OnceCell;
use std::fmt::Display;

use jiff::Timestamp;

use super::StageFile;
use super::cron::{CronError, Quartz};
use super::found::Findings;
use super::problem::Severity;
use super::tree::{Leaf, Tree};

/// One rule of a stage file.
#[derive(Debug)]
pub struct Rule {
    /// The name, which `accept` under `[pipeline]` takes when the rule is a warning.
    pub name: &'static str,
    /// Whether breaking it stops the work.
    pub severity: Severity,
    /// What it asks for, as one sentence.
    pub about: &'static str,
    check: fn(&Book<'_>, &mut Report<'_, '_>),
}

/// The rule book. The first three settle a value: what they find is not looked at by the others.
pub static RULES: &[Rule] = &[
    error(
        "blank",
        "a value is not empty, and has no blank at its start or end",
        value::blank,
    ),
    error(
        "placeholder",
        "no value is left for later: `<TODO>`, `nill`, `changeme`",
        value::placeholder,
    ),
    error(
        "secret",
        "no key or value looks like a secret",
        value::secret,
    ),
    error(
        "unsafe-text",
        "no value holds a control character, an invisible one or `${{`",
        value::unsafe_text,
    ),
    error(
        "leading-dash",
        "no value begins with `-`, as an option does",
        value::leading_dash,
    ),
    error(
        "name",
        "names of stages, jobs, apps and models are letters, digits, `-` and `_`, and begin with a letter",
        name::legal,
    ),
    error(
        "reserved-name",
        "no name is a word that YAML takes for something else",
        name::reserved,
    ),
    error(
        "duplicate-name",
        "names and GitHub environments differ by more than case",
        name::duplicate,
    ),
    error(
        "unknown-stage",
        "`paused` and the tables for one stage name stages that exist",
        name::unknown_stage,
    ),
    error(
        "branch",
        "the branch is a name that git takes",
        pipeline::branch,
    ),
    error(
        "runner",
        "the runner is the label of a runner",
        pipeline::runner,
    ),
    error(
        "release",
        "`install = \"release\"` and `\"pip\"` say which release, and nothing else does",
        pipeline::release,
    ),
    error(
        "release-token-secret",
        "the token of a private release repository is named by its GitHub secret",
        pipeline::release_token_secret,
    ),
    error("wheel", "a wheel is named by its SHA-256", pipeline::wheel),
    error("accept", "`accept` names warnings", pipeline::accept),
    error(
        "host",
        "a host is a name or an `https` URL that ends after the host",
        stage::host,
    ),
    error("project", "a project is `owner/name`", stage::project),
    error(
        "revision",
        "a revision is `active`, `latest` or an id",
        stage::revision,
    ),
    error(
        "github-environment",
        "the name of a GitHub environment is not longer than GitHub takes",
        stage::github_environment,
    ),
    error(
        "approvers",
        "approvers are at most six GitHub users or `team:<slug>`, each once",
        stage::approvers,
    ),
    error(
        "model-stage",
        "`model-stage` is one that model versions are promoted to",
        stage::model_stage,
    ),
    warning(
        "shared-model-stage",
        "no two stages promote to the same `model-stage`",
        stage::shared_model_stage,
    ),
    error(
        "gates",
        "a gate has what it needs, and no gate is without effect",
        gate::gates,
    ),
    error(
        "soak",
        "a soak time is a number of minutes, hours or days: `90m`, `24h`, `7d`",
        gate::soak,
    ),
    error(
        "data-plane",
        "where a stage names its data plane, every entity has a hardware tier, which is what chooses it",
        tier::data_plane,
    ),
    warning(
        "no-tier",
        "every entity has a hardware tier in every stage",
        tier::no_tier,
    ),
    warning(
        "shared-tier",
        "no two stages share a project and a hardware tier",
        tier::shared_tier,
    ),
    error("cron", "a cron expression is one of Quartz", schedule::cron),
    warning("never-fires", "a schedule fires", schedule::never_fires),
    warning(
        "rare-schedule",
        "a schedule fires on more than one day a year",
        schedule::rare,
    ),
    warning(
        "numbered-weekday",
        "days of the week have names in a cron expression",
        schedule::numbered_weekday,
    ),
    error(
        "time-zone",
        "a time zone is one that exists",
        schedule::time_zone,
    ),
    error(
        "e-mail",
        "who is notified is an e-mail address",
        schedule::email,
    ),
    error(
        "path",
        "a file is named from the top of the repository and lies inside it",
        entity::path,
    ),
    error(
        "health",
        "a health check has a path that begins with one `/`",
        entity::health,
    ),
    error(
        "duplicate-app",
        "no two apps or stages publish to one app of Domino",
        entity::duplicate_app,
    ),
    error(
        "environment-variable",
        "environment variables have names that a shell takes",
        entity::environment_variable,
    ),
    error(
        "model-source",
        "a model is a registered model, or a function in a file",
        model::source,
    ),
    error(
        "version",
        "a version is a number, `latest`, `stage:<stage>` or `alias:<alias>`",
        model::version,
    ),
    error(
        "endpoint",
        "an endpoint has a name that Domino takes",
        model::endpoint,
    ),
    error(
        "duplicate-endpoint",
        "no two models or stages publish to one endpoint",
        model::duplicate_endpoint,
    ),
    error(
        "metric-rule",
        "a metric rule is one of the sentences that are understood",
        model::metric_rule,
    ),
];

const fn error(
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

const fn warning(
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

/// Looks at the file by every rule.
pub(super) fn check(file: &StageFile, now: Timestamp, findings: &mut Findings<'_>) {
    let tree = findings.tree;
    let book = Book {
        file,
        tree,
        leaves: tree.leaves(),
        now,
        crons: OnceCell::new(),
    };
    for rule in RULES {
        (rule.check)(&book, &mut Report { rule, findings });
    }
}

/// What the rules look at: the file as it was understood, and as it is written.
struct Book<'t> {
    file: &'t StageFile,
    tree: &'t Tree<'t>,
    /// Every text in the file.
    leaves: Vec<Leaf<'t>>,
    now: Timestamp,
    crons: OnceCell<Vec<Cron<'t>>>,
}

/// A cron expression with its place.
struct Cron<'t> {
    path: Vec<String>,
    text: &'t str,
    quartz: Result<Quartz, CronError>,
}

impl<'t> Book<'t> {
    /// The texts whose key path is of a certain form.
    fn texts(&self, form: impl Fn(&[&str]) -> bool) -> impl Iterator<Item = &Leaf<'t>> {
        self.leaves.iter().filter(move |leaf| form(&leaf.keys))
    }

    /// The texts that stand for one key of the stages, in the stages or in `[defaults]`.
    fn stage_texts(&self, key: &str) -> impl Iterator<Item = &Leaf<'t>> {
        self.texts(move |keys| match keys {
            ["defaults", last] | ["stage", _, last] => *last == key,
            _ => false,
        })
    }

    /// Every cron expression, read once for all the rules about them.
    fn crons(&self) -> &[Cron<'t>] {
        self.crons.get_or_init(|| {
            self.texts(|keys| matches!(keys, ["job", _, "schedule", "cron"]))
                .map(|leaf| Cron {
                    path: leaf.path(),
                    text: leaf.text,
                    quartz: leaf.text.parse(),
                })
                .collect()
        })
    }

    fn has<S: AsRef<str>>(&self, path: &[S]) -> bool {
        self.tree.find(path).value.is_some()
    }
}

/// How many names of a group are told.
const TOLD: usize = 5;

/// The names of a group for a sentence: `` `a`, `b` and `c` ``, and of a long one the first and how many more.
fn named<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> String {
    let count = names.len();
    let told = if count > TOLD + 1 { TOLD } else { count };
    let mut shown: Vec<String> = names.take(told).map(|name| format!("`{name}`")).collect();
    let last = match count - told {
        0 => shown.pop().unwrap_or_default(),
        more => format!("{more} more"),
    };
    match shown.is_empty() {
        true => last,
        false => format!("{} and {last}", shown.join(", ")),
    }
}

/// Where one rule puts what it finds.
struct Report<'r, 't> {
    rule: &'static Rule,
    findings: &'r mut Findings<'t>,
}

impl Report<'_, '_> {
    /// A key breaks the rule. The message goes on after the key's name and the header of its table.
    fn at<S: AsRef<str>>(&mut self, path: &[S], says: impl Display) {
        let says = format!("{says}{}", self.acceptable());
        self.findings
            .about(self.rule.name, self.rule.severity, path, says);
    }

    /// A text breaks the rule.
    fn leaf(&mut self, leaf: &Leaf<'_>, says: impl Display) {
        self.at(&leaf.path(), says);
    }

    /// The rule is broken as this sentence says; the path is for the line.
    fn sentence<S: AsRef<str>>(&mut self, path: &[S], message: impl Display) {
        let message = format!("{message}{}", self.acceptable());
        self.findings
            .push(self.rule.name, self.rule.severity, path, message);
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
