//! All that a small GitHub holds.

use std::collections::BTreeMap;

use dryoc::dryocbox::StackKeyPair as KeyPair;

use super::repository::Repository;

/// All that it holds.
pub struct SmallGitHub {
    /// The repositories by `owner/name`.
    pub repositories: BTreeMap<String, Repository>,
    /// How often something was written.
    pub writes: usize,
    /// How often a secret was written to an environment that other branches than the repository's own could reach.
    pub careless: usize,
    /// Whether its plan has reviewers and wait timers.
    pub has_rules: bool,
    /// Who is at the other end may change everything by this token.
    pub(super) token: String,
    /// By which secrets are sealed.
    pub(super) pair: KeyPair,
    /// Counts ids and times.
    pub(super) clock: u64,
}

impl SmallGitHub {
    /// One without repositories, whose API this token opens.
    pub fn new(token: &str) -> Self {
        Self {
            repositories: BTreeMap::new(),
            writes: 0,
            careless: 0,
            has_rules: true,
            token: token.to_owned(),
            pair: KeyPair::generate(),
            clock: 100,
        }
    }
}
