//! What one goes back to: found among the receipts of the entity in the stage, or a commit that a person names.

use domino_core::api::registered_models::VersionNumber;
use domino_core::commit::Commit;
use domino_core::error::CommandError;
use domino_core::receipt::{ChainKey, History, ReceiptOutcome, SealedReceipt};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::error::Result;

/// The word for what ran before.
pub(super) const PREVIOUS: &str = "previous";
/// How many receipts an error shows to choose from.
const SHOWN: usize = 5;

/// What one goes back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The whole commit.
    pub(super) commit: String,
    /// The version of a model, where it is known.
    pub(super) version: Option<VersionNumber>,
    /// The hash of the receipt.
    pub(super) receipt: Option<String>,
    /// The same for people.
    pub(super) words: String,
    /// Why, for a record.
    pub(super) reason: String,
}

impl Target {
    /// Finds what `to` means for this chain.
    ///
    /// # Errors
    /// Nothing is found, or what is found was altered.
    pub(super) fn find(
        history: &History,
        key: ChainKey<'_>,
        to: &str,
        version: Option<VersionNumber>,
    ) -> Result<Self> {
        let chain = chain(history, key);
        let found = match (to, moment(to)) {
            (PREVIOUS, _) => previous(&chain),
            (_, Some(until)) => {
                let there = |sealed: &&&SealedReceipt| sealed.receipt.at <= until;
                let last = chain.iter().rfind(there).copied();
                last.filter(|last| last.receipt.outcome != ReceiptOutcome::Removed)
            }
            (hash, None) => {
                let begins = |text: &str| hash.len() >= 7 && text.starts_with(hash);
                let receipt = chain.iter().rfind(|sealed| begins(&sealed.hash));
                let commit = || chain.iter().rfind(|sealed| begins(&sealed.receipt.commit));
                receipt.or_else(commit).copied()
            }
        };
        let Some(found) = found else {
            return match Commit::wanted(Some(to)) {
                Ok(commit) if to != PREVIOUS && moment(to).is_none() => Ok(Self {
                    commit: commit.as_str().to_owned(),
                    version,
                    receipt: None,
                    words: format!("commit {commit}, of which there is no receipt here"),
                    reason: format!("back to commit {}", commit.short()),
                }),
                _ => Err(not_found(&chain, key, to).into()),
            };
        };
        if !found.is_intact {
            let text = format!(
                "the receipt of {} was altered after it was written",
                found.receipt
            );
            let hint =
                "`domino-pipeline history` names every receipt that was; go back to a commit";
            return Err(CommandError::refused(text).hint(hint).into());
        }
        let told = found.receipt.what.model_version.as_ref();
        Ok(Self {
            commit: found.receipt.commit.clone(),
            version: version.or(told.map(|told| told.version)),
            receipt: Some(found.hash.clone()),
            words: in_words(found),
            reason: format!("back to receipt {}", short(found)),
        })
    }
}

/// The newest receipt of a chain.
pub(super) fn newest<'a>(history: &'a History, key: ChainKey<'_>) -> Option<&'a SealedReceipt> {
    chain(history, key).pop()
}

/// A receipt for people.
pub(super) fn in_words(sealed: &SealedReceipt) -> String {
    let receipt = &sealed.receipt;
    let version = receipt.what.model_version.as_ref();
    let version = version.map(|version| format!("version {} at ", version.version));
    let by = receipt
        .who
        .started_by
        .as_ref()
        .or(receipt.who.author.as_ref());
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    let at = receipt.at.strftime("%Y-%m-%d %H:%M UTC");
    format!(
        "{}commit {}, deployed {at}{by} (receipt {})",
        version.unwrap_or_default(),
        receipt.short_commit(),
        short(sealed)
    )
}

fn short(sealed: &SealedReceipt) -> &str {
    sealed.hash.get(..12).unwrap_or(&sealed.hash)
}

fn chain<'a>(history: &'a History, key: ChainKey<'_>) -> Vec<&'a SealedReceipt> {
    let receipts = history.receipts();
    receipts
        .filter(|sealed| sealed.receipt.chain() == key)
        .collect()
}

/// What ran before what runs now, and is another thing. What somebody went back to stands where it stood at first, so
/// that going back twice goes further, and not forward again.
fn previous<'a>(chain: &[&'a SealedReceipt]) -> Option<&'a SealedReceipt> {
    let mut at = chain.len().checked_sub(1)?;
    while let Some(back) = &chain[at].receipt.back
        && let Some(first) = chain[..at].iter().position(|sealed| sealed.hash == *back)
    {
        at = first;
    }
    let what = |sealed: &SealedReceipt| {
        let version = sealed.receipt.what.model_version.as_ref();
        let version = version.map(|version| version.version);
        (sealed.receipt.commit.clone(), version)
    };
    let now = what(chain[at]);
    let mut earlier = chain[..at].iter().rev();
    earlier
        .find(|sealed| {
            sealed.receipt.outcome != ReceiptOutcome::Removed
                && sealed.receipt.back.is_none()
                && what(sealed) != now
        })
        .copied()
}

/// The end of a day in UTC, or a time.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let day: Date = text.parse().ok()?;
    let next = day
        .tomorrow()
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()?;
    Some(next.timestamp() - jiff::SignedDuration::from_nanos(1))
}

fn not_found(chain: &[&SealedReceipt], key: ChainKey<'_>, to: &str) -> CommandError {
    let (stage, kind, entity) = key;
    let what = format!("{} `{entity}` in stage `{stage}`", kind.word());
    if chain.is_empty() {
        return CommandError::refused(format!("there is no receipt of {what} here")).hint(
            "git fetch origin refs/notes/deployments:refs/notes/deployments; or name a commit with `--to`",
        );
    }
    let last = chain.iter().rev().take(SHOWN);
    let last: Vec<String> = last
        .map(|sealed| format!("{} ({})", short(sealed), sealed.receipt.short_commit()))
        .collect();
    CommandError::refused(format!(
        "`{to}` is none of the {} receipts of {what}, and no commit",
        chain.len()
    ))
    .hint(format!(
        "the newest receipts and their commits: {}",
        last.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domino_core::receipt::{Kept, Receipt, ReceiptKind};

    const KEY: ChainKey<'_> = ("prod", ReceiptKind::App, "dashboard");

    /// A deployment of this commit on that day of November; `back` is the commit that it went back to.
    fn deployed(kept: &mut Vec<Kept>, day: i8, digit: char, back: Option<usize>) {
        let commit = digit.to_string().repeat(40);
        let receipt = serde_json::json!({
            "format": 1, "stage": "prod", "kind": "app", "entity": "dashboard", "commit": commit, "outcome": "done",
            "result": "it serves", "began": format!("2026-11-{day:02}T11:00:00Z"), "at": format!("2026-11-{day:02}T12:00:00Z"),
            "what": {}, "who": {"started-by": "ben"}, "where": {"host": "h", "project": "a/b", "github-environment": "PROD"},
            "plan": {"headline": ""}, "program": "deploy-app 0",
        });
        let mut receipt: Receipt = serde_json::from_value(receipt).unwrap();
        receipt.back = back.map(|at| kept[at].sealed.hash.clone());
        receipt.previous = kept.last().map(|kept| kept.sealed.hash.clone());
        let sealed = SealedReceipt::seal(receipt).unwrap();
        kept.push(Kept {
            sealed,
            at: String::new(),
            commit: None,
        });
    }

    /// Three deployments, and one that went back to the second.
    fn history() -> History {
        let mut kept = Vec::new();
        for (day, digit) in [(10, 'a'), (12, 'b'), (14, 'c')] {
            deployed(&mut kept, day, digit, None);
        }
        deployed(&mut kept, 15, 'b', Some(1));
        History {
            kept,
            ..History::default()
        }
    }

    fn found(to: &str) -> Option<char> {
        let target = Target::find(&history(), KEY, to, None).ok()?;
        target.commit.chars().next()
    }

    #[test]
    fn a_target_is_what_was_before_a_receipt_a_day_or_a_commit() {
        let hash = history().kept[2].sealed.hash.clone();
        for (to, commit) in [
            // `b` runs again, and `c` is what it went back from.
            ("previous", Some('a')),
            (&hash[..12], Some('c')),
            ("2026-11-13", Some('b')),
            ("2026-11-12", Some('b')),
            ("2026-11-12T11:00:00Z", Some('a')),
            ("2026-11-09", None),
            ("ccccccc", Some('c')),
            ("ccc", None),
            ("nonsense", None),
        ] {
            assert_eq!(found(to), commit, "{to}");
        }
    }

    #[test]
    fn what_was_altered_is_nothing_to_go_back_to() {
        let mut history = history();
        history.kept[1].sealed.is_intact = false;
        let refused = Target::find(&history, KEY, "2026-11-12", None).unwrap_err();
        assert_eq!(refused.exit_code(), 3);
    }
}
