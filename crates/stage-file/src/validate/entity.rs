//! Rules that hold for more than one kind of entity, and those of apps.

use std::collections::BTreeMap;

use super::rule::{Book, Report};
use crate::text::displayed;

pub(super) fn path(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let paths = book.texts(|keys| {
        matches!(
            keys,
            ["app", _, "entry-point"]
                | ["app", _, "thumbnail"]
                | ["model", _, "file" | "smoke-test"]
                | ["pipeline", "paths"]
                | [.., "gates", "evidence", "report"]
                | ["job" | "app" | "model", _, "paths"]
        )
    });
    for leaf in paths {
        // A folder whose every file counts ends with a slash.
        let text = match leaf.keys.last() {
            Some(&"paths") => leaf.text.strip_suffix('/').unwrap_or(leaf.text),
            _ => leaf.text,
        };
        let legal = |c: char| c.is_alphanumeric() || "._-+@=,!%~/".contains(c);
        let part = |part: &str| !matches!(part, "" | "." | "..");
        if text.starts_with('/') || text.starts_with('~') || text.get(1..2) == Some(":") {
            report.leaf(
                leaf,
                match leaf.keys.last() {
                    Some(&"report") => "must be a folder from the top of the project's own files",
                    _ => "must be a path from the top of the repository, not from that of the machine",
                },
            );
        } else if text.split('/').any(|part| part == "..") {
            report.leaf(leaf, "must stay inside the repository, without `..`");
        } else if !text.chars().all(legal) || !text.split('/').all(part) {
            let says = "must be a path of plain characters between single slashes, without blanks and without what a shell would take";
            report.leaf(leaf, format!("{says}, not {}", displayed(leaf.text)));
        }
    }
}

pub(super) fn health(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| matches!(keys, ["app", _, "health-path"])) {
        let climbs = leaf.text.split(['/', '?', '#']).any(|part| part == "..");
        let outside = |c: char| c.is_whitespace() || c == '\\' || c == '#';
        // Two slashes at the start would name another host, and the request carries a credential.
        if !leaf.text.starts_with('/')
            || leaf.text.starts_with("//")
            || climbs
            || leaf.text.contains(outside)
        {
            report.leaf(
                leaf,
                format!(
                    "must be a path below the app's URL that begins with one `/`, not {}",
                    displayed(leaf.text)
                ),
            );
        }
    }
    for app in &book.file.apps {
        let at = |key| ["app", app.name.as_str(), key];
        if book.has(&at("health-status")) && !book.has(&at("health-path")) {
            report.at(
                &at("health-status"),
                "has no effect without a `health-path`",
            );
        }
    }
}

/// Names in Domino are compared exactly, as an app is found by its exact name.
pub(super) fn duplicate_app(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let mut earlier = BTreeMap::new();
    for app in &book.file.apps {
        for stage in &book.file.stages {
            let name = book.file.app_name(app, stage);
            let place = (stage.host.as_str(), stage.project.to_string());
            let by = (app.name.as_str(), stage.name.as_str());
            let Some((other_app, other_stage)) = earlier.insert((place, name.clone()), by) else {
                continue;
            };
            report.sentence(
                &["app", &app.name, "stage", &stage.name, "name"],
                format!(
                    "app `{}` in stage `{}` and app `{other_app}` in stage `{other_stage}` would both be app {} of \
                     project `{}`; give one of them another `name`",
                    app.name, stage.name, displayed(&name), stage.project
                ),
            );
        }
    }
}

pub(super) fn environment_variable(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for name in book.tree.names("model") {
        let own = vec!["model", name, "environment-variables"];
        let stages = book.tree.keys(&["model", name, "stage"]).into_iter();
        let in_stages =
            stages.map(|stage| vec!["model", name, "stage", stage, "environment-variables"]);
        for table in [own].into_iter().chain(in_stages) {
            for variable in book.tree.keys(&table) {
                let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let begins = variable.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
                if !begins || !variable.chars().all(legal) || variable.len() > 255 {
                    let path: Vec<&str> = table.iter().copied().chain([variable]).collect();
                    report.at(&path, "must be the name of a variable: letters, digits and `_`, not a digit first");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::with;

    fn entry_point(path: &str) -> Vec<String> {
        with(&format!("[app.a]\nentry-point = '{path}'"))
    }

    #[test]
    fn a_file_lies_inside_the_repository() {
        for right in [
            "app.sh",
            "src/project/apps/app.sh",
            "a+b/é.sh",
            ".hidden/app.sh",
        ] {
            assert_eq!(entry_point(right), [""; 0]);
        }
        for wrong in ["/etc/passwd", "~/app.sh", "C:/app.sh"] {
            assert_eq!(
                entry_point(wrong),
                [
                    "`entry-point` in `[app.a]` must be a path from the top of the repository, not from that of the machine"
                ]
            );
        }
        for wrong in ["../app.sh", "src/../../app.sh", ".."] {
            assert_eq!(
                entry_point(wrong),
                ["`entry-point` in `[app.a]` must stay inside the repository, without `..`"]
            );
        }
        for wrong in [
            "a b.sh",
            "a;b.sh",
            "./app.sh",
            "a//b.sh",
            "a/",
            "a\\b.sh",
            "$HOME/app.sh",
        ] {
            assert_eq!(entry_point(wrong).len(), 1, "{wrong}");
        }
        assert_eq!(with("smoke-test = \"../smoke.jsonl\"").len(), 1);
    }

    #[test]
    fn a_health_check_has_a_path_of_the_apps_own() {
        let path = |path: &str| {
            with(&format!(
                "[app.a]\nentry-point = \"a.sh\"\nhealth-path = '{path}'"
            ))
        };
        assert_eq!(path("/"), [""; 0]);
        assert_eq!(path("/healthz?full=1"), [""; 0]);
        for wrong in [
            "healthz",
            "//evil.example.com/",
            "/../admin",
            "/a b",
            "/a\\b",
            "https://example.com/",
        ] {
            assert_eq!(
                path(wrong),
                [format!(
                    "`health-path` in `[app.a]` must be a path below the app's URL that begins with one `/`, not `{wrong}`"
                )]
            );
        }
    }

    #[test]
    fn a_health_status_is_an_http_status_and_needs_a_path() {
        assert_eq!(
            with("[app.a]\nentry-point = \"a.sh\"\nhealth-status = 204"),
            ["`health-status` in `[app.a]` has no effect without a `health-path`"]
        );
        assert_eq!(
            with("[app.a]\nentry-point = \"a.sh\"\nhealth-path = \"/\"\nhealth-status = 99"),
            ["`health-status` in `[app.a]` must be a whole number from 100 to 599"]
        );
    }

    #[test]
    fn two_stages_of_one_project_do_not_publish_to_one_app() {
        let named = |dev: &str, prod: &str| {
            with(&format!(
                "[app.a]\nentry-point = \"a.sh\"\n[app.a.stage.dev]\nname = \"{dev}\"\n\
                 [app.a.stage.prod]\nname = \"{prod}\""
            ))
        };
        assert_eq!(named("Wine dashboard (dev)", "Wine dashboard"), [""; 0]);
        assert_eq!(
            named("dashboard", "dashboard"),
            [
                "app `a` in stage `prod` and app `a` in stage `dev` would both be app `dashboard` of project \
                 `wine-team/wine-quality`; give one of them another `name`"
            ]
        );
        assert_eq!(named("a-prod", "a").len(), 0);
        assert_eq!(
            with("[job.a]\ncommand = \"a.py\"\n[job.a.stage.prod]\nname = \"a\"").len(),
            1,
            "a job has no name of its own in a stage"
        );
    }

    #[test]
    fn an_environment_variable_has_a_name_that_a_shell_takes() {
        assert_eq!(
            with("environment-variables = { LOG_LEVEL = \"info\", _x1 = \"a\" }"),
            [""; 0]
        );
        assert_eq!(
            with("environment-variables = { \"LOG-LEVEL\" = \"info\" }"),
            [
                "`environment-variables.LOG-LEVEL` in `[model.registered]` must be the name of a variable: letters, \
              digits and `_`, not a digit first"
            ]
        );
        assert_eq!(
            with("[model.registered.stage.prod]\nenvironment-variables = { 1A = \"info\" }").len(),
            1,
            "those of one stage are looked at too"
        );
    }
}
