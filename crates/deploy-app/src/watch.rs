//! Watching one version of an app until it serves: it is up, it is the current one, it is what was asked for, and
//! it answers. Or until it is certain that it will not, or the time is up.

use std::time::{Duration, Instant};

use domino_core::api::apps::{
    App, AppId, AppInstanceId, AppStatus, AppVersion, AppVersionId, Apps, Capabilities,
};
use domino_core::client::{ApiError, Reader};
use domino_core::step::Progress;
use domino_core::wait::{LogTail, Poll};

use crate::before::Before;
use crate::health::{Health, HealthCheck, Hidden, Patience};
use crate::wanted::Wanted;

/// How long the log of a version that went down may lag behind.
pub(crate) const LOG_GRACE: Duration = Duration::from_secs(5);
/// A log that was not to be had so often is asked for once more when the version is down, and not before.
const LOG_MISSES: u32 = 10;

/// How long a version without a page to look at must be up.
const STEADY: Duration = Duration::from_secs(3);
/// How long the version before may run on after the new one is up before its end is not waited for any more.
const TWO_AT_ONCE: Duration = Duration::from_secs(30);

/// What is watched.
pub(crate) struct Watch<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) apps: &'a Apps<Reader>,
    pub(crate) app: &'a AppId,
    pub(crate) health: Option<&'a HealthCheck>,
    pub(crate) expected: Expected<'a>,
    /// The version that ran before and is being replaced.
    pub(crate) before: Option<&'a AppVersionId>,
    pub(crate) progress: &'a mut Progress,
    pub(crate) tail: LogTail,
    /// How often the log was not to be had.
    pub(crate) log_misses: u32,
    /// Why the log of a version that went down was not read to its end, if so.
    pub(crate) unread: Option<String>,
}

/// Which version is waited for.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// This one. Its start before, if there was one, says nothing about the new one.
    Version(AppVersionId, Option<AppInstanceId>),
    /// Whichever becomes the current one in place of this one: the reply did not name it.
    OtherThan(Option<AppVersionId>),
}

/// What the version must be made of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected<'a> {
    /// What is asked for now.
    Wanted(&'a Wanted),
    /// The same as this one, which ran before.
    Before(&'a Before),
}

/// How watching ended.
#[derive(Debug)]
pub(crate) enum Watched {
    /// It serves. Domino does not tell these things about it, so that they were not checked.
    Serves(App, Vec<&'static str>),
    /// It went down.
    Down(AppVersion),
    /// It runs something else.
    Another(AppVersion, Vec<String>),
    /// Domino says that it runs, and its page cannot be looked at.
    Hidden(App, Hidden),
    /// The time was up; what it looked like then, and what its page did.
    TimeUp(Option<AppVersion>, Option<String>),
}

impl Expected<'_> {
    /// What is different, and what is not told.
    fn compare(self, can: &Capabilities, version: &AppVersion) -> (Vec<String>, Vec<&'static str>) {
        // The active revision may have changed since the plan; that is not what was asked for.
        let comparison = match self {
            Self::Wanted(wanted) => wanted.compare(version),
            Self::Before(before) => before.compare(can, version),
        };
        (comparison.different, comparison.untold)
    }
}

impl Watch<'_> {
    /// Watches until the end. An outage is waited out for as long as there is time.
    pub(crate) async fn until_it_serves(
        &mut self,
        mut target: Target,
        poll: &mut Poll,
    ) -> Result<Watched, ApiError> {
        let (mut known, mut problem): (Option<AppVersion>, Option<String>) = (None, None);
        let (mut seen, mut patience): (Option<Seen>, Patience) = (None, Patience::default());
        loop {
            let look = poll.within(self.look(&mut target, known.as_ref())).await;
            match look.unwrap_or(Ok(None)) {
                Ok(Some(version)) => {
                    if known.as_ref().map(AppVersion::status) != Some(version.status()) {
                        poll.reset_backoff();
                    }
                    self.progress
                        .status(&status_line(&version, problem.as_deref()));
                    match version.status() {
                        AppStatus::Up(_) => {
                            if let Some(seen) = seen.take_if(|seen| self.has_settled(seen)) {
                                return Ok(Watched::Serves(seen.app, seen.untold));
                            }
                            match self.serves(&version, &mut seen, &mut patience).await {
                                Ok(Serving::Yes) => problem = None,
                                Ok(Serving::NotYet(why)) => problem = Some(why),
                                Ok(Serving::Another(different)) => {
                                    return Ok(Watched::Another(version, different));
                                }
                                Ok(Serving::Hidden(app, hidden)) => {
                                    return Ok(Watched::Hidden(*app, hidden));
                                }
                                Err(error) => problem = Some(poll.outage(error)?),
                            }
                        }
                        AppStatus::Down(_) => {
                            self.rest_of_log(&version).await;
                            return Ok(Watched::Down(version));
                        }
                        _ => seen = None,
                    }
                    known = Some(version);
                }
                Ok(None) => self
                    .progress
                    .status("Domino does not show the new version yet"),
                Err(error) => poll.wait_out(self.progress, error)?,
            }
            if !poll.next().await {
                return Ok(match seen.filter(|seen| seen.good_since.is_some()) {
                    Some(seen) => Watched::Serves(seen.app, seen.untold),
                    None => Watched::TimeUp(known, problem),
                });
            }
        }
    }

    /// Once it was good and still is up, it serves and did not just flash by. Without a page to look at, that takes
    /// longer to tell: what ends at once is `Running` for a moment as well.
    fn has_settled(&self, seen: &Seen) -> bool {
        let steady = match self.health {
            Some(_) => Duration::ZERO,
            None => STEADY.mul_f64(self.reader.delay_scale()),
        };
        seen.good_since
            .is_some_and(|since| since.elapsed() >= steady)
    }

    /// The version and its log side by side. What still shows the start before is nothing yet.
    async fn look(
        &mut self,
        target: &mut Target,
        known: Option<&AppVersion>,
    ) -> Result<Option<AppVersion>, ApiError> {
        let (id, stale) = match target {
            Target::Version(id, stale) => (id.clone(), stale.clone()),
            Target::OtherThan(before) => {
                let app = self.apps.app(self.app).await?;
                let found = app
                    .as_ref()
                    .and_then(|app| app.version_other_than(before.as_ref()));
                let Some(version) = found.cloned() else {
                    return Ok(None);
                };
                *target = Target::Version(version.id.clone(), None);
                return Ok(Some(version));
            }
        };
        let instance = known.and_then(|version| version.instance.clone());
        let (apps, app) = (self.apps, self.app);
        let (tail, progress) = (&mut self.tail, &mut *self.progress);
        let follows_log = self.log_misses < LOG_MISSES;
        let (version, log) = tokio::join!(apps.version(app, &id), async {
            let Some(instance) = instance.filter(|_| follows_log) else {
                return Ok(());
            };
            tail.read(
                async |from: &str, limit: usize| {
                    apps.log(app, &id, &instance.id, from, limit).await
                },
                |line: &str| progress.log(line),
            )
            .await
        });
        // A log that is not to be had is no reason to stop watching, nor to ask for it for ever.
        self.log_misses += u32::from(log.is_err());
        Ok(
            version?.filter(|version| match (&version.instance, &stale) {
                (Some(instance), Some(stale)) => {
                    instance.id != *stale || !instance.status.is_down()
                }
                _ => true,
            }),
        )
    }

    /// Whether a version that is up is the one that serves. What it is made of is asked for once, its page each
    /// time until it answers.
    async fn serves(
        &self,
        version: &AppVersion,
        seen: &mut Option<Seen>,
        patience: &mut Patience,
    ) -> Result<Serving, ApiError> {
        // The address may come late, and without it there is nothing to ask.
        let late = |seen: &Seen| self.health.is_some() && seen.app.url.is_none();
        let mut now = match seen.take().filter(|seen| !late(seen)) {
            Some(seen) => seen,
            None => match self.check(version).await? {
                Ok(seen) => seen,
                Err(serving) => return Ok(serving),
            },
        };
        if now.good_since.is_none() {
            let health = match self.health {
                None => Health::Good,
                Some(check) => {
                    let address = now.app.url.as_deref();
                    patience.judge(check.look(self.reader, address).await)
                }
            };
            match health {
                Health::Hidden(hidden) => return Ok(Serving::Hidden(Box::new(now.app), hidden)),
                Health::NotYet(why) => {
                    *seen = Some(now);
                    return Ok(Serving::NotYet(why));
                }
                Health::Good => {}
            }
            if self.may_still_be_the_one_before(&now).await? {
                *seen = Some(now);
                let text = "the version before runs as well, and may be the one that answers";
                return Ok(Serving::NotYet(text.into()));
            }
            now.good_since = Some(Instant::now());
        }
        *seen = Some(now);
        Ok(Serving::Yes)
    }

    /// Where two versions run at once, the page that answers may be the other one's. A Domino that keeps both for
    /// good is not waited for.
    async fn may_still_be_the_one_before(&self, seen: &Seen) -> Result<bool, ApiError> {
        let two = self.apps.capabilities().runs_two_at_once && self.health.is_some();
        let Some(before) = self.before.filter(|_| two) else {
            return Ok(false);
        };
        if seen.checked.elapsed() >= TWO_AT_ONCE.mul_f64(self.reader.delay_scale()) {
            return Ok(false);
        }
        let old = self.apps.version(self.app, before).await?;
        Ok(old.is_some_and(|old| !old.status().is_down()))
    }

    /// Whether the version is the current one and what was asked for, and what Domino does not tell about it.
    async fn check(&self, version: &AppVersion) -> Result<Result<Seen, Serving>, ApiError> {
        let Some(app) = self.apps.app(self.app).await? else {
            return Ok(Err(Serving::NotYet("Domino does not show the app".into())));
        };
        let current = app.version.as_ref().filter(|v| v.id == version.id);
        // Whether a version that is started again becomes the current one is nowhere said.
        if current.is_none() && matches!(self.expected, Expected::Wanted(_)) {
            let text = "Domino still takes another version for the current one";
            return Ok(Err(Serving::NotYet(text.into())));
        }
        let (different, untold) = self
            .expected
            .compare(self.apps.capabilities(), current.unwrap_or(version));
        Ok(match different.is_empty() {
            true => Ok(Seen {
                app,
                untold,
                checked: Instant::now(),
                good_since: None,
            }),
            false => Err(Serving::Another(different)),
        })
    }

    /// The log of what went down says why; it may come late.
    async fn rest_of_log(&mut self, version: &AppVersion) {
        let Some(instance) = &version.instance else {
            return;
        };
        let (apps, app) = (self.apps, self.app);
        let (tail, progress) = (&mut self.tail, &mut *self.progress);
        let rest = tail.finish(
            LOG_GRACE,
            self.reader.delay_scale(),
            async |from: &str, limit: usize| {
                apps.log(app, &version.id, &instance.id, from, limit).await
            },
            |line: &str| progress.log(line),
        );
        self.unread = rest.await.err();
    }
}

/// A version that is up, current, and what was asked for.
struct Seen {
    app: App,
    /// What Domino does not tell about it.
    untold: Vec<&'static str>,
    checked: Instant,
    good_since: Option<Instant>,
}

/// What a version that is up turned out to be.
enum Serving {
    Yes,
    NotYet(String),
    Another(Vec<String>),
    Hidden(Box<App>, Hidden),
}

fn status_line(version: &AppVersion, problem: Option<&str>) -> String {
    let word = match &version.instance {
        Some(_) => version.status().word().to_owned(),
        None => "not started yet".into(),
    };
    match problem.filter(|_| version.status().is_up()) {
        Some(problem) => format!("version {}: {word}; {problem}", version.id),
        None => format!("version {}: {word}", version.id),
    }
}
