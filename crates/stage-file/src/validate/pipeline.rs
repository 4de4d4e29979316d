//! Rules on `[pipeline]`.

use super::{Book, RULES, Report};
use crate::Install;
use crate::problem::Severity;
use crate::text::shown;
use crate::unknown_name::{listed, nearest};

pub(super) fn branch(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| keys == ["pipeline", "branch"]) {
        if !is_branch(leaf.text) {
            report.leaf(
                leaf,
                format!(
                    "must be a name that git takes for a branch, not {}",
                    shown(leaf.text)
                ),
            );
        }
    }
}

/// Git's own rules for the name of a branch.
fn is_branch(text: &str) -> bool {
    let legal = |c: char| !c.is_whitespace() && !c.is_control() && !"~^:?*[\\".contains(c);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    let whole = !text.contains("..") && !text.contains("@{") && !text.ends_with('.');
    text.len() <= 200
        && text.chars().all(legal)
        && text.split('/').all(part)
        && whole
        && !matches!(text, "@" | "HEAD")
}

pub(super) fn runner(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| keys == ["pipeline", "runner"]) {
        if !is_plain_word(leaf.text) {
            report.leaf(
                leaf,
                format!(
                    "must be one label such as `ubuntu-24.04`, not {}",
                    shown(leaf.text)
                ),
            );
        }
    }
}

pub(super) fn release(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for key in ["release", "release-repository"] {
        let given = book.has(&["pipeline", key]);
        match book.file.pipeline.install {
            Install::Release if !given => {
                report.at(
                    &["pipeline", "install"],
                    format!("is `release`, which needs a `{key}`"),
                );
            }
            Install::Build if given => {
                report.at(
                    &["pipeline", key],
                    "has no effect unless `install` is `release`",
                );
            }
            _ => {}
        }
    }
    for leaf in book.texts(|keys| keys == ["pipeline", "release"]) {
        if !is_plain_word(leaf.text) {
            report.leaf(
                leaf,
                format!(
                    "must be the tag of a release such as `v1.2.0`, not {}",
                    shown(leaf.text)
                ),
            );
        }
    }
    for leaf in book.texts(|keys| keys == ["pipeline", "release-repository"]) {
        let parts: Vec<&str> = leaf.text.split('/').collect();
        if parts.len() != 2 || !parts.into_iter().all(is_plain_word) {
            report.leaf(
                leaf,
                format!(
                    "must be a GitHub repository, `owner/name`, not {}",
                    shown(leaf.text)
                ),
            );
        }
    }
}

pub(super) fn accept(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let warnings = || {
        RULES
            .iter()
            .filter(|rule| rule.severity == Severity::Warning)
            .map(|rule| rule.name)
    };
    for leaf in book.texts(|keys| keys == ["pipeline", "accept"]) {
        if warnings().any(|name| name == leaf.text) {
            continue;
        }
        let hint = match nearest(leaf.text, warnings()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("the warnings are {}", listed(warnings())),
        };
        report.leaf(
            leaf,
            format!("names {}, which is no warning; {hint}", shown(leaf.text)),
        );
    }
}

/// A word that is the same in a URL, a shell and YAML.
fn is_plain_word(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(legal)
        && text.len() <= 100
}

#[cfg(test)]
mod tests {
    use super::super::tests::with;

    fn pipeline(keys: &str) -> Vec<String> {
        with(&format!("[pipeline]\n{keys}"))
    }

    #[test]
    fn a_branch_is_one_that_git_takes() {
        for branch in ["main", "release/2026.11", "feature/c++#1"] {
            assert_eq!(pipeline(&format!("branch = \"{branch}\"")), [""; 0]);
        }
        for branch in [
            "a b", "a..b", "/a", "a/", "a.lock", "a*", "refs/.a", "@", "a^",
        ] {
            let says = format!(
                "`branch` in `[pipeline]` must be a name that git takes for a branch, not `{branch}`"
            );
            assert_eq!(pipeline(&format!("branch = \"{branch}\"")), [says]);
        }
    }

    #[test]
    fn a_runner_is_one_label() {
        assert_eq!(
            pipeline("runner = \"[self-hosted, gpu]\""),
            [
                "`runner` in `[pipeline]` must be one label such as `ubuntu-24.04`, not `[self-hosted, gpu]`"
            ]
        );
    }

    #[test]
    fn a_release_is_named_with_its_repository_and_only_when_it_is_installed() {
        assert_eq!(
            pipeline("install = \"release\""),
            [
                "`install` in `[pipeline]` is `release`, which needs a `release`",
                "`install` in `[pipeline]` is `release`, which needs a `release-repository`"
            ]
        );
        assert_eq!(
            pipeline("release = \"v1.2.0\""),
            ["`release` in `[pipeline]` has no effect unless `install` is `release`"]
        );
        let release = |release: &str, repository: &str| {
            pipeline(&format!(
                "install = \"release\"\nrelease = \"{release}\"\nrelease-repository = \"{repository}\""
            ))
        };
        assert_eq!(release("v1.2.0", "example/domino"), [""; 0]);
        assert_eq!(
            release("v1/2", "example"),
            [
                "`release` in `[pipeline]` must be the tag of a release such as `v1.2.0`, not `v1/2`",
                "`release-repository` in `[pipeline]` must be a GitHub repository, `owner/name`, not `example`"
            ]
        );
    }

    #[test]
    fn only_warnings_are_accepted_and_by_their_right_names() {
        assert_eq!(
            pipeline("accept = [\"shared-teir\", \"secret\"]"),
            [
                "`accept` in `[pipeline]` names `shared-teir`, which is no warning; did you mean `shared-tier`?",
                "`accept` in `[pipeline]` names `secret`, which is no warning; the warnings are `shared-model-stage`, \
                 `no-tier`, `shared-tier`, `never-fires`, `rare-schedule`, `numbered-weekday`"
            ]
        );
    }
}
