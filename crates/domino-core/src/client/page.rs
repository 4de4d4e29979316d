//! What a person's browser would get at an address that Domino gave: an app's page. Only its status matters, and
//! whether a sign-in page stands in front of it.
//!
//! The credential goes to Domino's own origin and nowhere else: Domino chooses an app's address, and apps may be on a
//! host of their own.

use std::time::Instant;

use reqwest::{Method, header, redirect};
use url::Url;

use super::{ApiError, Cause, Inner, Reader, http_client};

/// Enough of a page to recognise a sign-in page.
const READ: usize = 64 * 1024;
/// Words in a page that asks for a password, or redirects to one.
const SIGN_IN: &[&str] = &[
    "kc-form-login",
    "login-actions/authenticate",
    "protocol/openid-connect",
    "type=\"password\"",
    "type='password'",
    "type=password",
];
/// Parts of a path that lead to a sign-in page.
const SIGN_IN_PATHS: &[&str] = &[
    "login", "signin", "sign-in", "sign_in", "auth", "oauth2", "realms", "sso",
];

/// What an address answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The address that was asked.
    pub address: String,
    /// The HTTP status.
    pub status: u16,
    /// The target of a redirect, which is not followed.
    pub moved_to: Option<String>,
    /// Whether it asks to sign in first, whatever the status says.
    pub is_sign_in: bool,
    /// Whether it says that it is JSON.
    pub is_json: bool,
    /// Whether the credential was sent along, because the address is Domino's own origin.
    pub had_credential: bool,
}

impl Reader {
    /// GET `path` below `address`, once. An error means that no answer came at all.
    pub async fn page(&self, address: &str, path: &str) -> Result<Page, ApiError> {
        let started = Instant::now();
        let result = self.0.page(address, path).await;
        if self.0.limits.verbose {
            let (asked, outcome) = match &result {
                Ok(page) => (page.address.as_str(), page.in_short()),
                Err(error) => (address, error.cause.in_short()),
            };
            let milliseconds = started.elapsed().as_millis();
            let line = format!("  GET {asked} → {outcome} ({milliseconds} ms)");
            self.0.limits.scrubber.say(&line);
        }
        result
    }
}

impl Page {
    fn in_short(&self) -> String {
        match self.is_sign_in {
            true => "a sign-in page".into(),
            false => self.status.to_string(),
        }
    }
}

impl Inner {
    async fn page(&self, address: &str, path: &str) -> Result<Page, ApiError> {
        let fail = |cause| ApiError::new(Method::GET, address, cause);
        let unreadable = |problem: &dyn std::fmt::Display| {
            fail(Cause::NotUnderstood {
                problem: format!("this address: {problem}"),
                excerpt: String::new(),
            })
        };
        let host = Url::parse(self.host.as_str()).map_err(|problem| unreadable(&problem))?;
        let url = below(&host, address, path).map_err(|problem| unreadable(&problem))?;
        let own = url.origin() == host.origin();
        let credential = match own {
            true => self
                .credential
                .header(&self.limits.scrubber)
                .map_err(|failure| fail(Cause::NoCredential(failure.to_string())))?,
            false => None,
        };
        let had_credential = credential.is_some();
        let mut request = self.pages(&url)?.get(url.clone());
        if let Some((name, value)) = credential {
            request = request.header(name, value);
        }
        let lost = |problem: &reqwest::Error| {
            ApiError::new(Method::GET, url.as_str(), Cause::from_transport(problem))
        };
        let mut response = request.send().await.map_err(|problem| lost(&problem))?;
        let text = |name| {
            let value = response.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let moved_to = response
            .status()
            .is_redirection()
            .then(|| text(header::LOCATION))
            .flatten();
        let kind = text(header::CONTENT_TYPE).unwrap_or_default();
        let kind = kind.to_ascii_lowercase();
        let is_html = kind.starts_with("text/html");
        let mut body = Vec::new();
        while is_html && body.len() < READ {
            match response.chunk().await.map_err(|problem| lost(&problem))? {
                Some(chunk) => body.extend_from_slice(&chunk),
                None => break,
            }
        }
        let is_sign_in = match &moved_to {
            Some(to) => leads_to_sign_in(&url, to),
            None => is_html && asks_to_sign_in(&String::from_utf8_lossy(&body)),
        };
        Ok(Page {
            address: url.to_string(),
            status: response.status().as_u16(),
            moved_to,
            is_sign_in,
            is_json: kind.starts_with("application/json"),
            had_credential,
        })
    }

    /// The client for pages, created on first use: one for plain addresses, which trusts no authority, and one for
    /// the others. An app that was just started may get another address.
    fn pages(&self, url: &Url) -> Result<&reqwest::Client, ApiError> {
        let plain = url.scheme() == "http";
        let pages = &self.pages[usize::from(plain)];
        if let Some(client) = pages.get() {
            return Ok(client);
        }
        let (client, _) = http_client(
            &self.limits,
            plain,
            self.proxy.as_ref(),
            redirect::Policy::none(),
        )
        .map_err(|failure| {
            ApiError::new(
                Method::GET,
                url.as_str(),
                Cause::NotConnected(failure.to_string()),
            )
        })?;
        Ok(pages.get_or_init(|| client))
    }
}

/// `path` below an address, which may have no host. A query in the address is for its own page only.
fn below(host: &Url, address: &str, path: &str) -> Result<Url, url::ParseError> {
    let mut url = host.join(address)?;
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    };
    let whole = format!("{}{path}", url.path().trim_end_matches('/'));
    url.set_path(&whole);
    url.set_query(query);
    url.set_fragment(None);
    Ok(url)
}

/// Another origin, or a path with a word for signing in.
fn leads_to_sign_in(from: &Url, to: &str) -> bool {
    let Ok(to) = from.join(to) else {
        return false;
    };
    let word = |segment: &str| SIGN_IN_PATHS.contains(&segment.to_ascii_lowercase().as_str());
    to.origin() != from.origin() || to.path().split('/').any(word)
}

fn asks_to_sign_in(page: &str) -> bool {
    let page = page.to_lowercase();
    let title = page
        .split_once("<title")
        .and_then(|(_, rest)| rest.split_once('>'))
        .and_then(|(_, rest)| rest.split_once("</title"))
        .map_or("", |(title, _)| title);
    let named = ["sign in", "log in", "login", "signin"]
        .iter()
        .any(|words| title.contains(words));
    (named && page.contains("<form")) || SIGN_IN.iter().any(|words| page.contains(words))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use wiremock::matchers::{method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;
    use crate::client::{Connection, Credential, Limits};

    const KEYCLOAK: &str = r#"<html><head><title>Sign in to Domino</title></head><body>
        <form id="kc-form-login" action="/auth/realms/DominoRealm/login-actions/authenticate">"#;

    async fn answering(response: ResponseTemplate) -> (MockServer, Page) {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path("/apps/a1/healthz"))
            .respond_with(response)
            .mount(&server)
            .await;
        let reader = connection(&server.uri()).reader();
        let address = format!("{}/apps/a1/?scope=project", server.uri());
        let page = reader.page(&address, "/healthz").await.unwrap();
        (server, page)
    }

    #[tokio::test]
    async fn a_page_is_asked_below_the_address_with_the_credential_of_its_origin() {
        let (server, page) = answering(ResponseTemplate::new(503)).await;
        assert_eq!(page.status, 503);
        assert_eq!(page.address, format!("{}/apps/a1/healthz", server.uri()));
        assert!(page.had_credential && !page.is_sign_in);
        let sent = server.received_requests().await.unwrap();
        assert_eq!(sent[0].headers["authorization"], "Bearer canary-token-1234");
        assert_eq!(sent[0].url.query(), None);
    }

    #[tokio::test]
    async fn an_address_without_a_host_is_dominos_own() {
        let server = MockServer::start().await;
        Mock::given(path("/apps/a1/healthz"))
            .respond_with(ResponseTemplate::new(200))
            .mount(&server)
            .await;
        let reader = connection(&server.uri()).reader();
        let page = reader.page("/apps/a1", "/healthz?full=1").await.unwrap();
        assert!(page.address.ends_with("/apps/a1/healthz?full=1"));
        assert!(page.had_credential);
    }

    #[tokio::test]
    async fn another_origin_is_asked_without_a_credential() {
        let (domino, apps) = (MockServer::start().await, MockServer::start().await);
        Mock::given(path("/apps/a1/healthz"))
            .respond_with(ResponseTemplate::new(200))
            .mount(&apps)
            .await;
        let reader = connection(&domino.uri()).reader();
        let address = format!("{}/apps/a1", apps.uri());
        let page = reader.page(&address, "/healthz").await.unwrap();
        assert_eq!((page.status, page.had_credential), (200, false));
        let sent = apps.received_requests().await.unwrap();
        assert!(!sent[0].headers.contains_key("authorization"));
        assert!(!sent[0].headers.contains_key("x-domino-api-key"));
    }

    #[tokio::test]
    async fn a_sign_in_page_is_one_whatever_its_status_says() {
        let page = ResponseTemplate::new(200).set_body_raw(KEYCLOAK, "text/html;charset=utf-8");
        let (_server, page) = answering(page).await;
        assert!(page.is_sign_in);
        assert_eq!(
            (page.status, page.in_short()),
            (200, "a sign-in page".into())
        );
    }

    #[tokio::test]
    async fn a_page_of_the_apps_own_is_no_sign_in_page() {
        let own = "<html><title>Login statistics</title><p>Wine</p>";
        let page = ResponseTemplate::new(200).set_body_raw(own, "text/html");
        let (_server, page) = answering(page).await;
        assert!(!page.is_sign_in);
        assert_eq!(page.in_short(), "200");
    }

    #[test]
    fn a_sign_in_page_is_known_by_a_form_under_such_a_title_or_by_a_word_of_one() {
        for (page, asks) in [
            ("<title>Log in</title><form action=\"/in\">", true),
            ("<TITLE lang=\"en\">Please SIGN IN</TITLE><FORM>", true),
            ("<title>Wine</title><input type=\"password\">", true),
            ("<a href=\"/realms/x/protocol/openid-connect/auth\">", true),
            ("<title>Log in</title><p>Done</p>", false),
            (
                "<title>Wine</title><form action=\"/search\"><p>Log in</p>",
                false,
            ),
            ("", false),
        ] {
            assert_eq!(asks_to_sign_in(page), asks, "{page}");
        }
    }

    /// What is told of a page that begins like this and never ends.
    async fn endless(head: &str, body: String) -> Page {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let begin = format!("HTTP/1.1 200 OK\r\n{head}Content-Length: 9000000\r\n\r\n{body}");
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(begin.as_bytes());
            // Until the client closes the connection.
            let _ = stream.read(&mut [0; 1]);
        });
        connection(&address)
            .reader()
            .page(&address, "/")
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn no_more_is_read_than_tells_a_sign_in_page() {
        let mark = "<form id=\"kc-form-login\">";
        let body = format!("{}{mark}", " ".repeat(64 * 1024 - mark.len()));
        let page = endless("Content-Type: text/html\r\n", body).await;
        assert!(
            page.is_sign_in,
            "the mark stands at the end of what is read"
        );
        let page = endless("Content-Type: text/event-stream\r\n", String::new()).await;
        assert_eq!((page.status, page.is_sign_in), (200, false));
    }

    #[tokio::test]
    async fn the_authorities_are_asked_for_where_an_address_is_not_plain_even_after_one_that_is() {
        let server = MockServer::start().await;
        let limits = Limits {
            ca_file: Some("no-such-authorities.pem".into()),
            ..Limits::default()
        };
        let credential = Credential::Token("canary-token-1234".to_owned().into());
        let host = server.uri().parse().unwrap();
        let reader = Connection::open(host, credential, limits).unwrap().reader();
        let page = reader.page(&server.uri(), "/apps/a1").await.unwrap();
        assert_eq!(page.status, 404);
        let error = reader.page("https://127.0.0.1:1", "/").await.unwrap_err();
        let Cause::NotConnected(told) = error.cause() else {
            panic!("{error}");
        };
        assert!(told.contains("no-such-authorities.pem"), "{told}");
    }

    #[tokio::test]
    async fn a_redirect_is_told_and_never_followed() {
        for (to, is_sign_in) in [
            ("https://apps.example.com/apps/a1/healthz", true),
            ("/auth/realms/x/protocol/openid-connect/auth", true),
            ("/login?next=/apps/a1", true),
            ("/apps/a1/healthz/", false),
        ] {
            let response = ResponseTemplate::new(302).insert_header("location", to);
            let (server, page) = answering(response).await;
            assert_eq!(page.moved_to.as_deref(), Some(to));
            assert_eq!((page.status, page.is_sign_in), (302, is_sign_in), "{to}");
            assert_eq!(server.received_requests().await.unwrap().len(), 1);
        }
    }

    #[tokio::test]
    async fn no_answer_at_all_is_an_error() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let error = connection(&address)
            .reader()
            .page(&address, "/")
            .await
            .unwrap_err();
        assert!(matches!(error.cause(), Cause::NotConnected(_)));
    }
}
