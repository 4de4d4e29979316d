//! The reference of the stage file in the documentation: a short table and an example for each of its tables.
//!
//! The keys are described in `stage_file::reference`, beside the reader of the file; only the examples are here.

use std::fmt::Write as _;

use stage_file::reference::{FILE, Form, Key, Need, Section};
use stage_file::{RULES, Severity};

use crate::readme::Markers;

/// The page of the reference, from the top of the repository.
pub const PAGE: &str = "docs/stages.md";

/// The lines around the reference.
pub const MARKERS: Markers = Markers {
    begin: "<!-- stages:begin -->",
    end: "<!-- stages:end -->",
};

/// An example of each table, by the table's header. Together they are a valid stage file.
pub const EXAMPLES: [(&str, &str); 16] = [
    (
        "[pipeline]",
        "[pipeline]\n\
         branch = \"main\"\n\
         paths = [\"lib/\"]\n",
    ),
    (
        "runner = { … }",
        "runner = { group = \"deployers\", labels = [\"linux\", \"x64\"] }\n",
    ),
    (
        "[stage.<name>]",
        "[defaults]                  # what all stages share\n\
         host = \"domino.example.com\"\n\
         project = \"wine-team/wine-quality\"\n\
         \n\
         [stage.test]\n\
         hardware-tier = \"test-small\"    # for all kinds\n\
         data-plane = \"test-plane\"\n\
         \n\
         [stage.prod]\n\
         github-environment = \"PROD\"\n\
         approvers = [\"ann\", \"team:wine-reviewers\"]\n\
         wait-timer = 5\n\
         model-stage = \"Production\"\n",
    ),
    (
        "environment = { … }",
        "environment = { name = \"Domino Standard Environment\", revision = \"latest\" }\n",
    ),
    (
        "hardware-tier = { … }",
        "hardware-tier = { jobs = \"prod-small\", apps = \"prod-small\", models = \"prod-endpoint\" }\n\
         data-plane = \"prod-plane\"\n",
    ),
    (
        "[stage.<name>.gates]",
        "[stage.prod.gates]\n\
         domino-approval = \"governance\"\n\
         policy = \"Model promotion\"\n\
         github-approval = true\n\
         soak = \"24h\"\n",
    ),
    (
        "[stage.<name>.gates.evidence]",
        "[stage.prod.gates.evidence]\n\
         metrics = \"How does it compare with the version in production?\"\n\
         smoke-test = \"What did its smoke test say?\"\n\
         report = \"promotion-sheets\"\n",
    ),
    (
        "[job.<name>]",
        "[job.score]\n\
         command = \"src/project/jobs/score.py --all\"\n\
         title = \"Score new wines\"\n",
    ),
    (
        "schedule = { … }",
        "schedule = { cron = \"0 0 6 ? * MON-FRI\", timezone = \"Europe/Berlin\", paused = [\"test\"] }\n",
    ),
    (
        "cluster = { … }",
        "cluster = { type = \"ray\", workers = 2, max-workers = 4, worker-tier = \"prod-large\", environment = \"Ray Cluster\" }\n",
    ),
    (
        "[job.<name>.stage.<stage>]",
        "[job.score.stage.prod]\n\
         hardware-tier = \"prod-large\"\n",
    ),
    (
        "[app.<name>]",
        "[app.dashboard]\n\
         entry-point = \"src/project/apps/app.sh\"\n\
         visibility = \"authenticated\"\n\
         health-path = \"/healthz\"\n",
    ),
    (
        "autoscaling = { … }",
        "autoscaling = { min = 1, max = 3, cpu = 80 }\n",
    ),
    (
        "[app.<name>.stage.<stage>]",
        "[app.dashboard.stage.prod]\n\
         name = \"Wine dashboard\"\n",
    ),
    (
        "[model.<name>]",
        "[model.wine-quality]\n\
         registered-model = \"wine-quality\"\n\
         version = \"latest\"\n\
         smoke-test = \"src/project/models/smoke.jsonl\"\n\
         metric-rules = [\"rmse must not rise by more than 2 %\"]\n",
    ),
    (
        "[model.<name>.stage.<stage>]",
        "[model.wine-quality.stage.prod]\n\
         endpoint = \"wine-quality\"\n\
         replicas = 2\n\
         environment-variables = { LOG_LEVEL = \"warn\" }\n",
    ),
];

/// The whole reference.
pub fn markdown() -> String {
    let mut text = String::from(
        "A key in **bold** must be there; those of a stage may stand in `[defaults]` instead, which has the same keys.\n\
         Unknown keys are refused. Editors complete the file by [`stages.schema.json`](../stages.schema.json).\n",
    );
    for section in sections() {
        let _ = write!(text, "\n### `{}`\n\n{}\n\n", section.header, section.about);
        table(&mut text, section);
        let example = EXAMPLES
            .iter()
            .find(|(header, _)| *header == section.header)
            .map(|(_, example)| example);
        if let Some(example) = example {
            let _ = write!(text, "\n```toml\n{example}```\n");
        }
    }
    text.push_str(
        "\n### Warnings\n\nThey are told and stop nothing; `accept` under `[pipeline]` silences one by its name.\n\n\
         | name | what is expected |\n| --- | --- |\n",
    );
    for rule in RULES
        .iter()
        .filter(|rule| rule.severity == Severity::Warning)
    {
        let _ = writeln!(text, "| `{}` | {} |", rule.name, cell(rule.about));
    }
    text
}

/// Every table that the file may hold, each once, in the order in which a reader meets them.
pub fn sections() -> Vec<&'static Section> {
    let mut found = Vec::new();
    below(&FILE, &mut found);
    found
}

fn below(section: &'static Section, found: &mut Vec<&'static Section>) {
    for key in section.keys {
        let (Form::Table(next) | Form::TextOr(next) | Form::TextsOr(next) | Form::Named(next)) =
            key.form
        else {
            continue;
        };
        if !found.iter().any(|known| std::ptr::eq(*known, next)) {
            found.push(next);
            below(next, found);
        }
    }
}

fn table(text: &mut String, section: &Section) {
    text.push_str("| key | takes | without it | what it is |\n| --- | --- | --- | --- |\n");
    for key in section.keys {
        let name = match key.need {
            Need::Required => format!("**`{}`**", key.name),
            Need::Default(_) | Need::Otherwise(_) => format!("`{}`", key.name),
        };
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} |",
            cell(&takes(key.form)),
            cell(&without(key)),
            cell(key.about)
        );
    }
}

fn takes(form: Form) -> String {
    match form {
        Form::Text => "string".to_owned(),
        Form::Texts => "list of strings".to_owned(),
        Form::Number(least, most) => format!("{least} to {most}"),
        Form::Flag => "`true` or `false`".to_owned(),
        Form::Word(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
            words.join(", ")
        }
        Form::TextOrNumber => "string or number".to_owned(),
        Form::TextOr(section) => format!("string, or `{}`", section.header),
        Form::TextsOr(section) => format!("string, list of strings, or `{}`", section.header),
        Form::Variables => "names and strings".to_owned(),
        Form::Table(section) | Form::Defaults(section) | Form::Named(section) => {
            format!("`{}`", section.header)
        }
    }
}

fn without(key: &Key) -> String {
    match key.need {
        Need::Required => "–".to_owned(),
        Need::Default(value) => format!("`{value}`"),
        Need::Otherwise(words) => words.to_owned(),
    }
}

/// A text as a table's cell holds it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use stage_file::StageFile;

    use super::*;

    #[test]
    fn every_table_has_an_example_and_every_example_a_table() {
        let headers: Vec<&str> = sections().iter().map(|section| section.header).collect();
        let examples: Vec<&str> = EXAMPLES.iter().map(|(header, _)| *header).collect();
        assert_eq!(headers, examples);
    }

    #[test]
    fn the_examples_together_are_a_stage_file_without_a_doubt() {
        let text: String = EXAMPLES
            .iter()
            .flat_map(|(_, example)| [*example, "\n"])
            .collect();
        let file = StageFile::read(&text, Path::new("examples.toml"))
            .unwrap_or_else(|error| panic!("{error}\n{text}"));
        // The examples are short, and leave out the tiers of some kinds.
        let doubts = file.warnings().iter().map(|warning| warning.name);
        assert_eq!(doubts.filter(|name| *name != "no-tier").count(), 0);
    }

    #[test]
    fn every_key_of_the_file_is_in_the_reference() {
        let text = markdown();
        for section in sections() {
            let (_, from) = text
                .split_once(&format!("### `{}`\n", section.header))
                .unwrap_or_else(|| panic!("no heading for {}", section.header));
            let until = from.find("\n### ").unwrap_or(from.len());
            for key in section.keys {
                assert!(
                    from[..until].contains(&format!("`{}`", key.name)),
                    "`{}` is not told under {}",
                    key.name,
                    section.header
                );
            }
        }
    }

    #[test]
    fn a_bar_does_not_end_a_cell() {
        assert_eq!(cell("a | b"), "a \\| b");
    }
}
