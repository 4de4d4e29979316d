//! A small GitHub: what a repository's settings hold, and the part of GitHub's API that reads and changes them.
//!
//! It accepts what GitHub accepts, and refuses what GitHub is known to refuse. It opens the sealed secrets with a real
//! key pair, since jobs get their values. It knows no transport: `github_api.rs` serves it to a rehearsal, and tests
//! to programs that shall not be confused by a server that misbehaves.

mod answers;
mod exchange;
mod holdings;
mod repository;
mod routes;

pub use exchange::{Answer, Asked};
pub use holdings::SmallGitHub;
pub use repository::{Environment, Policy, Repository};
