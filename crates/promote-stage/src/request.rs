//! `promote-stage request`: ask the people of a stage whether a version may enter, with a sheet to decide by.

mod bundle;
mod evidence;
mod report;
mod review;
mod work;

use domino_core::error::{CommandError, Context as _, Exit, Result};
use domino_core::step::{ChangeKind, Interrupts, Plan, Step, StepContext, StepFlags, StepResult};
use stage_file::DominoApproval;

use crate::arguments::VersionArgs;
use crate::by_people::check_not_taken_out;
use crate::candidate::{Candidate, Wanted};
use crate::evaluation::already_promoted;
use crate::gates;
use crate::gates::governance::Governed;
use crate::gates::result::{GateReport, Verdict};
use crate::inside::{self, Errand, InsideArgs};
use crate::lineage::Lineage;
use crate::machine::bail_if_interrupted;
use crate::request::evidence::Evidence;
use crate::request::work::{Ask, Work};
use crate::sheet::{Sheet, describe};
use crate::target::cannot;
use crate::told::Told;

/// `promote-stage request`.
#[derive(Debug, clap::Args)]
pub(crate) struct RequestArgs {
    #[command(flatten)]
    pub(crate) which: VersionArgs,
    /// Ask once more after the approval was refused
    #[arg(long)]
    again: bool,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    inside: InsideArgs,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// Shows the sheet, and requests approval if the stage requires one in Domino. A version that breaks a metric rule,
/// or whose trainer is unknown, is not requested: no approval would admit it.
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
    let work = Work::of(&candidate, &ask, args.again);
    let evidence = match &ask {
        Ask::Governance(governed) => Evidence::of(context, &candidate, governed)?,
        _ => Evidence::default(),
    };
    let has_work = matches!(work, Work::Ask(_));
    let planned = errand(context, args, &candidate, &evidence);
    let errand = inside::errand(context, &mut interrupts, has_work, planned).await?;
    let mut view = view(&candidate, &work);
    if has_work {
        evidence.describe(&mut view);
    }
    if let Some(errand) = &errand {
        errand.describe(&mut view);
    }
    step.show(&view);
    if let Some(ending) = already_promoted(&candidate) {
        return Ok(ending);
    }
    show_sheet(step, context, &candidate)?;
    if let Work::SentBack(by) = &work {
        return Err(sent_back(context, &candidate, by));
    }
    if let Ask::Review(_) = &ask {
        step.warn(gates::review::UNPROVEN, None);
    }
    step.report.next = Some(format!(
        "promote-stage check {} --to {} --version {}",
        candidate.target.model.name,
        context.stage.name,
        candidate.number()
    ));
    if let Work::Nothing(why) = work {
        if let Ask::Governance(governed) = &ask
            && let Some(request) = &governed.request
        {
            bundle::report(step, &request.bundle);
        }
        return Ok(StepResult::unchanged(why));
    }
    evidence.warn(step, &context.stage.name);
    if args.dry_run {
        return Ok(StepResult::planned());
    }
    bail_if_interrupted(&mut interrupts).await?;
    if let Some(errand) = errand {
        let asked = async {
            errand.run(step, &mut interrupts, args.inside).await?;
            check_asked(step, context, args).await
        };
        let asked = asked.await;
        let asked = asked.with_context(|| cannot("request", &which.model, &context.stage))?;
        return Ok(StepResult::done(asked));
    }
    let asked = match &ask {
        Ask::Nobody => Ok(String::new()),
        Ask::Governance(governed) => {
            bundle::submit(step, context, &candidate, governed, &evidence).await
        }
        Ask::Review(new) => review::ask_for_review(context, &candidate, new).await,
    };
    let asked = asked.with_context(|| cannot("request", &which.model, &context.stage))?;
    Ok(StepResult::done(asked))
}

/// Reads the candidate, and the state of its approval in Domino.
async fn plan<'a>(context: &'a StepContext, args: &RequestArgs) -> Result<(Candidate<'a>, Ask)> {
    let candidate = Candidate::find(context, &args.which, Wanted::All).await?;
    check_not_taken_out(context, &candidate, &args.which)?;
    if candidate.already_promoted.is_some() {
        return Ok((candidate, Ask::Nobody));
    }
    let ask = match context.stage.gates.domino_approval {
        DominoApproval::None => Ask::Nobody,
        DominoApproval::Governance => Ask::Governance(Governed::find(context, &candidate).await?),
        DominoApproval::Review => {
            gates::review::refuse_where_there_are_none(context).await?;
            Ask::Review(review::new_review(context, &candidate).await?)
        }
    };
    Ok((candidate, ask))
}

/// The run that requests in place of this step.
async fn errand<'a>(
    context: &'a StepContext,
    args: &RequestArgs,
    candidate: &Candidate<'_>,
    evidence: &Evidence,
) -> Result<Errand<'a>> {
    let mut flags = args.which.flags();
    if args.again {
        flags.push("--again".into());
    }
    let told = Told::by_this_step(&candidate.version, Vec::new())?;
    let told = told.with_smoke_test(evidence.smoke_test().map(str::to_owned));
    let planned = Errand::with_candidate(context, candidate, "request", flags, told).await;
    planned.with_context(|| cannot("request", &args.which.model, &context.stage))
}

/// Whether nothing remains to be requested after the run that was to do it; in words what was requested.
async fn check_asked(
    step: &mut Step,
    context: &StepContext,
    args: &RequestArgs,
) -> Result<String, CommandError> {
    let (candidate, ask) = plan(context, args).await?;
    if let Ask::Governance(governed) = &ask
        && let Some(request) = &governed.request
    {
        bundle::report(step, &request.bundle);
    }
    match Work::of(&candidate, &ask, false) {
        Work::Nothing(why) => Ok(why),
        Work::SentBack(by) => Err(sent_back(context, &candidate, &by)),
        Work::Ask(what) => Err(CommandError::refused(format!(
            "the run succeeded, and this is still to be done: {what}"
        ))
        .hint("somebody may have changed it since: look, then run this again")),
    }
}

fn view(candidate: &Candidate<'_>, work: &Work) -> Plan {
    let target = &candidate.target;
    let mut plan = Plan::new(format!(
        "ask for version {} of `{}` to enter stage `{}`",
        candidate.number(),
        target.name,
        target.stage.name
    ));
    describe(candidate, &mut plan);
    if let Work::Ask(what) = work {
        plan.change(ChangeKind::Create, what.clone());
    }
    plan
}

/// Reports the sheet with the gates that need no answer from a person. The error says which of them never opens.
fn show_sheet(step: &mut Step, context: &StepContext, candidate: &Candidate<'_>) -> Result<()> {
    let mut report = GateReport {
        gates: gates::metrics::evaluate(candidate),
        ..GateReport::default()
    };
    for remark in gates::metrics::remarks(candidate) {
        step.warn(&remark, None);
    }
    report.extend(gates::own_work::evaluate(candidate));
    for remark in std::mem::take(&mut report.remarks) {
        step.warn(&remark, None);
    }
    let broken = !report.all_hold();
    let soak_time = candidate.target.stage.gates.soak_time();
    let soak = gates::soak::evaluate(candidate, soak_time);
    report.gates.extend(soak);
    let sheet = Sheet::of(candidate);
    step.report.table = Some(sheet.table(&report));
    let lineage = Lineage::of_candidate(&context.file, candidate, None);
    step.report.sheet = Some(sheet.markdown(candidate, &report) + &lineage.markdown());
    step.report.data = Some(lineage.data());
    if !broken {
        return Ok(());
    }
    report
        .gates
        .retain(|result| result.verdict == Verdict::Never);
    Err(gates::refusal(&report, context, candidate))
}

/// An approval that was refused is not requested again by a simple rerun.
fn sent_back(context: &StepContext, candidate: &Candidate<'_>, by: &str) -> CommandError {
    let stage = &context.stage.name;
    CommandError::new(
        Exit::NotApproved,
        format!(
            "version {} of `{}` may not enter stage `{stage}`: {by} sent the request back",
            candidate.number(),
            candidate.target.name
        ),
    )
    .hint("talk to them, or train a better version; `--again` asks for this one once more")
    .at(&context.file, &["stage", stage, "gates"])
}
