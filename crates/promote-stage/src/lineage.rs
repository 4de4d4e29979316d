//! Where a version comes from and where it went: commit, run of the job, run of the experiment manager, version,
//! stages. It combines what the version, its run and its records say, and evaluates nothing. `page` writes it.

mod page;

use std::collections::{BTreeMap, BTreeSet};

use domino_core::api::mlflow::{ModelVersion, Run};
use domino_core::serving::Serving;
use domino_core::step::Table;
use domino_core::version_identity::VersionIdentity;
use serde_json::{Map, Value, json};
use stage_file::{Stage, StageFile};

use crate::candidate::Candidate;
use crate::record::{Record, Status, demoted, timestamp};
use crate::registry::stage_of;

/// The origin of a version, and what happened to it.
#[derive(Debug)]
pub(crate) struct Lineage {
    title: String,
    /// From the commit to the version, each with what is known about it.
    chain: Vec<Link>,
    stages: Vec<StageOfVersion>,
}

/// One link of the chain, from which the next one was created.
#[derive(Debug)]
struct Link {
    what: &'static str,
    facts: Vec<(&'static str, String)>,
}

/// A stage, and how the version entered it.
#[derive(Debug)]
struct StageOfVersion {
    stage: String,
    cells: Vec<(&'static str, String)>,
}

/// What is known about a version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) version: &'a ModelVersion,
    pub(crate) run: Option<&'a Run>,
    /// Why the run is unknown, if it is.
    pub(crate) run_trouble: Option<&'a str>,
    /// What the endpoints of the stages serve, in words, as far as they were read.
    pub(crate) endpoints: &'a BTreeMap<String, String>,
}

impl Lineage {
    /// The lineage of a version, through the stages of the file that have the same Domino as `stage`.
    pub(crate) fn of(file: &StageFile, stage: &Stage, known: Known<'_>) -> Self {
        let version = known.version;
        let stages = file.stages.iter().filter(|other| other.host == stage.host);
        let mut stages: Vec<StageOfVersion> = stages.map(|stage| known.in_stage(stage)).collect();
        let told: BTreeSet<&str> = (stages.iter().flat_map(|stage| &stage.cells))
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, _)| *name)
            .collect();
        for stage in &mut stages {
            stage.cells.retain(|(name, _)| told.contains(name));
        }
        Self {
            title: format!("Lineage of {} version {}", version.name, version.version),
            chain: known.chain(),
            stages,
        }
    }

    /// The lineage of a version that is to enter a stage; `entered` is its record there once it has entered.
    pub(crate) fn of_candidate(
        file: &StageFile,
        candidate: &Candidate<'_>,
        entered: Option<String>,
    ) -> Self {
        let mut version = candidate.version.clone();
        let stage = candidate.target.stage;
        if let Some(record) = entered {
            version.tags.insert(Record::key(&stage.name), record);
            version.current_stage = candidate.target.model_stage.clone();
        }
        let before = candidate.before.name.clone();
        let serves = endpoint_words(&candidate.serving, &version, &before);
        let known = Known {
            version: &version,
            run: candidate.run.as_ref(),
            run_trouble: candidate.run_trouble.as_deref(),
            endpoints: &BTreeMap::from([(before, serves)]),
        };
        Self::of(file, stage, known)
    }

    /// The stages as a table for a terminal.
    pub(crate) fn table(&self) -> Table {
        let columns = self.stages.first().map(|first| {
            let columns = first.cells.iter().map(|(name, _)| *name);
            std::iter::once("stage").chain(columns).collect()
        });
        Table {
            columns: columns.unwrap_or_default(),
            rows: (self.stages.iter())
                .map(|stage| {
                    let cells = stage.cells.iter().map(|(_, cell)| cell.clone());
                    std::iter::once(stage.stage.clone()).chain(cells).collect()
                })
                .collect(),
        }
    }

    /// The links of the chain, a line each.
    pub(crate) fn chain(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.chain.iter().map(|link| (link.what, link.in_words()))
    }

    /// The lineage as data. What is unknown is left out.
    pub(crate) fn data(&self) -> Value {
        let object = |facts: &[(&'static str, String)]| -> Map<String, Value> {
            let known = facts.iter().filter(|(_, text)| !text.is_empty());
            known
                .map(|(name, text)| (name.replace(' ', "_"), json!(text)))
                .collect()
        };
        let stages = self.stages.iter().map(|stage| {
            let mut cells = object(&stage.cells);
            cells.insert("stage".into(), json!(stage.stage));
            Value::Object(cells)
        });
        let mut data: Map<String, Value> = self
            .chain
            .iter()
            .map(|link| {
                (
                    link.what.replace(' ', "_"),
                    Value::Object(object(&link.facts)),
                )
            })
            .collect();
        data.insert("stages".into(), stages.collect());
        Value::Object(data)
    }
}

impl Link {
    fn in_words(&self) -> String {
        let known = self.facts.iter().filter(|(_, text)| !text.is_empty());
        let known: Vec<String> = known
            .enumerate()
            .map(|(place, (name, text))| match place {
                0 => text.clone(),
                _ => format!("{name} {text}"),
            })
            .collect();
        match known.is_empty() {
            true => "not known".into(),
            false => known.join(", "),
        }
    }
}

impl Known<'_> {
    /// A tag of the version, otherwise of its run.
    fn tag(&self, key: &str) -> String {
        let of_run = self.run.and_then(|run| run.tags.get(key));
        let tag = self.version.tags.get(key).or(of_run);
        tag.cloned().unwrap_or_default()
    }

    fn chain(&self) -> Vec<Link> {
        let (version, run) = (self.version, self.run);
        let of_run = |fact: fn(&Run) -> String| run.map(fact).unwrap_or_default();
        let ended = run.and_then(|run| run.end_time);
        vec![
            Link {
                what: "commit",
                facts: vec![
                    ("commit", self.tag("mlflow.source.git.commit")),
                    ("branch", self.tag("mlflow.source.git.branch")),
                ],
            },
            Link {
                what: "job run",
                facts: vec![
                    ("run", self.tag("mlflow.domino.run_id")),
                    ("number", self.tag("mlflow.domino.run_number")),
                    ("project", self.tag("mlflow.domino.project_name")),
                    ("by", self.tag("mlflow.domino.user")),
                    ("hardware tier", self.tag("mlflow.domino.hardware_tier")),
                    (
                        "environment revision",
                        self.tag("mlflow.domino.environment_revision_id"),
                    ),
                ],
            },
            Link {
                what: "MLflow run",
                facts: vec![
                    ("run", version.run_id.clone()),
                    ("experiment", of_run(|run| run.experiment_id.clone())),
                    ("status", of_run(|run| run.status.clone())),
                    ("ended", ended.map(timestamp).unwrap_or_default()),
                    ("by", self.tag("mlflow.user")),
                    ("not read:", self.run_trouble.unwrap_or_default().to_owned()),
                ],
            },
            Link {
                what: "version",
                facts: vec![
                    ("version", version.version.to_string()),
                    ("of", version.name.clone()),
                    ("registered", timestamp(version.creation_timestamp)),
                    ("from", version.source.clone()),
                    ("described as", version.description.clone()),
                ],
            },
        ]
    }

    fn in_stage(&self, stage: &Stage) -> StageOfVersion {
        let version = self.version;
        let record = Record::of(version, &stage.name);
        let is_there =
            (stage.model_stage.as_deref()).is_some_and(|word| stage_of(version) == word.into());
        let of_record = |fact: fn(&Record) -> Option<String>| {
            record.as_ref().and_then(fact).unwrap_or_default()
        };
        let remark = match (demoted(version, &stage.name), &record) {
            (Some(why), _) => format!("demoted: {why}"),
            (None, None) if is_there => "no record says how it came".to_owned(),
            _ => of_record(|record| record.reason.clone()),
        };
        let cells = vec![
            ("model stage", stage.model_stage.clone().unwrap_or_default()),
            (
                "now",
                if is_there {
                    "there".into()
                } else {
                    String::new()
                },
            ),
            (
                "entered",
                of_record(|record| {
                    Some(match record.status {
                        Status::Done => record.at.clone(),
                        Status::Pending => format!("{}, not finished", record.at),
                        Status::RolledBack => format!("{}, undone", record.at),
                    })
                }),
            ),
            (
                "approved by",
                of_record(|record| Some(record.approved_by.join(", "))),
            ),
            ("request", of_record(|record| record.request_id.clone())),
            ("workflow run", of_record(|record| record.run.clone())),
            (
                "replaced",
                of_record(|record| record.replaced.map(|one| format!("version {one}"))),
            ),
            (
                "endpoint",
                self.endpoints.get(&stage.name).cloned().unwrap_or_default(),
            ),
            ("remark", remark),
        ];
        StageOfVersion {
            stage: stage.name.clone(),
            cells,
        }
    }
}

/// What the endpoint of a stage serves, compared with a version.
pub(crate) fn endpoint_words(serving: &Serving, version: &ModelVersion, stage: &str) -> String {
    match serving {
        Serving::Nothing(why) => format!("none: {why}"),
        Serving::Version {
            version: served,
            endpoint,
            ..
        } if *served != version.version => format!("{endpoint} serves version {served}"),
        Serving::Version {
            endpoint, since, ..
        } => {
            let is_other = VersionIdentity::of(version)
                .check_served(*since, stage)
                .is_err();
            let since = since.map(|since| format!(" since {}", timestamp(since)));
            let since = since.unwrap_or_default();
            match is_other {
                true => format!("{endpoint} serves another version of that number{since}"),
                false => format!("{endpoint} serves it{since}"),
            }
        }
    }
}
