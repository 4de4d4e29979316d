//! `on:`: what starts a workflow, as far as a push and a run started by hand go.

use super::Reader;
use crate::read::{Input, Triggers};
use crate::yaml::{Kind, Node};

impl Reader<'_> {
    pub(super) fn triggers(&mut self, node: &Node) -> Triggers {
        let mut triggers = Triggers::default();
        let Kind::Map(events) = &node.kind else {
            let names = self.texts(node, "on");
            triggers.push = names.iter().any(|name| name == "push").then(Vec::new);
            triggers.dispatch = names
                .iter()
                .any(|name| name == "workflow_dispatch")
                .then(Vec::new);
            return triggers;
        };
        for (event, node) in events {
            match event.as_str() {
                "push" => triggers.push = Some(self.push(node)),
                "workflow_dispatch" => triggers.dispatch = Some(self.inputs(node)),
                // Nothing else is rehearsed, and a workflow that nothing else starts is named by the checks.
                _ => {}
            }
        }
        triggers
    }

    fn push(&mut self, node: &Node) -> Vec<String> {
        let Some(mut map) = self.map(node, "`on.push`") else {
            return Vec::new();
        };
        let branches = map
            .take("branches")
            .map(|node| self.texts(node, "branches"))
            .unwrap_or_default();
        // The push that is rehearsed is one that touches a file of every workflow.
        map.take("paths");
        map.take("paths-ignore");
        map.finish(self);
        branches
    }

    fn inputs(&mut self, node: &Node) -> Vec<Input> {
        let Some(mut map) = self.map(node, "`on.workflow_dispatch`") else {
            return Vec::new();
        };
        let inputs = map
            .take("inputs")
            .and_then(|node| self.map(node, "`inputs`"));
        map.finish(self);
        let mut read = Vec::new();
        for (name, node) in inputs.map(|map| map.entries).unwrap_or_default() {
            let Some(mut input) = self.map(node, &format!("input `{name}`")) else {
                continue;
            };
            input.take("description");
            input.take("required");
            let kind = input
                .take("type")
                .and_then(Node::text)
                .unwrap_or_else(|| "string".into());
            let options = input
                .take("options")
                .map(|node| self.texts(node, "options"));
            let default = input.take("default").and_then(Node::text);
            input.finish(self);
            read.push(Input {
                name: name.clone(),
                default,
                options: options.unwrap_or_default(),
                kind,
            });
        }
        read
    }
}
