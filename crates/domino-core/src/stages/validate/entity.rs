//! Rules that hold for more than one kind of entity, and those of apps.

use super::{Book, Report};
use crate::stages::text::shown;

pub(super) fn path(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let paths = book.texts(|keys| {
        matches!(
            keys,
            ["app", _, "entry-point"] | ["model", _, "file" | "smoke-test"]
        )
    });
    for leaf in paths {
        let legal = |c: char| c.is_alphanumeric() || "._-+@=,!%~/".contains(c);
        let part = |part: &str| !matches!(part, "" | "." | "..");
        if leaf.text.starts_with('/')
            || leaf.text.starts_with('~')
            || leaf.text.get(1..2) == Some(":")
        {
            report.leaf(
                leaf,
                "must be a path from the top of the repository, not from that of the machine",
            );
        } else if leaf.text.split('/').any(|part| part == "..") {
            report.leaf(leaf, "must stay inside the repository, without `..`");
        } else if !leaf.text.chars().all(legal) || !leaf.text.split('/').all(part) {
            let says = "must be a path of plain characters between single slashes, without blanks and without what a shell would take";
            report.leaf(leaf, format!("{says}, not {}", shown(leaf.text)));
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
                    shown(leaf.text)
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
