//! All receipts that were found, oldest first, and the questions that they answer.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::chain::Flaw;
use super::seal::{Kept, SealedReceipt};
use super::{ChainKey, Receipt, ReceiptOutcome};

/// All receipts of a repository that are known here.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The receipts, oldest first.
    pub kept: Vec<Kept>,
    /// Lines that are no receipts.
    pub unreadable: Vec<Flaw>,
    /// Whether each names the previous one: receipts in notes do, those in artifacts do not.
    pub is_linked: bool,
}

impl History {
    /// Orders them by time, and those of the same time as they were written.
    pub(super) fn of(mut kept: Vec<Kept>, unreadable: Vec<Flaw>, is_linked: bool) -> Self {
        kept.sort_by_key(|kept| kept.sealed.receipt.at);
        Self {
            kept,
            unreadable,
            is_linked,
        }
    }

    /// What is wrong with them. Receipts that are not linked can only be found to be altered.
    pub fn check(&self) -> Vec<Flaw> {
        let mut flaws = self.unreadable.clone();
        let found = super::chain::check(&self.kept);
        flaws.extend(found.into_iter().filter(|flaw| {
            self.is_linked || matches!(flaw, Flaw::Altered { .. } | Flaw::Unreadable { .. })
        }));
        flaws
    }

    /// The receipts, oldest first.
    pub fn receipts(&self) -> impl DoubleEndedIterator<Item = &SealedReceipt> {
        self.kept.iter().map(|kept| &kept.sealed)
    }

    /// The newest of each chain: the last one written, which no other names as the previous one; for receipts that
    /// are not linked, the last by time.
    pub fn heads(&self) -> BTreeMap<ChainKey<'_>, &SealedReceipt> {
        let receipts = self.receipts();
        let by_time: BTreeMap<_, _> = receipts
            .map(|sealed| (sealed.receipt.chain(), sealed))
            .collect();
        if !self.is_linked {
            return by_time;
        }
        let named: HashSet<&str> = self
            .receipts()
            .filter_map(|sealed| sealed.receipt.previous.as_deref())
            .collect();
        let mut heads = by_time;
        for sealed in self.receipts() {
            if !named.contains(sealed.hash.as_str()) {
                heads.insert(sealed.receipt.chain(), sealed);
            }
        }
        heads
    }

    /// What ran at a time: the last receipt of each chain until then, except removals.
    pub fn at(&self, time: Timestamp) -> Vec<&SealedReceipt> {
        let mut last: BTreeMap<ChainKey<'_>, &SealedReceipt> = BTreeMap::new();
        for sealed in self.receipts() {
            if sealed.receipt.at <= time {
                last.insert(sealed.receipt.chain(), sealed);
            }
        }
        let is_there = |sealed: &&SealedReceipt| sealed.receipt.outcome != ReceiptOutcome::Removed;
        last.into_values().filter(is_there).collect()
    }

    /// The receipt with this hash, or the only one whose hash begins with it.
    pub fn find(&self, hash: &str) -> Option<&SealedReceipt> {
        let mut found = self
            .receipts()
            .filter(|sealed| sealed.hash.starts_with(hash));
        let first = found.next()?;
        found.all(|other| other.hash == first.hash).then_some(first)
    }

    /// The newest receipt that fits, in a chain of these entities.
    pub fn newest(&self, fits: impl Fn(&Receipt) -> bool) -> Option<&SealedReceipt> {
        self.receipts().rev().find(|sealed| fits(&sealed.receipt))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::receipt;
    use super::*;

    fn history() -> History {
        let kept = [3, 1, 2].map(|second| {
            let mut receipt = receipt(second);
            if second == 3 {
                receipt.outcome = ReceiptOutcome::Removed;
            }
            Kept {
                sealed: SealedReceipt::seal(receipt).unwrap(),
                at: "a file".into(),
                commit: None,
            }
        });
        History::of(kept.into(), Vec::new(), false)
    }

    #[test]
    fn what_ran_at_a_time_is_the_last_until_then_unless_it_was_taken_away() {
        let history = history();
        let ran = |second: i64| -> Vec<String> {
            let time = receipt(second).at;
            let ran = history.at(time);
            ran.iter()
                .map(|sealed| sealed.receipt.commit.clone())
                .collect()
        };
        assert_eq!(ran(0), Vec::<String>::new());
        assert_eq!(ran(1), [receipt(1).commit]);
        assert_eq!(ran(2), [receipt(2).commit]);
        assert_eq!(ran(3), Vec::<String>::new());
    }

    #[test]
    fn a_receipt_is_found_by_the_beginning_of_its_hash_if_it_is_the_only_one() {
        let history = history();
        let first = &history.kept[0].sealed;
        assert_eq!(history.find(&first.hash[..12]), Some(first));
        assert_eq!(history.find(""), None);
        assert_eq!(history.newest(|_| true).unwrap().receipt.at, receipt(3).at);
        assert_eq!(history.heads().len(), 1);
    }
}
