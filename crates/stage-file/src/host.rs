//! The address of a Domino deployment: scheme and authority, nothing else.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::Serialize;
use url::Url;

/// A Domino host as scheme and authority, for example `https://domino.example.com`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Host(String);

impl Host {
    /// Scheme and authority, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an address of this very machine.
    pub fn is_this_machine(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| url.host_str().is_some_and(is_loopback))
    }

    /// A placeholder for a file without a host, until the error about that is reported.
    pub(super) fn missing() -> Self {
        Self(String::new())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not the address of a Domino deployment. It never repeats a part that may be a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedHost {
    /// It is neither a host name nor a URL.
    #[error("is neither a host name such as `domino.example.com` nor a URL")]
    NotAHost,
    /// A character that host names do not have, or one that may look like another.
    #[error(
        "has characters that are not a letter from a to z, a digit, a dot or a hyphen; a name in other letters is written as `xn--…`"
    )]
    Letters,
    /// A scheme that is not HTTP.
    #[error("has a scheme other than `https`")]
    Scheme,
    /// Plain HTTP to another machine.
    #[error("must be `https`; plain `http` would send the credential readable to another machine")]
    Plain,
    /// A user name or password before the host.
    #[error(
        "holds a user name or password before the host; the credential comes from the environment"
    )]
    Credential,
    /// A path, query or fragment after the host.
    #[error("must end after the host and its port; a path or query after it is not used")]
    MoreThanHost,
}

impl FromStr for Host {
    type Err = MalformedHost;

    /// Reads `domino.example.com`, `domino.example.com:8443` or a URL. Without a scheme `https` is assumed;
    /// plain `http` is for this machine only.
    fn from_str(text: &str) -> Result<Self, MalformedHost> {
        let strange = |c: char| c.is_whitespace() || crate::text::is_invisible(c) || c == '\\';
        if text.chars().any(strange) {
            return Err(MalformedHost::NotAHost);
        }
        let url = match text.split_once("://") {
            Some(("https" | "http" | "HTTPS" | "HTTP", _)) => Url::parse(text),
            Some(_) => return Err(MalformedHost::Scheme),
            None => Url::parse(&format!("https://{text}")),
        };
        let url = url.map_err(|_| MalformedHost::NotAHost)?;
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or(MalformedHost::NotAHost)?;
        // The text is checked too: the parser drops an empty user name or password.
        if text.contains('@') || !url.username().is_empty() || url.password().is_some() {
            return Err(MalformedHost::Credential);
        }
        // The parser converts other letters, and percent-encoded ones, into those of another name.
        let behind_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
        let authority = behind_scheme.split(['/', '?', '#']).next();
        let is_of_a_host = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        if !authority.unwrap_or_default().chars().all(is_of_a_host) {
            return Err(MalformedHost::Letters);
        }
        let more = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
        if more || text.contains(['?', '#']) {
            return Err(MalformedHost::MoreThanHost);
        }
        if url.scheme() == "http" && !is_loopback(host) {
            return Err(MalformedHost::Plain);
        }
        Ok(Self(url.origin().ascii_serialization()))
    }
}

/// Whether a name or address is this machine's own.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_a_scheme_is_reached_by_https() {
        for (text, host) in [
            ("domino.example.com", "https://domino.example.com"),
            ("domino.example.com/", "https://domino.example.com"),
            ("domino.example.com:8443", "https://domino.example.com:8443"),
            (
                "https://Domino.Example.com:443",
                "https://domino.example.com",
            ),
            ("localhost:8080", "https://localhost:8080"),
            ("[::1]:8080", "https://[::1]:8080"),
            (
                "xn--dmino-jua.example.com",
                "https://xn--dmino-jua.example.com",
            ),
        ] {
            assert_eq!(
                text.parse::<Host>().as_ref().map(Host::as_str),
                Ok(host),
                "{text}"
            );
        }
        let host: Host = "domino.example.com".parse().unwrap();
        assert!(!host.is_this_machine());
    }

    #[test]
    fn plain_http_reaches_this_machine_only() {
        for text in [
            "http://127.0.0.1:9",
            "http://127.8.9.1",
            "http://[::1]:9",
            "http://localhost:9",
        ] {
            assert!(text.parse::<Host>().unwrap().is_this_machine(), "{text}");
        }
        for text in [
            "http://domino.example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://0.0.0.0",
        ] {
            assert_eq!(text.parse::<Host>(), Err(MalformedHost::Plain), "{text}");
        }
    }

    #[test]
    fn what_is_more_than_a_host_is_refused() {
        use MalformedHost::*;
        for (text, error) in [
            ("", NotAHost),
            ("https://", NotAHost),
            ("domino example.com", NotAHost),
            ("domino.example.com\\@evil.example.com", NotAHost),
            ("ftp://domino.example.com", Scheme),
            ("https://me:hunter2@domino.example.com", Credential),
            ("https://me:hunt$r2@domino.example.com", Credential),
            ("d\u{43e}mino.example.com", Letters),
            ("domino。example.com", Letters),
            ("d%6Fmino.example.com", Letters),
            ("`domino`.example.com", Letters),
            ("$(domino).example.com", Letters),
            ("https://dömino.example.com:8443", Letters),
            ("x@domino.example.com", Credential),
            ("https://@domino.example.com", Credential),
            ("domino.example.com/u/me", MoreThanHost),
            ("domino.example.com?a=b", MoreThanHost),
            ("domino.example.com/#", MoreThanHost),
        ] {
            assert_eq!(text.parse::<Host>(), Err(error), "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
