//! From a file to the types: finding it, reading it, filling in the defaults.
//!
//! It takes what is well-formed and leaves the rest out: what is wrong is reported by `shape.rs` and the
//! rules, which look at the same tables, so that one run names everything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as WordError;
use toml::de::{DeTable, DeValue};

use super::found::Findings;
use super::problem::{Problem, Problems, Severity, StageFileError};
use super::tree::Tree;
use super::{
    App, ComputeEnvironment, DominoApproval, Gates, HardwareTiers, Host, Install, Job, Model,
    ModelSource, Pipeline, Placement, ProjectName, Revision, Schedule, Stage, StageFile,
    VersionRule, Visibility, shape, validate,
};

/// The name the file has when none is given.
const NAME: &str = "stages.toml";

/// More than any pipeline needs, and little enough to read and parse at once.
const LARGEST: u64 = 1024 * 1024;

impl StageFile {
    /// Reads and checks the file at this path.
    ///
    /// Warnings do not fail it; they are in [`StageFile::warnings`].
    pub fn load(path: &Path) -> Result<Self, StageFileError> {
        let unreadable = |source| StageFileError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let length = match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StageFileError::Missing {
                    path: path.to_owned(),
                });
            }
            other => other.map_err(unreadable)?.len(),
        };
        if length > LARGEST {
            let too_long = format!("it has {length} bytes, and a stage file has at most {LARGEST}");
            return Err(unreadable(std::io::Error::other(too_long)));
        }
        Self::read(&std::fs::read_to_string(path).map_err(unreadable)?, path)
    }

    /// Loads the file that was named, or else the `stages.toml` of this folder or of the nearest folder
    /// above it that has one, up to the top of the git repository.
    pub fn find(given: Option<&Path>) -> Result<Self, StageFileError> {
        let Some(given) = given else {
            let here = std::env::current_dir().map_err(|source| StageFileError::Unreadable {
                path: NAME.into(),
                source,
            })?;
            return Self::find_from(&here);
        };
        Self::load(given)
    }

    fn find_from(here: &Path) -> Result<Self, StageFileError> {
        let folders = repository_folders(here);
        for (above, folder) in folders.iter().enumerate() {
            let path = folder.join(NAME);
            if path.is_file() {
                // Shown relative to where the person stands, as compilers do.
                let shown: PathBuf = std::iter::repeat_n("..", above).chain([NAME]).collect();
                let text = std::fs::read_to_string(&path).map_err(|source| {
                    StageFileError::Unreadable {
                        path: shown.clone(),
                        source,
                    }
                })?;
                return Self::read(&text, &shown);
            }
        }
        Err(StageFileError::NotFound {
            looked_in: folders.iter().map(|&folder| folder.to_owned()).collect(),
        })
    }

    /// Reads and checks a text that is not, or not yet, in a file. The path is only for messages.
    pub fn read(text: &str, path: &Path) -> Result<Self, StageFileError> {
        Self::read_at(text, path, Timestamp::now())
    }

    /// Reads and checks a text as of a moment: schedules may end with a year.
    pub(super) fn read_at(text: &str, path: &Path, now: Timestamp) -> Result<Self, StageFileError> {
        let tree = match Tree::parse(text) {
            Ok(tree) => tree,
            Err(error) => {
                let list = vec![Problem {
                    line: error.line,
                    severity: Severity::Error,
                    message: error.message,
                    name: "syntax",
                }];
                return Err(Problems {
                    path: path.to_owned(),
                    list,
                }
                .into());
            }
        };
        let file = file(&tree, text, path);
        let mut findings = Findings::new(&tree);
        shape::check(&mut findings);
        validate::check(&file, now, &mut findings);
        let list = findings.into_problems(&file.pipeline.accept);
        if list
            .iter()
            .any(|problem| problem.severity == Severity::Error)
        {
            return Err(Problems {
                path: path.to_owned(),
                list,
            }
            .into());
        }
        Ok(Self {
            warnings: list,
            ..file
        })
    }
}

/// The folder and those above it that belong to the same repository. Without a repository it is the folder
/// alone: a file that somebody left further up must not decide where a credential is sent.
fn repository_folders(here: &Path) -> Vec<&Path> {
    match here
        .ancestors()
        .position(|folder| folder.join(".git").exists())
    {
        Some(top) => here.ancestors().take(top + 1).collect(),
        None => vec![here],
    }
}

fn file(tree: &Tree<'_>, text: &str, path: &Path) -> StageFile {
    let root = Table {
        own: Some(tree.root()),
        under: None,
    };
    let defaults = root.table("defaults");
    StageFile {
        path: path.to_owned(),
        text: text.to_owned(),
        warnings: Vec::new(),
        pipeline: pipeline(root.table("pipeline")),
        stages: root.named("stage", |name, table| {
            stage(
                name,
                Table {
                    under: defaults.own,
                    ..table
                },
            )
        }),
        jobs: root.named("job", job),
        apps: root.named("app", app),
        models: root.named("model", model),
    }
}

fn pipeline(table: Table<'_, '_>) -> Pipeline {
    let default = Pipeline::default();
    Pipeline {
        branch: table.text("branch").unwrap_or(default.branch),
        runner: table.text("runner").unwrap_or(default.runner),
        install: table.word("install").unwrap_or(Install::Build),
        release: table.text("release"),
        release_repository: table.text("release-repository"),
        accept: table.texts("accept"),
    }
}

fn stage(name: &str, table: Table<'_, '_>) -> Stage {
    Stage {
        name: name.to_owned(),
        host: table.parsed("host").unwrap_or_else(Host::missing),
        project: table.parsed("project").unwrap_or_else(ProjectName::missing),
        environment: table.environment(),
        hardware_tier: HardwareTiers {
            jobs: table.tier("jobs"),
            apps: table.tier("apps"),
            models: table.tier("models"),
        },
        data_plane: table.text("data-plane"),
        github_environment: table
            .text("github-environment")
            .unwrap_or_else(|| name.to_owned()),
        approvers: table.texts("approvers"),
        wait_timer: table.number("wait-timer").unwrap_or(0),
        model_stage: table.text("model-stage"),
        gates: gates(table.table("gates")),
    }
}

fn gates(table: Table<'_, '_>) -> Gates {
    Gates {
        domino_approval: table
            .word("domino-approval")
            .unwrap_or(DominoApproval::None),
        policy: table.text("policy"),
        reviewers: table.texts("reviewers"),
        github_approval: table.flag("github-approval"),
        soak: table.text("soak"),
    }
}

fn job(name: &str, table: Table<'_, '_>) -> Job {
    Job {
        name: name.to_owned(),
        command: table.text("command").unwrap_or_default(),
        title: table.text("title").unwrap_or_else(|| name.to_owned()),
        schedule: table
            .get("schedule")
            .map(|_| schedule(table.table("schedule"))),
        stages: placements(table),
    }
}

fn schedule(table: Table<'_, '_>) -> Schedule {
    Schedule {
        cron: table.text("cron").unwrap_or_default(),
        timezone: table.text("timezone").unwrap_or_else(|| "UTC".into()),
        paused: table.texts("paused"),
        concurrent: table.flag("concurrent"),
        notify: table.texts("notify"),
    }
}

fn app(name: &str, table: Table<'_, '_>) -> App {
    App {
        name: name.to_owned(),
        entry_point: table.text("entry-point").unwrap_or_default(),
        description: table.text("description").unwrap_or_default(),
        visibility: table.word("visibility").unwrap_or(Visibility::GrantBased),
        health_path: table.text("health-path"),
        health_status: table.number("health-status").unwrap_or(200),
        stages: placements(table),
    }
}

fn model(name: &str, table: Table<'_, '_>) -> Model {
    let version = match table.get("version") {
        Some(DeValue::String(text)) => text.parse().ok(),
        Some(number) => whole_number(number)
            .and_then(|number| number.try_into().ok())
            .map(VersionRule::Number),
        None => None,
    };
    let source = match table.text("registered-model") {
        Some(name) => ModelSource::Registered {
            name,
            version: version.unwrap_or(VersionRule::Latest),
        },
        None => ModelSource::Function {
            file: table.text("file").unwrap_or_default(),
            function: table.text("function").unwrap_or_default(),
        },
    };
    Model {
        name: name.to_owned(),
        source,
        description: table.text("description").unwrap_or_default(),
        replicas: table.number("replicas").unwrap_or(1),
        environment_variables: table.variables(),
        smoke_test: table.text("smoke-test").map(PathBuf::from),
        log_requests: table.flag("log-requests"),
        metric_rules: table.texts("metric-rules"),
        stages: placements(table),
    }
}

fn placements(table: Table<'_, '_>) -> BTreeMap<String, Placement> {
    let placement = |name: &str, table: Table<'_, '_>| {
        let placement = Placement {
            hardware_tier: table.text("hardware-tier"),
            environment: table.environment(),
            replicas: table.number("replicas"),
            endpoint: table.text("endpoint"),
            environment_variables: table.variables(),
        };
        (name.to_owned(), placement)
    };
    table.named("stage", placement).into_iter().collect()
}

/// A table, and the table below it that answers where it is silent.
#[derive(Clone, Copy)]
struct Table<'a, 't> {
    own: Option<&'a DeTable<'t>>,
    under: Option<&'a DeTable<'t>>,
}

impl<'a, 't> Table<'a, 't> {
    fn get(self, key: &str) -> Option<&'a DeValue<'t>> {
        get(self.own, key).or_else(|| get(self.under, key))
    }

    fn text(self, key: &str) -> Option<String> {
        Some(self.get(key)?.as_str()?.to_owned())
    }

    fn parsed<T: FromStr>(self, key: &str) -> Option<T> {
        self.get(key)?.as_str()?.parse().ok()
    }

    /// A word as the type's own names for its values.
    fn word<T: for<'de> Deserialize<'de>>(self, key: &str) -> Option<T> {
        let word: &str = self.get(key)?.as_str()?;
        T::deserialize(IntoDeserializer::<WordError>::into_deserializer(word)).ok()
    }

    fn number<T: TryFrom<i64>>(self, key: &str) -> Option<T> {
        T::try_from(whole_number(self.get(key)?)?).ok()
    }

    fn flag(self, key: &str) -> bool {
        self.get(key)
            .and_then(|value| value.as_bool())
            .unwrap_or(false)
    }

    fn texts(self, key: &str) -> Vec<String> {
        let items = self.get(key).and_then(|value| value.as_array());
        items
            .into_iter()
            .flatten()
            .filter_map(|item| item.get_ref().as_str())
            .map(str::to_owned)
            .collect()
    }

    /// The tables below a key; those of the stage go before those of the defaults, key by key.
    fn table(self, key: &str) -> Table<'a, 't> {
        let below = |table| get(table, key).and_then(|value| value.as_table());
        Table {
            own: below(self.own),
            under: below(self.under),
        }
    }

    fn named<T>(self, key: &str, read: impl Fn(&str, Table<'a, 't>) -> T) -> Vec<T> {
        let tables = self.table(key).own.into_iter().flatten();
        tables
            .filter_map(|(name, value)| Some((name, value.get_ref().as_table()?)))
            .map(|(name, table)| {
                read(
                    name.get_ref(),
                    Table {
                        own: Some(table),
                        under: None,
                    },
                )
            })
            .collect()
    }

    fn variables(self) -> BTreeMap<String, String> {
        let variables = self
            .table("environment-variables")
            .own
            .into_iter()
            .flatten();
        variables
            .filter_map(|(name, value)| {
                Some((
                    name.get_ref().to_string(),
                    value.get_ref().as_str()?.to_owned(),
                ))
            })
            .collect()
    }

    /// A string names the tier of every kind, a table that of each.
    fn tier(self, kind: &str) -> Option<String> {
        let of = |table| match get(table, "hardware-tier")? {
            DeValue::String(tier) => Some(tier.to_string()),
            DeValue::Table(tiers) => Some(tiers.get(kind)?.get_ref().as_str()?.to_owned()),
            _ => None,
        };
        of(self.own).or_else(|| of(self.under))
    }

    fn environment(self) -> Option<ComputeEnvironment> {
        let (id_or_name, revision) = match self.get("environment")? {
            DeValue::String(name) => (name.to_string(), None),
            DeValue::Table(table) => {
                let table = Table {
                    own: Some(table),
                    under: None,
                };
                (table.text("name")?, table.text("revision"))
            }
            _ => return None,
        };
        let revision = match revision.as_deref() {
            None | Some("active") => Revision::Active,
            Some("latest") => Revision::Latest,
            Some(id) => Revision::Id(id.to_owned()),
        };
        Some(ComputeEnvironment {
            id_or_name,
            revision,
        })
    }
}

fn get<'a, 't>(table: Option<&'a DeTable<'t>>, key: &str) -> Option<&'a DeValue<'t>> {
    Some(table?.get(key)?.get_ref())
}

/// The number, when the value is one and not too large.
pub(super) fn whole_number(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}
