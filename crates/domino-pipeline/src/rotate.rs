//! `rotate`: a new token for a stage, into its GitHub secret, looked at, and only then the old one invalidated.
//!
//! Wherever it stops, the stage has a token that opens Domino, and the next run of the same command goes on from there: a
//! token that was made and is in no secret yet is taken, and those that a secret held before are invalidated.

use std::path::PathBuf;
use std::process::ExitCode;

use domino_core::api::service_accounts::{ServiceAccount, TokenDetails};
use domino_core::client::{Connection, write_once};
use domino_core::error::{CommandError, Exit};
use domino_core::step::{
    ChangeKind, Format, Interrupts, Plan, Step, StepResult, Subject, Through, block_on,
};
use secrecy::{ExposeSecret, SecretString};
use stage_file::{Stage, StageFile};

use crate::domino::{AccountNames, Administrator, TokenNames, administrators, as_account, project};
use crate::error::Result;
use crate::github::access::{self, Repository};
use crate::github::difference::EnvironmentPlan;
use crate::github::held::{Held, TOKEN_NAME};
use crate::github::secret::{Issued, Secrets, TOKEN, Values};
use crate::github::{apply, confirm, survey};
use crate::request_flags::RequestFlags;

/// The arguments of `domino-pipeline rotate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The stage, as in stages.toml
    #[arg(long = "stage", value_name = "STAGE")]
    stage: String,
    /// The repository on GitHub; may be given several times, each with a token of its own. `GITHUB_REPOSITORY`, or else git's
    /// origin, when not given
    #[arg(long = "repository", value_name = "OWNER/NAME")]
    repositories_asked: Vec<String>,
    /// The service account of the stage, in place of `service-account` in stages.toml
    #[arg(long = "service-account", value_name = "STAGE=NAME")]
    service_account: Vec<String>,
    /// The file with your own token for Domino; without one the variable DOMINO_ADMIN_TOKEN (or `DOMINO_ADMIN_TOKEN_<STAGE>`)
    #[arg(long, value_name = "FILE")]
    admin_token_file: Option<PathBuf>,
    /// Rotate without asking
    #[arg(short, long)]
    yes: bool,
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

/// A rotation: what there is, and what is to be done.
struct Rotation<'a> {
    stage: &'a Stage,
    connection: Connection,
    repository: &'a Repository,
    account: ServiceAccount,
    roles: Vec<String>,
    environment: EnvironmentPlan<'a>,
    held: Held,
    /// The token that the secret will hold, and its value where it was made before.
    token: (String, Option<SecretString>),
    /// Those that are invalidated in the end.
    old: Vec<String>,
    moves: Vec<Move>,
}

/// One move of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Move {
    Make,
    Write,
    Name,
    Look,
    Invalidate(String),
}

/// Plans, asks, and rotates.
pub fn run(args: &Args) -> Result<ExitCode> {
    let subject = Subject {
        program: "domino-pipeline",
        verb: "rotate",
        entity: String::new(),
        stage: args.stage.clone(),
    };
    let mut step = Step::begin(subject, args.format);
    let result = block_on(rotate(args, &mut step));
    Ok(step.finish(result))
}

async fn rotate(args: &Args, step: &mut Step) -> Result<StepResult, CommandError> {
    let may_ask = !args.yes;
    if may_ask {
        confirm::possible("say `rotate --yes`")?;
    }
    let file = StageFile::find(args.stages.as_deref())?;
    let stage = file.stage(&args.stage)?;
    step.in_stage(&stage.name);
    let name = AccountNames::read(&args.service_account, &file)?.of(stage);
    let limits = args.requests.limits(step);
    let repositories = access::open(limits.clone(), &file, &args.repositories_asked, step)?;
    let mut administrator = Administrator::new(args.admin_token_file.clone(), may_ask);
    let connection = administrator.connect(&limits, stage, step).await?;
    let mut rotations = Vec::new();
    for repository in &repositories {
        let connection = connection.clone();
        let rotation = Rotation::plan(&file, stage, connection, (repository, &name), step);
        rotations.push(rotation.await?);
    }
    step.show(&as_plan(&rotations));
    let moves = rotations.iter().map(|one| one.moves.len()).sum();
    if may_ask && !confirm::ask(moves, "in Domino and on GitHub")? {
        return Ok(StepResult::planned());
    }
    let told: Vec<Vec<String>> = rotations.iter().map(Rotation::all_told).collect();
    for (at, rotation) in rotations.iter_mut().enumerate() {
        let (before, later) = (told[..at].concat(), told[at + 1..].concat());
        rotation.carry_through((&before, &later), step).await?;
    }
    let tokens: Vec<&str> = rotations.iter().map(|one| one.token.0.as_str()).collect();
    Ok(StepResult::done(format!(
        "stage `{}` has token `{}`",
        stage.name,
        tokens.join("`, `")
    )))
}

/// The rotations of all repositories as one plan.
fn as_plan(rotations: &[Rotation<'_>]) -> Plan {
    let begun = |one: &Rotation<'_>| !one.moves.contains(&Move::Make);
    let mut plan = Plan::new(match (rotations.len(), rotations.iter().any(begun)) {
        (1, false) => "rotate the token".to_owned(),
        (1, true) => "finish a rotation that stopped".to_owned(),
        (count, _) => format!("rotate {count} tokens, one a repository"),
    });
    for (at, rotation) in rotations.iter().enumerate() {
        if at == 0 {
            plan.fact("service account", &rotation.account.username);
        }
        plan.fact("repository", &rotation.repository.name);
        if let Some(name) = &rotation.held.name {
            plan.fact("the secret holds", format!("token `{name}`"));
        }
    }
    let is_alone = rotations.len() == 1;
    for rotation in rotations {
        for one in &rotation.moves {
            let told = rotation.told(one);
            let told = match is_alone {
                true => told,
                false => format!("{}: {told}", rotation.repository.name),
            };
            plan.change(one.kind(), told);
        }
    }
    plan
}

impl Move {
    fn kind(&self) -> ChangeKind {
        match self {
            Self::Make => ChangeKind::Create,
            Self::Write | Self::Name => ChangeKind::Update,
            Self::Look => ChangeKind::Keep,
            Self::Invalidate(_) => ChangeKind::Remove,
        }
    }
}

impl<'a> Rotation<'a> {
    async fn plan(
        file: &'a StageFile,
        stage: &'a Stage,
        connection: Connection,
        (repository, name): (&'a Repository, &str),
        step: &mut Step,
    ) -> Result<Self, CommandError> {
        let reader = connection.reader();
        let mut accounts = reader.service_accounts().await?.into_iter();
        let account = accounts.find(|one| one.username == name).ok_or_else(|| {
            CommandError::refused(format!("there is no service account `{name}`")).hint(format!(
                "`domino-pipeline domino apply --stage {}` makes it, or name another one by `--service-account`",
                stage.name
            ))
        })?;
        let roles = reader.roles(&account.id).await?;
        let tokens = reader.tokens(&account).await?;
        let environment = &stage.github_environment;
        let held = Held::read(repository, environment).await?;
        let names = TokenNames::of(&repository.name, environment);
        let valid = names.valid(&tokens);
        let newest = valid.last().copied();
        let is_done = newest.is_some_and(|newest| held.is(newest));
        // One that is in no secret yet, or beside which others are still valid, is of a rotation that stopped.
        let begun = newest.filter(|_| !is_done || valid.len() > 1);
        let mut value = None;
        if let Some(begun) = begun {
            let found = reader.token(&account, begun).await?;
            value = found.and_then(|found| found.token);
        }
        if let Some(value) = &value {
            step.hide_text(value.expose_secret());
        }
        let token = match (begun, &value) {
            (Some(begun), Some(_)) => begun.to_owned(),
            // One that Domino does not tell again is of no use.
            _ => names.next(&tokens),
        };
        let old = valid.iter().filter(|&&one| one != token);
        let old: Vec<String> = old.map(|&one| one.to_owned()).collect();
        let issued = Secrets::issued(Issued::Written(token.clone()));
        let mut plans = survey::plan(repository, file, &[stage], &issued).await?;
        let environment = plans.remove(0);
        if environment.writes.iter().any(|write| !write.is_token()) {
            let error = format!(
                "GitHub environment `{}` is not as stages.toml says, and no token goes there",
                environment.environment
            );
            return Err(CommandError::refused(error)
                .hint("run `domino-pipeline github apply` first; nothing was changed"));
        }
        let mut moves = Vec::new();
        if value.is_none() {
            moves.push(Move::Make);
        }
        if !held.is(&token) {
            moves.extend([Move::Write, Move::Name]);
        }
        moves.push(Move::Look);
        moves.extend(old.iter().cloned().map(Move::Invalidate));
        warn_of_others(&names, &tokens, &held, step);
        Ok(Self {
            stage,
            connection,
            repository,
            account,
            roles,
            environment,
            held,
            token: (token, value),
            old,
            moves,
        })
    }

    fn told(&self, one: &Move) -> String {
        let (token, environment) = (&self.token.0, self.environment.environment);
        match one {
            Move::Make => format!("token `{token}` of `{}`", self.account.username),
            Move::Write => format!("secret `{TOKEN}` of GitHub environment `{environment}`"),
            Move::Name => format!("variable `{TOKEN_NAME}` of GitHub environment `{environment}`"),
            Move::Look => format!("a look at Domino with token `{token}`"),
            Move::Invalidate(old) => format!("token `{old}` invalidated"),
        }
    }

    fn all_told(&self) -> Vec<String> {
        let repository = &self.repository.name;
        let moves = self.moves.iter();
        moves
            .map(|one| format!("{repository}: {}", self.told(one)))
            .collect()
    }

    /// Makes the moves; a stop between them is told with what is valid then, and with the moves of other repositories that
    /// were made before or would come later.
    async fn carry_through(
        &mut self,
        (before, later): (&[String], &[String]),
        step: &mut Step,
    ) -> Result<(), CommandError> {
        let mut interrupts = Interrupts::listen()?;
        for at in 0..self.moves.len() {
            let one = self.moves[at].clone();
            let told = self.told(&one);
            let (done, error) = match interrupts.finish(self.perform(&one, step)).await {
                Through::Completed(Ok(())) => {
                    step.say(&format!("{told}: done"));
                    continue;
                }
                Through::Completed(Err(error)) => (at, error),
                Through::Interrupted(signal, ended) => {
                    let done = at + usize::from(matches!(ended, Some(Ok(()))));
                    (done, CommandError::new(signal.exit(), "interrupted"))
                }
            };
            let told = |moves: &[Move]| moves.iter().map(|one| self.told(one)).collect::<Vec<_>>();
            let (made, missing) = (told(&self.moves[..done]), told(&self.moves[done..]));
            let names = |names: Vec<String>| match names.as_slice() {
                [] => "nothing".to_owned(),
                names => names.join(", "),
            };
            step.report.fact("done", names([before, &made].concat()));
            step.report
                .fact("not done", names([&missing, later].concat()));
            let exit = error.exit();
            let count = self.moves.len();
            let outer = format!("the rotation is not whole: {done} of {count} moves were made");
            let outer = CommandError::new(exit, outer).hint(self.to_do(&error));
            return Err(error.context(outer));
        }
        Ok(())
    }

    /// What holds after a stop, and the next command.
    fn to_do(&self, error: &CommandError) -> String {
        let still = match self.old.as_slice() {
            [] => String::new(),
            old => format!("`{}` opens Domino still; ", old.join("`, `")),
        };
        let before = error
            .to_do()
            .map_or(String::new(), |hint| format!("{hint}; "));
        format!(
            "{before}{still}then `domino-pipeline rotate --stage {}` again, which goes on from here",
            self.stage.name
        )
    }

    async fn perform(&mut self, one: &Move, step: &mut Step) -> Result<(), CommandError> {
        match one {
            Move::Make => self.create(step).await,
            Move::Write => self.write().await,
            Move::Name => {
                let (name, environment) = (&self.token.0, self.environment.environment);
                self.held.set_name(self.repository, environment, name).await
            }
            Move::Look => self.look().await,
            Move::Invalidate(old) => self.invalidate(old).await,
        }
    }

    async fn create(&mut self, step: &mut Step) -> Result<(), CommandError> {
        let taken = administrators(&self.roles);
        if !taken.is_empty() {
            let name = &self.account.username;
            let error = format!(
                "`{name}` has `{}`, and a token of it would have them, too",
                taken.join("`, `")
            );
            return Err(CommandError::refused(error).hint(format!(
                "`domino-pipeline domino apply --stage {}` takes them from it",
                self.stage.name
            )));
        }
        let (writer, reader) = (self.connection.writer(), self.connection.reader());
        let (account, name) = (&self.account, &self.token.0);
        let made = write_once(
            self.connection.delay_scale(),
            async || writer.create_token(account, name).await,
            async || reader.token(account, name).await,
        );
        let token = made.await?.into_inner().token.ok_or_else(|| {
            CommandError::new(
                Exit::Unreachable,
                format!("Domino made token `{name}` and does not tell it"),
            )
        })?;
        step.hide_text(token.expose_secret());
        self.token.1 = Some(token);
        // One that does not sign in must not take the place of one that does.
        self.sign_in().await
    }

    fn value(&self) -> Result<&SecretString, CommandError> {
        let value = self.token.1.as_ref();
        value.ok_or_else(|| CommandError::message("the token was not made"))
    }

    /// Whom the token signs in.
    async fn sign_in(&self) -> Result<(), CommandError> {
        let account = as_account(&self.connection, self.value()?)?;
        let user = account.reader().own_user().await?;
        if user.id != self.account.id || !administrators(&user.roles).is_empty() {
            return Err(CommandError::refused(format!(
                "token `{}` signs in `{}` with roles `{}`",
                self.token.0,
                user.user_name,
                user.roles.join("`, `")
            )));
        }
        Ok(())
    }

    async fn write(&self) -> Result<(), CommandError> {
        let mut values = Values::default();
        values.add_token(&self.stage.name, self.value()?.clone());
        for write in &self.environment.writes {
            apply::perform(&self.environment, write, &values).await?;
        }
        Ok(())
    }

    /// What a deployment sees first: who it is, and the project.
    async fn look(&self) -> Result<(), CommandError> {
        self.sign_in().await?;
        let account = as_account(&self.connection, self.value()?)?;
        let name = &self.stage.project;
        match project(&account.reader(), name).await? {
            Some(_) => Ok(()),
            None => Err(CommandError::refused(format!(
                "token `{}` does not see project `{name}`",
                self.token.0
            ))
            .hint(format!(
                "`domino-pipeline domino apply --stage {}` makes the account a contributor",
                self.stage.name
            ))),
        }
    }

    async fn invalidate(&self, old: &str) -> Result<(), CommandError> {
        let (writer, reader) = (self.connection.writer(), self.connection.reader());
        let is_gone = |tokens: &[TokenDetails]| {
            let mut tokens = tokens.iter();
            !tokens.any(|token| token.name == old && token.is_valid)
        };
        write_once(
            self.connection.delay_scale(),
            async || writer.invalidate_token(&self.account, old).await,
            async || Ok(is_gone(&reader.tokens(&self.account).await?).then_some(())),
        )
        .await?;
        Ok(())
    }
}

/// Tokens of other names may be what the secret held; nobody can tell.
fn warn_of_others(names: &TokenNames, tokens: &[TokenDetails], held: &Held, step: &mut Step) {
    let own = names.valid(tokens);
    let others: Vec<&str> = tokens
        .iter()
        .filter(|token| token.is_valid && !own.contains(&token.name.as_str()))
        .map(|token| token.name.as_str())
        .collect();
    if held.has_secret && held.name.is_none() && !others.is_empty() {
        let text = format!(
            "which token the secret holds is not known, so that it stays valid; the account has `{}` besides: invalidate \
             the one that was meant",
            others.join("`, `")
        );
        step.warn(&text, None);
    }
}
