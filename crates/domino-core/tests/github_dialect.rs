//! Text from elsewhere in a summary, read by GitHub's own Markdown reader: no link, no mention, and each letter is
//! still there. The reader comes from PyPI as `cmarkgfm`; it is used if `GFM_TEST` is set, otherwise a line says that
//! it was not.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use domino_core::step::markdown;

const READER: &str = "cmarkgfm==2025.10.22";
/// How many texts are generated.
const TEXTS: usize = 2000;

/// Pieces that GitHub's dialect reads as more than text.
const PIECES: &[&str] = &[
    "https://a.example.com/x",
    "http://",
    "HTTPS://A.EXAMPLE.COM",
    "ftp://a.example.com",
    "www.a.example.com",
    "WwW.",
    "mail@a.example.com",
    "mailto:mail@a.example.com",
    "xmpp:mail@a.example.com/x",
    "@everyone",
    "@a/b",
    "#12",
    "a/b#12",
    "GH-12",
    "&#64;",
    "&amp;",
    "[a](b)",
    "![a](b)",
    "[a]: b",
    "<a href=x>",
    "<https://a.example.com>",
    "</td>",
    "|",
    "\\",
    "`",
    "``",
    "*",
    "_",
    "~",
    "~~",
    "$x$",
    ":smile:",
    "!",
    "(",
    ")",
    ".",
    "a",
    "é",
    " ",
    "- [x] ",
];

/// Reads the texts as JSON, and writes what each is in a paragraph and in a table's cell.
const SCRIPT: &str = "
import cmarkgfm, json, sys
from cmarkgfm.cmark import Options
def read(text):
    return cmarkgfm.github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE)
print(json.dumps([[read(page) for page in pages] for pages in json.load(sys.stdin)]))
";

#[test]
fn github_reads_text_from_elsewhere_as_text() {
    if std::env::var_os("GFM_TEST").is_none_or(|value| value.is_empty()) {
        eprintln!(
            "NOT RUN: the test with GitHub's reader of Markdown; set GFM_TEST to yes for that"
        );
        return;
    }
    let texts = made_up_texts();
    let pages: Vec<[String; 2]> = texts.iter().map(|text| pages_of(text)).collect();
    let read = read_by_github(&serde_json::to_string(&pages).unwrap());
    assert_eq!(read.len(), texts.len());
    for (text, read) in texts.iter().zip(&read) {
        for html in read {
            assert!(!html.contains("<a"), "{text:?} is a link in {html}");
            assert!(!has_mention(html), "{text:?} is a mention in {html}");
        }
        assert_eq!(text_of(&read[0]), format!("x{text}x"), "{}", read[0]);
        assert_eq!(
            text_of(&read[1]).replacen("ab", "", 1),
            format!("x{text}xb")
        );
    }
}

fn pages_of(text: &str) -> [String; 2] {
    let text = markdown(text).replace('`', "\\`");
    [
        format!("x{text}x\n"),
        format!("| a | b |\n| --- | --- |\n| x{text}x | b |\n"),
    ]
}

/// The same texts in every run.
fn made_up_texts() -> Vec<String> {
    let mut state = 7_u64;
    let mut below = |end: usize| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        usize::try_from(state >> 33).unwrap() % end
    };
    (0..TEXTS)
        .map(|_| {
            (0..1 + below(6))
                .map(|_| PIECES[below(PIECES.len())])
                .collect()
        })
        .collect()
}

fn read_by_github(pages: &str) -> Vec<[String; 2]> {
    let python = python_with_the_reader();
    let mut reader = Command::new(python)
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = reader.stdin.take().unwrap();
    input.write_all(pages.as_bytes()).unwrap();
    drop(input);
    let output = reader.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn python_with_the_reader() -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cmarkgfm");
    let python = folder.join("bin/python");
    let run = |command: &mut Command| assert!(command.status().unwrap().success(), "{command:?}");
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    }
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--only-binary",
        ":all:",
        READER,
    ];
    run(Command::new(&python).args(install));
    python
}

/// Whether a name follows an `@` in one piece of text: GitHub looks for those after it has read the Markdown.
fn has_mention(html: &str) -> bool {
    let mut pieces = html.split('@').skip(1);
    pieces.any(|behind| behind.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// What a person reads, without the blanks that Markdown drops.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    let mut is_element = false;
    for character in html.chars().filter(|c| *c != '\n') {
        match character {
            '<' => is_element = true,
            '>' => is_element = false,
            c if !is_element => text.push(c),
            _ => {}
        }
    }
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"");
    text.replace("&amp;", "&")
}
