//! How a stage file says which version of a registered model is meant.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Which version of a registered model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionRule {
    /// The newest one.
    Latest,
    /// The version with this number, fixed until the file changes.
    Number(u64),
    /// The version in a stage of the experiment manager.
    Stage(String),
    /// The version that an alias points to.
    Alias(String),
}

impl fmt::Display for VersionRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Stage(stage) => write!(f, "stage:{stage}"),
            Self::Alias(alias) => write!(f, "alias:{alias}"),
        }
    }
}

/// Why a text is not a version rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedVersion {
    /// None of the forms.
    #[error("must be a number such as `4`, `latest`, `stage:<stage>` or `alias:<alias>`")]
    Form,
    /// Versions are counted from one.
    #[error("must be a version from 1 on")]
    Number,
    /// A name that the registry reserves, or that it does not allow.
    #[error(
        "must name an alias of letters, digits, `-` and `_`, and neither `latest` nor `v` with a number"
    )]
    Alias,
}

impl FromStr for VersionRule {
    type Err = MalformedVersion;

    fn from_str(text: &str) -> Result<Self, MalformedVersion> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        match text.split_once(':') {
            Some(("stage", stage)) if !stage.trim().is_empty() => Ok(Self::Stage(stage.to_owned())),
            Some(("alias", alias)) if is_alias(alias) => Ok(Self::Alias(alias.to_owned())),
            Some(("alias", _)) => Err(MalformedVersion::Alias),
            Some(_) => Err(MalformedVersion::Form),
            None if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                let number = text.parse().ok().filter(|number| *number > 0);
                number.map(Self::Number).ok_or(MalformedVersion::Number)
            }
            None => Err(MalformedVersion::Form),
        }
    }
}

/// Whether the registry allows this alias: it reserves `latest` and `v` with a number.
fn is_alias(alias: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let numbered = alias
        .strip_prefix(['v', 'V'])
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    !alias.is_empty()
        && alias.bytes().all(legal)
        && !alias.eq_ignore_ascii_case("latest")
        && !numbered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_rule_reads_back_as_it_is_written() {
        for (text, rule) in [
            ("latest", VersionRule::Latest),
            ("4", VersionRule::Number(4)),
            ("stage:Staging", VersionRule::Stage("Staging".into())),
            ("alias:champion", VersionRule::Alias("champion".into())),
        ] {
            assert_eq!(text.parse(), Ok(rule.clone()));
            assert_eq!(rule.to_string(), text);
        }
    }

    #[test]
    fn what_names_no_version_is_refused() {
        use MalformedVersion::*;
        for (text, error) in [
            ("", Form),
            ("newest", Form),
            ("champion", Form),
            ("tag:x", Form),
            ("stage:", Form),
            ("0", Number),
            ("-1", Number),
            ("4.2", Number),
            ("alias:", Alias),
            ("alias:v4", Alias),
            ("alias:latest", Alias),
            ("alias:a b", Alias),
        ] {
            assert_eq!(text.parse::<VersionRule>(), Err(error), "{text}");
        }
    }
}
