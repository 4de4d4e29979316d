//! Everything that a rehearsal has before anything runs: the commit, its folders, who approves, what GitHub says and
//! what jobs get. Its sandbox comes last.

use std::path::PathBuf;

use rehearsal::again::Again;
use rehearsal::approval::{Approvals, Approve};
use rehearsal::checks::{self, Findings, Known};
use rehearsal::console::Console;
use rehearsal::github::GitHub;
use rehearsal::github_api::GitHubApi;
use rehearsal::job_records::JobRecords;
use rehearsal::workspace::Workspaces;

use super::args::Args;
use super::domino;
use super::installed::Installed;
use super::kept::{Kept, KeptFolder};
use super::mlflow::Mlflow;
use super::plan::{self, Plan};
use super::set_up::SetUp;
use super::settings::{Domino, StageSettings};
use super::subject::Subject;

/// What there is before anything runs.
pub struct Ready {
    /// Who approves.
    pub approve: Approve,
    /// The approvals, with those of earlier attempts.
    pub approvals: Approvals,
    /// The commit and its files.
    pub subject: Subject,
    /// What earlier attempts left; empty in a first attempt.
    pub kept: Kept,
    /// The stages that are started by hand after that.
    pub by_hand: Vec<String>,
    /// Which jobs run again; absent in a first attempt.
    pub again: Option<Again>,
    /// What this attempt leaves for the next.
    pub folder: KeptFolder,
    /// The folders of the jobs.
    pub workspaces: Workspaces,
    /// A folder that outlives the rehearsal, if there is one.
    pub lasting: Option<PathBuf>,
    /// Where cargo keeps what it compiles, if a step runs it at all.
    pub cargo_folder: Option<PathBuf>,
    /// Where the programs are that the sandbox's runs find.
    pub programs: Option<PathBuf>,
    /// How every job ended.
    pub records: JobRecords,
    /// The stand-in for GitHub's API.
    pub api: GitHubApi,
    /// What GitHub says about the repository and the event.
    pub github: GitHub,
    /// What jobs get.
    pub settings: StageSettings,
    /// The set-up that comes first, if the rehearsal begins with nothing.
    pub set_up: Option<SetUp>,
}

impl Ready {
    /// Prepares what is planned.
    ///
    /// # Errors
    /// When this machine does not allow it.
    pub fn of(plan: Plan, args: &Args, console: &Console) -> anyhow::Result<Self> {
        let Plan {
            approve,
            subject,
            kept,
            by_hand,
            again,
        } = plan;
        let build_folder = plan::build_folder(&subject.repository);
        let lasting = build_folder.as_ref().map(|folder| folder.join("rehearsal"));
        let workspaces = Workspaces::take(lasting.as_deref())?;
        let (again, folder) = match again {
            Some((again, folder)) => (Some(again), folder),
            None => (None, KeptFolder::create(workspaces.base())?),
        };
        let workspaces = workspaces.with_origin(&folder.origin(), &subject.repository)?;
        let approvals = Approvals::from_stdin(approve).with_earlier(kept.approvals.clone());
        let records = JobRecords::of_earlier(kept.jobs.clone());
        let set_up = args.from_empty.then(|| SetUp::new(&subject)).transpose()?;
        let token = job_token();
        console.mask(&token);
        let rerun_by = args.actor.as_ref().filter(|_| again.is_some());
        let told = kept.told(&approvals, &records, rerun_by.unwrap_or(&kept.actor))?;
        let on_github = set_up.as_ref().map(|set_up| set_up.github.clone());
        let api = GitHubApi::start(token.clone(), told, on_github)?;
        let github = github(&subject, &kept, &api, token);
        let installed = installed(&subject, args.build_as_written);
        let programs = installed.as_ref().map(|found| found.folder().to_owned());
        // Cargo is not run if the programs exist already.
        let is_built = installed.as_ref().is_some_and(Installed::built_here);
        let settings = StageSettings {
            environments: subject.environments.clone(),
            build_folder: build_folder.clone(),
            installed,
            domino: None,
        };
        Ok(Self {
            approve,
            approvals,
            subject,
            kept,
            by_hand,
            again,
            folder,
            workspaces,
            lasting,
            cargo_folder: build_folder.filter(|_| !is_built),
            programs,
            records,
            api,
            github,
            settings,
            set_up,
        })
    }

    /// Checks each workflow for things that cannot be rehearsed.
    pub fn check(&self, findings: &mut Findings) {
        for (at, workflow) in (0..).zip(&self.subject.workflows) {
            let run = self.github.run_of(workflow, at);
            let known = Known {
                settings: &self.settings,
                branch: &self.github.branch,
                event: &self.github.event,
                github: &self.github.context(&run, "", None),
            };
            checks::check(workflow, &known, findings);
        }
    }

    /// The Domino that steps are sent to: one of its own, or that of the attempts before.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn domino(&self, args: &Args, mlflow: Option<&Mlflow>) -> anyhow::Result<Domino> {
        match self.again {
            Some(_) => Ok(Domino::Kept(self.kept.reach()?.clone())),
            None => domino::start(&self.subject, args, mlflow, self.programs.clone()),
        }
    }

    /// Sets GitHub and Domino up, where a rehearsal begins with nothing. Returns the exit code of a command that failed.
    ///
    /// # Errors
    /// When a command cannot be started.
    pub fn set_up(&mut self, domino: &mut Domino, console: &Console) -> anyhow::Result<Option<u8>> {
        let Some(set_up) = &mut self.set_up else {
            return Ok(None);
        };
        let environments = &mut self.settings.environments;
        set_up.run(console, &self.api.url, domino.reached_mut(), environments)
    }
}

/// The programs beside this one, if they replace those that steps would provide.
fn installed(subject: &Subject, build_as_written: bool) -> Option<Installed> {
    let installed = Installed::beside_this_program(&subject.stage_file, &subject.repository.root);
    match build_as_written {
        true => installed.map(Installed::build_as_written),
        false => installed,
    }
}

/// What GitHub would say about the push, or about the run that a person starts.
fn github(subject: &Subject, kept: &Kept, api: &GitHubApi, token: String) -> GitHub {
    GitHub {
        repository: subject.repository.slug(),
        branch: subject.environments.branch.clone(),
        commit: subject.commit.clone(),
        actor: kept.actor.clone(),
        event: kept.event.clone(),
        api_url: api.url.clone(),
        token,
        first_run_id: first_run_id(),
    }
}

/// A token in GitHub's format, which opens only the stand-in for GitHub's API.
fn job_token() -> String {
    format!("ghs_{}", domino::random_text(36))
}

/// A number that no earlier rehearsal used.
fn first_run_id() -> u64 {
    std::time::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default()
        .as_secs()
        * 10
}
