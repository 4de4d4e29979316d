//! `deploy-app unpublish`: the app is stopped. What does not run is fine as it is.

use domino_core::api::apps::AppStatus;
use domino_core::client::write_once;
use domino_core::error::{CommandError, Context as _, Exit, Result};
use domino_core::settle::{Poll, in_words as span_in_words};
use domino_core::step::{ChangeKind, Interrupts, Plan, Step, StepContext, StepResult};

use crate::find::{describe, describe_version, find, in_words};
use crate::{UnpublishArgs, cannot};

/// Stops the app and waits until it is down.
pub(crate) async fn unpublish(
    step: &mut Step,
    context: &StepContext,
    args: &UnpublishArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let (entity, found) = tokio::select! {
        found = find(context, &args.app) => found.with_context(|| cannot("unpublish", &args.app.app, &context.stage))?,
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    let (name, stage) = (&entity.name, &context.stage.name);
    let mut plan = Plan::new(format!("unpublish app `{name}` in stage `{stage}`"));
    plan.fact("app", &found.name)
        .fact("api", found.apps.capabilities().route);
    if let Some(app) = &found.app {
        describe(&mut step.report, context, app);
    }
    let running = found
        .app
        .as_ref()
        .and_then(|app| Some((app, app.version.as_ref()?)))
        .filter(|(_, version)| !version.status().is_down());
    let Some((app, version)) = running else {
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
    let (what, status) = (in_words(version), version.status());
    plan.change(
        ChangeKind::Remove,
        format!("{what} (`{}`) is stopped", status.word()),
    );
    step.show(&plan);
    if args.dry_run {
        return Ok(StepResult::planned());
    }
    let reader = context.connection.reader();
    let writer = context.connection.writer().apps(found.apps.generation());
    let id = &app.id;
    let now = async || found.apps.version(id, &version.id).await;
    let mut progress = step.progress();
    let stopping = async {
        if !matches!(status, AppStatus::Stopping(_)) {
            let stopped = write_once(
                reader.delay_scale(),
                async || writer.stop(id, version).await,
                async || {
                    let now = now().await?;
                    let moved = now.is_none_or(|now| now.status() != status);
                    Ok(moved.then_some(()))
                },
            )
            .await;
            // Whatever the reply was, what counts is whether it goes down.
            if let Err(error) = stopped
                && now().await?.is_some_and(|now| !now.status().is_down())
            {
                return Err(CommandError::from(error).context(format!("cannot stop {what}")));
            }
        }
        let mut poll = Poll::until(args.timeout, reader.delay_scale());
        loop {
            let word = match now().await {
                Ok(Some(now)) if !now.status().is_down() => now.status().word().to_owned(),
                Ok(now) => return Ok(now),
                Err(error) if error.exit() == Exit::Unreachable => format!("not seen: {error}"),
                Err(error) => return Err(error.into()),
            };
            progress.status(&format!("version {}: {word}", version.id));
            if !poll.next().await {
                let waited = span_in_words(args.timeout);
                let text = format!("{what} was told to stop and is still `{word}` after {waited}");
                return Err(CommandError::new(Exit::Unsettled, text));
            }
        }
    };
    let ended = tokio::select! {
        ended = stopping => ended,
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
    if let Some(version) = ended? {
        describe_version(&mut step.report, &version);
    }
    Ok(StepResult::done(format!(
        "unpublished app `{name}` in stage `{stage}`: {what} was stopped"
    )))
}
