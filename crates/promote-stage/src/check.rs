//! `promote-stage check`: whether every gate of a stage lets a version in. It changes nothing.

use std::time::Duration;

use domino_core::error::{Context as _, Result};
use domino_core::step::{Interrupts, Plan, Step, StepContext, StepResult};
use domino_core::wait::{Poll, Span};

use crate::candidate::Candidate;
use crate::gates::GateReport;
use crate::sheet::describe;
use crate::{CheckArgs, VersionArgs, cannot};

/// The pause between two looks at gates that may still open. People decide in minutes.
const PAUSE: Duration = Duration::from_secs(10);

/// Asks every gate and shows what each says.
pub(crate) async fn check(
    step: &mut Step,
    context: &StepContext,
    args: &CheckArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let (candidate, judgement) = tokio::select! {
        judged = judged(step, context, &args.which, args.patience.wait) => {
            judged.with_context(|| cannot("check", &args.which.model, &context.stage))?
        }
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    let stage = &context.stage.name;
    let mut plan = Plan::new(format!(
        "may version {} of `{}` enter stage `{stage}`?",
        candidate.number(),
        candidate.place.name
    ));
    describe(&candidate, &mut plan);
    step.show(&plan);
    candidate.outputs(&mut step.report);
    if let Some(ending) = past(&candidate) {
        return Ok(ending);
    }
    for remark in &judgement.remarks {
        step.warn(remark, None);
    }
    step.report.table = (!judgement.gates.is_empty()).then(|| judgement.table());
    if !judgement.all_hold() {
        return Err(judgement.refusal(context, &candidate));
    }
    Ok(StepResult::unchanged(match judgement.gates.len() {
        0 => format!(
            "version {} may enter stage `{stage}`, which has no gates",
            candidate.number()
        ),
        gates => format!(
            "version {} may enter stage `{stage}`: all of {gates} gates hold",
            candidate.number()
        ),
    }))
}

/// The version and what every gate says of it. With time to wait, those that may still open are asked again until
/// all hold, one never will, or the time is up.
pub(crate) async fn judged<'a>(
    step: &Step,
    context: &'a StepContext,
    which: &VersionArgs,
    wait: Duration,
) -> Result<(Candidate<'a>, GateReport)> {
    let delay_scale = context.connection.delay_scale();
    let poll = Poll::until(wait, delay_scale);
    let mut progress = None;
    loop {
        let candidate = Candidate::find(context, which).await?;
        let judgement = match candidate.past {
            Some(_) => GateReport::default(),
            None => GateReport::of(context, &candidate).await?,
        };
        let left = poll.left();
        if judgement.all_hold() || !judgement.may_still_open() || left.is_zero() {
            return Ok((candidate, judgement));
        }
        let waits = judgement.waits_for();
        progress
            .get_or_insert_with(|| step.progress())
            .status(&format!("waiting up to {}: {waits}", Span(wait)));
        tokio::time::sleep(PAUSE.mul_f64(delay_scale).min(left)).await;
    }
}

/// How a step ends for a version that is in a later stage already.
pub(crate) fn past(candidate: &Candidate<'_>) -> Option<StepResult> {
    let later = candidate.past?;
    let others = candidate.others();
    let holds = match others.is_empty() {
        true => String::new(),
        false => format!(
            "; `{}` goes on holding {}",
            candidate.place.target,
            crate::registry::listed(&others)
        ),
    };
    Some(StepResult::unchanged(format!(
        "version {} of `{}` has passed stage `{}` already: it is in stage `{}`{holds}",
        candidate.number(),
        candidate.place.name,
        candidate.place.stage.name,
        later.name
    )))
}
