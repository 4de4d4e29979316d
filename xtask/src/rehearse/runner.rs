//! What all jobs of a rehearsal share: this machine in the place of GitHub's runners, and the sandbox in Domino's.
//!
//! Nothing of the person's own environment reaches a step, but for the few variables that programs need to be found.

use std::cell::RefCell;
use std::path::PathBuf;

use super::approval::Approvals;
use super::console::Console;
use super::domino::Domino;
use super::github::GitHub;
use super::interrupt::Interrupt;
use super::process::Grace;
use super::report::Report;
use super::repository::Repository;
use super::stage_gates::StageGates;
use super::workspace::Workspace;

/// The runner of a rehearsal.
pub struct Runner {
    /// The repository whose commit is rehearsed.
    pub repository: Repository,
    /// What GitHub says about itself.
    pub github: GitHub,
    /// The folders of the job that runs.
    pub workspace: Workspace,
    /// What stands in for Domino.
    pub domino: Domino,
    /// What guards the environments.
    pub gates: StageGates,
    /// Who opens them.
    pub approvals: Approvals,
    /// Where everything is said.
    pub console: Console,
    /// Whether the person wants an end.
    pub interrupt: Interrupt,
    /// How long processes have to end.
    pub grace: Grace,
    /// The variables every process starts with.
    pub inherited: Vec<(String, String)>,
    /// Where jobs' summaries are written, a file each.
    pub summaries: PathBuf,
    /// Where cargo keeps what it compiled between rehearsals.
    pub build_folder: Option<PathBuf>,
    /// What there is to say in the end.
    pub report: RefCell<Report>,
}

/// The variables of the person's environment that steps are given.
const INHERITED: [&str; 6] = ["PATH", "HOME", "LANG", "CARGO_HOME", "RUSTUP_HOME", "TERM"];

/// The variables that every process starts with.
pub fn inherited() -> Vec<(String, String)> {
    INHERITED
        .iter()
        .filter_map(|&name| Some((name.to_owned(), std::env::var(name).ok()?)))
        .collect()
}

impl Runner {
    /// The variables a job sees, by the environment it is bound to.
    pub fn vars(&self, environment: Option<&str>) -> Vec<(String, String)> {
        environment.map_or_else(Vec::new, |environment| self.domino.vars(environment))
    }

    /// The secrets a job sees, by the environment it is bound to.
    pub fn secrets(&self, environment: Option<&str>) -> Vec<(String, String)> {
        let mut secrets = vec![("GITHUB_TOKEN".to_owned(), self.github.token.clone())];
        if environment.is_some() {
            secrets.extend(self.domino.secrets.iter().cloned());
        }
        secrets
    }

    /// Notes that something could not be done as GitHub would do it; the rehearsal will not be green.
    pub fn untruthful(&self, what: String) {
        self.report.borrow_mut().untruthful.push(what);
    }
}
