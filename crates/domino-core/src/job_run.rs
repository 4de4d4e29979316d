//! A run of a command in a Domino project that a step starts once, finds again, follows and stops.
//!
//! The program whose step it is knows what the command is for and what its end means.

mod at_once;
mod follow;
mod interrupted;
mod over;
mod report;
mod search;
mod start;
mod verify_run;
mod words;

pub use self::follow::{Follow, Followed, LOG_GRACE};
pub use self::interrupted::Interruption;
pub use self::over::is_over;
pub use self::report::{describe, link, report_what_is};
pub use self::search::{OwnRuns, Search, is_of, is_of_file};
pub use self::start::NewRun;
pub use self::verify_run::Requested;
pub use self::words::Words;
