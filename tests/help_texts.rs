//! The whole command line of each program as `--help` shows it: one snapshot for each program, with every verb.
//!
//! It is the documented interface: whoever changes it sees the change here. `help.rs` checks whether it is good.

use std::process::{Command, Stdio};

/// The programs by their names; the one whose test this is has a path.
const PROGRAMS: [(&str, Option<&str>); 6] = [
    ("deploy-job", option_env!("CARGO_BIN_EXE_deploy-job")),
    ("deploy-app", option_env!("CARGO_BIN_EXE_deploy-app")),
    ("deploy-model", option_env!("CARGO_BIN_EXE_deploy-model")),
    ("promote-stage", option_env!("CARGO_BIN_EXE_promote-stage")),
    (
        "domino-sandbox",
        option_env!("CARGO_BIN_EXE_domino-sandbox"),
    ),
    (
        "domino-pipeline",
        option_env!("CARGO_BIN_EXE_domino-pipeline"),
    ),
];

/// What help says of one verb.
fn help(program: &str, verbs: &[String]) -> String {
    let output = Command::new(program)
        .args(verbs)
        .arg("--help")
        // The width of whose terminal it is makes no difference.
        .env("COLUMNS", "100")
        .env_remove("DOMINO_PACE")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{verbs:?}");
    assert!(output.stderr.is_empty(), "{verbs:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The verbs below, by the list that help gives of them.
fn verbs(text: &str) -> Vec<String> {
    let list = text
        .split_once("\nCommands:\n")
        .map_or("", |(_, list)| list);
    list.lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .map(str::to_owned)
        .collect()
}

/// A verb and everything below it.
fn told(name: &str, program: &str, path: Vec<String>, all: &mut String) {
    let text = help(program, &path);
    let words: Vec<&str> = [name]
        .into_iter()
        .chain(path.iter().map(String::as_str))
        .collect();
    *all += &format!("$ {} --help\n{text}\n", words.join(" "));
    for verb in verbs(&text) {
        told(name, program, [path.clone(), vec![verb]].concat(), all);
    }
}

#[test]
fn every_verb_is_told_as_it_was() {
    let ours = PROGRAMS
        .iter()
        .find_map(|(name, path)| Some((*name, (*path)?)));
    let (name, program) = ours.expect("a program of ours");
    let mut all = String::new();
    told(name, program, Vec::new(), &mut all);
    insta::assert_snapshot!(name.replace('-', "_"), all);
}
