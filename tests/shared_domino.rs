//! A Domino that people use: whatever they do there between two deployments, no verb loses it, duplicates it, or
//! silently reverts it. Every cell of the table is checked against the sandbox's own state before and after.

mod built;
#[path = "shared_domino/by_hand.rs"]
mod by_hand;
mod harness;
#[path = "shared_domino/models.rs"]
mod models;
#[path = "shared_domino/of_models.rs"]
mod of_models;
#[path = "shared_domino/table.rs"]
mod table;
#[path = "shared_domino/verdict.rs"]
mod verdict;
#[path = "shared_domino/world.rs"]
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use insta::assert_snapshot;
use table::{Act, COLUMNS, Cell, ROWS};
use world::{Column, World};

/// How many cells are tried at once: most of each is waiting.
const AT_ONCE: usize = 8;

/// One cell to try.
struct Trial {
    row: &'static str,
    column: &'static Column,
    version: &'static str,
    act: Act,
}

/// Tries the cells, and gives what does not hold.
fn tried(trials: &[Trial]) -> Vec<String> {
    let (next, broken) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(trial) = trials.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let told = std::panic::catch_unwind(|| {
                        verdict::hold(World::of(trial.column, trial.version), trial.act)
                    });
                    if let Err(panic) = told {
                        let why = panic.downcast_ref::<String>().cloned();
                        let why = why.unwrap_or_else(|| "a panic without words".into());
                        let place =
                            format!("{} × {} on {}", trial.row, trial.column.name, trial.version);
                        broken.lock().unwrap().push(format!("{place}: {why}"));
                    }
                }
            });
        }
    });
    broken.into_inner().unwrap()
}

/// The rows that hurt most, with the verb that they hurt, on every release that the sandbox can be.
const WORST: [(&str, &str); 10] = [
    ("retitle", "deploy-job start"),
    ("retitle", "deploy-job schedule"),
    ("pause", "deploy-job schedule"),
    ("volumes", "deploy-job schedule"),
    (
        "newer commit deployed by another run",
        "deploy-job schedule",
    ),
    ("stop", "deploy-app publish"),
    ("restrict", "deploy-app publish"),
    ("volumes", "deploy-app publish"),
    ("newer commit deployed by another run", "deploy-app publish"),
    ("the same deployed from a laptop", "deploy-app publish"),
];
const RELEASES: [&str; 4] = ["5.9", "6.2", "6.3", "6.4"];

/// The worst ten on each release, but for what the table tries there already.
fn worst() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (act, verb) in WORST {
        let row = ROWS.iter().find(|row| row.act == act).unwrap();
        let mut columns = COLUMNS
            .iter()
            .filter(|column| column.name.starts_with(verb) && !column.ends);
        let tried: Vec<&str> = columns.clone().map(|column| column.version).collect();
        let column = columns.next().unwrap();
        for version in RELEASES
            .into_iter()
            .filter(|version| !tried.contains(version))
        {
            let Cell::Does(act) = row.cell(column, version) else {
                panic!("`{}` is no row of `{verb}`", row.act);
            };
            trials.push(Trial {
                row: row.act,
                column,
                version,
                act: *act,
            });
        }
    }
    trials
}

/// Why cells do not apply, one line for all of a row that have the same reason.
fn reasons(without: &[(&str, &str, &str)]) -> String {
    let mut lines: Vec<(String, Vec<&str>)> = Vec::new();
    for (act, why, column) in without {
        let line = format!("{act}: {why}");
        match lines.iter_mut().find(|(known, _)| *known == line) {
            Some((_, columns)) => columns.push(column),
            None => lines.push((line, vec![column])),
        }
    }
    let lines = lines.into_iter();
    lines
        .map(|(line, columns)| format!("{line} ({})\n", columns.join(", ")))
        .collect()
}

/// Tries every cell of some columns and what is given besides, and tells how many hold and why others do not apply.
fn told(columns: fn(&Column) -> bool, mut more: Vec<Trial>) -> String {
    let (mut trials, mut without) = (Vec::new(), Vec::new());
    for row in ROWS {
        for column in COLUMNS.iter().filter(|column| columns(column)) {
            match row.cell(column, column.version) {
                Cell::Does(act) => trials.push(Trial {
                    row: row.act,
                    column,
                    version: column.version,
                    act: *act,
                }),
                Cell::No(why) => without.push((row.act, *why, column.name)),
            }
        }
    }
    let (cells, besides) = (trials.len(), more.len());
    trials.append(&mut more);
    let broken = tried(&trials);
    let summary = format!(
        "{} of {} hold: {cells} cells, and {besides} of the worst rows on other releases; {} cells do not apply",
        trials.len() - broken.len(),
        trials.len(),
        without.len()
    );
    eprintln!("{summary}");
    assert!(broken.is_empty(), "{summary}\n{}", broken.join("\n\n"));
    format!("{summary}\n{}", reasons(&without))
}

#[test]
fn nothing_is_lost_doubled_or_undone_without_a_word() {
    let told = told(|column| !column.kind.of_models(), worst());
    assert_snapshot!("cells", told);
}

#[test]
fn nor_is_anything_of_a_model() {
    let told = told(|column| column.kind.of_models(), Vec::new());
    assert_snapshot!("cells_of_models", told);
}
