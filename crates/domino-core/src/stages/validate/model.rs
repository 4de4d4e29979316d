//! Rules on models: what is served, under which name, and how good it must be.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::{Book, Report};
use crate::stages::read::whole_number;
use crate::stages::text::shown;
use crate::stages::{MetricRule, VersionRule};

pub(super) fn source(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for name in book.tree.names("model") {
        let at = |key| ["model", name, key];
        let has = |key| book.has(&at(key));
        if has("registered-model") {
            for key in ["file", "function"] {
                if has(key) {
                    report.at(
                        &at(key),
                        "and `registered-model` both say what is served; one of them must go",
                    );
                }
            }
            continue;
        }
        match (has("file"), has("function")) {
            (true, true) => {}
            (true, false) => report.at(&at("file"), "needs a `function` in it"),
            (false, true) => report.at(&at("function"), "needs the `file` it is in"),
            (false, false) => report.at(
                &["model", name],
                "must say what is served: `registered-model`, or `file` and `function`",
            ),
        }
        for key in ["version", "metric-rules"] {
            if has(key) && (has("file") || has("function")) {
                report.at(&at(key), "has no effect without a `registered-model`");
            }
        }
    }
    for leaf in book.texts(|keys| matches!(keys, ["model", _, "registered-model"])) {
        // The registry refuses the slash, which separates the parts of its own addresses.
        if leaf.text.contains('/') || leaf.text.chars().count() > 250 {
            report.leaf(
                leaf,
                format!(
                    "must be a name of at most 250 characters without `/`, not {}",
                    shown(leaf.text)
                ),
            );
        }
    }
    for leaf in book.texts(|keys| matches!(keys, ["model", _, "function"])) {
        let legal = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let begins = leaf
            .text
            .starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '.');
        if !begins || !leaf.text.chars().all(legal) {
            report.leaf(
                leaf,
                format!("must be the name of a function, not {}", shown(leaf.text)),
            );
        }
    }
}

pub(super) fn version(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for name in book.tree.names("model") {
        let path = ["model", name, "version"];
        match book.tree.own(&path) {
            Some(DeValue::String(text)) => {
                if let Err(error) = text.parse::<VersionRule>() {
                    report.at(&path, format!("{error}, not {}", shown(text)));
                }
            }
            Some(number @ DeValue::Integer(_)) if whole_number(number).is_none_or(|n| n < 1) => {
                report.at(&path, "must be a version from 1 on");
            }
            _ => {}
        }
    }
}

pub(super) fn endpoint(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| matches!(keys, ["model", _, "stage", _, "endpoint"])) {
        let legal = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let begins = leaf.text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !begins || !leaf.text.chars().all(legal) || leaf.text.len() > 100 {
            report.leaf(
                leaf,
                format!("must be a name of at most 100 letters, digits, `-`, `_` and `.` that begins with a letter or digit, not {}", shown(leaf.text)),
            );
        }
    }
}

pub(super) fn duplicate_endpoint(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let mut earlier = BTreeMap::new();
    for model in &book.file.models {
        for stage in &book.file.stages {
            let endpoint = book.file.endpoint_name(model, stage);
            let project = (stage.host.as_str(), stage.project.to_string());
            let key = (project, endpoint.to_lowercase());
            let by = (model.name.as_str(), stage.name.as_str());
            let Some((other_model, other_stage)) = earlier.insert(key, by) else {
                continue;
            };
            report.sentence(
                &["model", &model.name, "stage", &stage.name, "endpoint"],
                format!(
                    "model `{}` in stage `{}` and model `{other_model}` in stage `{other_stage}` would both be \
                     endpoint {} of project `{}`; give one of them another `endpoint`",
                    model.name, stage.name, shown(&endpoint), stage.project
                ),
            );
        }
    }
}

pub(super) fn metric_rule(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| matches!(keys, ["model", _, "metric-rules"])) {
        if let Err(error) = leaf.text.parse::<MetricRule>() {
            report.leaf(leaf, format!("{error}, not {}", shown(leaf.text)));
        }
    }
}
