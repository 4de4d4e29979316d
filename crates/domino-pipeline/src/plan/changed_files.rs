//! Which files differ between two checkouts, according to what git recorded. No file is opened.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::error::{Context as _, Result, VerbError};

/// The paths of the files that were added, changed or removed, sorted.
pub(super) fn between(before: &Path, after: &Path) -> Result<Vec<String>> {
    let (before, after) = (recorded(before)?, recorded(after)?);
    let mut changed: Vec<String> = before
        .iter()
        .filter(|(path, object)| after.get(*path) != Some(object))
        .map(|(path, _)| path.clone())
        .chain(
            after
                .keys()
                .filter(|path| !before.contains_key(*path))
                .cloned(),
        )
        .collect();
    changed.sort();
    Ok(changed)
}

/// Mode and object of each file, by its path.
fn recorded(checkout: &Path) -> Result<BTreeMap<String, String>> {
    let output = Command::new("git")
        .arg("-C")
        .arg(checkout)
        .args(["ls-files", "--stage", "-z"])
        .output()
        .context(|| "cannot run git".to_owned())?;
    if !output.status.success() {
        return Err(VerbError::new(format!(
            "cannot list the files of `{}`: {}",
            checkout.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        )));
    }
    let listing = String::from_utf8_lossy(&output.stdout);
    let entries = listing
        .split_terminator('\0')
        .filter_map(|entry| entry.split_once('\t'));
    Ok(entries
        .map(|(object, path)| (path.to_owned(), object.to_owned()))
        .collect())
}
