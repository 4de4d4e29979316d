//! `deploy-model stop` and `start`: the version that answers is stopped, or starts again as it was built. Neither makes
//! a version. What was stopped stays so: `publish` refuses it without `--put-back`.

use std::time::Duration;

use domino_core::api::model_apis::{DeploymentStatus, ModelApi, ModelApiVersion};
use domino_core::approval::{Approval, Ask};
use domino_core::client::{ApiError, write_once};
use domino_core::error::{CommandError, Context as _, Exit, Result};
use domino_core::step::{
    ChangeKind, Interrupts, Plan, Step, StepContext, StepFlags, StepResult, duration,
};
use domino_core::wait::{Look, Poll, Span, Waited};

use crate::endpoint::{Endpoint, EndpointAddress, describe, name_of, status_text, url};

/// `deploy-model stop` and `deploy-model start`.
#[derive(Debug, clap::Args)]
pub(crate) struct StopArgs {
    /// The model, as in `[model.<name>]` of stages.toml
    pub(crate) model: String,
    /// Print the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How long to wait until it is so
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) address: EndpointAddress,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// Which way it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Stop,
    Start,
}

impl Way {
    fn verb(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Start => "start",
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Stop => "stopped",
            Self::Start => "started",
        }
    }

    /// Whether a version is as this way leaves it.
    fn is_there(self, version: &ModelApiVersion) -> bool {
        let deployment = version.deployment.as_ref();
        deployment.is_some_and(|told| match self {
            Self::Stop => {
                !told.is_pending
                    && matches!(
                        told.status,
                        DeploymentStatus::Stopped | DeploymentStatus::Failed
                    )
            }
            Self::Start => told.is_running(),
        })
    }
}

/// Stops what answers.
pub(crate) async fn stop(
    step: &mut Step,
    context: &StepContext,
    args: &StopArgs,
) -> Result<StepResult> {
    go(step, context, args, Way::Stop).await
}

/// Starts it again.
pub(crate) async fn start(
    step: &mut Step,
    context: &StepContext,
    args: &StopArgs,
) -> Result<StepResult> {
    go(step, context, args, Way::Start).await
}

async fn go(
    step: &mut Step,
    context: &StepContext,
    args: &StopArgs,
    way: Way,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let model = context.file.model(&args.model)?;
    let stage = &context.stage.name;
    // An endpoint is stopped in an emergency: nobody is waited for. A start brings it before callers.
    let ask = match way {
        Way::Stop => Ask::Never,
        Way::Start => Ask::unless(args.dry_run),
    };
    let reader = context.connection.reader();
    let found = async {
        let endpoint = Endpoint::find(&reader, &context.file, &context.stage, model).await?;
        let api = endpoint.existing(&model.name, &context.stage, &context.file)?;
        let versions = answering(&endpoint, api).await?;
        Ok((api.clone(), endpoint, versions))
    };
    let ((api, endpoint, versions), approval) = tokio::select! {
        found = Approval::beside(found, context, ask) => found?,
        signal = interrupts.next() => return Err(signal.nothing_changed(stage)),
    };
    let name = &endpoint.name;
    let mut plan = Plan::new(format!(
        "{} endpoint `{name}` in stage `{stage}`",
        way.verb()
    ));
    plan.fact("project", endpoint.project.name.to_string());
    approval.describe(&mut plan);
    let url = url(context, model, &args.address, &api);
    if let Some(version) = versions.first() {
        describe(&mut step.report, &url, name, &api, version);
    }
    let wanted: Vec<&ModelApiVersion> = versions.iter().filter(|v| !way.is_there(v)).collect();
    for version in &versions {
        let status = status_text(version.deployment.as_ref());
        let (kind, what) = match (way.is_there(version), way) {
            (true, _) => (ChangeKind::Keep, "stays so"),
            (false, Way::Stop) => (ChangeKind::Remove, "is stopped"),
            (false, Way::Start) => (ChangeKind::Update, "is started"),
        };
        plan.change(kind, format!("{} (`{status}`) {what}", name_of(version)));
    }
    step.show(&plan);
    if wanted.is_empty() {
        let text = format!(
            "endpoint `{name}` in stage `{stage}` is {} already",
            way.done()
        );
        return Ok(StepResult::unchanged(text));
    }
    if args.dry_run {
        return Ok(StepResult::planned());
    }
    approval.require(step, context)?;
    for version in wanted {
        let now = turn(
            step,
            &mut interrupts,
            context,
            args,
            (&endpoint, &api),
            version,
            way,
        )
        .await;
        let now = now.map_err(|error| endpoint.with_role(error))?;
        describe(&mut step.report, &url, name, &api, &now);
    }
    Ok(StepResult::done(format!(
        "{} endpoint `{name}` in stage `{stage}`",
        way.done()
    )))
}

/// The versions that callers get: the one that is active, and the one behind the label, where there are labels.
async fn answering(endpoint: &Endpoint, api: &ModelApi) -> Result<Vec<ModelApiVersion>> {
    let versions = endpoint.versions(api).await?;
    let active = api.active.as_ref().map(|active| &active.id);
    let newest = versions.first().map(|version| version.id.clone());
    let active = active.cloned().or(newest);
    let mut answering = Vec::new();
    for version in versions {
        let is_called = api.routes_by_label() && version.is_promoted();
        if is_called || Some(&version.id) == active.as_ref() {
            let told = endpoint.apis.version(&api.id, &version.id).await?;
            answering.push(told.unwrap_or(version));
        }
    }
    match answering.is_empty() {
        true => Err(CommandError::failed(format!(
            "endpoint `{}` has no version",
            endpoint.name
        ))),
        false => Ok(answering),
    }
}

/// Stops or starts one version, once, and waits until it is so.
async fn turn(
    step: &Step,
    interrupts: &mut Interrupts,
    context: &StepContext,
    args: &StopArgs,
    (endpoint, api): (&Endpoint, &ModelApi),
    version: &ModelApiVersion,
    way: Way,
) -> Result<ModelApiVersion> {
    let reader = context.connection.reader();
    let writer = context.connection.writer();
    let writer = writer.model_apis(endpoint.apis.generation());
    let what = format!("{} of endpoint `{}`", name_of(version), endpoint.name);
    let now = async || -> Result<ModelApiVersion, ApiError> {
        let told = endpoint.apis.version(&api.id, &version.id).await?;
        Ok(told.unwrap_or_else(|| version.clone()))
    };
    let status =
        |version: &ModelApiVersion| version.deployment.as_ref().map(|told| told.status.clone());
    let write = async || {
        let written = write_once(
            reader.delay_scale(),
            async || match way {
                Way::Stop => writer.stop_version(&api.id, &version.id).await,
                Way::Start => writer.start_version(&api.id, &version.id).await,
            },
            async || Ok((status(&now().await?) != status(version)).then_some(())),
        );
        written
            .await
            .map(drop)
            .with_context(|| format!("cannot {} {what}", way.verb()))
    };
    let mut came_up = false;
    let look = async || {
        let now = now().await?;
        // A start that ends where it began is one only after something was seen of it.
        let is_down = Way::Stop.is_there(&now);
        came_up |= !is_down;
        Ok(
            match way.is_there(&now) || (way == Way::Start && came_up && is_down) {
                true => Look::Over(now),
                false => Look::Pending(status_text(now.deployment.as_ref())),
            },
        )
    };
    let mut progress = step.progress();
    let mut poll = Poll::until(args.timeout, reader.delay_scale());
    let label = name_of(version);
    let waiting = poll.stop_and_wait(&mut progress, &label, write(), look);
    let ended = tokio::select! {
        waited = waiting => waited,
        signal = interrupts.next() => Err(CommandError::new(signal.exit(), format!(
            "interrupted; {what} was told to {}, and how it stands was not waited for", way.verb()
        ))),
    };
    progress.end();
    match ended? {
        Waited::Over(now) if way.is_there(&now) => Ok(now),
        Waited::Over(now) => Err(CommandError::failed(format!(
            "{what} was told to start, and is `{}`",
            status_text(now.deployment.as_ref())
        ))
        .hint("its log says why: `deploy-model logs`")),
        Waited::TimeUp(word) => {
            let waited = Span(args.timeout);
            let text = format!(
                "{what} was told to {} and is still `{word}` after {waited}",
                way.verb()
            );
            Err(CommandError::new(Exit::Unsettled, text))
        }
    }
}
