//! The flags that every program has, and what they open: the stage file, the stage, the connection.

use crate::error::{CommandError, Result};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::Step;
use super::format::Format;
use super::tls_flags::TlsFlags;
use crate::client::{Connection, Limits};
use crate::credential::Credential;
use crate::variable::{is_on_github, variable};
use stage_file::{Host, Kind, Problem, Stage, StageFile};

/// Where a program works and how it speaks.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Common options")]
pub struct StepFlags {
    /// The stage, as in stages.toml; when not given, the one that DOMINO_ENV names
    #[arg(long, value_name = "STAGE")]
    pub stage: Option<String>,
    /// The stage file; when not given, stages.toml here or in a folder above
    #[arg(long, value_name = "FILE")]
    pub stages: Option<PathBuf>,
    /// How the plan and the result are written to stdout
    #[arg(long, default_value = "text", value_parser = Format::of_every_step())]
    pub format: Format,
    /// Certificates.
    #[command(flatten)]
    pub tls: TlsFlags,
    /// How long one request may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub request_timeout: Duration,
    /// Name each request and its answer's status on stderr
    #[arg(short, long)]
    pub verbose: bool,
    /// Multiplies every pause between requests; below 1 for rehearsals and tests
    #[arg(long = "pace", hide = true, env = "DOMINO_PACE", default_value_t = 1.0, value_parser = delay_scale)]
    pub delay_scale: f64,
}

/// A program as its steps know it.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Its name and version, which Domino sees in each request.
    pub name: &'static str,
    /// The kind of entity that it deploys.
    pub kind: Kind,
}

/// What a step has opened.
#[derive(Debug)]
pub struct StepContext {
    /// The stage file, read and validated.
    pub file: StageFile,
    /// The stage that the step works in.
    pub stage: Stage,
    /// The connection to the stage's Domino.
    pub connection: Connection,
}

impl StepContext {
    /// Reads the stage file, finds the stage, and prepares the connection. Nothing is sent yet.
    pub fn open(flags: &StepFlags, step: &mut Step, program: Program) -> Result<Self> {
        Self::open_in(flags, step, program, own_environment, |file, variable| {
            chosen_stage(file, "--stage", flags.stage.as_deref(), variable)
        })
    }

    /// The same for a step whose stage is given as `--to`.
    pub fn open_to(flags: &StepFlags, step: &mut Step, program: Program) -> Result<Self> {
        Self::open_in(flags, step, program, own_environment, |file, variable| {
            chosen_stage(file, "--to", flags.stage.as_deref(), variable)
        })
    }

    /// The same for a step that requests entry to the stage `--to` and runs in the stage before it: `DOMINO_ENV` may
    /// name either.
    pub fn open_before(flags: &StepFlags, step: &mut Step, program: Program) -> Result<Self> {
        Self::open_in(
            flags,
            step,
            program,
            environment_before,
            |file, variable| next_stage(file, flags.stage.as_deref(), variable),
        )
    }

    fn open_in(
        flags: &StepFlags,
        step: &mut Step,
        program: Program,
        environment: for<'a> fn(&'a StageFile, &'a Stage) -> &'a str,
        chosen: impl for<'a> Fn(&'a StageFile, Option<&str>) -> Result<&'a Stage>,
    ) -> Result<Self> {
        let file = StageFile::find(flags.stages.as_deref())?;
        let named = variable("DOMINO_ENV");
        let stage = chosen(&file, named.as_deref())?.clone();
        let entity = step.subject().entity.clone();
        let concerns = |warning: &&Problem| warning.concerns(program.kind, &entity, &stage.name);
        for warning in file.warnings().iter().filter(concerns) {
            step.say(&warning.in_file(&file.path).to_string());
        }
        if named.is_none() && is_on_github() {
            return Err(nothing_names_the_stage(environment(&file, &stage)));
        }
        step.in_stage(&stage.name);
        step.limit_remote_logs(file.pipeline.remote_logs);
        let credential = Credential::from_variables(|name| std::env::var(name).ok())?;
        let host = host_of(&stage, &credential)?;
        step.hide(&credential);
        if matches!(credential, Credential::ApiKey(_)) {
            step.warn(
                "`DOMINO_USER_API_KEY` is a user's key, which Domino is giving up; put a service account's token into `DOMINO_TOKEN`",
                None,
            );
        }
        if let Some(expiry) = credential.expiry(jiff::Timestamp::now()) {
            step.warn(&format!("{} {expiry}", credential.kind()), None);
        }
        let limits = Limits {
            request: flags.request_timeout,
            delay_scale: flags.delay_scale,
            verbose: flags.verbose,
            scrubber: step.scrubber().clone(),
            program: program.name,
            ..Limits::default()
        };
        let connection = Connection::open(host, credential, flags.tls.applied_to(limits))?;
        Ok(Self {
            file,
            stage,
            connection,
        })
    }
}

/// The host of a stage: `DOMINO_API_HOST`, otherwise the stage's own. Inside a Domino run the variable holds an
/// internal address, which is no link for a person; the proxy is asked there, and the variable is ignored.
pub fn host_of(stage: &Stage, credential: &Credential) -> Result<Host, CommandError> {
    match (credential, variable("DOMINO_API_HOST")) {
        (Credential::Proxy(_), _) | (_, None) => Ok(stage.host.clone()),
        (_, Some(host)) => host.parse().map_err(|problem| {
            CommandError::usage(format!(
                "`DOMINO_API_HOST` is no address of Domino: {problem}"
            ))
        }),
    }
}

/// The stage that a flag and `DOMINO_ENV` name. If both do, they must name the same one: a GitHub environment that
/// was set up wrong must not deploy.
fn chosen_stage<'a>(
    file: &'a StageFile,
    option: &str,
    flag: Option<&str>,
    variable: Option<&str>,
) -> Result<&'a Stage> {
    match (flag, variable) {
        (Some(flag), None) => Ok(file.stage(flag)?),
        (None, Some(variable)) => named_by_the_variable(file, variable),
        (Some(flag), Some(variable)) => {
            let wanted = file.stage(flag)?;
            let environment = named_by_the_variable(file, variable)?;
            if wanted.name != environment.name {
                return Err(CommandError::usage(format!(
                    "`{option} {flag}` is stage `{}`, but `DOMINO_ENV` is `{variable}`, which is stage `{}`",
                    wanted.name, environment.name
                ))
                .hint("correct the variable `DOMINO_ENV` of the GitHub environment; nothing was deployed"));
            }
            Ok(wanted)
        }
        (None, None) => Err(CommandError::usage("no stage is given").hint(format!(
            "add `{option}` or set `DOMINO_ENV`; the stages are {}",
            stage_names(file)
        ))),
    }
}

/// The stage that `--to` names, if the step runs in the stage before it or in that stage itself.
fn next_stage<'a>(
    file: &'a StageFile,
    flag: Option<&str>,
    variable: Option<&str>,
) -> Result<&'a Stage> {
    let Some(flag) = flag else {
        return Err(CommandError::usage("no stage is given")
            .hint(format!("add `--to`; the stages are {}", stage_names(file))));
    };
    let wanted = file.stage(flag)?;
    let Some(variable) = variable else {
        return Ok(wanted);
    };
    let environment = named_by_the_variable(file, variable)?;
    let before = file.stage_before(wanted);
    if environment.name == wanted.name || before.is_some_and(|b| b.name == environment.name) {
        return Ok(wanted);
    }
    let before = before.map_or_else(String::new, |before| {
        format!(" and not `{}`, the one before", before.name)
    });
    Err(CommandError::usage(format!(
        "`--to {flag}` is stage `{}`, but `DOMINO_ENV` is `{variable}`, which is stage `{}`{before}",
        wanted.name, environment.name
    ))
    .hint("correct the variable `DOMINO_ENV` of the GitHub environment; nothing was asked for"))
}

/// The GitHub environment that a step for this stage runs in.
fn own_environment<'a>(_: &'a StageFile, stage: &'a Stage) -> &'a str {
    &stage.github_environment
}

/// The GitHub environment of a step that requests entry to this stage.
fn environment_before<'a>(file: &'a StageFile, stage: &'a Stage) -> &'a str {
    &file.stage_before(stage).unwrap_or(stage).github_environment
}

/// On GitHub a flag alone is not enough: a job in the wrong environment would have the credential of another stage.
fn nothing_names_the_stage(environment: &str) -> CommandError {
    CommandError::usage(format!(
        "`DOMINO_ENV` is not set: nothing says that this job runs in GitHub environment `{environment}`"
    ))
    .hint(format!(
        "set the variable `DOMINO_ENV` to `{environment}` in that environment (Settings → Environments → {environment} → \
         Environment variables), and hand it to the step: `DOMINO_ENV: ${{{{ vars.DOMINO_ENV }}}}`"
    ))
}

fn named_by_the_variable<'a>(file: &'a StageFile, variable: &str) -> Result<&'a Stage> {
    file.stage(variable)
        .map_err(|unknown| CommandError::from(unknown).context("`DOMINO_ENV` names no stage"))
}

fn stage_names(file: &StageFile) -> String {
    let names: Vec<String> = file
        .stages
        .iter()
        .map(|stage| format!("`{}`", stage.name))
        .collect();
    names.join(", ")
}

/// Reads a span of time such as `90s`, `30m` or `1h 30m`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text
        .parse()
        .map_err(|_| format!("`{text}` is no span of time such as `90s`, `30m` or `1h 30m`"))?;
    Duration::try_from(span).map_err(|_| "it must not be negative".into())
}

/// Reads a boolean flag from an environment variable: on GitHub an input is empty in a run that nobody started by
/// hand.
pub fn ticked(text: &str) -> Result<bool, String> {
    match text.trim() {
        "" | "false" => Ok(false),
        "true" => Ok(true),
        _ => Err("it must be `true`, `false` or empty".into()),
    }
}

fn delay_scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(delay_scale) if (0.0..=10.0).contains(&delay_scale) => Ok(delay_scale),
        _ => Err("it must be a number from 0 to 10".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn file() -> StageFile {
        let text = "
            [defaults]
            host = \"domino.example.com\"
            project = \"a/b\"
            [stage.dev]
            hardware-tier = \"d\"
            [stage.staging]
            hardware-tier = \"s\"
            github-environment = \"STAGE\"
            [stage.prod]
            hardware-tier = \"p\"
        ";
        StageFile::read(text, Path::new("stages.toml")).unwrap()
    }

    #[test]
    fn a_flag_that_comes_as_a_variable_is_clear_or_wrong() {
        let all = ["", " ", "false", "true", "yes"].map(|text| ticked(text).ok());
        assert_eq!(
            all,
            [Some(false), Some(false), Some(false), Some(true), None]
        );
    }

    #[test]
    fn flag_and_variable_must_mean_one_stage() {
        let file = file();
        let chosen = |flag, variable| match chosen_stage(&file, "--stage", flag, variable) {
            Ok(stage) => stage.name.clone(),
            Err(error) => error.to_string(),
        };
        assert_eq!(chosen(Some("prod"), Some("PROD")), "prod");
        assert_eq!(chosen(None, Some("STAGE")), "staging");
        assert_eq!(
            chosen(Some("prod"), Some("STAGE")),
            "`--stage prod` is stage `prod`, but `DOMINO_ENV` is `STAGE`, which is stage `staging`"
        );
        assert_eq!(chosen(None, None), "no stage is given");
    }

    #[test]
    fn the_next_stage_is_asked_for_from_the_one_before_and_from_no_other() {
        let file = file();
        let next = |flag, variable| match next_stage(&file, flag, variable) {
            Ok(stage) => stage.name.clone(),
            Err(error) => error.to_string(),
        };
        for variable in [None, Some("STAGE"), Some("prod")] {
            assert_eq!(next(Some("prod"), variable), "prod");
        }
        assert_eq!(
            next(Some("prod"), Some("dev")),
            "`--to prod` is stage `prod`, but `DOMINO_ENV` is `dev`, which is stage `dev` and not `staging`, the one \
             before"
        );
        assert_eq!(next(None, Some("dev")), "no stage is given");
    }
}
