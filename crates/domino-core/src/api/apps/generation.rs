//! The generations of Domino's API for apps, and the one table of what each of them can do.

use std::fmt;

/// A generation of Domino's API for apps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// `/api/apps/v1`, from Domino 6.3 on, unless it is switched off.
    V1,
    /// `/api/apps/beta`, from Domino 6.1 on.
    Beta,
    /// `/v4/modelProducts`, every Domino.
    V4,
}

/// What a generation can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// The path that its routes begin with.
    pub route: &'static str,
    /// The generation before it.
    pub older: Option<Generation>,
    /// Domino itself replaces the running version; otherwise it must be stopped first.
    pub replaces_what_runs: bool,
    /// A new version starts while the previous one still runs.
    pub runs_two_at_once: bool,
    /// Creating an app starts it as well.
    pub starts_what_it_creates: bool,
    /// A version that ran before can be started again unchanged.
    pub starts_versions_again: bool,
    /// An app's entry point can be changed.
    pub changes_entry_point: bool,
    /// An app's description can be changed.
    pub changes_description: bool,
    /// An app can be archived.
    pub archives_apps: bool,
    /// It can be changed whether people who may not open an app find it.
    pub changes_discoverable: bool,
    /// An app has a picture, by the route of beta.
    pub has_thumbnails: bool,
    /// A version says how it scales, as whom it acts, its vanity URL and its bundle.
    pub sets_versions_up: bool,
    /// A version has tags, which are used to find it again.
    pub tags_versions: bool,
    /// A revision of the compute environment can be chosen, other than the active one.
    pub chooses_revision: bool,
}

const V1: Capabilities = Capabilities {
    route: "/api/apps/v1/apps",
    older: Some(Generation::Beta),
    replaces_what_runs: true,
    runs_two_at_once: false,
    starts_what_it_creates: false,
    starts_versions_again: true,
    changes_entry_point: false,
    changes_description: true,
    archives_apps: true,
    changes_discoverable: true,
    has_thumbnails: true,
    sets_versions_up: true,
    tags_versions: true,
    chooses_revision: true,
};

const BETA: Capabilities = Capabilities {
    route: "/api/apps/beta/apps",
    older: Some(Generation::V4),
    runs_two_at_once: true,
    starts_what_it_creates: true,
    starts_versions_again: false,
    changes_entry_point: true,
    ..V1
};

const V4: Capabilities = Capabilities {
    route: "/v4/modelProducts",
    older: None,
    replaces_what_runs: false,
    starts_versions_again: false,
    changes_description: false,
    archives_apps: false,
    changes_discoverable: false,
    has_thumbnails: false,
    sets_versions_up: false,
    tags_versions: false,
    chooses_revision: false,
    ..V1
};

impl Generation {
    /// What this generation can do.
    pub const fn capabilities(self) -> &'static Capabilities {
        match self {
            Self::V1 => &V1,
            Self::Beta => &BETA,
            Self::V4 => &V4,
        }
    }
}

/// The generation's short name: `v1`.
impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "v1",
            Self::Beta => "beta",
            Self::V4 => "v4",
        })
    }
}
