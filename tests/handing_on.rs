//! What `cargo xtask` knows about the verbs before it has compiled them is what `domino-pipeline` itself says.

use std::process::Command;

#[path = "../xtask/src/verbs.rs"]
#[expect(
    dead_code,
    reason = "its help and its features are for `cargo xtask` alone"
)]
mod verbs;

#[test]
fn the_list_of_cargo_xtask_has_every_verb_with_its_own_words() {
    let help = Command::new(env!("CARGO_BIN_EXE_domino-pipeline"))
        .arg("--help")
        .env("COLUMNS", "200")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, list) = help.split_once("\nCommands:\n").unwrap();
    let told: Vec<String> = list
        .lines()
        .take_while(|line| !line.is_empty())
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.starts_with("help "))
        .collect();
    let known = verbs::VERBS.map(|verb| format!("{} {}", verb.name, verb.about));
    assert_eq!(told, known);
}
