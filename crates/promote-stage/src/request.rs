//! `promote-stage request`: ask the people of a stage whether a version may enter, with a sheet to decide by.

use domino_core::api::governance::{
    Approval, ApprovalEvent, ApprovalEventType, ApprovalStatus, Bundle, NewBundle, Policy,
};
use domino_core::api::reviews::{NewReview, Reviewer};
use domino_core::client::{Writer, write_once};
use domino_core::error::{CommandError, Context as _, Exit, Result};
use domino_core::step::{ChangeKind, Interrupts, Plan, Step, StepContext, StepResult};
use domino_core::wait::Poll;
use stage_file::DominoApproval;

use crate::apply::at;
use crate::candidate::{Candidate, Place};
use crate::check::past;
use crate::gates::governance::{Governed, Request, bundle_name};
use crate::gates::{GateReport, Verdict, metrics, review, soak};
use crate::moves::Moves;
use crate::promotion::go_on;
use crate::sheet::{Sheet, describe};
use crate::{RequestArgs, cannot};

/// How long a new bundle has to show the approvals that it needs.
const UNTIL_APPROVALS: std::time::Duration = std::time::Duration::from_secs(10);

/// Whom to ask in Domino, and how.
#[allow(
    clippy::large_enum_variant,
    reason = "there is one of it in a run of the program"
)]
enum Ask {
    /// Nobody.
    Nobody,
    /// A governance bundle.
    Governance(Governed),
    /// A model review.
    Review(NewReview),
}

/// Shows the sheet, and asks where the stage wants an approval in Domino. A version that breaks a metric rule is not
/// asked for: no approval would let it in.
pub(crate) async fn request(
    step: &mut Step,
    context: &StepContext,
    args: &RequestArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let which = &args.which;
    let (candidate, ask) = tokio::select! {
        planned = plan(context, args) => planned.with_context(|| cannot("request", &which.model, &context.stage))?,
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    candidate.outputs(&mut step.report);
    let wanted = wanted(&candidate, &ask, args.again);
    step.show(&view(&candidate, &wanted));
    if let Some(ending) = past(&candidate) {
        return Ok(ending);
    }
    let mut judgement = GateReport {
        gates: metrics::judge(&candidate),
        ..GateReport::default()
    };
    let broken = !judgement.all_hold();
    judgement.gates.extend(soak::judge(
        &candidate,
        candidate.place.stage.gates.soak_time(),
    ));
    let sheet = Sheet::of(&candidate);
    step.report.table = Some(sheet.table(&judgement));
    step.report.sheet = Some(sheet.markdown(&candidate, &judgement));
    if broken {
        judgement
            .gates
            .retain(|judged| judged.verdict == Verdict::Never);
        return Err(judgement.refusal(context, &candidate));
    }
    if let Wanted::Refused(by) = &wanted {
        return Err(sent_back(context, &candidate, by));
    }
    if let Ask::Review(_) = &ask {
        step.warn(review::UNPROVEN, None);
    }
    step.report.next = Some(format!(
        "promote-stage check {} --to {} --version {}",
        candidate.place.model.name,
        context.stage.name,
        candidate.number()
    ));
    if let Wanted::Nothing(why) = &wanted {
        if let Ask::Governance(Governed {
            request: Some(request),
            ..
        }) = &ask
        {
            tell(step, &request.bundle);
        }
        return Ok(StepResult::unchanged(why.clone()));
    }
    if args.dry_run {
        return Ok(StepResult::planned());
    }
    go_on(&mut interrupts).await?;
    let asked = match &ask {
        Ask::Nobody => Ok(String::new()),
        Ask::Governance(governed) => {
            let writer = context.connection.writer();
            submit(step, &writer, &candidate, governed).await
        }
        Ask::Review(new) => ask_for_review(context, &candidate, new).await,
    };
    let asked = asked.with_context(|| cannot("request", &which.model, &context.stage))?;
    Ok(StepResult::done(asked))
}

/// Reads the candidate, and how its approval stands in Domino.
async fn plan<'a>(context: &'a StepContext, args: &RequestArgs) -> Result<(Candidate<'a>, Ask)> {
    let candidate = Candidate::find(context, &args.which).await?;
    if candidate.past.is_some() {
        return Ok((candidate, Ask::Nobody));
    }
    let ask = match context.stage.gates.domino_approval {
        DominoApproval::None => Ask::Nobody,
        DominoApproval::Governance => Ask::Governance(Governed::find(context, &candidate).await?),
        DominoApproval::Review => {
            review::refuse_where_there_are_none(context).await?;
            Ask::Review(new_review(context, &candidate).await?)
        }
    };
    Ok((candidate, ask))
}

/// What is to be done.
enum Wanted {
    /// Nothing, and why.
    Nothing(String),
    /// It was refused before, by whom.
    Refused(String),
    /// What will be asked for.
    Ask(String),
}

fn wanted(candidate: &Candidate<'_>, ask: &Ask, again: bool) -> Wanted {
    let place = &candidate.place;
    let number = candidate.number();
    match ask {
        Ask::Nobody => Wanted::Nothing(format!(
            "stage `{}` asks for no approval in Domino; version {number} of `{}` is shown only",
            place.stage.name, place.name
        )),
        Ask::Governance(governed) => {
            let approvers = |approvals: &[Approval]| {
                let all = approvals.iter().flat_map(|approval| &approval.approvers);
                let names: Vec<String> =
                    all.map(|approver| format!("`{}`", approver.name)).collect();
                names.join(", ")
            };
            let Some(request) = &governed.request else {
                return Wanted::Ask(format!(
                    "bundle `{}` of policy `{}`, and its approvals asked for",
                    bundle_name(candidate),
                    governed.policy.name
                ));
            };
            let sent_back = request
                .approvals
                .iter()
                .find_map(|approval| governed.sent_back_by(approval));
            if let Some(by) = sent_back.filter(|_| !again) {
                return Wanted::Refused(by.to_string());
            }
            let unasked =
                |approval: &&Approval| approval.status == ApprovalStatus::PendingSubmission;
            if request.approvals.is_empty() || request.approvals.iter().any(|a| unasked(&a)) {
                return Wanted::Ask(format!(
                    "the approvals of bundle `{}` asked for",
                    request.bundle.name
                ));
            }
            let waits = request
                .approvals
                .iter()
                .any(|approval| approval.status == ApprovalStatus::PendingReview);
            Wanted::Nothing(match waits {
                true => format!(
                    "bundle `{}` waits for {} already",
                    request.bundle.name,
                    approvers(&request.approvals)
                ),
                false => format!("bundle `{}` is approved already", request.bundle.name),
            })
        }
        Ask::Review(new) => {
            let key = review::requested_key(&place.stage.name);
            match candidate.version.tags.get(&key).filter(|_| !again) {
                _ if candidate.is_there() => Wanted::Nothing(format!(
                    "version {number} of `{}` is in `{}` already",
                    place.name, place.target
                )),
                Some(at) => Wanted::Nothing(format!("a review was asked for already, at {at}")),
                None => Wanted::Ask(format!(
                    "a review for `{}`, asked of {} reviewers",
                    new.target_stage,
                    new.reviewers.len()
                )),
            }
        }
    }
}

fn view(candidate: &Candidate<'_>, wanted: &Wanted) -> Plan {
    let place = &candidate.place;
    let mut plan = Plan::new(format!(
        "ask for version {} of `{}` to enter stage `{}`",
        candidate.number(),
        place.name,
        place.stage.name
    ));
    describe(candidate, &mut plan);
    if let Wanted::Ask(what) = wanted {
        plan.change(ChangeKind::Create, what.clone());
    }
    plan
}

/// An approval that was refused is not asked for again by a mere rerun.
fn sent_back(context: &StepContext, candidate: &Candidate<'_>, by: &str) -> CommandError {
    let stage = &context.stage.name;
    CommandError::new(
        Exit::NotApproved,
        format!(
            "version {} of `{}` may not enter stage `{stage}`: {by} sent the request back",
            candidate.number(),
            candidate.place.name
        ),
    )
    .hint("talk to them, or train a better version; `--again` asks for this one once more")
    .at(&context.file, &["stage", stage, "gates"])
}

fn tell(step: &mut Step, bundle: &Bundle) {
    step.report
        .output("request-id", bundle.id.as_str())
        .fact("bundle", format!("{} ({})", bundle.name, bundle.id));
}

/// Makes the bundle unless it is there, and asks for its approvals.
async fn submit(
    step: &mut Step,
    writer: &Writer,
    candidate: &Candidate<'_>,
    governed: &Governed,
) -> Result<String> {
    let reader = writer.reader();
    let policy = reader.policy(&governed.policy.id).await?;
    let bundle = match &governed.request {
        Some(Request { bundle, .. }) => bundle.clone(),
        None => create(writer, candidate, governed).await?,
    };
    tell(step, &bundle);
    let mut poll = Poll::until(
        UNTIL_APPROVALS.mul_f64(reader.delay_scale().min(1.0)),
        reader.delay_scale(),
    );
    let approvals = loop {
        let approvals = reader.bundle_approvals(&bundle.id).await?;
        let ours: Vec<Approval> = approvals
            .into_iter()
            .filter(|approval| {
                let policy = &governed.policy.id;
                approval.policy_id.as_ref().is_none_or(|id| id == policy)
            })
            .collect();
        if !ours.is_empty() || !poll.next().await {
            break ours;
        }
    };
    if approvals.is_empty() {
        return Err(CommandError::refused(format!(
            "policy `{}` asks for no approval, so that nobody can give one",
            governed.policy.name
        ))
        .hint("add an approval to the policy in Domino, or name another policy in stages.toml"));
    }
    let mut asked: Vec<String> = Vec::new();
    for approval in next_to_submit(&approvals, policy.as_ref()) {
        let event = ApprovalEvent {
            bundle_id: bundle.id.clone(),
            policy_id: governed.policy.id.clone(),
            project_id: candidate.project.id.clone(),
            event_type: ApprovalEventType::RequestSubmitted,
            approval_id: approval.id.clone(),
            stage_approval_id: approval.stage_approval_id.clone(),
        };
        let submitted = write_once(
            reader.delay_scale(),
            async || writer.publish_approval_event(&event).await,
            async || {
                let all = reader.bundle_approvals(&bundle.id).await?;
                Ok(all.into_iter().find(|known| {
                    known.id == approval.id && known.status != ApprovalStatus::PendingSubmission
                }))
            },
        )
        .await
        .with_context(|| format!("approval `{}` could not be asked for", approval.name))?;
        drop(submitted);
        for approver in &approval.approvers {
            let name = format!("`{}`", approver.name);
            if !asked.contains(&name) {
                asked.push(name);
            }
        }
    }
    let whom = match asked.is_empty() {
        true => "its reviewers".into(),
        false => asked.join(", "),
    };
    Ok(format!(
        "bundle `{}` of policy `{}` waits for {whom}",
        bundle.name, governed.policy.name
    ))
}

/// The approvals to ask for now. A policy that keeps its stages in order takes them one stage after the other.
fn next_to_submit<'a>(approvals: &'a [Approval], policy: Option<&Policy>) -> Vec<&'a Approval> {
    let pending: Vec<&Approval> = approvals
        .iter()
        .filter(|approval| approval.status == ApprovalStatus::PendingSubmission)
        .collect();
    let Some(policy) = policy.filter(|policy| policy.enforce_sequential_order) else {
        return pending;
    };
    let given = |approval: &Approval| {
        matches!(
            approval.status,
            ApprovalStatus::Approved | ApprovalStatus::ConditionallyApproved
        )
    };
    let of_stage = |approval: &Approval, stage: &domino_core::api::governance::PolicyStage| {
        let ids = stage.approvals.iter().map(|wanted| &wanted.id);
        ids.clone()
            .any(|id| approval.stage_approval_id.as_ref() == Some(id))
    };
    let current = policy.stages.iter().find(|stage| {
        let mut here = approvals
            .iter()
            .filter(|approval| of_stage(approval, stage));
        here.any(|approval| !given(approval))
    });
    match current {
        Some(stage) => pending
            .into_iter()
            .filter(|approval| of_stage(approval, stage))
            .collect(),
        None => pending,
    }
}

async fn create(writer: &Writer, candidate: &Candidate<'_>, governed: &Governed) -> Result<Bundle> {
    let new = NewBundle {
        name: bundle_name(candidate),
        policy: governed.policy.id.clone(),
        project: candidate.project.id.clone(),
        model: candidate.place.name.to_owned(),
        version: candidate.number(),
    };
    let reader = writer.reader();
    let made = write_once(
        reader.delay_scale(),
        async || writer.create_bundle(&new).await,
        async || {
            let all = reader.bundles(&new.project, &new.policy).await?;
            Ok(all.into_iter().find(|bundle| {
                let attached = &bundle.attachments;
                bundle.name == new.name
                    && attached
                        .iter()
                        .any(|attachment| attachment.is_model_version(&new.model, new.version))
            }))
        },
    )
    .await;
    match made {
        Ok(made) => Ok(made.into_inner()),
        Err(error) if error.status().is_some_and(|status| status.as_u16() == 409) => {
            let failure = CommandError::refused(format!("bundle `{}` cannot be made", new.name)).hint(
                "Domino has another of that name, archived perhaps, or without this version: rename it there",
            );
            Err(CommandError::from(error).context(failure))
        }
        Err(error) => Err(error.into()),
    }
}

/// The review to ask for. Reviewers are users of Domino, and each of them must be there.
async fn new_review(context: &StepContext, candidate: &Candidate<'_>) -> Result<NewReview> {
    let reader = context.connection.reader();
    let stage = &context.stage;
    let mut reviewers = Vec::new();
    for name in &stage.gates.reviewers {
        let Some(user) = reader.user(name).await? else {
            let key = ["stage", stage.name.as_str(), "gates", "reviewers"];
            return Err(
                CommandError::refused(format!("Domino has no user `{name}`"))
                    .hint("change `reviewers`")
                    .at(&context.file, &key),
            );
        };
        reviewers.push(Reviewer { user_id: user.id });
    }
    Ok(NewReview {
        target_stage: candidate.place.target.word().to_owned(),
        reviewers,
    })
}

async fn ask_for_review(
    context: &StepContext,
    candidate: &Candidate<'_>,
    new: &NewReview,
) -> Result<String> {
    let place = &candidate.place;
    let writer = context.connection.writer();
    match writer
        .request_review(place.name, candidate.number(), new)
        .await
    {
        Ok(()) => {}
        Err(error) if error.is_unknown_route() => {
            let version = writer.reader().version().await?.version;
            let failure = review::no_reviews(context, &version);
            return Err(CommandError::from(error).context(failure));
        }
        Err(error) if error.outcome_unknown() => {
            return Err(CommandError::from(error).context(
                "whether the review was asked for is not known: look in Domino before running this again",
            ));
        }
        Err(error) => return Err(error.into()),
    }
    let tracking = Place::tracking(context)?.writer();
    let moves = Moves::of(&tracking, place.name);
    let key = review::requested_key(&place.stage.name);
    moves
        .tag(candidate.number(), &key, &at(candidate.now))
        .await
        .context("the review was asked for, but that could not be noted at the version")?;
    Ok(format!(
        "a review of version {} of `{}` for `{}` was asked for",
        candidate.number(),
        place.name,
        place.target
    ))
}
