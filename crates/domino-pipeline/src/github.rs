//! `github plan` and `github apply`: the GitHub environments of the stages, as the stage file describes them.
//!
//! A plan is made from what is read, and shown; only then is anything written. What the stage file does not mention
//! stays as people set it, with one exception: no other branch may deploy to a stage.

pub(crate) mod access;
pub(crate) mod apply;
pub(crate) mod confirm;
pub(crate) mod difference;
mod existing;
pub(crate) mod held;
pub(crate) mod hidden;
mod sealed;
pub(crate) mod secret;
pub(crate) mod survey;
mod wanted;

use std::path::PathBuf;
use std::process::ExitCode;

use domino_core::error::{CommandError, Exit};
use domino_core::step::{ChangeKind, Format, Plan, Step, StepResult, Subject, block_on};
use stage_file::{Stage, StageFile};

use self::access::Repository;
use self::confirm::Consent;
use self::difference::{EnvironmentPlan, Write};
use self::secret::{SecretFlags, Secrets, Source};
use crate::error::Result;
use crate::request_flags::RequestFlags;
use crate::stage_token;

/// The arguments of `domino-pipeline github`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show what would be changed on GitHub, and change nothing
    Plan(Common),
    /// Show the plan, ask, and carry it out
    Apply {
        #[command(flatten)]
        common: Common,
        /// Carry the plan out without asking
        #[arg(short, long)]
        yes: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Common {
    /// Only this stage, as in stages.toml; may be given several times. All of them when not given
    #[arg(long = "stage", value_name = "STAGE")]
    stages_asked: Vec<String>,
    /// The repository on GitHub; may be given several times. `GITHUB_REPOSITORY`, or else git's origin, when not given
    #[arg(long = "repository", value_name = "OWNER/NAME")]
    repositories: Vec<String>,
    /// Where the values of secrets come from.
    #[command(flatten)]
    secrets: SecretFlags,
    /// The stage file; when not given, stages.toml here or in a folder above
    #[arg(long, value_name = "FILE")]
    stages: Option<PathBuf>,
    /// How the plan and the result are written to stdout
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = Format::of_every_step())]
    format: Format,
    /// How requests are made.
    #[command(flatten)]
    requests: RequestFlags,
}

/// Plans, and if requested, asks and applies.
pub fn run(args: &Args) -> Result<ExitCode> {
    let (common, consent, verb) = match &args.verb {
        Verb::Plan(common) => (common, Consent::OnlyPlan, "github plan"),
        Verb::Apply { common, yes: false } => (common, Consent::Ask, "github apply"),
        Verb::Apply { common, yes: true } => (common, Consent::Given, "github apply"),
    };
    let subject = Subject {
        program: "domino-pipeline",
        verb,
        entity: String::new(),
        stage: String::new(),
    };
    let mut step = Step::begin(subject, common.format);
    let result = block_on(set_up(common, consent, &mut step));
    Ok(step.finish(result))
}

async fn set_up(
    args: &Common,
    consent: Consent,
    step: &mut Step,
) -> Result<StepResult, CommandError> {
    if consent == Consent::Ask {
        confirm::possible("look at `domino-pipeline github plan`, then say `github apply --yes`")?;
    }
    let file = StageFile::find(args.stages.as_deref())?;
    let stages = stage_token::stages(&file, &args.stages_asked)?;
    let may_ask = consent == Consent::Ask;
    let secrets = Secrets::of(&args.secrets, &file, &stages, may_ask, step)?;
    let limits = args.requests.limits(step);
    let repositories = access::open(limits, &file, &args.repositories, step)?;
    let mut plans = Vec::new();
    for repository in &repositories {
        plans.extend(survey::plan(repository, &file, &stages, &secrets).await?);
    }
    step.show(&as_plan(&plans, &repositories, &stages));
    for repository in &repositories {
        for warning in survey::doubts(repository).await {
            step.warn(&warning, None);
        }
    }
    let writes: usize = plans.iter().map(|plan| plan.writes.len()).sum();
    let missing: Vec<String> = plans.iter().filter_map(EnvironmentPlan::lacks).collect();
    if consent == Consent::OnlyPlan {
        for lacks in &missing {
            step.warn(&format!("{lacks}: {}", secret::TO_DO), None);
        }
        return Ok(match writes {
            0 if missing.is_empty() => {
                StepResult::unchanged("everything is as stages.toml says: nothing would be changed")
            }
            _ => StepResult::planned(),
        });
    }
    if writes > 0 {
        if consent == Consent::Ask && !confirm::ask(changes(&plans), "on GitHub")? {
            return Ok(StepResult::planned());
        }
        let wanted: Vec<_> = plans.iter().flat_map(secrets_of).collect();
        let values = Secrets::values(&wanted, step).await?;
        apply::apply(&plans, &values, step).await?;
    }
    if !missing.is_empty() {
        return Err(CommandError::new(Exit::Refused, missing.join("; ")).hint(secret::TO_DO));
    }
    Ok(match writes {
        0 => StepResult::unchanged("everything is as stages.toml says: nothing was changed"),
        _ => StepResult::done(format!(
            "{} now as stages.toml says",
            match plans.len() {
                1 => "1 environment is".to_owned(),
                count => format!("{count} environments are"),
            }
        )),
    })
}

/// Everything as one plan: a line for each thing.
fn as_plan(plans: &[EnvironmentPlan<'_>], repositories: &[Repository], stages: &[&Stage]) -> Plan {
    let names: Vec<&str> = stages
        .iter()
        .map(|stage| stage.github_environment.as_str())
        .collect();
    let mut shown = Plan::new(match changes(plans) {
        0 => "nothing is to be changed on GitHub".to_owned(),
        _ => format!("set up {} on GitHub", environments(plans.len())),
    });
    shown.fact("environments", names.join(", "));
    let names: Vec<&str> = repositories.iter().map(|one| one.name.as_str()).collect();
    shown.fact("repositories", names.join(", "));
    let several = repositories.len() > 1;
    for plan in plans {
        for (kind, text) in &plan.lines {
            let place = match several {
                true => format!("{} ", plan.repository.name),
                false => String::new(),
            };
            shown.change(*kind, format!("{place}{}: {text}", plan.environment));
        }
    }
    shown
}

/// The secrets that a plan writes.
pub(crate) fn secrets_of<'a>(
    plan: &'a EnvironmentPlan<'_>,
) -> impl Iterator<Item = (&'a Stage, &'static str, &'a Source)> {
    plan.writes.iter().filter_map(|write| match write {
        Write::Secret { name, source, .. } => Some((plan.stage, *name, source)),
        _ => None,
    })
}

/// How many lines of the plan change something.
fn changes(plans: &[EnvironmentPlan<'_>]) -> usize {
    let lines = plans.iter().flat_map(|plan| &plan.lines);
    lines.filter(|(kind, _)| *kind != ChangeKind::Keep).count()
}

fn environments(count: usize) -> String {
    match count {
        1 => "1 environment".to_owned(),
        count => format!("{count} environments"),
    }
}
