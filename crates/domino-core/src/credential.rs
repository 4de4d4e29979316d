//! The one credential a program has, and where it came from.
//!
//! It is read from the environment or a file, never from an argument, and is exposed by one function only,
//! which marks the header as sensitive.

mod expiry;

use std::fmt;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::scrubber::Scrubber;
use stage_file::{Host, MalformedHost};

/// How requests are authenticated. Exactly one kind is ever sent.
#[derive(Debug)]
pub enum Credential {
    /// Inside a Domino run: the proxy at this address adds the identity itself.
    Proxy(Host),
    /// `Authorization: Bearer` with a personal access token or a service account's token.
    Token(SecretString),
    /// The same, with the token read from a file anew for every request, because it is short-lived.
    TokenFile(PathBuf),
    /// `X-Domino-Api-Key`, which Domino has announced to be on its way out.
    ApiKey(SecretString),
    /// A model endpoint's own access token, as user and password of HTTP Basic. No credential of Domino's ever
    /// opens a model endpoint, and this one opens nothing else.
    ModelToken(SecretString),
    /// The same for an asynchronous one, as a bearer's token.
    AsyncModelToken(SecretString),
    /// The token that GitHub gives to a job, which opens GitHub's API and nothing else.
    GitHubToken(SecretString),
    /// Nothing: an endpoint that is open to everybody, or an address of this machine that adds the identity.
    Anonymous,
}

/// Why there is no credential to send.
#[derive(Debug)]
pub enum CredentialError {
    /// `DOMINO_API_PROXY` is malformed.
    MalformedProxy(MalformedHost),
    /// No variable holds one.
    Missing,
    /// The token file cannot be read.
    Unreadable(PathBuf, String),
    /// The token file holds nothing.
    Empty(PathBuf),
    /// This kind of credential holds a character that HTTP does not send.
    NoHeader(&'static str),
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MalformedProxy(problem) => {
                write!(f, "`DOMINO_API_PROXY` is no address of a proxy: {problem}")
            }
            Self::Missing => f.write_str("there is no credential for Domino"),
            Self::Unreadable(file, problem) => {
                write!(
                    f,
                    "cannot read the token file `{}`: {problem}",
                    file.display()
                )
            }
            Self::Empty(file) => write!(f, "the token file `{}` is empty", file.display()),
            Self::NoHeader(kind) => {
                write!(f, "{kind} holds a character that no HTTP header may have")
            }
        }
    }
}

impl std::error::Error for CredentialError {}

impl Credential {
    /// Reads the credential from environment variables: `DOMINO_API_PROXY`, then `DOMINO_TOKEN` or
    /// `DOMINO_TOKEN_FILE`, then `DOMINO_USER_API_KEY`. A variable that is set but empty counts as not set,
    /// because that is what GitHub makes of a secret that does not exist.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, CredentialError> {
        let set = |name: &str| {
            variable(name)
                .map(|v| v.trim().to_owned())
                .filter(|v| !v.is_empty())
        };
        if let Some(proxy) = set("DOMINO_API_PROXY") {
            let address = if proxy.contains("://") {
                proxy
            } else {
                format!("http://{proxy}")
            };
            let host = address
                .parse::<Host>()
                .map_err(CredentialError::MalformedProxy)?;
            return Ok(Self::Proxy(host));
        }
        if let Some(token) = set("DOMINO_TOKEN") {
            return Ok(Self::Token(token.into()));
        }
        if let Some(file) = set("DOMINO_TOKEN_FILE") {
            return Ok(Self::TokenFile(file.into()));
        }
        if let Some(key) = set("DOMINO_USER_API_KEY") {
            return Ok(Self::ApiKey(key.into()));
        }
        Err(CredentialError::Missing)
    }

    /// What kind of credential this is, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Proxy(_) => "the proxy of `DOMINO_API_PROXY`",
            Self::Token(_) => "the token in `DOMINO_TOKEN`",
            Self::TokenFile(_) => "the token in the file of `DOMINO_TOKEN_FILE`",
            Self::ApiKey(_) => "the key in `DOMINO_USER_API_KEY`",
            Self::ModelToken(_) | Self::AsyncModelToken(_) => "the token in `DOMINO_MODEL_TOKEN`",
            Self::GitHubToken(_) => "the token in `GITHUB_TOKEN`",
            Self::Anonymous => "no credential",
        }
    }

    /// What to say of a token that ends soon, or has ended, after its name: from three weeks before. Nothing of a credential that does
    /// not tell its end, and nothing of a token in a file, which is made anew all the time.
    pub fn expiry(&self, now: jiff::Timestamp) -> Option<String> {
        let Self::Token(token) = self else {
            return None;
        };
        let end = expiry::of_token(token.expose_secret())?;
        expiry::in_words(end, now)
    }

    /// The header that carries it, marked as sensitive; none for a proxy. The scrubber learns of what it holds
    /// before anybody else does.
    pub(crate) fn header(
        &self,
        scrubber: &Scrubber,
    ) -> Result<Option<(HeaderName, HeaderValue)>, CredentialError> {
        let (name, value) = match self {
            Self::Proxy(_) | Self::Anonymous => return Ok(None),
            Self::Token(token) | Self::GitHubToken(token) | Self::AsyncModelToken(token) => {
                let token = token.expose_secret();
                scrubber.hide(token);
                (AUTHORIZATION, format!("Bearer {token}"))
            }
            Self::TokenFile(path) => {
                let text = std::fs::read_to_string(path).map_err(|problem| {
                    CredentialError::Unreadable(path.clone(), problem.to_string())
                })?;
                let token = text.lines().next().unwrap_or_default().trim_end();
                if token.is_empty() {
                    return Err(CredentialError::Empty(path.clone()));
                }
                scrubber.hide(token);
                (AUTHORIZATION, format!("Bearer {token}"))
            }
            Self::ApiKey(key) => {
                let key = key.expose_secret();
                scrubber.hide(key);
                (HeaderName::from_static("x-domino-api-key"), key.to_owned())
            }
            Self::ModelToken(token) => {
                let token = token.expose_secret();
                let pair = STANDARD.encode(format!("{token}:{token}"));
                scrubber.hide(token);
                scrubber.hide(&pair);
                (AUTHORIZATION, format!("Basic {pair}"))
            }
        };
        let mut value =
            HeaderValue::from_str(&value).map_err(|_| CredentialError::NoHeader(self.kind()))?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }

    /// What the API that it opens wants of every request besides: GitHub its media type, and the version of the API that
    /// is meant, without which it may be any.
    pub(crate) fn headers_of_the_api(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::GitHubToken(_) => &[
                ("accept", "application/vnd.github+json"),
                ("x-github-api-version", "2022-11-28"),
            ],
            _ => &[],
        }
    }

    /// What must not be shown anywhere, to be masked by GitHub as well. What a file holds is known when it is read.
    pub(crate) fn secret(&self) -> Option<&str> {
        match self {
            Self::Token(secret)
            | Self::ApiKey(secret)
            | Self::ModelToken(secret)
            | Self::AsyncModelToken(secret)
            | Self::GitHubToken(secret) => Some(secret.expose_secret()),
            Self::Proxy(_) | Self::TokenFile(_) | Self::Anonymous => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE;

    use super::*;

    fn chosen(variables: &[(&str, &str)]) -> Result<Credential, CredentialError> {
        let variables: Vec<(String, String)> = variables
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Credential::from_variables(|name| {
            variables
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.clone())
        })
    }

    #[test]
    fn a_token_wins_over_a_key_and_a_proxy_over_both() {
        let key = ("DOMINO_USER_API_KEY", "key");
        let token = ("DOMINO_TOKEN", "token");
        let proxy = ("DOMINO_API_PROXY", "localhost:8899");
        assert!(matches!(chosen(&[key]), Ok(Credential::ApiKey(_))));
        assert!(matches!(chosen(&[key, token]), Ok(Credential::Token(_))));
        assert!(matches!(
            chosen(&[key, token, proxy]),
            Ok(Credential::Proxy(_))
        ));
    }

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        let chosen = chosen(&[("DOMINO_TOKEN", ""), ("DOMINO_USER_API_KEY", "key")]);
        assert!(matches!(chosen, Ok(Credential::ApiKey(_))));
    }

    #[test]
    fn no_credential_is_refused_with_the_names_of_the_variables() {
        let failure = chosen(&[]).unwrap_err();
        let failure = crate::error::CommandError::from(failure);
        assert_eq!(failure.exit(), crate::error::Exit::Refused);
        assert!(failure.to_do().unwrap().contains("`DOMINO_TOKEN`"));
    }

    #[test]
    fn the_token_of_a_model_endpoint_is_user_and_password_at_once() {
        let token = Credential::ModelToken("abc".to_owned().into());
        let scrubber = Scrubber::default();
        let (name, value) = token.header(&scrubber).unwrap().unwrap();
        assert_eq!(name, AUTHORIZATION);
        assert_eq!(value, "Basic YWJjOmFiYw==");
        assert!(value.is_sensitive());
        assert_eq!(scrubber.clean("Basic YWJjOmFiYw=="), "Basic ***");
        assert_eq!(Credential::Anonymous.header(&scrubber).unwrap(), None);
    }

    #[test]
    fn a_token_file_is_read_anew_for_every_header_and_each_token_is_hidden() {
        let scrubber = Scrubber::default();
        let file = tempfile::NamedTempFile::new().unwrap();
        let credential = chosen(&[("DOMINO_TOKEN_FILE", file.path().to_str().unwrap())]).unwrap();
        std::fs::write(file.path(), "first  \nsecond line\n").unwrap();
        let (_, value) = credential.header(&scrubber).unwrap().unwrap();
        assert_eq!(value, "Bearer first");
        std::fs::write(file.path(), "next\n").unwrap();
        let (_, value) = credential.header(&scrubber).unwrap().unwrap();
        assert_eq!(value, "Bearer next");
        assert!(value.is_sensitive());
        assert_eq!(scrubber.clean("first, next, last"), "***, ***, last");
    }

    #[test]
    fn what_is_secret_of_a_credential_is_told_to_be_hidden() {
        let secret = || "s3cret".to_owned().into();
        for credential in [
            Credential::Token(secret()),
            Credential::ApiKey(secret()),
            Credential::ModelToken(secret()),
            Credential::GitHubToken(secret()),
        ] {
            assert_eq!(credential.secret(), Some("s3cret"));
        }
        for credential in [Credential::TokenFile("t".into()), Credential::Anonymous] {
            assert_eq!(credential.secret(), None);
        }
    }

    #[test]
    fn each_credential_and_each_error_is_called_by_what_it_is() {
        let secret = || "s3cret".to_owned().into();
        let proxy = chosen(&[("DOMINO_API_PROXY", "http://localhost:8899")]).unwrap();
        for (credential, name) in [
            (proxy, "`DOMINO_API_PROXY`"),
            (Credential::Token(secret()), "`DOMINO_TOKEN`"),
            (Credential::TokenFile("t".into()), "`DOMINO_TOKEN_FILE`"),
            (Credential::ApiKey(secret()), "`DOMINO_USER_API_KEY`"),
            (Credential::ModelToken(secret()), "`DOMINO_MODEL_TOKEN`"),
            (Credential::GitHubToken(secret()), "`GITHUB_TOKEN`"),
            (Credential::Anonymous, "no credential"),
        ] {
            assert!(credential.kind().contains(name), "{}", credential.kind());
        }
        let failure = Credential::TokenFile("/not/there".into())
            .header(&Scrubber::default())
            .unwrap_err();
        let text = failure.to_string();
        assert!(
            text.starts_with("cannot read the token file `/not/there`: "),
            "{text}"
        );
    }

    #[test]
    fn a_token_in_a_variable_tells_its_end_and_one_in_a_file_does_not() {
        let payload = URL_SAFE.encode(r#"{"exp": 1000000}"#);
        let token = format!("e30.{payload}.x");
        let now = jiff::Timestamp::from_second(1_000_000 - 24 * 3600).unwrap();
        let credential = Credential::Token(token.into());
        assert!(credential.expiry(now).is_some());
        let long_before = jiff::Timestamp::from_second(0).unwrap();
        assert_eq!(
            Credential::Token("no end".to_owned().into()).expiry(long_before),
            None
        );
        assert_eq!(Credential::TokenFile("t".into()).expiry(now), None);
    }
}
