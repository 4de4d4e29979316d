//! Verifies that the version that serves is the requested one, and that it passes its smoke test. If not, it is
//! rolled back.

use domino_core::api::model_apis::{ModelApi, ModelApiVersion, PROD};
use domino_core::api::model_endpoints::Route;
use domino_core::error::{CommandError, Result};
use domino_core::step::{Interrupts, Step};
use stage_file::Routing;

use crate::callers;
use crate::check::{Built, mismatches};
use crate::endpoint::{endpoint_client, name_of, url};
use crate::publish::Publish;
use crate::rollback::{Defect, PreviousVersion, RollbackOutcome, roll_back};
use crate::smoke_test::{SmokeTestOutcome, test};
use crate::token::VARIABLE;
use crate::watch::EndpointWatch;

/// How a version was tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tested {
    /// Its answers to the recorded requests were as expected.
    Passed,
    /// Nothing tests it.
    ByNothing,
    /// It was not tested, because there is no token.
    Skipped,
}

impl Publish<'_> {
    /// Whether what serves is what was requested. If it is not, it is rolled back.
    pub(crate) async fn verify(
        &self,
        step: &mut Step,
        watch: &EndpointWatch<'_>,
        interrupts: &mut Interrupts,
        api: &ModelApi,
        version: &ModelApiVersion,
    ) -> Result<()> {
        let wanted = &self.planned.wanted;
        let built = Built::ask(&watch.reader, wanted, &watch.id, version).await;
        self.report_comparison(step, version, &built);
        let wrong = mismatches(
            wanted,
            self.planned.place.tier.as_ref(),
            api,
            version,
            &built,
        );
        if wrong.is_empty() {
            return Ok(());
        }
        let defect = Defect::Mismatch(wrong);
        Err(self
            .roll_back(step, watch, interrupts, version, defect)
            .await)
    }

    /// Reports what the version was built from, and warns about everything that Domino does not tell, so that nobody
    /// believes it was compared.
    pub(crate) fn report_comparison(
        &self,
        step: &mut Step,
        version: &ModelApiVersion,
        built: &Built,
    ) {
        match built {
            Built::Unknown => step.warn(
                "Domino does not tell from which commit of the repository it built the function, so that it was not compared",
                None,
            ),
            Built::Requested => {
                step.report
                    .fact("built from", self.planned.wanted.marker.commit.as_str());
            }
            Built::Other(commit) => {
                step.report.fact("built from", commit);
            }
            Built::NotApplicable => {}
        }
        if !self.planned.endpoint.apis.capabilities().tells_settings {
            let source = match version.source {
                Some(_) => String::new(),
                None => format!("what {} serves, nor ", name_of(version)),
            };
            step.warn(
                &format!(
                    "this Domino does not tell {source}the hardware tier, environment and replicas of an endpoint, so \
                     that they were not compared"
                ),
                None,
            );
        }
    }

    /// Tests what callers of the label get; nothing where nothing tests it.
    pub(crate) async fn test_callers(
        &self,
        step: &Step,
        api: &ModelApi,
    ) -> Result<Option<SmokeTestOutcome>> {
        let Some(requests) = &self.planned.smoke else {
            return Ok(None);
        };
        let (context, model) = (self.context, self.planned.model);
        let client = endpoint_client(context, model, &self.args.address, api, &self.token)?;
        let mut progress = step.progress();
        let delay_scale = context.connection.delay_scale();
        let outcome = test(
            &client,
            Route::Promoted,
            requests,
            delay_scale,
            &mut progress,
        )
        .await;
        progress.end();
        Ok(Some(outcome))
    }

    /// Tests the version. With `watch`, this run created it, and a version that fails is rolled back.
    pub(crate) async fn smoke_test(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        api: &ModelApi,
        version: &ModelApiVersion,
        watch: Option<&EndpointWatch<'_>>,
    ) -> Result<Tested> {
        let Some(requests) = &self.planned.smoke else {
            report_smoke_test(step, "none", "none");
            return Ok(Tested::ByNothing);
        };
        if self.token.is_missing() && api.is_public == Some(false) {
            self.skip_smoke_test(step);
            return Ok(Tested::Skipped);
        }
        let name = &self.planned.endpoint.name;
        let called = name_of(version);
        let (context, model) = (self.context, self.planned.model);
        let client = endpoint_client(context, model, &self.args.address, api, &self.token)?;
        let route = client.route_to(version.number);
        let delay_scale = context.connection.delay_scale();
        let mut progress = step.progress();
        let outcome = tokio::select! {
            outcome = test(&client, route, requests, delay_scale, &mut progress) => outcome,
            signal = interrupts.next() => {
                progress.end();
                let text = format!(
                    "interrupted in the smoke test; {called} of endpoint `{name}` serves and was not tested"
                );
                return Err(CommandError::new(signal.exit(), text));
            }
        };
        progress.end();
        match outcome {
            SmokeTestOutcome::Passed(words) => {
                step.report.smoke_test = Some(words.clone());
                report_smoke_test(step, words, "passed");
                Ok(Tested::Passed)
            }
            SmokeTestOutcome::Refused(_) if self.token.is_missing() => {
                self.skip_smoke_test(step);
                Ok(Tested::Skipped)
            }
            SmokeTestOutcome::Refused(error) => {
                report_smoke_test(step, "not done: the token was refused", "refused");
                Err(CommandError::from(error).context(self.token_was_refused(version)))
            }
            SmokeTestOutcome::NotThere(error) => {
                report_smoke_test(step, "not done: nothing answers there", "unreachable");
                Err(CommandError::from(error).context(self.does_not_answer(api, version)))
            }
            SmokeTestOutcome::Failed(why) => {
                report_smoke_test(step, format!("failed: {why}"), "failed");
                step.report.next = Some(self.logs_of(version));
                let Some(watch) = watch else {
                    return Err(CommandError::message(why).context(self.failed_again(api, version)));
                };
                let defect = Defect::FailedSmokeTest(why);
                Err(self
                    .roll_back(step, watch, interrupts, version, defect)
                    .await)
            }
        }
    }

    /// A version that was there before this run failed its smoke test: nothing was changed.
    fn failed_again(&self, api: &ModelApi, version: &ModelApiVersion) -> CommandError {
        let name = &self.planned.endpoint.name;
        let called = name_of(version);
        let text = match api.routes_by_label() && !version.is_promoted() {
            false => {
                format!(
                    "{called} of endpoint `{name}`, which serves already, failed its smoke test"
                )
            }
            true => {
                let existing = self.planned.existing.as_ref();
                let holder = existing.and_then(|existing| callers::promoted(&existing.versions));
                format!(
                    "{called} of endpoint `{name}`, which runs as `latest`, failed its smoke test; callers of \
                     `labels/{PROD}` {}",
                    callers::still_get(holder)
                )
            }
        };
        CommandError::failed(text).hint("nothing was changed; publish a version that passes")
    }

    fn token_was_refused(&self, version: &ModelApiVersion) -> CommandError {
        CommandError::refused(format!(
            "{} of endpoint `{}` serves, but refused the token in `{VARIABLE}`, so that it was not tested",
            name_of(version),
            self.planned.endpoint.name
        ))
        .hint(format!(
            "`{VARIABLE}` must hold an access token of this very endpoint: Domino shows it under the \
             endpoint's settings, Invocation"
        ))
    }

    fn does_not_answer(&self, api: &ModelApi, version: &ModelApiVersion) -> CommandError {
        CommandError::failed(format!(
            "{} of endpoint `{}` is `Running` by Domino's word, but does not answer at {}, so that it was not tested",
            name_of(version),
            self.planned.endpoint.name,
            url(self.context, self.planned.model, &self.args.address, api)
        ))
        .hint(
            "an endpoint on a remote data plane has a host of its own: write it into stages.toml as the model's \
             `endpoint-host`",
        )
    }

    fn skip_smoke_test(&self, step: &mut Step) {
        report_smoke_test(step, "skipped: no token", "skipped");
        step.warn(
            &format!(
                "the smoke test was skipped: endpoint `{}` asks for an access token of its own, and `{VARIABLE}` holds \
                 none for it; make one in Domino under the endpoint's settings, Invocation",
                self.planned.endpoint.name
            ),
            None,
        );
    }

    /// The new version has a defect: the previous one is restored, if there is one and Domino allows it.
    pub(crate) async fn roll_back(
        &self,
        step: &mut Step,
        watch: &EndpointWatch<'_>,
        interrupts: &mut Interrupts,
        version: &ModelApiVersion,
        defect: Defect,
    ) -> CommandError {
        let (called, name) = (name_of(version), &self.planned.endpoint.name);
        let new = format!("{called} of endpoint `{name}`");
        // What another step has published since is left alone.
        if let Ok(Some((_, later))) = self.later(watch, version).await {
            let later = name_of(&later);
            return CommandError::failed(format!("{new} {defect}; {later} serves by now"));
        }
        self.went_back.set(true);
        if let Some(failure) = self.callers_keep(step, watch, &new, &defect).await {
            return failure;
        }
        let Some(previous) = self.previous_version(version) else {
            return RollbackOutcome::NoPreviousVersion.into_error(&new, defect);
        };
        let earlier = name_of(&previous.version);
        step.say(&format!("{called} {defect}: putting {earlier} back"));
        let mut progress = step.progress();
        let desired = &self.planned.wanted.desired;
        let rolled_back = tokio::select! {
            done = roll_back(watch, &self.writer, &previous, desired, self.timeout(), &mut progress) => done,
            signal = interrupts.next() => {
                progress.end();
                let earlier = format!("{earlier} of endpoint `{name}`");
                return RollbackOutcome::Interrupted(signal, earlier, called).into_error(&new, defect);
            }
        };
        progress.end();
        let outcome = match rolled_back {
            Ok(now) => {
                step.report.forget(&["built from"]);
                self.describe(step, &previous.api, &now);
                let as_new = (now.id != previous.version.id).then(|| name_of(&now));
                RollbackOutcome::Serves(earlier, as_new)
            }
            Err(problem) => RollbackOutcome::Failed(earlier, problem),
        };
        outcome.into_error(&new, defect)
    }

    /// Where callers go by the label, they never got the version: nothing is put back but the endpoint's settings.
    async fn callers_keep(
        &self,
        step: &mut Step,
        watch: &EndpointWatch<'_>,
        new: &str,
        defect: &Defect,
    ) -> Option<CommandError> {
        let existing = self.planned.existing.as_ref()?;
        let holder = callers::promoted(&existing.versions)?;
        if !existing.api.routes_by_label() || self.planned.routing != Some(Routing::Advanced) {
            return None;
        }
        step.report.forget(&["built from"]);
        self.describe(step, &existing.api, holder);
        let settings = self.roll_settings_back(watch).await;
        let failure = CommandError::failed(format!(
            "{new} {defect}; callers of `labels/{PROD}` never got it, and {}{settings}",
            callers::still_get(Some(holder))
        ));
        let failure = failure.hint("nothing is lost; publish a version that is good");
        Some(CommandError::message(defect.reason()).context(failure))
    }

    fn previous_version(&self, version: &ModelApiVersion) -> Option<PreviousVersion> {
        let existing = self.planned.existing.as_ref()?;
        let previous = existing.previous_version(version, &self.planned.wanted.marker)?;
        Some(PreviousVersion {
            api: existing.api.clone(),
            version: previous.clone(),
            settings_changed: self.planned.changes_settings(),
        })
    }
}

/// Reports the smoke test to the person, and as the step output `smoke`.
fn report_smoke_test(step: &mut Step, words: impl Into<String>, output: &str) {
    step.report
        .fact("smoke test", words.into())
        .output("smoke", output);
}
