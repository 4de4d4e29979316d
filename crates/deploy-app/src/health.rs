//! Does the app answer? Domino's `Running` says that a container runs; this looks at the app's own page.

use std::fmt;
use std::time::Duration;

use domino_core::api::apps::{App, Apps};
use domino_core::client::{Page, Reader};
use domino_core::error::{CommandError, Exit};
use domino_core::wait::Poll;
use stage_file::StageFile;

/// How long a running app may take to answer.
const ANSWER_GRACE: Duration = Duration::from_secs(30);

/// How many times in a row a sign-in page must be seen before it counts: a proxy may show one while an app starts.
const SIGN_IN_LOOKS: u32 = 5;

/// What an app must answer to count as serving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HealthCheck {
    path: String,
    status: u16,
}

/// The result of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Health {
    /// It answers as it should.
    Good,
    /// It does not; the text is the reason.
    NotYet(String),
    /// Something in front of the app asks for a sign-in.
    AuthWall(AuthWall),
}

/// What prevents us from reading an app's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuthWall {
    what: String,
    had_credential: bool,
}

impl HealthCheck {
    /// The check that the stage file asks for; `None` if Domino's word is enough.
    pub(crate) fn of(app: &stage_file::App) -> Option<Self> {
        app.health_path.as_ref().map(|path| Self {
            path: path.clone(),
            status: app.health_status,
        })
    }

    /// Looks at the page of a running app until it answers, asks for a sign-in again and again, or thirty seconds or
    /// `at_most` have passed.
    pub(crate) async fn wait(
        &self,
        reader: &Reader,
        apps: &Apps<Reader>,
        app: &App,
        at_most: Duration,
    ) -> Health {
        let mut poll = Poll::until(ANSWER_GRACE.min(at_most), reader.delay_scale());
        let (mut patience, mut address) = (Patience::default(), app.url.clone());
        loop {
            let health = patience.weigh(self.look(reader, address.as_deref()).await);
            let is_final = matches!(health, Health::Good | Health::AuthWall(_));
            if is_final || !poll.next().await {
                return health;
            }
            // An app that was just started may get another address.
            if let Ok(Some(now)) = apps.app(&app.id).await {
                address = now.url;
            }
        }
    }

    /// One look. If Domino does not give an address yet, there is nothing to look at.
    pub(crate) async fn look(&self, reader: &Reader, address: Option<&str>) -> Health {
        let Some(address) = address else {
            return Health::NotYet("Domino gives no address of it".into());
        };
        match reader.page(address, &self.path).await {
            Ok(page) => self.evaluate(&page),
            Err(error) => {
                let cause = std::error::Error::source(&error);
                let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
                Health::NotYet(format!("{error}{cause}"))
            }
        }
    }

    fn evaluate(&self, page: &Page) -> Health {
        let wall = |what: String| {
            Health::AuthWall(AuthWall {
                what,
                had_credential: page.had_credential,
            })
        };
        let address = &page.address;
        if page.is_sign_in {
            return wall(match &page.moved_to {
                Some(to) => format!("`{address}` sends on to sign in at `{to}`"),
                None => format!("`{address}` shows a sign-in page"),
            });
        }
        if page.status == self.status {
            return Health::Good;
        }
        if matches!(page.status, 401 | 403) {
            return wall(format!("`{address}` answers {}", page.status));
        }
        let to = page
            .moved_to
            .as_ref()
            .map_or_else(String::new, |to| format!(" (to `{to}`)"));
        Health::NotYet(format!(
            "`{address}` answers {}{to} in place of {}",
            page.status, self.status
        ))
    }
}

/// In a plan: `/healthz answers 200`.
impl fmt::Display for HealthCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` answers {}", self.path, self.status)
    }
}

/// Counts sign-in pages before one counts.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    seen: u32,
}

impl Patience {
    /// What one more look means.
    pub(crate) fn weigh(&mut self, health: Health) -> Health {
        match health {
            Health::AuthWall(wall) => {
                self.seen += 1;
                match self.seen >= SIGN_IN_LOOKS {
                    true => Health::AuthWall(wall),
                    false => Health::NotYet(wall.what),
                }
            }
            other => {
                self.seen = 0;
                other
            }
        }
    }
}

impl AuthWall {
    /// What was seen in place of the page.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// The error: Domino says that it runs, and more cannot be seen.
    pub(crate) fn failure(&self, app: &str, file: &StageFile) -> CommandError {
        let key = ["app", app, "health-path"];
        let place = format!("`health-path` of `[app.{app}]`");
        let hint = match self.had_credential {
            true => format!(
                "Domino does not take this credential for the app's own page: grant the account access to the app, \
                 make it `public`, or leave out {place}"
            ),
            false => format!(
                "the credential is sent to Domino's own address only, and the app has another one: make it \
                 `public`, or leave out {place}"
            ),
        };
        CommandError::new(
            Exit::Refused,
            format!(
                "Domino says that app `{app}` runs, but whether it answers cannot be seen: {}",
                self.what
            ),
        )
        .hint(hint)
        .at(file, &key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16) -> HealthCheck {
        HealthCheck {
            path: "/healthz".into(),
            status,
        }
    }

    fn page(status: u16) -> Page {
        Page {
            address: "https://domino.example.com/apps/a1/healthz".into(),
            status,
            moved_to: None,
            is_sign_in: false,
            is_json: false,
            had_credential: true,
        }
    }

    #[test]
    fn only_the_expected_status_is_good() {
        assert_eq!(check(200).evaluate(&page(200)), Health::Good);
        assert_eq!(check(204).evaluate(&page(204)), Health::Good);
        assert_eq!(
            check(200).evaluate(&page(503)),
            Health::NotYet(
                "`https://domino.example.com/apps/a1/healthz` answers 503 in place of 200".into()
            )
        );
    }

    #[test]
    fn a_sign_in_page_is_never_good_not_even_with_the_expected_status() {
        let sign_in = Page {
            is_sign_in: true,
            ..page(200)
        };
        assert!(matches!(check(200).evaluate(&sign_in), Health::AuthWall(_)));
        let sent_on = Page {
            moved_to: Some("https://login.example.com/".into()),
            is_sign_in: true,
            ..page(302)
        };
        assert!(matches!(check(302).evaluate(&sent_on), Health::AuthWall(_)));
    }

    #[test]
    fn a_redirect_within_the_app_is_not_the_answer_unless_it_is_expected() {
        let moved = Page {
            moved_to: Some("/apps/a1/healthz/".into()),
            ..page(301)
        };
        assert!(matches!(check(200).evaluate(&moved), Health::NotYet(_)));
        assert_eq!(check(301).evaluate(&moved), Health::Good);
    }

    #[test]
    fn a_refusal_means_that_we_are_not_let_to_it_unless_it_is_expected() {
        assert!(matches!(
            check(200).evaluate(&page(401)),
            Health::AuthWall(_)
        ));
        assert!(matches!(
            check(200).evaluate(&page(403)),
            Health::AuthWall(_)
        ));
        assert_eq!(check(401).evaluate(&page(401)), Health::Good);
    }

    #[test]
    fn a_sign_in_page_is_believed_when_it_stays() {
        let wall = || check(200).evaluate(&page(401));
        let mut patience = Patience::default();
        for _ in 0..SIGN_IN_LOOKS - 1 {
            assert!(matches!(patience.weigh(wall()), Health::NotYet(_)));
        }
        assert!(matches!(patience.weigh(wall()), Health::AuthWall(_)));
        assert_eq!(patience.weigh(Health::Good), Health::Good);
        assert!(matches!(patience.weigh(wall()), Health::NotYet(_)));
    }
}
