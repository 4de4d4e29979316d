//! Whatever text comes from elsewhere, a step makes it safe: no command to the runner, no extra line, no HTML, no
//! link, no extra cell, no secret. A Markdown reader checks the Markdown.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value;

use super::document::Document;
use super::plan::plan_as_text;
use super::report::outputs;
use super::text::{fenced, markdown};
use super::{Change, ChangeKind, Excerpt, Fact, Outcome, Plan, Report, StepResult, Subject, Table};
use crate::error::{CommandError, Exit};
use crate::scrubber::Scrubber;

const SECRET: &str = "canary-4f1d";

/// Pieces that have a meaning for the runner, a terminal, Markdown or HTML.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "::",
        "##[",
        "[",
        "]",
        "error",
        "set-output name=a",
        "\n",
        "\r",
        "\r\n",
        "\t",
        " ",
        "\u{1b}[31m",
        "\u{1b}",
        "\u{0}",
        "\u{85}",
        "\u{2028}",
        "\u{202e}",
        "\u{a0}",
        "`",
        "``",
        "```",
        "````",
        "~~~",
        "|",
        "\\",
        "<",
        ">",
        "<img src=x>",
        "</summary>",
        "</details>",
        "<!--",
        "&lt;",
        "&",
        "![a](b)",
        "[a](http://x)",
        "http://a.b",
        "www.a.b",
        "mail@a.b",
        "#12",
        "\u{200b}",
        "\u{200e}",
        "\u{3164}",
        "*",
        "_",
        "#",
        "$",
        "@a",
        "-",
        "+",
        "1.",
        "=",
        "a",
        "é",
        "🦀",
        "canary",
        "-4f1d",
        "4f",
        "1d",
        SECRET,
    ]);
    let torn = (1..SECRET.len(), piece.clone()).prop_map(|(at, piece)| {
        let (start, end) = SECRET.split_at(at);
        format!("{start}{piece}{end}")
    });
    prop_oneof![
        6 => prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat()),
        2 => torn,
        2 => any::<String>(),
    ]
}

fn scrubber() -> Scrubber {
    let scrubber = Scrubber::default();
    scrubber.hide(SECRET);
    scrubber
}

/// Whether the runner would obey a line. It accepts a command after blanks, and the older form anywhere.
fn is_command(line: &str) -> bool {
    line.trim_start().starts_with("::") || line.contains("##[")
}

fn harmless(line: &str) -> Result<(), TestCaseError> {
    prop_assert!(!is_command(line), "{:?}", line);
    prop_assert!(
        !line.chars().any(|c| c.is_control() && c != '\t'),
        "{:?}",
        line
    );
    prop_assert!(!line.contains(SECRET), "{:?}", line);
    Ok(())
}

fn events(page: &str) -> Vec<Event<'_>> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    Parser::new_ext(page, options).collect()
}

/// The page contains no HTML except the two elements around an excerpt, and no link except an address that stands
/// alone.
fn nothing_is_smuggled_in(page: &str) -> Result<(), TestCaseError> {
    for event in events(page) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                let own = [
                    "<details open>",
                    "<summary>",
                    "</summary>",
                    "</details>",
                    "<span>",
                    "</span>",
                ];
                let rest = own
                    .iter()
                    .fold(html.to_string(), |html, tag| html.replacen(tag, "", 1));
                prop_assert!(!rest.contains(['<', '>']), "{:?} in {}", html, page);
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                prop_assert!(
                    page.contains(&format!("| <{dest_url}> |")),
                    "{} in {}",
                    dest_url,
                    page
                );
            }
            Event::Start(Tag::Image { .. } | Tag::FootnoteDefinition(_)) => {
                prop_assert!(false, "{}", page);
            }
            _ => {}
        }
    }
    Ok(())
}

prop_compose! {
    fn plan()(headline in hostile(), value in hostile(), what in hostile()) -> Plan {
        Plan {
            headline,
            facts: vec![Fact { name: "commit", value }],
            changes: vec![Change { kind: ChangeKind::Update, what }],
        }
    }
}

prop_compose! {
    fn report()(
        fact in hostile(),
        output in hostile(),
        note in hostile(),
        cells in prop::collection::vec(hostile(), 2),
        title in hostile(),
        lines in prop::collection::vec(hostile(), 0..4),
        next in hostile(),
    ) -> Report {
        Report {
            facts: vec![Fact { name: "link", value: fact }],
            outputs: vec![("id", output)],
            notes: vec![note],
            table: Some(Table { columns: vec!["what", "how"], rows: vec![cells] }),
            excerpt: Some(Excerpt { title, lines, was_live: true }),
            sheet: None,
            html: None,
            data: None,
            version_id: None,
            smoke_test: None,
            next: Some(next),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

    #[test]
    fn a_line_stays_one_and_commands_nothing(text in hostile()) {
        let line = scrubber().clean(&text);
        harmless(&line)?;
        prop_assert!(!line.contains(['\n', '\r']));
        prop_assert_eq!(scrubber().clean(&line), line.as_str(), "once is enough");
    }

    #[test]
    fn lines_stay_as_many_and_command_nothing(text in hostile()) {
        let lines = scrubber().clean_lines(&text);
        prop_assert_eq!(lines.matches('\n').count(), text.matches('\n').count());
        for line in lines.split('\n') {
            harmless(line)?;
        }
    }

    #[test]
    fn text_stays_text_in_markdown(text in hostile()) {
        let escaped = markdown(&text);
        prop_assert!(!escaped.replace("<span></span>", "").contains(['\n', '<', '>']));
        nothing_is_smuggled_in(&format!("- a {escaped}\n"))?;
        nothing_is_smuggled_in(&format!("| a | b |\n| --- | --- |\n| {escaped} | b |\n"))?;
    }

    #[test]
    fn no_line_ends_the_block_it_stands_in(lines in prop::collection::vec(hostile(), 0..6)) {
        let lines: Vec<String> = lines.iter().map(|line| scrubber().clean(line)).collect();
        let page = format!("{}after\n", fenced(&lines));
        let code: String = events(&page)
            .into_iter()
            .take_while(|event| !matches!(event, Event::End(_)))
            .filter_map(|event| match event {
                Event::Text(text) => Some(text.to_string()),
                _ => None,
            })
            .collect();
        prop_assert_eq!(code, format!("{}\n", lines.join("\n")));
    }

    #[test]
    fn a_plan_and_a_result_command_nothing_and_hand_on_single_lines(plan in plan(), report in report()) {
        let scrubber = scrubber();
        for line in scrubber.clean_lines(&plan_as_text(&plan)).split('\n') {
            harmless(line)?;
        }
        let subject = Subject { program: "deploy-job", verb: "start", entity: "train".into(), stage: "dev".into() };
        let result = Ok(StepResult { outcome: Outcome::Done, headline: plan.headline.clone() });
        let document = Document::new(&subject, Some(&plan), &report, &result, Exit::Done, &scrubber);
        for (_, value) in outputs(&report, &scrubber) {
            harmless(&value)?;
        }
        let json = document.as_json();
        harmless(&json)?;
        let back: Value = serde_json::from_str(&json).unwrap();
        let same = |read: &Value, text: &str| read.as_str() == Some(&*scrubber.without_secrets(text));
        let excerpt = report.excerpt.as_ref().unwrap();
        prop_assert!(same(&back["excerpt"]["title"], &excerpt.title), "{}", json);
        for (read, line) in back["excerpt"]["lines"].as_array().unwrap().iter().zip(&excerpt.lines) {
            prop_assert!(same(read, line), "{}", json);
        }
        prop_assert!(same(&back["plan"]["changes"][0]["what"], &plan.changes[0].what), "{}", json);
    }

    #[test]
    fn a_summary_holds_what_was_meant_and_nothing_else(
        plan in plan(),
        report in report(),
        message in hostile(),
        cause in hostile(),
        hint in hostile(),
    ) {
        let subject = Subject { program: "deploy-job", verb: "start", entity: "train".into(), stage: "dev".into() };
        let scrubber = scrubber();
        let failure = CommandError::failed(message).hint(hint);
        let result = Err(CommandError::message(cause).context(failure));
        let document = Document::new(&subject, Some(&plan), &report, &result, Exit::Failed, &scrubber);
        let page = document.as_markdown();
        prop_assert!(!page.contains(SECRET), "{}", page);
        nothing_is_smuggled_in(&page)?;
        let (mut headings, mut rows, mut cells) = (0, 0, 0);
        for event in events(&page) {
            match event {
                Event::Start(Tag::Heading { .. }) => headings += 1,
                Event::Start(Tag::TableHead | Tag::TableRow) => rows += 1,
                Event::Start(Tag::TableCell) => cells += 1,
                _ => {}
            }
        }
        prop_assert_eq!((headings, rows, cells), (1, 5, 10), "{}", page);
        // It follows a command of our own, on the same line.
        harmless(&format!("error: {}", document.error_in_one_line()))?;
    }
}
