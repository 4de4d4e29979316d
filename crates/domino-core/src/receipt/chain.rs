//! Whether the receipts of an entity in a stage are complete: none altered, none left out, each after one other.
//!
//! The newest of a chain can be removed without a trace in the chain itself. Git's own history of the notes, and the
//! deployments that GitHub lists, show that one.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::ChainKey;
use super::seal::{Kept, SealedReceipt};

/// What is wrong with a chain of receipts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// A line that is not a receipt.
    Unreadable {
        /// Where it is kept.
        at: String,
        /// The reader's reason, in words.
        why: String,
    },
    /// A receipt whose hash does not match its content.
    Altered {
        /// The receipt, by stage and entity.
        receipt: String,
        /// Where it is kept.
        at: String,
    },
    /// A receipt that existed when the next one was written, and no longer does.
    LeftOut {
        /// The hash of the missing receipt.
        hash: String,
        /// The receipt that names it.
        named_by: String,
    },
    /// Two receipts that both name the same previous one, or none.
    Forked {
        /// Both.
        receipts: [String; 2],
    },
    /// A receipt that is stored at another commit than its own.
    Misplaced {
        /// The receipt, by stage and entity.
        receipt: String,
        /// Where it is kept.
        at: String,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { at, why } => write!(f, "unreadable: a line of {at}: {why}"),
            Self::Altered { receipt, at } => write!(f, "altered: {receipt}, kept in {at}"),
            Self::LeftOut { hash, named_by } => {
                let hash = hash.get(..12).unwrap_or(hash);
                write!(f, "left out: receipt {hash}, after which came {named_by}")
            }
            Self::Forked {
                receipts: [one, other],
            } => write!(f, "in two places of the chain: {one}, and {other}"),
            Self::Misplaced { receipt, at } => {
                write!(
                    f,
                    "moved: {receipt}, kept in {at}, which is another commit's"
                )
            }
        }
    }
}

/// Checks receipts that are linked to each other. The order in which they are given does not matter.
pub fn check(kept: &[Kept]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let known: HashSet<&str> = kept.iter().map(|kept| kept.sealed.hash.as_str()).collect();
    let mut follows: HashMap<(ChainKey<'_>, Option<&str>), &SealedReceipt> = HashMap::new();
    for Kept { sealed, at, commit } in kept {
        let receipt = &sealed.receipt;
        let (told, at) = (receipt.to_string(), at.clone());
        if !sealed.is_intact {
            flaws.push(Flaw::Altered { receipt: told, at });
            // What it says about its place does not count.
            continue;
        }
        if commit.as_ref().is_some_and(|kept| *kept != receipt.commit) {
            let receipt = told.clone();
            flaws.push(Flaw::Misplaced { receipt, at });
        }
        let previous = receipt.previous.as_deref();
        if let Some(hash) = previous.filter(|hash| !known.contains(hash)) {
            flaws.push(Flaw::LeftOut {
                hash: hash.to_owned(),
                named_by: told.clone(),
            });
        }
        let place = (receipt.chain(), previous);
        if let Some(other) = follows.insert(place, sealed)
            && other.hash != sealed.hash
        {
            flaws.push(Flaw::Forked {
                receipts: [other.receipt.to_string(), told],
            });
        }
    }
    flaws
}

#[cfg(test)]
mod tests {
    use super::super::tests::receipt;
    use super::*;

    /// Three receipts, each after the one before.
    fn chain() -> Vec<Kept> {
        let mut kept: Vec<Kept> = Vec::new();
        for second in 1..=3 {
            let mut next = receipt(second);
            next.previous = kept.last().map(|before| before.sealed.hash.clone());
            let commit = Some(next.commit.clone());
            let sealed = SealedReceipt::seal(next).unwrap();
            let at = format!("note {second}");
            kept.push(Kept { sealed, at, commit });
        }
        kept
    }

    #[test]
    fn a_whole_chain_has_no_flaw_in_whichever_order_it_is_read() {
        let mut kept = chain();
        assert_eq!(check(&kept), []);
        kept.reverse();
        assert_eq!(check(&kept), []);
    }

    #[test]
    fn what_is_altered_is_named() {
        for at in 0..3 {
            let mut kept = chain();
            let line = kept[at].sealed.line.replace("serves", "served");
            kept[at].sealed = SealedReceipt::read(&line).unwrap();
            let flaws = check(&kept);
            assert!(
                matches!(&flaws[..], [Flaw::Altered { at: place, .. }] if *place == format!("note {}", at + 1)),
                "{flaws:?}"
            );
        }
    }

    #[test]
    fn what_was_sealed_anew_is_missing_by_its_old_hash() {
        let mut kept = chain();
        let mut forged = kept[1].sealed.receipt.clone();
        forged.result = "something else".into();
        kept[1].sealed = SealedReceipt::seal(forged).unwrap();
        let flaws = check(&kept);
        assert!(matches!(&flaws[..], [Flaw::LeftOut { .. }]), "{flaws:?}");
    }

    #[test]
    fn what_is_left_out_is_named_by_the_next_one() {
        for at in 0..2 {
            let mut kept = chain();
            let hash = kept.remove(at).sealed.hash;
            let flaws = check(&kept);
            let named = kept[at].sealed.receipt.to_string();
            let wanted = Flaw::LeftOut {
                hash,
                named_by: named,
            };
            assert_eq!(flaws, [wanted]);
        }
    }

    #[test]
    fn two_after_the_same_one_and_one_at_another_commit_are_named() {
        let mut kept = chain();
        let mut second = receipt(9);
        second.previous = kept[1].sealed.receipt.previous.clone();
        let sealed = SealedReceipt::seal(second).unwrap();
        let (at, commit) = ("note 9".to_owned(), Some("f".repeat(40)));
        kept.push(Kept { sealed, at, commit });
        let flaws = check(&kept);
        assert!(
            matches!(
                &flaws[..],
                [Flaw::Misplaced { .. }, Flaw::Forked { receipts: [one, other] }]
                    if one.contains("2026-09-2") && other.contains("in `prod`")
            ),
            "{flaws:?}"
        );
    }

    #[test]
    fn the_same_receipt_twice_is_no_fork() {
        let mut kept = chain();
        kept.push(kept[0].clone());
        assert_eq!(check(&kept), []);
    }
}
