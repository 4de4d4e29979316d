//! Rules on models: what is served, under which name, and how good it must be.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::rule::{Book, Report};
use crate::stage_file::same_name;
use crate::table::whole_number;
use crate::text::displayed;
use crate::unknown_name::{listed, nearest};
use crate::{MetricRule, VersionRule};

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
        let is_function = has("file") || has("function");
        for key in ["version", "trained-by", "metric-rules", "baseline"] {
            if has(key) && is_function {
                report.at(&at(key), "has no effect without a `registered-model`");
            }
        }
        for stage in &book.file.stages {
            let rules = ["model", name, "stage", &stage.name, "metric-rules"];
            if book.has(&rules) && is_function {
                report.at(&rules, "has no effect without a `registered-model`");
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
                    displayed(leaf.text)
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
                format!(
                    "must be the name of a function, not {}",
                    displayed(leaf.text)
                ),
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
                    report.at(&path, format!("{error}, not {}", displayed(text)));
                }
            }
            Some(number @ (DeValue::Integer(_) | DeValue::Float(_)))
                if whole_number(number).is_none_or(|n| n < 1) =>
            {
                report.at(&path, "must be a version from 1 on");
            }
            _ => {}
        }
    }
}

pub(super) fn trained_by(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| matches!(keys, ["model", _, "trained-by"])) {
        let model = leaf.keys[1];
        let version = ["model", model, "version"];
        if book.has(&version) {
            report.at(
                &version,
                "and `trained-by` both say which version is published; one of them must go",
            );
        }
        let jobs = &book.file.jobs;
        let Some(job) = jobs.iter().find(|job| job.name == leaf.text) else {
            let known = || jobs.iter().map(|job| job.name.as_str());
            let hint = match (nearest(leaf.text, known()), jobs.is_empty()) {
                (Some(nearest), _) => format!("did you mean `{nearest}`?"),
                (None, true) => "the file has none".to_owned(),
                (None, false) => format!("the jobs are {}", listed(known())),
            };
            let name = displayed(leaf.text);
            report.leaf(leaf, format!("names {name}, which is no job; {hint}"));
            continue;
        };
        if job.schedule.is_some() {
            report.leaf(
                leaf,
                format!(
                    "names job `{}`, which has a schedule: what trains a model runs once a deployment",
                    job.name
                ),
            );
        } else if let Some(first) = book.file.stages.first()
            && !job.is_deployed_to(first)
        {
            report.at(
                &["job", &job.name, "stages"],
                format!(
                    "leaves out `{}`, the stage in which model `{model}` is trained and published first",
                    first.name
                ),
            );
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
                format!("must be a name of at most 100 letters, digits, `-`, `_` and `.` that begins with a letter or digit, not {}", displayed(leaf.text)),
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
            // Names that differ only by case are reported as such.
            let alike = |one: &str, other: &str| one != other && same_name(one, other);
            if alike(&model.name, other_model) || alike(&stage.name, other_stage) {
                continue;
            }
            report.sentence(
                &["model", &model.name, "stage", &stage.name, "endpoint"],
                format!(
                    "model `{}` in stage `{}` and model `{other_model}` in stage `{other_stage}` would both be \
                     endpoint {} of project `{}`; give one of them another `endpoint`",
                    model.name, stage.name, displayed(&endpoint), stage.project
                ),
            );
        }
    }
}

pub(super) fn metric_rule(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| {
        matches!(
            keys,
            ["model", _, "metric-rules"] | ["model", _, "stage", _, "metric-rules"]
        )
    }) {
        if let Err(error) = leaf.text.parse::<MetricRule>() {
            report.leaf(leaf, format!("{error}, not {}", displayed(leaf.text)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{with, with_defaults};

    #[test]
    fn a_model_is_either_registered_or_a_function_in_a_file() {
        assert_eq!(
            with("[model.m]\nfile = \"m.py\"\nfunction = \"predict\""),
            [""; 0]
        );
        for (keys, says) in [
            (
                "replicas = 1",
                "`[model.m]` must say what is served: `registered-model`, or `file` and `function`",
            ),
            (
                "file = \"m.py\"",
                "`file` in `[model.m]` needs a `function` in it",
            ),
            (
                "function = \"predict\"",
                "`function` in `[model.m]` needs the `file` it is in",
            ),
            (
                "registered-model = \"m\"\nfile = \"m.py\"",
                "`file` in `[model.m]` and `registered-model` both say what is served; one of them must go",
            ),
            (
                "file = \"m.py\"\nfunction = \"predict\"\nversion = 4",
                "`version` in `[model.m]` has no effect without a `registered-model`",
            ),
            (
                "registered-model = \"a/b\"",
                "`registered-model` in `[model.m]` must be a name of at most 250 characters without `/`, not `a/b`",
            ),
            (
                "file = \"m.py\"\nfunction = \"predict()\"",
                "`function` in `[model.m]` must be the name of a function, not `predict()`",
            ),
        ] {
            assert_eq!(with(&format!("[model.m]\n{keys}")), [says]);
        }
    }

    #[test]
    fn a_model_is_trained_by_a_job_of_the_first_stage_that_runs_once() {
        let trained = |job: &str, model: &str| {
            with(&format!(
                "[job.train]\ncommand = \"train.py\"\n{job}\n[model.m]\ntrained-by = \"train\"\n{model}"
            ))
        };
        let registered = "registered-model = \"m\"";
        assert_eq!(trained("", registered), [""; 0]);
        assert_eq!(trained("stages = [\"dev\", \"prod\"]", registered), [""; 0]);
        for (job, model, says) in [
            (
                "stages = [\"prod\"]",
                registered,
                "`stages` in `[job.train]` leaves out `dev`, the stage in which model `m` is trained and published first",
            ),
            (
                "schedule = { cron = \"0 0 6 * * ?\" }",
                registered,
                "`trained-by` in `[model.m]` names job `train`, which has a schedule: what trains a model runs once a \
                 deployment",
            ),
            (
                "",
                "registered-model = \"m\"\nversion = \"latest\"",
                "`version` in `[model.m]` and `trained-by` both say which version is published; one of them must go",
            ),
            (
                "",
                "file = \"m.py\"\nfunction = \"predict\"",
                "`trained-by` in `[model.m]` has no effect without a `registered-model`",
            ),
        ] {
            assert_eq!(trained(job, model), [says]);
        }
        assert_eq!(
            with(
                "[job.train]\ncommand = \"a.py\"\n[model.m]\nregistered-model = \"m\"\ntrained-by = \"trian\""
            ),
            ["`trained-by` in `[model.m]` names `trian`, which is no job; did you mean `train`?"]
        );
        assert_eq!(
            with("[model.m]\nregistered-model = \"m\"\ntrained-by = \"train\""),
            ["`trained-by` in `[model.m]` names `train`, which is no job; the file has none"]
        );
    }

    #[test]
    fn a_version_is_one_that_can_be_resolved() {
        let version = |version: &str| with(&format!("version = {version}"));
        for right in [
            "4",
            "\"4\"",
            "\"latest\"",
            "\"stage:Staging\"",
            "\"alias:champion\"",
        ] {
            assert_eq!(version(right), [""; 0]);
        }
        assert_eq!(
            version("0"),
            ["`version` in `[model.registered]` must be a version from 1 on"]
        );
        assert_eq!(
            version("\"newest\""),
            [
                "`version` in `[model.registered]` must be a number such as `4`, `latest`, `stage:<stage>` or \
              `alias:<alias>`, not `newest`"
            ]
        );
        assert_eq!(
            version("1.5"),
            [
                "`version` in `[model.registered]` must be a string or a whole number, and the number `1.5` stands there"
            ]
        );
    }

    #[test]
    fn a_model_has_at_least_one_replica() {
        assert_eq!(
            with("replicas = 0"),
            ["`replicas` in `[model.registered]` must be a whole number from 1 to 32"]
        );
    }

    #[test]
    fn an_endpoint_has_a_name_that_domino_takes() {
        let endpoint = |name: &str| {
            with(&format!(
                "[model.registered.stage.prod]\nendpoint = \"{name}\""
            ))
        };
        assert_eq!(endpoint("wine.quality-2"), [""; 0]);
        for wrong in ["wine quality", "wine/quality", "_wine"] {
            assert_eq!(endpoint(wrong).len(), 1, "{wrong}");
        }
    }

    #[test]
    fn two_stages_of_one_project_do_not_publish_to_one_endpoint() {
        let same = "[model.registered.stage.dev]\nendpoint = \"wine\"\n[model.registered.stage.prod]\nendpoint = \"Wine\"\n";
        assert_eq!(
            with(same),
            [
                "model `registered` in stage `prod` and model `registered` in stage `dev` would both be endpoint `Wine` of \
              project `wine-team/wine-quality`; give one of them another `endpoint`"
            ]
        );
        assert_eq!(with_defaults(""), [""; 0]);
    }

    #[test]
    fn a_metric_rule_is_a_sentence_that_is_understood() {
        assert_eq!(
            with(
                "metric-rules = [\"rmse must not rise by more than 2 %\", \"r2 must be at least 0.8\"]"
            ),
            [""; 0]
        );
        assert_eq!(
            with("[model.registered.stage.prod]\nmetric-rules = [\"r2 must be at least 0.9\"]"),
            [""; 0]
        );
        assert_eq!(
            with("[model.registered.stage.prod]\nmetric-rules = [\"rmse < 2\"]").len(),
            1
        );
        assert_eq!(
            with(
                "[model.f]\nfile = \"f.py\"\nfunction = \"f\"\n[model.f.stage.prod]\nmetric-rules = []"
            ),
            ["`metric-rules` in `[model.f.stage.prod]` has no effect without a `registered-model`"]
        );
        assert_eq!(
            with("metric-rules = [\"rmse < 2\"]"),
            [
                "`metric-rules` in `[model.registered]` must read like `rmse must not rise by more than 2 %`, `r2 must not \
              fall by more than 0.1`, `rmse must be at most 1.5` or `r2 must be at least 0.8`, not `rmse < 2`"
            ]
        );
    }
}
