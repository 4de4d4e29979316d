//! The plan as Markdown. Names from a change are shown as code, so that none can be a link, tag or mention.

use std::fmt::Write as _;

use stage_file::{Stage, StageFile, StageFileError};

use super::code_span::{code, longest_run_of_backticks};
use super::facts::{Entity, Facts, SHOWN_WHEN_NEW, gate, pipeline};
use super::left_behind::left_behind;
use crate::pipelines;

/// At most this many files are named for one workflow.
const FILES_SHOWN: usize = 10;

/// The plan of a change whose stage file cannot be used.
pub(super) fn refused(problems: &StageFileError) -> String {
    let text = problems.to_string();
    let fence = "`".repeat(longest_run_of_backticks(&text).max(2) + 1);
    format!(
        "## What merging this would deploy\n\nNothing: the stage file has problems.\n\n{fence}text\n{text}\n{fence}\n"
    )
}

/// The plan of a change.
pub(super) fn plan(before: Option<&StageFile>, after: &StageFile, files: &[String]) -> String {
    let mut text = String::from("## What merging this would deploy\n\n");
    workflows(&mut text, after, files);
    text.push('\n');
    if let Some(before) = before {
        whole_pipeline(&mut text, before, after);
    }
    stages(&mut text, before, after);
    let left = before.map_or_else(Vec::new, |before| left_behind(before, after));
    if !left.is_empty() {
        text.push_str(
            "\nMerging ends nothing that runs in Domino. To end what is no longer wanted:\n\n",
        );
        for sentence in left {
            let _ = writeln!(text, "- {sentence}");
        }
    }
    text
}

/// What a change does to all stages at once: `[pipeline]`, and the order of promotion.
fn whole_pipeline(text: &mut String, before: &StageFile, after: &StageFile) {
    let (old, new) = (pipeline(before), pipeline(after));
    if old != new {
        let changed = differences(&old, &new).join(", ");
        let _ = writeln!(text, "`[pipeline]`: {changed}\n");
    }
    let order = |file: &StageFile| {
        let names: Vec<String> = file.stages.iter().map(|stage| code(&stage.name)).collect();
        names.join(" → ")
    };
    let (old, new) = (order(before), order(after));
    if old != new {
        let _ = writeln!(text, "The promotion order was {old}, and becomes {new}.\n");
    }
}

/// Which workflows the push would start, and why.
fn workflows(text: &mut String, after: &StageFile, files: &[String]) {
    text.push_str("| workflow | runs | because these change |\n|---|---|---|\n");
    for workflow in pipelines::workflows(after) {
        let Some(push) = workflow
            .workflow
            .on
            .push
            .filter(|push| !push.paths.is_empty())
        else {
            continue;
        };
        let because: Vec<&String> = files.iter().filter(|path| push.watches(path)).collect();
        let runs = if because.is_empty() { "no" } else { "yes" };
        let mut named: Vec<String> = because
            .iter()
            .take(FILES_SHOWN)
            .map(|path| code(path))
            .collect();
        if because.len() > FILES_SHOWN {
            named.push(format!("{} more", because.len() - FILES_SHOWN));
        }
        let _ = writeln!(
            text,
            "| {} | {runs} | {} |",
            workflow.workflow.name,
            named.join(", ")
        );
    }
}

/// One row for each entity, one column for each stage: what the stage file changes.
fn stages(text: &mut String, before: Option<&StageFile>, after: &StageFile) {
    let names: Vec<String> = after.stages.iter().map(|stage| code(&stage.name)).collect();
    let _ = writeln!(
        text,
        "| | {} |\n|---|{}",
        names.join(" | "),
        "---|".repeat(names.len())
    );

    let cells = after.stages.iter().map(|stage| {
        cell(
            before.and_then(|file| of_name(file, stage)).map(gate),
            Some(gate(stage)),
        )
    });
    let _ = writeln!(
        text,
        "| the stage | {} |",
        cells.collect::<Vec<_>>().join(" | ")
    );

    let (old, new) = (
        before.map(Entity::all).unwrap_or_default(),
        Entity::all(after),
    );
    let removed = old
        .iter()
        .filter(|old| !new.iter().any(|new| new.key() == old.key()));
    for entity in new.iter().chain(removed) {
        let (kind, name) = entity.key();
        let same = |list: &[Entity<'_>], stage: &Stage| {
            list.iter()
                .find(|other| other.key() == entity.key())
                .and_then(|other| other.facts(stage))
        };
        let cells = after.stages.iter().map(|stage| {
            let stage_before = before.and_then(|file| of_name(file, stage));
            cell(
                stage_before.and_then(|stage| same(&old, stage)),
                same(&new, stage),
            )
        });
        let _ = writeln!(
            text,
            "| {} {} | {} |",
            kind.word(),
            code(name),
            cells.collect::<Vec<_>>().join(" | ")
        );
    }

    let gone = before
        .iter()
        .flat_map(|file| &file.stages)
        .filter(|stage| of_name(after, stage).is_none());
    for stage in gone {
        let _ = writeln!(
            text,
            "\nStage {} is no longer deployed to. What runs there stays until it is stopped.",
            code(&stage.name)
        );
    }
}

fn of_name<'a>(file: &'a StageFile, stage: &Stage) -> Option<&'a Stage> {
    file.stages.iter().find(|other| other.name == stage.name)
}

fn cell(before: Option<Facts>, after: Option<Facts>) -> String {
    match (before, after) {
        (None, None) => String::new(),
        (Some(_), None) => "no longer deployed; what runs stays until it is stopped".to_owned(),
        (None, Some(after)) => {
            let shown = SHOWN_WHEN_NEW
                .iter()
                .filter_map(|key| Some(format!("{key} {}", code(after.get(*key)?))));
            format!("**new**: {}", lines(shown))
        }
        (Some(before), Some(after)) if before == after => "settings as before".to_owned(),
        (Some(before), Some(after)) => differences(&before, &after).join("<br>"),
    }
}

/// Each key whose value differs, with both values.
fn differences(before: &Facts, after: &Facts) -> Vec<String> {
    let keys = before
        .keys()
        .chain(after.keys().filter(|key| !before.contains_key(*key)));
    let changed = keys.filter(|key| before.get(*key) != after.get(*key));
    let side = |facts: &Facts, key: &str| {
        facts
            .get(key)
            .map_or("nothing".to_owned(), |value| code(value))
    };
    let changed =
        changed.map(|key| format!("{} {} → {}", code(key), side(before, key), side(after, key)));
    changed.collect()
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("<br>")
}
