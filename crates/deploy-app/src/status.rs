//! `deploy-app status`: which version of an app runs, and whether it answers. The exit code says it too.

use domino_core::api::apps::AppStatus;
use domino_core::error::{CommandError, Context as _, Exit, Result};
use domino_core::step::{Step, StepContext, StepResult};

use crate::find::{AppArgs, cannot, describe, find, version_text};
use crate::health::{Health, HealthCheck};

/// `deploy-app status`.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) app: AppArgs,
}

/// Shows the status of the app.
pub(crate) async fn status(
    step: &mut Step,
    context: &StepContext,
    args: &StatusArgs,
) -> Result<StepResult> {
    let (entity, found) = find(context, &args.app, false)
        .await
        .with_context(|| cannot("look at", &args.app.app, &context.stage))?;
    let (name, stage) = (&entity.name, &context.stage.name);
    let Some(app) = found.app else {
        return Err(CommandError::refused(format!(
            "there is no app `{}` in project `{}`",
            found.name, found.project.name
        ))
        .hint(format!(
            "publish it: deploy-app publish {name} --stage {stage}"
        )));
    };
    describe(&mut step.report, context, &app);
    step.report.fact("api", found.apps.capabilities().route);
    let Some(version) = &app.version else {
        let text = format!("app `{name}` in stage `{stage}` was never started");
        return Err(CommandError::failed(text));
    };
    let status = version.status();
    let text = format!(
        "{} of app `{name}` in stage `{stage}` is `{}`",
        version_text(version),
        status.word()
    );
    match status {
        AppStatus::Up(_) => {}
        AppStatus::Down(_) | AppStatus::Never => {
            step.report.next = Some(format!("deploy-app logs {name} --stage {stage}"));
            return Err(CommandError::failed(text));
        }
        AppStatus::Starting(_) | AppStatus::Stopping(_) | AppStatus::Unknown(_) => {
            return Err(CommandError::new(Exit::Unsettled, text));
        }
    }
    let Some(check) = HealthCheck::of(entity) else {
        return Ok(StepResult::unchanged(text));
    };
    let reader = context.connection.reader();
    match check.look(&reader, app.url.as_deref()).await {
        Health::Good => {
            step.report.fact("health", check.to_string());
            Ok(StepResult::unchanged(format!("{text} and answers")))
        }
        Health::NotYet(why) => {
            step.report.fact("health", &why);
            Err(
                CommandError::failed(format!("{text}, but does not answer: {why}"))
                    .at(&context.file, &["app", name, "health-path"]),
            )
        }
        Health::AuthWall(wall) => Err(wall.failure(name, &context.file)),
    }
}
