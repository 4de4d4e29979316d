//! Concurrency groups: one member of a group runs at a time, the others wait in the order in which they came.
//!
//! The workflow files say what a group is called and what its rules are; the caller knows who is a member.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use github_workflow::value::same_ignoring_case;

use crate::interrupt::{GLANCE, Interrupt};

/// At most this many may wait in a group that keeps them all; GitHub cancels any further one.
const MOST_WAITING: usize = 100;

/// What happens to the other members when one more joins a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    /// Whether the running member is cancelled.
    pub cancels: bool,
    /// Whether those that wait keep waiting; otherwise the new one takes their place.
    pub queues_all: bool,
}

/// The groups of a repository.
#[derive(Debug, Default)]
pub struct Groups {
    lines: Mutex<Lines>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Lines {
    groups: Vec<Group>,
    tickets: usize,
}

#[derive(Debug)]
struct Group {
    name: String,
    in_front: Option<Member>,
    waiting: VecDeque<Member>,
}

#[derive(Debug)]
struct Member {
    number: usize,
    who: String,
    interrupt: Interrupt,
}

/// A place in the line before a group.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    number: usize,
    group: String,
}

/// Why a member does not enter its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotEntered {
    /// A newer member took its place; the text is GitHub's message.
    Displaced(String),
    /// It was cancelled while it waited.
    Cancelled,
}

/// Held while its holder runs; dropping it lets the next one in.
#[derive(Debug)]
pub struct Entered<'g> {
    groups: &'g Groups,
    number: usize,
}

impl Groups {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place in the line before a group, whose name is compared without case. `interrupt` cancels the member
    /// when another one asks for it.
    pub fn line_up(&self, group: &str, who: &str, rules: Rules, interrupt: &Interrupt) -> Ticket {
        let mut lines = self.lines();
        lines.tickets += 1;
        let member = Member {
            number: lines.tickets,
            who: who.to_owned(),
            interrupt: interrupt.clone(),
        };
        let ticket = Ticket {
            number: member.number,
            group: group.to_owned(),
        };
        let known = lines
            .groups
            .iter_mut()
            .find(|known| same_ignoring_case(&known.name, group));
        match known {
            None => lines.groups.push(Group {
                name: group.to_owned(),
                in_front: Some(member),
                waiting: VecDeque::new(),
            }),
            Some(group) => group.add(member, rules),
        }
        self.changed.notify_all();
        ticket
    }

    /// Waits until the holder of the ticket may run, or is cancelled once more. If it waits, `told` is called once
    /// with whom it waits for.
    ///
    /// # Errors
    /// Why it never may run.
    pub fn enter(
        &self,
        ticket: &Ticket,
        interrupt: &Interrupt,
        told: impl FnOnce(&str),
    ) -> Result<Entered<'_>, NotEntered> {
        let mut told = Some(told);
        let before = interrupt.times();
        let mut lines = self.lines();
        loop {
            let Some(group) = lines.groups.iter_mut().find(|group| group.holds(ticket)) else {
                let group = &ticket.group;
                return Err(NotEntered::Displaced(format!(
                    "Canceling since a higher priority waiting request for {group} exists"
                )));
            };
            match &group.in_front {
                Some(member) if member.number != ticket.number => {
                    if interrupt.times() > before {
                        group
                            .waiting
                            .retain(|member| member.number != ticket.number);
                        return Err(NotEntered::Cancelled);
                    }
                    if let Some(told) = told.take() {
                        told(&member.who);
                    }
                }
                _ => {
                    return Ok(Entered {
                        groups: self,
                        number: ticket.number,
                    });
                }
            }
            let waited = self.changed.wait_timeout(lines, GLANCE);
            lines = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Group {
    fn add(&mut self, member: Member, rules: Rules) {
        let Some(in_front) = &self.in_front else {
            self.in_front = Some(member);
            return;
        };
        if rules.cancels {
            in_front.interrupt.cancel();
        }
        if !rules.queues_all {
            self.waiting.clear();
        }
        if self.waiting.len() < MOST_WAITING {
            self.waiting.push_back(member);
        }
    }

    fn holds(&self, ticket: &Ticket) -> bool {
        let mut members = self.in_front.iter().chain(&self.waiting);
        members.any(|member| member.number == ticket.number)
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let mut lines = self.groups.lines();
        for group in &mut lines.groups {
            let in_front = group.in_front.as_ref();
            if in_front.is_some_and(|member| member.number == self.number) {
                group.in_front = group.waiting.pop_front();
            }
        }
        self.groups.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Rules = Rules {
        cancels: false,
        queues_all: false,
    };
    const ALL: Rules = Rules {
        cancels: false,
        queues_all: true,
    };

    /// Lines up and says whether it runs, waits or was turned away, without waiting.
    fn state(groups: &Groups, ticket: &Ticket) -> &'static str {
        let lines = groups.lines();
        match lines.groups.iter().find(|group| group.holds(ticket)) {
            None => "sent away",
            Some(group) if group.waiting.iter().any(|m| m.number == ticket.number) => "waits",
            Some(_) => "goes on",
        }
    }

    #[test]
    fn a_newer_one_takes_the_place_of_the_one_that_waits() {
        let (groups, calm) = (Groups::default(), Interrupt::default());
        let tickets: Vec<Ticket> = ["a", "b", "c"]
            .iter()
            .map(|who| groups.line_up("Prod", who, ONE, &calm))
            .collect();
        let other = groups.line_up("dev", "d", ONE, &calm);
        let states: Vec<_> = tickets
            .iter()
            .map(|ticket| state(&groups, ticket))
            .collect();
        assert_eq!(states, ["goes on", "sent away", "waits"]);
        assert_eq!(state(&groups, &other), "goes on");
        let refused = groups.enter(&tickets[1], &calm, |_| {}).unwrap_err();
        let words = "Canceling since a higher priority waiting request for Prod exists";
        assert_eq!(refused, NotEntered::Displaced(words.into()));
        drop(groups.enter(&tickets[0], &calm, |_| {}).unwrap());
        assert!(groups.enter(&tickets[2], &calm, |_| {}).is_ok());
        assert!(!calm.asked());
    }

    #[test]
    fn a_group_that_keeps_all_lets_them_in_in_their_order() {
        let (groups, calm) = (Groups::default(), Interrupt::default());
        let tickets: Vec<Ticket> = (0..=MOST_WAITING + 1)
            .map(|at| groups.line_up("prod", &at.to_string(), ALL, &calm))
            .collect();
        let count = |wanted| {
            tickets
                .iter()
                .filter(|t| state(&groups, t) == wanted)
                .count()
        };
        assert_eq!((count("waits"), count("sent away")), (MOST_WAITING, 1));
        let mut heard = String::new();
        std::thread::scope(|scope| {
            let first = groups.enter(&tickets[0], &calm, |_| {}).unwrap();
            let (told, waits) = std::sync::mpsc::channel();
            let (groups, calm, ticket) = (&groups, &calm, &tickets[1]);
            let second = scope.spawn(move || {
                let entered = groups.enter(ticket, calm, |who| told.send(who.to_owned()).unwrap());
                assert!(entered.is_ok());
            });
            heard = waits.recv().unwrap();
            drop(first);
            second.join().unwrap();
        });
        assert_eq!(heard, "0");
        assert_eq!(state(&groups, &tickets[2]), "goes on");
    }

    #[test]
    fn what_goes_on_is_cancelled_where_the_rules_say_so_and_what_waits_can_be() {
        let groups = Groups::default();
        let members: Vec<Interrupt> = (0..3).map(|_| Interrupt::default()).collect();
        let rules = Rules {
            cancels: true,
            queues_all: false,
        };
        let first = groups.line_up("PROD", "a", ONE, &members[0]);
        let entered = groups.enter(&first, &members[0], |_| {}).unwrap();
        groups.line_up("prod", "b", ONE, &members[1]);
        let third = groups.line_up("Prod", "c", rules, &members[2]);
        let asked: Vec<bool> = members.iter().map(Interrupt::asked).collect();
        assert_eq!(asked, [true, false, false]);
        let cancel = members[2].clone();
        let ended = groups.enter(&third, &members[2], move |_| cancel.cancel());
        assert_eq!(ended.unwrap_err(), NotEntered::Cancelled);
        drop(entered);
    }
}
