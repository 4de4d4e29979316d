//! The picture of the pipeline: stages, entities, data planes and approvals as a Mermaid diagram.
//!
//! GitHub draws it in the README, between two markers, and in the summary of each run, coloured by the results. It
//! shows what the stage file says, not what is running.

use std::fmt::Write as _;

use stage_file::{Kind, Placement, Stage, StageFile};

use crate::error::Result;
use crate::readme::Markers;
use crate::share::Share;

/// The marker before the diagram in the README.
pub const BEGIN: &str = "<!-- pipeline:begin -->";
/// The marker after it.
pub const END: &str = "<!-- pipeline:end -->";

/// The pipeline as a fenced Mermaid block.
pub fn mermaid(file: &StageFile) -> String {
    let stages: Vec<&Stage> = file.stages.iter().collect();
    let picture = picture(file, &stages, |_, _| true);
    format!("```mermaid\n{picture}```\n")
}

/// The part of the picture that one workflow deploys, for a run that has ended. It has two parts, because GitHub
/// makes one expression of each text with a result in it, and limits its length.
pub struct RunPicture {
    /// The picture, without its closing line.
    pub picture: String,
    /// The colour of each stage, a line each; the output of `result` is in place of the result.
    pub results: String,
}

impl RunPicture {
    /// The closing line of the picture.
    pub const END: &str = "```";

    /// `results` are, stage by stage, the texts that GitHub replaces by `success`, `failure`, `cancelled` or
    /// `skipped` when the run has ended.
    pub fn of(share: Share<'_>, results: impl IntoIterator<Item = String>) -> Self {
        let picture = picture(share.file, &share.stages(), |kind, name| {
            share.has(kind, name)
        });
        let picture = format!("```mermaid\n{picture}{COLOURS}");
        let results = results.into_iter().enumerate();
        let results = results.map(|(at, result)| format!("class stage{} {result}", at + 1));
        Self {
            picture: picture.trim_end().to_owned(),
            results: results.collect::<Vec<_>>().join("\n"),
        }
    }
}

/// A class for each result that a job can have.
const COLOURS: &str = "\x20   classDef success fill:#dafbe1,stroke:#1a7f37,color:#1f2328
    classDef failure fill:#ffebe9,stroke:#cf222e,color:#1f2328
    classDef cancelled fill:#fff8c5,stroke:#9a6700,color:#1f2328
    classDef skipped fill:#f6f8fa,stroke:#818b98,color:#1f2328,stroke-dasharray:4
";

/// Mermaid refuses texts of more than 50,000 characters; the rest is for the classes.
const LARGEST: usize = 49_000;
/// How many of them the colour of one stage takes, once the result is known.
const LONGEST_RESULT: usize = "class stage1000 cancelled\n".len();
/// Mermaid also limits the number of arrows; one leads to each stage.
const MOST_ARROWS: usize = 500;

/// The content of a stage.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// Each entity.
    Each,
    /// The number of entities of each kind.
    Counts,
}

fn picture(file: &StageFile, stages: &[&Stage], has: impl Fn(Kind, &str) -> bool) -> String {
    if stages.len() <= MOST_ARROWS {
        let room = LARGEST.saturating_sub(LONGEST_RESULT * stages.len());
        for detail in [Detail::Each, Detail::Counts] {
            let text = drawn(file, stages, &has, detail);
            if text.chars().count() <= room {
                return text;
            }
        }
    }
    let mut text = push(file);
    let _ = writeln!(
        text,
        "    push --> stages[{}]",
        label(&[counted(stages.len(), "stage")])
    );
    text
}

/// The beginning of the picture: the push.
fn push(file: &StageFile) -> String {
    let branch = format!("push to {}", file.pipeline.branch);
    format!("flowchart LR\n    push([{}])\n", label(&[branch]))
}

/// `1 app`, `2 apps`.
fn counted(count: usize, word: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural}")
}

fn drawn(
    file: &StageFile,
    stages: &[&Stage],
    has: &impl Fn(Kind, &str) -> bool,
    detail: Detail,
) -> String {
    let promotes = file
        .models
        .iter()
        .any(|model| has(Kind::Model, &model.name));
    let mut text = push(file);
    let mut from = "push".to_owned();
    for (at, stage) in stages.iter().enumerate() {
        let id = format!("stage{}", at + 1);
        subgraph(&mut text, file, has, (stage, &id), detail);
        let _ = writeln!(
            text,
            "    {from} -- {} --> {id}",
            label(&gate(stage, promotes))
        );
        from = id;
    }
    text
}

/// The text with this diagram between its markers; unchanged if it has no markers.
///
/// # Errors
/// When only one of the two markers is there, or they are in the wrong order.
pub fn kept_in(readme: &str, diagram: &str) -> Result<String> {
    let markers = Markers {
        begin: BEGIN,
        end: END,
    };
    markers.keep(readme, diagram)
}

fn subgraph(
    text: &mut String,
    file: &StageFile,
    has: &impl Fn(Kind, &str) -> bool,
    (stage, id): (&Stage, &str),
    detail: Detail,
) {
    // One line: Mermaid draws the nodes over any further line.
    let plane = stage
        .data_plane
        .as_ref()
        .map(|plane| format!(": data plane {plane}"));
    let title = format!("{}{}", stage.name, plane.unwrap_or_default());
    let _ = writeln!(text, "    subgraph {id}[{}]", label(&[title]));
    // Only with this are nodes without arrows placed one above the other.
    text.push_str("        direction LR\n");
    let tiers = &stage.hardware_tier;
    let jobs = file.jobs_of(stage).map(|job| {
        let paused = job
            .schedule
            .as_ref()
            .is_some_and(|schedule| schedule.paused.contains(&stage.name));
        let note = match (&job.schedule, paused) {
            (None, _) => None,
            (Some(_), true) => Some("schedule paused"),
            (Some(_), false) => Some("on a schedule"),
        };
        (
            Kind::Job,
            &job.name,
            note,
            tier(job.stages.get(&stage.name), &tiers.jobs),
        )
    });
    let apps = file.apps.iter().map(|app| {
        (
            Kind::App,
            &app.name,
            None,
            tier(app.stages.get(&stage.name), &tiers.apps),
        )
    });
    let models = file.models.iter().map(|model| {
        (
            Kind::Model,
            &model.name,
            None,
            tier(model.stages.get(&stage.name), &tiers.models),
        )
    });
    let all = jobs.chain(apps).chain(models);
    let shown = all.filter(|(kind, name, ..)| has(*kind, name));
    if detail == Detail::Counts {
        let kinds: Vec<Kind> = shown.map(|(kind, ..)| kind).collect();
        for (at, kind) in [Kind::Job, Kind::App, Kind::Model].into_iter().enumerate() {
            let count = kinds.iter().filter(|other| **other == kind).count();
            if count > 0 {
                let label = label(&[counted(count, kind.word())]);
                let _ = writeln!(text, "        {id}e{}[{label}]", at + 1);
            }
        }
        text.push_str("    end\n");
        return;
    }
    for (at, (kind, name, note, tier)) in shown.enumerate() {
        let mut lines = vec![format!("{} {name}", kind.word())];
        lines.extend(note.map(str::to_owned));
        lines.extend(tier.map(|tier| format!("tier {tier}")));
        let label = label(&lines);
        let node = match kind {
            Kind::Job => format!("[{label}]"),
            Kind::App => format!("({label})"),
            Kind::Model => format!("[({label})]"),
        };
        let _ = writeln!(text, "        {id}e{}{node}", at + 1);
    }
    text.push_str("    end\n");
}

fn tier<'a>(own: Option<&'a Placement>, stage: &'a Option<String>) -> Option<&'a str> {
    own.and_then(|own| own.hardware_tier.as_ref())
        .or(stage.as_ref())
        .map(String::as_str)
}

/// The gates between the stage before and this one.
fn gate(stage: &Stage, promotes: bool) -> Vec<String> {
    let mut lines = vec![format!("environment {}", stage.github_environment)];
    if !stage.approvers.is_empty() {
        lines.push(format!("approval: {}", stage.approvers.join(", ")));
    }
    if stage.wait_timer > 0 {
        lines.push(format!("wait: {} min", stage.wait_timer));
    }
    if promotes && let Some(name) = &stage.model_stage {
        lines.push(format!("models: {name}"));
    }
    lines
}

/// Lines of a label, quoted. Any character that could end the quotes or the fence, or be markup, becomes a character
/// code.
fn label<T: AsRef<str>>(lines: &[T]) -> String {
    // Mermaid reads a label that contains `<`, such as a `<br>`, as a web page first, and decodes the codes before it
    // looks for icons, formulas and its own `
    // `.
    let lines: Vec<String> = lines.iter().map(|line| escaped(line.as_ref())).collect();
    format!("\"{}\"", lines.join("\\n"))
}

fn escaped(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line.chars().peekable();
    while let Some(character) = rest.next() {
        let plain = match character {
            ' ' | '-' | '_' | '.' | ',' | '/' => true,
            // `fa:fa-user` is an icon.
            ':' => rest.peek() == Some(&' '),
            character => character.is_alphanumeric(),
        };
        match plain {
            true => text.push(character),
            false => {
                let _ = write!(text, "#{};", u32::from(character));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_mermaid_would_not_draw_shows_how_many_there_are() {
        let mut text = "[defaults]\nhost = \"domino.example.com\"\nproject = \"a/b\"\n\
                        [stage.dev]\n[stage.prod]\n[app.a]\nentry-point = \"a.sh\"\n"
            .to_owned();
        let read = |text: &str| StageFile::read(text, "stages.toml".as_ref()).unwrap();
        assert!(mermaid(&read(&text)).contains("app a"));
        for at in 0..1000 {
            text += &format!("[job.job-{at}]\ncommand = \"j.py\"\n");
        }
        let picture = mermaid(&read(&text));
        assert!(picture.chars().count() < 50_000);
        assert!(
            picture.contains("[\"1000 jobs\"]") && picture.contains("[\"1 app\"]"),
            "{picture}"
        );
    }

    #[test]
    fn more_arrows_than_mermaid_draws_become_one() {
        let pipeline = |stages: usize| {
            let mut text =
                "[defaults]\nhost = \"domino.example.com\"\nproject = \"a/b\"\n".to_owned();
            for at in 0..stages {
                text += &format!("[stage.s{at}]\n");
            }
            text += "[app.a]\nentry-point = \"a.sh\"\n";
            mermaid(&StageFile::read(&text, "stages.toml".as_ref()).unwrap())
        };
        let some = pipeline(100);
        assert_eq!(some.matches(" -- ").count(), 100);
        for stages in [400, 501] {
            let picture = pipeline(stages);
            assert!(picture.chars().count() < 50_000);
            assert!(
                picture.ends_with(&format!("push --> stages[\"{stages} stages\"]\n```\n")),
                "{picture}"
            );
        }
    }

    #[test]
    fn what_mermaid_would_read_as_something_else_is_written_in_codes() {
        for (written, in_codes) in [
            (r"a\nb", "a#92;nb"),
            ("fa:fa-user", "fa#58;fa-user"),
            ("$$x$$", "#36;#36;x#36;#36;"),
            ("`code`", "#96;code#96;"),
            ("[a](https://b.c)", "#91;a#93;#40;https#58;//b.c#41;"),
            ("wait: 5 min", "wait: 5 min"),
            ("<br>#quot;", "#60;br#62;#35;quot#59;"),
        ] {
            assert_eq!(escaped(written), in_codes);
        }
        assert_eq!(label(&["job a", "tier b"]), r#""job a\ntier b""#);
    }
}
