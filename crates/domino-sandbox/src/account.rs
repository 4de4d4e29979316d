//! Who may use the sandbox: the credentials of its users, and which of them a request carries. `projects` decides
//! what a user may see of a project.

use std::fmt;
use std::sync::MutexGuard;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::clock::Moment;
use crate::id;
use crate::locked::Locked;
use crate::version::Version;

/// The credentials of one user of the sandbox.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The name the user is known by in Domino.
    pub user_name: String,
    /// Opens the API in the header `X-Domino-Api-Key`, up to the 6.3 profile.
    pub api_key: String,
    /// Opens the API as `Authorization: Bearer`, on every profile.
    pub token: String,
}

impl Account {
    /// An account of `user_name` with random credentials.
    pub fn random(user_name: &str) -> Self {
        Account {
            user_name: user_name.to_owned(),
            api_key: id::secret(),
            token: id::secret(),
        }
    }
}

impl Account {
    /// The token of one run of the user, which the run's proxy adds to what it passes on.
    pub(crate) fn token_of_run(&self, run: &str) -> String {
        format!("{}.of-run.{run}", self.token)
    }

    fn is_token_of_run(&self, token: &str) -> bool {
        let rest = token.strip_prefix(&self.token);
        rest.is_some_and(|rest| rest.starts_with(".of-run."))
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Account")
            .field("user_name", &self.user_name)
            .finish_non_exhaustive()
    }
}

/// The name of a user as the start of a shell variable.
pub(crate) fn variable(user_name: &str) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter
        } else {
            '_'
        }
    };
    user_name.to_uppercase().chars().map(plain).collect()
}

/// The kind of credential that a request carried; never the credential itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// None at all.
    None,
    /// `X-Domino-Api-Key`.
    ApiKey,
    /// `Authorization: Bearer`.
    Bearer,
    /// `Authorization: Basic`: an API key without a user name, as older clients send it, or the token of a model
    /// endpoint.
    Basic,
    /// An `Authorization` of another scheme.
    Other,
    /// Both headers at once.
    Several,
}

/// The header of the legacy user API key.
pub(crate) const API_KEY_HEADER: &str = "x-domino-api-key";

impl Credential {
    /// Reads what `headers` carry.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let key = headers.contains_key(API_KEY_HEADER);
        let authorization = headers.get(AUTHORIZATION);
        match (key, authorization) {
            (false, None) => Credential::None,
            (true, None) => Credential::ApiKey,
            (true, Some(_)) => Credential::Several,
            (false, Some(value)) => match value.to_str().unwrap_or_default() {
                value if value.starts_with("Bearer ") => Credential::Bearer,
                value if value.starts_with("Basic ") => Credential::Basic,
                _ => Credential::Other,
            },
        }
    }
}

/// Why a sign-in was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignInRefusal {
    /// No credential, a wrong one, or one that this version does not accept.
    NotSignedIn,
    /// An API key in the Bearer header, which Domino answers in words of its own.
    KeyAsBearer,
}

/// A token that was made for a service account, besides the one that every account has.
#[derive(Clone)]
pub(crate) struct NamedToken {
    pub(crate) user_name: String,
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) created: Moment,
    pub(crate) is_valid: bool,
}

/// Every account of this sandbox.
pub(crate) struct Accounts {
    accounts: Locked<Vec<Account>>,
    tokens: Locked<Vec<NamedToken>>,
}

impl Accounts {
    /// Accounts for `user_names`: from `given` if it has the user, random ones otherwise.
    pub(crate) fn new<'a>(
        user_names: impl Iterator<Item = &'a str>,
        given: &[Account],
    ) -> anyhow::Result<Self> {
        let accounts: Vec<Account> = user_names
            .map(|name| {
                let given = given.iter().find(|account| account.user_name == name);
                given.cloned().unwrap_or_else(|| Account::random(name))
            })
            .collect();
        for account in given {
            anyhow::ensure!(
                accounts.contains(account),
                "credentials are given for `{}`, who is not a user of this sandbox",
                account.user_name
            );
        }
        Ok(Accounts {
            accounts: Locked::new(accounts),
            tokens: Locked::default(),
        })
    }

    pub(crate) fn all(&self) -> Vec<Account> {
        self.accounts.lock().clone()
    }

    /// An account for a new user, whose own token nobody is told.
    pub(crate) fn add(&self, user_name: &str) {
        self.accounts.lock().push(Account::random(user_name));
    }

    /// The tokens that were made, and may be changed.
    pub(crate) fn tokens(&self) -> MutexGuard<'_, Vec<NamedToken>> {
        self.tokens.lock()
    }

    pub(crate) fn named(&self, user_name: &str) -> Option<Account> {
        self.found(|account| account.user_name == user_name)
    }

    fn found(&self, wanted: impl Fn(&Account) -> bool) -> Option<Account> {
        self.accounts
            .lock()
            .iter()
            .find(|account| wanted(account))
            .cloned()
    }

    /// `line` with every credential in it masked.
    pub(crate) fn without_secrets(&self, line: String) -> String {
        let line = self.all().iter().fold(line, |line, account| {
            line.replace(&account.api_key, "***")
                .replace(&account.token, "***")
        });
        let tokens = self.tokens();
        tokens
            .iter()
            .fold(line, |line, token| line.replace(&token.value, "***"))
    }

    /// Whether `headers` carry the token of a run.
    pub(crate) fn are_of_run(&self, headers: &HeaderMap) -> bool {
        let value = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| value.strip_prefix("Bearer "));
        token.is_some_and(|token| {
            self.found(|account| account.is_token_of_run(token))
                .is_some()
        })
    }

    /// Whose credential `headers` carry.
    pub(crate) fn sign_in(
        &self,
        headers: &HeaderMap,
        version: Version,
    ) -> Result<Account, SignInRefusal> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text(AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
        if let Some(token) = bearer {
            let is_of =
                |account: &Account| account.token == token || account.is_token_of_run(token);
            let of_named = || {
                let tokens = self.tokens();
                let made = tokens
                    .iter()
                    .find(|made| made.is_valid && made.value == token);
                made.map(|made| made.user_name.clone())
            };
            let account = self.found(is_of).or_else(|| self.named(&of_named()?));
            if let Some(account) = account {
                return Ok(account);
            }
            if self.found(|account| account.api_key == token).is_some() {
                return Err(SignInRefusal::KeyAsBearer);
            }
            return Err(SignInRefusal::NotSignedIn);
        }
        let basic = text(AUTHORIZATION.as_str()).and_then(key_of_basic);
        let key = basic.or(text(API_KEY_HEADER).map(str::to_owned));
        let key = key.filter(|_| version.accepts_api_keys());
        self.found(|account| Some(&account.api_key) == key.as_ref())
            .ok_or(SignInRefusal::NotSignedIn)
    }
}

/// The API key of `Authorization: Basic` with an empty user name, which python-domino up to 2.1.0 sends.
fn key_of_basic(authorization: &str) -> Option<String> {
    let encoded = authorization.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    pair.strip_prefix(':').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        let known = Account {
            user_name: "author".into(),
            api_key: "the-key".into(),
            token: "the-token".into(),
        };
        Accounts::new(["author", "approver"].into_iter(), &[known]).unwrap()
    }

    fn header(name: &'static str, value: &'static str) -> HeaderMap {
        [(name.parse().unwrap(), value.parse().unwrap())]
            .into_iter()
            .collect()
    }

    #[test]
    fn a_key_signs_in_until_it_is_switched_off() {
        let headers = header(API_KEY_HEADER, "the-key");
        assert_eq!(Credential::of(&headers), Credential::ApiKey);
        let accounts = accounts();
        let signed_in = accounts.sign_in(&headers, Version::V6_3).unwrap();
        assert_eq!(signed_in.user_name, "author");
        let refused = accounts.sign_in(&headers, Version::V6_4).unwrap_err();
        assert_eq!(refused, SignInRefusal::NotSignedIn);
    }

    #[test]
    fn a_key_signs_in_as_basic_without_a_user_name() {
        let accounts = accounts();
        // base64 of `:the-key`, and of `author:the-key`.
        let headers = header("authorization", "Basic OnRoZS1rZXk=");
        let signed_in = accounts.sign_in(&headers, Version::V5_9).unwrap();
        assert_eq!(signed_in.user_name, "author");
        assert!(accounts.sign_in(&headers, Version::V6_4).is_err());
        let named = header("authorization", "Basic YXV0aG9yOnRoZS1rZXk=");
        assert!(accounts.sign_in(&named, Version::V6_3).is_err());
    }

    #[test]
    fn a_token_is_a_bearer_and_a_key_is_not() {
        let accounts = accounts();
        let token = header("authorization", "Bearer the-token");
        assert_eq!(Credential::of(&token), Credential::Bearer);
        assert!(accounts.sign_in(&token, Version::V6_4).is_ok());
        let key = header("authorization", "Bearer the-key");
        let refused = accounts.sign_in(&key, Version::V6_3).unwrap_err();
        assert_eq!(refused, SignInRefusal::KeyAsBearer);
    }

    #[test]
    fn credentials_for_a_stranger_are_refused_at_the_start() {
        let stranger = Account::random("stranger");
        assert!(Accounts::new(["author"].into_iter(), &[stranger]).is_err());
    }

    #[test]
    fn an_account_shown_for_debugging_hides_its_secrets() {
        let shown = format!("{:?}", accounts().all()[0]);
        assert!(shown.contains("author"));
        assert!(!shown.contains("the-"), "{shown}");
    }
}
