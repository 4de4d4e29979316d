//! The access token of a model's endpoint, from `DOMINO_MODEL_TOKEN`. It is read here and shown nowhere.

use domino_core::step::Step;
use secrecy::{ExposeSecret, SecretString};

/// The variable that holds it.
pub(crate) const VARIABLE: &str = "DOMINO_MODEL_TOKEN";

/// A token, if there is one for the model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Token(Option<SecretString>);

impl Token {
    /// Reads the variable and hides everything in it.
    pub(crate) fn of(model: &str, step: &mut Step) -> Self {
        let value = std::env::var(VARIABLE).unwrap_or_default();
        for secret in secrets(&value) {
            step.hide_text(secret);
        }
        Self(chosen(&value, model).map(|token| token.to_owned().into()))
    }

    /// Whether there is none.
    pub(crate) fn is_missing(&self) -> bool {
        self.0.is_none()
    }

    /// The secret, for the endpoint that it opens.
    pub(crate) fn secret(&self) -> Option<SecretString> {
        self.0
            .as_ref()
            .map(|token| token.expose_secret().to_owned().into())
    }
}

/// The token for a model: its own line `model=token`, otherwise the one token on a line of its own.
fn chosen<'a>(value: &'a str, model: &str) -> Option<&'a str> {
    let lines = || value.lines().map(str::trim).filter(|line| !line.is_empty());
    let own = lines().find_map(|line| {
        let (name, token) = line.split_once('=')?;
        (name.trim() == model && !token.trim().is_empty()).then(|| token.trim())
    });
    let mut unnamed = lines().filter(|line| named(line).is_none());
    own.or_else(|| unnamed.next())
}

/// Everything that must not be shown.
fn secrets(value: &str) -> impl Iterator<Item = &str> {
    value
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| named(line).map_or(line, |(_, token)| token))
}

/// A line `model=token`. A token may itself end in `=`, the padding of base64.
fn named(line: &str) -> Option<(&str, &str)> {
    let (name, token) = line.split_once('=')?;
    let token = token.trim();
    (!token.trim_matches('=').is_empty()).then_some((name, token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_token_is_for_every_model() {
        assert_eq!(chosen("abc\n", "wine"), Some("abc"));
        assert_eq!(chosen("YWJj==", "wine"), Some("YWJj=="));
        assert_eq!(chosen("", "wine"), None);
    }

    #[test]
    fn several_tokens_are_told_apart_by_their_models() {
        let value = "wine=abc\n churn = def \n";
        assert_eq!(chosen(value, "wine"), Some("abc"));
        assert_eq!(chosen(value, "churn"), Some("def"));
        assert_eq!(chosen(value, "other"), None);
        assert_eq!(chosen("wine=abc\nxyz", "other"), Some("xyz"));
    }

    #[test]
    fn whatever_the_variable_holds_is_hidden() {
        let hidden: Vec<&str> = secrets("wine=abc\nchurn=def==\nxyz=\n").collect();
        assert_eq!(hidden, ["abc", "def==", "xyz="]);
    }
}
