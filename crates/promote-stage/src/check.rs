//! `promote-stage check`: whether every gate of a stage admits a version. It changes nothing.

use domino_core::error::{Context as _, Result};
use domino_core::step::{Interrupts, Plan, Step, StepContext, StepFlags, StepResult};

use crate::arguments::{VersionArgs, WaitArgs};
use crate::evaluation::{already_promoted, evaluate};
use crate::gates::refusal;
use crate::sheet::describe;
use crate::target::cannot;

/// `promote-stage check`.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) which: VersionArgs,
    #[command(flatten)]
    patience: WaitArgs,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// Evaluates every gate and shows the results.
pub(crate) async fn check(
    step: &mut Step,
    context: &StepContext,
    args: &CheckArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let (candidate, report) = tokio::select! {
        evaluated = evaluate(step, context, &args.which, args.patience.wait) => {
            evaluated.with_context(|| cannot("check", &args.which.model, &context.stage))?
        }
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    let (stage, number) = (&context.stage.name, candidate.number());
    let mut plan = Plan::new(format!(
        "may version {number} of `{}` enter stage `{stage}`?",
        candidate.target.name
    ));
    describe(&candidate, &mut plan);
    step.show(&plan);
    candidate.outputs(&mut step.report);
    if let Some(ending) = already_promoted(&candidate) {
        return Ok(ending);
    }
    for remark in &report.remarks {
        step.warn(remark, None);
    }
    step.report.table = (!report.gates.is_empty()).then(|| report.table());
    if !report.all_hold() {
        return Err(refusal(&report, context, &candidate));
    }
    let gates = match report.gates.len() {
        0 => ", which has no gates".to_owned(),
        gates => format!(": all of {gates} gates hold"),
    };
    Ok(StepResult::unchanged(format!(
        "version {number} may enter stage `{stage}`{gates}"
    )))
}
