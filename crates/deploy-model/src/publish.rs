//! `deploy-model publish`: plan, show, apply, wait until that version serves, test it, report.

use domino_core::api::model_apis::{ModelApi, ModelApiId, ModelApiVersion};
use domino_core::client::{Writer, Written, write_once};
use domino_core::error::{CommandError, Context as _, Exit, Result};
use domino_core::settle::in_words;
use domino_core::step::{Interrupts, Signal, Step, StepContext, StepResult};

use crate::PublishArgs;
use crate::difference::{Work, settings_differ};
use crate::endpoint::{called, describe, name_of, serving, standing, url};
use crate::follow::{Follow, LogOf, Settled};
use crate::make;
use crate::plan::{Publish, plan};
use crate::restore::put_settings_back;
use crate::token::Token;

/// Publishes the model, or finds that nothing is to be done.
pub(crate) async fn publish(
    step: &mut Step,
    context: &StepContext,
    args: &PublishArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let token = Token::of(&context.file.model(&args.model)?.name, step);
    let planned = tokio::select! {
        planned = plan(context, args) => planned?,
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    step.show(&planned.view(context));
    for remark in &planned.remarks {
        step.warn(remark, None);
    }
    step.report
        .output("commit", planned.wanted.mark.commit.as_str());
    if let Some(version) = planned.source.version() {
        step.report.output("version", version.to_string());
    }
    let is_as_wanted = matches!(planned.work, Work::Nothing(_));
    if args.dry_run {
        return Ok(match is_as_wanted {
            true => StepResult::unchanged(planned.as_wanted(context)),
            false => StepResult::planned(),
        });
    }
    let applied = Applied {
        planned: &planned,
        context,
        args,
        token,
        writer: context.connection.writer(),
    };
    applied.to_the_end(step, &mut interrupts).await
}

/// A plan that is being applied.
pub(crate) struct Applied<'a> {
    pub(crate) planned: &'a Publish<'a>,
    pub(crate) context: &'a StepContext,
    pub(crate) args: &'a PublishArgs,
    pub(crate) token: Token,
    pub(crate) writer: Writer,
}

impl Applied<'_> {
    async fn to_the_end(&self, step: &mut Step, interrupts: &mut Interrupts) -> Result<StepResult> {
        let (model, stage) = (&self.planned.model.name, &self.context.stage.name);
        let name = &self.planned.endpoint.name;
        if let (Work::Nothing(version), Some(there)) = (&self.planned.work, &self.planned.there) {
            self.describe(step, &there.api, version);
            if let Some(built) = &self.planned.built {
                self.tell_what_was_compared(step, version, built);
            }
            // One that this workflow run made, and never came to test, gives way as it would have then.
            let mark = &self.planned.wanted.mark;
            let follow = there
                .before(version, mark)
                .map(|_| self.follow(&there.api.id));
            self.smoke_test(step, interrupts, &there.api, version, follow.as_ref())
                .await?;
            return Ok(StepResult::unchanged(self.planned.as_wanted(self.context)));
        }
        let (follow, version) = self.make(step).await.with_context(|| {
            format!("cannot publish model `{model}` in stage `{stage}` as endpoint `{name}`")
        })?;
        step.report.output("id", follow.id.as_str());
        let new = name_of(&version);
        step.say(&format!("{new} of endpoint `{name}` is waited for"));
        if self.args.no_wait {
            return Ok(StepResult::done(format!(
                "made {new} of endpoint `{name}`; it is neither waited for nor tested"
            )));
        }
        let mut progress = step.progress();
        let settled = tokio::select! {
            settled = follow.until_it_serves(&mut progress, version.clone(), self.args.timeout) => settled
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
            Settled::Serves(api, version) => {
                self.describe(step, &api, &version);
                self.prove(step, &follow, interrupts, &api, &version)
                    .await?;
                self.smoke_test(step, interrupts, &api, &version, Some(&follow))
                    .await?;
                Ok(StepResult::done(format!(
                    "{} of endpoint `{name}` serves {} in stage `{stage}`",
                    name_of(&version),
                    self.planned.wanted.desired.source
                )))
            }
            Settled::Down(version) => Err(self.down(step, &follow, interrupts, &version).await),
            Settled::TimeUp(version) => Err(self.time_up(step, &follow, &version).await),
        }
    }

    /// Makes what the plan says, or takes what is on its way.
    async fn make(&self, step: &mut Step) -> Result<(Follow<'_>, ModelApiVersion)> {
        let planned = self.planned;
        let desired = &planned.wanted.desired;
        let project = &planned.endpoint.project;
        let generation = planned.endpoint.generation;
        let Some(there) = &planned.there else {
            let written = make::endpoint(&self.writer, generation, project, desired).await?;
            if let Written::Recovered(id) = &written {
                step.warn(
                    &format!(
                        "the reply to the creation was lost; Domino has created endpoint {id}"
                    ),
                    None,
                );
            }
            let follow = self.follow(&written.into_inner());
            let version = make::first_version(&follow, desired).await?;
            return Ok((follow, version));
        };
        let follow = self.follow(&there.api.id);
        match &planned.work {
            Work::Follow(version) | Work::Nothing(version) => Ok((follow, version.clone())),
            Work::Create | Work::Version { .. } => {
                if self.planned.changes_settings() {
                    self.update_settings(&follow).await?;
                }
                let made = make::version(&follow, &self.writer, desired, &there.versions).await;
                let written = match made {
                    Ok(written) => written,
                    Err(error) => return Err(self.without_version(&follow, error).await),
                };
                if let Written::Recovered(version) = &written {
                    let text = format!("the reply was lost; Domino has made {}", name_of(version));
                    step.warn(&text, None);
                }
                Ok((follow, written.into_inner()))
            }
        }
    }

    fn follow(&self, id: &ModelApiId) -> Follow<'_> {
        Follow {
            reader: self.writer.reader(),
            project: &self.planned.endpoint.project,
            generation: self.planned.endpoint.generation,
            id: id.clone(),
        }
    }

    /// No version came: what became of the endpoint's settings belongs to it. After a refusal nothing will come, and
    /// they are put back; otherwise a version may be on its way, which is for them.
    async fn without_version(&self, follow: &Follow<'_>, error: CommandError) -> CommandError {
        if !self.planned.changes_settings() {
            return error;
        }
        let settings = match error.exit() {
            Exit::Refused => self.settings_back(follow).await,
            _ => self.settings_already_changed().to_owned(),
        };
        error.context(format!("no version is known to have been made{settings}"))
    }

    /// Puts the endpoint's settings back where they were changed, and says so, for the end of a sentence.
    async fn settings_back(&self, follow: &Follow<'_>) -> String {
        let Some(there) = &self.planned.there else {
            return String::new();
        };
        if !self.planned.changes_settings() {
            return String::new();
        }
        let desired = &self.planned.wanted.desired;
        match put_settings_back(follow, &self.writer, &there.api, desired).await {
            Ok(()) => "; its settings are as before again".to_owned(),
            Err(error) => format!("; its settings were changed and could not be put back: {error}"),
        }
    }

    /// For the end of a sentence about a version that may still come.
    fn settings_already_changed(&self) -> &'static str {
        match self.planned.changes_settings() {
            true => "; the endpoint's settings were already changed",
            false => "",
        }
    }

    async fn update_settings(&self, follow: &Follow<'_>) -> Result<()> {
        let (desired, generation) = (&self.planned.wanted.desired, follow.generation);
        write_once(
            follow.reader.delay_scale(),
            async || {
                self.writer
                    .update_model_api(generation, &follow.id, desired)
                    .await
            },
            async || {
                let api = follow
                    .reader
                    .model_api(generation, follow.project, &follow.id)
                    .await?;
                Ok(api
                    .filter(|api| settings_differ(generation, api, desired).is_empty())
                    .map(drop))
            },
        )
        .await
        .context("its settings could not be changed; nothing else was")?;
        Ok(())
    }

    /// The version will not run: why, and what serves now. One that had taken over before it went down gives way
    /// to the one before.
    async fn down(
        &self,
        step: &mut Step,
        follow: &Follow<'_>,
        interrupts: &mut Interrupts,
        version: &ModelApiVersion,
    ) -> CommandError {
        let end = standing(version.deployment.as_ref());
        step.report.output("status", end.as_str());
        let logs = self.logs_of(version);
        step.report.next = Some(logs.clone());
        if let Some((whose, excerpt)) = follow.why_down(&version.id).await {
            step.report.excerpt = Some(excerpt);
            if whose == LogOf::Build {
                step.report.next = Some(format!("{logs} --build"));
            }
        }
        if self.has_taken_over(follow, version).await {
            let what = format!("took over and ended as `{end}`");
            let why = "it ran, and went down".to_owned();
            return self
                .give_way(step, follow, interrupts, version, &what, why)
                .await;
        }
        let serves = self.serves_now(step, follow, version).await;
        let settings = self.settings_back(follow).await;
        CommandError::failed(format!(
            "{} of endpoint `{}` ended as `{end}`; {serves}{settings}",
            name_of(version),
            self.planned.endpoint.name,
        ))
        .hint("its log says why; correct the model or its environment and publish again")
        .at(&self.context.file, &["model", &self.planned.model.name])
    }

    async fn has_taken_over(&self, follow: &Follow<'_>, version: &ModelApiVersion) -> bool {
        let api = follow
            .reader
            .model_api(follow.generation, follow.project, &follow.id)
            .await;
        let active = api.ok().flatten().and_then(|api| api.active);
        active.is_some_and(|active| active.id == version.id)
    }

    async fn time_up(
        &self,
        step: &mut Step,
        follow: &Follow<'_>,
        version: &ModelApiVersion,
    ) -> CommandError {
        let serves = self.serves_now(step, follow, version).await;
        step.report
            .output("status", standing(version.deployment.as_ref()));
        step.report.next = Some(self.command("status"));
        CommandError::new(
            Exit::Unsettled,
            format!(
                "{} of endpoint `{}` is `{}` after {}, and not the one that serves; {serves}{}",
                name_of(version),
                self.planned.endpoint.name,
                standing(version.deployment.as_ref()),
                in_words(self.args.timeout),
                self.settings_already_changed()
            ),
        )
        .hint("it goes on in Domino and may serve later, untested; run this again to follow it, or give a longer `--timeout`")
    }

    /// What serves now, asked anew: that the version before still does is checked, and said.
    async fn serves_now(
        &self,
        step: &mut Step,
        follow: &Follow<'_>,
        version: &ModelApiVersion,
    ) -> String {
        let api = follow
            .reader
            .model_api(follow.generation, follow.project, &follow.id)
            .await;
        if let Ok(Some(api)) = &api {
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

    /// There is no route that ends a build, so that it goes on; what that means is said.
    fn interrupted(&self, signal: Signal, new: &str) -> CommandError {
        let until = match self.planned.before() {
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
        let url = url(self.context, &self.args.address, api);
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
