//! `defects.md` is complete: one row for each known defect of the published templates, and an existing test for each
//! that could be ours. The tests themselves prove the rest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const TABLE: &str = include_str!("defects.md");
/// How many defects are known.
const KNOWN: u32 = 90;
/// How a row begins that needs no test.
const NO_CONCERN: &str = "no concern: ";

/// A row of the table.
struct Row {
    number: u32,
    defect: String,
    proof: Proof,
}

enum Proof {
    /// Tests, as `file::function`.
    Tests(Vec<String>),
    /// Why the defect cannot concern us.
    NoConcern(String),
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rows() -> Vec<Row> {
    let rows = TABLE.lines().filter(|line| line.starts_with("| D"));
    rows.map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    let [number, defect, proof] = cells.as_slice() else {
        panic!("not three cells: {line}");
    };
    let proof = match proof.strip_prefix(NO_CONCERN) {
        Some(reason) => Proof::NoConcern(reason.to_owned()),
        None => Proof::Tests(
            proof
                .split("<br>")
                .map(|test| {
                    match test
                        .strip_prefix('`')
                        .and_then(|test| test.strip_suffix('`'))
                    {
                        Some(test) => test.to_owned(),
                        None => panic!("{number}: `{test}` is neither a test nor `{NO_CONCERN}…`"),
                    }
                })
                .collect(),
        ),
    };
    Row {
        number: number[1..].parse().unwrap(),
        defect: (*defect).to_owned(),
        proof,
    }
}

/// The names of the tests of a file, without those that are never run.
fn tests_of(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    if path.extension().is_some_and(|extension| extension == "py") {
        let name = |line: &str| {
            Some(
                line.trim()
                    .strip_prefix("def test_")?
                    .split('(')
                    .next()?
                    .to_owned(),
            )
        };
        let names = text.lines().filter_map(name);
        return names.map(|name| format!("test_{name}")).collect();
    }
    let (mut names, mut is_test, mut is_ignored) = (Vec::new(), false, false);
    for line in text.lines().map(str::trim) {
        let function = line
            .strip_prefix("async ")
            .unwrap_or(line)
            .strip_prefix("fn ")
            .and_then(|rest| rest.split(['(', '<']).next());
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            is_ignored |= line.starts_with("#[ignore");
        } else if let Some(name) = function {
            if is_test && !is_ignored {
                names.push(name.to_owned());
            }
            (is_test, is_ignored) = (false, false);
        }
    }
    names
}

/// Every file that has a test of this name: where one went that was moved.
fn files_with(function: &str) -> Vec<String> {
    let mut folders: Vec<PathBuf> = ["crates", "tests", "xtask"]
        .map(|name| top().join(name))
        .into();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if tests_of(&path).iter().any(|name| name == function) {
                found.push(path.strip_prefix(top()).unwrap().display().to_string());
            }
        }
    }
    found
}

#[test]
fn every_known_defect_has_one_row() {
    let numbers: Vec<u32> = rows().iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=KNOWN).collect::<Vec<u32>>());
}

#[test]
fn every_row_says_what_it_was_and_why_it_is_no_concern() {
    for row in rows() {
        assert!(
            row.defect.split(' ').count() > 3,
            "D{:02}: {}",
            row.number,
            row.defect
        );
        if let Proof::NoConcern(reason) = row.proof {
            assert!(
                reason.split(' ').count() > 4,
                "D{:02}: {reason}",
                row.number
            );
        }
    }
}

#[test]
fn every_named_test_exists() {
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut missing = Vec::new();
    for row in rows() {
        let Proof::Tests(tests) = row.proof else {
            continue;
        };
        for test in tests {
            let Some((file, function)) = test.split_once("::") else {
                panic!("D{:02}: `{test}` is not `file::function`", row.number);
            };
            let known = files
                .entry(file.to_owned())
                .or_insert_with(|| tests_of(&top().join(file)));
            if !known.iter().any(|name| name == function) {
                missing.push(format!(
                    "D{:02}: {test}, now in {:?}",
                    row.number,
                    files_with(function)
                ));
            }
        }
    }
    assert!(files.len() > 10);
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn only_what_is_run_counts_as_a_test() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.rs");
    let text = "#[test]\nfn one() {}\n\nfn helper() {}\n#[test]\n#[ignore]\nfn never() {}\n\
                #[tokio::test]\nasync fn two() {}\n// fn three() {}\n#[test]\nfn four(n in 0..9) {}\n";
    std::fs::write(&path, text).unwrap();
    assert_eq!(tests_of(&path), ["one", "two", "four"]);
    assert!(tests_of(&folder.path().join("other.rs")).is_empty());
}
