//! The list of a project's jobs, newest first. It reads no more than a question needs, several pages side by side.
//!
//! A list that the deployment does not sort or does not filter is read to its end.

use std::collections::HashSet;

use futures_util::future::try_join_all;
use serde::Deserialize;

use super::{Job, JobId};
use crate::api::projects::ProjectId;
use crate::client::{ApiError, Reader};

/// The page size that every version accepts: larger ones are capped.
const PAGE: usize = 100;
/// A list with more pages is considered endless.
const MOST_PAGES: usize = 1000;
/// At most this many pages are read side by side.
const SIDE_BY_SIDE: usize = 8;
/// The group of jobs that have not ended, as `getStatus/values` and the public API's list call it.
const ACTIVE: &str = "active";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobSet {
    jobs: Vec<Job>,
    total_count: Option<usize>,
}

impl Reader {
    /// `GET /v4/jobs`, newest first: the jobs of the project that `wanted` selects, among those submitted after the
    /// time that `since` returns, and among those that the list of active jobs shows as not ended. Times are epoch
    /// milliseconds. `since` is called only if one page does not hold all jobs. If it returns nothing and the active
    /// jobs cannot be told apart, everything after `at_most` is read. What the server's own `query` would find is
    /// documented nowhere, and a job that it misses would be started twice. Contract: v4, where `sort_by` is the
    /// direction and `order_by` the field.
    pub async fn jobs(
        &self,
        project: &ProjectId,
        at_most: i64,
        since: impl Future<Output = Option<i64>>,
        wanted: impl Fn(&Job) -> bool,
    ) -> Result<Vec<Job>, ApiError> {
        let mut list = JobList::new(self, project, None);
        list.read_until(&wanted, |_| true).await?;
        if list.is_at_end || list.oldest < at_most {
            return Ok(list.found);
        }
        let mut active = JobList::new(self, project, Some(ACTIVE));
        let (since, read) = tokio::join!(
            since,
            active.read_until(|_| true, JobList::has_one_that_is_over)
        );
        let is_filtered = match read {
            Ok(()) => list.agrees_with(&active),
            Err(error) if error.status().is_some_and(|it| it.is_client_error()) => false,
            Err(error) => return Err(error),
        };
        let since = match since {
            Some(since) if is_filtered => since.max(at_most),
            _ => at_most,
        };
        list.read_until(&wanted, |list| list.oldest < since).await?;
        let JobList {
            mut found, seen, ..
        } = list;
        let is_new =
            |job: &Job| !seen.contains(&job.id) && job.stage_time.submission_time >= at_most;
        if is_filtered {
            let others = active.found.into_iter().filter(is_new);
            found.extend(others.filter(wanted));
        }
        Ok(found)
    }

    /// The same list, read back to the job with this number.
    pub async fn jobs_after(
        &self,
        project: &ProjectId,
        number: u64,
        wanted: impl Fn(&Job) -> bool,
    ) -> Result<Vec<Job>, ApiError> {
        let mut list = JobList::new(self, project, None);
        list.read_until(wanted, |list| list.last_number <= number)
            .await?;
        Ok(list.found)
    }

    /// The same list, read until `enough` is found, and no further back than `at_most`.
    pub async fn jobs_until(
        &self,
        project: &ProjectId,
        at_most: i64,
        wanted: impl Fn(&Job) -> bool,
        enough: impl Fn(&[Job]) -> bool,
    ) -> Result<Vec<Job>, ApiError> {
        let mut list = JobList::new(self, project, None);
        list.read_until(wanted, |list| list.oldest < at_most || enough(&list.found))
            .await?;
        Ok(list.found)
    }

    /// The newest jobs of the project, as many as one page holds.
    pub async fn newest_jobs(&self, project: &ProjectId) -> Result<Vec<Job>, ApiError> {
        let mut list = JobList::new(self, project, None);
        list.read_until(|_| true, |_| true).await?;
        Ok(list.found)
    }

    /// The same list, read back to the newest job that `wanted` selects.
    pub async fn newest_job(
        &self,
        project: &ProjectId,
        wanted: impl Fn(&Job) -> bool,
    ) -> Result<Option<Job>, ApiError> {
        let mut list = JobList::new(self, project, None);
        list.read_until(wanted, |list| !list.found.is_empty())
            .await?;
        Ok(list.found.into_iter().max_by_key(|job| job.number))
    }
}

/// The part of the list that has been read.
struct JobList<'a> {
    reader: &'a Reader,
    project: &'a ProjectId,
    status: Option<&'static str>,
    found: Vec<Job>,
    seen: HashSet<JobId>,
    /// The jobs on the first page that have not ended.
    active: HashSet<JobId>,
    pages: usize,
    /// How many jobs the server puts on a page, and has in all.
    page_size: usize,
    total: Option<usize>,
    /// Jobs disappeared from the list while it was read, which moves others to pages that were read already.
    has_shrunk: bool,
    is_sorted: bool,
    is_at_end: bool,
    last_number: u64,
    /// The oldest submission on the last page.
    oldest: i64,
}

impl<'a> JobList<'a> {
    fn new(reader: &'a Reader, project: &'a ProjectId, status: Option<&'static str>) -> Self {
        Self {
            reader,
            project,
            status,
            found: Vec::new(),
            seen: HashSet::new(),
            active: HashSet::new(),
            pages: 0,
            page_size: PAGE,
            total: None,
            has_shrunk: false,
            is_sorted: true,
            is_at_end: false,
            last_number: u64::MAX,
            oldest: i64::MAX,
        }
    }

    /// Reads until `enough`, or to the end.
    async fn read_until(
        &mut self,
        wanted: impl Fn(&Job) -> bool,
        enough: impl Fn(&Self) -> bool,
    ) -> Result<(), ApiError> {
        // As many pages as were read already, so that at most twice as much as needed is read.
        let mut most = SIDE_BY_SIDE;
        while !self.is_at_end {
            if self.pages > 0 && self.is_sorted && enough(self) {
                break;
            }
            if self.pages >= MOST_PAGES {
                return Err(ApiError::endless("/v4/jobs", MOST_PAGES));
            }
            let together = self.pages.clamp(1, most).min(self.pages_left());
            let pages = self.pages + 1..=self.pages + together;
            let sets = try_join_all(pages.map(|page| self.page(page))).await?;
            // A job that is added meanwhile moves the others to later pages. Pages that are read one after the other
            // then show some jobs twice, but pages that are read side by side may miss one.
            let has_moved = together > 1 && sets.iter().any(|set| set.total_count != self.total);
            if has_moved {
                most = 1;
            }
            for set in sets.into_iter().take(if has_moved { 1 } else { together }) {
                self.add(set, &wanted);
                if self.is_at_end {
                    break;
                }
            }
        }
        Ok(())
    }

    /// How many pages remain according to the server; one if it does not say.
    fn pages_left(&self) -> usize {
        let left = self.total.unwrap_or(0).saturating_sub(self.seen.len());
        left.div_ceil(self.page_size).clamp(1, MOST_PAGES)
    }

    async fn page(&self, page: usize) -> Result<JobSet, ApiError> {
        let (size, page) = (PAGE.to_string(), page.to_string());
        let mut query = vec![
            ("projectId", self.project.as_str()),
            ("page_size", size.as_str()),
            ("page_no", page.as_str()),
            ("sort_by", "desc"),
            ("order_by", "number"),
            ("show_archived", "true"),
        ];
        query.extend(self.status.map(|status| ("status", status)));
        self.reader.read("/v4/jobs", &query).await
    }

    fn add(&mut self, set: JobSet, wanted: impl Fn(&Job) -> bool) {
        let before = self.seen.len();
        self.pages += 1;
        self.oldest = i64::MAX;
        if self.pages == 1 {
            self.page_size = set.jobs.len().max(1);
        }
        for job in set.jobs {
            if !self.seen.insert(job.id.clone()) {
                continue;
            }
            self.is_sorted &= job.number <= self.last_number;
            self.last_number = job.number;
            // A submission time of zero means that the server does not tell it.
            if job.stage_time.submission_time > 0 {
                self.oldest = self.oldest.min(job.stage_time.submission_time);
            }
            if self.pages == 1 && !job.statuses.is_completed {
                self.active.insert(job.id.clone());
            }
            if wanted(&job) {
                self.found.push(job);
            }
        }
        self.has_shrunk |= set.total_count < self.total;
        self.total = set.total_count;
        self.is_at_end =
            self.seen.len() == before || self.total.is_some_and(|total| self.seen.len() >= total);
    }

    /// Whether a list of the active jobs can be relied on: it has all jobs that the first page shows as not ended,
    /// and none that has ended.
    fn agrees_with(&self, active: &Self) -> bool {
        !active.has_shrunk && !active.has_one_that_is_over() && self.active.is_subset(&active.seen)
    }

    fn has_one_that_is_over(&self) -> bool {
        self.found.iter().any(|job| job.statuses.is_completed)
    }
}

#[cfg(test)]
mod tests;
