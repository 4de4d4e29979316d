//! `on:`: what starts a workflow, as far as a push and a run started by hand are concerned.

use super::Reader;
use crate::read::{Input, Triggers};
use crate::yaml::{Kind, Node};

/// The types of an input.
const KINDS: [&str; 5] = ["boolean", "choice", "environment", "number", "string"];

/// Every event that can start a workflow.
const EVENTS: [&str; 37] = [
    "branch_protection_rule",
    "check_run",
    "check_suite",
    "create",
    "delete",
    "deployment",
    "deployment_status",
    "discussion",
    "discussion_comment",
    "fork",
    "gollum",
    "image_version",
    "issue_comment",
    "issues",
    "label",
    "merge_group",
    "milestone",
    "page_build",
    "project",
    "project_card",
    "project_column",
    "public",
    "pull_request",
    "pull_request_comment",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_target",
    "push",
    "registry_package",
    "release",
    "repository_dispatch",
    "schedule",
    "status",
    "watch",
    "workflow_call",
    "workflow_dispatch",
    "workflow_run",
];

impl Reader<'_> {
    pub(super) fn triggers(&mut self, node: &Node) -> Triggers {
        let mut triggers = Triggers::default();
        let Kind::Map(events) = &node.kind else {
            let names = self.plain_texts(node, "on");
            for name in &names {
                self.event(node.line, name);
            }
            triggers.push = names.iter().any(|name| name == "push").then(Vec::new);
            triggers.dispatch = names
                .iter()
                .any(|name| name == "workflow_dispatch")
                .then(Vec::new);
            return triggers;
        };
        for (event, node) in events {
            self.event(node.line, event);
            match event.as_str() {
                "push" => triggers.push = Some(self.push(node)),
                "workflow_dispatch" => triggers.dispatch = Some(self.inputs(node)),
                // Nothing else is rehearsed; the checks name a workflow that only other events start.
                _ => {}
            }
        }
        triggers
    }

    fn event(&mut self, line: u64, name: &str) {
        if !EVENTS.contains(&name) {
            self.problem(line, format!("there is no event `{name}`"));
        }
    }

    fn push(&mut self, node: &Node) -> Vec<String> {
        if matches!(node.kind, Kind::Null) {
            return Vec::new();
        }
        let Some(mut map) = self.map(node, "`on.push`") else {
            return Vec::new();
        };
        let branches = map
            .take("branches")
            .map(|node| self.plain_texts(node, "branches"))
            .unwrap_or_default();
        // The rehearsed push counts as one that touches a file of every workflow.
        for key in ["paths", "paths-ignore"] {
            map.take(key).map(|node| self.plain_texts(node, key));
        }
        map.finish(self);
        branches
    }

    fn inputs(&mut self, node: &Node) -> Vec<Input> {
        if matches!(node.kind, Kind::Null) {
            return Vec::new();
        }
        let Some(mut map) = self.map(node, "`on.workflow_dispatch`") else {
            return Vec::new();
        };
        let inputs = map
            .take("inputs")
            .and_then(|node| self.map(node, "`inputs`"));
        map.finish(self);
        let Some(inputs) = inputs else {
            return Vec::new();
        };
        self.distinct(&inputs);
        let entries = inputs.entries.iter();
        entries
            .filter_map(|(name, node)| self.input(name, node))
            .collect()
    }

    fn input(&mut self, name: &str, node: &Node) -> Option<Input> {
        if name.contains("${{") {
            self.problem(node.line, "the name of an input takes no `${{ }}`");
        }
        let mut input = self.map(node, &format!("input `{name}`"))?;
        input
            .take("description")
            .map(|node| self.plain(node, "description"));
        if let Some(required) = input.take("required")
            && !matches!(required.kind, Kind::Bool(_))
        {
            self.problem(required.line, "`required` must be true or false");
        }
        let kind = match input.take("type") {
            Some(node) => self.plain(node, "type")?,
            None => "string".into(),
        };
        if !KINDS.contains(&kind.as_str()) {
            let kinds = KINDS.join(", ");
            self.problem(
                node.line,
                format!("the type of input `{name}` is one of {kinds}"),
            );
        }
        let options = input.take("options").map(|node| {
            if !matches!(node.kind, Kind::List(_)) {
                self.problem(node.line, "`options` must be a list");
            }
            self.plain_texts(node, "options")
        });
        if options.as_ref().is_some_and(|options| !options.is_empty()) != (kind == "choice") {
            self.problem(
                node.line,
                format!("input `{name}` has `options` if its type is `choice`, and else none"),
            );
        }
        let default = input.take("default").and_then(|node| {
            let fits = match (kind.as_str(), &node.kind) {
                ("boolean", default) => matches!(default, Kind::Bool(_)),
                ("number", default) => matches!(default, Kind::Number(_)),
                (_, default) => matches!(default, Kind::String(_) | Kind::Null),
            };
            if !fits {
                self.problem(
                    node.line,
                    format!("the default of input `{name}` is no {kind}"),
                );
            }
            self.plain(node, "default")
        });
        input.finish(self);
        Some(Input {
            name: name.to_owned(),
            default,
            options: options.unwrap_or_default(),
            kind,
        })
    }
}
