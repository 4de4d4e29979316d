//! What is rehearsed: a commit for the first time, or again what an earlier rehearsal keeps running.
//!
//! It only reads; nothing runs yet.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::Context;
use github_workflow::problem::Problem;
use rehearsal::again::Again;
use rehearsal::approval::Approve;
use rehearsal::console::Console;
use rehearsal::github::Event;
use rehearsal::repository::Repository;

use super::args::{Approver, Args, Rerun};
use super::by_hand;
use super::kept::{Kept, KeptFolder};
use super::settings::AUTHOR;
use super::subject::{Choice, Subject};
use crate::repository;

/// What is rehearsed.
pub struct Plan {
    /// Who approves.
    pub approve: Approve,
    /// The commit and its files.
    pub subject: Subject,
    /// What earlier attempts left; empty in a first attempt.
    pub kept: Kept,
    /// The stages that are started by hand after what a push deploys.
    pub by_hand: Vec<String>,
    /// Which jobs run again, and the folder of the rehearsal that is run again.
    pub again: Option<(Again, KeptFolder)>,
}

impl Plan {
    /// Reads what is asked for. What is wrong in a workflow file is added to `problems`.
    ///
    /// # Errors
    /// When there is nothing to rehearse.
    pub fn read(
        args: &Args,
        console: &Console,
        problems: &mut Vec<Problem>,
    ) -> anyhow::Result<Self> {
        let approve = approve(args.approve)?;
        match args.rerun {
            None => Self::first(args, approve, console, problems),
            Some(rerun) => Self::again(args, rerun, approve, console, problems),
        }
    }

    fn first(
        args: &Args,
        approve: Approve,
        console: &Console,
        problems: &mut Vec<Problem>,
    ) -> anyhow::Result<Self> {
        let choice = Choice {
            repository: &args.repository,
            commit: None,
            uncommitted: args.uncommitted,
            workflows: args.workflows.as_deref(),
            only: &args.only,
        };
        let subject = Subject::read(choice, console, problems)?;
        subject.offers(&args.input)?;
        let by_hand = by_hand::stages(&subject, args);
        let is_pushed = !by_hand.is_empty();
        let event = match (&args.stop_after, &args.input, &args.actor) {
            _ if is_pushed => Event::Push,
            (None, inputs, None) if inputs.is_empty() => Event::Push,
            (stop_after, inputs, _) => Event::Dispatch {
                stop_after: stop_after.clone(),
                inputs: inputs.clone(),
            },
        };
        let actor = args.actor.clone().filter(|_| !is_pushed);
        let actor = actor.unwrap_or_else(|| AUTHOR.into());
        let kept = Kept::first(&subject, event, actor, args.artifact_days);
        Ok(Self {
            approve,
            subject,
            kept,
            by_hand,
            again: None,
        })
    }

    fn again(
        args: &Args,
        rerun: Rerun,
        approve: Approve,
        console: &Console,
        problems: &mut Vec<Problem>,
    ) -> anyhow::Result<Self> {
        let folder = match &args.kept {
            Some(folder) => folder.clone(),
            None => {
                let build_folder = build_folder(&Repository::open(&args.repository)?);
                let build_folder = build_folder.with_context(|| {
                    format!(
                        "name the folder that `{} rehearse --keep` printed, with `--kept`",
                        repository::called_as()
                    )
                })?;
                KeptFolder::below(&build_folder.join("rehearsal"))
            }
        };
        let (folder, mut kept) = KeptFolder::open(&folder)?;
        kept.pass(args.days_later)?;
        kept.artifact_days = args.artifact_days.unwrap_or(kept.artifact_days);
        let again = match rerun {
            Rerun::Failed => Again::Failed,
            Rerun::All => Again::All,
        };
        let workflows = folder.workflows();
        let choice = Choice {
            repository: &kept.repository,
            commit: Some(&kept.commit),
            uncommitted: false,
            workflows: Some(&workflows),
            only: &args.only,
        };
        let subject = Subject::read(choice, console, problems)?;
        kept.has_something_to_run(&subject.workflows, again)?;
        Ok(Self {
            approve,
            subject,
            kept,
            by_hand: Vec::new(),
            again: Some((again, folder)),
        })
    }
}

fn approve(asked: Option<Approver>) -> anyhow::Result<Approve> {
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    match asked {
        Some(Approver::Ask) if !terminal => {
            anyhow::bail!("`--approve ask` needs a terminal; there are all and none")
        }
        Some(Approver::Ask) => Ok(Approve::Ask),
        Some(Approver::All) => Ok(Approve::All),
        Some(Approver::None) => Ok(Approve::None),
        None if terminal => Ok(Approve::Ask),
        None => Ok(Approve::All),
    }
}

/// Where cargo's own folder is, if this is a cargo project at all.
pub fn build_folder(repository: &Repository) -> Option<PathBuf> {
    if !repository.root.join("Cargo.toml").is_file() {
        return None;
    }
    let folder = std::env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty());
    let folder = folder.map_or_else(|| PathBuf::from("target"), PathBuf::from);
    Some(repository.root.join(folder))
}
