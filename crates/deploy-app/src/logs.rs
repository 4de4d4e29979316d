//! `deploy-app logs`: the log of the newest start of an app's current version, or of another version.

use domino_core::error::{CommandError, Context as _, Result};

use domino_core::api::apps::{AppVersion, AppVersionId};
use domino_core::step::{Step, StepContext, StepResult};
use domino_core::wait::{LogPrint, LogTail, LogWriter};

use crate::find::{AppArgs, cannot, find, version_text};
use crate::watch::LOG_GRACE;

/// `deploy-app logs`.
#[derive(Debug, clap::Args)]
pub(crate) struct LogsArgs {
    /// One version by its id in Domino, in place of the current one
    #[arg(long, value_name = "ID")]
    pub(crate) version_id: Option<String>,
    /// Go on until the version is down
    #[arg(short, long)]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) app: AppArgs,
}

/// Prints the log on stdout.
pub(crate) async fn logs(
    step: &mut Step,
    context: &StepContext,
    args: &LogsArgs,
) -> Result<StepResult> {
    let (entity, found) = find(context, &args.app, false)
        .await
        .with_context(|| cannot("read the log of", &args.app.app, &context.stage))?;
    let (name, stage) = (&entity.name, &context.stage.name);
    let never = || {
        CommandError::refused(format!("app `{name}` was never started in stage `{stage}`")).hint(
            format!("publish it: deploy-app publish {name} --stage {stage}"),
        )
    };
    let reader = context.connection.reader();
    let Some(app) = found.app else {
        return Err(never());
    };
    let version: AppVersion = match &args.version_id {
        None => app.version.ok_or_else(never)?,
        Some(id) => found
            .apps
            .version(&app.id, &AppVersionId::new(id))
            .await?
            .ok_or_else(|| CommandError::refused(format!("app `{name}` has no version `{id}`")))?,
    };
    let Some(instance) = &version.instance else {
        return Err(never());
    };
    let mut tail = LogTail::default();
    let how = LogPrint {
        reader: &reader,
        follow: args.follow,
        writer: LogWriter::over_if(version.status().is_down()),
        grace: LOG_GRACE,
    };
    let (apps, app_id, id) = (&found.apps, &app.id, &version.id);
    tail.print(
        how,
        async || {
            let now = apps.version(app_id, id).await?;
            let is_over = now.is_none_or(|now| now.status().is_down());
            Ok(LogWriter::over_if(is_over))
        },
        async |from: &str, limit: usize| apps.log(app_id, id, &instance.id, from, limit).await,
        |line: &str| step.log_to_stdout(line),
    )
    .await?;
    step.report.output("id", app.id.as_str());
    step.report.output("version", version.id.as_str());
    Ok(StepResult::unchanged(format!(
        "{} lines of {} of app `{name}`",
        tail.lines(),
        version_text(&version)
    )))
}
