//! Following a run to its end: its status, its log, whether it is the run that was asked for, and what to do
//! when somebody interrupts.

use std::time::Duration;

use anyhow::Context;
use domino_core::api::jobs::{ExecutionStatus, Job as Run, JobId};
use domino_core::api::projects::Project;
use domino_core::client::{ApiError, Reader, Writer};
use domino_core::commit::Commit;
use domino_core::error::{Exit, Failure};
use domino_core::log_tail::LogTail;
use domino_core::place::Place;
use domino_core::settle::{Looks, in_words};
use domino_core::step::{Ending, Excerpt, Interrupts, Progress, Report, Setting, Signal, Step};

/// How long a log may lag behind the end of its run.
const LOG_GRACE: Duration = Duration::from_secs(10);
/// How long we wait for a run to stop when we were interrupted: GitHub kills us soon after.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// A run to follow.
pub(crate) struct Follow<'a> {
    pub(crate) setting: &'a Setting,
    pub(crate) project: &'a Project,
    pub(crate) writer: &'a Writer,
    pub(crate) job: &'a str,
    pub(crate) place: &'a Place,
    pub(crate) commit: &'a Commit,
    pub(crate) timeout: Duration,
    pub(crate) keep_running: bool,
}

/// Why following ended.
enum Stopped {
    Over(Run),
    TimeUp(Run),
    Interrupted(Signal),
}

impl Follow<'_> {
    /// Follows the run until it is over, and judges it.
    pub(crate) async fn to_the_end(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        run: Run,
    ) -> anyhow::Result<Ending> {
        let id = run.id.clone();
        let number = run.number;
        let mut tail = LogTail::default();
        let mut progress = step.progress();
        let stopped = tokio::select! {
            stopped = self.watch(step, &mut progress, &mut tail, run) => {
                stopped.with_context(|| format!("lost sight of run {number} of job `{}`, which may still go on", self.job))?
            }
            signal = interrupts.next() => Stopped::Interrupted(signal),
        };
        progress.end();
        match stopped {
            Stopped::Over(run) => {
                describe(&mut step.report, self.setting, self.project, &run);
                self.judge(step, &run, &tail)
            }
            Stopped::TimeUp(run) => {
                describe(&mut step.report, self.setting, self.project, &run);
                step.report.next = Some(format!(
                    "deploy-job status {} --stage {}",
                    self.job, self.setting.stage.name
                ));
                Err(Failure::new(
                    Exit::Unsettled,
                    format!(
                        "run {} of job `{}` is still `{}` after {}",
                        run.number,
                        self.job,
                        run.statuses.execution_status.word(),
                        in_words(self.timeout)
                    ),
                )
                .hint("the run goes on in Domino; run this again to follow it, or give a longer `--timeout`")
                .into())
            }
            Stopped::Interrupted(signal) => {
                self.interrupted(step, interrupts, signal, &id, number)
                    .await
            }
        }
    }

    /// Looks at run and log until the run is over or the time is up.
    async fn watch(
        &self,
        step: &mut Step,
        progress: &mut Progress,
        tail: &mut LogTail,
        mut run: Run,
    ) -> anyhow::Result<Stopped> {
        let reader = self.writer.reader();
        let id = run.id.clone();
        let mut looks = Looks::until(self.timeout, reader.pace());
        let mut checked = false;
        loop {
            if !checked {
                checked = self.check(step, &reader, &run).await?;
            }
            progress.status(&status_line(&run));
            if is_over(&run) {
                // A log may come late; what there is by then is read, and the run's end is what counts.
                self.rest_of_log(&reader, tail, progress, &id).await;
                return Ok(Stopped::Over(run));
            }
            if !looks.next().await {
                return Ok(Stopped::TimeUp(run));
            }
            let lines = tail.lines();
            let (job, log) = tokio::join!(
                reader.job(&id),
                tail.read(
                    async |from: &str, limit: usize| reader.job_log(&id, from, limit).await,
                    |line: &str| progress.log(line)
                )
            );
            match job {
                Ok(Some(now)) => {
                    if now.statuses.execution_status != run.statuses.execution_status {
                        looks.moved();
                    }
                    run = now;
                }
                Ok(None) => {
                    return Err(Failure::refused(format!(
                        "run {} is not there any more",
                        run.number
                    ))
                    .into());
                }
                // An outage is waited out for as long as there is time; a refusal will not pass.
                Err(error) if error.exit() == Exit::Unreachable && !looks.left().is_zero() => {
                    progress.status(&format!("Domino does not answer: {error}"));
                }
                Err(error) => return Err(error.into()),
            }
            if log.is_ok() && tail.lines() > lines {
                looks.moved();
            }
        }
    }

    async fn rest_of_log(
        &self,
        reader: &Reader,
        tail: &mut LogTail,
        progress: &mut Progress,
        id: &JobId,
    ) {
        let mut looks = Looks::until(LOG_GRACE, reader.pace());
        loop {
            let read = tail
                .read(
                    async |from: &str, limit: usize| reader.job_log(id, from, limit).await,
                    |line: &str| progress.log(line),
                )
                .await;
            if read.is_err() || tail.is_complete() || !looks.next().await {
                return;
            }
        }
    }

    /// Whether Domino runs what was asked for: commit, tier and environment. A field with a wrong name would be
    /// ignored without a word, so that only what came of it proves anything.
    async fn check(&self, step: &mut Step, reader: &Reader, run: &Run) -> anyhow::Result<bool> {
        let mut wrong = Vec::new();
        match &run.main_repo_git_ref {
            Some(git_ref) if git_ref.is(self.commit) => {}
            Some(git_ref) => wrong.push(format!(
                "commit: {} in place of {}",
                git_ref.in_words(),
                self.commit
            )),
            None => wrong.push(format!("commit: none in place of {}", self.commit)),
        }
        match reader.job_runtime(&run.id).await {
            Ok(got) => {
                if let Some(tier) = self
                    .place
                    .tier
                    .as_ref()
                    .filter(|tier| tier.id != got.hardware_tier.id)
                {
                    wrong.push(format!(
                        "hardware tier: `{}` in place of `{}`",
                        got.hardware_tier.id, tier.id
                    ));
                }
                let environment = self
                    .place
                    .environment
                    .as_ref()
                    .map(|(environment, _)| environment);
                if let Some(environment) =
                    environment.filter(|e| e.id != got.environment.environment_id)
                {
                    wrong.push(format!(
                        "environment: `{}` in place of `{}`",
                        got.environment.environment_id, environment.id
                    ));
                }
            }
            Err(error) if error.is_unknown_route() => {
                step.warn("this Domino does not tell on which hardware tier a run is, so that it was not checked", None);
            }
            // It is asked again at the next look; a run that ends first is not called good.
            Err(error) if error.exit() == Exit::Unreachable && !is_over(run) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        if wrong.is_empty() {
            return Ok(true);
        }
        let stopped = match self.writer.stop_job(&self.project.id, &run.id).await {
            Ok(()) => "it was stopped".to_owned(),
            Err(error) => format!("it could not be stopped: {error}"),
        };
        Err(Failure::failed(format!("run {} is not what was asked for; {stopped}: {}", run.number, wrong.join("; ")))
            .hint("Domino took the request and did something else: is its version known to work with this program?")
            .into())
    }

    /// Green only when Domino says `Succeeded`.
    fn judge(&self, step: &mut Step, run: &Run, tail: &LogTail) -> anyhow::Result<Ending> {
        let status = &run.statuses.execution_status;
        if *status == ExecutionStatus::Succeeded {
            return Ok(Ending::done(format!(
                "job `{}` succeeded as run {}",
                self.job, run.number
            )));
        }
        let lines = tail.excerpt();
        if !lines.is_empty() {
            step.report.excerpt = Some(Excerpt {
                title: "the last lines of the run's log".into(),
                lines,
                was_live: true,
            });
        }
        step.report.next = Some(format!(
            "deploy-job logs {} --stage {} --id {}",
            self.job, self.setting.stage.name, run.id
        ));
        let key = ["job", self.job, "command"];
        let failure = Failure::failed(format!(
            "run {} of job `{}` ended as `{}`",
            run.number,
            self.job,
            status.word()
        ))
        .hint("the run's log says why; correct the code or the job and push, or run this again")
        .at(&self.setting.file, &key);
        let reason = run.abnormal_status.as_ref().map(|why| {
            [
                why.run_failure_reason.as_str(),
                why.run_failure_message.as_str(),
            ]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(": ")
        });
        let error = match reason.filter(|reason| !reason.is_empty()) {
            Some(reason) => anyhow::anyhow!("Domino says: {reason}").context(failure),
            None => failure.into(),
        };
        Err(error)
    }

    /// Somebody wants us to stop: the run is stopped as well, unless it shall go on.
    async fn interrupted(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        signal: Signal,
        id: &JobId,
        number: u64,
    ) -> anyhow::Result<Ending> {
        let link = link(self.setting, self.project, id);
        if self.keep_running {
            return Err(Failure::new(
                signal.exit(),
                format!("interrupted; run {number} goes on: {link}"),
            )
            .hint("run this again to follow it")
            .into());
        }
        step.say(&format!("interrupted: stopping run {number}"));
        let outcome = tokio::select! {
            outcome = self.stop(id) => outcome,
            _ = interrupts.next() => Ok(format!("interrupted again before it was known whether run {number} stopped: {link}")),
        };
        let text = outcome.unwrap_or_else(|error| {
            format!("interrupted; run {number} could not be stopped: {error}; see {link}")
        });
        Err(Failure::new(signal.exit(), text).into())
    }

    async fn stop(&self, id: &JobId) -> Result<String, ApiError> {
        let reader = self.writer.reader();
        let mut run = reader.job(id).await?;
        let over = |run: &Option<Run>| run.as_ref().is_none_or(is_over);
        if !over(&run) {
            self.writer.stop_job(&self.project.id, id).await?;
            let mut looks = Looks::until(STOP_GRACE, reader.pace());
            while !over(&run) && looks.next().await {
                run = reader.job(id).await?;
            }
        }
        Ok(match run {
            None => "interrupted; the run is not there any more".into(),
            Some(run) if is_over(&run) => {
                format!(
                    "interrupted; run {} ended as `{}`",
                    run.number,
                    run.statuses.execution_status.word()
                )
            }
            Some(run) => format!(
                "interrupted; run {} was told to stop and is `{}`",
                run.number,
                run.statuses.execution_status.word()
            ),
        })
    }
}

/// Over means that Domino says so, with a word for the end: either may come before the other.
pub(crate) fn is_over(run: &Run) -> bool {
    run.statuses.is_completed
        && !matches!(run.statuses.execution_status, ExecutionStatus::OnItsWay(_))
}

/// What people see of a run while it goes on.
fn status_line(run: &Run) -> String {
    let word = run.statuses.execution_status.word();
    let why = run
        .queued_job_history_details
        .as_ref()
        .and_then(|details| details.explanation.as_deref());
    match why.filter(|why| !why.is_empty() && run.stage_time.run_start_time.is_none()) {
        Some(why) => format!("run {}: {word} ({why})", run.number),
        None => format!("run {}: {word}", run.number),
    }
}

/// The page of a run, for people.
pub(crate) fn link(setting: &Setting, project: &Project, id: &JobId) -> String {
    format!(
        "{}/jobs/{}/{}/{id}/logs",
        setting.connection.host().as_str(),
        project.name.owner,
        project.name.name
    )
}

/// Puts what is known of a run into the report.
pub(crate) fn describe(report: &mut Report, setting: &Setting, project: &Project, run: &Run) {
    let link = link(setting, project, &run.id);
    let status = run.statuses.execution_status.word();
    report
        .output("id", run.id.as_str())
        .output("number", run.number.to_string());
    report.output("url", &link).output("status", status);
    report
        .fact("run", format!("{} ({})", run.number, run.id))
        .fact("status", status)
        .fact("link", &link);
    let times = &run.stage_time;
    if let Some(started) = times.run_start_time {
        report.fact("waited", in_words(between(times.submission_time, started)));
        if let Some(completed) = times.completed_time {
            report.fact("ran", in_words(between(started, completed)));
        }
    }
    if !run.domino_stats.is_empty() {
        let stats: Vec<String> = run
            .domino_stats
            .iter()
            .map(|stat| match &stat.value {
                serde_json::Value::String(text) => format!("{} {text}", stat.name),
                other => format!("{} {other}", stat.name),
            })
            .collect();
        report.fact("reported", stats.join(", "));
    }
}

fn between(from: i64, to: i64) -> Duration {
    Duration::from_millis(u64::try_from(to.saturating_sub(from)).unwrap_or(0))
}
