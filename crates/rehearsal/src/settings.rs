//! What GitHub keeps in a repository's settings: environments, who must approve, variables and secrets.
//!
//! The caller of a rehearsal answers for it. It may also hand processes variables that GitHub would not, such as where
//! a stand-in listens, and name approvals that are given elsewhere than on GitHub.

/// An environment, with the rules that protect it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its name, as the settings spell it.
    pub name: String,
    /// What it guards, for the person, such as `stage prod`.
    pub guards: String,
    /// Who may approve a deployment to it: users, or `team:<slug>`. Nobody needs to where it is empty.
    pub reviewers: Vec<String>,
    /// How long GitHub waits before the deployment, in minutes.
    pub wait_timer: i64,
}

/// A variable that a rehearsal sets whatever a workflow says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImposedVariable {
    /// Its name.
    pub name: &'static str,
    /// What it is in a rehearsal, for the person, such as `the sandbox`.
    pub what: &'static str,
}

/// A command that is run in a rehearsal in the place of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substitute {
    /// The command, for the shell of the step.
    pub command: String,
    /// What is done otherwise than on GitHub, for the person.
    pub told: String,
}

/// Approvals that are given elsewhere than on GitHub, and before GitHub's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherApprovals {
    /// Where they are given.
    pub place: String,
    /// In whose name the rehearsal gives them.
    pub user: String,
    /// The page on which a person can give them instead.
    pub page: String,
    /// What waits there, and for whom.
    pub waiting: Vec<String>,
}

/// What a job is given, and what an approval needs. Implemented by whoever has workflows rehearsed; jobs ask it side by
/// side.
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

    /// The variables that jobs with an environment are given whatever the workflow says.
    fn imposed_variables(&self) -> &[ImposedVariable];

    /// The variables of an environment: the context `vars`.
    fn variables(&self, environment: &str) -> Vec<(String, String)>;

    /// The secrets of an environment: the context `secrets`.
    fn secrets(&self, environment: &str) -> Vec<(String, String)>;

    /// What the processes of a job find beside GitHub's variables; the environment is that of the job, if it has one.
    fn process_variables(&self, environment: Option<&str>) -> Vec<(String, String)>;

    /// What is run in the place of this command of a step, where that would leave this machine for what is on it.
    fn substitute(&self, command: &str) -> Option<Substitute>;

    /// What waits for an approval elsewhere than on GitHub, if anything does.
    fn other_approvals(&self) -> Option<OtherApprovals>;

    /// Gives those approvals, and says for each what was done.
    fn approve_others(&self) -> Vec<String>;
}
