//! The approval of this workflow run on GitHub, as a gate: who gave it, and whether they may.

use domino_core::approval::STARTED;
use domino_core::error::{Exit, Result};
use domino_core::github::{ApprovalRules, RunApproval, StarterRules, WorkflowRun};
use domino_core::step::StepContext;
use domino_core::variable::variable;

use super::result::{GateReport, GateResult};
use crate::candidate::Candidate;

/// The name of this gate.
const GATE: &str = "approval on GitHub";
/// The text after the login of an approver.
const ON_GITHUB: &str = " (GitHub)";

/// Asks GitHub. A missing variable closes the gate; a refusal by GitHub is an error.
pub(crate) async fn evaluate(
    context: &StepContext,
    candidate: &Candidate<'_>,
) -> Result<GateReport> {
    asked(context, candidate, variable).await
}

/// `variable` reads the runner's variables.
async fn asked(
    context: &StepContext,
    candidate: &Candidate<'_>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<GateReport> {
    let (stage, told) = (candidate.target.stage, &candidate.told);
    let by_hand = stage.is_entered_by_hand();
    let own_work = |login: &str| {
        let objection = candidate.people.objection_to_login(login);
        // Whoever starts such a run is its approver.
        objection.filter(|objection| !by_hand || *objection != STARTED)
    };
    let (run, reviews) = match told.reviews(&stage.github_environment) {
        Some(told) => told,
        None => match WorkflowRun::of_this_step(&context.connection, variable) {
            Ok(run) if by_hand => {
                let own_work = &own_work;
                let rules = StarterRules { stage, own_work };
                return Ok(report(run.started_by_approver(rules).await?, run.id()));
            }
            Ok(run) => (run.id(), run.reviews().await?),
            Err(failure) if failure.exit() == Exit::NotApproved => {
                let result = GateResult::never(GATE, failure.to_string());
                return Ok(match failure.to_do() {
                    Some(hint) => result.hint(hint).into(),
                    None => result.into(),
                });
            }
            Err(failure) => return Err(failure),
        },
    };
    let rules = ApprovalRules {
        environment: &stage.github_environment,
        approvers: &stage.approvers,
        own_work: &own_work,
        self_approval: stage.self_approval,
        is_rerun: told.is_rerun(),
    };
    let mut report = report(rules.evaluate(&reviews), run);
    if let Some(by) = told.by() {
        for result in &mut report.gates {
            result.reason.push_str(&format!(", told by {by}"));
        }
    }
    Ok(report)
}

/// The logins of those who approved on GitHub.
pub(crate) fn approvers(report: &GateReport) -> Vec<String> {
    let on_github = report.approved_by.iter();
    let on_github = on_github.filter_map(|by| by.strip_suffix(ON_GITHUB));
    on_github.map(str::to_owned).collect()
}

fn report(approval: RunApproval, run: u64) -> GateReport {
    match approval {
        RunApproval::Given {
            reason,
            by,
            remarks,
        } => GateReport {
            remarks,
            request_id: Some(format!("workflow run {run}")),
            approved_by: by.iter().map(|user| format!("{user}{ON_GITHUB}")).collect(),
            ..GateResult::holds(GATE, reason).into()
        },
        RunApproval::Missing { reason } => GateResult::not_yet(GATE, reason).into(),
        RunApproval::Refused { reason, hint } => GateResult::never(GATE, reason).hint(hint).into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::path;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::candidate::tests::{candidate, context};
    use crate::gates::result::Verdict;
    use crate::registry::tests::version;

    #[tokio::test]
    async fn the_reviews_of_the_run_are_asked_for_and_nobody_where_there_is_none() {
        let server = MockServer::start().await;
        let approved = json!([
            {"state": "approved", "user": {"login": "cleo"}, "environments": [{"name": "prod"}]},
        ]);
        Mock::given(path("/repos/acme/wine/actions/runs/77/approvals"))
            .respond_with(ResponseTemplate::new(200).set_body_json(approved))
            .mount(&server)
            .await;
        let lines = "approvers = [\"cleo\"]\ngithub-environment = \"prod\"";
        let context = context(&server.uri(), lines, "github-approval = true");
        let seven = candidate(&context, version(7, "Staging", json!({})));
        let answer = async |run: Option<&str>| {
            let variable = |name: &str| match name {
                "GITHUB_API_URL" => Some(server.uri()),
                "GITHUB_REPOSITORY" => Some("acme/wine".to_owned()),
                "GITHUB_TOKEN" => Some("canary-github-1".to_owned()),
                "GITHUB_RUN_ID" => run.map(str::to_owned),
                _ => None,
            };
            asked(&context, &seven, variable).await
        };
        let given = answer(Some("77")).await.unwrap();
        assert_eq!(given.approved_by, ["cleo (GitHub)"], "{given:?}");
        let closed = answer(None).await.unwrap();
        assert_eq!(closed.gates[0].verdict, Verdict::Never);
        assert_eq!(
            closed.gates[0].reason,
            "who approved on GitHub cannot be asked: `GITHUB_RUN_ID` is not set"
        );
        assert!(answer(Some("seventy")).await.is_err());
    }

    #[test]
    fn only_an_approval_that_is_given_opens_the_gate_and_only_a_missing_one_may_come() {
        let verdict = |approval| report(approval, 77).gates[0].verdict;
        let reason = || "in words".to_owned();
        let given = report(
            RunApproval::Given {
                reason: reason(),
                by: vec!["cleo".into()],
                remarks: vec!["run again".into()],
            },
            77,
        );
        assert_eq!(given.gates[0].verdict, Verdict::Holds);
        assert_eq!(given.approved_by, ["cleo (GitHub)"]);
        assert_eq!(given.request_id.as_deref(), Some("workflow run 77"));
        assert_eq!(given.remarks, ["run again"]);
        let missing = RunApproval::Missing { reason: reason() };
        assert_eq!(verdict(missing), Verdict::NotYet);
        let refused = RunApproval::Refused {
            reason: reason(),
            hint: "talk to them",
        };
        assert_eq!(verdict(refused), Verdict::Never);
    }
}
