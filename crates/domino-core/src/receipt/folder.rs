//! Receipts as files of a folder, one each: where a step leaves them, and what a run's artifacts hold.

use std::io::Write;
use std::path::Path;

use super::Receipt;
use super::chain::Flaw;
use super::history::History;
use super::seal::{Kept, SealedReceipt, Unsealed};
use crate::error::{CommandError, Exit, Result};

/// The file of a receipt: one for each entity of a stage. Names have no dot, so that no two are the same.
pub fn file_name(receipt: &Receipt) -> String {
    let (stage, kind, entity) = receipt.chain();
    format!("{stage}.{}.{entity}.json", kind.word())
}

/// Writes a receipt into a folder, which is created if it does not exist.
///
/// # Errors
/// Those of the file system.
pub fn write_to_folder(folder: &Path, sealed: &SealedReceipt) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    // A file that is read while it is written must be complete.
    let (file, name) = (
        folder.join(file_name(&sealed.receipt)),
        format!(".{}.new", file_name(&sealed.receipt)),
    );
    let new = folder.join(name);
    let mut writer = std::fs::File::create(&new)?;
    writer.write_all(sealed.line.as_bytes())?;
    writer.write_all(b"\n")?;
    drop(writer);
    std::fs::rename(new, file)
}

/// The receipts of a folder and of the folders in it: each artifact comes in one of its own.
///
/// # Errors
/// When it cannot be read.
pub fn in_folder(folder: &Path) -> Result<History> {
    let (mut kept, mut unreadable) = (Vec::new(), Vec::new());
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let cannot = |problem: std::io::Error| {
            let text = format!("cannot read receipts in `{}`: {problem}", folder.display());
            CommandError::new(Exit::Usage, text)
        };
        for entry in std::fs::read_dir(&folder).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            let path = entry.path();
            let kind = entry.file_type().map_err(cannot)?;
            if kind.is_dir() {
                folders.push(path);
                continue;
            }
            let is_receipt = path.extension().is_some_and(|end| end == "json") && kind.is_file();
            if !is_receipt {
                continue;
            }
            let at = format!("`{}`", path.display());
            let text = std::fs::read_to_string(&path).map_err(cannot)?;
            match SealedReceipt::read(&text) {
                Ok(sealed) => kept.push(Kept {
                    sealed,
                    at,
                    commit: None,
                }),
                Err(Unsealed(why)) => unreadable.push(Flaw::Unreadable { at, why }),
            }
        }
    }
    Ok(History::of(kept, unreadable, false))
}

#[cfg(test)]
mod tests {
    use super::super::tests::receipt;
    use super::*;

    #[test]
    fn what_is_written_is_found_in_a_folder_and_in_folders_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let one = SealedReceipt::seal(receipt(1)).unwrap();
        let mut other = receipt(2);
        other.entity = "wine".into();
        let other = SealedReceipt::seal(other).unwrap();
        write_to_folder(folder.path(), &one).unwrap();
        write_to_folder(&folder.path().join("receipts-dev"), &other).unwrap();
        std::fs::write(folder.path().join("x.json"), "{}").unwrap();
        std::fs::write(folder.path().join("readme"), "").unwrap();
        let history = in_folder(folder.path()).unwrap();
        let found: Vec<&SealedReceipt> = history.receipts().collect();
        assert_eq!(found, [&one, &other]);
        assert!(
            matches!(&history.check()[..], [Flaw::Unreadable { at, .. }] if at.contains("x.json"))
        );
        let gone = in_folder(&folder.path().join("gone")).unwrap_err();
        assert_eq!(gone.exit(), Exit::Usage);
    }
}
