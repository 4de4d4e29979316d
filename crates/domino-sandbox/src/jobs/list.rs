//! The order and the filters of job lists, which both APIs have under different names.

use std::cmp::Ordering;
use std::sync::Arc;

use super::job::{Job, JobReport};
use crate::run_status::is_in_group;

/// A job with what it shows of itself on this page.
pub(super) type Seen = (Arc<Job>, JobReport);

/// Which jobs, and in which order.
pub(super) struct Listing<'a> {
    pub(super) group: Option<&'a str>,
    pub(super) search: Option<&'a str>,
    pub(super) tag: Option<&'a str>,
    pub(super) order_by: &'a str,
    pub(super) ascending: bool,
}

impl Listing<'_> {
    /// The wanted jobs of `jobs` in the wanted order.
    pub(super) fn of(&self, jobs: Vec<Arc<Job>>) -> Vec<Seen> {
        let mut seen: Vec<Seen> = jobs
            .into_iter()
            .map(|job| {
                let report = job.report();
                (job, report)
            })
            .filter(|seen| self.includes(seen))
            .collect();
        seen.sort_by(|one, other| {
            let order = self
                .order(one, other)
                .then(one.0.number.cmp(&other.0.number));
            if self.ascending {
                order
            } else {
                order.reverse()
            }
        });
        seen
    }

    fn includes(&self, (job, report): &Seen) -> bool {
        let title = job.title().unwrap_or_default();
        let found = |search: &str| title.contains(search) || job.spec.command.contains(search);
        self.group.is_none_or(|group| is_in_group(&report.status, group))
            && self.search.is_none_or(found)
            // No job has a tag here.
            && self.tag.is_none()
    }

    fn order(&self, one: &Seen, other: &Seen) -> Ordering {
        match self.order_by {
            "title" => one.0.title().cmp(&other.0.title()),
            "command" => one.0.spec.command.cmp(&other.0.spec.command),
            "status" => one.1.status.cmp(&other.1.status),
            "user" => one.0.started_by.name.cmp(&other.0.started_by.name),
            "queued" => one.0.submitted().cmp(&other.0.submitted()),
            "startedTime" => one.1.started.cmp(&other.1.started),
            "duration" => duration(one).cmp(&duration(other)),
            _ => Ordering::Equal,
        }
    }
}

fn duration((_, report): &Seen) -> Option<u64> {
    let ended = report.completed?.nanoseconds();
    Some(ended.saturating_sub(report.started?.nanoseconds()))
}
