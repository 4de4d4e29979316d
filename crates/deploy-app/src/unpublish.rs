//! `deploy-app unpublish`: the app is stopped. What does not run is fine as it is.

use domino_core::api::apps::AppStatus;
use domino_core::client::write_once;
use domino_core::error::{CommandError, Context as _, Exit, Result};
use domino_core::step::{ChangeKind, Interrupts, Plan, Step, StepContext, StepResult};
use domino_core::wait::{Look, Poll, Span, Waited};

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
        Waited::Over(Some(version)) => describe_version(&mut step.report, &version),
        Waited::Over(None) => {}
        Waited::TimeUp(word) => {
            let waited = Span(args.timeout);
            let text = format!("{what} was told to stop and is still `{word}` after {waited}");
            return Err(CommandError::new(Exit::Unsettled, text));
        }
    }
    Ok(StepResult::done(format!(
        "unpublished app `{name}` in stage `{stage}`: {what} was stopped"
    )))
}
