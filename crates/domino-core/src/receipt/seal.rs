//! The line of a receipt, and the hash that seals it. The hash is of the bytes of the line as they are, so that a
//! later release that knows more keys, or fewer, computes the same one.

use sha2::{Digest, Sha256};

use super::Receipt;

/// The text between the receipt and its hash.
const BEFORE_HASH: &str = ",\"hash\":\"";
/// The digits of a hash.
const DIGITS: usize = 64;

/// A receipt as one line of JSON, with its hash as the last key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedReceipt {
    /// What the line says, parsed.
    pub receipt: Receipt,
    /// The hash in the line, which need not be the right one.
    pub hash: String,
    /// Whether the hash matches the line.
    pub is_intact: bool,
    /// The line, without an end.
    pub line: String,
}

/// A receipt and where it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The receipt with its line and hash.
    pub sealed: SealedReceipt,
    /// Where it is stored, for people: `the note of 3f2a91c`, a file.
    pub at: String,
    /// The commit whose note contains it.
    pub commit: Option<String>,
}

/// Why a line is not a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsealed(pub String);

impl SealedReceipt {
    /// Seals a receipt.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn seal(receipt: Receipt) -> serde_json::Result<Self> {
        let body = serde_json::to_string(&receipt)?;
        let hash = hash_of(&body);
        let open = body.strip_suffix('}').unwrap_or(&body);
        let line = format!("{open}{BEFORE_HASH}{hash}\"}}");
        Ok(Self {
            receipt,
            hash,
            is_intact: true,
            line,
        })
    }

    /// Reads a line.
    ///
    /// # Errors
    /// The reason, when it is not a receipt.
    pub fn read(line: &str) -> Result<Self, Unsealed> {
        let line = line.trim();
        let receipt = serde_json::from_str(line).map_err(|why| Unsealed(why.to_string()))?;
        let open = line.strip_suffix("\"}");
        let parts = open.and_then(|open| open.rsplit_once(BEFORE_HASH));
        let parts = parts.filter(|(_, hash)| {
            hash.len() == DIGITS && hash.bytes().all(|digit| digit.is_ascii_hexdigit())
        });
        let Some((body, hash)) = parts else {
            return Err(Unsealed("it does not end with its hash".into()));
        };
        Ok(Self {
            receipt,
            is_intact: hash_of(&format!("{body}}}")) == hash,
            hash: hash.to_owned(),
            line: line.to_owned(),
        })
    }
}

fn hash_of(body: &str) -> String {
    let digest = Sha256::digest(body.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::receipt;
    use super::*;

    #[test]
    fn a_sealed_line_is_read_as_it_was_and_any_change_breaks_the_seal() {
        let sealed = SealedReceipt::seal(receipt(1)).unwrap();
        assert!(!sealed.line.contains('\n'));
        assert_eq!(SealedReceipt::read(&sealed.line).unwrap(), sealed);
        let altered = sealed.line.replace("dashboard", "dashb0ard");
        let read = SealedReceipt::read(&altered).unwrap();
        assert!(!read.is_intact);
        assert_eq!(read.hash, sealed.hash);
    }

    #[test]
    fn a_receipt_with_keys_of_a_later_release_is_still_intact() {
        let body = serde_json::to_string(&receipt(1)).unwrap();
        let open = body.strip_suffix('}').unwrap();
        let more = format!("{open},\"later\":1}}");
        let hash = hash_of(&more);
        let line = format!("{open},\"later\":1{BEFORE_HASH}{hash}\"}}");
        assert!(SealedReceipt::read(&line).unwrap().is_intact);
    }

    #[test]
    fn what_is_no_receipt_or_has_no_hash_at_its_end_is_refused() {
        let body = serde_json::to_string(&receipt(1)).unwrap();
        let short = body.replace("\"format\":1", "\"hash\":\"00\",\"format\":1");
        for line in ["", "{}", "hello", &body, &short] {
            assert!(SealedReceipt::read(line).is_err(), "{line}");
        }
    }
}
