//! Rules on a stage and on what `[defaults]` says for all of them.

use super::{Book, Report};
use crate::stages::find::same_name;
use crate::stages::text::shown;
use crate::stages::{Host, ProjectName};

pub(super) fn host(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.stage_texts("host") {
        // The value is not repeated: what is wrong with it may be that it holds a password.
        if let Err(error) = leaf.text.parse::<Host>() {
            report.leaf(leaf, error);
        }
    }
}

pub(super) fn project(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.stage_texts("project") {
        if let Err(error) = leaf.text.parse::<ProjectName>() {
            report.leaf(leaf, format!("{error}, not {}", shown(leaf.text)));
        }
    }
}

pub(super) fn revision(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| matches!(keys, [.., "environment", "revision"])) {
        let id = leaf.text.len() == 24 && leaf.text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !id && !["active", "latest"].contains(&leaf.text) {
            report.leaf(
                leaf,
                format!(
                    "must be `active`, `latest` or an id of 24 hexadecimal digits, not {}",
                    shown(leaf.text)
                ),
            );
        }
    }
}

pub(super) fn github_environment(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.stage_texts("github-environment") {
        if leaf.text.chars().count() > 255 {
            report.leaf(leaf, "must be at most 255 characters long");
        }
    }
}

/// GitHub's limit of reviewers of one environment.
const MOST_APPROVERS: usize = 6;

pub(super) fn approvers(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let mut earlier: Vec<(&[&str], &str)> = Vec::new();
    for leaf in book.stage_texts("approvers") {
        if !is_approver(leaf.text) {
            let hint = if leaf.text.starts_with('@') {
                "; leave out the `@`"
            } else {
                ""
            };
            report.leaf(
                leaf,
                format!(
                    "names {}, which is neither a GitHub user nor `team:<slug>`{hint}",
                    shown(leaf.text)
                ),
            );
        }
        let same_list = earlier.iter().filter(|(keys, _)| *keys == leaf.keys);
        if same_list
            .clone()
            .any(|(_, other)| same_name(other, leaf.text))
        {
            report.leaf(leaf, format!("names {} twice", shown(leaf.text)));
        }
        if same_list.count() == MOST_APPROVERS {
            report.at(
                &leaf.keys,
                format!("names more than {MOST_APPROVERS}, which is all that GitHub takes"),
            );
        }
        earlier.push((&leaf.keys, leaf.text));
    }
}

/// A user name as GitHub has them, those of managed users with their `_` included, or a team's slug.
fn is_approver(text: &str) -> bool {
    let name = text.strip_prefix("team:").unwrap_or(text);
    let (longest, legal) = if name.len() == text.len() {
        (39, "-_")
    } else {
        (100, "-_.")
    };
    let ends = |c: Option<char>| {
        c.is_some_and(|c| c.is_ascii_alphanumeric() || (c == '_' && longest > 39))
    };
    name.len() <= longest
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || legal.contains(c))
        && ends(name.chars().next())
        && ends(name.chars().next_back())
}

pub(super) fn model_stage(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.stage_texts("model-stage") {
        if same_name(leaf.text, "archived") {
            report.leaf(
                leaf,
                "is `Archived`, where versions go when others take their place",
            );
        }
    }
}

pub(super) fn shared_model_stage(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let stages = &book.file.stages;
    for (index, stage) in stages.iter().enumerate() {
        let Some(model_stage) = &stage.model_stage else {
            continue;
        };
        let same = |other: &&crate::stages::Stage| {
            other
                .model_stage
                .as_ref()
                .is_some_and(|other| same_name(other, model_stage))
        };
        if let Some(other) = stages[..index].iter().find(same) {
            report.sentence(
                &["stage", &stage.name, "model-stage"],
                format!(
                    "stages `{}` and `{}` both promote to model stage {}, so the experiment manager \
                     cannot tell them apart",
                    other.name, stage.name, shown(model_stage)
                ),
            );
        }
    }
}
