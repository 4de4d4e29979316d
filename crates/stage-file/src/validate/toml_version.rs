//! Syntax that only TOML 1.1 has. Our reader accepts it, but editors, taplo and Python's `tomllib` do not.

use toml_parser::decoder::Encoding;
use toml_parser::parser::{Event, EventKind, parse_document};
use toml_parser::{Source, Span};

use super::rule::{Book, Report};

pub(super) fn toml_version(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for (offset, what) in newer(&book.file.text) {
        report.place(
            offset,
            format!(
                "{what} is TOML 1.1; editors, `taplo` and Python's `tomllib` before 3.15 take the file for broken"
            ),
        );
    }
}

/// Where the text, which is TOML 1.1, is not TOML 1.0, in bytes, and what is there.
fn newer(text: &str) -> Vec<(usize, &'static str)> {
    let source = Source::new(text);
    let tokens = source.lex().into_vec();
    let mut looker = Looker {
        text,
        open: Vec::new(),
        after_comma: None,
        newer: Vec::new(),
    };
    parse_document(&tokens, &mut |event: Event| looker.look(event), &mut ());
    looker.newer
}

struct Looker<'t> {
    text: &'t str,
    /// The open tables and lists in one line, and for each table whether a line break in it was reported.
    open: Vec<Open>,
    /// The position of a comma that nothing has followed yet.
    after_comma: Option<usize>,
    newer: Vec<(usize, &'static str)>,
}

#[derive(PartialEq)]
enum Open {
    List,
    Table { told: bool },
}

impl Looker<'_> {
    fn look(&mut self, event: Event) {
        let span = event.span();
        match event.kind() {
            EventKind::InlineTableOpen => self.open.push(Open::Table { told: false }),
            EventKind::ArrayOpen => self.open.push(Open::List),
            EventKind::ArrayClose => drop(self.open.pop()),
            EventKind::InlineTableClose => {
                if let (Some(Open::Table { told: false }), Some(comma)) =
                    (self.open.pop(), self.after_comma)
                {
                    self.newer
                        .push((comma, "a comma at the end of a table in braces"));
                }
            }
            EventKind::Newline => {
                if let Some(Open::Table { told: told @ false }) = self.open.last_mut() {
                    *told = true;
                    self.newer
                        .push((span.start(), "a line break in a table in braces"));
                }
            }
            EventKind::SimpleKey | EventKind::Scalar => self.word(span, event.encoding()),
            _ => {}
        }
        match event.kind() {
            EventKind::ValueSep => self.after_comma = Some(span.start()),
            EventKind::Whitespace | EventKind::Newline | EventKind::Comment => {}
            _ => self.after_comma = None,
        }
    }

    fn word(&mut self, span: Span, encoding: Option<Encoding>) {
        let text = &self.text[span.start()..span.end()];
        match encoding {
            Some(Encoding::BasicString | Encoding::MlBasicString) => {
                // Every other backslash in a row is the second half of an escape.
                let mut escaped = false;
                for (at, byte) in text.bytes().enumerate() {
                    if escaped && matches!(byte, b'x' | b'e') {
                        let what = if byte == b'x' {
                            "the escape `\\x`"
                        } else {
                            "the escape `\\e`"
                        };
                        return self.newer.push((span.start() + at, what));
                    }
                    escaped = byte == b'\\' && !escaped;
                }
            }
            Some(_) => {}
            None if is_time_without_seconds(text) => {
                self.newer.push((span.start(), "a time without seconds"));
            }
            None => {}
        }
    }
}

/// `07:30`, alone or after a date, with or without an offset.
fn is_time_without_seconds(text: &str) -> bool {
    let date = text.as_bytes().get(4) == Some(&b'-') && text.len() > 11;
    let time = if date { text.get(11..) } else { Some(text) };
    let Some(time) = time.filter(|time| time.as_bytes().get(2) == Some(&b':')) else {
        return false;
    };
    time.as_bytes().get(5) != Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::super::tests::with;
    use super::*;

    fn told(text: &str) -> Vec<(usize, &'static str)> {
        let line = |offset| text[..offset].matches('\n').count() + 1;
        newer(text)
            .into_iter()
            .map(|(offset, what)| (line(offset), what))
            .collect()
    }

    #[test]
    fn what_only_toml_1_1_reads_is_found_where_it_stands() {
        for (text, line, what) in [
            ("a = {\n b = 1 }", 1, "a line break in a table in braces"),
            (
                "a = { b = 1,\n c = 2,\n}",
                1,
                "a line break in a table in braces",
            ),
            (
                "\na = { b = 1, }",
                2,
                "a comma at the end of a table in braces",
            ),
            (
                "a = [{ b = 1, }]",
                1,
                "a comma at the end of a table in braces",
            ),
            (
                "a = { b = [ { c = 1 # why\n } ] }",
                1,
                "a line break in a table in braces",
            ),
            ("a = \"\\x41\"", 1, "the escape `\\x`"),
            ("a = \"\\\\ \\e\"", 1, "the escape `\\e`"),
            ("\"\\x41\" = 1", 1, "the escape `\\x`"),
            ("a = 07:30", 1, "a time without seconds"),
            ("a = 2026-11-30T07:30Z", 1, "a time without seconds"),
        ] {
            assert_eq!(told(text), [(line, what)], "{text}");
        }
        for text in [
            "a = { b = [\n1,\n2,\n], c = { d = 1 } }",
            "a = \"\\\\x41\"",
            "a = '\\x41'",
            "a = 07:30:00\nb = 2026-11-30\nc = 2026-11-30T07:30:00.5Z",
            "a = \"\"\"\n\\u00e9\"\"\"",
            "[a]\nb.c = 1\n",
        ] {
            assert_eq!(told(text), [], "{text}");
        }
    }

    #[test]
    fn a_line_break_in_braces_is_a_warning_with_its_line() {
        let said = with("[job.a]\ncommand = \"a.py\"\nschedule = {\n cron = \"0 0 6 * * ?\",\n}");
        assert_eq!(
            said,
            [
                "a line break in a table in braces is TOML 1.1; editors, `taplo` and Python's `tomllib` before 3.15 take \
                 the file for broken (accept with `accept = [\"toml-version\"]` under `[pipeline]`)"
            ]
        );
    }
}
