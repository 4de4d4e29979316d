//! Runs that no step followed to their end: those of a job with `wait = false`, and those that were still running
//! when the time of their step was up. The next start and `deploy-job follow` report how they ended.

use std::future::ready;
use std::time::Duration;

use domino_core::api::GitRef;
use domino_core::api::jobs::{ExecutionStatus, Job as Run};
use domino_core::api::projects::{Project, ProjectId};
use domino_core::client::{ApiError, Reader};
use domino_core::deployment_marker::EntityMarker;
use domino_core::error::Result;
use domino_core::job_run::{is_of, is_over};
use domino_core::step::{Step, StepContext};
use domino_core::wait::Span;
use jiff::Timestamp;
use stage_file::{Job, Stage};

/// How far back to search for a run that ended before anybody looked.
const LOOK_BACK: i64 = 36 * 24 * 3600 * 1000;

/// A run that no step followed to its end.
pub(crate) struct LeftRun<'a> {
    pub(crate) job: &'a Job,
    pub(crate) run: Run,
    /// How long the run has taken so far, or took in all.
    taken: Duration,
    /// The job's time limit.
    timeout: Duration,
    is_waited_for: bool,
}

/// The runs of these jobs in a stage that may have been left: those that have not ended, and of each job that is not
/// waited for the newest.
pub(crate) async fn runs_of(
    reader: &Reader,
    project: &ProjectId,
    stage: &Stage,
    jobs: &[&Job],
) -> Result<Vec<Run>, ApiError> {
    let marker = |job: &Job| EntityMarker::new(&stage.name, &job.name);
    let all: Vec<EntityMarker> = jobs.iter().map(|job| marker(job)).collect();
    let at_most = reader.now().as_millisecond() - LOOK_BACK;
    let wanted = |run: &Run| all.iter().any(|marker| is_of(run, marker));
    let mut found = reader
        .jobs(project, at_most, ready(Some(i64::MAX)), wanted)
        .await?;
    let missing: Vec<EntityMarker> = jobs
        .iter()
        .filter(|job| !job.waits(stage))
        .map(|job| marker(job))
        .filter(|marker| !found.iter().any(|run| is_of(run, marker)))
        .collect();
    if !missing.is_empty() {
        let wanted = |run: &Run| missing.iter().any(|marker| is_of(run, marker));
        let enough = |found: &[Run]| {
            let mut missing = missing.iter();
            missing.all(|marker| found.iter().any(|run| is_of(run, marker)))
        };
        let older = reader.jobs_until(project, at_most, wanted, enough).await?;
        found.extend(older);
    }
    Ok(found)
}

/// The same for a start. For a job that is waited for, what the start has read already is enough.
pub(crate) async fn earlier_runs(
    context: &StepContext,
    project: &Project,
    job: &Job,
) -> Result<Vec<Run>> {
    let stage = &context.stage;
    if job.waits(stage) {
        return Ok(Vec::new());
    }
    let reader = context.connection.reader();
    Ok(runs_of(&reader, &project.id, stage, &[job]).await?)
}

/// Those of a job's runs that were left and whose end no later start could report: the newest, and those that had not
/// ended when the newest was started. `now` is by the server's clock.
pub(crate) fn left_among<'a>(
    runs: impl Iterator<Item = Run>,
    job: &'a Job,
    stage: &Stage,
    now: Timestamp,
) -> Vec<LeftRun<'a>> {
    let mut runs: Vec<Run> = runs
        .filter(|run| run.statuses.is_scheduled != Some(true))
        .collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.number));
    runs.dedup_by_key(|run| run.number);
    let newest = runs.first().map_or(0, |run| run.stage_time.submission_time);
    let left = runs.into_iter().enumerate().filter_map(|(at, run)| {
        let end = run.stage_time.completed_time.filter(|_| is_over(&run));
        let is_told = at > 0 && end.is_some_and(|end| end <= newest);
        let left = LeftRun {
            job,
            taken: taken(&run, now),
            run,
            timeout: job.timeout(stage),
            is_waited_for: job.waits(stage),
        };
        (!is_told && (!left.is_waited_for || left.is_overdue())).then_some(left)
    });
    left.collect()
}

/// From its submission to its end, or to now.
fn taken(run: &Run, now: Timestamp) -> Duration {
    let end = run.stage_time.completed_time.filter(|_| is_over(run));
    let end = end.unwrap_or_else(|| now.as_millisecond());
    let taken = end.saturating_sub(run.stage_time.submission_time);
    Duration::from_millis(taken.try_into().unwrap_or(0))
}

impl LeftRun<'_> {
    /// Takes over the run's present state.
    pub(crate) fn update(&mut self, run: Run, now: Timestamp) {
        self.taken = taken(&run, now);
        self.run = run;
    }

    /// Whether it has exceeded its time limit.
    pub(crate) fn is_overdue(&self) -> bool {
        self.taken > self.timeout
    }

    /// Whether it succeeded, or still runs and has time left.
    pub(crate) fn is_well(&self) -> bool {
        match is_over(&self.run) {
            true => self.succeeded(),
            false => !self.is_overdue(),
        }
    }

    /// Whether it succeeded.
    pub(crate) fn succeeded(&self) -> bool {
        is_over(&self.run) && self.run.statuses.execution_status == ExecutionStatus::Succeeded
    }

    /// Warns about a run that is not well, in the step of a later run.
    pub(crate) fn warn(&self, step: &mut Step, context: &StepContext) {
        if !self.is_well() {
            let (job, stage) = (&self.job.name, &context.stage.name);
            let look = format!("deploy-job logs {job} --stage {stage} --id {}", self.run.id);
            step.warn(&format!("{}; its log: {look}", self.in_words()), None);
        }
    }

    /// How it ended, in words.
    pub(crate) fn in_words(&self) -> String {
        let run = &self.run;
        let commit = match &run.main_repo_git_ref {
            Some(GitRef::Commit(commit)) => {
                format!(" of commit {}", commit.get(..12).unwrap_or(commit))
            }
            _ => String::new(),
        };
        let why = match self.is_waited_for {
            false => "which no step waits for",
            true => "which outlived its step",
        };
        let (word, taken) = (run.statuses.execution_status.word(), Span(self.taken));
        let end = match (is_over(run), self.is_overdue()) {
            (true, _) => format!("ended as `{word}` after {taken}"),
            (false, false) => format!("goes on as `{word}` after {taken}"),
            (false, true) => format!(
                "is still `{word}` after {taken}, and its `timeout` is {}",
                Span(self.timeout)
            ),
        };
        format!("run {}{commit}, {why}, {end}", run.number)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use stage_file::StageFile;

    use super::*;

    const MINUTE: i64 = 60_000;

    /// Run `number`, from minute `from` until minute `end`, or still running.
    fn run(number: u64, from: i64, end: Option<i64>, word: &str) -> Run {
        serde_json::from_value(serde_json::json!({
            "id": number.to_string(), "number": number,
            "stageTime": {"submissionTime": from * MINUTE, "completedTime": end.map(|end| end * MINUTE)},
            "statuses": {"isCompleted": end.is_some(), "executionStatus": word},
        }))
        .unwrap()
    }

    /// What is reported of these runs at minute 1000.
    fn left(wait: bool, runs: &[Run]) -> Vec<(u64, bool)> {
        let text = format!(
            "[stage.dev]\nhost = \"domino.example.com\"\nproject = \"a/b\"\nhardware-tier = \"small\"\n\
             [job.train]\ncommand = \"t\"\nwait = {wait}\ntimeout = \"2h\""
        );
        let file = StageFile::read(&text, Path::new("stages.toml")).unwrap();
        let now = Timestamp::from_millisecond(1000 * MINUTE).unwrap();
        let left = left_among(runs.iter().cloned(), &file.jobs[0], &file.stages[0], now);
        left.iter()
            .map(|left| (left.run.number, left.is_well()))
            .collect()
    }

    #[test]
    fn the_newest_run_is_told_and_those_that_the_start_after_them_could_not_tell() {
        let runs = [
            run(1, 100, Some(150), "Failed"),
            run(2, 200, Some(900), "Failed"),
            run(3, 300, Some(400), "Succeeded"),
            run(4, 500, Some(600), "Succeeded"),
        ];
        assert_eq!(left(false, &runs), [(4, true), (2, false)]);
        assert_eq!(left(false, &[]), []);
    }

    #[test]
    fn a_run_that_goes_on_is_well_as_long_as_it_has_time() {
        let runs = [run(1, 100, None, "Running"), run(2, 990, None, "Running")];
        assert_eq!(left(false, &runs), [(2, true), (1, false)]);
    }

    #[test]
    fn of_a_job_that_is_waited_for_only_what_outlived_its_step_was_left() {
        for (last, told) in [
            (run(2, 200, Some(260), "Failed"), vec![]),
            (run(2, 200, Some(400), "Failed"), vec![(2, false)]),
            (run(2, 200, Some(400), "Succeeded"), vec![(2, true)]),
            (run(2, 990, None, "Running"), vec![]),
            (run(2, 200, None, "Running"), vec![(2, false)]),
        ] {
            assert_eq!(left(true, &[last]), told);
        }
    }
}
