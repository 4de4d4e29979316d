//! What GitHub keeps in a repository's settings: environments, who must approve, variables and secrets.
//!
//! The caller of a rehearsal provides it. It may also give processes variables that GitHub would not, such as the
//! address of a stand-in, and name approvals that are given elsewhere than on GitHub.

/// An environment, with the rules that protect it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its name, as the settings spell it.
    pub name: String,
    /// What it protects, in words for the person, such as `stage prod`.
    pub guards: String,
    /// Who may approve a deployment to it: users, or `team:<slug>`. If it is empty, no approval is needed.
    pub reviewers: Vec<String>,
    /// Who may start the runs that enter it by hand, where GitHub asks no reviewer; a step asks who it was.
    pub starters: Vec<String>,
    /// How long GitHub waits before the deployment, in minutes.
    pub wait_timer: i64,
}

/// A variable that a rehearsal sets, whatever a workflow says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImposedVariable {
    /// The name of the environment variable.
    pub name: &'static str,
    /// Its value in words for the person, such as `the sandbox`.
    pub what: &'static str,
}

/// A command that a rehearsal runs in place of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substitute {
    /// The command, for the shell of the step.
    pub command: String,
    /// What is different from GitHub, in words for the person.
    pub told: String,
}

/// Approvals that are given elsewhere than on GitHub, and before GitHub's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherApprovals {
    /// Where they are given.
    pub place: String,
    /// In whose name the rehearsal gives them.
    pub user: String,
    /// The page on which a person can give them.
    pub page: String,
    /// What waits for an approval there, and whose.
    pub waiting: Vec<String>,
}

/// What a job is given, and what an approval needs. The caller implements it; jobs ask it side by side.
pub trait RepositorySettings: Send + Sync {
    /// The environment of this name. GitHub compares names without case.
    ///
    /// # Errors
    /// A sentence for the person when there is no such environment.
    fn environment(&self, name: &str) -> Result<&Environment, String>;

    /// The names of the variables that every environment has.
    fn variable_names(&self) -> &[&str];

    /// The names of the secrets that every environment has.
    fn secret_names(&self) -> &[&str];

    /// The variables that jobs with an environment get, whatever the workflow says.
    fn imposed_variables(&self) -> &[ImposedVariable];

    /// The variables of an environment: the context `vars`.
    fn variables(&self, environment: &str) -> Vec<(String, String)>;

    /// The secrets of an environment: the context `secrets`.
    fn secrets(&self, environment: &str) -> Vec<(String, String)>;

    /// The variables that the processes of a job get besides GitHub's. The environment is that of the job, if it has
    /// one.
    fn process_variables(&self, environment: Option<&str>) -> Vec<(String, String)>;

    /// The command that a rehearsal runs in place of this command of a step, if there is one.
    fn substitute(&self, command: &str) -> Option<Substitute>;

    /// What waits for an approval elsewhere than on GitHub, if anything does.
    fn other_approvals(&self) -> Option<OtherApprovals>;

    /// Gives those approvals, and returns a sentence on each.
    fn approve_others(&self) -> Vec<String>;
}
