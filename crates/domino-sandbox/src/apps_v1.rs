//! Whether a Domino that has Apps v1 lets callers use it: a deployment can switch the feature `EnableAppsSDLC` off. What
//! the routes are is said in `apps`.

use std::fmt;
use std::str::FromStr;

/// What `/api/apps/v1` answers in a release that has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AppsV1 {
    /// As Domino has it by default.
    #[default]
    On,
    /// Switched off: 403.
    Forbidden,
    /// Switched off: 404, as in a release without it.
    NotFound,
}

impl FromStr for AppsV1 {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "on" => Ok(Self::On),
            "403" => Ok(Self::Forbidden),
            "404" => Ok(Self::NotFound),
            other => Err(format!("`{other}` is none of on, 403 and 404")),
        }
    }
}

impl fmt::Display for AppsV1 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::On => "on",
            Self::Forbidden => "403",
            Self::NotFound => "404",
        })
    }
}
