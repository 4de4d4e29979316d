//! The approvals that GitHub asks for before a job may enter an environment: shown, given or refused here.
//!
//! Who may approve comes from the stage file. That nobody approves what they pushed themselves is GitHub's to enforce.

use std::io::BufRead;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::ValueEnum;

use super::console::{Console, Look};
use super::domino::Domino;
use super::interrupt::Interrupt;
use super::stage_gates::Gate;

/// Who gives the approvals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
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

/// What became of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The job may go on.
    Open,
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

    /// Shows a gate and has it opened, or not.
    pub fn ask(
        &self,
        gate: &Gate,
        run_id: u64,
        domino: &Domino,
        console: &Console,
        interrupt: &Interrupt,
    ) -> Answer {
        let minutes = if gate.wait_timer == 1 {
            "minute"
        } else {
            "minutes"
        };
        let timer = match gate.wait_timer {
            0 => String::new(),
            timer => format!("; GitHub waits {timer} {minutes} more, the rehearsal does not"),
        };
        let head = format!(
            "   environment {} guards stage {}",
            gate.environment, gate.stage
        );
        if gate.approvers.is_empty() {
            console.line(Look::Dim, &format!("{head}: no approval needed{timer}"));
            return Answer::Open;
        }
        let approvers = gate.approvers.join(" or ");
        console.line(
            Look::Bold,
            &format!("{head}: {approvers} must approve{timer}"),
        );
        if self.mode == Approve::Ask {
            for request in domino.desk.waiting() {
                let page = &domino.url;
                console.line(
                    Look::Bold,
                    &format!("   Domino waits as well: {request}; see {page}/"),
                );
            }
        }
        let answer = match self.mode {
            Approve::All => Answer::Open,
            Approve::None => Answer::Refused,
            Approve::Ask => self.wait_for_answer(&gate.environment, console, interrupt),
        };
        let how = match self.mode {
            Approve::All => " by the rehearsal (`--approve all`)",
            Approve::None => " by the rehearsal (`--approve none`)",
            Approve::Ask => "",
        };
        match answer {
            Answer::Open => {
                let user = gate
                    .approvers
                    .iter()
                    .find(|name| !name.starts_with("team:"));
                let user = user.map_or("approver", String::as_str).to_owned();
                console.line(Look::Good, &format!("   ✓ approved{how}, as {user}"));
                if self.mode == Approve::All {
                    for said in domino.desk.approve() {
                        console.line(Look::Good, &format!("   in Domino: {said}"));
                    }
                }
                let approval = Approval {
                    run_id,
                    environment: gate.environment.clone(),
                    user,
                };
                self.given
                    .lock()
                    .unwrap_or_else(|poisoned| poisoned.into_inner())
                    .push(approval);
            }
            Answer::Refused => console.line(Look::Bad, &format!("   ✗ not approved{how}")),
            Answer::Interrupted => {}
        }
        answer
    }

    fn wait_for_answer(
        &self,
        environment: &str,
        console: &Console,
        interrupt: &Interrupt,
    ) -> Answer {
        loop {
            console.question(&format!(
                "   approve the deployment to {environment}? [y/n]"
            ));
            let answer = loop {
                match self.answers.recv_timeout(Duration::from_millis(50)) {
                    Ok(answer) => break answer,
                    Err(RecvTimeoutError::Timeout) if interrupt.asked() => {
                        console.blank();
                        return Answer::Interrupted;
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    // Nobody is there any more, and silence is no approval.
                    Err(RecvTimeoutError::Disconnected) => {
                        console.blank();
                        return Answer::Refused;
                    }
                }
            };
            match answer.trim().to_ascii_lowercase().as_str() {
                "y" | "yes" => return Answer::Open,
                "n" | "no" => return Answer::Refused,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearse::console::captured;

    fn domino() -> Domino {
        Domino {
            url: "http://127.0.0.1:1".into(),
            secrets: Vec::new(),
            desk: Default::default(),
        }
    }

    fn gate(approvers: &[&str]) -> Gate {
        Gate {
            stage: "prod".into(),
            environment: "PROD".into(),
            approvers: approvers.iter().map(|&name| name.to_owned()).collect(),
            wait_timer: 5,
        }
    }

    fn ask(mode: Approve, approvers: &[&str], answers: &[&str]) -> (Answer, String, Vec<Approval>) {
        let (sender, receiver) = channel();
        for answer in answers {
            sender.send((*answer).to_owned()).unwrap();
        }
        drop(sender);
        let approvals = Approvals::new(mode, receiver);
        let (console, text) = captured();
        let answer = approvals.ask(
            &gate(approvers),
            7,
            &domino(),
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
        assert_eq!(answer, Answer::Open);
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
        assert_eq!((answer, given.len()), (Answer::Refused, 0));
        assert!(text.contains("✗ not approved"), "{text}");

        let (answer, text, given) = ask(Approve::None, &[], &[]);
        assert_eq!((answer, given.len()), (Answer::Open, 0));
        assert!(text.contains("no approval needed"), "{text}");
    }

    #[test]
    fn only_a_clear_yes_approves() {
        assert_eq!(
            ask(Approve::Ask, &["ann"], &["perhaps", "", "Yes"]).0,
            Answer::Open
        );
        assert_eq!(ask(Approve::Ask, &["ann"], &["n", "y"]).0, Answer::Refused);
        assert_eq!(ask(Approve::Ask, &["ann"], &[]).0, Answer::Refused);
    }

    #[test]
    fn an_interrupt_ends_the_waiting() {
        let (_sender, receiver) = channel();
        let approvals = Approvals::new(Approve::Ask, receiver);
        let interrupt = Interrupt::default();
        interrupt.ask(2);
        let answer = approvals.ask(&gate(&["ann"]), 7, &domino(), &captured().0, &interrupt);
        assert_eq!(answer, Answer::Interrupted);
    }
}
