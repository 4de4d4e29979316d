//! The approval in Domino 6: a governance bundle with the version attached, its approvals, its gates. `request`
//! creates the bundle and submits it; this module finds and evaluates it.

use domino_core::api::governance::{
    Actor, Approval, ApprovalStatus, Bundle, BundleState, Finding, Gate, GatedPlace, Policy,
    PolicyOverview, PolicyStatus,
};
use domino_core::api::users::User;
use domino_core::choice::choose;
use domino_core::credential::Credential;
use domino_core::error::{CommandError, Result};
use domino_core::place::ResolvedPlacement;
use domino_core::step::StepContext;

use stage_file::Kind;

use super::policy_stage;
use super::result::{GateReport, GateResult};
use crate::candidate::Candidate;
use crate::request_note;
use crate::target::PromotionTarget;

/// The name of this gate.
const GATE: &str = "approval in Domino";
/// The name of the gates of a bundle.
const BUNDLE_GATE: &str = "gate in Domino";

/// What governance knows about a version that is to enter a stage.
#[derive(Debug)]
pub(crate) struct Governed {
    pub(crate) policy: PolicyOverview,
    /// The policy with its stages, where the stage file says something of them.
    pub(crate) whole: Option<Policy>,
    /// The user that we are.
    pub(crate) own: User,
    /// Absent if nobody has requested approval yet.
    pub(crate) request: Option<Request>,
}

/// A bundle with its approvals and gates.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) bundle: Bundle,
    pub(crate) approvals: Vec<Approval>,
    pub(crate) gates: Vec<Gate>,
    /// Where the endpoint runs, if a gate applies only to some places.
    pub(crate) place: GatedPlace,
    /// What somebody found wrong with it and remains to be done.
    pub(crate) findings: Vec<Finding>,
    /// The approvals of later policy stages, which are not waited for.
    pub(crate) later: Vec<Approval>,
}

impl Governed {
    /// Finds policy and bundle, and reads the bundle's state: two rounds of requests, and a third if there is a
    /// bundle.
    pub(crate) async fn find(context: &StepContext, candidate: &Candidate<'_>) -> Result<Self> {
        let reader = context.connection.reader();
        let (policies, own) = tokio::try_join!(reader.policies(), reader.own_user())
            .map_err(|error| no_governance(error, context))?;
        let policy = policy(context, &policies)?;
        let (bundles, whole) =
            tokio::try_join!(reader.bundles(&candidate.project.id, &policy.id), async {
                match policy_stage::is_asked_for(&context.stage) {
                    true => reader.policy(&policy.id).await,
                    false => Ok(None),
                }
            })?;
        policy_stage::check(context, whole.as_ref())?;
        let name = bundle_name(candidate);
        let ours = |bundle: &&Bundle| {
            bundle.name == name
                && bundle.state != BundleState::Archived
                && bundle.attachments.iter().any(|attachment| {
                    attachment.is_model_version(candidate.target.name, candidate.number())
                })
        };
        let request = match bundles.iter().find(ours) {
            None => None,
            Some(bundle) => {
                request_note::check(&candidate.version, &candidate.target.stage.name, bundle)?;
                let (approvals, gates, findings) = tokio::try_join!(
                    reader.bundle_approvals(&bundle.id),
                    reader.bundle_gates(&bundle.id),
                    async {
                        match reader.findings(&bundle.id).await {
                            Err(error) if error.is_unknown_route() => Ok(Vec::new()),
                            found => found,
                        }
                    },
                )?;
                let place = match gates.iter().any(Gate::names_places) {
                    true => endpoint_place(context, candidate).await?,
                    false => GatedPlace::default(),
                };
                let approvals = of_policy(approvals, &policy);
                let (approvals, later) =
                    policy_stage::counted(&context.stage, whole.as_ref(), approvals);
                Some(Request {
                    findings: findings.into_iter().filter(Finding::is_open).collect(),
                    later,
                    bundle: bundle.clone(),
                    approvals,
                    gates,
                    place,
                })
            }
        };
        Ok(Self {
            policy,
            whole,
            own,
            request,
        })
    }

    /// Who made the request: the creator of the bundle, and the account that we use.
    fn requesters(&self) -> Vec<Actor> {
        let own = Actor {
            id: Some(self.own.id.as_str().to_owned()),
            name: Some(self.own.user_name.clone()),
        };
        let made = self.request.as_ref();
        let made = made.and_then(|request| request.bundle.created_by.clone());
        made.into_iter().chain([own]).collect()
    }

    /// Who sent an approval back, if somebody did: it waits for submission, and the last to act on it was somebody
    /// else than us.
    pub(crate) fn sent_back_by<'a>(&self, approval: &'a Approval) -> Option<&'a Actor> {
        let last = approval.updated_by.as_ref()?;
        let ours = self.requesters().iter().any(|own| own.is(last));
        (approval.status == ApprovalStatus::PendingSubmission && !ours).then_some(last)
    }

    /// The verdict on one approval, and who gave it.
    fn evaluate(
        &self,
        request: &Request,
        approval: &Approval,
        candidate: &Candidate<'_>,
    ) -> (GateResult, Option<String>) {
        let name = match approval.name.as_str() {
            "" => "the approval".to_owned(),
            name => format!("`{name}`"),
        };
        let waits_for = approval
            .approvers
            .iter()
            .map(|approver| format!("`{}`", approver.name))
            .collect::<Vec<_>>()
            .join(" or ");
        let closed = |result: GateResult| (result, None);
        match &approval.status {
            ApprovalStatus::PendingSubmission => match self.sent_back_by(approval) {
                Some(by) => closed(
                    GateResult::never(GATE, format!("{name} was sent back by {by}")).hint(
                        "talk to them; `promote-stage request` with `--again` asks once more",
                    ),
                ),
                None => closed(GateResult::not_yet(
                    GATE,
                    format!("{name} has not been asked for"),
                )),
            },
            ApprovalStatus::PendingReview if waits_for.is_empty() => closed(GateResult::not_yet(
                GATE,
                format!("{name} waits for its reviewers"),
            )),
            ApprovalStatus::PendingReview => closed(GateResult::not_yet(
                GATE,
                format!("{name} waits for {waits_for}"),
            )),
            ApprovalStatus::Unknown(word) => closed(GateResult::not_yet(
                GATE,
                format!("{name} is `{word}`, a word that is not known here"),
            )),
            ApprovalStatus::Approved
            | ApprovalStatus::ConditionallyApproved
            | ApprovalStatus::PendingExpiration => {
                if let Some(why) = self.objection(request, approval, candidate) {
                    return closed(
                        GateResult::never(GATE, format!("{name} {why}")).hint(
                            "let somebody else approve: take the approval back in Domino, and ask once more",
                        ),
                    );
                }
                let by = approval.updated_by.clone().unwrap_or_default();
                let how = match approval.status {
                    ApprovalStatus::ConditionallyApproved => "approved with conditions",
                    ApprovalStatus::PendingExpiration => "approved, to be renewed soon,",
                    _ => "approved",
                };
                let who = by.name.clone().or(by.id.clone());
                (
                    GateResult::holds(GATE, format!("{name} was {how} by {by}")),
                    who.map(|who| format!("{who} (Domino)")),
                )
            }
        }
    }

    /// Why an approval that was given does not count.
    fn objection(
        &self,
        request: &Request,
        approval: &Approval,
        candidate: &Candidate<'_>,
    ) -> Option<String> {
        let Some(by) = &approval.updated_by else {
            return Some("was given, but Domino does not tell by whom".into());
        };
        let attachments = &request.bundle.attachments;
        let uncovered = attachments.iter().any(|attachment| {
            attachment.is_model_version(candidate.target.name, candidate.number())
                && attachment.is_left_out_of(&approval.id)
        });
        if uncovered {
            return Some("was given before this version was attached".into());
        }
        if self.requesters().iter().any(|own| own.is(by)) {
            return Some(format!("was given by {by}, who asked for it"));
        }
        if let Some(objection) = candidate.people.objection_to_user(by) {
            return Some(format!("was given by {by}, {objection}"));
        }
        let approvers = &approval.approvers;
        let named = approvers.is_empty()
            || approvers.iter().any(|approver| {
                let approver_is = Actor {
                    id: Some(approver.id.clone()),
                    name: Some(approver.name.clone()),
                };
                approver.is_organization_user || approver_is.is(by)
            });
        (!named).then(|| format!("was given by {by}, who is none of its approvers"))
    }
}

impl Request {
    /// What stops nothing and is worth knowing, a sentence each.
    fn notes(&self) -> Vec<String> {
        let bundle = &self.bundle.name;
        let findings = self.findings.iter().map(|finding| {
            format!(
                "finding `{}` ({}, `{}`) of bundle `{bundle}` is open",
                finding.name, finding.severity, finding.status
            )
        });
        let later = self
            .later
            .iter()
            .filter(|approval| !approval.status.is_given());
        let later = later.map(|approval| {
            format!(
                "`{}` of bundle `{bundle}` is of a later policy stage, and is not waited for",
                approval.name
            )
        });
        let ignored = self.gates.iter();
        let ignored = ignored.filter(|gate| gate.fails_open_for_endpoints(&self.place));
        let ignored = ignored.map(|gate| {
            format!(
                "gate `{}` of bundle `{bundle}` is closed, and does not stop an endpoint (`failOpen`)",
                gate.name
            )
        });
        findings.chain(later).chain(ignored).collect()
    }
}

/// Evaluates every approval and every gate of the bundle.
pub(crate) async fn evaluate(
    context: &StepContext,
    candidate: &Candidate<'_>,
) -> Result<GateReport> {
    let governed = Governed::find(context, candidate).await?;
    Ok(governed.answer(candidate))
}

impl Governed {
    fn answer(&self, candidate: &Candidate<'_>) -> GateReport {
        let Some(request) = &self.request else {
            return GateResult::not_yet(
                GATE,
                format!(
                    "nobody has asked for it: there is no bundle `{}` of policy `{}`",
                    bundle_name(candidate),
                    self.policy.name
                ),
            )
            .into();
        };
        let mut answer = GateReport {
            request_id: Some(request.bundle.id.as_str().to_owned()),
            ..GateReport::default()
        };
        if request.approvals.is_empty() {
            // Without anything to approve there is no approval.
            answer.gates.push(GateResult::never(
                GATE,
                format!(
                    "policy `{}` asks for no approval, so that there is none",
                    self.policy.name
                ),
            ));
        }
        for approval in &request.approvals {
            let (result, by) = self.evaluate(request, approval, candidate);
            answer.gates.push(result);
            answer.approved_by.extend(by);
            if approval.status == ApprovalStatus::ConditionallyApproved {
                answer.remarks.push(format!(
                    "`{}` was approved with conditions: look at the findings of bundle `{}`",
                    approval.name, request.bundle.name
                ));
            }
        }
        answer.remarks.extend(request.notes());
        answer.approved_by.dedup();
        for gate in request
            .gates
            .iter()
            .filter(|gate| gate.stops_endpoints(&request.place))
        {
            let why = match gate.reason.trim() {
                "" => String::new(),
                reason => format!(": {reason}"),
            };
            answer.gates.push(GateResult::not_yet(
                BUNDLE_GATE,
                format!("`{}` is closed{why}", gate.name),
            ));
        }
        answer
    }
}

/// The hardware tier that the model's endpoint gets in the stage, with its data plane.
async fn endpoint_place(context: &StepContext, candidate: &Candidate<'_>) -> Result<GatedPlace> {
    let (file, PromotionTarget { model, stage, .. }) = (&context.file, &candidate.target);
    let target = file.target(Kind::Model, &model.name, stage);
    let reader = context.connection.reader();
    let place = ResolvedPlacement::find(
        &reader,
        file,
        stage,
        Kind::Model,
        &candidate.project,
        &target,
    );
    Ok(GatedPlace::of(place.await?.tier.as_ref()))
}

/// The name of the bundle for a version and a stage.
pub(crate) fn bundle_name(candidate: &Candidate<'_>) -> String {
    format!(
        "{} version {} to {}",
        candidate.target.name,
        candidate.number(),
        candidate.target.stage.name
    )
}

/// The policy that the stage names, which must be published.
fn policy(
    context: &StepContext,
    policies: &[PolicyOverview],
) -> Result<PolicyOverview, CommandError> {
    let stage = &context.stage;
    let key = ["stage", stage.name.as_str(), "gates", "policy"];
    let wanted = stage.gates.policy.as_deref().unwrap_or_default();
    let alive: Vec<PolicyOverview> = policies
        .iter()
        .filter(|policy| !policy.archived && policy.status != PolicyStatus::Archived)
        .cloned()
        .collect();
    let policy =
        choose(&alive, wanted, "policy").map_err(|failure| failure.at(&context.file, &key))?;
    if policy.status != PolicyStatus::Published {
        return Err(CommandError::refused(format!(
            "policy `{}` is not published, so that no bundle can be made from it",
            policy.name
        ))
        .hint("publish it in Domino, or name another one")
        .at(&context.file, &key));
    }
    Ok(policy.clone())
}

/// The approvals that the policy of the stage asks for; a bundle may have those of other policies as well.
fn of_policy(approvals: Vec<Approval>, policy: &PolicyOverview) -> Vec<Approval> {
    approvals
        .into_iter()
        .filter(|approval| {
            approval
                .policy_id
                .as_ref()
                .is_none_or(|id| *id == policy.id)
        })
        .collect()
}

fn no_governance(error: domino_core::client::ApiError, context: &StepContext) -> CommandError {
    if !error.is_unknown_route() {
        return error.into();
    }
    let key = [
        "stage",
        context.stage.name.as_str(),
        "gates",
        "domino-approval",
    ];
    // Inside a run a proxy answers, which may not have every route of the deployment.
    let (reason, hint) = match matches!(context.connection.credential(), Credential::Proxy(_)) {
        true => (
            "governance cannot be asked from inside this run: this Domino has none, which came with Domino 6, or its \
             proxy for runs does not lead there",
            "run this outside Domino, with `DOMINO_TOKEN`; or change `domino-approval`",
        ),
        false => (
            "this Domino has no governance, which came with Domino 6",
            "change `domino-approval`",
        ),
    };
    let failure = CommandError::refused(reason)
        .hint(hint)
        .at(&context.file, &key);
    CommandError::from(error).context(failure)
}

#[cfg(test)]
mod tests;
