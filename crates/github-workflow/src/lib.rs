//! The language of GitHub's workflow files: written from types, read strictly, its expressions evaluated.
//!
//! It runs nothing, reads no disk and knows no Domino. What a rehearsal does with a workflow is the crate
//! `rehearsal`; what stands in our own workflows, `domino-pipeline`.

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
pub mod template;
#[cfg(feature = "read")]
mod token;
#[cfg(feature = "read")]
pub mod value;
pub mod write;
#[cfg(feature = "read")]
pub mod yaml;
