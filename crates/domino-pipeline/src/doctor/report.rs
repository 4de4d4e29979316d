//! Everything that was found, by stage, and how it is written: a line each for people, one JSON document, or
//! Markdown.

use domino_core::error::Exit;
use domino_core::step::markdown;
use jiff::Timestamp;
use serde::Serialize;

use super::finding::{self, Finding, Verdict};

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The version of the JSON document's format: 1.
    pub(super) format: u32,
    /// When the visit took place.
    pub(super) at: Timestamp,
    /// About the stage file.
    pub(super) file: Finding,
    /// The stages, in pipeline order.
    pub(super) stages: Vec<StageFindings>,
    /// About the repository on GitHub, whatever the stage.
    pub(super) repository: Vec<Finding>,
}

/// What was found about one stage.
#[derive(Debug, Serialize)]
pub(super) struct StageFindings {
    pub(super) stage: String,
    pub(super) findings: Vec<Finding>,
}

impl Report {
    /// The exit code of the visit.
    pub(super) fn exit(&self) -> Exit {
        let stages = self.stages.iter().flat_map(|stage| &stage.findings);
        let all = std::iter::once(&self.file)
            .chain(stages)
            .chain(&self.repository);
        finding::exit(all)
    }

    /// A line for each thing. If several stages were visited, they have titles.
    pub(super) fn text(&self) -> String {
        let several = self.stages.len() > 1;
        let mut text = format!("{}\n", self.file);
        for (title, findings) in self.groups() {
            if several {
                text += &format!("\n{title}\n");
            }
            for finding in findings {
                text += &format!("{finding}\n");
            }
        }
        text
    }

    /// The same as a list for each stage. Text from Domino or GitHub is shown literally.
    pub(super) fn page(&self) -> String {
        let mut page = line(&self.file);
        for (title, findings) in self.groups() {
            page += &format!("\n**{}**\n\n", markdown(&title));
            page.extend(findings.iter().map(line));
        }
        page
    }

    /// The titles and what is below each.
    fn groups(&self) -> impl Iterator<Item = (String, &[Finding])> {
        let stages = self.stages.iter();
        let stages = stages.map(|one| (format!("stage {}", one.stage), &one.findings[..]));
        let repository = ("repository on GitHub".to_owned(), &self.repository[..]);
        let all = stages.chain([repository]);
        all.filter(|(_, findings)| !findings.is_empty())
    }
}

fn line(finding: &Finding) -> String {
    let (verdict, what, to_do) = finding.parts();
    let sign = match verdict {
        Verdict::Ok => "✅",
        Verdict::Wrong => "❌",
        Verdict::NotAsked => "➖",
    };
    let to_do = to_do.map_or_else(String::new, |to_do| format!(" → {to_do}"));
    let text = markdown(&format!("{what}{to_do}")).replace('`', "'");
    format!("- {sign} {text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(stages: &[&str]) -> Report {
        let of = |stage: &&str| StageFindings {
            stage: (*stage).to_owned(),
            findings: vec![Finding::wrong("no `x` | y", "make *it*")],
        };
        Report {
            format: 1,
            at: Timestamp::UNIX_EPOCH,
            file: Finding::well("stage file"),
            stages: stages.iter().map(of).collect(),
            repository: vec![Finding::NotAsked("secrets".into(), "a token".into())],
        }
    }

    #[test]
    fn one_stage_is_a_list_and_several_have_titles() {
        let lines = "ok stage file\n!! no `x` | y → make *it*\n-- secrets → a token\n";
        assert_eq!(report(&["dev"]).text(), lines);
        assert_eq!(
            report(&["dev", "prod"]).text(),
            "ok stage file\n\nstage dev\n!! no `x` | y → make *it*\n\nstage prod\n!! no `x` | y → make *it*\n\n\
             repository on GitHub\n-- secrets → a token\n"
        );
        assert_eq!(report(&["dev"]).exit(), Exit::Refused);
    }

    #[test]
    fn the_page_and_the_document_have_the_same() {
        let page = report(&["dev"]).page();
        assert!(page.contains("\n**stage dev**\n\n- ❌ no 'x'"), "{page}");
        assert!(!page.contains("*it*"), "{page}");
        let document = serde_json::to_value(report(&["dev"])).unwrap();
        assert_eq!(
            document["stages"][0]["findings"][0],
            serde_json::json!({"verdict": "wrong", "what": "no `x` | y", "to_do": "make *it*"})
        );
        assert_eq!(document["repository"][0]["verdict"], "not-asked");
    }
}
