//! Recording: each receipt is linked to the one before of its chain, added to the note of its commit, and pushed. Whoever
//! is second begins anew upon what is there then.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::time::Duration;

use domino_core::error::{CommandError, Exit, Result};
use domino_core::receipt::{Flaw, History, NOTES, SealedReceipt, in_folder};

use super::remote::{Lose, Pushed, Remote};

/// Where the new notes are until they are pushed.
const NEW: &str = "refs/notes/deployments-new";
/// How often somebody else may be first.
const ATTEMPTS: u64 = 20;
/// How long is waited before another attempt, at most, times the attempt.
const PAUSE: u64 = 150;

/// What was recorded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    /// New receipts.
    new: usize,
    /// Those that were recorded already.
    known: usize,
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.new, self.known) {
            (0, 0) => f.write_str("there is no receipt to record"),
            (0, known) => write!(f, "{known} receipts were recorded already"),
            (1, _) => write!(f, "recorded 1 receipt in {NOTES}"),
            (new, _) => write!(f, "recorded {new} receipts in {NOTES}"),
        }
    }
}

/// Records the receipts of a folder.
pub(super) fn record(folder: &Path, remote: &Remote) -> Result<Recorded> {
    let nothing = Recorded { new: 0, known: 0 };
    if !folder.exists() {
        return Ok(nothing);
    }
    let given = in_folder(folder)?;
    refuse_flaws(&given.check())?;
    if given.kept.is_empty() {
        return Ok(nothing);
    }
    for attempt in 1..=ATTEMPTS {
        remote.fetch(NEW, Lose::Local)?;
        let notes = remote.notes(NEW);
        let linked = linked(&given, &notes.read()?)?;
        let new: usize = linked.values().map(Vec::len).sum();
        let recorded = Recorded {
            new,
            known: given.kept.len() - new,
        };
        if new == 0 {
            return Ok(recorded);
        }
        for (commit, lines) in &linked {
            let lines: Vec<&str> = lines.iter().map(|sealed| sealed.line.as_str()).collect();
            notes.add(commit, &lines)?;
        }
        if remote.push(NEW)? == Pushed::Done {
            return Ok(recorded);
        }
        // Others that were second as well must not all come back at once.
        let pause = fastrand::u64(0..=PAUSE * attempt);
        std::thread::sleep(Duration::from_millis(pause));
    }
    Err(CommandError::new(
        Exit::Refused,
        format!("others record receipts again and again: {ATTEMPTS} times somebody else was first"),
    )
    .hint("run the job again: what is recorded already stays as it is"))
}

/// The receipts that are not there yet, by their commits, each after the last one of its chain.
fn linked(given: &History, there: &History) -> Result<BTreeMap<String, Vec<SealedReceipt>>> {
    let mut last: HashMap<_, String> = there
        .heads()
        .into_iter()
        .map(|(chain, sealed)| (chain, sealed.hash.clone()))
        .collect();
    let mut linked: BTreeMap<String, Vec<SealedReceipt>> = BTreeMap::new();
    for SealedReceipt { receipt, .. } in given.receipts() {
        let mut known = there.receipts().map(|sealed| &sealed.receipt);
        if known.any(|known| known.is_same_deployment(receipt)) {
            continue;
        }
        let mut next = receipt.clone();
        next.previous = last.get(&receipt.chain()).cloned();
        let sealed = SealedReceipt::seal(next)?;
        last.insert(receipt.chain(), sealed.hash.clone());
        let commit = receipt.commit.clone();
        linked.entry(commit).or_default().push(sealed);
    }
    Ok(linked)
}

fn refuse_flaws(flaws: &[Flaw]) -> Result<()> {
    if flaws.is_empty() {
        return Ok(());
    }
    let flaws: Vec<String> = flaws.iter().map(ToString::to_string).collect();
    Err(CommandError::new(
        Exit::Refused,
        format!("nothing was recorded: {}", flaws.join("; ")),
    )
    .hint("a receipt is recorded as the step left it; run the deployment again, and it leaves a new one"))
}
