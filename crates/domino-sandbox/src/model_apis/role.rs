//! What a collaborator of an endpoint may do there.

/// What a collaborator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything except giving it away.
    Editor,
    /// See the endpoint and the list of its versions.
    Viewer,
}

impl Role {
    pub(super) fn word(self) -> &'static str {
        match self {
            Role::Owner => "Owner",
            Role::Editor => "Editor",
            Role::Viewer => "Viewer",
        }
    }
}
