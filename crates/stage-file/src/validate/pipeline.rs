//! Rules on `[pipeline]`.

use super::rule::{Book, Report};
use crate::Install;
use crate::problem::Severity;
use crate::reference::{PIPELINE, Way, ways};
use crate::text::displayed;
use crate::unknown_name::{listed, nearest};

pub(super) fn branch(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| keys == ["pipeline", "branch"]) {
        if !is_branch(leaf.text) {
            report.leaf(
                leaf,
                format!(
                    "must be a name that git takes for a branch, not {}",
                    displayed(leaf.text)
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
    let is_label = |keys: &[&str]| {
        matches!(
            keys,
            ["pipeline" | "defaults", "runner"]
                | ["pipeline" | "defaults", "runner", "labels"]
                | ["stage", _, "runner"]
                | ["stage", _, "runner", "labels"]
        )
    };
    for leaf in book.texts(is_label) {
        if !is_plain_word(leaf.text) {
            report.leaf(
                leaf,
                format!(
                    "must be a label such as `ubuntu-24.04`, or a list of labels, not {}",
                    displayed(leaf.text)
                ),
            );
        }
    }
    let stages = book.file.stages.iter();
    let of_stages = stages
        .filter_map(|stage| Some((["stage", &stage.name, "runner"], stage.runner.as_ref()?)))
        .map(|(path, runner)| (path.to_vec(), runner));
    for (path, runner) in
        std::iter::once((vec!["pipeline", "runner"], &book.file.pipeline.runner)).chain(of_stages)
    {
        if runner.labels.is_empty() && runner.group.is_none() {
            report.at(&path, "names no label");
        }
    }
}

/// As a stage file writes it.
fn word(install: Install) -> &'static str {
    match install {
        Install::Build => "build",
        Install::Release => "release",
        Install::Pip => "pip",
    }
}

pub(super) fn release(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let install = book.file.pipeline.install;
    let chosen = word(install);
    let words = |way: &Way| way.chosen_by.map_or("", |(_, word)| word);
    let all = ways(&PIPELINE);
    for way in all.iter().filter(|way| words(way) == chosen) {
        for key in way.needs.iter().filter(|key| !book.has(&["pipeline", key])) {
            report.at(
                &["pipeline", "install"],
                format!("is `{chosen}`, which needs a `{key}`"),
            );
        }
        for key in way
            .without
            .iter()
            .filter(|key| book.has(&["pipeline", key]))
        {
            let effective: Vec<String> = all
                .iter()
                .filter(|way| !way.without.contains(key))
                .map(|way| format!("`{}`", words(way)))
                .collect();
            report.at(
                &["pipeline", key],
                format!(
                    "has no effect unless `install` is {}",
                    effective.join(" or ")
                ),
            );
        }
    }
    for leaf in book.texts(|keys| keys == ["pipeline", "release"]) {
        if !is_plain_word(leaf.text) {
            report.leaf(
                leaf,
                format!(
                    "must be the tag of a release such as `v1.2.0`, not {}",
                    displayed(leaf.text)
                ),
            );
        } else if install == Install::Pip && !is_version(leaf.text) {
            report.leaf(
                leaf,
                format!(
                    "must be `v` and the version of the wheel such as `v1.2.0`, not {}",
                    displayed(leaf.text)
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
                    displayed(leaf.text)
                ),
            );
        }
    }
}

/// Whether GitHub accepts a text, in capital letters, as the name of a secret or a variable.
pub(super) fn is_github_name(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.chars().all(legal)
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.starts_with("GITHUB_")
}

pub(super) fn release_token_secret(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| keys == ["pipeline", "release-token-secret"]) {
        if !is_github_name(leaf.text) {
            report.leaf(
                leaf,
                format!(
                    "must be the name of a GitHub secret such as `RELEASE_TOKEN`, in capital letters, not {}",
                    displayed(leaf.text)
                ),
            );
        }
    }
}

pub(super) fn wheel(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let path = ["pipeline", "wheel-sha256"];
    if book.has(&path) && book.file.pipeline.wheel_sha256.is_empty() {
        report.at(&path, "must name the SHA-256 of a wheel");
    }
    let mut seen = Vec::new();
    for leaf in book.texts(|keys| keys == path) {
        let digits = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if leaf.text.starts_with("sha256:") {
            report.leaf(
                leaf,
                "names a SHA-256 with its kind; leave out the `sha256:`",
            );
        } else if leaf.text.len() != 64 || !leaf.text.chars().all(digits) {
            report.leaf(
                leaf,
                format!(
                    "names {}, which is no SHA-256 of 64 hexadecimal digits in small letters",
                    displayed(leaf.text)
                ),
            );
        } else if seen.contains(&leaf.text) {
            report.leaf(leaf, "names a SHA-256 twice");
        }
        seen.push(leaf.text);
    }
}

pub(super) fn together(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let pipeline = &book.file.pipeline;
    if pipeline.together && !pipeline.side_by_side {
        report.at(
            &["pipeline", "together"],
            "has no effect with `side-by-side = false`: the first failure ends the stage, and with it the run",
        );
    }
}

pub(super) fn accept(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let warnings = || {
        book.rules
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
            format!(
                "names {}, which is no warning; {hint}",
                displayed(leaf.text)
            ),
        );
    }
}

/// A tag whose part after the `v` is a version for an installer of Python packages.
fn is_version(text: &str) -> bool {
    let version = text.strip_prefix('v').unwrap_or_default();
    version.starts_with(|c: char| c.is_ascii_digit())
        && version
            .chars()
            .all(|c| c.is_ascii_digit() || c.is_ascii_lowercase() || ".-".contains(c))
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
    use super::super::tests::{with, with_prod};

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
    fn a_runner_has_labels_or_a_group() {
        for runner in [
            "\"self-hosted\"",
            "[\"self-hosted\", \"linux\"]",
            "{ group = \"Large runners\" }",
            "{ group = \"large\", labels = [\"x64\"] }",
        ] {
            assert_eq!(pipeline(&format!("runner = {runner}")), [""; 0], "{runner}");
            assert_eq!(
                with_prod(&format!("runner = {runner}")),
                [""; 0],
                "{runner}"
            );
        }
        assert_eq!(
            with_prod("runner = []"),
            ["`runner` in `[stage.prod]` names no label"]
        );
        assert_eq!(
            with_prod("runner = { group = \"large\", labels = [\"a b\"] }"),
            [
                "`runner.labels` in `[stage.prod]` must be a label such as `ubuntu-24.04`, or a list of labels, not `a b`"
            ]
        );
        assert_eq!(
            pipeline("runner = \"[self-hosted, gpu]\""),
            [
                "`runner` in `[pipeline]` must be a label such as `ubuntu-24.04`, or a list of labels, not `[self-hosted, gpu]`"
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
            ["`release` in `[pipeline]` has no effect unless `install` is `release` or `pip`"]
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
    fn a_wheel_is_pinned_by_its_version_and_hashes() {
        let hash = "0123456789abcdef".repeat(4);
        let pip = |keys: &str| pipeline(&format!("install = \"pip\"\n{keys}"));
        assert_eq!(
            pip(&format!(
                "release = \"v1.2.0\"\nwheel-sha256 = [\"{hash}\"]"
            )),
            [""; 0]
        );
        assert_eq!(
            pip("release-repository = \"example/domino\""),
            [
                "`install` in `[pipeline]` is `pip`, which needs a `release`",
                "`install` in `[pipeline]` is `pip`, which needs a `wheel-sha256`",
                "`release-repository` in `[pipeline]` has no effect unless `install` is `release`",
            ]
        );
        assert_eq!(
            pip(&format!("release = \"latest\"\nwheel-sha256 = [\"{hash}\", \"{hash}\", \"sha256:{hash}\", \"{}\"]", &hash[1..])),
            [
                "`release` in `[pipeline]` must be `v` and the version of the wheel such as `v1.2.0`, not `latest`".to_owned(),
                "`wheel-sha256` in `[pipeline]` names a SHA-256 twice".to_owned(),
                "`wheel-sha256` in `[pipeline]` names a SHA-256 with its kind; leave out the `sha256:`".to_owned(),
                format!("`wheel-sha256` in `[pipeline]` names `{}…`, which is no SHA-256 of 64 hexadecimal digits in small letters", &hash[1..61]),
            ]
        );
        assert_eq!(
            pip("release = \"v1.2.0\"\nwheel-sha256 = []"),
            ["`wheel-sha256` in `[pipeline]` must name the SHA-256 of a wheel"]
        );
    }

    #[test]
    fn the_token_of_a_private_release_is_named_and_never_written() {
        let secret = |name: &str| {
            pipeline(&format!(
                "install = \"release\"\nrelease = \"v1.2.0\"\nrelease-repository = \"a/b\"\nrelease-token-secret = \"{name}\""
            ))
        };
        assert_eq!(secret("RELEASE_TOKEN_2"), [""; 0]);
        for name in ["release-token", "GITHUB_TOKEN", "2ND", "A B"] {
            assert_eq!(
                secret(name),
                [format!(
                    "`release-token-secret` in `[pipeline]` must be the name of a GitHub secret such as `RELEASE_TOKEN`, in capital letters, not `{name}`"
                )]
            );
        }
    }

    #[test]
    fn only_warnings_are_accepted_and_by_their_right_names() {
        assert_eq!(
            pipeline("accept = [\"shared-teir\", \"secret\"]"),
            [
                "`accept` in `[pipeline]` names `shared-teir`, which is no warning; did you mean `shared-tier`?",
                "`accept` in `[pipeline]` names `secret`, which is no warning; the warnings are `no-approvers`, `shared-model-stage`, \
                 `no-tier`, `shared-tier`, `never-fires`, `rare-schedule`, `numbered-weekday`, `time-zone-alias`, `clock-change`, `toml-version`"
            ]
        );
    }
}
