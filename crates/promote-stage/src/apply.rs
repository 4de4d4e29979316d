//! `promote-stage apply`: every gate is asked once more, and then the version enters the stage, alone and proven.

use std::cell::RefCell;

use domino_core::api::mlflow::TrackingWriter;
use domino_core::error::{Context as _, Result};
use domino_core::step::{ChangeKind, Interrupts, Plan, Step, StepContext, StepResult};

use crate::candidate::{Candidate, Place};
use crate::check::{judged, past};
use crate::gates::{GateReport, has_none, soak};
use crate::moves::Moves;
use crate::promotion::{Mark, Previous, Promotion};
use crate::record::{Record, Status, demoted_key, workflow_run};
use crate::registry::stage_of;
use crate::sheet::describe;
use crate::{ApplyArgs, cannot};

/// Checks, moves, verifies. A version that is in the stage as it should be stays; the gates are asked all the same,
/// because anybody could have put it there.
pub(crate) async fn apply(
    step: &mut Step,
    context: &StepContext,
    args: &ApplyArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let (candidate, judgement) = tokio::select! {
        judged = judged(step, context, &args.which, args.patience.wait) => {
            judged.with_context(|| cannot("promote", &args.which.model, &context.stage))?
        }
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    candidate.outputs(&mut step.report);
    let stage = &context.stage;
    let work = work(&candidate);
    step.show(&view(&candidate, &judgement, &work));
    if let Some(ending) = past(&candidate) {
        return Ok(ending);
    }
    for remark in &judgement.remarks {
        step.warn(remark, None);
    }
    if let Some(reason) = &args.which.skip_order {
        step.warn(
            &format!("the order of the stages is passed over: {reason}"),
            None,
        );
    }
    if has_none(&stage.gates) && candidate.place.metric_rules.is_empty() {
        step.say(&format!("stage `{}` has no gates", stage.name));
    }
    if !judgement.all_hold() {
        return Err(judgement.refusal(context, &candidate));
    }
    let place = &candidate.place;
    if work.is_nothing() {
        return Ok(StepResult::unchanged(format!(
            "`{}` holds version {} of `{}` already, and no other",
            place.target,
            candidate.number(),
            place.name
        )));
    }
    if args.dry_run {
        return Ok(StepResult::planned());
    }
    let writer = Place::tracking(context)?.writer();
    let reason = args.which.skip_order.clone();
    let promotion = promotion(&writer, &candidate, &judgement, &work, reason);
    let carried_out = promotion.carry_out(step, &mut interrupts).await;
    promotion.tell(step);
    carried_out.with_context(|| {
        format!(
            "cannot promote version {} of `{}` to stage `{}`",
            promotion.version, place.name, stage.name
        )
    })?;
    if !judgement.approved_by.is_empty() {
        let by = judgement.approved_by.join(", ");
        step.report.fact("approved by", by);
    }
    Ok(StepResult::done(format!(
        "`{}` holds version {} of `{}`, and no other",
        place.target, promotion.version, place.name
    )))
}

/// What is left to do.
#[derive(Debug)]
struct Work {
    enters: bool,
    others: Vec<domino_core::api::registered_models::VersionNumber>,
    alias: bool,
    previous: Previous,
    record: bool,
}

impl Work {
    fn is_nothing(&self) -> bool {
        !self.enters
            && self.others.is_empty()
            && !self.alias
            && self.previous == Previous::Stays
            && !self.record
    }
}

fn work(candidate: &Candidate<'_>) -> Work {
    let place = &candidate.place;
    let registry = &candidate.registry;
    let replaced = candidate
        .replaced
        .as_ref()
        .map(|(version, _)| version.version);
    let alias = registry.alias(&place.alias()) != Some(candidate.number());
    let enters = !candidate.is_there();
    let others = candidate.others();
    // The version before is only news while it is being replaced.
    let replaces = enters || alias || !others.is_empty();
    let previous = replaced
        .filter(|replaced| replaces && registry.alias(&place.previous_alias()) != Some(*replaced))
        .map_or(Previous::Stays, Previous::Is);
    let done = candidate
        .record()
        .is_some_and(|record| record.status == Status::Done);
    Work {
        enters,
        alias,
        previous,
        record: enters || !done,
        others,
    }
}

fn view(candidate: &Candidate<'_>, judgement: &GateReport, work: &Work) -> Plan {
    let place = &candidate.place;
    let (number, target) = (candidate.number(), &place.target);
    let mut plan = Plan::new(format!(
        "version {number} of `{}` to `{target}`, for stage `{}`",
        place.name, place.stage.name
    ));
    describe(candidate, &mut plan);
    judgement.describe(&mut plan);
    // What will not be done is no change.
    if candidate.past.is_some() || !judgement.all_hold() {
        return plan;
    }
    match work.enters {
        true => plan.change(
            ChangeKind::Update,
            format!(
                "version {number}: `{}` → `{target}`",
                stage_of(&candidate.version)
            ),
        ),
        false => plan.change(ChangeKind::Keep, format!("version {number} in `{target}`")),
    };
    for other in &work.others {
        plan.change(
            ChangeKind::Update,
            format!("version {other}: `{target}` → `Archived`"),
        );
    }
    if let Previous::Is(previous) = work.previous {
        plan.change(
            ChangeKind::Update,
            format!("alias `{}` → version {previous}", place.previous_alias()),
        );
    }
    if work.alias {
        plan.change(
            ChangeKind::Update,
            format!("alias `{}` → version {number}", place.alias()),
        );
    }
    if work.record {
        plan.change(
            ChangeKind::Create,
            format!("the record of the promotion, as tags of version {number}"),
        );
    }
    plan
}

fn promotion<'a>(
    writer: &'a TrackingWriter,
    candidate: &'a Candidate<'_>,
    judgement: &GateReport,
    work: &Work,
    reason: Option<String>,
) -> Promotion<'a> {
    let place = &candidate.place;
    let replaced = candidate.replaced.as_ref();
    let record = Record {
        status: Status::Pending,
        at: at(candidate.now),
        from: candidate.before.name.clone(),
        since: soak::since(candidate),
        approved_by: judgement.approved_by.clone(),
        request_id: judgement.request_id.clone(),
        run: workflow_run(),
        replaced: replaced.map(|(version, _)| version.version),
        reason,
        held_before: candidate.record().is_some_and(|record| record.let_in()),
    };
    let demoted = demoted_key(&place.stage.name);
    let own_mark = candidate.version.tags.get(&demoted).map(|text| Mark {
        version: candidate.number(),
        key: demoted.clone(),
        value: None,
        before: Some(text.clone()),
    });
    Promotion {
        moves: Moves::of(writer, place.name),
        version: candidate.number(),
        from: stage_of(&candidate.version),
        target: place.target.clone(),
        stage: &place.stage.name,
        others: work.others.clone(),
        archived: RefCell::default(),
        alias: place.alias(),
        alias_before: candidate.registry.alias(&place.alias()),
        previous_alias: place.previous_alias(),
        previous_before: candidate.registry.alias(&place.previous_alias()),
        previous: work.previous,
        outdated: record.outdated(&candidate.version.tags),
        record,
        leave_marks: Vec::new(),
        own_mark,
        marked: RefCell::default(),
    }
}

/// A time in epoch milliseconds, to the second, as people and programs read it.
pub(crate) fn at(millisecond: i64) -> String {
    jiff::Timestamp::from_second(millisecond.div_euclid(1000))
        .map(|at| at.to_string())
        .unwrap_or_default()
}
