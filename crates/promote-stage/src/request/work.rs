//! What remains to be requested, from the state of the approval in Domino. It sends no request.

use domino_core::api::governance::{Approval, ApprovalStatus};
use domino_core::api::reviews::NewReview;

use crate::candidate::Candidate;
use crate::gates::governance::{Governed, Request, bundle_name};
use crate::gates::review;

/// How approval is requested in Domino.
#[allow(
    clippy::large_enum_variant,
    reason = "there is one of it in a run of the program"
)]
pub(crate) enum Ask {
    /// The stage requires none in Domino.
    Nobody,
    /// By a governance bundle.
    Governance(Governed),
    /// By a model review.
    Review(NewReview),
}

/// What remains to be done.
pub(crate) enum Work {
    /// Nothing; the text is the reason.
    Nothing(String),
    /// Nothing, because the request was sent back by this person.
    SentBack(String),
    /// This is requested.
    Ask(String),
}

impl Work {
    /// What remains to be requested; with `again`, also what was requested before.
    pub(crate) fn of(candidate: &Candidate<'_>, ask: &Ask, again: bool) -> Self {
        match ask {
            Ask::Nobody => Self::Nothing(format!(
                "stage `{}` asks for no approval in Domino; version {} of `{}` is shown only",
                candidate.target.stage.name,
                candidate.number(),
                candidate.target.name
            )),
            Ask::Governance(governed) => match &governed.request {
                Some(request) => Self::of_request(governed, request, again),
                None => Self::Ask(format!(
                    "bundle `{}` of policy `{}`, and its approvals asked for",
                    bundle_name(candidate),
                    governed.policy.name
                )),
            },
            Ask::Review(new) => Self::of_review(candidate, new, again),
        }
    }

    fn of_request(governed: &Governed, request: &Request, again: bool) -> Self {
        let (name, approvals) = (&request.bundle.name, &request.approvals);
        let sent_back = approvals
            .iter()
            .find_map(|approval| governed.sent_back_by(approval));
        if let Some(by) = sent_back.filter(|_| !again) {
            return Self::SentBack(by.to_string());
        }
        let any = |status| approvals.iter().any(|approval| approval.status == status);
        if approvals.is_empty() || any(ApprovalStatus::PendingSubmission) {
            return Self::Ask(format!("the approvals of bundle `{name}` asked for"));
        }
        Self::Nothing(match any(ApprovalStatus::PendingReview) {
            true => format!("bundle `{name}` waits for {} already", approvers(approvals)),
            false => format!("bundle `{name}` is approved already"),
        })
    }

    fn of_review(candidate: &Candidate<'_>, new: &NewReview, again: bool) -> Self {
        let target = &candidate.target;
        let key = review::requested_key(&target.stage.name);
        match candidate.version.tags.get(&key).filter(|_| !again) {
            _ if candidate.is_in_stage() => Self::Nothing(format!(
                "version {} of `{}` is in `{}` already",
                candidate.number(),
                target.name,
                target.model_stage
            )),
            Some(at) => Self::Nothing(format!("a review was asked for already, at {at}")),
            None => Self::Ask(format!(
                "a review for `{}`, asked of {} reviewers",
                new.target_stage,
                new.reviewers.len()
            )),
        }
    }
}

fn approvers(approvals: &[Approval]) -> String {
    let all = approvals.iter().flat_map(|approval| &approval.approvers);
    let mut names: Vec<String> = Vec::new();
    for approver in all {
        let name = format!("`{}`", approver.name);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}
