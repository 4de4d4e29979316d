//! The metrics of a version: those of the logged model that it was created from, if its source names one, otherwise
//! those of its run. A run keeps one value for each metric, for all the models that it logged, so the value may be
//! another model's.
//!
//! This module knows which values prove something, but not whether a rule holds.

use std::collections::BTreeMap;

use domino_core::api::mlflow::{LoggedModel, ModelVersion, Run, TrackingReader};
use domino_core::error::Result;
use stage_file::MetricRule;

use crate::run_of::{RunOf, run_of};

/// A chain of copies is followed this far.
const COPIES: usize = 10;

/// What was measured of a version.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measurements {
    rows: Vec<Measurement>,
    /// Why there are no metrics.
    trouble: Option<String>,
    /// What a reader of the metrics must not miss.
    pub(crate) remark: Option<String>,
}

/// One measured value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measurement {
    pub(crate) metric: String,
    /// A value that is not finite counts as none.
    pub(crate) value: f64,
    data_set: Option<String>,
    /// The run that measured it, for a logged model.
    run: Option<String>,
    step: i64,
    timestamp: i64,
    /// Why it proves nothing, if so.
    pub(crate) unproven: Option<String>,
}

/// The logged model that a version was created from.
enum MadeOf {
    Model(Box<LoggedModel>),
    /// It could not be read; the text is the reason.
    Unread(String),
    /// There is none, so the metrics of the run count.
    Run,
}

impl Measurements {
    /// Reads what was measured of a version, and those runs that measured it which the rules need.
    pub(crate) async fn read(
        tracking: &TrackingReader,
        version: &ModelVersion,
        run: &RunOf,
        rules: &[MetricRule],
    ) -> Result<Self> {
        let model = match made_of(tracking, version).await? {
            MadeOf::Model(model) => model,
            MadeOf::Unread(trouble) => {
                return Ok(Self {
                    trouble: Some(trouble),
                    ..Self::default()
                });
            }
            MadeOf::Run => return Ok(Self::of_run(run)),
        };
        let mut measured = Self::of_logged(&model);
        let picked = rules.iter().filter_map(|rule| measured.pick(rule).ok());
        let mut runs: BTreeMap<String, RunOf> = picked
            .filter_map(|row| Some((row.run.clone()?, RunOf::None)))
            .collect();
        for (id, found) in &mut runs {
            *found = match run {
                RunOf::Known(known) if known.id == *id => RunOf::Known(known.clone()),
                _ => run_of(tracking, id).await?,
            };
        }
        for row in &mut measured.rows {
            if let Some(found) = row.run.as_ref().and_then(|id| runs.get(id)) {
                row.check_run(found);
            }
        }
        Ok(measured)
    }

    /// The metrics of a run.
    pub(crate) fn of_run(run: &RunOf) -> Self {
        let RunOf::Known(run) = run else {
            return Self {
                trouble: run.trouble(),
                ..Self::default()
            };
        };
        let rows = run.metrics.iter().map(|(metric, value)| Measurement {
            metric: metric.clone(),
            value: *value,
            data_set: None,
            run: None,
            step: 0,
            timestamp: 0,
            unproven: unproven(run),
        });
        let models = run.logged_models.max(crate::signature::logged_by(run));
        Self {
            rows: rows.collect(),
            trouble: None,
            remark: (models > 1).then(|| {
                format!(
                    "run {} logged {models} models and keeps one value a metric: it may be that of another model",
                    run.id
                )
            }),
        }
    }

    fn of_logged(model: &LoggedModel) -> Self {
        let unready = match model.status.as_str() {
            "LOGGED_MODEL_PENDING" | "LOGGED_MODEL_UPLOAD_FAILED" => {
                Some(format!("logged model {} is `{}`", model.id, model.status))
            }
            _ => None,
        };
        let rows = model.metrics.iter().map(|row| Measurement {
            metric: row.key.clone(),
            value: row.value,
            data_set: row.dataset_name.clone(),
            run: Some(row.run_id.clone()),
            step: row.step,
            timestamp: row.timestamp,
            unproven: unready.clone(),
        });
        Self {
            rows: rows.collect(),
            ..Self::default()
        }
    }

    /// The value that a rule is about: of the run and data set that were measured last, the one of the highest step.
    /// The error says why there is none.
    pub(crate) fn pick(&self, rule: &MetricRule) -> Result<&Measurement, String> {
        let named = |row: &&Measurement| row.metric == rule.metric;
        let wanted = |row: &&Measurement| rule.data_set.is_none() || row.data_set == rule.data_set;
        if let Some(picked) = last(self.rows.iter().filter(named).filter(wanted)) {
            return Ok(picked);
        }
        if let Some(trouble) = &self.trouble {
            return Err(trouble.clone());
        }
        let metric = &rule.metric;
        let Some(data_set) = &rule.data_set else {
            return Err(format!("the version's run has no metric `{metric}`"));
        };
        let mut known: Vec<&str> = self
            .rows
            .iter()
            .filter(named)
            .filter_map(|row| row.data_set.as_deref())
            .collect();
        known.sort_unstable();
        known.dedup();
        let known = match known.is_empty() {
            true => String::new(),
            false => format!("; it has on `{}`", known.join("`, `")),
        };
        Err(format!(
            "the version has no metric `{metric}` on data set `{data_set}`{known}"
        ))
    }

    /// Where a chosen value comes from, and whether it was chosen among several.
    pub(crate) fn whence(&self, picked: &Measurement) -> String {
        let Some(run) = &picked.run else {
            return String::new();
        };
        let on = match &picked.data_set {
            Some(data_set) => format!(" on `{data_set}`"),
            None => String::new(),
        };
        let mut places: Vec<_> = self
            .rows
            .iter()
            .filter(|row| row.metric == picked.metric)
            .map(|row| (&row.run, &row.data_set))
            .collect();
        places.sort_unstable();
        places.dedup();
        let newest = match places.len() {
            0 | 1 => String::new(),
            places => format!(", the newest of {places}"),
        };
        format!("{on} in run {run}{newest}")
    }

    /// Each metric as a sheet shows it, with its data set if it has one.
    pub(crate) fn newest_values(&self) -> BTreeMap<String, f64> {
        let label = |row: &Measurement| match &row.data_set {
            Some(data_set) => format!("{} on {data_set}", row.metric),
            None => row.metric.clone(),
        };
        let labels: Vec<String> = self.rows.iter().map(label).collect();
        let newest = |wanted: &String| last(self.rows.iter().filter(|row| label(row) == *wanted));
        let rows = labels
            .iter()
            .filter_map(|label| Some((label, newest(label)?)));
        rows.map(|(label, row)| (label.clone(), row.value))
            .collect()
    }
}

/// The row that counts among several.
fn last<'a>(rows: impl Iterator<Item = &'a Measurement>) -> Option<&'a Measurement> {
    let rows: Vec<&Measurement> = rows.collect();
    let newest = rows.iter().max_by_key(|row| row.timestamp)?;
    let beside = rows
        .iter()
        .filter(|row| row.run == newest.run && row.data_set == newest.data_set);
    beside.copied().max_by(|one, other| {
        let place = |row: &Measurement| (row.step, row.timestamp);
        place(one)
            .cmp(&place(other))
            .then(one.value.total_cmp(&other.value))
    })
}

impl Measurement {
    /// Takes into account the run that measured it.
    fn check_run(&mut self, run: &RunOf) {
        let RunOf::Known(run) = run else {
            self.unproven = self.unproven.take().or(run.trouble());
            return;
        };
        self.unproven = self.unproven.take().or_else(|| unproven(run));
        // MLflow 3.17 stores `NaN` of a logged model as 0; the run has the original value.
        if self.value == 0.0
            && run
                .metrics
                .get(&self.metric)
                .is_some_and(|value| value.is_nan())
        {
            self.value = f64::NAN;
        }
    }
}

/// Why a run proves nothing.
fn unproven(run: &Run) -> Option<String> {
    if run.is_deleted {
        return Some(format!("run {} was deleted", run.id));
    }
    let status = run.status.as_str();
    matches!(status, "RUNNING" | "SCHEDULED" | "FAILED" | "KILLED")
        .then(|| format!("run {} is `{status}`", run.id))
}

/// Follows the source of a version, through the versions that it is a copy of, to a logged model.
async fn made_of(tracking: &TrackingReader, version: &ModelVersion) -> Result<MadeOf> {
    let mut source = version.source.clone();
    for _ in 0..COPIES {
        let Some(model) = source.strip_prefix("models:/") else {
            return Ok(MadeOf::Run);
        };
        let model = model.trim_matches('/');
        let Some((name, number)) = model.rsplit_once('/') else {
            return logged(tracking, model).await;
        };
        let Ok(number) = number.parse() else {
            return Ok(MadeOf::Run);
        };
        let original = match tracking.model_version(name, number).await {
            Ok(Some(original)) => original,
            Ok(None) => {
                return Ok(MadeOf::Unread(format!(
                    "its source `{source}` no longer exists"
                )));
            }
            Err(error)
                if error
                    .status()
                    .is_some_and(|status| status.is_client_error()) =>
            {
                return Ok(MadeOf::Unread(format!(
                    "its source `{source}` may not be read: {error}"
                )));
            }
            Err(error) => return Err(error.into()),
        };
        source = original.source;
    }
    Ok(MadeOf::Unread(format!(
        "its source is a copy of more than {COPIES} copies"
    )))
}

async fn logged(tracking: &TrackingReader, id: &str) -> Result<MadeOf> {
    match tracking.logged_model(id).await {
        Ok(Some(model)) => Ok(MadeOf::Model(Box::new(model))),
        Ok(None) => Ok(MadeOf::Unread(format!(
            "logged model `{id}` no longer exists"
        ))),
        Err(error)
            if error
                .status()
                .is_some_and(|status| status.is_client_error()) =>
        {
            Ok(MadeOf::Unread(format!(
                "logged model `{id}` may not be read: {error}"
            )))
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
