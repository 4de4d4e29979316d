//! A Domino project as the file names it: owner and name, separated by one slash.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// A Domino project by owner and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProjectName {
    /// The user name of the owner, or the organisation's.
    pub owner: String,
    /// The project's name.
    pub name: String,
}

impl ProjectName {
    /// A placeholder for a file without a project, until the error about that is reported.
    pub(super) fn missing() -> Self {
        Self {
            owner: String::new(),
            name: String::new(),
        }
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// Why a text is not a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedProject {
    /// No slash, more than one, or nothing on one side.
    #[error("must be `owner/name`, with one slash")]
    NotOwnerAndName,
    /// A character that neither part can have.
    #[error("must be `owner/name` of letters, digits, `-`, `_`, `.`, `@` and `+`")]
    Character,
}

impl FromStr for ProjectName {
    type Err = MalformedProject;

    fn from_str(text: &str) -> Result<Self, MalformedProject> {
        let parts: Vec<&str> = text.split('/').collect();
        let &[owner, name] = &parts[..] else {
            return Err(MalformedProject::NotOwnerAndName);
        };
        if owner.is_empty() || name.is_empty() {
            return Err(MalformedProject::NotOwnerAndName);
        }
        let legal = |c: char| c.is_alphanumeric() || "-_.@+".contains(c);
        // A name made of dots only would leave the path that it is put into.
        let climbs = |part: &str| part.chars().all(|c| c == '.');
        if !text.chars().all(|c| legal(c) || c == '/') || climbs(owner) || climbs(name) {
            return Err(MalformedProject::Character);
        }
        Ok(Self {
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_an_owner_and_a_name() {
        let project: ProjectName = "wine-team/wine_quality.2".parse().unwrap();
        assert_eq!(
            (project.owner.as_str(), project.name.as_str()),
            ("wine-team", "wine_quality.2")
        );
        assert_eq!(project.to_string(), "wine-team/wine_quality.2");
    }

    #[test]
    fn anything_else_is_refused() {
        use MalformedProject::*;
        for (text, error) in [
            ("wine-quality", NotOwnerAndName),
            ("/wine-quality", NotOwnerAndName),
            ("wine-team/", NotOwnerAndName),
            ("wine-team/a/b", NotOwnerAndName),
            ("wine team/quality", Character),
            ("wine-team/../..", NotOwnerAndName),
            ("wine-team/..", Character),
            ("wine-team/quality?x=1", Character),
        ] {
            assert_eq!(text.parse::<ProjectName>(), Err(error), "{text}");
        }
    }
}
