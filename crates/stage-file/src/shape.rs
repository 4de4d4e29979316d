//! Whether a stage file contains only keys that exist, each of the right type, and none is missing.
//!
//! It compares the tables with `reference.rs`; it does not know the meaning of any key.

use toml::de::{DeTable, DeValue};

use super::found::Findings;
use super::reference::{FILE, Form, Key, Need, Section};
use super::text::{displayed, names_secret};
use super::tree::place;
use super::unknown_name::{listed, nearest};

/// Reports every key that is unknown, of the wrong type, or missing.
pub(super) fn check(findings: &mut Findings<'_>) {
    let tree = findings.tree;
    table(&FILE, tree.root(), &[], Presence::Required, findings);
}

/// Whether a table must hold what its section requires.
#[derive(Clone, Copy, PartialEq)]
enum Presence {
    Required,
    Optional,
}

fn table(
    section: &'static Section,
    table: &DeTable<'_>,
    path: &[&str],
    presence: Presence,
    findings: &mut Findings<'_>,
) {
    for (name, found) in table {
        let path = below(path, name.get_ref());
        match section.key(name.get_ref()) {
            Some(key) => value(key, found.get_ref(), &path, findings),
            None => unknown_key(section, &path, findings),
        }
    }
    if presence == Presence::Optional {
        return;
    }
    for key in section.keys.iter().filter(|key| key.need == Need::Required) {
        let path = below(path, key.name);
        // The lookup continues into `[defaults]`, so a stage lacks only what neither of them has.
        let empty = matches!(key.form, Form::Named(_)) && findings.tree.keys(&path).is_empty();
        if !findings.given(&path)
            || (empty && findings.tree.own(&path).is_some_and(DeValue::is_table))
        {
            missing_key(key, &path, findings);
        }
    }
}

fn below<'p>(path: &[&'p str], key: &'p str) -> Vec<&'p str> {
    path.iter().copied().chain([key]).collect()
}

fn unknown_key(section: &Section, path: &[&str], findings: &mut Findings<'_>) {
    let [above @ .., key] = path else { return };
    if names_secret(key) {
        let says = "would hold a secret, and a stage file never does; the programs read their credential from \
                    the secrets of the GitHub environment";
        return findings.error("secret", path, says);
    }
    let place = match above {
        [] => "at the top of the file".to_owned(),
        above => format!("in {}", place(above)),
    };
    let absent = match (path, *key) {
        (["job", ..], "bundle") => Some("no API of Domino's takes one for a run or a schedule"),
        (["job", ..], "api") => Some("one API of Domino's has all that runs and schedules need"),
        _ => None,
    };
    if let Some(why) = absent {
        let says = format!("unknown key `{key}` {place}: {why}");
        return findings.sentence("unknown-key", path, says);
    }
    let known = || section.keys.iter().map(|key| key.name);
    let hint = match nearest(key, known()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("the keys here are {}", listed(known())),
    };
    findings.sentence(
        "unknown-key",
        path,
        format!("unknown key {} {place}; {hint}", displayed(key)),
    );
}

fn missing_key(key: &Key, path: &[&str], findings: &mut Findings<'_>) {
    let message = match path {
        ["stage"] => "there is no stage; a file has at least one `[stage.<name>]`".to_owned(),
        ["stage", _, _] => {
            format!(
                "{} has no `{}`; add it there or in `[defaults]`",
                place(&path[..2]),
                key.name
            )
        }
        _ => format!("{} has no `{}`", place(&path[..path.len() - 1]), key.name),
    };
    findings.sentence("missing-key", path, message);
}

fn value(key: &Key, found: &DeValue<'_>, path: &[&str], findings: &mut Findings<'_>) {
    match (key.form, found) {
        (
            Form::Text | Form::TextOr(_) | Form::TextsOr(_) | Form::TextOrNumber,
            DeValue::String(_),
        ) => {}
        (Form::Flag, DeValue::Boolean(_)) => {}
        (Form::TextOrNumber, DeValue::Integer(_)) => {}
        (Form::TextOrNumber, DeValue::Float(_)) if super::table::whole_number(found).is_some() => {}
        (Form::Word(words), DeValue::String(text)) => word(words, text, path, findings),
        (Form::Number(least, most), DeValue::Integer(_) | DeValue::Float(_)) => {
            let number = super::table::whole_number(found);
            if number.is_none_or(|n| n < least.into() || n > most.into()) {
                findings.error(
                    "out-of-range",
                    path,
                    format!("must be a whole number from {least} to {most}"),
                );
            }
        }
        (Form::Texts | Form::TextsOr(_), DeValue::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                if item.get_ref().as_str().is_none() {
                    let index = index.to_string();
                    wrong_type(
                        "a list of strings",
                        Some(item.get_ref()),
                        &below(path, &index),
                        findings,
                    );
                }
            }
        }
        (Form::Variables, DeValue::Table(variables)) => {
            for (name, variable) in variables {
                if variable.get_ref().as_str().is_none() {
                    let path = below(path, name.get_ref());
                    wrong_type("a string", Some(variable.get_ref()), &path, findings);
                }
            }
        }
        (
            Form::Table(section) | Form::TextOr(section) | Form::TextsOr(section),
            DeValue::Table(found),
        ) => {
            table(section, found, path, Presence::Required, findings);
        }
        (Form::Defaults(section), DeValue::Table(found)) => {
            table(section, found, path, Presence::Optional, findings);
        }
        (Form::Named(section), DeValue::Table(named)) => {
            for (name, found) in named {
                let path = below(path, name.get_ref());
                match found.get_ref() {
                    DeValue::Table(found) => {
                        table(section, found, &path, Presence::Required, findings)
                    }
                    other => wrong_type("a table", Some(other), &path, findings),
                }
            }
        }
        (form, found) => wrong_type(expected(form), Some(found), path, findings),
    }
}

fn word(words: &[&str], text: &str, path: &[&str], findings: &mut Findings<'_>) {
    if words.contains(&text) {
        return;
    }
    let hint = nearest(text, words.iter().copied());
    let hint = hint
        .map(|word| format!("; did you mean `{word}`?"))
        .unwrap_or_default();
    findings.error(
        "unknown-word",
        path,
        format!(
            "must be one of {}, not {}{hint}",
            listed(words),
            displayed(text)
        ),
    );
}

fn expected(form: Form) -> &'static str {
    match form {
        Form::Text | Form::Word(_) => "a string",
        Form::Texts => "a list of strings",
        Form::Number(..) => "a whole number",
        Form::Flag => "`true` or `false`",
        Form::TextOrNumber => "a string or a whole number",
        Form::TextOr(_) => "a string or a table",
        Form::TextsOr(_) => "a string, a list of strings or a table",
        Form::Variables => "a table of strings",
        Form::Table(_) | Form::Defaults(_) | Form::Named(_) => "a table",
    }
}

fn wrong_type(
    expected: &str,
    found: Option<&DeValue<'_>>,
    path: &[&str],
    findings: &mut Findings<'_>,
) {
    let stands = found.map(described).unwrap_or_else(|| "nothing".into());
    findings.error(
        "wrong-type",
        path,
        format!("must be {expected}, and {stands} stands there"),
    );
}

/// A value by its type, and by itself if it is short.
fn described(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the string {}", displayed(text)),
        DeValue::Integer(number) => format!("the number {}", displayed(&number.to_string())),
        DeValue::Float(number) => format!("the number {}", displayed(number.as_str())),
        DeValue::Boolean(flag) => format!("`{flag}`"),
        DeValue::Datetime(date) => format!("the date or time {}", displayed(&date.to_string())),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::StageFile;

    fn told(text: &str) -> String {
        StageFile::read(text, Path::new("stages.toml"))
            .map(|_| String::new())
            .unwrap_or_else(|e| e.to_string())
    }

    #[test]
    fn an_unknown_key_is_named_with_the_nearest_known_one() {
        let stage = "host = \"a.example.com\"\nproject = \"a/b\"\nhardware-tier = \"t\"";
        assert_eq!(
            told(&format!("[stage.prod]\n{stage}\nhardware-teir = \"small\"")),
            "stages.toml:5: unknown key `hardware-teir` in `[stage.prod]`; did you mean `hardware-tier`?\n1 error"
        );
        assert_eq!(
            told(&format!("[jobs.train]\n[stage.prod]\n{stage}")),
            "stages.toml:1: unknown key `jobs` at the top of the file; did you mean `job`?\n1 error"
        );
        assert_eq!(
            told(&format!(
                "[stage.prod]\n{stage}\n[job.a]\ncommand = \"a\"\nschedule = {{ cron = \"0 0 6 * * ?\", colour = 1 }}"
            )),
            "stages.toml:7: unknown key `colour` in `schedule` in `[job.a]`; the keys here are `cron`, `timezone`, \
             `paused`, `concurrent`, `notify`\n1 error"
        );
    }

    #[test]
    fn a_missing_key_is_told_at_its_table_unless_the_defaults_have_it() {
        assert_eq!(
            told(
                "[stage.prod]\nhost = \"a.example.com\"\nhardware-tier = \"t\"\n[job.a]\nschedule = {}\n[app.b]\n"
            ),
            "stages.toml:1: `[stage.prod]` has no `project`; add it there or in `[defaults]`\n\
             stages.toml:4: `[job.a]` has no `command`\n\
             stages.toml:5: `schedule` in `[job.a]` has no `cron`\n\
             stages.toml:6: `[app.b]` has no `entry-point`\n\
             4 errors"
        );
        assert_eq!(
            told("[defaults]\nhost = \"a.example.com\"\nproject = \"a/b\"\n[stage.prod]"),
            ""
        );
    }

    #[test]
    fn a_file_without_a_stage_is_refused() {
        for text in ["", "# nothing", "[stage]", "[pipeline]\nbranch = \"main\""] {
            assert!(
                told(text).contains("there is no stage; a file has at least one `[stage.<name>]`"),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_wrong_type_is_told_with_what_was_expected_and_what_stands_there() {
        assert_eq!(
            told(
                "stage.dev = 4\n[pipeline]\nbranch = [\"main\"]\naccept = \"x\"\n[defaults]\nhost = true\nproject = \"a/b\"\n\
                  approvers = [1]\nwait-timer = \"5\"\nhardware-tier = 1\ngates = []"
            ),
            "stages.toml:1: `[stage.dev]` must be a table, and the number `4` stands there\n\
             stages.toml:3: `branch` in `[pipeline]` must be a string, and a list stands there\n\
             stages.toml:4: `accept` in `[pipeline]` must be a list of strings, and the string `x` stands there\n\
             stages.toml:6: `host` in `[defaults]` must be a string, and `true` stands there\n\
             stages.toml:8: `approvers` in `[defaults]` must be a list of strings, and the number `1` stands there\n\
             stages.toml:9: `wait-timer` in `[defaults]` must be a whole number, and the string `5` stands there\n\
             stages.toml:10: `hardware-tier` in `[defaults]` must be a string or a table, and the number `1` stands there\n\
             stages.toml:11: `[defaults.gates]` must be a table, and a list stands there\n\
             8 errors"
        );
    }

    #[test]
    fn a_date_is_the_text_that_it_is_and_a_number_without_a_fraction_is_whole() {
        let stage = "[stage.dev]\nhost = \"a.example.com\"\nproject = \"a/b\"\nhardware-tier = 2026-11-30\n";
        let read = |more: &str| {
            let text = format!("{stage}{more}");
            StageFile::read(&text, Path::new("stages.toml")).map_err(|error| error.to_string())
        };
        let file = read(
            "[job.a]\ncommand = \"a\"\ntitle = 2026-11-30 07:30:00\n[app.a]\nentry-point = \"a\"\nhealth-path = \"/\"\nhealth-status = 204.0\n\
             [model.a]\nregistered-model = \"a\"\nversion = 4.0",
        )
        .unwrap();
        assert_eq!(
            file.stages[0].hardware_tier.jobs.as_deref(),
            Some("2026-11-30")
        );
        assert_eq!(file.jobs[0].title, "2026-11-30 07:30:00");
        assert_eq!(file.apps[0].health_status, 204);
        assert!(
            read("[app.a]\nentry-point = \"a\"\nhealth-path = \"/\"\nhealth-status = 204.5")
                .unwrap_err()
                .contains("whole number")
        );
        assert!(
            read("[model.a]\nregistered-model = \"a\"\nversion = 4.5")
                .unwrap_err()
                .contains("a string or a whole number")
        );
    }

    #[test]
    fn a_value_that_looks_like_a_secret_is_not_repeated_where_another_type_belongs() {
        let key = "0123456789abcdef".repeat(4);
        let told = told(&format!(
            "[stage.dev]\nhost = \"a.example.com\"\nproject = \"a/b\"\nwait-timer = \"{key}\""
        ));
        assert!(
            told.contains("must be a whole number") && !told.contains(&key),
            "{told}"
        );
    }
}
