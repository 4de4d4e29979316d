//! The receipt of a step that ended well: what the program knew of its deployment, with the plan, the report and the
//! time, as a file where the workflow says.

use std::path::Path;

use jiff::Timestamp;

use super::plan::{Fact, Plan, sign_of};
use super::report::{Outcome, Report, StepResult, Subject};
use crate::checkout::author_of;
use crate::error::{Context as _, Result};
use crate::receipt::{
    AppliedPlan, DeployedThing, Draft, FORMAT, People, Receipt, ReceiptOutcome, SealedReceipt,
    write_to_folder,
};
use crate::scrubber::Scrubber;
use crate::variable::variable;

/// The folder into which a step writes its receipt; without it none is written.
pub(crate) const FOLDER: &str = "DEPLOY_RECEIPTS";

/// A step that ended well.
pub(super) struct EndedWell<'a> {
    pub(super) subject: &'a Subject,
    pub(super) plan: Option<&'a Plan>,
    pub(super) report: &'a Report,
    pub(super) ending: &'a StepResult,
    pub(super) began: Timestamp,
}

impl EndedWell<'_> {
    /// Writes the receipt, where one is wanted and something was deployed.
    pub(super) fn leave(&self, draft: Draft, scrubber: &Scrubber) -> Result<()> {
        let Some(folder) = variable(FOLDER) else {
            return Ok(());
        };
        let Some(receipt) = self.receipt(draft, to_the_second(Timestamp::now())) else {
            return Ok(());
        };
        let text = serde_json::to_string(&receipt)?;
        // A secret that a plan or a name holds is taken out before the receipt is sealed.
        let receipt = serde_json::from_str(&scrubber.without_secrets(&text))?;
        let sealed = SealedReceipt::seal(receipt)?;
        write_to_folder(Path::new(&folder), &sealed)
            .with_context(|| format!("cannot write the receipt into `{folder}`"))
    }

    fn receipt(&self, draft: Draft, at: Timestamp) -> Option<Receipt> {
        let outcome = match (self.ending.outcome, draft.is_removal) {
            (Outcome::Planned, _) => return None,
            (Outcome::Done, true) => ReceiptOutcome::Removed,
            (Outcome::Done, false) => ReceiptOutcome::Done,
            // That nothing was there to take away changes nothing.
            (Outcome::Unchanged, true) => return None,
            (Outcome::Unchanged, false) => ReceiptOutcome::Unchanged,
        };
        let output = |name: &str| {
            let mut outputs = self.report.outputs.iter();
            let found = outputs.find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone())
        };
        let starter = variable("GITHUB_ACTOR");
        let again = variable("GITHUB_TRIGGERING_ACTOR").filter(|by| Some(by) != starter.as_ref());
        let Subject {
            program,
            entity,
            stage,
            ..
        } = self.subject;
        Some(Receipt {
            format: FORMAT,
            stage: stage.clone(),
            kind: draft.kind,
            entity: entity.clone(),
            outcome,
            result: self.ending.headline.clone(),
            began: to_the_second(self.began),
            at,
            what: DeployedThing {
                id: draft.what.id.or_else(|| output("id")),
                version_id: self.report.version_id.clone(),
                environment_revision: output("environment-revision")
                    .or(draft.what.environment_revision),
                ..draft.what
            },
            who: People {
                author: author_of(&draft.commit),
                started_by: starter,
                run_again_by: again,
                approvals: draft.approvals,
            },
            r#where: draft.r#where,
            plan: self.plan.map(applied).unwrap_or_default(),
            program: format!("{program} {}", env!("CARGO_PKG_VERSION")),
            smoke_test: self.report.smoke_test.clone(),
            without_receipt: draft.without_receipt,
            back: draft.back,
            previous: None,
            commit: draft.commit,
        })
    }
}

/// People compare these times, and clocks are not truer than that.
fn to_the_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn applied(plan: &Plan) -> AppliedPlan {
    let fact = |Fact { name, value }: &Fact| format!("{name}: {value}");
    let changes = plan.changes.iter();
    AppliedPlan {
        headline: plan.headline.clone(),
        facts: plan.facts.iter().map(fact).collect(),
        changes: changes
            .map(|change| format!("{} {}", sign_of(change.kind), change.what))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::{DeploymentPlace, ReceiptKind};
    use crate::step::ChangeKind;

    fn receipt(ending: StepResult, is_removal: bool) -> Option<Receipt> {
        let subject = Subject {
            program: "deploy-app",
            verb: "publish",
            entity: "dashboard".into(),
            stage: "prod".into(),
        };
        let mut plan = Plan::new("publish app `dashboard`");
        plan.fact("hardware tier", "small")
            .change(ChangeKind::Update, "the version");
        let mut report = Report {
            version_id: Some("v2".into()),
            smoke_test: Some("2 requests answered as expected".into()),
            ..Report::default()
        };
        report
            .output("id", "a1")
            .output("environment-revision", "r9");
        let ended = EndedWell {
            subject: &subject,
            plan: Some(&plan),
            report: &report,
            ending: &ending,
            began: Timestamp::UNIX_EPOCH,
        };
        let draft = Draft {
            kind: ReceiptKind::App,
            commit: "a".repeat(40),
            is_removal,
            what: DeployedThing {
                environment_revision: Some("r1".into()),
                hardware_tier: Some("small".into()),
                ..DeployedThing::default()
            },
            approvals: Vec::new(),
            r#where: DeploymentPlace::default(),
            without_receipt: Some("first time".into()),
            back: None,
        };
        ended.receipt(draft, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_receipt_has_what_the_step_knows_at_its_end() {
        let done = receipt(StepResult::done("version v2 serves"), false).unwrap();
        assert_eq!(done.outcome, ReceiptOutcome::Done);
        assert_eq!(done.what.id.as_deref(), Some("a1"));
        assert_eq!(done.what.version_id.as_deref(), Some("v2"));
        assert_eq!(done.what.environment_revision.as_deref(), Some("r9"));
        assert_eq!(done.what.hardware_tier.as_deref(), Some("small"));
        assert_eq!(done.plan.facts, ["hardware tier: small"]);
        assert_eq!(done.plan.changes, ["~ the version"]);
        assert_eq!(done.without_receipt.as_deref(), Some("first time"));
        let tested = done.smoke_test.as_deref();
        assert_eq!(tested, Some("2 requests answered as expected"));
        assert_eq!(
            (done.stage.as_str(), done.entity.as_str()),
            ("prod", "dashboard")
        );
    }

    #[test]
    fn what_was_only_planned_and_what_was_not_there_leave_none() {
        assert_eq!(receipt(StepResult::planned(), false), None);
        assert_eq!(receipt(StepResult::unchanged("nothing there"), true), None);
        let removed = receipt(StepResult::done("gone"), true).unwrap();
        assert_eq!(removed.outcome, ReceiptOutcome::Removed);
        let same = receipt(StepResult::unchanged("as wanted"), false).unwrap();
        assert_eq!(same.outcome, ReceiptOutcome::Unchanged);
    }
}
