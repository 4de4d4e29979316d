//! The runs that an approver starts by hand: one for each stage that is entered so, after what a push deploys.
//!
//! Each is a run of its own, with an id of its own; the steps find what the stage before had in GitHub's answers.

use github_workflow::read::Workflow;
use rehearsal::github::Event;
use rehearsal::github_api::GitHubApi;
use rehearsal::runner::Runner;

use super::args::Args;
use super::attempt::Attempt;
use super::kept::{Kept, KeptFolder};
use super::kept_domino::KeptDomino;
use super::subject::Subject;

/// The input by which a person picks the stage.
const STAGE: &str = "stage";

/// The stages that are to be started by hand, in their order: none where nobody is named who starts them, or where one run
/// was asked for.
pub fn stages(subject: &Subject, args: &Args) -> Vec<String> {
    let one_run = args.stop_after.is_some() || args.input.iter().any(|(name, _)| name == STAGE);
    if args.actor.is_none() || one_run {
        return Vec::new();
    }
    let all = subject.environments.environments.iter();
    let by_hand = all.filter(|environment| !environment.starters.is_empty());
    let stages = by_hand.filter_map(|environment| environment.guards.strip_prefix("stage "));
    stages
        .map(str::to_owned)
        .filter(|stage| subject.workflows.iter().any(|one| offers(one, stage)))
        .collect()
}

/// Whether a run of this workflow can begin at a stage.
fn offers(workflow: &Workflow, stage: &str) -> bool {
    let inputs = workflow.triggers.dispatch.iter().flatten();
    let mut picks = inputs.filter(|input| input.name == STAGE);
    picks.any(|input| input.options.iter().any(|option| option == stage))
}

/// Who starts the runs by hand, and for which stages.
pub struct ByHand<'a> {
    /// The stages, in their order.
    pub stages: &'a [String],
    /// The other inputs, by name.
    pub inputs: &'a [(String, String)],
    /// Who starts them.
    pub actor: &'a str,
}

impl ByHand<'_> {
    /// Starts the runs of each stage once those before have ended well. Returns what a later attempt needs.
    ///
    /// # Errors
    /// When this machine does not allow it.
    pub fn run(
        &self,
        runner: &mut Runner,
        workflows: &[&Workflow],
        folder: &KeptFolder,
        mut kept: Kept,
        domino: &KeptDomino,
    ) -> anyhow::Result<Kept> {
        let mut runs_before = workflows.len();
        for stage in self.stages {
            if runner.report().exit_code() != 0 || runner.interrupt.asked() {
                break;
            }
            let api = self.begin(stage, runner, &mut kept)?;
            let offered = workflows.iter().filter(|one| offers(one, stage));
            let offered: Vec<&Workflow> = offered.copied().collect();
            let attempt = Attempt {
                again: None,
                actor: None,
                runs_before,
            };
            kept = attempt.run(runner, &offered, folder, kept, domino)?;
            runs_before += offered.len();
            for asked in api.unknown_questions() {
                runner.unsupported(format!("a step asked GitHub's API for `{asked}`"));
            }
        }
        Ok(kept)
    }

    /// Lets GitHub say from now on that this person started the runs for the stage.
    fn begin(
        &self,
        stage: &str,
        runner: &mut Runner,
        kept: &mut Kept,
    ) -> anyhow::Result<GitHubApi> {
        let (inputs, actor) = (self.inputs, self.actor);
        let picked = (STAGE.to_owned(), stage.to_owned());
        kept.event = Event::Dispatch {
            stop_after: None,
            inputs: inputs.iter().cloned().chain([picked]).collect(),
        };
        kept.actor = actor.to_owned();
        let told = kept.told(&runner.approvals, &runner.records, actor)?;
        let github = &mut runner.github;
        let api = GitHubApi::start(github.token.clone(), told, None)?;
        github.event = kept.event.clone();
        github.actor = actor.to_owned();
        github.api_url = api.url.clone();
        Ok(api)
    }
}
