//! `back`: an app, a schedule or a model goes back to what ran in a stage before, and is held there; or is let go on.
//!
//! It deploys nothing itself. It finds out what is meant, from the receipts, and runs the programs that deploy, with the
//! same checks and approvals as ever.

mod entity;
mod programs;
mod receipts;
mod target;

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use domino_core::api::registered_models::VersionNumber;
use domino_core::step::{ChangeKind, Format, Plan, Step, Subject};
use stage_file::{Stage, StageFile};

use self::entity::Entity;
use self::programs::Invocation;
use self::target::Target;
use crate::error::{Result, VerbError};

/// The target that lets something go on.
const RELEASE: &str = "release";

/// The arguments of `domino-pipeline back`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The stage, as in stages.toml
    #[arg(long, value_name = "STAGE")]
    pub stage: String,
    /// What goes back: an app, a model or a job with a schedule; as `app dashboard` where several are called so
    #[arg(long, value_name = "NAME", env = "BACK_ENTITY")]
    pub entity: String,
    /// To what: `previous`, a receipt (the beginning of its hash), a day or a time such as `2026-11-12`, or a commit
    #[arg(
        long,
        value_name = "TARGET",
        env = "BACK_TO",
        required_unless_present = "release"
    )]
    pub to: Option<String>,
    /// Deploy the commit of this checkout or workflow run, and hold it no longer; the same as `--to release`
    #[arg(long, conflicts_with = "to")]
    pub release: bool,
    /// The version of a model, where no receipt tells it
    #[arg(long, value_name = "VERSION")]
    pub version: Option<VersionNumber>,
    /// The stage file; when not given, stages.toml here or in a folder above
    #[arg(long, value_name = "FILE")]
    pub stages: Option<PathBuf>,
    /// A folder with receipts, such as the artifacts of a run, in place of the notes of this repository
    #[arg(long, value_name = "FOLDER")]
    pub receipts: Option<PathBuf>,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Show the plan and change nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
}

/// Plans, asks, and has it done. The exit is that of the program that does it.
pub fn run(args: &Args) -> Result<ExitCode> {
    let file = StageFile::find(args.stages.as_deref())?;
    let stage = file.stage(&args.stage)?;
    let entity = Entity::named(&file, stage, &args.entity)?;
    if !(args.yes || args.dry_run || can_ask()) {
        let error = VerbError::usage("nobody can be asked: this is no terminal");
        return Err(error.hint("look at it with `--dry-run`, then say `--yes`"));
    }
    let (plan, invocations) = match args.to.as_deref().map(str::trim) {
        None | Some(RELEASE) => release(stage, &entity),
        // A field that nobody filled in.
        Some("") => back(args, &file, stage, &entity, target::PREVIOUS)?,
        Some(to) => back(args, &file, stage, &entity, to)?,
    };
    let subject = Subject {
        program: "domino-pipeline",
        verb: "back",
        entity: entity.name().to_owned(),
        stage: stage.name.clone(),
    };
    let mut step = Step::begin(subject, Format::Text);
    step.show(&plan);
    if !args.yes {
        // What comes after the first is planned once that is done: it asks what then holds.
        let Some(first) = invocations.first() else {
            return Ok(ExitCode::SUCCESS);
        };
        let exit = first.dry_run()?;
        if args.dry_run || exit != 0 {
            return Ok(ExitCode::from(exit));
        }
        if !ask()? {
            eprintln!("nothing was changed");
            return Ok(ExitCode::SUCCESS);
        }
    }
    for invocation in &invocations {
        let exit = invocation.run()?;
        if exit != 0 {
            return Ok(ExitCode::from(exit));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What going back means.
fn back(
    args: &Args,
    file: &StageFile,
    stage: &Stage,
    entity: &Entity<'_>,
    to: &str,
) -> Result<(Plan, Vec<Invocation>)> {
    let folder = file.path.parent().unwrap_or(Path::new(""));
    let history = receipts::receipts(args.receipts.as_deref(), &Path::new(".").join(folder))?;
    let chain = (stage.name.as_str(), entity.receipt_kind(), entity.name());
    let target = Target::find(&history, chain, to, args.version)?;
    let mut plan = Plan::new(format!(
        "go back with {entity} in stage `{}`, and hold it there",
        stage.name
    ));
    if let Some(now) = target::newest(&history, chain) {
        plan.fact("now", target::in_words(now));
    }
    plan.fact("back to", &target.words);
    let invocations = entity.back_to(file, stage, &target)?;
    show(&mut plan, &invocations);
    Ok((plan, invocations))
}

fn release(stage: &Stage, entity: &Entity<'_>) -> (Plan, Vec<Invocation>) {
    let mut plan = Plan::new(format!(
        "let {entity} go on in stage `{}`, to the commit of this checkout or workflow run",
        stage.name
    ));
    let invocations = entity.released(stage);
    show(&mut plan, &invocations);
    (plan, invocations)
}

fn show(plan: &mut Plan, invocations: &[Invocation]) {
    for invocation in invocations {
        plan.change(ChangeKind::Update, invocation.to_string());
    }
}

fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn ask() -> Result<bool> {
    eprint!("\ndo this? [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    let answer = answer.trim().to_ascii_lowercase();
    Ok(answer == "y" || answer == "yes")
}
