//! Text from a change, shown as code, so that none of it is read as Markdown.

/// Text as a code span in a table cell.
pub(super) fn code(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    let fence = "`".repeat(longest_run_of_backticks(&plain) + 1);
    let space = if fence.len() > 1 { " " } else { "" };
    // A bar would end the cell even within code; GitHub reads `\|` in a table as a bar.
    format!("{fence}{space}{}{space}{fence}", plain.replace('|', "\\|"))
}

/// How long a fence must at least be, less one, so that the text cannot end it.
pub(super) fn longest_run_of_backticks(text: &str) -> usize {
    text.split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn nothing_a_change_names_leaves_its_code_span_or_its_cell() {
        assert_eq!(code("a|b"), r"`a\|b`");
        assert_eq!(code("`x` <img>"), "`` `x` <img> ``");
        assert_eq!(code("two\nlines"), "`two lines`");
    }
}
