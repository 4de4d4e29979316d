//! The approvals that GitHub asks for before a job may enter an environment: shown, given or refused here.
//!
//! Who may approve is the settings' to say. That nobody approves what they pushed themselves is GitHub's to enforce.

use std::io::BufRead;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The run it was given for.
    pub run_id: u64,
    /// The environment it opens.
    pub environment: String,
    /// Who gave it.
    pub user: String,
}

/// What was decided about a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The job may go on.
    Approved,
    /// It may not.
    Refused,
    /// The person wanted the rehearsal to end instead.
    Interrupted,
}

/// Asks for approvals and remembers those that were given.
pub struct Approvals {
    mode: Approve,
    answers: Receiver<String>,
    given: Arc<Mutex<Vec<Approval>>>,
}

impl Approvals {
    /// Answers come from stdin, if they are asked for at all.
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

    /// Answers come from wherever the other end of the channel is.
    pub fn new(mode: Approve, answers: Receiver<String>) -> Self {
        Self {
            mode,
            answers,
            given: Arc::default(),
        }
    }

    /// The approvals given so far, shared with whoever shows them.
    pub fn given(&self) -> Arc<Mutex<Vec<Approval>>> {
        self.given.clone()
    }

    /// Shows what protects an environment, and has a deployment to it approved, or not.
    pub fn ask(
        &self,
        environment: &Environment,
        run_id: u64,
        settings: &dyn RepositorySettings,
        console: &Console,
        interrupt: &Interrupt,
    ) -> Decision {
        show_rules(environment, console);
        if environment.reviewers.is_empty() {
            return Decision::Approved;
        }
        if self.mode == Approve::Ask {
            for request in settings.other_approvals() {
                console.line(Look::Bold, &format!("   {request}"));
            }
        }
        let decision = match self.mode {
            Approve::All => Decision::Approved,
            Approve::None => Decision::Refused,
            Approve::Ask => self.wait_for_answer(&environment.name, console, interrupt),
        };
        let how = match self.mode {
            Approve::All => " by the rehearsal (`--approve all`)",
            Approve::None => " by the rehearsal (`--approve none`)",
            Approve::Ask => "",
        };
        match decision {
            Decision::Approved => {
                let user = self.remember(environment, run_id);
                console.line(Look::Good, &format!("   ✓ approved{how}, as {user}"));
                if self.mode == Approve::All {
                    for done in settings.approve_others() {
                        console.line(Look::Good, &format!("   {done}"));
                    }
                }
            }
            Decision::Refused => console.line(Look::Bad, &format!("   ✗ not approved{how}")),
            Decision::Interrupted => {}
        }
        decision
    }

    /// Keeps an approval that was given, in the name of the first user who may give it.
    fn remember(&self, environment: &Environment, run_id: u64) -> String {
        let mut users = environment.reviewers.iter();
        let user = users.find(|name| !name.starts_with("team:"));
        let user = user.map_or("approver", String::as_str).to_owned();
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

    fn wait_for_answer(
        &self,
        environment: &str,
        console: &Console,
        interrupt: &Interrupt,
    ) -> Decision {
        loop {
            console.question(&format!(
                "   approve the deployment to {environment}? [y/n]"
            ));
            let answer = loop {
                match self.answers.recv_timeout(Duration::from_millis(50)) {
                    Ok(answer) => break answer,
                    Err(RecvTimeoutError::Timeout) if interrupt.asked() => {
                        console.blank();
                        return Decision::Interrupted;
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    // Nobody is there any more, and silence is no approval.
                    Err(RecvTimeoutError::Disconnected) => {
                        console.blank();
                        return Decision::Refused;
                    }
                }
            };
            match answer.trim().to_ascii_lowercase().as_str() {
                "y" | "yes" => return Decision::Approved,
                "n" | "no" => return Decision::Refused,
                _ => {}
            }
        }
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
    if environment.reviewers.is_empty() {
        console.line(Look::Dim, &format!("{head}: no approval needed{timer}"));
    } else {
        let reviewers = environment.reviewers.join(" or ");
        console.line(
            Look::Bold,
            &format!("{head}: {reviewers} must approve{timer}"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::captured;
    use crate::tests::SampleSettings;

    fn environment(reviewers: &[&str]) -> Environment {
        Environment {
            name: "PROD".into(),
            guards: "stage prod".into(),
            reviewers: reviewers.iter().map(|&name| name.to_owned()).collect(),
            wait_timer: 5,
        }
    }

    fn ask(
        mode: Approve,
        reviewers: &[&str],
        answers: &[&str],
    ) -> (Decision, String, Vec<Approval>) {
        let (sender, receiver) = channel();
        for answer in answers {
            sender.send((*answer).to_owned()).unwrap();
        }
        drop(sender);
        let approvals = Approvals::new(mode, receiver);
        let (console, text) = captured();
        let answer = approvals.ask(
            &environment(reviewers),
            7,
            &SampleSettings::default(),
            &console,
            &Interrupt::default(),
        );
        let given = approvals.given().lock().unwrap().clone();
        (
            answer,
            String::from_utf8(text.borrow().clone()).unwrap(),
            given,
        )
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
    fn an_interrupt_ends_the_waiting() {
        let (_sender, receiver) = channel();
        let approvals = Approvals::new(Approve::Ask, receiver);
        let interrupt = Interrupt::default();
        interrupt.ask(2);
        let answer = approvals.ask(
            &environment(&["ann"]),
            7,
            &SampleSettings::default(),
            &captured().0,
            &interrupt,
        );
        assert_eq!(answer, Decision::Interrupted);
    }
}
