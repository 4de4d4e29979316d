//! Text as part of a page: Markdown and HTML that take it literally.

/// Text inside a table cell or a sentence of Markdown, with everything that Markdown or HTML would read taken
/// literally.
pub fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '$' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '@' => escaped.push_str("&#64;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Text inside an element of HTML, where Markdown is not read.
pub(super) fn html(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

/// Lines as a block of code with a fence that no line can close.
pub(super) fn fenced(lines: &[String]) -> String {
    let longest = lines
        .iter()
        .flat_map(|line| line.split(|c| c != '`').map(str::len))
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_taken_literally() {
        assert_eq!(
            markdown("a|b <img> [x](y) @z"),
            "a\\|b &lt;img&gt; \\[x\\](y) &#64;z"
        );
    }

    #[test]
    fn no_line_closes_the_fence_around_it() {
        let block = fenced(&["````".into(), "x".into()]);
        assert!(block.starts_with("`````text\n"));
        assert!(block.ends_with("\n`````\n"));
    }
}
