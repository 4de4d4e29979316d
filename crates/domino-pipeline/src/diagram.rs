//! The picture of the pipeline: stages, entities, data planes and approvals as a Mermaid diagram.
//!
//! GitHub draws it in the README, between two markers, and in the summary of each run, coloured by what happened. It
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

/// The part of the picture that one workflow deploys, for a run that ended. It is in two parts, because GitHub
/// makes one expression of each text with a result in it, whose length it limits.
pub struct RunPicture {
    /// The picture, without what closes it.
    pub picture: String,
    /// The colour of each stage, a line each; in place of the result stands what `result` gave.
    pub results: String,
}

impl RunPicture {
    /// What closes the picture.
    pub const END: &str = "```";

    /// `results` are, stage by stage, what GitHub replaces by `success`, `failure`, `cancelled` or `skipped` when the run is over.
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

/// Mermaid draws no text of more than 50,000 characters; the rest is for the colours.
const LARGEST: usize = 45_000;

/// What stands in a stage.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// Each entity.
    Each,
    /// How many there are of each kind.
    Counts,
}

fn picture(file: &StageFile, stages: &[&Stage], has: impl Fn(Kind, &str) -> bool) -> String {
    let text = drawn(file, stages, &has, Detail::Each);
    match text.chars().count() > LARGEST {
        true => drawn(file, stages, &has, Detail::Counts),
        false => text,
    }
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
    let mut text = String::from("flowchart LR\n");
    let _ = writeln!(
        text,
        "    push([{}])",
        label(&[&format!("push to {}", file.pipeline.branch)])
    );
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

/// The text with this diagram between its markers; as it is when it has none.
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
    // One line: Mermaid draws the nodes over any further one.
    let plane = stage
        .data_plane
        .as_ref()
        .map(|plane| format!(": data plane {plane}"));
    let title = format!("{}{}", stage.name, plane.unwrap_or_default());
    let _ = writeln!(text, "    subgraph {id}[{}]", label(&[title]));
    // Nodes without arrows stand one above the other only so.
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
                let label = label(&[format!("{count} {}s", kind.word())]);
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

/// What stands between the stage before and this one.
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

/// Lines of a label, quoted. Whatever could end the quotes, the fence or be markup becomes a character code.
fn label<T: AsRef<str>>(lines: &[T]) -> String {
    let mut text = String::from("\"");
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            text.push_str("<br>");
        }
        for character in line.as_ref().chars() {
            match character {
                ' ' | '-' | '_' | '.' | ',' | ':' | '/' => text.push(character),
                character if character.is_alphanumeric() => text.push(character),
                character => {
                    let _ = write!(text, "#{};", u32::from(character));
                }
            }
        }
    }
    text.push('"');
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
            picture.contains("[\"1000 jobs\"]") && picture.contains("[\"1 apps\"]"),
            "{picture}"
        );
    }
}
