//! The command line of each program, as `--help` shows it: every verb and flag explained, a typing mistake named, and
//! no place for a secret.
//!
//! This file is a test of each of the four programs, so that a new flag is checked wherever it is added.

use std::process::{Command, Output};

/// The program whose test this is, and the noun it is about.
const PROGRAMS: [(Option<&str>, &str); 4] = [
    (option_env!("CARGO_BIN_EXE_deploy-job"), "job"),
    (option_env!("CARGO_BIN_EXE_deploy-app"), "app"),
    (option_env!("CARGO_BIN_EXE_deploy-model"), "model endpoint"),
    (option_env!("CARGO_BIN_EXE_promote-stage"), "model"),
];
/// A credential that is in the environment while help is asked for.
const CANARY: &str = "canary-in-the-environment";

fn program() -> (&'static str, &'static str) {
    let found = PROGRAMS
        .iter()
        .find_map(|(path, noun)| Some(((*path)?, *noun)));
    found.expect("a program of ours")
}

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(program().0);
    for name in [
        "DOMINO_TOKEN",
        "DOMINO_TOKEN_FILE",
        "DOMINO_USER_API_KEY",
        "DOMINO_MODEL_TOKEN",
        "GITHUB_TOKEN",
    ] {
        command.env(name, CANARY);
    }
    command.args(arguments).output().unwrap()
}

#[track_caller]
fn help(arguments: &[&str]) -> String {
    let output = run(&[arguments, &["--help"]].concat());
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    assert!(output.stderr.is_empty());
    String::from_utf8(output.stdout).unwrap()
}

/// The verbs that help lists, each with its explanation.
fn verbs() -> Vec<(String, String)> {
    let text = help(&[]);
    let (_, list) = text.split_once("Commands:\n").expect("a list of verbs");
    let verbs: Vec<(String, String)> = list
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.trim().split_once("  "))
        .map(|(verb, about)| (verb.to_owned(), about.trim().to_owned()))
        .filter(|(verb, _)| verb != "help")
        .collect();
    assert!(verbs.len() > 2, "{text}");
    verbs
}

/// The options of a help text by their names, each with what it says of them.
fn options(text: &str) -> Vec<(String, String)> {
    let mut options: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let words = line.trim();
        let option = (line.starts_with("  ") && words.starts_with('-'))
            .then(|| words.split([' ', ',']).find(|word| word.starts_with("--")))
            .flatten();
        if let Some(name) = option {
            let about = words.split_once("  ").map_or("", |(_, about)| about.trim());
            options.push((name.to_owned(), about.to_owned()));
        } else if line.starts_with("          ")
            && let Some((_, about)) = options.last_mut()
        {
            about.push_str(words);
        }
    }
    assert!(!options.is_empty(), "{text}");
    options
}

#[test]
fn help_is_about_this_program_and_no_other() {
    let (_, noun) = program();
    let text = help(&[]);
    let about = text.lines().next().unwrap_or_default();
    let plain = noun.split(' ').next().unwrap_or_default();
    assert!(about.contains(plain), "{about}");
    for other in ["job", "app", "model"] {
        assert!(other == plain || !about.contains(other), "{about}");
    }
    assert!(text.contains("Exit codes:"), "{text}");
    for (verb, about) in verbs() {
        assert!(help(&[&verb]).starts_with(&about), "{verb}");
    }
}

#[test]
fn every_verb_and_every_option_says_what_it_does() {
    for (verb, about) in verbs() {
        assert!(about.len() > 10, "{verb}: {about}");
        for (option, about) in options(&help(&[&verb])) {
            assert!(about.len() > 5, "{verb} {option}: `{about}`");
        }
    }
}

#[test]
fn what_every_program_knows_is_known_to_every_verb() {
    for (verb, _) in verbs() {
        let text = help(&[&verb]);
        let options = options(&text);
        let has = |name: &str| options.iter().any(|(option, _)| option == name);
        assert!(has("--stage") || has("--to"), "{verb}: {text}");
        for name in ["--format", "--verbose", "--ca-file", "--request-timeout"] {
            assert!(has(name), "{verb} {name}: {text}");
        }
    }
}

#[test]
fn no_option_takes_a_secret_and_help_shows_none() {
    for (verb, _) in verbs() {
        let text = help(&[&verb]);
        assert!(!text.contains(CANARY), "{verb}: {text}");
        for (option, _) in options(&text) {
            let secret = ["token", "key", "secret", "password", "credential"];
            let named = secret.iter().any(|word| option.contains(word));
            // A secret in a file is not in the argument.
            let is_file = text.contains(&format!("{option} <FILE>"));
            assert!(!named || is_file, "{verb} {option}");
        }
        // What is refused must not be repeated by way of its environment either.
        let output = run(&[verb.as_str(), "--token", "abc"]);
        assert_eq!(output.status.code(), Some(2), "{verb}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains(CANARY));
    }
}

#[test]
fn a_misspelt_verb_or_option_exits_2_with_the_one_that_was_meant() {
    let told = |arguments: &[&str]| {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for (verb, _) in verbs() {
        let mut letters: Vec<char> = verb.chars().collect();
        let last = letters.len() - 1;
        letters.swap(last - 1, last);
        let slip: String = letters.into_iter().collect();
        let text = told(&[&slip, "x"]);
        assert!(text.contains(&format!("'{verb}'")), "{slip}: {text}");
        let text = told(&[&verb, "--formt", "json"]);
        assert!(text.contains("'--format'"), "{text}");
    }
    told(&[]);
    told(&["help-me"]);
}
