//! Proving that the version that serves is the one that was asked for and is good; else the one before comes back.

use domino_core::api::model_apis::{Generation, ModelApi, ModelApiVersion};
use domino_core::error::{CommandError, Result};
use domino_core::step::{Interrupts, Step};

use crate::check::{Built, mismatches};
use crate::endpoint::{endpoint_client, name_of, url};
use crate::publish::Publish;
use crate::rollback::{PreviousVersion, roll_back};
use crate::smoke_test::{Verdict, test};
use crate::token::VARIABLE;
use crate::watch::EndpointWatch;

impl Publish<'_> {
    /// Whether what serves is what was asked for. What is not, gives way to what served before.
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
        let why = format!("it is not what was asked for: {}", wrong.join("; "));
        Err(self
            .roll_back(
                step,
                watch,
                interrupts,
                version,
                "is not what was asked for",
                why,
            )
            .await)
    }

    /// Says what the version was built from, and warns of all that Domino does not tell, so that nobody takes it for
    /// compared.
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
                    .fact("built from", self.planned.wanted.mark.commit.as_str());
            }
            Built::Other(commit) => {
                step.report.fact("built from", commit);
            }
            Built::NotApplicable => {}
        }
        if self.planned.endpoint.generation == Generation::Models {
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

    /// Tests the version. `follow` is given when it is this run's own, so that it can give way to the one before.
    pub(crate) async fn smoke_test(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        api: &ModelApi,
        version: &ModelApiVersion,
        watch: Option<&EndpointWatch<'_>>,
    ) -> Result<()> {
        let Some(smoke) = &self.planned.smoke else {
            step.report
                .fact("smoke test", "none")
                .output("smoke", "none");
            return Ok(());
        };
        if self.token.is_missing() && api.is_public == Some(false) {
            self.skip_smoke_test(step);
            return Ok(());
        }
        let called = name_of(version);
        let endpoint = endpoint_client(self.context, &self.args.address, api, &self.token)?;
        let mut progress = step.progress();
        let verdict = tokio::select! {
            verdict = test(&endpoint, version.number, smoke, self.writer.reader().delay_scale(), &mut progress) => verdict,
            signal = interrupts.next() => {
                progress.end();
                let text = format!(
                    "interrupted in the smoke test; {called} of endpoint `{}` serves and was not tested",
                    self.planned.endpoint.name
                );
                return Err(CommandError::new(signal.exit(), text));
            }
        };
        progress.end();
        let name = &self.planned.endpoint.name;
        match verdict {
            Verdict::Passed(words) => {
                step.report
                    .fact("smoke test", words)
                    .output("smoke", "passed");
                Ok(())
            }
            Verdict::Refused(_) if self.token.is_missing() => {
                self.skip_smoke_test(step);
                Ok(())
            }
            Verdict::Refused(error) => {
                step.report
                    .fact("smoke test", "not done: the token was refused")
                    .output("smoke", "refused");
                Err(CommandError::from(error).context(
                    CommandError::refused(format!(
                        "{called} of endpoint `{name}` serves, but refused the token in `{VARIABLE}`, so that it was not tested"
                    ))
                    .hint(format!(
                        "`{VARIABLE}` must hold an access token of this very endpoint: Domino shows it under the \
                         endpoint's settings, Invocation"
                    )),
                ))
            }
            Verdict::NotThere(error) => {
                step.report
                    .fact("smoke test", "not done: nothing answers there")
                    .output("smoke", "unreachable");
                Err(CommandError::from(error).context(
                    CommandError::failed(format!(
                        "{called} of endpoint `{name}` is `Running` by Domino's word, but does not answer at {}, so \
                         that it was not tested",
                        url(self.context, &self.args.address, api)
                    ))
                    .hint(
                        "an endpoint on a remote data plane has a host of its own: give it with `--endpoint-host` or \
                         in `DOMINO_MODEL_HOST`",
                    ),
                ))
            }
            Verdict::Failed(why) => {
                step.report
                    .fact("smoke test", format!("failed: {why}"))
                    .output("smoke", "failed");
                step.report.next = Some(self.logs_of(version));
                match watch {
                    Some(watch) => Err(self
                        .roll_back(step, watch, interrupts, version, "failed its smoke test", why)
                        .await),
                    None => Err(CommandError::message(why).context(
                        CommandError::failed(format!(
                            "{called} of endpoint `{name}`, which serves already, failed its smoke test"
                        ))
                        .hint("nothing was changed; publish a version that passes"),
                    )),
                }
            }
        }
    }

    fn skip_smoke_test(&self, step: &mut Step) {
        step.report
            .fact("smoke test", "skipped: no token")
            .output("smoke", "skipped");
        step.warn(
            &format!(
                "the smoke test was skipped: endpoint `{}` asks for an access token of its own, and `{VARIABLE}` holds \
                 none for it; make one in Domino under the endpoint's settings, Invocation",
                self.planned.endpoint.name
            ),
            None,
        );
    }

    /// The new version is no good: the one before comes back, where there is one and Domino lets it.
    pub(crate) async fn roll_back(
        &self,
        step: &mut Step,
        watch: &EndpointWatch<'_>,
        interrupts: &mut Interrupts,
        version: &ModelApiVersion,
        what: &str,
        why: String,
    ) -> CommandError {
        let (called, name) = (name_of(version), &self.planned.endpoint.name);
        let settings_changed = self.planned.changes_settings();
        let before = self.planned.existing.as_ref().and_then(|existing| {
            let before = existing.previous_version(version, &self.planned.wanted.mark)?;
            Some(PreviousVersion {
                api: existing.api.clone(),
                version: before.clone(),
                settings_changed,
            })
        });
        let Some(before) = before else {
            let text = format!(
                "{called} of endpoint `{name}` {what}, and serves: there is no version before it"
            );
            let failure = CommandError::failed(text)
                .hint("publish a version that is good, or stop the endpoint in Domino");
            return CommandError::message(why).context(failure);
        };
        let earlier = name_of(&before.version);
        step.say(&format!("{called} {what}: putting {earlier} back"));
        let mut progress = step.progress();
        let desired = &self.planned.wanted.desired;
        let outcome = tokio::select! {
            outcome = roll_back(watch, &self.writer, &before, desired, self.args.timeout, &mut progress) => outcome,
            signal = interrupts.next() => {
                progress.end();
                let text = format!(
                    "interrupted while {earlier} of endpoint `{name}` was being put back: {called} may still serve, which {what}"
                );
                return CommandError::message(why).context(CommandError::new(signal.exit(), text));
            }
        };
        progress.end();
        match outcome {
            Ok(back) => {
                self.describe(step, &before.api, &back);
                let text = format!(
                    "{called} of endpoint `{name}` {what}; {earlier} serves again{}",
                    if back.id == before.version.id {
                        String::new()
                    } else {
                        format!(", as {}", name_of(&back))
                    }
                );
                CommandError::message(why).context(
                    CommandError::failed(text)
                        .hint("nothing is lost; publish a version that is good"),
                )
            }
            Err(problem) => {
                let text = format!(
                    "{called} of endpoint `{name}` serves, although it {what}: {earlier} could not be put back"
                );
                CommandError::message(problem)
                    .context(format!("it {what}: {why}"))
                    .context(
                        CommandError::failed(text)
                            .hint(format!("start {earlier} in Domino by hand, now")),
                    )
            }
        }
    }
}
