//! The questions to the person at the terminal: one at a time, until there is a clear answer or none is needed.
//!
//! `approval.rs` acts on the answer.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use super::{Approvals, Decision, Deployment, approver, say_done};
use crate::concurrency::Rules;
use crate::console::{Console, Look};
use crate::interrupt::Interrupt;
use crate::settings::{Environment, OtherApprovals, RepositorySettings};

/// How a question ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Yes,
    No,
    /// It was answered elsewhere.
    Settled,
    Interrupted,
}

/// How often an answer is looked for while none has come.
const GLANCE: Duration = Duration::from_millis(50);

impl Approvals {
    /// Asks once all earlier questions are answered.
    pub(super) fn ask_person(
        &self,
        deployment: Deployment<'_>,
        settings: &dyn RepositorySettings,
        console: &Console,
        interrupt: &Interrupt,
    ) -> Decision {
        let rules = Rules {
            cancels: false,
            queues_all: true,
        };
        let ticket = self
            .questions
            .line_up("questions", deployment.job, rules, interrupt);
        let told = |other: &str| {
            console.line(Look::Dim, &format!("   asked for after that of {other}"));
        };
        let Ok(_turn) = self.questions.enter(&ticket, interrupt, told) else {
            return Decision::Interrupted;
        };
        if interrupt.asked() {
            return Decision::Interrupted;
        }
        let later = match deployment.later {
            [] => String::new(),
            later => format!(", and after it {}", later.join(", ")),
        };
        console.line(
            Look::Plain,
            &format!(
                "   this holds up {}{later}; what else can go on does",
                deployment.job
            ),
        );
        if let Some(others) = settings.other_approvals()
            && self.ask_others(others, settings, console, interrupt) == Wait::Interrupted
        {
            return Decision::Interrupted;
        }
        self.ask_github(deployment.environment, console, interrupt)
    }

    fn ask_github(
        &self,
        environment: &Environment,
        console: &Console,
        interrupt: &Interrupt,
    ) -> Decision {
        let user = approver(environment);
        let name = &environment.name;
        let question = format!("   on GitHub, as {user}: approve the deployment to {name}? [y/n]");
        match self.wait_for_answer(&question, console, interrupt, &|| true) {
            Wait::Yes => Decision::Approved,
            Wait::No | Wait::Settled => Decision::Refused,
            Wait::Interrupted => Decision::Interrupted,
        }
    }

    /// Has the approvals that are given elsewhere given first, because the job that GitHub's approval starts checks
    /// for them. A person who says no gets GitHub's question next, and sees what the job says.
    fn ask_others(
        &self,
        mut others: OtherApprovals,
        settings: &dyn RepositorySettings,
        console: &Console,
        interrupt: &Interrupt,
    ) -> Wait {
        let place = others.place.clone();
        console.line(
            Look::Bold,
            &format!(
                "   two approvals, one after the other: first in {place}, then on GitHub, where it starts the job"
            ),
        );
        loop {
            for request in &others.waiting {
                console.line(Look::Bold, &format!("   waits in {place}: {request}"));
            }
            console.line(
                Look::Plain,
                &format!("   answer here, or decide it on {}", others.page),
            );
            let question = format!("   in {place}, as {}: approve it? [y/n]", others.user);
            // Another job may ask for more in the meantime.
            let still = |now: &OtherApprovals| {
                let mut waiting = others.waiting.iter();
                waiting.all(|request| now.waiting.contains(request))
            };
            let waits = || settings.other_approvals().is_some_and(|now| still(&now));
            let answer = self.wait_for_answer(&question, console, interrupt, &waits);
            match answer {
                Wait::Yes => say_done(&settings.approve_others(), console),
                Wait::Settled => {
                    console.line(Look::Good, &format!("   decided on the page of {place}"));
                }
                Wait::No => {
                    console.line(Look::Bad, &format!("   ✗ not approved in {place}"));
                    return answer;
                }
                Wait::Interrupted => return answer,
            }
            match settings.other_approvals() {
                None => return answer,
                // An approval that nobody here may give would be asked for without end.
                Some(left) if still(&left) => return answer,
                Some(left) => others = left,
            }
        }
    }

    fn answers(&self) -> MutexGuard<'_, Receiver<String>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the person presses Enter or ends the rehearsal.
    pub fn wait_for_enter(&self, interrupt: &Interrupt) {
        let answers = self.answers();
        while !interrupt.asked() {
            match answers.recv_timeout(GLANCE) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(_) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Asks until there is a clear answer, or an answer is no longer needed.
    fn wait_for_answer(
        &self,
        question: &str,
        console: &Console,
        interrupt: &Interrupt,
        waits: &dyn Fn() -> bool,
    ) -> Wait {
        let answers = self.answers();
        loop {
            console.question(question);
            let end = loop {
                match answers.recv_timeout(GLANCE) {
                    Ok(answer) => break Ok(answer),
                    Err(RecvTimeoutError::Timeout) if interrupt.asked() => {
                        break Err(Wait::Interrupted);
                    }
                    Err(RecvTimeoutError::Timeout) if !waits() => break Err(Wait::Settled),
                    Err(RecvTimeoutError::Timeout) => {}
                    // The other end was closed, and silence is no approval.
                    Err(RecvTimeoutError::Disconnected) => break Err(Wait::No),
                }
            };
            let answer = match end {
                Ok(answer) => answer,
                Err(wait) => {
                    console.not_asked_any_more();
                    return wait;
                }
            };
            console.answered();
            match answer.trim().to_ascii_lowercase().as_str() {
                "y" | "yes" => return Wait::Yes,
                "n" | "no" => return Wait::No,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::approval::Approve;
    use crate::console::captured;

    #[test]
    fn a_page_on_which_it_is_decided_answers_the_question() {
        let (_sender, receiver) = channel();
        let approvals = Approvals::new(Approve::Ask, receiver);
        let (console, _) = captured();
        let calls = std::cell::Cell::new(0);
        let waits = || calls.replace(calls.get() + 1) == 0;
        let wait = approvals.wait_for_answer("?", &console, &Interrupt::default(), &waits);
        assert_eq!((wait, calls.get()), (Wait::Settled, 2));
    }
}
