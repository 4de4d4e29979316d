//! The result of a step, rendered: as text, as one JSON document, as Markdown for GitHub's summary.

use crate::error::{CommandError, Exit, Result};
use crate::stderr::{tell, tell_text};
use serde_json::{Map, Value, json};

use super::plan::{Fact, Plan, facts_as_text, sign_of};
use super::report::{Outcome, Report, StepResult, Subject, outputs};
use super::text::{fenced, html, markdown};
use crate::scrubber::Scrubber;
use stage_file::is_invisible;

/// Everything that is known at the end, with secrets removed.
pub(super) struct Document<'a> {
    subject: &'a Subject,
    plan: Option<&'a Plan>,
    report: &'a Report,
    ending: Option<&'a StepResult>,
    error: Option<Error>,
    exit: Exit,
    scrubber: &'a Scrubber,
}

struct Error {
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
    line: Option<String>,
}

impl<'a> Document<'a> {
    pub(super) fn new(
        subject: &'a Subject,
        plan: Option<&'a Plan>,
        report: &'a Report,
        result: &'a Result<StepResult>,
        exit: Exit,
        scrubber: &'a Scrubber,
    ) -> Self {
        let error = result.as_ref().err().map(|error| Error {
            message: scrubber.clean_lines(&error.to_string()),
            causes: causes_of(error)
                .iter()
                .map(|cause| scrubber.clean_lines(cause))
                .collect(),
            hint: error.to_do().map(|hint| scrubber.clean_lines(hint)),
            line: error.line().map(|at| format!("{}:{}", at.file, at.line)),
        });
        Self {
            subject,
            plan,
            report,
            ending: result.as_ref().ok(),
            error,
            exit,
            scrubber,
        }
    }

    /// The result on stderr, for the person.
    pub(super) fn print_result(&self) {
        if let Some(excerpt) = self
            .report
            .excerpt
            .as_ref()
            .filter(|excerpt| !excerpt.was_live)
        {
            tell(format_args!("\n{}:", self.scrubber.clean(&excerpt.title)));
            for line in &excerpt.lines {
                tell(format_args!("  {}", self.scrubber.clean(line)));
            }
        }
        if let Some(error) = &self.error {
            tell(format_args!("error: {}", error.message));
            for cause in &error.causes {
                tell(format_args!("  caused by: {cause}"));
            }
        } else if let Some(ending) = self.ending {
            tell(format_args!("{}", self.scrubber.clean(&ending.headline)));
        }
        tell_text(
            &self
                .scrubber
                .clean_lines(&facts_as_text(&self.report.facts)),
        );
        let hint = self.error.as_ref().and_then(|error| error.hint.as_ref());
        if let Some(hint) = hint {
            match self.error.as_ref().and_then(|error| error.line.as_ref()) {
                Some(line) => tell(format_args!("\nhint: {hint} ({line})")),
                None => tell(format_args!("\nhint: {hint}")),
            }
        }
        if let Some(next) = &self.report.next {
            tell(format_args!("next: {}", self.scrubber.clean(next)));
        }
    }

    /// The error and its causes in one line, for an annotation.
    pub(super) fn error_in_one_line(&self) -> String {
        let Some(error) = &self.error else {
            return String::new();
        };
        let mut line = error.message.clone();
        for cause in &error.causes {
            line.push_str(": ");
            line.push_str(cause);
        }
        line.replace('\n', " ")
    }

    /// One JSON document in one line. The runner reads stdout too, and obeys `##[` anywhere in a line. What the
    /// runner or a terminal could act on is written as an escape, which a JSON reader turns back into the same text.
    pub(super) fn as_json(&self) -> String {
        let text = self.value().to_string().replace("##[", "#\\u0023[");
        let mut line = String::with_capacity(text.len());
        for character in text.chars() {
            if is_invisible(character) {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    line.push_str(&format!("\\u{unit:04x}"));
                }
            } else {
                line.push(character);
            }
        }
        line
    }

    fn value(&self) -> Value {
        let clean = |text: &str| self.scrubber.without_secrets(text).into_owned();
        let facts = |facts: &[Fact]| -> Value {
            Value::Object(
                facts
                    .iter()
                    .map(|f| (f.name.replace(' ', "_"), Value::String(clean(&f.value))))
                    .collect(),
            )
        };
        let outputs: Map<String, Value> = outputs(self.report, self.scrubber)
            .into_iter()
            .map(|(name, value)| (name, Value::String(value)))
            .collect();
        let mut value = json!({
            "program": self.subject.program,
            "verb": self.subject.verb,
            "entity": self.subject.entity,
            "stage": self.subject.stage,
            "outcome": self.outcome(),
            "exit": self.exit as u8,
            "headline": self.headline(),
            "plan": self.plan.map(|plan| json!({
                "headline": clean(&plan.headline),
                "facts": facts(&plan.facts),
                "changes": plan.changes.iter()
                    .map(|change| json!({"kind": change.kind, "what": clean(&change.what)}))
                    .collect::<Vec<_>>(),
            })),
            "facts": facts(&self.report.facts),
            "outputs": outputs,
            "notes": self.report.notes.iter().map(|note| clean(note)).collect::<Vec<_>>(),
            "table": self.report.table.as_ref().map(|table| table.rows.iter()
                .map(|row| table.columns.iter().zip(row)
                    .map(|(column, cell)| (column.replace(' ', "_"), Value::String(clean(cell))))
                    .collect::<Map<String, Value>>())
                .collect::<Vec<_>>()),
            "excerpt": self.report.excerpt.as_ref().map(|excerpt| json!({
                "title": clean(&excerpt.title),
                "lines": excerpt.lines.iter().map(|line| clean(line)).collect::<Vec<_>>(),
            })),
            "next": self.report.next.as_deref().map(clean),
            "error": self.error.as_ref().map(|error| json!({
                "message": error.message, "causes": error.causes, "hint": error.hint, "line": error.line,
            })),
        });
        if let Some(data) = &self.report.data {
            let text = clean(&data.to_string());
            value["sheet"] = serde_json::from_str(&text).unwrap_or_default();
        }
        value
    }

    /// The page that people see first on GitHub.
    pub(super) fn as_markdown(&self) -> String {
        let mut page = self.heading();
        self.add_error(&mut page);
        self.add_changes(&mut page);
        self.add_facts(&mut page);
        self.add_table(&mut page);
        for note in &self.report.notes {
            page.push_str(&format!("> ⚠️ {}\n\n", self.prose(note)));
        }
        if let Some(sheet) = &self.report.sheet {
            page.push_str(&format!("{}\n", self.scrubber.without_secrets(sheet)));
        }
        self.add_excerpt(&mut page);
        if let Some(next) = &self.report.next {
            let next = self.scrubber.clean(next).replace('`', "'");
            page.push_str(&format!("**Next:** `{next}`\n\n"));
        }
        page
    }

    /// What was done to what and where, and how it ended.
    fn heading(&self) -> String {
        let Subject {
            program,
            verb,
            entity,
            stage,
        } = self.subject;
        let sign = match self.outcome() {
            "failed" => "❌",
            "planned" => "📋",
            "unchanged" => "🟰",
            _ => "✅",
        };
        let place = match stage.is_empty() {
            true => String::new(),
            false => format!(" in stage `{stage}`"),
        };
        let entity = match entity.is_empty() {
            true => String::new(),
            false => format!(" `{}`", markdown(entity).replace('`', "")),
        };
        let headline = self.prose(&self.headline());
        format!("### {sign} {program} {verb}{entity}{place}\n\n{headline}\n\n")
    }

    fn add_error(&self, page: &mut String) {
        let Some(error) = &self.error else { return };
        for cause in &error.causes {
            page.push_str(&format!("- caused by: {}\n", self.prose(cause)));
        }
        if let Some(line) = &error.line {
            page.push_str(&format!("- decided by `{}`\n", line.replace('`', "")));
        }
        if let Some(hint) = &error.hint {
            page.push_str(&format!("\n**What to do:** {}\n", self.prose(hint)));
        }
        page.push('\n');
    }

    fn add_changes(&self, page: &mut String) {
        let Some(plan) = self.plan.filter(|plan| !plan.changes.is_empty()) else {
            return;
        };
        page.push_str("**What changed**\n\n");
        for change in &plan.changes {
            let (sign, what) = (sign_of(change.kind), self.prose(&change.what));
            page.push_str(&format!("- `{sign}` {what}\n"));
        }
        page.push('\n');
    }

    /// The facts of the plan and of the report; what the report says goes before what was planned.
    fn add_facts(&self, page: &mut String) {
        let reported = &self.report.facts;
        let planned = self.plan.map_or(&[][..], |plan| &plan.facts);
        let planned = planned
            .iter()
            .filter(|fact| !reported.iter().any(|known| known.name == fact.name));
        let rows: Vec<&Fact> = planned.chain(reported).collect();
        if rows.is_empty() {
            return;
        }
        page.push_str("| | |\n| --- | --- |\n");
        for fact in rows {
            page.push_str(&format!("| {} | {} |\n", fact.name, self.cell(&fact.value)));
        }
        page.push('\n');
    }

    /// The table, unless a sheet shows the same.
    fn add_table(&self, page: &mut String) {
        let table = self.report.table.as_ref();
        let Some(table) = table.filter(|_| self.report.sheet.is_none()) else {
            return;
        };
        page.push_str(&format!("| {} |\n", table.columns.join(" | ")));
        page.push_str(&format!("|{}\n", " --- |".repeat(table.columns.len())));
        for row in &table.rows {
            let cells: Vec<String> = row.iter().map(|cell| self.cell(cell)).collect();
            page.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        page.push('\n');
    }

    fn add_excerpt(&self, page: &mut String) {
        let Some(excerpt) = &self.report.excerpt else {
            return;
        };
        let lines = excerpt.lines.iter().map(|line| self.scrubber.clean(line));
        let lines: Vec<String> = lines.collect();
        page.push_str(&format!(
            "<details open><summary>{}</summary>\n\n{}\n</details>\n\n",
            html(&self.scrubber.clean(&excerpt.title)),
            fenced(&lines)
        ));
    }

    fn outcome(&self) -> &'static str {
        match self.ending.map(|ending| ending.outcome) {
            Some(Outcome::Done) => "done",
            Some(Outcome::Unchanged) => "unchanged",
            Some(Outcome::Planned) => "planned",
            None => "failed",
        }
    }

    fn headline(&self) -> String {
        match (&self.error, self.ending) {
            (Some(error), _) => error.message.clone(),
            (None, Some(ending)) => self.scrubber.clean(&ending.headline),
            (None, None) => String::new(),
        }
    }

    /// A sentence of ours in Markdown: our backticks stay, the rest is taken literally.
    fn prose(&self, text: &str) -> String {
        let clean = self.scrubber.clean(text);
        let parts: Vec<&str> = clean.split('`').collect();
        let ours = !parts.len().is_multiple_of(2);
        // Two backticks side by side are never ours, and they delimit code by other rules.
        let side_by_side = parts.len() > 2 && parts[1..parts.len() - 1].contains(&"");
        if !ours || side_by_side {
            return markdown(&clean).replace('`', "\\`");
        }
        let mut prose = String::new();
        for (position, part) in parts.iter().enumerate() {
            if position % 2 == 1 {
                prose.push_str(&format!("`{part}`"));
            } else {
                prose.push_str(&markdown(part));
            }
        }
        prose
    }

    /// A table cell; an address becomes a link.
    fn cell(&self, value: &str) -> String {
        let clean = self.scrubber.clean(value);
        let address = (clean.starts_with("https://") || clean.starts_with("http://"))
            && clean
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'+,;=%".contains(c))
            && !clean.contains(['[', ']']);
        // A bar ends a cell even within code.
        let mut code = clean.split('`').skip(1).step_by(2);
        if address {
            format!("<{clean}>")
        } else if code.any(|code| code.contains('|')) {
            markdown(&clean).replace('`', "\\`")
        } else {
            self.prose(&clean).replace('\n', " ")
        }
    }
}

/// The causes of an error, one a line, without repetitions.
fn causes_of(error: &CommandError) -> Vec<&str> {
    let mut causes: Vec<&str> = error.causes().collect();
    causes.dedup();
    causes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_in_code_ends_no_cell() {
        let (subject, report, scrubber) = (
            Subject {
                program: "deploy-job",
                verb: "start",
                entity: "train".into(),
                stage: "dev".into(),
            },
            Report::default(),
            Scrubber::default(),
        );
        let result = Ok(StepResult::done("done"));
        let document = Document::new(&subject, None, &report, &result, Exit::Done, &scrubber);
        assert_eq!(document.cell("runs `a` now"), "runs `a` now");
        assert_eq!(document.cell("`![a](b)|`"), r"\`\!\[a\](b)\|\`");
    }
}
