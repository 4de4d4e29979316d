//! `history`: what was deployed where, when, by whom and with whose approval, from the receipts of deployments; what ran at a
//! time; and for an auditor who approved what, with the gaps named.
//!
//! It changes nothing but the local copy of the notes.

mod args;
mod audit;
mod csv_text;
mod page;
mod row;
mod text;
mod time;

use std::process::ExitCode;

use domino_core::error::Exit;
use domino_core::receipt::{History, NOTES, Receipt, in_folder};
use domino_core::step::{self, Step, Subject, block_on};

pub use self::args::{Args, Format};
use self::row::{Report, Row, View};
use self::time::{Period, moment};
use crate::error::Result;
use crate::printed::{print, summarize};
use crate::receipts::remote::{Lose, Remote};
use crate::repository;

/// Reads the receipts, and shows what was asked of them.
///
/// # Errors
/// A time that cannot be read, receipts that cannot be read.
pub fn run(args: &Args) -> Result<ExitCode> {
    let view = view(args)?;
    let subject = Subject {
        program: "domino-pipeline",
        verb: "history",
        entity: String::new(),
        stage: String::new(),
    };
    let mut step = Step::begin(subject, step::Format::Text);
    let history = receipts(args, &mut step)?;
    let is_asked = |receipt: &Receipt| {
        let named = |names: &[String], name: &String| names.is_empty() || names.contains(name);
        named(&args.stages_asked, &receipt.stage) && named(&args.entities, &receipt.entity)
    };
    let asked = view.of(&history);
    let asked = asked
        .into_iter()
        .filter(|sealed| is_asked(&sealed.receipt))
        .map(Row::of);
    let mut report = Report {
        rows: asked.collect(),
        flaws: history.check().iter().map(ToString::to_string).collect(),
        is_linked: history.is_linked,
        ..Report::of(view)
    };
    if let View::Audit(period) = &report.view {
        let others = audit::Others {
            args,
            history: &history,
            period: period.clone(),
        };
        block_on(async {
            others.ask(&mut step, &mut report).await;
            Ok(())
        })?;
    }
    report.sort();
    if args.format == Format::Text {
        let flaws = report.flaws.clone();
        for flaw in &flaws {
            step.warn(&format!("a receipt is not as it was: {flaw}"), None);
        }
    }
    let text = written(&report, args.format)?;
    print(&mut step, &text)?;
    if args.format == Format::Markdown {
        summarize(&step, &text);
    }
    let is_whole = report.flaws.is_empty() && report.gaps().next().is_none();
    Ok(match args.exit_code && !is_whole {
        true => ExitCode::from(Exit::Differs as u8),
        false => ExitCode::SUCCESS,
    })
}

fn view(args: &Args) -> Result<View> {
    Ok(match (&args.at, &args.audit) {
        (Some(at), _) => View::At(moment(at, &args.timezone)?),
        (None, Some(period)) => View::Audit(Period::read(period, &args.timezone)?),
        (None, None) => View::All,
    })
}

/// The receipts of a folder, or those of the notes as `origin` has them.
fn receipts(args: &Args, step: &mut Step) -> Result<History> {
    if let Some(folder) = &args.receipts {
        return Ok(in_folder(folder)?);
    }
    let folder = args.repository.clone().unwrap_or_else(repository::root);
    let remote = Remote::of(&folder);
    if !args.offline
        && let Err(problem) = remote.fetch(NOTES, Lose::Nothing)
    {
        let text =
            format!("the notes of `origin` could not be fetched, what is here counts: {problem}");
        step.warn(&text, None);
    }
    Ok(remote.notes(NOTES).read()?)
}

fn written(report: &Report, format: Format) -> Result<String> {
    Ok(match format {
        Format::Text => text::text(report),
        Format::Json => serde_json::to_string_pretty(&report.document())?,
        Format::Markdown => text::markdown(report),
        Format::Html => page::page(report),
        Format::Csv => csv_text::csv(report)?,
    })
}
