//! The proxy between this machine and Domino, as the environment names it: `HTTPS_PROXY` or `ALL_PROXY`, and
//! `NO_PROXY`, each in lower case too.
//!
//! It chooses the proxy and asks it why it refused. reqwest opens the tunnel.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper_util::client::proxy::matcher::Matcher;
use percent_encoding::percent_decode_str;
use stage_file::Host;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

/// How long the proxy may take to say why it refuses.
const PATIENCE: Duration = Duration::from_secs(3);
/// The most bytes of its answer that are read.
const LONGEST_ANSWER: u64 = 16 * 1024;

/// A proxy. It is printed without its user and password.
#[derive(Debug, Clone)]
pub(super) struct Proxy {
    url: Url,
    variable: &'static str,
}

/// A variable that does not name a usable proxy. The value is never repeated, because it may contain a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedProxyVariable {
    variable: &'static str,
    problem: &'static str,
}

/// What a proxy answered instead of opening a tunnel.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// Its status line and the title of its page.
    pub(super) words: String,
}

impl fmt::Display for MalformedProxyVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, problem } = self;
        write!(f, "the proxy that `{variable}` names {problem}")
    }
}

impl Proxy {
    /// The proxy that the variables name for `host`.
    pub(super) fn of(
        host: &Host,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, MalformedProxyVariable> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let named = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
            .into_iter()
            .find_map(|name| Some((name, set(name)?)));
        let Some((variable, value)) = named else {
            return Ok(None);
        };
        let malformed = |problem| MalformedProxyVariable { variable, problem };
        let value = value.trim();
        let url = match value.contains("://") {
            true => Url::parse(value),
            false => Url::parse(&format!("http://{value}")),
        };
        let url = url.map_err(|_| {
            malformed("is not the address of one, such as `http://proxy.example.com:3128`")
        })?;
        match url.scheme() {
            "http" | "https" => {}
            scheme if scheme.starts_with("socks") => {
                return Err(malformed(
                    "speaks SOCKS, which these programs do not; name its HTTP port, or leave the host out by `NO_PROXY`",
                ));
            }
            _ => return Err(malformed("has a scheme other than `http` or `https`")),
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(malformed("has no host"));
        }
        let excluded = set("NO_PROXY")
            .or_else(|| set("no_proxy"))
            .unwrap_or_default();
        let excluded = excluded_from(&excluded, host);
        let matcher = Matcher::builder().all(url.as_str()).no(excluded).build();
        let applies = host
            .as_str()
            .parse()
            .is_ok_and(|to| matcher.intercept(&to).is_some());
        Ok(applies.then_some(Self { url, variable }))
    }

    /// The address with user and password, for reqwest.
    pub(super) fn address(&self) -> &str {
        self.url.as_str()
    }

    /// The password, which must be hidden in all text.
    pub(super) fn password(&self) -> Option<String> {
        let password = self.url.password()?;
        Some(
            percent_decode_str(password)
                .decode_utf8_lossy()
                .into_owned(),
        )
    }

    /// Asks for a tunnel to `host` once more, only to read why it is refused. `None` if that cannot be read: over
    /// TLS, or if the tunnel works now.
    pub(super) async fn refusal(&self, host: &Host) -> Option<Refusal> {
        if self.url.scheme() != "http" {
            return None;
        }
        let mut answer = Vec::new();
        // A proxy may keep the connection open; what was read until then is enough.
        let _ = tokio::time::timeout(PATIENCE, self.ask(host, &mut answer)).await;
        let text = String::from_utf8_lossy(&answer);
        let (_, status_text) = text.lines().next()?.split_once(' ')?;
        let status = status_text
            .get(..3)?
            .parse()
            .ok()
            .filter(|status| *status >= 300)?;
        let title = super::answer::title_of(&text);
        let words = match title {
            Some(title) if !status_text.contains(&title) => {
                format!("{}: {title}", status_text.trim())
            }
            _ => status_text.trim().to_owned(),
        };
        Some(Refusal { status, words })
    }

    async fn ask(&self, host: &Host, answer: &mut Vec<u8>) -> std::io::Result<()> {
        let proxy = (
            self.url
                .host_str()
                .unwrap_or_default()
                .trim_matches(['[', ']']),
            self.url.port_or_known_default().unwrap_or(80),
        );
        let target = Url::parse(host.as_str()).map_err(std::io::Error::other)?;
        let target = format!(
            "{}:{}",
            target.host_str().unwrap_or_default(),
            target.port_or_known_default().unwrap_or(443)
        );
        let mut stream = TcpStream::connect(proxy).await?;
        let mut request =
            format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n");
        if !self.url.username().is_empty() {
            let user = percent_decode_str(self.url.username()).decode_utf8_lossy();
            let password = self.password().unwrap_or_default();
            let basic = STANDARD.encode(format!("{user}:{password}"));
            request.push_str(&format!("Proxy-Authorization: Basic {basic}\r\n"));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await?;
        stream.take(LONGEST_ANSWER).read_to_end(answer).await?;
        Ok(())
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.url.clone();
        // A URL with a host accepts both.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        let shown = shown.as_str().trim_end_matches('/');
        write!(f, "the proxy `{shown}` of `{}`", self.variable)
    }
}

/// `NO_PROXY` for one host: an entry with a port counts for that port only, which the matcher does not support.
fn excluded_from(list: &str, host: &Host) -> String {
    let port = Url::parse(host.as_str())
        .ok()
        .and_then(|url| url.port_or_known_default());
    let entries = list.split(',').map(str::trim).filter_map(|entry| {
        let with_port = entry.rsplit_once(':').and_then(|(name, digits)| {
            let name = name
                .strip_prefix('[')
                .and_then(|name| name.strip_suffix(']'))
                .or(
                    // An IPv6 address without brackets has no port.
                    (!name.contains(':')).then_some(name),
                )?;
            Some((name, digits.parse::<u16>().ok()?))
        });
        match with_port {
            Some((name, of)) => (Some(of) == port).then_some(name),
            None => Some(entry.trim_matches(['[', ']'])),
        }
    });
    entries.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)], host: &str) -> Result<Option<String>, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let proxy = Proxy::of(&host.parse().unwrap(), variable);
        proxy
            .map(|proxy| proxy.map(|proxy| proxy.to_string()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_first_variable_that_is_set_names_it_without_its_password() {
        let proxy = chosen(
            &[
                ("HTTPS_PROXY", ""),
                ("https_proxy", "http://me:hunter2@proxy.example.com:3128"),
                ("ALL_PROXY", "x:1"),
            ],
            "domino.example.com",
        );
        let named = "the proxy `http://proxy.example.com:3128` of `https_proxy`";
        assert_eq!(proxy, Ok(Some(named.into())));
        let bare = chosen(
            &[("ALL_PROXY", "proxy.example.com:3128")],
            "domino.example.com",
        );
        assert_eq!(
            bare,
            Ok(Some(
                "the proxy `http://proxy.example.com:3128` of `ALL_PROXY`".into()
            ))
        );
        assert_eq!(
            chosen(&[("HTTP_PROXY", "x:1")], "domino.example.com"),
            Ok(None)
        );
    }

    #[test]
    fn what_no_proxy_names_is_reached_without_it() {
        let is_proxied = |list, host| {
            let variables = [
                ("HTTPS_PROXY", "proxy.example.com:3128"),
                ("no_proxy", list),
            ];
            chosen(&variables, host).unwrap().is_some()
        };
        for list in [
            "domino.example.com",
            ".example.com",
            "example.com",
            "other.example.com, domino.example.com",
            "*",
            "domino.example.com:443",
            "example.com:443",
        ] {
            assert!(!is_proxied(list, "domino.example.com"), "{list}");
        }
        for list in [
            "",
            "main.example.com",
            "domino.example.com:8443",
            "10.0.0.0/8",
        ] {
            assert!(is_proxied(list, "domino.example.com"), "{list}");
        }
        assert!(!is_proxied("10.0.0.0/8", "https://10.1.2.3"));
        assert!(!is_proxied("10.1.2.3:8443", "https://10.1.2.3:8443"));
        assert!(!is_proxied("[fd00::1]:443", "https://[fd00::1]"));
        assert!(!is_proxied("fd00::1", "https://[fd00::1]"));
    }

    #[test]
    fn a_variable_that_names_no_proxy_is_an_error_and_not_silence() {
        for (value, tells) in [
            ("http://", "is not the address of one"),
            ("http://me:hunter2@:3128", "is not the address of one"),
            ("socks5h://proxy.example.com:1080", "speaks SOCKS"),
            ("ftp://proxy.example.com", "has a scheme other than"),
        ] {
            let error = chosen(&[("HTTPS_PROXY", value)], "domino.example.com").unwrap_err();
            assert!(
                error.starts_with("the proxy that `HTTPS_PROXY` names "),
                "{error}"
            );
            assert!(error.contains(tells), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
