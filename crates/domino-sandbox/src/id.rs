//! The identifiers that Domino assigns: Mongo object ids for most nouns, UUIDs for requests; and the secrets that a
//! sandbox generates at its start. It does not know which noun has which.

use std::sync::atomic::{AtomicU32, Ordering};

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A fresh id of 24 lower-case hex characters: seconds, noise, a counter, as Mongo makes them.
pub(crate) fn object_id() -> String {
    let seconds = jiff::Timestamp::now().as_second() as u32;
    let count = COUNTER.fetch_add(1, Ordering::Relaxed) & 0x00ff_ffff;
    format!("{seconds:08x}{}{count:06x}", hex(&noise::<5>()))
}

/// Whether `text` has the form of an object id.
pub(crate) fn is_object_id(text: &str) -> bool {
    text.len() == 24
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A version 4 UUID, used for request ids.
pub(crate) fn uuid() -> String {
    let bits = u128::from_be_bytes(noise());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        (bits >> 96) as u32,
        (bits >> 80) as u16,
        (bits >> 64) as u16 & 0xfff,
        (bits >> 48) as u16 & 0x3fff | 0x8000,
        bits as u64 & 0xffff_ffff_ffff,
    )
}

/// Whether `text` has the form of a UUID.
pub(crate) fn is_uuid(text: &str) -> bool {
    let mut parts = text.split('-');
    let lengths = [8, 4, 4, 4, 12];
    lengths.into_iter().all(|length| {
        let part = parts.next().unwrap_or_default();
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    }) && parts.next().is_none()
}

/// 40 hex characters, as a commit of Domino's own file system has.
pub(crate) fn commit_id() -> String {
    hex(&noise::<20>())
}

/// 32 hex characters, as MLflow gives to runs.
pub(crate) fn run_id() -> String {
    hex(&noise::<16>())
}

/// 64 random hex characters: a key or a token.
pub(crate) fn secret() -> String {
    hex(&noise::<32>())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Random bytes from the operating system.
///
/// # Panics
/// When the operating system has none, because nothing else would be safe.
fn noise<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_ids_have_their_form_and_never_repeat() {
        let ids: std::collections::HashSet<String> = (0..1000).map(|_| object_id()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| is_object_id(id)));
        assert!(!is_object_id("small-k8s"));
        assert!(!is_object_id(&"A".repeat(24)));
    }

    #[test]
    fn uuids_are_version_four() {
        let id = uuid();
        assert_eq!(id.len(), 36);
        assert!(is_uuid(&id) && !is_uuid(&id[1..]) && !is_uuid("Model promotion"));
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    }

    #[test]
    fn secrets_differ() {
        assert_eq!(secret().len(), 64);
        assert_ne!(secret(), secret());
    }
}
