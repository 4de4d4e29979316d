//! `concurrency`, of a workflow and of a job: a group by its name, or with rules for newer members.
//!
//! The rehearsal decides who waits for whom.

use super::{Kind, Node, Reader};
use crate::read::Concurrency;

impl Reader<'_> {
    pub(super) fn concurrency(&mut self, node: Option<&Node>) -> Option<Concurrency> {
        let node = node?;
        if !matches!(node.kind, Kind::Map(_)) {
            return Some(Concurrency {
                group: self.filled(node, "concurrency")?,
                cancel_in_progress: None,
                queues_all: false,
            });
        }
        let mut map = self.map(node, "`concurrency`")?;
        let group = map
            .take("group")
            .and_then(|node| self.filled(node, "group"));
        if group.is_none() {
            self.problem(node.line, "`concurrency` has no `group`");
        }
        let cancel_in_progress = map
            .take("cancel-in-progress")
            .and_then(|node| self.switch(node, "cancel-in-progress"));
        let queue = map.take("queue");
        let queues_all = queue.is_some_and(|queue| queue.text().as_deref() == Some("max"));
        if let Some(queue) = queue
            && !matches!(queue.text().as_deref(), Some("single" | "max"))
        {
            self.problem(queue.line, "`queue` is one of single, max");
        }
        let cancels = cancel_in_progress.as_ref();
        if queues_all && cancels.is_some_and(|field| field.template.source == "true") {
            self.problem(
                node.line,
                "`queue: max` and `cancel-in-progress: true` exclude each other",
            );
        }
        map.finish(self);
        Some(Concurrency {
            group: group?,
            cancel_in_progress,
            queues_all,
        })
    }
}
