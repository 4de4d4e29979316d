//! `permissions:`. A rehearsal gives out no real token, so they are checked against GitHub's list and dropped.

use super::Reader;
use crate::yaml::{Kind, Node};

/// The permissions of a token, and the allowed levels of each.
const PERMISSIONS: [(&str, &[&str]); 20] = [
    ("actions", ANY),
    ("artifact-metadata", ANY),
    ("attestations", ANY),
    ("checks", ANY),
    ("code-quality", ANY),
    ("contents", ANY),
    ("copilot-requests", &["write", "none"]),
    ("deployments", ANY),
    ("discussions", ANY),
    ("drives", ANY),
    ("id-token", &["write", "none"]),
    ("issues", ANY),
    ("models", &["read", "none"]),
    ("packages", ANY),
    ("pages", ANY),
    ("pull-requests", ANY),
    ("repository-projects", ANY),
    ("security-events", ANY),
    ("statuses", ANY),
    ("vulnerability-alerts", &["read", "none"]),
];
const ANY: &[&str] = &["read", "write", "none"];

impl Reader<'_> {
    pub(super) fn permissions(&mut self, node: Option<&Node>) {
        let Some(node) = node else { return };
        let Kind::Map(entries) = &node.kind else {
            if !matches!(node.text().as_deref(), Some("read-all" | "write-all")) {
                self.problem(
                    node.line,
                    "`permissions` must be a map, `read-all` or `write-all`",
                );
            }
            return;
        };
        for (name, node) in entries {
            let Some((_, levels)) = PERMISSIONS.iter().find(|(known, _)| known == name) else {
                self.problem(node.line, format!("there is no permission `{name}`"));
                continue;
            };
            if !node
                .text()
                .is_some_and(|level| levels.contains(&level.as_str()))
            {
                let levels = levels.join(", ");
                self.problem(node.line, format!("permission `{name}` is one of {levels}"));
            }
        }
    }
}
