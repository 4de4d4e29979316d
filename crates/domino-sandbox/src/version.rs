//! The Domino versions that the sandbox can emulate: the routes and credentials of each. Other files ask here by name
//! what a version has, so that none compares version numbers.

use std::fmt;
use std::str::FromStr;

/// A Domino release that the sandbox can emulate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 5.9: the internal API and `/v1/models`, model reviews, API keys.
    V5_9,
    /// 6.2: adds the beta Apps routes; API keys still work.
    V6_2,
    /// 6.3: as in the public specification that the sandbox is checked against, and Apps v1, which it leaves out.
    #[default]
    V6_3,
    /// 6.4: adds `resolveGitRef`; API keys are switched off.
    V6_4,
}

impl Version {
    /// What `GET /version` answers.
    pub fn release(self) -> &'static str {
        match self {
            Version::V5_9 => "5.9.2",
            Version::V6_2 => "6.2.2",
            Version::V6_3 => "6.3.0",
            Version::V6_4 => "6.4.0",
        }
    }

    /// Whether a user API key in `X-Domino-Api-Key` opens the API.
    pub fn accepts_api_keys(self) -> bool {
        self < Version::V6_4
    }

    /// Whether there are apps under `/api/apps/beta`.
    pub(crate) fn has_apps_beta(self) -> bool {
        self >= Version::V6_2
    }

    /// Whether there are apps under `/api/apps/v1`, unless that is switched off.
    pub(crate) fn has_apps_v1(self) -> bool {
        self >= Version::V6_3
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "5.9" => Ok(Version::V5_9),
            "6.2" => Ok(Version::V6_2),
            "6.3" => Ok(Version::V6_3),
            "6.4" => Ok(Version::V6_4),
            other => Err(format!(
                "`{other}` is not a version the sandbox knows; choose 5.9, 6.2, 6.3 or 6.4"
            )),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.release()[..3])
    }
}
