//! A version and the results of every gate, with a wait while a gate may still open.

use std::time::Duration;

use domino_core::error::Result;
use domino_core::step::{Step, StepContext, StepResult};
use domino_core::wait::{Poll, Span};

use crate::arguments::VersionArgs;
use crate::by_people::check_not_taken_out;
use crate::candidate::{Candidate, Wanted};
use crate::gates;
use crate::gates::result::GateReport;
use crate::registry::listed;

/// The pause between two evaluations of gates that may still open. People decide within minutes.
const PAUSE: Duration = Duration::from_secs(10);

/// Reads the version and evaluates every gate. If there is time to wait, gates that may still open are evaluated
/// again until all hold, one never will, or the time is up.
pub(crate) async fn evaluate<'a>(
    step: &Step,
    context: &'a StepContext,
    which: &VersionArgs,
    wait: Duration,
) -> Result<(Candidate<'a>, GateReport)> {
    let delay_scale = context.connection.delay_scale();
    let poll = Poll::until(wait, delay_scale);
    let mut progress = None;
    loop {
        let candidate = Candidate::find(context, which, Wanted::Decision).await?;
        check_not_taken_out(context, &candidate, which)?;
        let report = match candidate.already_promoted {
            Some(_) => GateReport::default(),
            None => gates::evaluate(context, &candidate).await?,
        };
        let left = poll.left();
        if report.all_hold() || !report.may_still_open() || left.is_zero() {
            return Ok((candidate, report));
        }
        let waits = report.waits_for();
        progress
            .get_or_insert_with(|| step.progress())
            .status(&format!("waiting up to {}: {waits}", Span(wait)));
        tokio::time::sleep(PAUSE.mul_f64(delay_scale).min(left)).await;
    }
}

/// How a step ends for a version that is already in a later stage.
pub(crate) fn already_promoted(candidate: &Candidate<'_>) -> Option<StepResult> {
    let later = candidate.already_promoted?;
    let others = candidate.others();
    let holds = match others.is_empty() {
        true => String::new(),
        false => format!(
            "; `{}` goes on holding {}",
            candidate.target.model_stage,
            listed(&others)
        ),
    };
    Some(StepResult::unchanged(format!(
        "version {} of `{}` has passed stage `{}` already: it is in stage `{}`{holds}",
        candidate.number(),
        candidate.target.name,
        candidate.target.stage.name,
        later.name
    )))
}
