//! Rules that hold for every value of the file, whatever its key.

use super::rule::{Book, Report};
use crate::reference::{Form, form_of};
use crate::text::{bare, displayed, is_invisible, looks_secret, names_secret};
use crate::tree::Leaf;

/// Texts for people or for the endpoint's own program, which may be any readable text.
fn is_free(leaf: &Leaf<'_>) -> bool {
    is_variable(leaf) || leaf.keys.last() == Some(&"description")
}

fn is_variable(leaf: &Leaf<'_>) -> bool {
    leaf.keys.iter().rev().nth(1) == Some(&"environment-variables")
}

pub(super) fn blank(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.leaves.iter().filter(|leaf| !is_free(leaf)) {
        if leaf.text.trim().is_empty() {
            report.leaf(leaf, "is empty");
        } else if leaf.text.trim_matches(' ') != leaf.text {
            report.leaf(
                leaf,
                format!("has a blank at its start or end: {}", displayed(leaf.text)),
            );
        }
    }
}

/// What people write for a value that is still to be filled in.
const FOR_LATER: [&str; 16] = [
    "todo",
    "tbd",
    "tba",
    "fixme",
    "nill",
    "nil",
    "none",
    "n/a",
    "changeme",
    "change-me",
    "change_me",
    "replaceme",
    "replace-me",
    "replace_me",
    "placeholder",
    "...",
];

pub(super) fn placeholder(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in &book.leaves {
        // `none` is one of the words of `domino-approval`, and of the level of many a log.
        let may_be_none = is_variable(leaf) || matches!(form_of(&leaf.keys), Some(Form::Word(_)));
        // In a command `<in>` is a file and `{{ ds }}` is filled in elsewhere; a text for people may contain both.
        let is_free = is_free(leaf) || matches!(leaf.keys.last(), Some(&("command" | "title")));
        let owned = matches!(leaf.keys.last(), Some(&("project" | "release-repository")));
        let for_later = |text: &str| {
            let text = bare(text);
            let nothing = matches!(&*text, "nil" | "none");
            let crosses = text.len() >= 3 && text.chars().all(|c| c == 'x' || c == '?');
            let begun = text
                .strip_prefix("todo")
                .is_some_and(|rest| rest.starts_with([' ', ':']));
            let yours = text.starts_with("your-") || text.starts_with("your_");
            crosses || begun || yours || (FOR_LATER.contains(&&*text) && !(nothing && may_be_none))
        };
        let part = |text: &str| owned && text.split('/').any(for_later);
        if for_later(leaf.text)
            || part(leaf.text)
            || has_blank_to_fill(leaf.text, is_free, for_later)
        {
            report.leaf(
                leaf,
                format!("is still a placeholder: {}", displayed(leaf.text)),
            );
        }
    }
}

/// Whether the text has a `<name>` or a `{{ name }}` to be filled in: in a free text a word for that, such as
/// `<TODO>`, elsewhere any name.
fn has_blank_to_fill(text: &str, is_free: bool, for_later: impl Fn(&str) -> bool) -> bool {
    let to_fill = |inside: &str| {
        let is_name = !inside.is_empty()
            && inside.trim() == inside
            && inside
                .chars()
                .all(|c| c.is_alphanumeric() || " _-.".contains(c));
        is_name && (!is_free || for_later(inside))
    };
    let angled = text.match_indices('<').any(|(start, _)| {
        let rest = &text[start + 1..];
        rest.find('>').is_some_and(|end| to_fill(&rest[..end]))
    });
    let doubled = text.match_indices("{{").any(|(start, _)| {
        let expression = text[..start].ends_with('$');
        let rest = &text[start + 2..];
        !expression
            && rest
                .find("}}")
                .is_some_and(|end| to_fill(rest[..end].trim()))
    });
    angled || doubled
}

pub(super) fn secret(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in &book.leaves {
        if is_variable(leaf) && leaf.keys.last().is_some_and(|name| names_secret(name)) {
            report.leaf(leaf, "is named like a secret, and Domino shows environment variables to everybody; never secrets here");
        } else if looks_secret(leaf.text) && !is_checksum(leaf) {
            report.leaf(
                leaf,
                "looks like a secret; a stage file never holds one, so revoke it if it is one",
            );
        }
    }
}

/// A checksum has as many digits as a key of Domino's.
fn is_checksum(leaf: &Leaf<'_>) -> bool {
    leaf.keys == ["pipeline", "wheel-sha256"]
}

pub(super) fn unsafe_text(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in &book.leaves {
        if leaf.text.contains("${{") {
            report.leaf(
                leaf,
                "holds `${{`, which GitHub would take for an expression",
            );
        }
        // Persian text and many emoji contain joiners.
        let broken = |c: char| is_free(leaf) && matches!(c, '\n' | '\t' | '\u{200c}' | '\u{200d}');
        match leaf.text.chars().find(|c| is_invisible(*c) && !broken(*c)) {
            Some('\n' | '\r') => report.leaf(leaf, "holds a line break"),
            Some(other) => report.leaf(
                leaf,
                format!(
                    "holds the character U+{:04X}, which cannot be seen",
                    u32::from(other)
                ),
            ),
            None => {}
        }
    }
}

pub(super) fn leading_dash(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let sentence = |leaf: &Leaf<'_>| leaf.keys.last() == Some(&"metric-rules");
    for leaf in book
        .leaves
        .iter()
        .filter(|leaf| !is_free(leaf) && !sentence(leaf))
    {
        if leaf.text.starts_with('-') {
            report.leaf(
                leaf,
                "begins with `-`, which a program would take for an option",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{with, with_defaults, with_prod};

    #[test]
    fn an_empty_value_and_one_with_blanks_around_it_are_refused() {
        assert_eq!(
            with_prod("data-plane = \"\""),
            ["`data-plane` in `[stage.prod]` is empty"]
        );
        assert_eq!(
            with_prod("data-plane = \" plane\""),
            ["`data-plane` in `[stage.prod]` has a blank at its start or end: ` plane`"]
        );
        assert_eq!(
            with("[app.a]\nentry-point = \"a.sh\"\ndescription = \"\""),
            [""; 0]
        );
    }

    #[test]
    fn a_value_that_is_left_for_later_is_named_once_whatever_it_stands_for() {
        for value in [
            "<TODO>",
            "TODO",
            "todo: ask",
            "nill",
            "None",
            "changeme",
            "xxx",
            "<owner>/wine",
            "your-team/wine",
            "wine-team/TODO",
            "{{ project }}",
        ] {
            let says = format!("`project` in `[stage.prod]` is still a placeholder: `{value}`");
            assert_eq!(with_prod(&format!("project = \"{value}\"")), [says]);
        }
        for command in ["<TODO>", "train.py --out <todo>", "train.py '{{ TBD }}'"] {
            let says = format!("`command` in `[job.a]` is still a placeholder: `{command}`");
            assert_eq!(with(&format!("[job.a]\ncommand = \"{command}\"")), [says]);
        }
        assert_eq!(
            with_defaults("approvers = [\"alice\", \"<TODO>\"]"),
            ["`approvers` in `[defaults]` is still a placeholder: `<TODO>`"]
        );
    }

    #[test]
    fn a_text_that_only_looks_a_little_like_a_placeholder_is_taken() {
        for command in [
            "train.py < in.csv > out.csv",
            "train.py --note todo-list",
            "cp a <in >out",
            "cat <in>out",
            "src/x.py --date '{{ ds }}'",
            "echo {a}",
        ] {
            assert_eq!(with(&format!("[job.a]\ncommand = \"{command}\"")), [""; 0]);
        }
        assert_eq!(
            with("environment-variables = { LOG_LEVEL = \"none\" }"),
            [""; 0]
        );
        assert_eq!(
            with_prod("[stage.prod.gates]\ndomino-approval = \"none\""),
            [""; 0]
        );
    }

    #[test]
    fn a_secret_is_refused_and_never_repeated() {
        let token = format!("ghp_{}", "a1B2".repeat(9));
        let key = "0123456789abcdef".repeat(4);
        for value in [
            token.clone(),
            key.clone(),
            format!("train.py --token {token}"),
            format!("Bearer {key}"),
        ] {
            let said = with(&format!("[job.a]\ncommand = \"{value}\""));
            assert_eq!(
                said,
                [
                    "`command` in `[job.a]` looks like a secret; a stage file never holds one, so revoke it if it is one"
                ]
            );
        }
        let commit = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(
            with(&format!("[job.a]\ncommand = \"train.py {commit}\"")),
            [""; 0]
        );
    }

    #[test]
    fn a_key_or_variable_named_like_a_secret_is_refused_without_its_value() {
        let said = with_prod("api-key = \"hunter2\"");
        assert_eq!(
            said,
            [
                "`api-key` in `[stage.prod]` would hold a secret, and a stage file never does; the programs read \
              their credential from the secrets of the GitHub environment"
            ]
        );
        for name in [
            "DB_PASSWORD",
            "API_TOKEN",
            "apiKey",
            "SECRET_SAUCE",
            "HF_TOKEN",
        ] {
            let said = with(&format!(
                "environment-variables = {{ {name} = \"hunter2\" }}"
            ));
            assert_eq!(said.len(), 1, "{name}");
            assert!(
                said[0].contains("never secrets") && !said[0].contains("hunter2"),
                "{}",
                said[0]
            );
        }
        for name in ["MAX_TOKENS", "TOKENIZERS_PARALLELISM", "KEYBOARD", "MONKEY"] {
            assert_eq!(
                with(&format!("environment-variables = {{ {name} = \"4\" }}")),
                [""; 0]
            );
        }
    }

    #[test]
    fn what_github_or_a_terminal_would_act_on_is_refused() {
        assert_eq!(
            with_prod("github-environment = \"${{ secrets.KEY }}\""),
            [
                "`github-environment` in `[stage.prod]` holds `${{`, which GitHub would take for an expression"
            ]
        );
        assert_eq!(
            with_prod("data-plane = \"a\\nb\""),
            ["`data-plane` in `[stage.prod]` holds a line break"]
        );
        assert_eq!(
            with_prod("data-plane = \"a\\u202eb\""),
            ["`data-plane` in `[stage.prod]` holds the character U+202E, which cannot be seen"]
        );
        assert_eq!(
            with("[app.a]\nentry-point = \"a.sh\"\ndescription = \"two\\nlines\""),
            [""; 0],
            "a description may have lines"
        );
    }

    #[test]
    fn a_value_that_a_program_would_take_for_an_option_is_refused() {
        assert_eq!(
            with_prod("data-plane = \"--help\""),
            [
                "`data-plane` in `[stage.prod]` begins with `-`, which a program would take for an option"
            ]
        );
    }
}
