//! Tables that can be filled in one of several ways: the keys of each, and the keys that have no effect in it.

use super::{MODEL, PIPELINE, Section};

/// One way to fill a table.
#[derive(Debug)]
pub struct Way {
    /// The key that chooses it and the word that it then has; without one, the keys themselves choose.
    pub chosen_by: Option<(&'static str, &'static str)>,
    /// Whether it is the way of a table without the key that chooses.
    pub is_default: bool,
    /// The keys that it must have.
    pub needs: &'static [&'static str],
    /// The keys that have no effect in it.
    pub without: &'static [&'static str],
}

/// Where the programs come from.
static INSTALL: [Way; 3] = [
    Way {
        chosen_by: Some(("install", "build")),
        is_default: true,
        needs: &[],
        without: &[
            "release",
            "release-repository",
            "release-token-secret",
            "wheel-sha256",
        ],
    },
    Way {
        chosen_by: Some(("install", "release")),
        is_default: false,
        needs: &["release", "release-repository"],
        without: &["wheel-sha256"],
    },
    Way {
        chosen_by: Some(("install", "pip")),
        is_default: false,
        needs: &["release", "wheel-sha256"],
        without: &["release-repository", "release-token-secret"],
    },
];

/// What is served.
static SOURCE: [Way; 2] = [
    Way {
        chosen_by: None,
        is_default: false,
        needs: &["registered-model"],
        without: &["file", "function"],
    },
    Way {
        chosen_by: None,
        is_default: false,
        needs: &["file", "function"],
        without: &["registered-model", "version", "metric-rules", "baseline"],
    },
];

/// The ways to fill a table, exactly one of which applies; empty if the keys of a table do not depend on each other.
pub fn ways(section: &Section) -> &'static [Way] {
    if std::ptr::eq(section, &PIPELINE) {
        &INSTALL
    } else if std::ptr::eq(section, &MODEL) {
        &SOURCE
    } else {
        &[]
    }
}
