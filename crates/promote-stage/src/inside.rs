//! Promoting from inside of Domino: the step starts a run of this program in the stage's project, follows it, and
//! ends with the same exit code. What the run writes, and whether it has been written, is not decided here.

use std::collections::HashSet;
use std::io::Write as _;
use std::time::Duration;

use domino_core::api::jobs::{ExecutionStatus, Job as Run};
use domino_core::api::projects::Project;
use domino_core::api::registered_models::VersionNumber;
use domino_core::checkout::path_in_repository;
use domino_core::commit::Commit;
use domino_core::deployment_marker::{DeploymentMarker, EntityMarker};
use domino_core::error::{CommandError, Exit, Result};
use domino_core::job_run::{
    Follow, Followed, Interruption, NewRun, OwnRuns, Requested, Search, Words, describe, link,
};
use domino_core::place::ResolvedPlacement;
use domino_core::step::{ChangeKind, Interrupts, Plan, Step, StepContext, duration};
use domino_core::variable::{is_in_domino_run, variable};
use stage_file::{Kind, Promote};

use crate::candidate::Candidate;
use crate::shell_word::shell_word;
use crate::told::Told;

/// The beginning of the last line of a run's log, before the exit code: Domino itself tells only whether that is
/// zero.
const LAST_LINE: &str = "promote-stage ended with exit code ";
/// What a step reports about a run that is not an output of a promotion.
const OF_THE_RUN: [&str; 5] = ["id", "number", "url", "status", "environment-revision"];

/// How long a run may take.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct InsideArgs {
    /// Where stages.toml says `promote = "inside"`: how long to wait for the run that writes in place of this step
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = duration)]
    pub(crate) timeout: Duration,
}

/// Whether a run must write in place of this process.
fn is_elsewhere(context: &StepContext) -> bool {
    context.file.pipeline.promote == Promote::Inside && !is_in_domino_run()
}

/// The run that writes in place of this step, as `plan` plans it; absent if the step writes itself, or has nothing to
/// write.
pub(crate) async fn errand<'a>(
    context: &'a StepContext,
    interrupts: &mut Interrupts,
    has_work: bool,
    plan: impl Future<Output = Result<Errand<'a>>>,
) -> Result<Option<Errand<'a>>> {
    if !has_work || !is_elsewhere(context) {
        return Ok(None);
    }
    tokio::select! {
        errand = plan => errand.map(Some),
        signal = interrupts.next() => Err(signal.nothing_changed(&context.stage.name)),
    }
}

/// In a run, tells the step that follows it the exit code of this program.
pub(crate) fn tell_end(exit: Exit) {
    if variable("DOMINO_RUN_ID").is_some() {
        // If it cannot be told, the step ends like one whose run failed.
        let _ = writeln!(std::io::stderr(), "{LAST_LINE}{}", exit as u8);
    }
}

/// What a run has to do.
#[derive(Debug)]
pub(crate) struct Task<'a> {
    pub(crate) verb: &'static str,
    /// The option that names the stage.
    pub(crate) stage_option: &'static str,
    /// The model's name in the stage file.
    pub(crate) model: &'a str,
    pub(crate) version: VersionNumber,
    /// Further flags, as the person gave them.
    pub(crate) flags: Vec<String>,
    pub(crate) told: Told,
}

/// A run that writes in place of the step; planning it only reads.
#[derive(Debug)]
pub(crate) struct Errand<'a> {
    context: &'a StepContext,
    project: Project,
    place: ResolvedPlacement,
    marker: DeploymentMarker,
    command: String,
    title: String,
    words: Words,
    found: OwnRuns,
}

impl Task<'_> {
    fn command(&self, context: &StepContext) -> String {
        let version = self.version.to_string();
        let stage = context.stage.name.as_str();
        let words = ["promote-stage", self.verb, self.model];
        let which = [self.stage_option, stage, "--version", &version];
        let mut words: Vec<String> = words.into_iter().chain(which).map(shell_word).collect();
        words.extend(self.flags.iter().map(|flag| shell_word(flag)));
        let file = path_in_repository(&context.file.path);
        if let Some(file) = file.filter(|file| file != "stages.toml") {
            words.extend(["--stages".to_owned(), shell_word(&file)]);
        }
        let delay_scale = context.connection.delay_scale();
        if delay_scale != 1.0 {
            words.extend(["--pace".to_owned(), delay_scale.to_string()]);
        }
        words.extend(self.told.arguments());
        words.join(" ")
    }
}

impl<'a> Errand<'a> {
    /// Plans the run that does this with a candidate.
    pub(crate) async fn with_candidate(
        context: &'a StepContext,
        candidate: &Candidate<'_>,
        verb: &'static str,
        flags: Vec<String>,
        told: Told,
    ) -> Result<Self> {
        let task = Task {
            verb,
            stage_option: "--to",
            model: &candidate.target.model.name,
            version: candidate.number(),
            flags,
            told,
        };
        Self::plan(context, &candidate.project, &task).await
    }

    /// Finds where it runs, and whether it runs already.
    pub(crate) async fn plan(
        context: &'a StepContext,
        project: &Project,
        task: &Task<'_>,
    ) -> Result<Self> {
        let StepContext { file, stage, .. } = context;
        let (verb, model, version) = (task.verb, task.model, task.version);
        // No job can have such a name.
        let of = EntityMarker::new(&stage.name, &format!("{model}:{verb}"));
        let mut marker = DeploymentMarker::new(of, &Commit::wanted(None)?);
        marker.version = Some(version);
        let command = task.command(context);
        let reader = context.connection.reader();
        let target = file.target(Kind::Job, "", stage);
        let search = Search {
            context,
            command: &command,
            marker: &marker,
            project,
        };
        let (place, found) = tokio::try_join!(
            ResolvedPlacement::find(&reader, file, stage, Kind::Job, project, &target),
            async { Ok(search.find(&reader).await?) },
        )?;
        let what = format!("`promote-stage {verb}` for version {version} of model `{model}`");
        Ok(Self {
            context,
            project: project.clone(),
            place,
            words: Words {
                cannot: format!("cannot start a run of {what}"),
                status: format!("promote-stage status {model} --stage {}", stage.name),
                look: "run this again: it looks for that run first".into(),
                what,
            },
            title: format!("promote-stage {verb} {model}"),
            marker,
            command,
            found,
        })
    }

    /// The run with this marker that has not ended. One that has ended has written what it could.
    fn going_on(&self) -> Option<&Run> {
        let mut marked = self.found.marked.iter();
        marked.find(|run| !run.statuses.is_completed)
    }

    /// Adds to a plan where it runs.
    pub(crate) fn describe(&self, plan: &mut Plan) {
        plan.fact("inside", format!("project {}", self.project.name));
        self.place.describe(plan);
        plan.fact("key", self.marker.to_string());
        match self.going_on() {
            Some(run) => plan.change(ChangeKind::Keep, format!("run {}", run.number)),
            None => plan.change(ChangeKind::Create, format!("a run of `{}`", self.command)),
        };
    }

    /// Starts the run, unless it already runs, and follows it; the step ends with the same result.
    pub(crate) async fn run(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        args: InsideArgs,
    ) -> Result<()> {
        let followed = self.follow(step, interrupts, args.timeout).await;
        step.report.forget(&OF_THE_RUN);
        self.result_of(step, &followed?)
    }

    async fn follow(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        timeout: Duration,
    ) -> Result<Followed> {
        let Self {
            context,
            project,
            words,
            ..
        } = self;
        let writer = &context.connection.writer();
        let interruption = Interruption {
            context,
            project,
            writer,
            words,
            keep_running: false,
        };
        let run = match self.going_on() {
            Some(run) => run.clone(),
            None => {
                let earlier: HashSet<_> =
                    self.found.marked.iter().map(|run| run.id.clone()).collect();
                let new = NewRun {
                    search: self.search(),
                    title: &self.title,
                    place: &self.place,
                    earlier: &earlier,
                    newest: self.found.newest,
                    beside: false,
                };
                new.start(step, interrupts, &interruption).await?
            }
        };
        describe(&mut step.report, context, project, &run);
        let page = link(context, project, &run.id);
        step.say(&format!("run {} of {}: {page}", run.number, words.what));
        let requested = Requested {
            writer,
            project,
            place: &self.place,
            commit: &self.marker.commit,
        };
        let follow = Follow {
            context,
            project,
            words,
            requested: Some(requested),
            interruption: Some(interruption),
            timeout,
        };
        follow.to_its_end(step, interrupts, run).await
    }

    fn search(&self) -> Search<'_> {
        Search {
            context: self.context,
            command: &self.command,
            marker: &self.marker,
            project: &self.project,
        }
    }

    fn result_of(&self, step: &mut Step, followed: &Followed) -> Result<()> {
        let (run, what) = (&followed.run, &self.words.what);
        let status = &run.statuses.execution_status;
        if *status == ExecutionStatus::Succeeded {
            return Ok(());
        }
        let end = End::of(&followed.tail.excerpt());
        let code = match end.exit {
            Some(exit) => format!(", with exit code {}", exit as u8),
            None => String::new(),
        };
        let exit = end.exit.unwrap_or(Exit::Failed);
        let failure = CommandError::new(
            exit,
            format!(
                "run {} of {what} ended as `{}`{code}",
                run.number,
                status.word()
            ),
        )
        .hint(end.hint);
        let told = end.causes.into_iter().map(CommandError::message);
        let failure = told.fold(failure, |failure, cause| cause.context(failure));
        Err(followed.failure(step, failure))
    }
}

/// What the last lines of a run's log say about its end.
#[derive(Debug, PartialEq, Eq)]
struct End {
    exit: Option<Exit>,
    /// Its error and the causes, outermost first.
    causes: Vec<String>,
    hint: String,
}

impl End {
    fn of(lines: &[String]) -> Self {
        let last = |start: &str| {
            let mut lines = lines.iter().rev();
            lines
                .find_map(|line| line.strip_prefix(start))
                .map(str::to_owned)
        };
        let exit = last(LAST_LINE).and_then(|code| Exit::of_code(code.trim().parse().ok()?));
        let is_missing = |line: &String| {
            line.contains("promote-stage: command not found")
                || line.contains("promote-stage: not found")
        };
        let hint = match last("hint: ") {
            Some(hint) => hint,
            None if exit.is_none() && lines.iter().any(is_missing) => {
                "the compute environment of the run lacks the program: add `RUN pip install domino-deploy==…` with \
                 this release to its Dockerfile (docs/operations.md)"
                    .into()
            }
            None => "the run's log says why".into(),
        };
        Self {
            exit: exit.filter(|exit| *exit != Exit::Done),
            causes: causes(lines),
            hint,
        }
    }
}

/// The last error among these lines, and its causes.
fn causes(lines: &[String]) -> Vec<String> {
    let Some(at) = lines.iter().rposition(|line| line.starts_with("error: ")) else {
        return Vec::new();
    };
    let error = lines[at].strip_prefix("error: ").into_iter();
    let caused_by = lines[at + 1..].iter();
    let caused_by = caused_by.map_while(|line| line.strip_prefix("  caused by: "));
    error.chain(caused_by).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(lines: &[&str]) -> End {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        End::of(&lines)
    }

    #[test]
    fn the_last_line_tells_how_the_program_ended() {
        let told = end(&[
            "error: version 7 of `wine` may not enter stage `prod`: 0 of 1 gates hold",
            "  caused by: soak: not yet",
            "hint: wait",
            "promote-stage ended with exit code 7",
        ]);
        assert_eq!(told.exit, Some(Exit::NotApproved));
        assert_eq!(told.hint, "wait");
        assert!(told.causes[0].starts_with("version 7"), "{told:?}");
        assert_eq!(told.causes[1..], ["soak: not yet"]);
        for lines in [
            &["promote-stage ended with exit code 200"][..],
            &["promote-stage ended with exit code 0"],
            &["Killed"],
            &[],
        ] {
            assert_eq!(end(lines).exit, None, "{lines:?}");
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_named_with_what_brings_it() {
        for line in [
            "bash: line 1: promote-stage: command not found",
            "/bin/sh: 1: promote-stage: not found",
        ] {
            assert!(end(&[line]).hint.contains("RUN pip install"), "{line}");
        }
        assert_eq!(end(&["Killed"]).hint, "the run's log says why");
    }
}
