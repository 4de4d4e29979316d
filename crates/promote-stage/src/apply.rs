//! `promote-stage apply`: every gate is evaluated once more; then the version enters the stage, and it is verified
//! that the stage holds no other.

use domino_core::api::registered_models::VersionNumber;
use domino_core::approval::{Approval, Ask};
use domino_core::commit::Commit;
use domino_core::deployment::Deployment;
use domino_core::error::{CommandError, Context as _, Result};
use domino_core::hold::Moving;
use domino_core::receipt::ReceiptKind;
use domino_core::receipt_before::{Passed, ReceiptBefore, WantedBefore};
use domino_core::step::{
    ChangeKind, Interrupts, Plan, Step, StepContext, StepFlags, StepResult, ticked,
};
use domino_core::version_identity::VersionIdentity;
use stage_file::{Kind, Stage};

use crate::arguments::{VersionArgs, WaitArgs};
use crate::by_people::alias_moved_to;
use crate::candidate::Candidate;
use crate::evaluation::{already_promoted, evaluate};
use crate::gates::result::GateReport;
use crate::gates::{github, has_none, refusal, soak};
use crate::inside::{self, Errand, InsideArgs};
use crate::lineage::Lineage;
use crate::machine;
use crate::record::{Record, Status, demoted_key, has_entered, outdated, timestamp};
use crate::registry::stage_of;
use crate::registry_writer::RegistryWriter;
use crate::sheet::describe;
use crate::target::{PromotionTarget, cannot};
use crate::told::Told;
use crate::transition::{Alias, Previous, TagChange, Transition};
use crate::written::check_written;

/// `promote-stage apply`.
#[derive(Debug, clap::Args)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    pub(crate) which: VersionArgs,
    #[command(flatten)]
    patience: WaitArgs,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Let the alias of the stage lead to its version again, although somebody moved it
    #[arg(long = "put-back", env = "DEPLOY_PUT_BACK", value_parser = ticked)]
    moves_alias_back: bool,
    /// Let the version in although the stage holds on to another since it went back to it
    #[arg(long, env = "DEPLOY_RELEASE", value_parser = ticked)]
    release: bool,
    #[command(flatten)]
    receipt: ReceiptBefore,
    #[command(flatten)]
    inside: InsideArgs,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// Checks, moves, verifies. A version that is in the stage as it should be stays. The gates are evaluated anyway,
/// because anybody could have put it there.
pub(crate) async fn apply(
    step: &mut Step,
    context: &StepContext,
    args: &ApplyArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let evaluating = evaluate(step, context, &args.which, args.patience.wait);
    let ask = match context.stage.gates.github_approval {
        // The gate requires the same approval.
        true => Ask::Never,
        false => Ask::unless(args.dry_run),
    };
    let ((candidate, report), approval) = tokio::select! {
        evaluated = Approval::beside(evaluating, context, ask) => {
            evaluated.with_context(|| cannot("promote", &args.which.model, &context.stage))?
        }
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    let approval = args.approval(&context.stage).unwrap_or(approval);
    candidate.outputs(&mut step.report);
    let moved_to = alias_moved_to(&candidate).filter(|_| !args.moves_alias_back);
    let mut transition = transition(&candidate, &report, args.which.skip_order.clone());
    if moved_to.is_some() {
        transition.leave_aliases();
    }
    let has_work =
        candidate.already_promoted.is_none() && report.all_hold() && !transition.is_nothing();
    let planned = errand(context, args, &candidate, approvers(&approval, &report));
    let errand = inside::errand(context, &mut interrupts, has_work, planned).await?;
    let passed = leave_receipt(step, context, args, (&candidate, &report), &approval).await?;
    let mut view = view(&candidate, &report, &transition);
    approval.describe(&mut view);
    passed.describe(&mut view);
    if let Some(errand) = &errand {
        errand.describe(&mut view);
    }
    step.show(&view);
    if let Some(ending) = already_promoted(&candidate) {
        return Ok(ending);
    }
    let moved = moved_to.map(|moved_to| stays_moved(&candidate, &transition.alias, moved_to));
    check_let_in(step, context, args, (&candidate, &report), moved)?;
    let target = &candidate.target;
    let (number, name) = (candidate.number(), target.name);
    if transition.is_nothing() {
        return Ok(StepResult::unchanged(format!(
            "`{}` holds version {number} of `{name}` already, and no other",
            target.model_stage
        )));
    }
    if args.dry_run {
        return Ok(StepResult::planned());
    }
    let approved = approval.require(step, context);
    approved
        .and_then(|()| passed.require(step))
        .with_context(|| cannot("promote", &args.which.model, &context.stage))?;
    let entered = match errand {
        Some(errand) => {
            async {
                errand.run(step, &mut interrupts, args.inside).await?;
                check_written(context, target, number).await
            }
            .await
        }
        None => write(step, context, &candidate, transition, &mut interrupts).await,
    };
    let entered = entered.with_context(|| {
        let stage = &context.stage.name;
        format!("cannot promote version {number} of `{name}` to stage `{stage}`")
    })?;
    tell_of_promotion(
        step,
        &report,
        Lineage::of_candidate(&context.file, &candidate, Some(entered)),
    );
    Ok(StepResult::done(format!(
        "`{}` holds version {number} of `{name}`, and no other",
        target.model_stage
    )))
}

/// Refuses a version that is held back, or that a gate does not let in. What stays as it is, is said before.
fn check_let_in(
    step: &mut Step,
    context: &StepContext,
    args: &ApplyArgs,
    (candidate, report): (&Candidate<'_>, &GateReport),
    moved: Option<String>,
) -> Result<()> {
    if !args.release {
        check_not_held(candidate)?;
    }
    if let Some(moved) = moved {
        step.warn(&moved, None);
    }
    show_remarks(step, candidate, report, args.which.skip_order.as_deref());
    match report.all_hold() {
        true => Ok(()),
        false => Err(refusal(report, context, candidate)),
    }
}

/// Where the version comes from, and who let it in, for the report.
fn tell_of_promotion(step: &mut Step, report: &GateReport, lineage: Lineage) {
    step.report.sheet = Some(lineage.markdown());
    step.report.data = Some(lineage.data());
    if !report.approved_by.is_empty() {
        let by = report.approved_by.join(", ");
        step.report.fact("approved by", by);
    }
}

/// Asks for the receipt of the stage before, and says of what there is to be one once it is done. What is promoted by hand
/// outside of the repository is of no commit, and leaves none.
async fn leave_receipt(
    step: &mut Step,
    context: &StepContext,
    args: &ApplyArgs,
    (candidate, report): (&Candidate<'_>, &GateReport),
    approval: &Approval,
) -> Result<Passed> {
    let Ok(commit) = Commit::wanted(None) else {
        return Ok(Passed::NotAsked);
    };
    let identity = VersionIdentity::of(&candidate.version);
    let before = WantedBefore {
        of: (Kind::Model, &args.which.model),
        commit: commit.as_str(),
        version: Some(&identity),
    };
    let passed = args.receipt.passed(context, before).await?;
    let deployment = Deployment {
        context,
        kind: ReceiptKind::Promotion,
        commit: commit.as_str(),
        place: None,
        version: Some(&identity),
    };
    let draft = deployment.draft(approval, &passed);
    step.deploys(draft.approved_by(&report.approved_by));
    Ok(passed)
}

/// A version that the stage went back to stays there.
fn check_not_held(candidate: &Candidate<'_>) -> Result<()> {
    let target = &candidate.target;
    let stage = &target.stage.name;
    let held = candidate.others().into_iter().find_map(|other| {
        let record = Record::of(candidate.registry.version(other)?, stage)?;
        Some((other, record.hold?))
    });
    let Some((other, since)) = held else {
        return Ok(());
    };
    let moving = Moving {
        what: &format!("model `{}`", target.model.name),
        entity: &target.model.name,
        stage,
        runs: None,
        held: None,
        is_same: false,
        back: false,
    };
    Err(moving.refused(&format!(
        "is held at version {other} since {since}, when it went back to it: version {} was not let in",
        candidate.number()
    )))
}

impl ApplyArgs {
    /// The approval that this run was told about, if any; the gate on GitHub requires the same.
    fn approval(&self, stage: &Stage) -> Option<Approval> {
        let told = &self.which.told;
        let asks = !stage.gates.github_approval;
        let told_of = told.reviews(&stage.github_environment).filter(|_| asks);
        told_of.map(|(_, reviews)| {
            let started_by = told.started_by();
            Approval::of_reviews(stage, &reviews, started_by.as_deref(), told.is_rerun())
        })
    }
}

/// The logins of those who approved the workflow run for the stage, whichever check read them.
fn approvers(approval: &Approval, report: &GateReport) -> Vec<String> {
    let mut approvers = github::approvers(report);
    approvers.extend_from_slice(approval.given_by());
    approvers
}

/// The run that promotes in place of this step.
async fn errand<'a>(
    context: &'a StepContext,
    args: &ApplyArgs,
    candidate: &Candidate<'_>,
    approvers: Vec<String>,
) -> Result<Errand<'a>> {
    let mut flags = args.which.flags();
    if args.moves_alias_back {
        flags.push("--put-back".into());
    }
    if args.release {
        flags.push("--release".into());
    }
    let told = Told::by_this_step(&candidate.version, approvers)?;
    let planned = Errand::with_candidate(context, candidate, "apply", flags, told).await;
    planned.with_context(|| cannot("promote", &args.which.model, &context.stage))
}

/// Promotes the version from here. Returns its record, as the value of its tag.
async fn write(
    step: &mut Step,
    context: &StepContext,
    candidate: &Candidate<'_>,
    transition: Transition<'_>,
    interrupts: &mut Interrupts,
) -> Result<String, CommandError> {
    let writer = PromotionTarget::tracking(context)?.writer();
    let entered = transition.record_value(Status::Done)?;
    let registry = RegistryWriter::of(&writer, &candidate.registry, context);
    machine::promote(step, registry, transition, interrupts).await?;
    Ok(entered)
}

/// Somebody's decision where the alias points is kept.
fn stays_moved(candidate: &Candidate<'_>, alias: &Alias, moved_to: VersionNumber) -> String {
    let (number, name) = (candidate.number(), candidate.target.name);
    format!(
        "alias `{}` of `{name}` leads to version {moved_to}: somebody moved it after version {number} was let in; it \
         stays there, and `--put-back` moves it back",
        alias.name
    )
}

/// Reports what a reader must not miss before the version moves.
fn show_remarks(
    step: &mut Step,
    candidate: &Candidate<'_>,
    report: &GateReport,
    skip_order: Option<&str>,
) {
    for remark in &report.remarks {
        step.warn(remark, None);
    }
    if let Some(reason) = skip_order {
        let text = format!("the order of the stages is passed over: {reason}");
        step.warn(&text, None);
    }
    let target = &candidate.target;
    if has_none(&target.stage.gates) && target.metric_rules.is_empty() {
        step.say(&format!("stage `{}` has no gates", target.stage.name));
    }
}

fn view(candidate: &Candidate<'_>, report: &GateReport, transition: &Transition<'_>) -> Plan {
    let target = &candidate.target;
    let number = candidate.number();
    let mut plan = Plan::new(format!(
        "version {number} of `{}` to `{}`, for stage `{}`",
        target.name, target.model_stage, target.stage.name
    ));
    describe(candidate, &mut plan);
    if let Some(by) = candidate.told.by() {
        plan.fact("told by", by);
    }
    report.describe(&mut plan);
    // What will not be done is not shown as a change.
    if candidate.already_promoted.is_none() && report.all_hold() {
        transition.describe(&mut plan);
        if transition.enters() || transition.is_unfinished {
            let text = format!("the record of the promotion, as a tag of version {number}");
            plan.change(ChangeKind::Create, text);
        }
    }
    plan
}

/// What remains to be done.
fn transition<'a>(
    candidate: &'a Candidate<'_>,
    report: &GateReport,
    skip_order: Option<String>,
) -> Transition<'a> {
    let (target, registry) = (&candidate.target, &candidate.registry);
    let (number, earlier) = (candidate.number(), candidate.record());
    let replaced = candidate.replaced.as_ref();
    let replaced_of = replaced.map(|replaced| VersionIdentity::of(&replaced.version));
    let replaced = replaced.map(|replaced| replaced.version.version);
    let record = Record {
        status: Status::Pending,
        at: timestamp(candidate.now),
        from: candidate.before.name.clone(),
        since: soak::since(candidate),
        approved_by: report.approved_by.clone(),
        request_id: report.request_id.clone(),
        run: candidate.told.workflow_run(),
        told_by: candidate.told.by(),
        replaced,
        reason: skip_order,
        of: Some(VersionIdentity::of(&candidate.version)),
        replaced_of,
        held_before: has_entered(&candidate.version, &target.stage.name),
        hold: None,
    };
    let mut transition = Transition {
        version: number,
        from: stage_of(&candidate.version),
        to: target.model_stage.clone(),
        stage: &target.stage.name,
        others: candidate.others(),
        alias: Alias::now(registry, target.alias()),
        previous_alias: Alias::now(registry, target.previous_alias()),
        previous: Previous::Stays,
        outdated: outdated(&candidate.version.tags),
        record,
        is_unfinished: earlier.is_none_or(|record| record.status != Status::Done),
        demoted_tags: Vec::new(),
        own_demoted_tag: TagChange::removal(&candidate.version, demoted_key(&target.stage.name)),
    };
    // The previous version is only news while it is being replaced.
    if transition.replaces()
        && let Some(replaced) = replaced
        && transition.previous_alias.before != Some(replaced)
    {
        transition.previous = Previous::Is(replaced);
    }
    transition
}
