//! The approvals that GitHub asks for before a job may enter an environment: shown, given or refused here.
//!
//! An approval holds up its job and the jobs after it, and nothing else. Questions come one at a time. The settings
//! say who may approve, and what must be approved elsewhere first. GitHub itself enforces that nobody approves what
//! they pushed themselves. `approval/person.rs` asks the person.

mod person;

use std::io::BufRead;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::concurrency::Groups;
use crate::console::{Console, Look};
use crate::interrupt::Interrupt;
use crate::settings::{Environment, RepositorySettings};

/// Who gives the approvals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approve {
    /// Every approval is given
    All,
    /// Each is asked for on the terminal
    Ask,
    /// None is given: the pipeline stops at the first gate
    None,
}

/// An approval that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The run it was given for.
    pub run_id: u64,
    /// The environment it opens.
    pub environment: String,
    /// The user it was given by.
    pub user: String,
}

/// What was decided about a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The job may go on.
    Approved,
    /// It may not.
    Refused,
    /// The person chose to end the rehearsal.
    Interrupted,
}

/// Asks for approvals and remembers those that were given.
pub struct Approvals {
    mode: Approve,
    answers: Mutex<Receiver<String>>,
    questions: Groups,
    given: Arc<Mutex<Vec<Approval>>>,
}

/// A deployment that waits for an approval.
#[derive(Debug, Clone, Copy)]
pub struct Deployment<'a> {
    /// The environment that it enters.
    pub environment: &'a Environment,
    /// The run that it belongs to.
    pub run_id: u64,
    /// Its job with its workflow, such as `build/test`.
    pub job: &'a str,
    /// The jobs that come after it.
    pub later: &'a [&'a str],
}

impl Approvals {
    /// Reads answers from stdin, if any question is asked.
    pub fn from_stdin(mode: Approve) -> Self {
        let (sender, answers) = channel();
        if mode == Approve::Ask {
            std::thread::spawn(move || {
                for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        Self::new(mode, answers)
    }

    /// Reads answers from this channel.
    pub fn new(mode: Approve, answers: Receiver<String>) -> Self {
        Self {
            mode,
            answers: Mutex::new(answers),
            questions: Groups::default(),
            given: Arc::default(),
        }
    }

    /// Adds the approvals that were given in earlier attempts.
    pub fn with_earlier(mut self, given: Vec<Approval>) -> Self {
        self.given = Arc::new(Mutex::new(given));
        self
    }

    /// A copy of the approvals given so far.
    pub fn all_given(&self) -> Vec<Approval> {
        let given = self.given.lock();
        given.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The approvals given so far, shared with the code that shows them.
    pub fn given(&self) -> Arc<Mutex<Vec<Approval>>> {
        self.given.clone()
    }

    /// Shows the rules that protect an environment, and asks for an approval of a deployment to it.
    pub fn ask(
        &self,
        deployment: Deployment<'_>,
        settings: &dyn RepositorySettings,
        console: &Console,
        interrupt: &Interrupt,
    ) -> Decision {
        let environment = deployment.environment;
        show_rules(environment, console);
        let give_others = || {
            if settings.other_approvals().is_some() {
                say_done(&settings.approve_others(), console);
            }
        };
        if environment.reviewers.is_empty() {
            if self.mode == Approve::All && !environment.starters.is_empty() {
                give_others();
            }
            return Decision::Approved;
        }
        let decision = match self.mode {
            Approve::All => {
                give_others();
                Decision::Approved
            }
            Approve::None => Decision::Refused,
            Approve::Ask => self.ask_person(deployment, settings, console, interrupt),
        };
        let how = match self.mode {
            Approve::All => " by the rehearsal (`--approve all`)",
            Approve::None => " by the rehearsal (`--approve none`)",
            Approve::Ask => "",
        };
        match decision {
            Decision::Approved => {
                let user = self.remember(environment, deployment.run_id);
                console.line(Look::Good, &format!("   ✓ approved{how}, as {user}"));
            }
            Decision::Refused => console.line(Look::Bad, &format!("   ✗ not approved{how}")),
            Decision::Interrupted => {}
        }
        decision
    }

    /// Records an approval in the name of the first user who may give it, and returns that user.
    fn remember(&self, environment: &Environment, run_id: u64) -> String {
        let user = approver(environment).to_owned();
        self.given
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .push(Approval {
                run_id,
                environment: environment.name.clone(),
                user: user.clone(),
            });
        user
    }
}

/// The user in whose name GitHub's approval is given: the first reviewer.
fn approver(environment: &Environment) -> &str {
    let mut users = environment.reviewers.iter();
    let user = users.find(|name| !name.starts_with("team:"));
    user.map_or("approver", String::as_str)
}

fn say_done(done: &[String], console: &Console) {
    for done in done {
        console.line(Look::Good, &format!("   ✓ {done}"));
    }
}

fn show_rules(environment: &Environment, console: &Console) {
    let minutes = if environment.wait_timer == 1 {
        "minute"
    } else {
        "minutes"
    };
    let timer = match environment.wait_timer {
        0 => String::new(),
        timer => format!("; GitHub waits {timer} {minutes} more, the rehearsal does not"),
    };
    let head = format!(
        "   environment {} guards {}",
        environment.name, environment.guards
    );
    let (look, rule) = match (&environment.reviewers[..], &environment.starters[..]) {
        ([], []) => (Look::Dim, "no approval needed".to_owned()),
        ([], starters) => {
            let rule = format!(
                "{} must have started the run by hand",
                starters.join(" or ")
            );
            (Look::Bold, rule)
        }
        (reviewers, _) => (
            Look::Bold,
            format!("{} must approve", reviewers.join(" or ")),
        ),
    };
    console.line(look, &format!("{head}: {rule}{timer}"));
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::SeqCst;

    use super::*;
    use crate::console::captured;
    use crate::tests::SampleSettings;

    fn environment(reviewers: &[&str]) -> Environment {
        Environment {
            name: "PROD".into(),
            guards: "stage prod".into(),
            reviewers: reviewers.iter().map(|&name| name.to_owned()).collect(),
            starters: Vec::new(),
            wait_timer: 5,
        }
    }

    fn deployment(environment: &Environment) -> Deployment<'_> {
        Deployment {
            environment,
            run_id: 7,
            job: "deploy-jobs/deploy-prod",
            later: &["summary"],
        }
    }

    fn ask(
        mode: Approve,
        reviewers: &[&str],
        answers: &[&str],
    ) -> (Decision, String, Vec<Approval>) {
        ask_with(mode, reviewers, answers, &SampleSettings::default())
    }

    fn ask_with(
        mode: Approve,
        reviewers: &[&str],
        answers: &[&str],
        settings: &SampleSettings,
    ) -> (Decision, String, Vec<Approval>) {
        let (sender, receiver) = channel();
        for answer in answers {
            sender.send((*answer).to_owned()).unwrap();
        }
        drop(sender);
        let approvals = Approvals::new(mode, receiver);
        let (console, text) = captured();
        let answer = approvals.ask(
            deployment(&environment(reviewers)),
            settings,
            &console,
            &Interrupt::default(),
        );
        let given = approvals.given().lock().unwrap().clone();
        (
            answer,
            String::from_utf8(text.lock().unwrap().clone()).unwrap(),
            given,
        )
    }

    #[test]
    fn where_somebody_starts_the_run_by_hand_github_asks_nobody_and_others_are_asked() {
        for (mode, left) in [(Approve::All, 0), (Approve::None, 1)] {
            let settings = SampleSettings::default();
            settings.elsewhere.store(1, SeqCst);
            let by_hand = Environment {
                starters: vec!["ann".into(), "ben".into()],
                ..environment(&[])
            };
            let approvals = Approvals::new(mode, channel().1);
            let (console, text) = captured();
            let interrupt = Interrupt::default();
            let answer = approvals.ask(deployment(&by_hand), &settings, &console, &interrupt);
            assert_eq!(answer, Decision::Approved);
            assert_eq!(settings.elsewhere.load(SeqCst), left);
            let text = String::from_utf8(text.lock().unwrap().clone()).unwrap();
            let rule = "ann or ben must have started the run by hand; GitHub waits 5 minutes more";
            assert!(text.contains(rule), "{text}");
            assert!(approvals.all_given().is_empty());
        }
    }

    #[test]
    fn a_gate_shows_its_approvers_and_timer_and_is_opened_or_not() {
        let (answer, text, given) = ask(Approve::All, &["team:leads", "ann"], &[]);
        assert_eq!(answer, Decision::Approved);
        assert!(
            text.contains("team:leads or ann must approve; GitHub waits 5 minutes more"),
            "{text}"
        );
        assert_eq!(
            given,
            [Approval {
                run_id: 7,
                environment: "PROD".into(),
                user: "ann".into()
            }]
        );

        let (answer, text, given) = ask(Approve::None, &["ann"], &[]);
        assert_eq!((answer, given.len()), (Decision::Refused, 0));
        assert!(text.contains("✗ not approved"), "{text}");

        let (answer, text, given) = ask(Approve::None, &[], &[]);
        assert_eq!((answer, given.len()), (Decision::Approved, 0));
        assert!(text.contains("no approval needed"), "{text}");
    }

    #[test]
    fn only_a_clear_yes_approves() {
        assert_eq!(
            ask(Approve::Ask, &["ann"], &["perhaps", "", "Yes"]).0,
            Decision::Approved
        );
        assert_eq!(
            ask(Approve::Ask, &["ann"], &["n", "y"]).0,
            Decision::Refused
        );
        assert_eq!(ask(Approve::Ask, &["ann"], &[]).0, Decision::Refused);
    }

    #[test]
    fn what_waits_elsewhere_is_asked_for_first_until_nothing_waits() {
        let settings = SampleSettings::default();
        settings.elsewhere.store(2, SeqCst);
        let (decision, text, _) = ask_with(Approve::Ask, &["ann"], &["y", "y", "y"], &settings);
        assert_eq!(
            (decision, settings.elsewhere.load(SeqCst)),
            (Decision::Approved, 0)
        );
        let order = [
            "this holds up deploy-jobs/deploy-prod, and after it summary; what else can go on does",
            "first in the registry, then on GitHub",
            "waits in the registry: approval 2",
            "in the registry, as bob: approve it? [y/n]",
            "✓ given: approval 2",
            "waits in the registry: approval 1",
            "on GitHub, as ann: approve the deployment to PROD? [y/n]",
            "✓ approved, as ann",
        ];
        let mut rest = text.as_str();
        for expected in order {
            let (_, after) = rest
                .split_once(expected)
                .unwrap_or_else(|| panic!("{expected}:\n{text}"));
            rest = after;
        }

        settings.elsewhere.store(1, SeqCst);
        let (decision, text, _) = ask_with(Approve::Ask, &["ann"], &["n", "y"], &settings);
        assert_eq!(
            (decision, settings.elsewhere.load(SeqCst)),
            (Decision::Approved, 1)
        );
        assert!(text.contains("✗ not approved in the registry"), "{text}");
        ask_with(Approve::None, &["ann"], &[], &settings);
        assert_eq!(settings.elsewhere.load(SeqCst), 1);
        ask_with(Approve::All, &["ann"], &[], &settings);
        assert_eq!(settings.elsewhere.load(SeqCst), 0);
    }

    #[test]
    fn an_interrupt_ends_the_waiting() {
        let (_sender, receiver) = channel();
        let approvals = Approvals::new(Approve::Ask, receiver);
        let interrupt = Interrupt::default();
        interrupt.ask(2);
        let answer = approvals.ask(
            deployment(&environment(&["ann"])),
            &SampleSettings::default(),
            &captured().0,
            &interrupt,
        );
        assert_eq!(answer, Decision::Interrupted);
    }
}
