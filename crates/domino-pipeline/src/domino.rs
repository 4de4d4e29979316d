//! `domino plan` and `domino apply`: what a stage needs in Domino, and its token straight into the GitHub environment.
//!
//! A plan is made of what is read, and shown; only then is anything written. What else is set there stays. What the token
//! may not do, and what no published route does, is told in words, and the rest goes on.

mod account;
mod administrator;
mod code;
mod perform;
mod seen;
mod set_up;

use std::path::PathBuf;
use std::process::ExitCode;

use domino_core::client::Limits;
use domino_core::error::{CommandError, Context, Exit};
use domino_core::step::{
    ChangeKind, Format, Interrupts, Plan, Step, StepResult, Subject, Through, block_on,
};
use stage_file::{Stage, StageFile};

pub(crate) use self::account::{AccountNames, TokenNames};
pub(crate) use self::administrator::Administrator;
use self::code::{Code, GitToken};
use self::perform::Failure;
use self::seen::is_forbidden;
pub(crate) use self::seen::{administrators, as_account, project};
use self::set_up::{StageSetUp, Write};
use crate::error::Result;
use crate::github::access::{self, Repository};
use crate::github::confirm::{self, Consent};
use crate::github::secret::Secrets;
use crate::request_flags::RequestFlags;
use crate::{github_access, stage_token};

/// The arguments of `domino-pipeline domino`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show what would be made in Domino, and change nothing
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
    /// The repository on GitHub; may be given several times: the first is the code of the projects, and each gets the
    /// stages' tokens. `GITHUB_REPOSITORY`, or else git's origin, when not given
    #[arg(long = "repository", value_name = "OWNER/NAME")]
    repositories_asked: Vec<String>,
    /// The service account of a stage, in place of `service-account` in stages.toml; may be given several times
    #[arg(long = "service-account", value_name = "STAGE=NAME")]
    service_accounts: Vec<String>,
    /// The file with your own token for Domino; without one the variable DOMINO_ADMIN_TOKEN (or `DOMINO_ADMIN_TOKEN_<STAGE>`)
    #[arg(long, value_name = "FILE")]
    admin_token_file: Option<PathBuf>,
    /// The file with a token that may read the repository, for the runs; without one the variable DOMINO_GIT_TOKEN
    #[arg(long, value_name = "FILE")]
    git_token_file: Option<PathBuf>,
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

/// Plans, and where that was asked for, asks and applies.
pub fn run(args: &Args) -> Result<ExitCode> {
    let (common, consent, verb) = match &args.verb {
        Verb::Plan(common) => (common, Consent::OnlyPlan, "domino plan"),
        Verb::Apply { common, yes: false } => (common, Consent::Ask, "domino apply"),
        Verb::Apply { common, yes: true } => (common, Consent::Given, "domino apply"),
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
        confirm::possible("look at `domino-pipeline domino plan`, then say `domino apply --yes`")?;
    }
    let file = StageFile::find(args.stages.as_deref())?;
    let stages = stage_token::stages(&file, &args.stages_asked)?;
    let accounts = AccountNames::read(&args.service_accounts, &file)?;
    let may_ask = consent == Consent::Ask;
    let limits = args.requests.limits(step);
    let (code, repositories) = code(args, &file, &limits, step)?;
    let mut administrator = Administrator::new(args.admin_token_file.clone(), may_ask);
    let mut plans = Vec::new();
    for &stage in &stages {
        let connection = administrator.connect(&limits, stage, step).await?;
        let git_token = GitToken::of(args.git_token_file.as_ref(), stage, may_ask, step)?;
        let what = (accounts.of(stage), &code, git_token);
        let so_far = (repositories.first(), plans.as_slice());
        let looked =
            || CommandError::message(format!("cannot look at stage `{}` in Domino", stage.name));
        let plan = StageSetUp::plan(&file, stage, connection, what, so_far, step);
        let plan = plan.await.with_context(looked)?;
        let mut besides = Vec::new();
        for repository in repositories.iter().skip(1) {
            let beside = plan.beside(&file, repository, step);
            besides.push(beside.await.with_context(looked)?);
        }
        plans.push(plan);
        plans.append(&mut besides);
    }
    step.show(&as_plan(&plans, &code, &repositories));
    let writes: usize = plans.iter().map(|plan| plan.writes.len()).sum();
    let mut left: Vec<String> = plans.iter().flat_map(left_of).collect();
    if consent != Consent::OnlyPlan && writes > 0 {
        if consent == Consent::Ask && !confirm::ask(writes, "in Domino and on GitHub")? {
            return Ok(StepResult::planned());
        }
        for plan in &mut plans {
            let stage = plan.stage;
            let is_needed = plan.writes.contains(&Write::GitCredential);
            if let Some(token) = plan.git_token.as_mut().filter(|_| is_needed) {
                token.ask(stage, step).await?;
            }
        }
        left.extend(apply(&mut plans, step).await?);
    }
    for words in &left {
        step.warn(words, None);
    }
    Ok(match (consent, writes, left.len()) {
        (Consent::OnlyPlan, 0, 0) => {
            StepResult::unchanged("everything is as stages.toml says: nothing would be changed")
        }
        (Consent::OnlyPlan, _, _) => StepResult::planned(),
        (_, _, 1..) => {
            let error = format!(
                "the set-up is not whole: {} left to people",
                things(left.len())
            );
            return Err(CommandError::new(Exit::Refused, error)
                .hint("do what the warnings say, and run this again: it makes what is missing"));
        }
        (_, 0, 0) => {
            StepResult::unchanged("everything is as stages.toml says: nothing was changed")
        }
        (_, _, 0) => StepResult::done(match stages.len() {
            1 => "1 stage is set up in Domino".to_owned(),
            count => format!("{count} stages are set up in Domino"),
        }),
    })
}

/// The code, and the repositories; none where there is no token for GitHub.
fn code(
    args: &Common,
    file: &StageFile,
    limits: &Limits,
    step: &mut Step,
) -> Result<(Code, Vec<Repository>), CommandError> {
    let asked = &args.repositories_asked;
    if github_access::token().is_some() {
        let repositories = access::open(limits.clone(), file, asked, step)?;
        return Ok((Code::of(repositories[0].name.clone()), repositories));
    }
    let name = asked.first().cloned();
    let name = name.or_else(|| github_access::repository(file));
    let name = name.ok_or_else(|| {
        CommandError::usage("which repository is meant is not known")
            .hint("name it by `--repository OWNER/NAME`: git has no `origin` on GitHub here")
    })?;
    Ok((Code::of(name), Vec::new()))
}

/// Makes the writes of all stages. Gives what could not be done with this token, in words.
async fn apply(plans: &mut [StageSetUp<'_>], step: &mut Step) -> Result<Vec<String>, CommandError> {
    let mut interrupts = Interrupts::listen()?;
    let mut left = Vec::new();
    let all: Vec<(usize, Write)> = (0..)
        .zip(plans.iter())
        .flat_map(|(at, plan)| plan.writes.iter().map(move |write| (at, write.clone())))
        .collect();
    let names: Vec<String> = all
        .iter()
        .map(|(at, write)| format!("{}: {write}", plans[*at].title()))
        .collect();
    let mut values = Secrets::values(&model_tokens(plans), step).await?;
    let (mut done, mut not_done) = (Vec::new(), Vec::new());
    for (number, (at, write)) in all.iter().enumerate() {
        let name = &names[number];
        let performed = plans[*at].perform(write, &mut values, step);
        let stopped = match interrupts.finish(performed).await {
            Through::Completed(Ok(())) => None,
            Through::Completed(Err(Failure::Domino(error))) if is_forbidden(&error) => {
                let to_do = "let an administrator, or the owner of the project, run this";
                left.push(format!(
                    "{name}: this token may not do it; {to_do}: {error}"
                ));
                not_done.push(name.clone());
                continue;
            }
            Through::Completed(Err(Failure::Lacks(what))) => {
                left.push(format!("{name}: needs {what}, which is not there"));
                not_done.push(name.clone());
                continue;
            }
            Through::Completed(Err(Failure::GitHub(error))) => {
                left.push(refused_by_github(&plans[*at], write, name, &error));
                not_done.push(name.clone());
                continue;
            }
            Through::Completed(Err(Failure::Skipped)) => {
                not_done.push(name.clone());
                continue;
            }
            Through::Completed(Err(Failure::Domino(error))) => Some(error.into()),
            Through::Completed(Err(Failure::Other(error))) => Some(error),
            Through::Interrupted(signal, ended) => {
                if let Some(Ok(())) = ended {
                    done.push(name.clone());
                }
                let error = CommandError::new(signal.exit(), "interrupted");
                Some(error)
            }
        };
        if let Some(error) = stopped {
            let rest = names[number..].iter();
            not_done.extend(rest.filter(|name| !done.contains(name)).cloned());
            let told = format!(
                "the set-up is not whole: {} of {} writes were made",
                done.len(),
                names.len()
            );
            report(step, &done, &not_done);
            let exit = error.exit();
            let to_do = error.to_do().is_none().then_some(AGAIN);
            let outer = CommandError::new(exit, told);
            return Err(error.context(match to_do {
                Some(to_do) => outer.hint(to_do),
                None => outer,
            }));
        }
        step.say(&format!("{name}: done"));
        done.push(name.clone());
    }
    if !not_done.is_empty() {
        report(step, &done, &not_done);
    }
    Ok(left)
}

/// What GitHub refused of a stage, in words.
fn refused_by_github(
    plan: &StageSetUp<'_>,
    write: &Write,
    name: &str,
    error: &CommandError,
) -> String {
    let token = plan.token_without_secret(write);
    let to_do = error.to_do().map(str::to_owned);
    let parts = [Some(format!("{name}: {error}")), token, to_do];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// What to do after a stop.
const AGAIN: &str = "run this again: it makes what is missing, and nothing twice";

fn report(step: &mut Step, done: &[String], not_done: &[String]) {
    let list = |names: &[String]| match names {
        [] => "nothing".to_owned(),
        names => names.join(", "),
    };
    step.report.fact("done", list(done));
    step.report.fact("not done", list(not_done));
}

/// The tokens of endpoints, which go to GitHub along with the account's.
fn model_tokens<'a>(
    plans: &'a [StageSetUp<'_>],
) -> Vec<(&'a Stage, &'static str, &'a crate::github::secret::Source)> {
    let all = plans.iter().filter(|plan| !plan.is_beside);
    let all = all.filter_map(|plan| plan.github.as_ref());
    all.flat_map(|github| crate::github::secrets_of(&github.plan))
        .collect()
}

fn left_of(plan: &StageSetUp<'_>) -> Vec<String> {
    let left = plan.left.iter();
    left.map(|words| format!("{}: {words}", plan.title()))
        .collect()
}

/// All of it as one plan: a line for each thing.
fn as_plan(plans: &[StageSetUp<'_>], code: &Code, repositories: &[Repository]) -> Plan {
    let is_change = |(kind, _): &&(ChangeKind, String)| *kind != ChangeKind::Keep;
    let changes = plans.iter().flat_map(|plan| &plan.lines).filter(is_change);
    let stages = plans.iter().filter(|plan| !plan.is_beside);
    let names: Vec<&str> = stages.map(|plan| plan.stage.name.as_str()).collect();
    let mut shown = Plan::new(match changes.count() {
        0 => "nothing is to be changed in Domino".to_owned(),
        _ => format!("set up {} in Domino", names.join(", ")),
    });
    shown.fact("repository", &code.repository);
    let others = repositories.iter().skip(1).map(|one| one.name.as_str());
    let others: Vec<&str> = others.collect();
    if !others.is_empty() {
        shown.fact("and secrets to", others.join(", "));
    }
    if let Some(plan) = plans.first() {
        shown.fact("as", &plan.seen.own.user_name);
    }
    for plan in plans {
        for (kind, text) in &plan.lines {
            shown.change(*kind, format!("{}: {text}", plan.title()));
        }
    }
    shown
}

fn things(count: usize) -> String {
    match count {
        1 => "1 thing is".to_owned(),
        count => format!("{count} things are"),
    }
}
