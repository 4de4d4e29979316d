//! When a token ends: a service account's token is a JWT, which contains it.
//!
//! The signature is not checked: Domino checks tokens, and this is only an early warning.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{Timestamp, Unit};
use serde::Deserialize;

/// The warning starts this many days before a token ends.
const DAYS: i64 = 21;

/// The claims of a JWT that are read.
#[derive(Deserialize)]
struct Claims {
    /// In seconds since 1970; some servers write a fraction.
    exp: f64,
}

/// The moment at which a token ends, if it is a JWT that says so.
pub(super) fn of_token(token: &str) -> Option<Timestamp> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    Timestamp::from_second(claims.exp as i64).ok()
}

/// The warning about a token that ends soon, without its name; absent before that.
pub(super) fn in_words(end: Timestamp, now: Timestamp) -> Option<String> {
    let hours = (end - now).total(Unit::Hour).ok()?;
    let day = end.strftime("%Y-%m-%d");
    let how = match hours {
        hours if hours >= 24.0 * DAYS as f64 => return None,
        hours if hours <= 0.0 => format!("ended on {day}"),
        hours if hours < 48.0 => format!("ends on {day}, in {} h", hours as i64),
        hours => format!("ends on {day}, in {} days", (hours / 24.0) as i64),
    };
    Some(format!(
        "{how}: make a new one in Domino and replace it where it is kept"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::credential::Credential;

    fn token(claims: &serde_json::Value) -> String {
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!(
            "{}.{}.signature",
            part(&json!({"alg": "RS256"})),
            part(claims)
        )
    }

    fn said(seconds_left: i64) -> Option<String> {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        let claims = json!({"exp": now.as_second() + seconds_left, "sub": "ci-bot"});
        Credential::Token(token(&claims).into()).expiry(now)
    }

    #[test]
    fn a_token_is_warned_of_from_three_weeks_before_its_end() {
        let day = 24 * 3600;
        assert_eq!(said(22 * day), None);
        assert_eq!(
            said(20 * day).unwrap(),
            "ends on 2026-12-20, in 20 days: make a new one in Domino and replace it where \
             it is kept"
        );
        assert!(said(3600).unwrap().contains("ends on 2026-11-30, in 1 h"));
        let end = |seconds_left| said(seconds_left).unwrap();
        assert!(end(2 * day - 1).contains("ends on 2026-12-02, in 47 h"));
        assert!(end(2 * day).contains("ends on 2026-12-02, in 2 days"));
        assert!(said(-day).unwrap().contains("ended on 2026-11-29"));
    }

    #[test]
    fn what_is_no_jwt_or_tells_no_end_is_not_warned_of() {
        for text in [
            "domino-token",
            "a.b.c",
            "a.e30.c",
            "..",
            &token(&json!({"exp": "soon"})),
            &token(&json!({"exp": 1e300})),
        ] {
            assert_eq!(of_token(text), None, "{text}");
        }
        let fraction = token(&json!({"exp": 1_764_500_000.75}));
        assert_eq!(of_token(&fraction).unwrap().as_second(), 1_764_500_000);
    }
}
