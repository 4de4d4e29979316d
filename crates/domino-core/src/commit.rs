//! The commit of the repository that is deployed. It is always a whole SHA: anything shorter could mean something
//! else tomorrow.

use std::fmt;

use serde::Serialize;

/// A whole commit id: 40 (or 64) lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Commit(String);

impl Commit {
    /// A whole commit id.
    pub fn whole(text: &str) -> Option<Self> {
        let hexadecimal = text.bytes().all(|b| b.is_ascii_hexdigit());
        (hexadecimal && matches!(text.len(), 40 | 64)).then(|| Self(text.to_ascii_lowercase()))
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_ids_are_commits() {
        assert!(Commit::whole("3f2a91c").is_none());
        assert!(Commit::whole(&"g".repeat(40)).is_none());
        assert_eq!(
            Commit::whole(&"A".repeat(40)).unwrap().as_str(),
            "a".repeat(40)
        );
        assert_eq!(
            Commit::whole(&"b".repeat(40)).unwrap().short(),
            "bbbbbbbbbbbb"
        );
    }
}
