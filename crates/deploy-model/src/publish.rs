//! `deploy-model publish`: plan, show, apply, wait until that version serves, test it, report.
//!
//! ```text
//!          ┌─ nothing ─────────────────────────────────────────────────► smoke test ──► label ──► unchanged
//! planned ─┤
//!          └─ create, version, watch ──► created ──► watched ─ serves ─► verified ──► smoke test ──► label ──► done
//!                                                       │                   │             │
//!                                                       ├─ down ────────────┴─────────────┴──► rolled back
//!                                                       └─ time up ──► unsettled
//! ```

use std::cell::Cell;
use std::time::Duration;

use domino_core::api::model_apis::{ModelApi, ModelApiId, ModelApiVersion, ModelApis};
use domino_core::approval::{Approval, Ask};
use domino_core::client::{Writer, Written};
use domino_core::deployment::Deployment;
use domino_core::error::{CommandError, Context as _, Exit, Result};
use domino_core::handed_on::IDENTITY_OUTPUT;
use domino_core::receipt::ReceiptKind;
use domino_core::receipt_before::WantedBefore;
use domino_core::step::{Interrupts, Signal, Step, StepContext, StepResult};
use domino_core::wait::Span;
use stage_file::Kind;

use crate::arguments::PublishArgs;
use crate::callers;
use crate::create;
use crate::difference::Work;
use crate::endpoint::{called, describe, name_of, serving, status_text, url};
use crate::plan::{PublishPlan, plan};
use crate::rollback::Defect;
use crate::token::Token;
use crate::watch::{EndpointWatch, LogOf, WatchOutcome};

/// Publishes the model, or finds that nothing is to be done.
pub(crate) async fn publish(
    step: &mut Step,
    context: &StepContext,
    args: &PublishArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let token = Token::of(&context.file.model(&args.model)?.name, step);
    let (planned, approval) = tokio::select! {
        planned = Approval::beside(plan(context, args), context, Ask::unless(args.dry_run)) => planned?,
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    let commit = planned.wanted.marker.commit.as_str();
    let before = WantedBefore {
        of: (Kind::Model, &args.model),
        commit,
        version: planned.identity.as_ref(),
    };
    let passed = args.receipt.passed(context, before).await?;
    let mut view = planned.view(context);
    approval.describe(&mut view);
    passed.describe(&mut view);
    step.show(&view);
    for remark in &planned.remarks {
        step.warn(remark, None);
    }
    let is_as_wanted = matches!(planned.work, Work::Nothing(_)) && !planned.moves_label();
    if args.dry_run {
        hand_on_version(step, &planned)?;
        return Ok(match is_as_wanted {
            true => StepResult::unchanged(planned.as_wanted(context)),
            false => StepResult::planned(),
        });
    }
    if !is_as_wanted {
        let approved = approval.require(step, context);
        let approved = approved.and_then(|()| passed.require(step));
        approved.with_context(|| {
            let (model, stage) = (&planned.model.name, &context.stage.name);
            format!("cannot publish model `{model}` in stage `{stage}`")
        })?;
    }
    let deployment = Deployment {
        context,
        kind: ReceiptKind::Model,
        commit,
        place: Some(&planned.place),
        version: planned.identity.as_ref(),
    };
    step.deploys(deployment.draft(&approval, &passed));
    let applied = Publish {
        planned: &planned,
        context,
        args,
        token,
        writer: context
            .connection
            .writer()
            .model_apis(planned.endpoint.apis.generation()),
        went_back: Cell::new(false),
    };
    let result = applied.apply(step, &mut interrupts).await?;
    hand_on_version(step, &planned)?;
    Ok(result)
}

/// What the next stage takes over. A failed step hands on nothing, because Domino has something else.
fn hand_on_version(step: &mut Step, planned: &PublishPlan<'_>) -> Result<()> {
    step.report
        .output("commit", planned.wanted.marker.commit.as_str());
    if let Some(version) = planned.source.version() {
        step.report.output("version", version.to_string());
    }
    if let Some(identity) = &planned.identity {
        step.report.output(IDENTITY_OUTPUT, identity.output()?);
    }
    Ok(())
}

/// A plan that is being applied.
pub(crate) struct Publish<'a> {
    pub(crate) planned: &'a PublishPlan<'a>,
    pub(crate) context: &'a StepContext,
    pub(crate) args: &'a PublishArgs,
    pub(crate) token: Token,
    pub(crate) writer: ModelApis<Writer>,
    /// Whether we ourselves have rolled back to the previous version, perhaps as a later one.
    pub(crate) went_back: Cell<bool>,
}

impl Publish<'_> {
    /// How long to wait for a version.
    pub(crate) fn timeout(&self) -> Duration {
        let model = self.planned.model;
        self.args
            .timeout
            .unwrap_or_else(|| model.timeout(&self.context.stage))
    }

    async fn apply(&self, step: &mut Step, interrupts: &mut Interrupts) -> Result<StepResult> {
        let (model, stage) = (&self.planned.model.name, &self.context.stage.name);
        let name = &self.planned.endpoint.name;
        if let (Work::Nothing(version), Some(existing)) =
            (&self.planned.work, &self.planned.existing)
        {
            self.describe(step, &existing.api, version);
            if let Some(built) = &self.planned.built {
                self.report_comparison(step, version, built);
            }
            // A version that this workflow run created and did not test is rolled back as it would have been then.
            let marker = &self.planned.wanted.marker;
            let watch = existing
                .previous_version(version, marker)
                .map(|_| self.watch(&existing.api.id));
            let tested = self
                .smoke_test(step, interrupts, &existing.api, version, watch.as_ref())
                .await?;
            self.let_callers_have(step, interrupts, &existing.api, version, tested)
                .await?;
            let as_wanted = self.planned.as_wanted(self.context);
            return Ok(match self.planned.moves_label() {
                true => StepResult::done(as_wanted),
                false => StepResult::unchanged(as_wanted),
            });
        }
        let created = self.create(step).await;
        let created = created.map_err(|error| self.planned.endpoint.with_role(error));
        let (watch, version) = created.with_context(|| {
            format!("cannot publish model `{model}` in stage `{stage}` as endpoint `{name}`")
        })?;
        step.report.output("id", watch.id.as_str());
        let new = name_of(&version);
        step.say(&format!("{new} of endpoint `{name}` is waited for"));
        if self.args.no_wait {
            return Ok(StepResult::done(format!(
                "made {new} of endpoint `{name}`; it is neither waited for nor tested"
            )));
        }
        let mut version = version;
        loop {
            let settled = self.settle(step, &watch, interrupts, version.clone()).await;
            version = match settled {
                Ok(result) => return Ok(result),
                Err(error) => self.in_place_of(step, &watch, &version, error).await?,
            };
        }
    }

    /// Waits until the version serves, and proves that it is the right one and answers.
    async fn settle(
        &self,
        step: &mut Step,
        watch: &EndpointWatch<'_>,
        interrupts: &mut Interrupts,
        version: ModelApiVersion,
    ) -> Result<StepResult> {
        let (name, new) = (&self.planned.endpoint.name, name_of(&version));
        let mut progress = step.progress();
        let settled = tokio::select! {
            settled = watch.until_serving(&mut progress, version, self.timeout()) => settled
                .with_context(|| format!(
                    "lost sight of {new} of endpoint `{name}`, which may still become the one that serves{}",
                    self.settings_already_changed()
                ))?,
            signal = interrupts.next() => {
                progress.end();
                return Err(self.interrupted(signal, &new));
            }
        };
        progress.end();
        match settled {
            WatchOutcome::Serves(api, version) => {
                self.describe(step, &api, &version);
                self.verify(step, watch, interrupts, &api, &version).await?;
                let tested = self
                    .smoke_test(step, interrupts, &api, &version, Some(watch))
                    .await?;
                self.let_callers_have(step, interrupts, &api, &version, tested)
                    .await?;
                Ok(StepResult::done(format!(
                    "{} of endpoint `{name}` serves {} in stage `{}`",
                    name_of(&version),
                    self.planned.wanted.desired.source,
                    self.context.stage.name
                )))
            }
            WatchOutcome::Down(version) => Err(self.down(step, watch, interrupts, &version).await),
            WatchOutcome::TimeUp(version) => Err(self.time_up(step, watch, &version).await),
        }
    }

    /// Creates what the plan says, or continues with the version that is being deployed.
    async fn create(&self, step: &mut Step) -> Result<(EndpointWatch<'_>, ModelApiVersion)> {
        let planned = self.planned;
        let desired = &planned.wanted.desired;
        let project = &planned.endpoint.project;
        let Some(existing) = &planned.existing else {
            let written = create::endpoint(
                &self.context.connection.reader(),
                &self.writer,
                project,
                desired,
            )
            .await?;
            if let Written::Recovered(id) = &written {
                step.warn(
                    &format!(
                        "the reply to the creation was lost; Domino has created endpoint {id}"
                    ),
                    None,
                );
            }
            let id = written.into_inner();
            let watch = self.watch(&id);
            let (version, others) =
                tokio::try_join!(create::first_version(&watch, desired), async {
                    Ok(self.others(&id).await?)
                })?;
            return self.first_of_several(step, (watch, version), others).await;
        };
        let watch = self.watch(&existing.api.id);
        match &planned.work {
            Work::Watch(version) | Work::Nothing(version) => Ok((watch, version.clone())),
            Work::Create | Work::Version { .. } => {
                if self.planned.changes_settings() {
                    self.update_settings(&watch).await?;
                }
                let made = create::version(&watch, &self.writer, desired, &existing.versions).await;
                let written = match made {
                    Ok(written) => written,
                    Err(error) => return Err(self.without_version(&watch, error).await),
                };
                if let Written::Recovered(version) = &written {
                    let text = format!("the reply was lost; Domino has made {}", name_of(version));
                    step.warn(&text, None);
                }
                Ok((watch, written.into_inner()))
            }
        }
    }

    pub(crate) fn watch(&self, id: &ModelApiId) -> EndpointWatch<'_> {
        EndpointWatch {
            reader: self.context.connection.reader(),
            project: &self.planned.endpoint.project,
            apis: self.planned.endpoint.apis.clone(),
            id: id.clone(),
        }
    }

    /// The version will not run: why, and what serves now. If it had taken over before it went down, it is rolled
    /// back.
    async fn down(
        &self,
        step: &mut Step,
        watch: &EndpointWatch<'_>,
        interrupts: &mut Interrupts,
        version: &ModelApiVersion,
    ) -> CommandError {
        let end = status_text(version.deployment.as_ref());
        step.report.output("status", end.as_str());
        let logs = self.logs_of(version);
        step.report.next = Some(logs.clone());
        if let Some((whose, excerpt)) = watch.why_down(&version.id).await {
            step.report.excerpt = Some(excerpt);
            if whose == LogOf::Build {
                step.report.next = Some(format!("{logs} --build"));
            }
        }
        if self.is_active(watch, version).await {
            let defect = Defect::WentDown(end);
            return self
                .roll_back(step, watch, interrupts, version, defect)
                .await;
        }
        let serves = self.serves_now(step, watch, version).await;
        let settings = self.roll_settings_back(watch).await;
        CommandError::failed(format!(
            "{} of endpoint `{}` ended as `{end}`; {serves}{settings}",
            name_of(version),
            self.planned.endpoint.name,
        ))
        .hint("its log says why; correct the model or its environment and publish again")
        .at(&self.context.file, &["model", &self.planned.model.name])
    }

    async fn is_active(&self, watch: &EndpointWatch<'_>, version: &ModelApiVersion) -> bool {
        let api = watch.apis.model_api(watch.project, &watch.id).await;
        let active = api.ok().flatten().and_then(|api| api.active);
        active.is_some_and(|active| active.id == version.id)
    }

    async fn time_up(
        &self,
        step: &mut Step,
        watch: &EndpointWatch<'_>,
        version: &ModelApiVersion,
    ) -> CommandError {
        let serves = self.serves_now(step, watch, version).await;
        step.report
            .output("status", status_text(version.deployment.as_ref()));
        step.report.next = Some(self.command("status"));
        CommandError::new(
            Exit::Unsettled,
            format!(
                "{} of endpoint `{}` is `{}` after {}, and not the one that serves; {serves}{}",
                name_of(version),
                self.planned.endpoint.name,
                status_text(version.deployment.as_ref()),
                Span(self.timeout()),
                self.settings_already_changed()
            ),
        )
        .hint("it goes on in Domino and may serve later, untested; run this again to follow it, or give a longer `--timeout`")
    }

    /// What serves now, read again.
    async fn serves_now(
        &self,
        step: &mut Step,
        watch: &EndpointWatch<'_>,
        version: &ModelApiVersion,
    ) -> String {
        let api = watch.apis.model_api(watch.project, &watch.id).await;
        if let Ok(Some(api)) = &api {
            if api.routes_by_label() {
                step.report.fact("latest now", serving(api));
                return callers::told(watch.apis.versions(&watch.id).await);
            }
            step.report.fact("serves now", serving(api));
        }
        match &api {
            Ok(Some(api)) => match &api.active {
                Some(active) if active.id != version.id && api.serves(&active.id) => {
                    format!("{} still serves", called(active.number, &active.id))
                }
                Some(_) => format!("what serves is {}", serving(api)),
                None => "nothing serves".to_owned(),
            },
            Ok(None) => "the endpoint is not there any more".to_owned(),
            Err(error) => format!("it is not known what serves now: {error}"),
        }
    }

    /// No route stops a build, so it continues. The error says what that means.
    fn interrupted(&self, signal: Signal, new: &str) -> CommandError {
        let until = match self.planned.previous_version() {
            Some(before) => format!("; until then {before} does"),
            None => String::new(),
        };
        CommandError::new(
            signal.exit(),
            format!(
                "interrupted; {new} of endpoint `{}` goes on in Domino and will serve, untested, once it runs{until}{}",
                self.planned.endpoint.name,
                self.settings_already_changed()
            ),
        )
        .hint("run this again to follow and test it")
    }

    pub(crate) fn describe(&self, step: &mut Step, api: &ModelApi, version: &ModelApiVersion) {
        let url = url(self.context, self.planned.model, &self.args.address, api);
        let name = &self.planned.endpoint.name;
        describe(&mut step.report, &url, name, api, version);
    }

    /// The command that shows the log of a version.
    pub(crate) fn logs_of(&self, version: &ModelApiVersion) -> String {
        let id = match version.number {
            Some(number) => number.to_string(),
            None => version.id.to_string(),
        };
        format!("{} --id {id}", self.command("logs"))
    }

    fn command(&self, verb: &str) -> String {
        format!(
            "deploy-model {verb} {} --stage {}",
            self.planned.model.name, self.context.stage.name
        )
    }
}
