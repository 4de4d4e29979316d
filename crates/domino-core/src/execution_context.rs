//! The context of a run, for calls from outside of it: `X-Domino-Execution`, which the experiment manager of some
//! deployments requires besides the credential. It names a run of the same project and user.
//!
//! It is a JWT that everybody signs with the same literal, as Domino's own examples do. It says where a call belongs
//! and is no security token: it opens nothing by itself and is no secret. Which run it names is decided elsewhere.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::HeaderValue;
use serde_json::json;
use sha2::Sha256;

/// The literal that signs it.
const LITERAL: &[u8] = b"secret";

/// The context of one run.
#[derive(Debug, Clone)]
pub struct ExecutionContext {
    run: String,
    header: HeaderValue,
}

impl ExecutionContext {
    /// The name of the header.
    pub(crate) const HEADER: &str = "x-domino-execution";

    /// The context of the run with this id; absent for an id that a header cannot contain.
    pub fn of(run: &str) -> Option<Self> {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(json!({"alg": "HS256", "typ": "JWT"}));
        let signed = format!("{header}.{}", part(json!({"execution_id": run})));
        let mut mac = Hmac::<Sha256>::new_from_slice(LITERAL).ok()?;
        mac.update(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        let header = format!("{signed}.{signature}").parse().ok()?;
        Some(Self {
            run: run.to_owned(),
            header,
        })
    }

    /// The run's id.
    pub fn run(&self) -> &str {
        &self.run
    }

    pub(crate) fn header(&self) -> &HeaderValue {
        &self.header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_is_what_another_program_signs_with_the_same_literal() {
        let context = ExecutionContext::of("r1").unwrap();
        assert_eq!(
            context.header().to_str().unwrap(),
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleGVjdXRpb25faWQiOiJyMSJ9.8WmonQxW-gsg55NfT9HI2_UfLRXn4zhLkB40I4-PfS0"
        );
        assert_eq!(context.run(), "r1");
    }
}
