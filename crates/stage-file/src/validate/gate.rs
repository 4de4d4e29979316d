//! Rules on gates: each has what it needs, and none seems to guard what it does not.

use super::rule::{Book, Report};
use crate::text::displayed;
use crate::time_span::time_span;
use crate::{DominoApproval, Evidence, Gates, ModelSource, Receipts, Stage};

pub(super) fn gates(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for (index, stage) in book.file.stages.iter().enumerate() {
        let own = ["stage", stage.name.as_str(), "gates"];
        if index == 0 {
            // Gates in `[defaults]` are for the stages that have one before them.
            if book.tree.own(&own).is_some() {
                report.at(
                    &own,
                    "has no effect: nothing is promoted into the first stage",
                );
            }
            continue;
        }
        needs(book, stage, report);
        effect(book, stage, report);
    }
}

fn needs(book: &Book<'_>, stage: &Stage, report: &mut Report<'_, '_>) {
    let Gates {
        domino_approval,
        policy,
        reviewers,
        ..
    } = &stage.gates;
    let at = |key| ["stage", stage.name.as_str(), "gates", key];
    let governed = *domino_approval == DominoApproval::Governance;
    let reviewed = *domino_approval == DominoApproval::Review;
    if governed && policy.is_none() {
        report.at(
            &at("domino-approval"),
            "is `governance`, which needs a `policy`",
        );
    }
    if policy.is_some() && !governed {
        report.at(
            &at("policy"),
            "has no effect unless `domino-approval` is `governance`",
        );
    }
    for (is_said, key) in [
        (stage.gates.policy_stage.is_some(), "policy-stage"),
        (stage.gates.evidence != Evidence::default(), "evidence"),
    ] {
        if is_said && !governed {
            report.at(
                &at(key),
                "has no effect unless `domino-approval` is `governance`",
            );
        }
    }
    let receipts = book.file.pipeline.receipts;
    if stage.gates.evidence.smoke_test.is_some() && receipts == Receipts::None {
        report.at(
            &["stage", stage.name.as_str(), "gates", "evidence", "smoke-test"],
            "has no effect with `receipts = \"none\"`: the receipt of the stage before says what the test said",
        );
    }
    if reviewed && reviewers.is_empty() {
        report.at(
            &at("domino-approval"),
            "is `review`, which needs `reviewers`",
        );
    }
    if !reviewers.is_empty() && !reviewed {
        report.at(
            &at("reviewers"),
            "has no effect unless `domino-approval` is `review`",
        );
    }
}

fn effect(book: &Book<'_>, stage: &Stage, report: &mut Report<'_, '_>) {
    let registered = |model: &crate::Model| matches!(model.source, ModelSource::Registered { .. });
    let guarded = stage.gates != Gates::default() && book.file.models.iter().any(registered);
    if guarded && stage.model_stage.is_none() {
        report.at(
            &["stage", &stage.name, "gates"],
            format!(
                "has no effect in stage `{}`, which has no `model-stage` to promote to",
                stage.name
            ),
        );
    }
}

pub(super) fn soak(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| matches!(keys, [.., "gates", "soak"])) {
        if time_span(leaf.text).is_none() {
            report.leaf(
                leaf,
                format!("must be a number of minutes, hours or days up to a year, such as `90m`, `24h` or `7d`, not {}", displayed(leaf.text)),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{with, with_prod};

    fn gates(keys: &str) -> Vec<String> {
        with_prod(&format!("[stage.prod.gates]\n{keys}"))
    }

    #[test]
    fn a_gate_has_what_it_needs() {
        assert_eq!(
            gates("domino-approval = \"governance\"\npolicy = \"Promotion\""),
            [""; 0]
        );
        assert_eq!(
            gates("domino-approval = \"review\"\nreviewers = [\"ann\"]"),
            [""; 0]
        );
        assert_eq!(
            gates("domino-approval = \"governance\""),
            ["`domino-approval` in `[stage.prod.gates]` is `governance`, which needs a `policy`"]
        );
        assert_eq!(
            gates("domino-approval = \"review\""),
            ["`domino-approval` in `[stage.prod.gates]` is `review`, which needs `reviewers`"]
        );
    }

    #[test]
    fn no_gate_is_without_effect() {
        assert_eq!(
            gates("policy = \"Promotion\"\nreviewers = [\"ann\"]"),
            [
                "`policy` in `[stage.prod.gates]` has no effect unless `domino-approval` is `governance`",
                "`reviewers` in `[stage.prod.gates]` has no effect unless `domino-approval` is `review`"
            ]
        );
        assert_eq!(
            with("[stage.dev.gates]\ngithub-approval = true"),
            ["`[stage.dev.gates]` has no effect: nothing is promoted into the first stage"]
        );
        assert_eq!(
            with("[stage.last]\nhardware-tier = \"l\"\n[stage.last.gates]\ngithub-approval = true"),
            [
                "`[stage.last.gates]` has no effect in stage `last`, which has no `model-stage` to promote to"
            ]
        );
    }

    #[test]
    fn gates_in_the_defaults_are_for_the_stages_after_the_first() {
        assert_eq!(with("[defaults.gates]\ngithub-approval = true"), [""; 0]);
    }

    #[test]
    fn what_is_said_of_a_policy_needs_governance() {
        let governed = "domino-approval = \"governance\"\npolicy = \"p\"\n";
        let said = "policy-stage = \"Validation\"\nevidence = { metrics = \"Metrics\" }";
        assert_eq!(gates(&format!("{governed}{said}")), [""; 0]);
        assert_eq!(
            gates(said),
            [
                "`policy-stage` in `[stage.prod.gates]` has no effect unless `domino-approval` is `governance`",
                "`evidence` in `[stage.prod.gates]` has no effect unless `domino-approval` is `governance`",
            ]
        );
    }

    #[test]
    fn evidence_that_nothing_records_or_that_leaves_the_project_is_refused() {
        let said =
            "domino-approval = \"governance\"\npolicy = \"p\"\n[stage.prod.gates.evidence]\n";
        let problems = |pipeline: &str, keys: &str| {
            let gates = format!("[stage.prod.gates]\n{said}{keys}");
            with_prod(&format!("{gates}\n[pipeline]\n{pipeline}"))
        };
        let both = "smoke-test = \"Tested?\"\nreport = \"reports/promotion\"";
        assert_eq!(problems("", both), [""; 0]);
        let [none] = &problems("receipts = \"none\"", both)[..] else {
            panic!("one problem")
        };
        assert!(
            none.contains("has no effect with `receipts = \"none\"`"),
            "{none}"
        );
        for (folder, why) in [
            ("/reports", "from the top of the project's own files"),
            ("../up", "without `..`"),
        ] {
            let [problem] = &problems("", &format!("report = \"{folder}\""))[..] else {
                panic!("one problem")
            };
            assert!(problem.contains(why), "{problem}");
        }
    }

    #[test]
    fn a_soak_time_is_one_that_is_understood() {
        assert_eq!(gates("soak = \"24h\""), [""; 0]);
        assert_eq!(
            gates("soak = \"1 day\""),
            [
                "`soak` in `[stage.prod.gates]` must be a number of minutes, hours or days up to a year, such as `90m`, \
              `24h` or `7d`, not `1 day`"
            ]
        );
    }

    #[test]
    fn a_word_that_is_none_of_those_known_is_refused_with_the_nearest() {
        assert_eq!(
            gates("domino-approval = \"goverance\""),
            [
                "`domino-approval` in `[stage.prod.gates]` must be one of `governance`, `review`, `none`, not \
              `goverance`; did you mean `governance`?"
            ]
        );
    }
}
