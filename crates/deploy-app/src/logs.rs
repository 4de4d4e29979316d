//! `deploy-app logs`: the log of the newest start of an app's current version, or of another version.

use domino_core::error::{CommandError, Context as _, Result};
use std::time::Duration;

use domino_core::api::apps::{AppVersion, AppVersionId};
use domino_core::log_tail::LogTail;
use domino_core::settle::Poll;
use domino_core::step::{Step, StepContext, StepResult};

use crate::find::{find, in_words};
use crate::watch::LOG_GRACE;
use crate::{LogsArgs, cannot};

/// Prints the log on stdout.
pub(crate) async fn logs(
    step: &mut Step,
    context: &StepContext,
    args: &LogsArgs,
) -> Result<StepResult> {
    let (entity, found) = find(context, &args.app)
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
    let mut poll = Poll::until(Duration::from_secs(u64::MAX >> 1), reader.delay_scale());
    let page = async |from: &str, limit: usize| {
        let (app, version) = (&app.id, &version.id);
        found
            .apps
            .log(app, version, &instance.id, from, limit)
            .await
    };
    let (began, mut over) = (reader.now(), version.status().is_down());
    loop {
        if args.follow && !over {
            over = found
                .apps
                .version(&app.id, &version.id)
                .await?
                .is_none_or(|now| now.status().is_down());
        }
        let mut unwritten = None;
        let print = |line: &str| {
            if unwritten.is_none() {
                unwritten = step.log_to_stdout(line).err();
            }
        };
        tail.read(page, print).await?;
        // An app that runs may write faster than we read; what it writes after we began was not asked for.
        let enough = !tail.has_more() || (!args.follow && !over && tail.reaches(began));
        // Whoever reads our stdout has seen enough, `head` for example.
        if unwritten.is_some() || (enough && !args.follow) {
            break;
        }
        if enough && over {
            let print = |line: &str| drop(step.log_to_stdout(line));
            tail.rest(LOG_GRACE, reader.delay_scale(), page, print)
                .await?;
            break;
        }
        if enough {
            poll.next().await;
        }
    }
    step.report.output("id", app.id.as_str());
    step.report.output("version", version.id.as_str());
    Ok(StepResult::unchanged(format!(
        "{} lines of {} of app `{name}`",
        tail.lines(),
        in_words(&version)
    )))
}
