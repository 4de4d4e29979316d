//! The promotion sheet: a version beside the one that it replaces, for those who decide. It shows what the experiment
//! manager has, and evaluates nothing.

use std::collections::{BTreeMap, BTreeSet};

use domino_core::api::mlflow::{ModelVersion, Run};
use domino_core::step::{Plan, Table, markdown};

use crate::candidate::Candidate;
use crate::gates::metrics::{change, number};
use crate::gates::result::GateReport;
use crate::measurements::Measurements;
use crate::record::timestamp;
use crate::registry::stage_of;
use crate::signature::{self, Signature};

/// A sheet cuts longer values.
const LONGEST: usize = 120;
/// The tag with the commit that a version was trained at.
const COMMIT: &str = "mlflow.source.git.commit";

/// What two versions have in common, and what differs.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    general: Vec<Row>,
    metrics: Vec<Row>,
    parameters: Vec<Row>,
    tags: Vec<Row>,
}

/// One property of both versions.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    what: String,
    now: String,
    new: String,
    change: String,
}

/// One of the versions.
#[derive(Clone, Copy)]
struct Side<'a> {
    version: &'a ModelVersion,
    run: Option<&'a Run>,
    measured: &'a Measurements,
}

impl<'a> Side<'a> {
    fn tag(self, key: &str) -> Option<&'a str> {
        let of_run = self.run.and_then(|run| run.tags.get(key));
        let tag = self.version.tags.get(key).or(of_run)?;
        Some(tag.as_str()).filter(|tag| !tag.is_empty())
    }

    fn general(self) -> Vec<(&'static str, String)> {
        let trained_by = self.tag("mlflow.domino.user").or(self.tag("mlflow.user"));
        let version = self.version;
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        vec![
            ("version", version.version.to_string()),
            ("stage", stage_of(version).to_string()),
            ("registered", timestamp(version.creation_timestamp)),
            ("trained by", text(trained_by)),
            ("commit", text(self.tag(COMMIT))),
            ("run", version.run_id.clone()),
            ("description", version.description.clone()),
        ]
    }

    fn signature(self) -> Signature {
        Signature::of(self.version, self.run)
    }

    fn metrics(self) -> BTreeMap<String, f64> {
        self.measured.newest_values()
    }

    fn parameters(self) -> BTreeMap<&'a str, &'a str> {
        let all = self.run.into_iter().flat_map(|run| &run.parameters);
        all.map(|(key, value)| (key.as_str(), value.as_str()))
            .collect()
    }

    /// The tags that people set; the sheet itself already says what the platform's tags say.
    fn tags(self) -> BTreeMap<&'a str, &'a str> {
        let all = self.version.tags.iter();
        all.filter(|(key, _)| !key.starts_with("mlflow.") && !key.starts_with("promote."))
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect()
    }
}

impl Sheet {
    /// The sheet of a version that is to enter a stage.
    pub(crate) fn of(candidate: &Candidate<'_>) -> Self {
        let new = Side {
            version: &candidate.version,
            run: candidate.run.as_ref(),
            measured: &candidate.measured,
        };
        let replaced = candidate.replaced.as_ref();
        let now = replaced.map(|replaced| Side {
            version: &replaced.version,
            run: replaced.run.as_ref(),
            measured: &replaced.measured,
        });
        Self::beside(now, new)
    }

    fn beside(now: Option<Side<'_>>, new: Side<'_>) -> Self {
        let general_now = now.map(Side::general).unwrap_or_default();
        let general = new.general().into_iter().map(|(what, text)| Row {
            what: what.into(),
            now: general_now
                .iter()
                .find(|(known, _)| *known == what)
                .map(|(_, text)| one_line(text))
                .unwrap_or_default(),
            new: one_line(&text),
            change: String::new(),
        });
        let (known, asked) = (
            now.map(Side::signature).unwrap_or_default(),
            new.signature(),
        );
        let signature = [
            ("takes", known.inputs, asked.inputs),
            ("answers with", known.outputs, asked.outputs),
        ];
        let general = general.chain(signature.map(|(what, now, new)| Row {
            what: what.into(),
            change: one_line(&signature::change(&now, &new)),
            now: one_line(&now.join(", ")),
            new: one_line(&new.join(", ")),
        }));
        let (metrics_now, metrics) = (now.map(Side::metrics).unwrap_or_default(), new.metrics());
        let all: BTreeSet<&String> = metrics_now.keys().chain(metrics.keys()).collect();
        let metrics = all.into_iter().map(|key| {
            let (before, value) = (metrics_now.get(key), metrics.get(key));
            let text = |value: Option<&f64>| value.copied().map(number).unwrap_or_default();
            Row {
                what: one_line(key),
                now: text(before),
                new: text(value),
                change: match (before, value) {
                    (Some(before), Some(value)) => change(*before, *value)
                        .trim()
                        .trim_matches(['(', ')'])
                        .to_owned(),
                    _ => String::new(),
                },
            }
        });
        Self {
            general: general
                .filter(|row| !(row.now.is_empty() && row.new.is_empty()))
                .collect(),
            metrics: metrics.collect(),
            parameters: texts(
                &now.map(Side::parameters).unwrap_or_default(),
                &new.parameters(),
            ),
            tags: texts(&now.map(Side::tags).unwrap_or_default(), &new.tags()),
        }
    }

    /// The sheet as a table for a terminal: only those parameters and tags that differ.
    pub(crate) fn table(&self, report: &GateReport) -> Table {
        let mut rows: Vec<Vec<String>> = Vec::new();
        for (kind, all, list) in [
            ("", true, &self.general),
            ("metric ", true, &self.metrics),
            ("parameter ", false, &self.parameters),
            ("tag ", false, &self.tags),
        ] {
            for row in list.iter().filter(|row| all || row.now != row.new) {
                rows.push(vec![
                    format!("{kind}{}", row.what),
                    row.now.clone(),
                    row.new.clone(),
                    row.change.clone(),
                ]);
            }
        }
        for result in &report.gates {
            rows.push(vec![
                result.gate.to_owned(),
                String::new(),
                result.verdict.word().to_owned(),
                result.reason.clone(),
            ]);
        }
        Table {
            columns: vec!["what", "in the stage", "asked for", "remark"],
            rows,
        }
    }

    /// The whole sheet as Markdown.
    pub(crate) fn markdown(&self, candidate: &Candidate<'_>, report: &GateReport) -> String {
        let target = &candidate.target;
        let mut page = format!(
            "#### Promotion sheet: {} version {} to stage `{}`\n\n",
            cell(target.name),
            candidate.number(),
            target.stage.name
        );
        let now = format!("now in {}", cell(target.model_stage.word()));
        let table = |title: &str, rows: &[Row]| {
            let mut text =
                format!("| {title} | {now} | asked for | |\n| --- | --- | --- | --- |\n");
            for row in rows {
                text.push_str(&format!(
                    "| {} | {} | {} | {} |\n",
                    cell(&row.what),
                    cell(&row.now),
                    cell(&row.new),
                    cell(&row.change)
                ));
            }
            text
        };
        page.push_str(&format!("{}\n", table("", &self.general)));
        if !self.metrics.is_empty() {
            page.push_str(&format!("{}\n", table("metric", &self.metrics)));
        }
        if !report.gates.is_empty() {
            page.push_str("| gate | holds | why |\n| --- | --- | --- |\n");
            for result in &report.gates {
                page.push_str(&format!(
                    "| {} | {} | {} |\n",
                    result.gate,
                    result.verdict.word(),
                    cell(&result.reason)
                ));
            }
            page.push('\n');
        }
        for (title, rows) in [("parameter", &self.parameters), ("tag", &self.tags)] {
            if !rows.is_empty() {
                page.push_str(&format!(
                    "<details><summary>{title}s ({})</summary>\n\n{}\n</details>\n\n",
                    rows.len(),
                    table(title, rows)
                ));
            }
        }
        page
    }
}

/// Adds the candidate's identity to a plan.
pub(crate) fn describe(candidate: &Candidate<'_>, plan: &mut Plan) {
    let target = &candidate.target;
    plan.fact("registered model", target.name);
    plan.fact(
        "version",
        format!("{}, {}", candidate.number(), candidate.chosen),
    );
    plan.fact("now in", format!("`{}`", stage_of(&candidate.version)));
    if candidate.already_promoted.is_some() {
        return;
    }
    let replaces = match &candidate.replaced {
        Some(replaced) => format!("version {}", replaced.version.version),
        None => "nothing".into(),
    };
    plan.fact("takes the place of", replaces);
    if let Some(trainers) = candidate.people.trainers() {
        plan.fact("trained by", trainers);
    }
    let side = Side {
        version: &candidate.version,
        run: candidate.run.as_ref(),
        measured: &candidate.measured,
    };
    if let Some(commit) = side.tag(COMMIT) {
        plan.fact("trained at", format!("commit {}", one_line(commit)));
    }
}

fn texts(now: &BTreeMap<&str, &str>, new: &BTreeMap<&str, &str>) -> Vec<Row> {
    let all: BTreeSet<&str> = now.keys().chain(new.keys()).copied().collect();
    all.into_iter()
        .map(|key| {
            let text = |side: &BTreeMap<&str, &str>| side.get(key).map(|text| one_line(text));
            Row {
                what: one_line(key),
                now: text(now).unwrap_or_default(),
                new: text(new).unwrap_or_default(),
                change: String::new(),
            }
        })
        .collect()
}

/// A value on one line, cut if it is long.
fn one_line(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    match line.chars().count() > LONGEST {
        true => line.chars().take(LONGEST).chain(['…']).collect(),
        false => line,
    }
}

/// A table cell in Markdown, shown literally.
fn cell(text: &str) -> String {
    markdown(text).replace('`', "\\`").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::tests::version;
    use crate::run_of::RunOf;

    fn run(rmse: f64, strength: &str) -> Run {
        Run {
            id: "r1".into(),
            experiment_id: "1".into(),
            status: "FINISHED".into(),
            is_deleted: false,
            logged_models: 0,
            end_time: None,
            metrics: BTreeMap::from([("rmse".to_owned(), rmse)]),
            parameters: BTreeMap::from([
                ("strength".to_owned(), strength.to_owned()),
                ("seed".to_owned(), "1".to_owned()),
            ]),
            tags: BTreeMap::from([(COMMIT.to_owned(), "abc".to_owned())]),
        }
    }

    fn sheet() -> Sheet {
        let (six, seven) = (
            version(6, "Production", json!({"data": "a|b"})),
            version(
                7,
                "Staging",
                json!({"data": "c", "promote.to": "staging", "mlflow.x": "y"}),
            ),
        );
        let (old, new) = (run(0.6, "1"), run(0.66, "2"));
        let [old_measured, new_measured] =
            [&old, &new].map(|run| Measurements::of_run(&RunOf::Known(Box::new(run.clone()))));
        let now = Side {
            version: &six,
            run: Some(&old),
            measured: &old_measured,
        };
        let new = Side {
            version: &seven,
            run: Some(&new),
            measured: &new_measured,
        };
        Sheet::beside(Some(now), new)
    }

    #[test]
    fn both_versions_stand_side_by_side_and_what_is_the_same_is_left_out() {
        let rows = sheet().table(&GateReport::default()).rows;
        let find = |what: &str| rows.iter().find(|row| row[0] == what).map(|row| &row[1..]);
        assert_eq!(find("version").unwrap(), ["6", "7", ""]);
        assert_eq!(find("stage").unwrap(), ["Production", "Staging", ""]);
        assert_eq!(find("metric rmse").unwrap(), ["0.6", "0.66", "+10.0 %"]);
        assert_eq!(find("parameter strength").unwrap(), ["1", "2", ""]);
        assert_eq!(find("commit").unwrap(), ["abc", "abc", ""]);
        assert_eq!(find("tag data").unwrap(), ["a|b", "c", ""]);
        for absent in [
            "parameter seed",
            "tag promote.to",
            "tag mlflow.x",
            "description",
        ] {
            assert_eq!(find(absent), None, "{absent}");
        }
    }

    #[test]
    fn a_version_without_a_run_or_a_predecessor_is_shown_as_it_is() {
        let seven = version(7, "None", json!({}));
        let new = Side {
            version: &seven,
            run: None,
            measured: &Measurements::default(),
        };
        let rows = Sheet::beside(None, new).table(&GateReport::default()).rows;
        assert_eq!(rows[0], ["version", "", "7", ""]);
        assert!(!rows.iter().any(|row| row[0].starts_with("metric")));
    }

    #[test]
    fn what_others_wrote_cannot_break_out_of_its_cell() {
        assert_eq!(cell("a|b\n`c` <img>"), "a\\|b \\`c\\` &lt;img&gt;");
        assert_eq!(one_line(&"x".repeat(200)).chars().count(), LONGEST + 1);
        assert_eq!(one_line("a\n  b"), "a b");
    }
}
