//! `deploy-model logs`: the log of a build, or of the instances that serve, on stdout.

use std::time::Duration;

use domino_core::api::model_apis::{ModelApi, ModelApiVersion};
use domino_core::error::{CommandError, Result};
use domino_core::step::{Interrupts, Step, StepContext, StepFlags, StepResult};
use domino_core::wait::{LogPrint, LogTail, LogWriter};

use crate::endpoint::{Endpoint, name_of};

/// `deploy-model logs`.
#[derive(Debug, clap::Args)]
pub(crate) struct LogsArgs {
    /// The model, as in `[model.<name>]` of stages.toml
    pub(crate) model: String,
    /// The log of the newest version's build, in place of that of the instances of the version that serves
    #[arg(long)]
    pub(crate) build: bool,
    /// One version of the endpoint by its number or id
    #[arg(long, value_name = "VERSION")]
    pub(crate) id: Option<String>,
    /// Go on until the build is over, or until interrupted
    #[arg(short, long)]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// Prints the log as it is now, or follows it.
pub(crate) async fn logs(
    step: &mut Step,
    context: &StepContext,
    args: &LogsArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let model = context.file.model(&args.model)?;
    let reader = context.connection.reader();
    let endpoint = Endpoint::find(&reader, &context.file, &context.stage, model).await?;
    let api = endpoint.existing(&model.name, &context.stage, &context.file)?;
    let versions = endpoint.apis.versions(&api.id).await?;
    let version = chosen(api, &versions, args)?;
    let mut tail = LogTail::default();
    let how = LogPrint {
        reader: &reader,
        follow: args.follow,
        writer: LogWriter::Unknown,
        grace: Duration::ZERO,
    };
    let printing = tail.print(
        how,
        async || Ok(LogWriter::Unknown),
        async |from: &str, most: usize| {
            if args.build {
                let log = endpoint.apis.build_log(&api.id, &version.id, from);
                return Ok(log.await?.page);
            }
            endpoint
                .apis
                .instance_log(&api.id, &version.id, from, most)
                .await
        },
        |line: &str| step.log_to_stdout(line),
    );
    tokio::select! {
        printed = printing => printed?,
        _ = interrupts.next() => {}
    }
    let what = if args.build { "the build of " } else { "" };
    step.report.output("id", api.id.as_str());
    let lines = match tail.lines() {
        1 => "1 line".to_owned(),
        lines => format!("{lines} lines"),
    };
    Ok(StepResult::unchanged(format!(
        "{lines} of {what}{} of endpoint `{}`",
        name_of(version),
        endpoint.name
    )))
}

/// The requested version; otherwise the newest one's build, or the instances of the one that answers.
fn chosen<'a>(
    api: &ModelApi,
    versions: &'a [ModelApiVersion],
    args: &LogsArgs,
) -> Result<&'a ModelApiVersion, CommandError> {
    let missing = |text: String| CommandError::refused(text).hint("see `deploy-model status`");
    if let Some(asked) = &args.id {
        return versions
            .iter()
            .find(|version| {
                version.id.as_str() == asked
                    || version
                        .number
                        .is_some_and(|number| number.to_string() == *asked)
            })
            .ok_or_else(|| missing(format!("endpoint `{}` has no version `{asked}`", api.name)));
    }
    let active = api
        .active
        .as_ref()
        .and_then(|active| versions.iter().find(|version| version.id == active.id));
    let newest = versions.first();
    let chosen = if args.build {
        newest
    } else {
        active.or(newest)
    };
    chosen.ok_or_else(|| missing(format!("endpoint `{}` has no version", api.name)))
}
