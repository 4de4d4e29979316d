//! What a collaborator may do in a project, in the words of each API.

/// The role of a collaborator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProjectRole {
    Contributor,
    LauncherUser,
    ResultsConsumer,
    ProjectImporter,
}

impl ProjectRole {
    const ALL: [ProjectRole; 4] = [
        ProjectRole::Contributor,
        ProjectRole::LauncherUser,
        ProjectRole::ResultsConsumer,
        ProjectRole::ProjectImporter,
    ];

    /// The role by its word in either API.
    pub(super) fn of(word: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|role| [role.v4(), role.public()].contains(&word))
    }

    pub(super) fn v4(self) -> &'static str {
        match self {
            ProjectRole::Contributor => "Contributor",
            ProjectRole::LauncherUser => "LauncherUser",
            ProjectRole::ResultsConsumer => "ResultsConsumer",
            ProjectRole::ProjectImporter => "ProjectImporter",
        }
    }

    pub(super) fn public(self) -> &'static str {
        match self {
            ProjectRole::Contributor => "contributor",
            ProjectRole::LauncherUser => "launcherUser",
            ProjectRole::ResultsConsumer => "resultsConsumer",
            ProjectRole::ProjectImporter => "projectImporter",
        }
    }
}
