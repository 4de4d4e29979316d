//! The label `prod` of an endpoint that routes by labels: moved to a version that runs as `latest` and passed its tests,
//! so that callers never get one that is no good.
//!
//! ```text
//! tested ─► holder as planned? ─► moved ─► `labels/prod` tested ─► done
//!                │ no                │ not       │ failed
//!                ▼                   ▼           ▼
//!         nothing is moved     callers keep   the holder runs again ─► moved back
//! ```

use domino_core::api::model_apis::{
    Deployment, ModelApi, ModelApiVersion, ModelApiVersionId, PROD,
};
use domino_core::client::{ApiError, Written, write_once};
use domino_core::error::{CommandError, Exit, Result};
use domino_core::step::{Interrupts, Step};
use domino_core::wait::Poll;
use stage_file::Routing;

use crate::callers;
use crate::endpoint::name_of;
use crate::publish::Publish;
use crate::rollback::start_again;
use crate::smoke_test::SmokeTestOutcome;
use crate::verify::Tested;
use crate::watch::EndpointWatch;

impl Publish<'_> {
    /// Sees to it that callers get the version, which was tested so. Where the stage file does not say how they are
    /// routed, a person moves the label.
    pub(crate) async fn let_callers_have(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        api: &ModelApi,
        version: &ModelApiVersion,
        tested: Tested,
    ) -> Result<()> {
        let existing = self.planned.existing.as_ref();
        let before = existing.map_or(&[][..], |existing| &existing.versions);
        if self.planned.routing != Some(Routing::Advanced) {
            return callers::check(api, version, before);
        }
        if !api.routes_by_label() {
            let text = format!(
                "endpoint `{}` is new and has `routingMode` `basic`, which only a person can change: switch it to \
                 `advanced` in Domino before the next version",
                api.name
            );
            step.warn(&text, None);
            return Ok(());
        }
        let watch = self.watch(&api.id);
        let versions = watch.apis.versions(&api.id).await;
        let versions = versions.map_err(|error| self.not_moved(version, before).of(error))?;
        let holder = callers::promoted(&versions);
        if holder.is_some_and(|holder| holder.id == version.id) {
            return Ok(());
        }
        let planned = callers::promoted(before);
        if holder.map(|holder| &holder.id) != planned.map(|planned| &planned.id) {
            return Err(CommandError::refused(format!(
                "{}; somebody moved the label in the meantime, and it stays",
                self.not_moved(version, &versions).0
            ))
            .hint("look at the endpoint in Domino; run this again to move the label from there"));
        }
        if tested == Tested::Skipped {
            return Err(CommandError::refused(format!(
                "{}: it was not tested",
                self.not_moved(version, &versions).0
            ))
            .hint("give the endpoint's access token in `DOMINO_MODEL_TOKEN`, and run this again"));
        }
        self.move_label(step, interrupts, &watch, version, holder)
            .await?;
        self.test_label(step, interrupts, api, &watch, version, holder)
            .await
    }

    /// Moves the label, once: where the reply is lost, it is looked where the label is.
    async fn move_label(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        watch: &EndpointWatch<'_>,
        version: &ModelApiVersion,
        holder: Option<&ModelApiVersion>,
    ) -> Result<()> {
        let new = name_of(version);
        step.say(&format!("`labels/{PROD}` moves to {new}"));
        let not_moved = self.not_moved(version, holder);
        let moved = tokio::select! {
            moved = self.label(watch, &version.id, true) => moved,
            signal = interrupts.next() => return Err(CommandError::new(signal.exit(), format!(
                "interrupted while `labels/{PROD}` was being moved to {new} of endpoint `{}`, which passed its tests: \
                 callers get that, or {}",
                self.planned.endpoint.name,
                holder.map_or_else(|| "none".to_owned(), name_of)
            ))
            .hint("run this again: it looks where the label is, and moves it once")),
        };
        match moved {
            Ok(Written::Replied(())) => {}
            Ok(Written::Recovered(())) => {
                step.warn(&format!("the reply was lost; the label is at {new}"), None);
            }
            Err(error) if error.is_unknown_route() || is_no_method(&error) => {
                let failure = CommandError::new(Exit::Unsettled, not_moved.0).hint(format!(
                    "this Domino has no route that moves a label: promote {new} to `{PROD}` there, and run this again"
                ));
                return Err(CommandError::from(error).context(failure));
            }
            Err(error) => return Err(not_moved.of(error)),
        }
        match self.has_label(watch, &version.id).await {
            Ok(true) => {
                step.report
                    .fact("routing", format!("`labels/{PROD}` leads to {new}"));
                Ok(())
            }
            Ok(false) => Err(CommandError::new(
                Exit::Unsettled,
                format!("{}, although Domino answered that it did", not_moved.0),
            )
            .hint("look at the endpoint in Domino, and run this again")),
            Err(error) => Err(CommandError::from(error).context(format!(
                "`labels/{PROD}` was moved to {new}, and where it is now cannot be read"
            ))),
        }
    }

    /// Tests what callers get now. If that fails, they get again what they had.
    async fn test_label(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        api: &ModelApi,
        watch: &EndpointWatch<'_>,
        version: &ModelApiVersion,
        holder: Option<&ModelApiVersion>,
    ) -> Result<()> {
        let new = name_of(version);
        let name = &self.planned.endpoint.name;
        let tested = tokio::select! {
            tested = self.test_callers(step, api) => tested?,
            signal = interrupts.next() => return Err(CommandError::new(signal.exit(), format!(
                "interrupted; `labels/{PROD}` of endpoint `{name}` leads to {new}, which passed its tests as `latest`"
            ))),
        };
        let why = match tested {
            Some(SmokeTestOutcome::Failed(why)) => why,
            Some(SmokeTestOutcome::Passed(words)) => {
                step.report.fact("callers' test", words);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let back = tokio::select! {
            back = self.give_back(step, watch, version, holder) => back,
            signal = interrupts.next() => {
                let left = CommandError::new(signal.exit(), format!(
                    "interrupted while callers of endpoint `{name}` were to get again what they had: they may still get \
                     {new}, which failed its test at `labels/{PROD}`"
                ));
                return Err(CommandError::message(why).context(left.hint("look at the endpoint in Domino, now")));
            }
        };
        let earlier = holder.map_or_else(|| "none".to_owned(), name_of);
        let failure = CommandError::failed(match &back {
            Ok(_) => format!(
                "{new} of endpoint `{name}` passed its test as `latest` and failed it at `labels/{PROD}`; callers get \
                 {earlier} again"
            ),
            Err(_) => format!(
                "callers of endpoint `{name}` get {new}, which failed its test at `labels/{PROD}`: the label could not be \
                 moved back to {earlier}"
            ),
        });
        Err(match back {
            Ok(_) => CommandError::message(why).context(failure),
            Err(problem) => CommandError::message(problem)
                .context(why)
                .context(failure.hint(match holder {
                    Some(_) => format!("start {earlier} and promote it to `{PROD}` in Domino, now"),
                    None => format!("take `{PROD}` off {new} in Domino, now"),
                })),
        })
    }

    /// Lets callers have again what they had. Domino may have stopped the version when it lost the label: it runs before
    /// the label leads to it. An error says why they do not get it.
    async fn give_back(
        &self,
        step: &Step,
        watch: &EndpointWatch<'_>,
        version: &ModelApiVersion,
        holder: Option<&ModelApiVersion>,
    ) -> Result<(), String> {
        let of = |error: ApiError| error.to_string();
        let Some(holder) = holder else {
            return self
                .label(watch, &version.id, false)
                .await
                .map(drop)
                .map_err(of);
        };
        let now = self.settled(watch, &holder.id).await;
        let runs = now.map_err(of)?.is_some_and(|now| {
            let deployment = now.deployment.as_ref();
            deployment.is_some_and(Deployment::is_running)
        });
        if !runs {
            let (mut progress, limit) = (step.progress(), self.timeout());
            let started = start_again(watch, &self.writer, holder, limit, &mut progress).await;
            progress.end();
            started?;
        }
        self.label(watch, &holder.id, true)
            .await
            .map(drop)
            .map_err(of)
    }

    /// A version once no change of it is in progress: one that is being stopped still says that it runs.
    async fn settled(
        &self,
        watch: &EndpointWatch<'_>,
        version: &ModelApiVersionId,
    ) -> Result<Option<ModelApiVersion>, ApiError> {
        let mut poll = Poll::until(self.timeout(), watch.reader.delay_scale());
        loop {
            let now = watch.apis.version(&watch.id, version).await?;
            let deployment = now.as_ref().and_then(|now| now.deployment.as_ref());
            let is_pending = deployment.is_some_and(|deployment| deployment.is_pending);
            if !is_pending || !poll.next().await {
                return Ok(now);
            }
        }
    }

    /// Gives the label to a version, or takes it away.
    async fn label(
        &self,
        watch: &EndpointWatch<'_>,
        version: &ModelApiVersionId,
        is_prod: bool,
    ) -> Result<Written<()>, ApiError> {
        write_once(
            watch.reader.delay_scale(),
            async || {
                self.writer
                    .label_for_production(&watch.id, version, is_prod)
                    .await
            },
            async || {
                let has = self.has_label(watch, version).await?;
                Ok((has == is_prod).then_some(()))
            },
        )
        .await
    }

    async fn has_label(
        &self,
        watch: &EndpointWatch<'_>,
        version: &ModelApiVersionId,
    ) -> Result<bool, ApiError> {
        let told = watch.apis.version(&watch.id, version).await?;
        Ok(told.is_some_and(|version| version.is_promoted()))
    }

    fn not_moved<'a>(
        &self,
        version: &ModelApiVersion,
        versions: impl IntoIterator<Item = &'a ModelApiVersion>,
    ) -> NotMoved {
        let mut versions = versions.into_iter();
        let holder = versions.find(|version| version.is_promoted());
        NotMoved(format!(
            "{} of endpoint `{}` runs as `latest`, and `labels/{PROD}` was not moved to it: callers {}",
            name_of(version),
            self.planned.endpoint.name,
            callers::still_get(holder)
        ))
    }
}

/// The sentence that says that the label is where it was.
struct NotMoved(String);

impl NotMoved {
    fn of(self, error: ApiError) -> CommandError {
        let exit = error.exit();
        let sentence = match error.outcome_unknown() {
            true => format!("{}, as far as is known", self.0),
            false => self.0,
        };
        CommandError::from(error).context(
            CommandError::new(exit, sentence)
                .hint("run this again: it tests the version that runs, and moves the label once"),
        )
    }
}

/// A path that is there for other methods.
fn is_no_method(error: &ApiError) -> bool {
    error.status().is_some_and(|status| status.as_u16() == 405)
}
