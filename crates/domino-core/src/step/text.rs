//! Text as part of a page: Markdown and HTML that show it literally.

/// Splits text that GitHub would read as one word and link. It is invisible, and GitHub keeps it when it cleans HTML.
/// Entities do not help: `&#64;` is an `@` again when mentions and addresses are looked for.
const PARTING: &str = "<span></span>";

/// Text inside a table cell or a sentence of Markdown, shown literally whatever Markdown, HTML or GitHub's own
/// dialect would make of it: no link from an address, no mention from a name, no reference from a number.
pub fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let behind = rest.as_str();
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '$' => {
                escaped.push('\\');
                escaped.push(character);
            }
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
        let is_read = match character {
            '@' => true,
            ':' => behind.starts_with("//"),
            'w' | 'W' => behind.starts_with('.') && ends_in_www(&escaped),
            '#' => behind.starts_with(|next: char| next.is_ascii_digit()),
            _ => false,
        };
        if is_read {
            escaped.push_str(PARTING);
        }
    }
    escaped
}

fn ends_in_www(text: &str) -> bool {
    let end = text.len().checked_sub(3).and_then(|at| text.get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case("www"))
}

/// Text inside an element of HTML, where Markdown is not read.
pub fn html(text: &str) -> String {
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
            "a\\|b &lt;img&gt; \\[x\\](y) @<span></span>z"
        );
    }

    #[test]
    fn github_makes_no_link_of_it() {
        let parted = |text: &str| markdown(text).replace(PARTING, "·");
        assert_eq!(parted("https://a.b"), "https:·//a.b");
        assert_eq!(parted("x WWW.a.b"), "x WWW·.a.b");
        assert_eq!(parted("a@b.c @everyone"), "a@·b.c @·everyone");
        assert_eq!(parted("fixes #12"), "fixes \\#·12");
        assert_eq!(parted("12:30 w.x www"), "12:30 w.x www");
    }

    #[test]
    fn no_line_closes_the_fence_around_it() {
        let block = fenced(&["````".into(), "x".into()]);
        assert!(block.starts_with("`````text\n"));
        assert!(block.ends_with("\n`````\n"));
    }
}
