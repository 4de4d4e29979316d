//! The approval of this workflow run on GitHub: who gave it, and whether they may.

use domino_core::error::{Exit, Result};
use domino_core::github::{ReviewDecision, RunReview, WorkflowRun};
use domino_core::step::StepContext;

use super::result::{GateReport, GateResult};
use crate::arguments::variable;
use crate::candidate::Candidate;
use crate::people::People;

/// What this gate is called.
const GATE: &str = "approval on GitHub";

/// Asks GitHub. A missing variable closes the gate; an answer that is a refusal is an error.
pub(crate) async fn evaluate(
    context: &StepContext,
    candidate: &Candidate<'_>,
) -> Result<GateReport> {
    let run = WorkflowRun::of_this_step(&context.connection, variable);
    let run = match run {
        Ok(run) => run,
        Err(failure) if failure.exit() == Exit::NotApproved => {
            let result = GateResult::never(GATE, failure.to_string());
            return Ok(match failure.to_do() {
                Some(hint) => result.hint(hint).into(),
                None => result.into(),
            });
        }
        Err(failure) => return Err(failure),
    };
    let reviews = run.reviews().await?;
    let stage = candidate.target.stage;
    let rules = Rules {
        environment: &stage.github_environment,
        approvers: &stage.approvers,
        people: &candidate.people,
        is_rerun: variable("GITHUB_RUN_ATTEMPT").is_some_and(|attempt| attempt != "1"),
    };
    let mut answer = rules.evaluate(&reviews);
    if !answer.approved_by.is_empty() {
        answer.request_id = Some(format!("workflow run {}", run.id()));
    }
    Ok(answer)
}

/// Whose approval counts.
struct Rules<'a> {
    environment: &'a str,
    approvers: &'a [String],
    people: &'a People,
    /// What was refused in an attempt may have been approved in a later one, and the other way round; GitHub tells of
    /// both, but not of which attempt, nor when.
    is_rerun: bool,
}

impl Rules<'_> {
    fn evaluate(&self, reviews: &[RunReview]) -> GateReport {
        let here: Vec<&RunReview> = reviews
            .iter()
            .filter(|review| {
                let names = &review.environments;
                names
                    .iter()
                    .any(|name| name.to_lowercase() == self.environment.to_lowercase())
            })
            .collect();
        let said = |decision: &ReviewDecision| {
            let who = here.iter().filter(|review| review.decision == *decision);
            who.map(|review| review.user.as_str()).collect::<Vec<_>>()
        };
        let environment = self.environment;
        let approved = said(&ReviewDecision::Approved);
        if let Some(user) = said(&ReviewDecision::Rejected).last()
            && (approved.is_empty() || !self.is_rerun)
        {
            return GateResult::never(
                GATE,
                format!(
                    "environment `{environment}` was refused by {}",
                    login_text(user)
                ),
            )
            .hint("talk to them; running the job again asks for an approval once more")
            .into();
        }
        if approved.is_empty() {
            return GateResult::not_yet(
                GATE,
                format!("nobody has approved environment `{environment}` for this run"),
            )
            .into();
        }
        let mut objections = Vec::new();
        let mut counted: Vec<&str> = Vec::new();
        for user in approved {
            match self.objection(user) {
                Some(objection) => objections.push(format!("{}, {objection}", login_text(user))),
                None if counted.contains(&user) => {}
                None => counted.push(user),
            }
        }
        if counted.is_empty() {
            return GateResult::never(
                GATE,
                format!("approved only by {}", objections.join(" and by ")),
            )
            .hint("let somebody else approve: run the job again, and it waits for an approval once more")
            .into();
        }
        let names: Vec<String> = counted.iter().map(|user| login_text(user)).collect();
        let remarks = self.is_rerun.then(|| {
            "this workflow run was run again, and GitHub does not tell which attempt an approval was given to".into()
        });
        GateReport {
            remarks: remarks.into_iter().collect(),
            gates: vec![GateResult::holds(
                GATE,
                format!(
                    "approved by {}{}",
                    names.join(" and "),
                    self.team_remark(&counted)
                ),
            )],
            approved_by: counted
                .iter()
                .map(|user| format!("{user} (GitHub)"))
                .collect(),
            ..GateReport::default()
        }
    }

    fn objection(&self, user: &str) -> Option<String> {
        if user.is_empty() {
            return Some("whose account is gone".into());
        }
        if let Some(objection) = self.people.objection_to_login(user) {
            return Some(objection.into());
        }
        let named = self.approvers.is_empty() || self.is_named(user) || self.has_teams();
        (!named).then(|| "who is none of the stage's `approvers`".into())
    }

    /// Who is in a team, a job's token may not ask. GitHub itself lets only required reviewers approve, so that
    /// somebody not named is taken for a member of a team that is.
    fn team_remark(&self, counted: &[&str]) -> &'static str {
        let unnamed = counted.iter().any(|user| !self.is_named(user));
        match !self.approvers.is_empty() && unnamed {
            true => ", whose team GitHub does not tell a job's token",
            false => "",
        }
    }

    fn is_named(&self, user: &str) -> bool {
        self.approvers
            .iter()
            .any(|approver| approver.to_lowercase() == user.to_lowercase())
    }

    fn has_teams(&self) -> bool {
        self.approvers
            .iter()
            .any(|approver| approver.starts_with("team:"))
    }
}

fn login_text(user: &str) -> String {
    match user {
        "" => "somebody".into(),
        user => format!("`{user}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gates::result::Verdict;
    use crate::people::tests::people;

    fn review(decision: ReviewDecision, user: &str, environment: &str) -> RunReview {
        RunReview {
            decision,
            user: user.into(),
            environments: vec![environment.into()],
        }
    }

    fn yes(user: &str) -> RunReview {
        review(ReviewDecision::Approved, user, "PROD")
    }

    fn result(approvers: &[&str], reviews: &[RunReview]) -> (Verdict, String) {
        result_in(false, approvers, reviews)
    }

    fn result_in(is_rerun: bool, approvers: &[&str], reviews: &[RunReview]) -> (Verdict, String) {
        let approvers: Vec<String> = approvers.iter().map(|&name| name.to_owned()).collect();
        let rules = Rules {
            environment: "prod",
            approvers: &approvers,
            people: &people(),
            is_rerun,
        };
        let answer = rules.evaluate(reviews);
        (answer.gates[0].verdict, answer.gates[0].reason.clone())
    }

    #[test]
    fn an_approval_for_the_environment_counts_and_for_another_does_not() {
        let other = review(ReviewDecision::Approved, "cleo", "STAGE");
        assert_eq!(
            result(&[], &[other]),
            (
                Verdict::NotYet,
                "nobody has approved environment `prod` for this run".into()
            )
        );
        assert_eq!(
            result(&["cleo"], &[yes("Cleo")]),
            (Verdict::Holds, "approved by `Cleo`".into())
        );
    }

    #[test]
    fn nobody_approves_their_own_work() {
        assert_eq!(
            result(&[], &[yes("Ada")]),
            (
                Verdict::Never,
                "approved only by `Ada`, who trained the version".into()
            )
        );
        assert_eq!(
            result(&[], &[yes("ben")]).1,
            "approved only by `ben`, who started this workflow run"
        );
        assert_eq!(
            result(&[], &[yes("ben"), yes("cleo")]),
            (Verdict::Holds, "approved by `cleo`".into()),
            "a second pair of eyes is enough"
        );
    }

    #[test]
    fn an_approver_is_one_of_those_named() {
        assert_eq!(
            result(&["dora"], &[yes("cleo")]).1,
            "approved only by `cleo`, who is none of the stage's `approvers`"
        );
        assert_eq!(
            result(&["dora", "team:leads"], &[yes("cleo")]),
            (
                Verdict::Holds,
                "approved by `cleo`, whose team GitHub does not tell a job's token".into()
            )
        );
        assert_eq!(
            result(&["dora", "team:leads"], &[yes("dora")]).1,
            "approved by `dora`"
        );
    }

    #[test]
    fn a_refusal_is_told_with_its_name() {
        let no = review(ReviewDecision::Rejected, "dora", "Prod");
        assert_eq!(
            result(&[], &[yes("cleo"), no.clone()]),
            (
                Verdict::Never,
                "environment `prod` was refused by `dora`".into()
            )
        );
        assert_eq!(
            result_in(true, &[], &[no, yes("cleo")]).1,
            "approved by `cleo`",
            "what an earlier attempt was refused, this one was given"
        );
        let remarks = |is_rerun| {
            let rules = Rules {
                environment: "prod",
                approvers: &[],
                people: &people(),
                is_rerun,
            };
            rules.evaluate(&[yes("cleo")]).remarks
        };
        assert_eq!(remarks(false), [""; 0]);
        assert_eq!(
            remarks(true).len(),
            1,
            "it may be that of the earlier attempt"
        );
        assert_eq!(
            result(&[], &[yes("")]).1,
            "approved only by somebody, whose account is gone"
        );
    }
}
