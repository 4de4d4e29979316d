//! The machines of GitHub that run a job, by their labels or by the group that they belong to.

use serde::{Serialize, Serializer};

/// Which runners may run a job: those that have all of the labels, in the group if one is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runner {
    /// The labels, in the order of the file.
    pub labels: Vec<String>,
    /// The group of runners to choose from.
    pub group: Option<String>,
}

impl Runner {
    /// The runners of one label.
    pub fn label(label: &str) -> Self {
        Self {
            labels: vec![label.to_owned()],
            group: None,
        }
    }

    /// Whether the machine is GitHub's own: there a job ends after six hours, whatever it says.
    pub fn is_hosted(&self) -> bool {
        let [label] = self.labels.as_slice() else {
            return false;
        };
        self.group.is_none()
            && ["ubuntu-", "windows-", "macos-"]
                .iter()
                .any(|system| label.starts_with(system))
    }

    /// As one word, for a name or a key.
    pub fn word(&self) -> String {
        let group = self.group.as_deref().into_iter();
        let words: Vec<&str> = group
            .chain(self.labels.iter().map(String::as_str))
            .collect();
        words.join("-")
    }
}

/// One word, as a plan shows it.
impl Serialize for Runner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.word())
    }
}

impl Default for Runner {
    fn default() -> Self {
        Self::label("ubuntu-24.04")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn github_has_the_machines_of_its_own_labels_only() {
        let runner = |labels: &[&str], group: Option<&str>| Runner {
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            group: group.map(str::to_owned),
        };
        assert!(Runner::default().is_hosted());
        assert!(runner(&["ubuntu-24.04-arm"], None).is_hosted());
        assert!(!runner(&["self-hosted"], None).is_hosted());
        assert!(!runner(&["self-hosted", "ubuntu-24.04"], None).is_hosted());
        assert!(!runner(&["ubuntu-24.04"], Some("large")).is_hosted());
        assert_eq!(
            runner(&["linux", "x64"], Some("large")).word(),
            "large-linux-x64"
        );
    }
}
