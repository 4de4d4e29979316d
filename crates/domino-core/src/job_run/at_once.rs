//! Two identical starts at the same moment, neither of which saw the other: the run with the smaller number stays,
//! and the other start stops its own run and follows that one.

use std::collections::HashSet;
use std::future::ready;
use std::time::Duration;

use crate::api::jobs::{Job as Run, JobId};
use crate::client::Writer;
use crate::error::{CommandError, Context as _, Exit, Result};
use crate::step::{Progress, Step};
use crate::wait::{Look, Poll, Waited};

use super::over::is_over;
use super::search::Search;

/// How long our own run may take to stop.
const STOPPED_WITHIN: Duration = Duration::from_secs(60);

/// What a start knew before it started its run.
pub(super) struct BeforeStart<'a> {
    pub(super) search: Search<'a>,
    /// The runs that had the marker already.
    pub(super) earlier: &'a HashSet<JobId>,
    /// The number of the newest run of the project then.
    pub(super) newest: u64,
    /// Whether to leave alone runs of the same commit that others started.
    pub(super) beside: bool,
}

impl BeforeStart<'_> {
    /// The run to follow: `run`, which we have just started, or the run of another start that was first. If our
    /// number is the next one, no other run came between, and nothing is asked.
    pub(super) async fn first_of_two(
        &self,
        step: &mut Step,
        writer: &Writer,
        run: Run,
    ) -> Result<Run> {
        if run.number == self.newest + 1 {
            return Ok(run);
        }
        let reader = writer.reader();
        let found = self.search.find_after(&reader, self.newest).await?;
        let alike = found.alike.into_iter().filter(|_| !self.beside);
        let first = found
            .marked
            .into_iter()
            .filter(|other| !self.earlier.contains(&other.id))
            .chain(alike)
            .filter(|other| other.number < run.number)
            .min_by_key(|other| other.number);
        let Some(first) = first else {
            return Ok(run);
        };
        step.warn(
            &format!(
                "another start was first with the same: run {} goes on, and ours, run {}, is stopped again",
                first.number, run.number
            ),
            None,
        );
        self.stop(writer, &run).await?;
        Ok(first)
    }

    /// Stops our own run, and waits until it has ended.
    async fn stop(&self, writer: &Writer, run: &Run) -> Result<()> {
        let reader = writer.reader();
        let (id, number) = (&run.id, run.number);
        let stopped = writer.stop_job(&self.search.project.id, id).await;
        let stopped = stopped.with_context(|| format!("cannot stop run {number}"));
        let look = async || {
            let now = reader.job(id).await?;
            Ok(match now {
                Some(now) if !is_over(&now) => {
                    Look::Pending(now.statuses.execution_status.word().to_owned())
                }
                _ => Look::Over(()),
            })
        };
        let waited = Poll::until(STOPPED_WITHIN, reader.delay_scale())
            .stop_and_wait(&mut Progress::hidden(), "", ready(stopped), look)
            .await?;
        match waited {
            Waited::Over(()) => Ok(()),
            Waited::TimeUp(word) => Err(CommandError::new(
                Exit::Unsettled,
                format!(
                    "run {number} was told to stop and is still `{word}`: two runs do the same"
                ),
            )),
        }
    }
}
