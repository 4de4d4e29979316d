//! Watches one version of an app until it serves: it is up, it is the current one, it is what was requested, and it
//! answers. Or until it is certain that it will not, or the time is up.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use domino_core::api::apps::{App, AppId, AppStatus, AppVersion, AppVersionId, Apps, Capabilities};
use domino_core::client::{ApiError, Reader};
use domino_core::step::Progress;
use domino_core::wait::{LogTail, Poll};

use crate::health::{AuthWall, Health, HealthCheck, Patience};
use crate::launch::{Launcher, Target};
use crate::previous::PreviousVersion;
use crate::wanted::Wanted;

/// How late the log of a stopped version may be.
pub(crate) const LOG_GRACE: Duration = Duration::from_secs(5);
/// After this many failures to read the log, it is read again only when the version is down.
const LOG_MISSES: u32 = 10;
/// How long a version without a page to read must be up.
const STEADY: Duration = Duration::from_secs(3);
/// How long the previous version may run after the new one is up; after that its end is no longer awaited.
const TWO_AT_ONCE: Duration = Duration::from_secs(30);

/// What is watched.
pub(crate) struct Watch<'a> {
    reader: &'a Reader,
    apps: &'a Apps<Reader>,
    app: &'a AppId,
    health: Option<&'a HealthCheck>,
    expected: Expected<'a>,
    /// The version that ran before and is being replaced.
    pub(crate) replaces: Option<&'a AppVersionId>,
    progress: &'a mut Progress,
    pub(crate) tail: LogTail,
    /// How often the log could not be read.
    log_misses: u32,
    patience: Patience,
    /// Why the log of a stopped version was not read to its end, if so.
    pub(crate) unread: Option<String>,
}

/// What the version must be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected<'a> {
    /// What is asked for now.
    Wanted(&'a Wanted),
    /// The same as what ran before.
    Previous(&'a PreviousVersion),
}

/// Where the version that is watched stands. An outage moves it nowhere, unless it hides what is being verified.
///
/// ```text
///            seen               up                   verified, answers         stays so
/// Unseen ──────────> Starting <────> Up ────────────────────────────> GoodSince ────────> (serves)
///                       │             │ ^ not yet, and why               │
///                       │             └─┘                                │
///                       └────────────────────────────────────────────────┴─────────────> (down)
///                                     Up: another thing than asked for ────────────────> (mismatch)
///                                     Up: its page asks for a sign-in again and again ─> (auth wall)
/// ```
enum Phase {
    /// Domino does not show it yet.
    Unseen,
    /// Domino shows it, but it is not up.
    Starting(AppVersion),
    /// It is up; the text is why it does not serve yet.
    Up {
        version: AppVersion,
        /// Set once it was compared with what was requested.
        verified: Option<Verified>,
        problem: String,
    },
    /// It is what was requested and has answered since this moment.
    GoodSince(Instant, AppVersion, Verified),
}

/// A version that is current and what was requested.
struct Verified {
    app: App,
    /// What Domino does not tell about it.
    unreported: Vec<&'static str>,
    at: Instant,
}

/// The result of comparing a version with what was requested.
enum Comparing {
    Verified(Box<Verified>),
    NotYet(&'static str),
    Mismatch(Vec<String>),
}

/// How watching ended.
#[derive(Debug)]
pub(crate) enum WatchOutcome {
    /// It serves. Domino does not tell these things about it, so they were not checked.
    Serves(App, Vec<&'static str>),
    /// It went down.
    Down(AppVersion),
    /// It runs something else.
    Mismatch(AppVersion, Vec<String>),
    /// Domino says that it runs, but its page cannot be read.
    AuthWall(App, AuthWall),
    /// The time was up: the version as it was then, and why it did not serve.
    TimeUp(Option<AppVersion>, Option<String>),
}

impl WatchOutcome {
    /// The watched version, as it was last read.
    pub(crate) fn version(&self) -> Option<&AppVersion> {
        match self {
            Self::Serves(app, _) | Self::AuthWall(app, _) => app.version.as_ref(),
            Self::Down(version) | Self::Mismatch(version, _) => Some(version),
            Self::TimeUp(version, _) => version.as_ref(),
        }
    }
}

/// The result of one look: the next phase, or the end of watching.
type Moved = ControlFlow<WatchOutcome, Phase>;

impl Expected<'_> {
    /// What differs, and what Domino does not tell.
    fn compare(self, can: &Capabilities, version: &AppVersion) -> (Vec<String>, Vec<&'static str>) {
        // The active revision may have changed since the plan; nobody asked for that.
        let comparison = match self {
            Self::Wanted(wanted) => wanted.compare(version),
            Self::Previous(previous) => previous.compare(can, version),
        };
        (comparison.different, comparison.unreported)
    }
}

impl Phase {
    fn version(&self) -> Option<&AppVersion> {
        match self {
            Self::Unseen => None,
            Self::Starting(version) | Self::Up { version, .. } | Self::GoodSince(_, version, _) => {
                Some(version)
            }
        }
    }

    fn problem(&self) -> Option<&str> {
        match self {
            Self::Up { problem, .. } => Some(problem),
            _ => None,
        }
    }

    fn when_time_is_up(self) -> WatchOutcome {
        match self {
            Self::Unseen => WatchOutcome::TimeUp(None, None),
            Self::Starting(version) => WatchOutcome::TimeUp(Some(version), None),
            Self::Up {
                version, problem, ..
            } => WatchOutcome::TimeUp(Some(version), Some(problem)),
            Self::GoodSince(_, _, verified) => {
                WatchOutcome::Serves(verified.app, verified.unreported)
            }
        }
    }
}

impl<'a> Watch<'a> {
    /// Prepares to watch a version of the app.
    pub(crate) fn new(
        launcher: &'a Launcher<'_>,
        app: &'a AppId,
        health: Option<&'a HealthCheck>,
        expected: Expected<'a>,
        progress: &'a mut Progress,
    ) -> Self {
        Self {
            reader: &launcher.reader,
            apps: &launcher.apps,
            app,
            health,
            expected,
            replaces: None,
            progress,
            tail: LogTail::default(),
            log_misses: 0,
            patience: Patience::default(),
            unread: None,
        }
    }

    /// Watches until the end.
    pub(crate) async fn until_it_serves(
        &mut self,
        mut target: Target,
        poll: &mut Poll,
    ) -> Result<WatchOutcome, ApiError> {
        let mut phase = Phase::Unseen;
        loop {
            let look = poll.within(self.look(&mut target, phase.version())).await;
            match look.unwrap_or(Ok(None)) {
                Ok(Some(version)) => {
                    if phase.version().map(AppVersion::status) != Some(version.status()) {
                        poll.reset_backoff();
                    }
                    self.progress
                        .status(&status_line(&version, phase.problem()));
                    phase = match self.advance(phase, version, poll).await? {
                        ControlFlow::Continue(phase) => phase,
                        ControlFlow::Break(outcome) => return Ok(outcome),
                    };
                }
                Ok(None) => self
                    .progress
                    .status("Domino does not show the new version yet"),
                Err(error) => poll.wait_out(self.progress, error)?,
            }
            if !poll.next().await {
                return Ok(phase.when_time_is_up());
            }
        }
    }

    /// The phase after one look at the version.
    async fn advance(
        &mut self,
        phase: Phase,
        version: AppVersion,
        poll: &Poll,
    ) -> Result<Moved, ApiError> {
        match version.status() {
            AppStatus::Up(_) => {}
            AppStatus::Down(_) => {
                self.rest_of_log(&version).await;
                return Ok(ControlFlow::Break(WatchOutcome::Down(version)));
            }
            _ => return Ok(ControlFlow::Continue(Phase::Starting(version))),
        }
        let verified = match phase {
            Phase::GoodSince(since, _, verified) => {
                return Ok(self.settle(since, version, verified));
            }
            Phase::Up { verified, .. } => verified,
            Phase::Unseen | Phase::Starting(_) => None,
        };
        match self.verify(version.clone(), verified).await {
            Ok(moved) => Ok(moved),
            Err(error) => Ok(ControlFlow::Continue(Phase::Up {
                version,
                verified: None,
                problem: poll.outage(error)?,
            })),
        }
    }

    /// A version that was good and is still up serves, and was not up just for a moment. Without a page to read, that
    /// takes longer to tell: a version that ends at once is `Running` for a moment as well.
    fn settle(&self, since: Instant, version: AppVersion, verified: Verified) -> Moved {
        let steady = match self.health {
            Some(_) => Duration::ZERO,
            None => STEADY.mul_f64(self.reader.delay_scale()),
        };
        match since.elapsed() >= steady {
            true => ControlFlow::Break(WatchOutcome::Serves(verified.app, verified.unreported)),
            false => ControlFlow::Continue(Phase::GoodSince(since, version, verified)),
        }
    }

    /// Reads the version and its log side by side. A version that still shows its earlier start counts as nothing
    /// yet.
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
        // A log that cannot be read is no reason to stop watching, nor to ask for it forever.
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

    /// Whether a version that is up is the one that serves. Its content is read once, its page each time until it
    /// answers.
    async fn verify(
        &mut self,
        version: AppVersion,
        verified: Option<Verified>,
    ) -> Result<Moved, ApiError> {
        let not_yet = |version, verified, problem| {
            Ok(ControlFlow::Continue(Phase::Up {
                version,
                verified,
                problem,
            }))
        };
        // The address may come late, and without it there is nothing to read.
        let late = |verified: &Verified| self.health.is_some() && verified.app.url.is_none();
        let verified = match verified.filter(|verified| !late(verified)) {
            Some(verified) => verified,
            None => match self.compare(&version).await? {
                Comparing::Verified(verified) => *verified,
                Comparing::NotYet(why) => return not_yet(version, None, why.into()),
                Comparing::Mismatch(different) => {
                    return Ok(ControlFlow::Break(WatchOutcome::Mismatch(
                        version, different,
                    )));
                }
            },
        };
        if let Some(check) = self.health {
            let address = verified.app.url.as_deref();
            match self.patience.weigh(check.look(self.reader, address).await) {
                Health::Good => {}
                Health::NotYet(why) => return not_yet(version, Some(verified), why),
                Health::AuthWall(wall) => {
                    return Ok(ControlFlow::Break(WatchOutcome::AuthWall(
                        verified.app,
                        wall,
                    )));
                }
            }
        }
        if self.previous_may_answer(&verified).await? {
            let why = "the version before runs as well, and may be the one that answers";
            return not_yet(version, Some(verified), why.into());
        }
        Ok(ControlFlow::Continue(Phase::GoodSince(
            Instant::now(),
            version,
            verified,
        )))
    }

    /// If two versions run at once, the page that answers may be the other one's. If Domino keeps both for good, the
    /// wait ends.
    async fn previous_may_answer(&self, verified: &Verified) -> Result<bool, ApiError> {
        let two = self.apps.capabilities().runs_two_at_once && self.health.is_some();
        let Some(old) = self.replaces.filter(|_| two) else {
            return Ok(false);
        };
        if verified.at.elapsed() >= TWO_AT_ONCE.mul_f64(self.reader.delay_scale()) {
            return Ok(false);
        }
        let old = self.apps.version(self.app, old).await?;
        Ok(old.is_some_and(|old| !old.status().is_down()))
    }

    /// Whether the version is the current one and what was requested.
    async fn compare(&self, version: &AppVersion) -> Result<Comparing, ApiError> {
        let Some(app) = self.apps.app(self.app).await? else {
            return Ok(Comparing::NotYet("Domino does not show the app"));
        };
        let current = app.version.as_ref().filter(|v| v.id == version.id);
        // It is documented nowhere whether a version that is started again becomes the current one.
        if current.is_none() && matches!(self.expected, Expected::Wanted(_)) {
            let why = "Domino still takes another version for the current one";
            return Ok(Comparing::NotYet(why));
        }
        let can = self.apps.capabilities();
        let (different, unreported) = self.expected.compare(can, current.unwrap_or(version));
        Ok(match different.is_empty() {
            true => Comparing::Verified(Box::new(Verified {
                app,
                unreported,
                at: Instant::now(),
            })),
            false => Comparing::Mismatch(different),
        })
    }

    /// The log of a version that went down says why; it may come late.
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
