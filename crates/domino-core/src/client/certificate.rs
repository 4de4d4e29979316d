//! What is wrong with a certificate, or with a server's TLS, in a sentence, and what to do about it.
//!
//! It decides nothing: rustls verifies, and no request is repeated after rustls refused.

use rustls::{AlertDescription, CertificateError, Error};

/// Why we do not trust a server, or it does not trust us.
#[derive(Debug, PartialEq, Eq)]
pub struct TlsProblem {
    /// What is wrong, in a sentence.
    pub problem: String,
    /// What to do next.
    pub to_do: &'static str,
}

const PRIVATE_AUTHORITY: &str =
    "for an authority of your own, name its certificate (PEM) by `--ca-file` or `SSL_CERT_FILE`";
const NEW_CERTIFICATE: &str = "a certificate that programs of today accept is needed: ask whoever runs the server, or the proxy in between";
const CERTIFICATE_DEMANDED: &str = "the server demands a client certificate";
const CLIENT_CERTIFICATE: &str = "name yours by `--client-cert` and `--client-key` (PEM files), or by `DOMINO_CLIENT_CERT` and `DOMINO_CLIENT_KEY`";

impl TlsProblem {
    /// Finds rustls's message among the causes of an error.
    pub(super) fn among(problem: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let mut cause = Some(problem);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<Error>() {
                return Self::of(error);
            }
            // An I/O error skips the error that it wraps when asked for its source.
            let inside = error.downcast_ref::<std::io::Error>();
            cause = match inside.and_then(std::io::Error::get_ref) {
                Some(inside) => Some(inside),
                None => error.source(),
            };
        }
        None
    }

    /// The server asked for a certificate, got none, and the connection ended.
    pub(super) fn certificate_demanded() -> Self {
        Self {
            problem: CERTIFICATE_DEMANDED.into(),
            to_do: CLIENT_CERTIFICATE,
        }
    }

    fn of(error: &Error) -> Option<Self> {
        let (problem, to_do) = match error {
            Error::InvalidCertificate(error) => of_certificate(error),
            Error::AlertReceived(alert) => of_alert(*alert)?,
            Error::InvalidMessage(_) => (
                "what answers there does not speak TLS".into(),
                "check the port of `host` in stages.toml: is it that of plain HTTP?",
            ),
            Error::PeerIncompatible(reason) => (
                format!("the server and this program have no way of TLS in common ({reason:?})"),
                "the server must speak TLS 1.2 or 1.3 with a cipher of today",
            ),
            _ => return None,
        };
        Some(Self { problem, to_do })
    }
}

fn of_certificate(error: &CertificateError) -> (String, &'static str) {
    use CertificateError as Wrong;
    let (problem, to_do) = match error {
        Wrong::Expired | Wrong::ExpiredContext { .. } => (
            "has expired",
            "a new certificate is needed; if it should be valid, this machine's clock is wrong",
        ),
        Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => {
            ("is not valid yet", "is this machine's clock right?")
        }
        Wrong::UnknownIssuer => (
            "was issued by an authority that is not known here",
            PRIVATE_AUTHORITY,
        ),
        Wrong::NotValidForName => ("is for another name", OTHER_NAME),
        Wrong::NotValidForNameContext { presented, .. } => {
            return (other_names(presented), OTHER_NAME);
        }
        Wrong::BadSignature => (
            "is not signed by the authority that it names, or with an RSA key below 2048 bits",
            NEW_CERTIFICATE,
        ),
        Wrong::Revoked => ("was revoked", NEW_CERTIFICATE),
        Wrong::InvalidPurpose | Wrong::InvalidPurposeContext { .. } => {
            ("is not one for a server", NEW_CERTIFICATE)
        }
        Wrong::UnhandledCriticalExtension => (
            "holds a critical extension that is not known here",
            NEW_CERTIFICATE,
        ),
        Wrong::BadEncoding => ("cannot be read", NEW_CERTIFICATE),
        other => of_other(&format!("{other:?}")),
    };
    (format!("the server's certificate {problem}"), to_do)
}

const OTHER_NAME: &str = "`host` in stages.toml must be a name that the certificate is for";

fn other_names(presented: &[String]) -> String {
    // rustls names them as `DnsName("other.example.com")`.
    let names: Vec<&str> = presented
        .iter()
        .map(|name| name.split('"').nth(1).unwrap_or(name))
        .collect();
    match names.is_empty() {
        true => "the server's certificate names no host; a common name alone is not enough".into(),
        false => format!("the server's certificate is for {}", names.join(", ")),
    }
}

/// Problems that only webpki names; rustls passes them on unchanged.
fn of_other(word: &str) -> (&'static str, &'static str) {
    let known = [
        (
            "CaUsedAsEndEntity",
            "is that of an authority itself",
            "the server needs a certificate that the authority issued, not the authority's own; a self-signed one must not be marked as an authority (`CA:FALSE`)",
        ),
        (
            "NameConstraintViolation",
            "is for a name that its authority may not issue for (name constraints)",
            NEW_CERTIFICATE,
        ),
        (
            "UnsupportedSignatureAlgorithm",
            "is signed in a way that is no longer accepted, such as SHA-1",
            NEW_CERTIFICATE,
        ),
        (
            "EndEntityUsedAsCa",
            "was issued by a certificate that is not an authority's",
            PRIVATE_AUTHORITY,
        ),
        (
            "UnsupportedCertVersion",
            "is of X.509 version 1; version 3 is needed",
            NEW_CERTIFICATE,
        ),
    ];
    let found = known.iter().find(|(name, ..)| word.contains(name));
    found.map_or(("cannot be verified", PRIVATE_AUTHORITY), |found| {
        (found.1, found.2)
    })
}

fn of_alert(alert: AlertDescription) -> Option<(String, &'static str)> {
    let (problem, to_do) = match alert {
        AlertDescription::CertificateRequired => (CERTIFICATE_DEMANDED, CLIENT_CERTIFICATE),
        AlertDescription::BadCertificate
        | AlertDescription::UnknownCA
        | AlertDescription::CertificateUnknown
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateRevoked
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::AccessDenied => (
            "the server does not accept our client certificate",
            CLIENT_CERTIFICATE,
        ),
        AlertDescription::UnrecognisedName => ("the server knows no such name", OTHER_NAME),
        AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure => (
            "the server and this program have no way of TLS in common",
            "the server must speak TLS 1.2 or 1.3 with a cipher of today; TLS 1.2 says this too when it demands a client certificate",
        ),
        _ => return None,
    };
    Some((problem.into(), to_do))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_below_other_errors() {
        let rustls = Error::AlertReceived(AlertDescription::CertificateRequired);
        let io = std::io::Error::new(std::io::ErrorKind::InvalidData, rustls);
        let io = std::io::Error::other(io);
        let found = TlsProblem::among(&io).unwrap();
        assert_eq!(found.problem, "the server demands a client certificate");
        assert!(TlsProblem::among(&std::io::Error::other("reset")).is_none());
    }

    #[test]
    fn the_names_of_a_certificate_are_told() {
        let presented = [
            "DnsName(\"a.example.com\")".to_owned(),
            "IpAddress(::1)".to_owned(),
        ];
        assert_eq!(
            other_names(&presented),
            "the server's certificate is for a.example.com, IpAddress(::1)"
        );
    }

    #[test]
    fn a_word_of_webpki_becomes_a_sentence() {
        assert_eq!(
            of_other("Other(OtherError(CaUsedAsEndEntity))").0,
            "is that of an authority itself"
        );
        assert_eq!(of_other("Other(X)").0, "cannot be verified");
    }
}
