//! What the smoke test of a model's version said in a stage, as the receipt of its deployment there has it. It reads the
//! receipts that this workflow run has left so far, and those in the repository; it tests nothing.

use std::path::Path;

use crate::error::Result;
use crate::receipt::{History, Notes, ReceiptKind, ReceiptOutcome, SealedReceipt, in_folder};
use crate::receipt_before;
use crate::step::RECEIPTS;
use crate::variable::variable;
use crate::version_identity::VersionIdentity;

/// What is known of a smoke test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SmokeTestBefore {
    /// It was passed; the text is what it said, when, and which receipt has it.
    Passed(String),
    /// Nothing that can be relied on says so; the text is the reason.
    Unknown(String),
}

impl SmokeTestBefore {
    /// Looks for the receipt of this version of `model` in `stage`: where the steps of this job leave theirs, where
    /// those of earlier stages were brought, and among the notes of the repository.
    ///
    /// # Errors
    /// When receipts cannot be read.
    pub fn of(stage: &str, model: &str, version: &VersionIdentity) -> Result<Self> {
        for name in [RECEIPTS, receipt_before::FOLDER] {
            let folder = variable(name).map(std::path::PathBuf::from);
            if let Some(folder) = folder.filter(|folder| folder.is_dir())
                && let Some(found) = among(&in_folder(&folder)?, stage, model, version)
            {
                return Ok(found);
            }
        }
        let notes = Notes::of(Path::new("."));
        let found = match notes.exist() {
            true => among(&notes.read()?, stage, model, version),
            false => None,
        };
        Ok(found.unwrap_or_else(|| {
            Self::Unknown(format!("there is no receipt of it in stage `{stage}`"))
        }))
    }
}

/// What the newest receipt of the version says; nothing where there is none.
fn among(
    history: &History,
    stage: &str,
    model: &str,
    version: &VersionIdentity,
) -> Option<SmokeTestBefore> {
    let sealed = history.newest(|receipt| {
        let deployed = receipt.what.model_version.as_ref();
        receipt.kind == ReceiptKind::Model
            && receipt.stage == stage
            && receipt.entity == model
            && receipt.outcome != ReceiptOutcome::Removed
            && deployed.is_some_and(|deployed| {
                deployed.version == version.version && deployed.differs_from(version).is_none()
            })
    })?;
    Some(said_by(sealed))
}

fn said_by(sealed: &SealedReceipt) -> SmokeTestBefore {
    let (receipt, hash) = (&sealed.receipt, sealed.hash.get(..12).unwrap_or_default());
    let unknown = |why: &str| SmokeTestBefore::Unknown(format!("receipt {hash} {why}"));
    if !sealed.is_intact {
        return unknown("was altered");
    }
    match &receipt.smoke_test {
        Some(words) => {
            let run = receipt.r#where.workflow_run.as_ref();
            let run = run.map(|run| format!(", {run}")).unwrap_or_default();
            SmokeTestBefore::Passed(format!("{words} ({}, receipt {hash}{run})", receipt.at))
        }
        None => unknown(&format!(
            "of stage `{}` has no smoke test that was passed",
            receipt.stage
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::registered_models::VersionNumber;
    use crate::receipt::tests::receipt;
    use crate::receipt::{Receipt, write_to_folder};

    fn version(run: &str) -> VersionIdentity {
        VersionIdentity {
            name: "wine".into(),
            version: VersionNumber::new(7),
            run_id: run.into(),
            created: 1,
            source: format!("runs:/{run}/model"),
        }
    }

    fn tested(second: i64, words: Option<&str>) -> Receipt {
        let mut receipt = receipt(second);
        receipt.kind = ReceiptKind::Model;
        receipt.what.model_version = Some(version("r7"));
        receipt.smoke_test = words.map(str::to_owned);
        receipt
    }

    fn told(receipt: &Receipt, run: &str) -> Option<SmokeTestBefore> {
        let folder = tempfile::tempdir().unwrap();
        let sealed = SealedReceipt::seal(receipt.clone()).unwrap();
        write_to_folder(folder.path(), &sealed).unwrap();
        let history = in_folder(folder.path()).unwrap();
        among(&history, "prod", "dashboard", &version(run))
    }

    #[test]
    fn the_receipt_of_the_very_version_says_what_its_test_said() {
        let passed = tested(1, Some("2 requests to version 1 answered as expected"));
        let Some(SmokeTestBefore::Passed(said)) = told(&passed, "r7") else {
            panic!("not found")
        };
        assert!(
            said.starts_with("2 requests to version 1 answered as expected (2026-"),
            "{said}"
        );
        assert!(said.contains(", receipt "), "{said}");
        // Another version of that name and number, another stage, a removal: none is a receipt of it.
        assert_eq!(told(&passed, "r8"), None);
        let elsewhere = |change: fn(&mut Receipt)| {
            let mut receipt = passed.clone();
            change(&mut receipt);
            told(&receipt, "r7")
        };
        assert_eq!(elsewhere(|receipt| receipt.stage = "dev".into()), None);
        assert_eq!(elsewhere(|receipt| receipt.entity = "other".into()), None);
        assert_eq!(
            elsewhere(|receipt| receipt.kind = ReceiptKind::Promotion),
            None
        );
        assert_eq!(
            elsewhere(|receipt| receipt.outcome = ReceiptOutcome::Removed),
            None
        );
        assert_eq!(elsewhere(|receipt| receipt.what.model_version = None), None);
    }

    #[test]
    fn a_receipt_without_a_test_or_with_a_broken_seal_says_nothing_of_one() {
        let unknown = |said: Option<SmokeTestBefore>| match said {
            Some(SmokeTestBefore::Unknown(why)) => why,
            other => panic!("{other:?}"),
        };
        let why = unknown(told(&tested(1, None), "r7"));
        assert!(
            why.ends_with("of stage `prod` has no smoke test that was passed"),
            "{why}"
        );
        let sealed = SealedReceipt::seal(tested(1, Some("3 requests failed"))).unwrap();
        let altered = sealed.line.replace("3 requests failed", "all is well");
        let read = SealedReceipt::read(&altered).unwrap();
        assert!(unknown(Some(said_by(&read))).ends_with("was altered"));
    }
}
