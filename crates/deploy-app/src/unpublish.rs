//! `deploy-app unpublish`: the app is stopped. An app that does not run is left unchanged.

use std::time::Duration;

use domino_core::api::apps::{App, AppStatus, AppVersion};
use domino_core::client::write_once;
use domino_core::commit::Commit;
use domino_core::deployment::Deployment;
use domino_core::error::{CommandError, Context as _, Exit, Result};
use domino_core::receipt::ReceiptKind;
use domino_core::step::{ChangeKind, Interrupts, Plan, Step, StepContext, StepResult, duration};
use domino_core::wait::{Look, Poll, Span, Waited};

use crate::find::{
    AppArgs, Lookup, cannot, describe, describe_version, find, other_name, version_text,
};
use crate::what_runs::report_what_is;

/// `deploy-app unpublish`.
#[derive(Debug, clap::Args)]
pub(crate) struct UnpublishArgs {
    /// Print the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Leave an app alone that may be ours under another name
    #[arg(long)]
    pub(crate) beside: bool,
    /// How long to wait for the app to stop
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) app: AppArgs,
}

/// Stops the app and waits until it is down.
pub(crate) async fn unpublish(
    step: &mut Step,
    context: &StepContext,
    args: &UnpublishArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let (entity, found) = tokio::select! {
        found = find(context, &args.app, args.beside) => found.with_context(|| cannot("unpublish", &args.app.app, &context.stage))?,
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    let (name, stage) = (&entity.name, &context.stage.name);
    let mut plan = Plan::new(format!("unpublish app `{name}` in stage `{stage}`"));
    let other = found
        .app
        .as_ref()
        .map(|app| other_name(app, &found.name, found.found_by));
    plan.fact(
        "app",
        format!("{}{}", found.name, other.unwrap_or_default()),
    )
    .fact("api", found.apps.capabilities().route);
    if let Some(app) = &found.app {
        describe(&mut step.report, context, app);
    }
    let Some((app, version)) = running(&found) else {
        let why = match &found.app {
            Some(app) => format!("it is `{}`", app.status().word()),
            None => "there is no such app".into(),
        };
        plan.change(ChangeKind::Keep, format!("nothing of it runs: {why}"));
        step.show(&plan);
        return Ok(StepResult::unchanged(format!(
            "nothing of app `{name}` runs in stage `{stage}`: {why}"
        )));
    };
    let (what, word) = (version_text(version), version.status().word().to_owned());
    plan.change(ChangeKind::Remove, format!("{what} (`{word}`) is stopped"));
    step.show(&plan);
    if args.dry_run {
        return Ok(StepResult::planned());
    }
    if let Ok(commit) = Commit::wanted(None) {
        let deployment = Deployment {
            context,
            kind: ReceiptKind::App,
            commit: commit.as_str(),
            place: None,
            version: None,
        };
        step.deploys(deployment.removal());
    }
    let stopped = stop(step, &mut interrupts, context, args, &found, app, version).await;
    if stopped.is_err() {
        report_what_is(&mut step.report, context, &found.apps, &app.id).await;
    }
    if let Some(version) = stopped? {
        describe_version(&mut step.report, &version);
    }
    Ok(StepResult::done(format!(
        "unpublished app `{name}` in stage `{stage}`: {what} was stopped"
    )))
}

fn running(found: &Lookup) -> Option<(&App, &AppVersion)> {
    let app = found.app.as_ref()?;
    let version = app.version.as_ref()?;
    (!version.status().is_down()).then_some((app, version))
}

/// Stops a version and waits until it is down. Returns it as it was then, unless it no longer exists.
async fn stop(
    step: &Step,
    interrupts: &mut Interrupts,
    context: &StepContext,
    args: &UnpublishArgs,
    found: &Lookup,
    app: &App,
    version: &AppVersion,
) -> Result<Option<AppVersion>> {
    let reader = context.connection.reader();
    let writer = context.connection.writer().apps(found.apps.generation());
    let id = &app.id;
    let (what, status) = (version_text(version), version.status());
    let now = async || found.apps.version(id, &version.id).await;
    let mut progress = step.progress();
    let mut poll = Poll::until(args.timeout, reader.delay_scale());
    let label = format!("version {}", version.id);
    let stop = async || {
        if matches!(status, AppStatus::Stopping(_)) {
            return Ok(());
        }
        let moved = async || {
            let now = now().await?;
            Ok(now.is_none_or(|now| now.status() != status).then_some(()))
        };
        write_once(
            reader.delay_scale(),
            async || writer.stop(id, version).await,
            moved,
        )
        .await
        .map(drop)
        .with_context(|| format!("cannot stop {what}"))
    };
    let look = async || {
        Ok(match now().await? {
            Some(now) if !now.status().is_down() => Look::Pending(now.status().word().to_owned()),
            now => Look::Over(now),
        })
    };
    let stopping = poll.stop_and_wait(&mut progress, &label, stop(), look);
    let ended = tokio::select! {
        waited = stopping => waited,
        signal = interrupts.next() => {
            let runs = match now().await {
                Ok(Some(now)) => format!("{what} was told to stop and is `{}`", now.status().word()),
                Ok(None) => format!("{what} was told to stop and is not to be seen any more"),
                Err(error) => format!("{what} was told to stop; how it stands could not be seen: {error}"),
            };
            Err(CommandError::new(signal.exit(), format!("interrupted; {runs}")))
        }
    };
    progress.end();
    match ended? {
        Waited::Over(now) => Ok(now),
        Waited::TimeUp(word) => {
            let waited = Span(args.timeout);
            let text = format!("{what} was told to stop and is still `{word}` after {waited}");
            Err(CommandError::new(Exit::Unsettled, text))
        }
    }
}
