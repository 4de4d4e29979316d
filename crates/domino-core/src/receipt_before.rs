//! The next stage requires the receipt of the one before: it must say that this commit, and for a model this version,
//! passed there.
//!
//! Where a run began at this stage, started by hand, there is no job of the stage before in it: then GitHub must say that
//! the job of that stage ended green at this commit.
//!
//! The receipt is required only if the workflow provides the receipts of its earlier stages. So a pipeline is not red
//! because receipts were turned on today and yesterday's stage left none: the stages of one run all have one commit.

use std::path::Path;

use clap::Args;
use stage_file::{Kind, Stage};

use crate::error::{CommandError, Exit, Result};
use crate::github::{StageBefore, WorkflowRun};
use crate::receipt::{History, Notes, Receipt, ReceiptKind, ReceiptOutcome, in_folder};
use crate::step::{Plan, Step, StepContext};
use crate::variable::{is_on_github, variable};
use crate::version_identity::VersionIdentity;

/// The folder with the receipts of the stages before; without it none is required.
pub(crate) const FOLDER: &str = "DEPLOY_RECEIPTS_BEFORE";

/// What a person says about the receipt of the stage before.
#[derive(Debug, Clone, Args)]
pub struct ReceiptBefore {
    /// Let it into the stage although no receipt says that it passed the stage before, and say why
    #[arg(long, value_name = "REASON", env = "WITHOUT_RECEIPT", value_parser = reason)]
    without_receipt: Option<Reason>,
}

/// A reason that may be empty: an input of a run that nobody started by hand is empty on GitHub.
#[derive(Debug, Clone)]
struct Reason(Option<String>);

fn reason(text: &str) -> Result<Reason, String> {
    let text = text.trim();
    Ok(Reason((!text.is_empty()).then(|| text.to_owned())))
}

/// What must have passed.
#[derive(Debug, Clone, Copy)]
pub struct WantedBefore<'a> {
    /// Its kind and name.
    pub of: (Kind, &'a str),
    /// The whole commit.
    pub commit: &'a str,
    /// The version of a model.
    pub version: Option<&'a VersionIdentity>,
}

/// Whether it passed the stage before.
#[derive(Debug)]
pub enum Passed {
    /// There is no stage before, or there are no receipts to read.
    NotAsked,
    /// A receipt says so; the text describes it.
    Yes(String),
    /// Somebody lets it in without a receipt; the text is the reason.
    Without(String),
    /// No receipt says so: the stage, and the reason.
    No(String, String),
    /// GitHub does not say so: the stage, and the reason.
    NotGreen(String, String),
}

impl ReceiptBefore {
    /// Looks for the receipt of the stage before.
    ///
    /// # Errors
    /// When receipts, or GitHub, cannot be read.
    pub async fn passed(&self, context: &StepContext, wanted: WantedBefore<'_>) -> Result<Passed> {
        let (kind, entity) = wanted.of;
        let StepContext { file, stage, .. } = context;
        let Some(before) = file.deployed_before(kind, entity, stage) else {
            return Ok(Passed::NotAsked);
        };
        let given = self.without_receipt.as_ref();
        if let Some(reason) = given.and_then(|reason| reason.0.clone()) {
            return Ok(Passed::Without(reason));
        }
        let Some(folder) = variable(FOLDER) else {
            return match stage.is_entered_by_hand() && is_on_github() {
                true => on_github(context, before).await,
                false => Ok(Passed::NotAsked),
            };
        };
        let folder = Path::new(&folder);
        // If nothing was left, nothing was downloaded.
        let brought = match folder.is_dir() {
            true => in_folder(folder)?,
            false => History::default(),
        };
        match evaluate(&brought, before, wanted) {
            Passed::No(stage, why) => {
                let notes = Notes::of(Path::new("."));
                if notes.exist()
                    && let found @ Passed::Yes(_) = evaluate(&notes.read()?, before, wanted)
                {
                    return Ok(found);
                }
                Ok(Passed::No(stage, why))
            }
            found => Ok(found),
        }
    }
}

/// What GitHub says of the stage before, at the commit of this workflow run.
async fn on_github(context: &StepContext, before: &Stage) -> Result<Passed> {
    let run = WorkflowRun::of_this_step(&context.connection, variable)?;
    let stage = before.name.clone();
    Ok(match run.stage_before(&stage).await? {
        StageBefore::Green(run) => Passed::Yes(format!("passed `{stage}` in run {run}")),
        StageBefore::NotGreen(run, how) => {
            let why = format!("the job that deploys to it in run {run}: {how}");
            Passed::NotGreen(stage, why)
        }
        StageBefore::NotDeployed => {
            let why = "no run of this workflow deployed this commit to it";
            Passed::NotGreen(stage, why.to_owned())
        }
    })
}

fn evaluate(history: &History, before: &Stage, wanted: WantedBefore<'_>) -> Passed {
    let (kind, entity) = wanted.of;
    let is_kind = |of: ReceiptKind| match kind {
        Kind::Job => matches!(of, ReceiptKind::Job | ReceiptKind::Schedule),
        Kind::App => of == ReceiptKind::App,
        Kind::Model => of == ReceiptKind::Model,
    };
    let stage = before.name.clone();
    let is_of = |receipt: &Receipt| {
        receipt.stage == stage && receipt.entity == entity && is_kind(receipt.kind)
    };
    let is_it = |receipt: &Receipt| {
        is_of(receipt)
            && receipt.commit == wanted.commit
            && receipt.outcome != ReceiptOutcome::Removed
    };
    let Some(sealed) = history.newest(is_it) else {
        let other = history.newest(is_of);
        let why = match other {
            Some(other) => format!(
                "the newest there is of commit {}",
                other.receipt.short_commit()
            ),
            None => "there is none of it".to_owned(),
        };
        return Passed::No(stage, why);
    };
    if !sealed.is_intact {
        return Passed::No(stage, "the one that says so was altered".to_owned());
    }
    let receipt = &sealed.receipt;
    if let (Some(version), Some(passed)) = (wanted.version, &receipt.what.model_version) {
        let differs = passed.version != version.version || passed.differs_from(version).is_some();
        if differs {
            return Passed::No(stage, format!("the one of this commit is of {passed}"));
        }
    }
    let hash = sealed.hash.get(..12).unwrap_or_default();
    Passed::Yes(format!(
        "passed `{stage}` at {}, receipt {hash}",
        receipt.at
    ))
}

impl Passed {
    /// Adds what is known to a plan.
    pub fn describe(&self, plan: &mut Plan) {
        match self {
            Self::NotAsked => {}
            Self::Yes(text) => {
                plan.fact("stage before", text);
            }
            Self::Without(reason) => {
                plan.fact(
                    "stage before",
                    format!("not asked for its receipt: {reason}"),
                );
            }
            Self::No(stage, why) => {
                plan.fact("stage before", format!("no receipt of `{stage}`: {why}"));
            }
            Self::NotGreen(stage, why) => {
                plan.fact("stage before", format!("did not pass `{stage}`: {why}"));
            }
        }
    }

    /// The reason why no receipt was required, if somebody gave one.
    pub fn without_receipt(&self) -> Option<&str> {
        match self {
            Self::Without(reason) => Some(reason),
            _ => None,
        }
    }

    /// Allows the first write, or says why not.
    pub fn require(&self, step: &mut Step) -> Result<()> {
        match self {
            Self::NotAsked | Self::Yes(_) => Ok(()),
            Self::Without(reason) => {
                let text = format!("the receipt of the stage before is not asked for: {reason}");
                step.warn(&text, None);
                Ok(())
            }
            Self::NotGreen(stage, why) => Err(CommandError::new(
                Exit::NotApproved,
                format!("this commit did not pass stage `{stage}`, so nothing was written: {why}"),
            )
            .hint(format!(
                "start this run again when stage `{stage}` is green at this commit; where no push deployed it there, start \
                 the workflow by hand for that stage first; to do without, fill in `without-receipt`"
            ))),
            Self::No(stage, why) => Err(CommandError::new(
                Exit::NotApproved,
                format!("no receipt says that this passed stage `{stage}`, so nothing was written: {why}"),
            )
            .hint(format!(
                "\"Re-run all jobs\" deploys to `{stage}` again and leaves a receipt; to do without, start the workflow \
                 by hand and fill in `without-receipt`, or give `--without-receipt REASON`"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::registered_models::VersionNumber;
    use crate::receipt::tests::receipt;
    use crate::receipt::{SealedReceipt, write_to_folder};

    fn version(number: u64) -> VersionIdentity {
        VersionIdentity {
            name: "wine".into(),
            version: VersionNumber::new(number),
            run_id: format!("r{number}"),
            created: 1,
            source: format!("runs:/r{number}/model"),
        }
    }

    fn evaluated(receipts: &[Receipt], wanted: WantedBefore<'_>) -> Passed {
        let folder = tempfile::tempdir().unwrap();
        for receipt in receipts {
            let sealed = SealedReceipt::seal(receipt.clone()).unwrap();
            write_to_folder(folder.path(), &sealed).unwrap();
        }
        let text = "[defaults]\nhost = \"domino.example.com\"\nproject = \"a/b\"\nhardware-tier = \"s\"\n[stage.prod]\n";
        let file = stage_file::StageFile::read(text, Path::new("stages.toml")).unwrap();
        let history = in_folder(folder.path()).unwrap();
        evaluate(&history, &file.stages[0], wanted)
    }

    fn no(passed: Passed) -> String {
        match passed {
            Passed::No(stage, why) if stage == "prod" => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_a_receipt_of_this_commit_in_the_stage_before_counts() {
        let one = receipt(1);
        let wanted = |entity, commit| WantedBefore {
            of: (Kind::App, entity),
            commit,
            version: None,
        };
        let app = wanted("dashboard", one.commit.as_str());
        let yes = evaluated(std::slice::from_ref(&one), app);
        assert!(matches!(yes, Passed::Yes(text) if text.starts_with("passed `prod` at 2026-")));
        assert_eq!(no(evaluated(&[], app)), "there is none of it");
        let other = receipt(2).commit;
        let newer = evaluated(std::slice::from_ref(&one), wanted("dashboard", &other));
        assert_eq!(no(newer), "the newest there is of commit 0000000");
        no(evaluated(
            std::slice::from_ref(&one),
            wanted("report", &one.commit),
        ));
        let staging = Receipt {
            stage: "staging".into(),
            ..one.clone()
        };
        no(evaluated(&[staging], app));
        let removed = Receipt {
            outcome: ReceiptOutcome::Removed,
            ..one.clone()
        };
        no(evaluated(&[removed], app));
    }

    #[test]
    fn a_model_must_have_passed_with_this_version() {
        let mut one = receipt(1);
        one.kind = ReceiptKind::Model;
        one.what.model_version = Some(version(7));
        let seven = version(7);
        let wanted = WantedBefore {
            of: (Kind::Model, "dashboard"),
            commit: &receipt(1).commit,
            version: Some(&seven),
        };
        let passed = evaluated(std::slice::from_ref(&one), wanted);
        assert!(matches!(passed, Passed::Yes(_)), "{passed:?}");
        one.what.model_version = Some(version(6));
        let other = no(evaluated(std::slice::from_ref(&one), wanted));
        assert!(other.contains("version 6 of `wine`"), "{other}");
    }

    #[test]
    fn an_empty_reason_is_none() {
        assert!(reason(" ").unwrap().0.is_none());
        assert_eq!(reason(" new ").unwrap().0.as_deref(), Some("new"));
    }
}
