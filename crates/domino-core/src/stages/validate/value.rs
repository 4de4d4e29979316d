//! Rules that hold for every value of the file, whatever key it stands for.

use super::{Book, Report};
use crate::stages::reference::{Form, form_of};
use crate::stages::text::{bare, is_invisible, looks_secret, names_secret, shown};
use crate::stages::tree::Leaf;

/// Texts for people or for the endpoint's own program, which may be anything that can be read.
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
                format!("has a blank at its start or end: {}", shown(leaf.text)),
            );
        }
    }
}

/// What people write where a value is still to come.
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
        if for_later(leaf.text) || part(leaf.text) || has_blank_to_fill(leaf.text) {
            report.leaf(
                leaf,
                format!("is still a placeholder: {}", shown(leaf.text)),
            );
        }
    }
}

/// Whether the text has a `<name>` or a `{{ name }}` to be filled in. A redirection in a command has a
/// blank where these have none.
fn has_blank_to_fill(text: &str) -> bool {
    let filled_in = |inside: &str| {
        !inside.is_empty()
            && inside.trim() == inside
            && inside
                .chars()
                .all(|c| c.is_alphanumeric() || " _-.".contains(c))
    };
    let angled = text.match_indices('<').any(|(start, _)| {
        let rest = &text[start + 1..];
        rest.find('>').is_some_and(|end| filled_in(&rest[..end]))
    });
    let doubled = text.match_indices("{{").any(|(start, _)| {
        let expression = text[..start].ends_with('$');
        let rest = &text[start + 2..];
        !expression
            && rest
                .find("}}")
                .is_some_and(|end| filled_in(rest[..end].trim()))
    });
    angled || doubled
}

pub(super) fn secret(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in &book.leaves {
        if is_variable(leaf) && leaf.keys.last().is_some_and(|name| names_secret(name)) {
            report.leaf(leaf, "is named like a secret, and Domino shows environment variables to everybody; never secrets here");
        } else if looks_secret(leaf.text) {
            report.leaf(
                leaf,
                "looks like a secret; a stage file never holds one, so revoke it if it is one",
            );
        }
    }
}

pub(super) fn unsafe_text(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in &book.leaves {
        if leaf.text.contains("${{") {
            report.leaf(
                leaf,
                "holds `${{`, which GitHub would take for an expression",
            );
        }
        let broken = |c: char| is_free(leaf) && matches!(c, '\n' | '\t');
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
