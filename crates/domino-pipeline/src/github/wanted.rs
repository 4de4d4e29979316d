//! What the stage file asks for of one GitHub environment.

use domino_core::github::Reviewer;
use stage_file::{SelfApproval, Stage, StageFile};

use super::secret::{Secrets, WantedSecret};

/// The variable that tells a step which stage it is in.
pub(crate) const VARIABLE: &str = "DOMINO_ENV";

/// What the stage file asks for of one GitHub environment.
pub(crate) struct Wanted<'a> {
    pub(crate) file: &'a StageFile,
    pub(crate) stage: &'a Stage,
    pub(crate) environment: &'a str,
    pub(crate) reviewers: Vec<Reviewer>,
    /// Those who start the run by hand, where GitHub asks nobody.
    pub(crate) starters: &'a [String],
    pub(crate) prevents_self_review: bool,
    /// In minutes; `None` if the file does not say.
    pub(crate) wait_timer: Option<u32>,
    /// The only branch that may deploy.
    pub(crate) branch: &'a str,
    pub(crate) secrets: Vec<WantedSecret>,
}

impl<'a> Wanted<'a> {
    /// `people` contains everybody whom a stage names.
    pub(crate) fn of(
        file: &'a StageFile,
        stage: &'a Stage,
        people: &[Reviewer],
        secrets: &Secrets,
    ) -> Self {
        let (asked, starters) = match stage.is_entered_by_hand() {
            true => (&[][..], &stage.approvers[..]),
            false => (&stage.approvers[..], &[][..]),
        };
        let is_named = |reviewer: &&Reviewer| {
            let mut approvers = asked.iter();
            approvers.any(|approver| reviewer.is_called(approver))
        };
        Self {
            file,
            stage,
            environment: &stage.github_environment,
            reviewers: people.iter().filter(is_named).cloned().collect(),
            starters,
            prevents_self_review: stage.self_approval == SelfApproval::Refuse,
            wait_timer: file
                .sets_for(stage, "wait-timer")
                .then_some(stage.wait_timer),
            branch: &file.pipeline.branch,
            secrets: secrets.of_stage(file, stage),
        }
    }

    /// Whether this value of the variable means the stage.
    pub(crate) fn is_meant_by(&self, value: &str) -> bool {
        let named = self.file.stage(value);
        named.is_ok_and(|named| named.name == self.stage.name)
    }
}
