//! The language of GitHub's workflow files: written from types, read strictly, its expressions evaluated.
//!
//! It runs nothing, reads no disk and does not know Domino. The crate `rehearsal` runs workflows; `domino-pipeline`
//! decides what our own contain.

#[cfg(all(test, feature = "read"))]
mod any_text;
#[cfg(feature = "read")]
pub mod context;
#[cfg(feature = "read")]
pub mod evaluate;
#[cfg(feature = "read")]
pub mod expression;
#[cfg(feature = "read")]
pub mod functions;
pub mod limits;
#[cfg(feature = "read")]
pub mod problem;
#[cfg(feature = "read")]
pub mod read;
#[cfg(feature = "read")]
mod template;
#[cfg(feature = "read")]
mod token;
#[cfg(feature = "read")]
pub mod value;
pub mod write;
#[cfg(feature = "read")]
mod yaml;
