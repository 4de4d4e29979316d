//! A repository as its settings have it, and who may deploy to its environments.

use std::collections::BTreeMap;

use serde_json::Value;

/// A repository.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    /// Its production branch.
    pub branch: String,
    /// Logins and ids of those who can read it.
    pub people: Vec<(String, u64)>,
    /// Slugs and ids of teams that can read it.
    pub teams: Vec<(String, u64)>,
    /// The names of the branches that are protected.
    pub protected_branches: Vec<String>,
    /// Its environments by name.
    pub environments: BTreeMap<String, Environment>,
    /// The names of its own secrets.
    pub secrets: Vec<String>,
    /// The names of its organisation's secrets that it sees.
    pub organization_secrets: Vec<String>,
    /// How many days artifacts are kept.
    pub artifact_days: u32,
    /// Its issues, as GitHub tells them.
    pub issues: Vec<Value>,
}

/// An environment of a repository.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Environment {
    /// `User` or `Team`, and the id.
    pub reviewers: Vec<(String, u64)>,
    /// Whether nobody may approve a run of one's own.
    pub prevents_self_review: bool,
    /// In minutes.
    pub wait_timer: u64,
    /// Whether protected branches may deploy to it, or else named ones; `None` for any.
    pub protected_branches: Option<bool>,
    /// The named branches and tags.
    pub policies: Vec<Policy>,
    /// Its variables.
    pub variables: BTreeMap<String, String>,
    /// Its secrets in clear, and when each was written.
    pub secrets: BTreeMap<String, (String, u64)>,
    /// Whether administrators must wait for the rules as well.
    pub is_closed_to_admins: bool,
}

/// A branch or tag that may deploy to an environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Its id.
    pub id: u64,
    /// A name or pattern.
    pub name: String,
    /// `branch` or `tag`.
    pub kind: String,
}

impl Repository {
    /// An environment. GitHub compares names without case.
    pub fn environment(&self, name: &str) -> Option<&Environment> {
        let mut all = self.environments.iter();
        let found = all.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, environment)| environment)
    }

    /// The reviewers of an environment as a stage file names them: logins, and teams as `team:<slug>`.
    pub fn reviewers_of(&self, environment: &Environment) -> Vec<String> {
        let named = |(kind, id): &(String, u64)| {
            let (all, prefix) = match kind.as_str() {
                "User" => (&self.people, ""),
                _ => (&self.teams, "team:"),
            };
            let (name, _) = all.iter().find(|(_, known)| known == id)?;
            Some(format!("{prefix}{name}"))
        };
        environment.reviewers.iter().filter_map(named).collect()
    }

    /// Whether runs of this branch may deploy to an environment. Names are compared as they are: the patterns that
    /// GitHub takes as well are not read.
    pub fn lets_in(&self, environment: &Environment, branch: &str) -> bool {
        match environment.protected_branches {
            None => true,
            Some(true) => self.protected_branches.iter().any(|known| known == branch),
            Some(false) => environment
                .policies
                .iter()
                .any(|policy| policy.kind == "branch" && policy.name == branch),
        }
    }
}

impl Environment {
    /// Whether the one branch may deploy, and nothing else.
    pub fn takes_only(&self, branch: &str) -> bool {
        self.protected_branches == Some(false)
            && matches!(&self.policies[..], [one] if one.name == branch && one.kind == "branch")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_deploy_is_what_the_rules_say() {
        let policy = |name: &str, kind: &str| Policy {
            id: 1,
            name: name.into(),
            kind: kind.into(),
        };
        let mut repository = Repository {
            people: vec![("ann".into(), 11)],
            teams: vec![("wine".into(), 21)],
            ..Repository::default()
        };
        let mut prod = Environment {
            reviewers: vec![("Team".into(), 21), ("User".into(), 11), ("User".into(), 9)],
            ..Environment::default()
        };
        assert_eq!(repository.reviewers_of(&prod), ["team:wine", "ann"]);
        assert!(repository.lets_in(&prod, "main"));
        prod.protected_branches = Some(true);
        assert!(!repository.lets_in(&prod, "main"));
        repository.protected_branches.push("main".into());
        assert!(repository.lets_in(&prod, "main"));
        prod.protected_branches = Some(false);
        prod.policies = vec![policy("main", "tag"), policy("trunk", "branch")];
        assert!(!repository.lets_in(&prod, "main"));
        assert!(repository.lets_in(&prod, "trunk"));
        repository.environments.insert("PROD".into(), prod);
        assert!(repository.environment("prod").is_some());
    }
}
