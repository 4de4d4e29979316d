//! Rules on gates: each has what it needs, and none looks as if it guarded what it does not.

use super::{Book, Report};
use crate::stages::soak::soak_time;
use crate::stages::text::shown;
use crate::stages::{DominoApproval, Gates, ModelSource, Stage};

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
        needs(stage, report);
        effect(book, stage, report);
    }
}

fn needs(stage: &Stage, report: &mut Report<'_, '_>) {
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
    let registered =
        |model: &crate::stages::Model| matches!(model.source, ModelSource::Registered { .. });
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
        if soak_time(leaf.text).is_none() {
            report.leaf(
                leaf,
                format!("must be a number of minutes, hours or days up to a year, such as `90m`, `24h` or `7d`, not {}", shown(leaf.text)),
            );
        }
    }
}
