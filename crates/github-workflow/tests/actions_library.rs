//! Our reading of GitHub's expressions, compared with GitHub's own library (npm `@actions/expressions`).
//!
//! With `ACTIONS_LIBRARY` set, npm installs the library, and both are asked about thousands of generated expressions.
//! Otherwise a stored table of its answers is used; `ACTIONS_LIBRARY=update` writes that table.

#[path = "actions_library/expressions.rs"]
mod expressions;
#[path = "actions_library/library.rs"]
mod library;

use expressions::{CONTEXTS, answer, made_up};

/// How many expressions both are asked about, and how many of them are in the table.
const EXPRESSIONS: usize = 20_000;
const STORED: usize = 400;
const TABLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/actions_library/expressions.json"
);

#[test]
fn expressions_give_what_githubs_library_gave() {
    let table: Vec<[String; 2]> =
        serde_json::from_str(&std::fs::read_to_string(TABLE).unwrap()).unwrap();
    assert_eq!(table.len(), STORED);
    let refused = table
        .iter()
        .filter(|[_, theirs]| theirs == "refused")
        .count();
    assert!((STORED / 20..STORED / 2).contains(&refused), "{refused}");
    same(
        table
            .iter()
            .map(|[text, theirs]| (text.as_str(), theirs.as_str())),
    );
}

#[test]
fn expressions_give_what_githubs_library_gives() {
    let Some(library) = library::from_npm() else {
        eprintln!("NOT RUN: the test with GitHub's library; set ACTIONS_LIBRARY to yes for that");
        return;
    };
    let texts = made_up(EXPRESSIONS);
    let theirs = library.evaluate(CONTEXTS, &texts);
    assert_eq!(theirs.len(), texts.len());
    if library::is_update() {
        let table: Vec<_> = texts.iter().zip(&theirs).take(STORED).collect();
        std::fs::write(TABLE, serde_json::to_string_pretty(&table).unwrap() + "\n").unwrap();
    }
    same(
        texts
            .iter()
            .map(String::as_str)
            .zip(theirs.iter().map(String::as_str)),
    );
}

/// Compares our answers with theirs, and prints how many there were.
fn same<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) {
    let mut counts = [0; 3];
    let mut different = Vec::new();
    for (text, theirs) in pairs {
        let ours = answer(text);
        if ours != theirs {
            different.push(format!("{text}\n  ours:   {ours}\n  theirs: {theirs}"));
        }
        counts[match theirs {
            "refused" => 1,
            "error" => 2,
            _ => 0,
        }] += 1;
    }
    let [values, refused, errors] = counts;
    eprintln!("{values} values, {refused} refused by both, {errors} errors in both");
    assert!(
        different.is_empty(),
        "{} different:\n{}",
        different.len(),
        different[..different.len().min(40)].join("\n")
    );
}
