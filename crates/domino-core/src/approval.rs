//! The approval that a stage with `approvers` requires before anything is written to it: read from GitHub while the
//! plan is made, and required before the first write.
//!
//! Away from GitHub nobody can be asked; a note says so, and nothing is stopped.

use stage_file::Stage;

use crate::client::Connection;
use crate::error::{CommandError, Exit, Result};
use crate::github::{ApprovalRules, RunApproval, RunReview, StarterRules, WorkflowRun};
use crate::receipt::GivenApproval;
use crate::rerun::is_rerun;
use crate::step::{Plan, Step, StepContext};
use crate::variable::{is_on_github, variable};

/// What is known about the approval for a stage.
#[derive(Debug)]
pub struct Approval(State);

/// Whether an approval is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Yes, and it is read while the plan is made.
    Now,
    /// Later: this time nothing is written.
    Later,
    /// No: something else requires the same, or the work must not wait for anybody.
    Never,
}

impl Ask {
    /// When a verb that deploys to a stage requires one.
    pub fn unless(dry_run: bool) -> Self {
        match dry_run {
            true => Self::Later,
            false => Self::Now,
        }
    }
}

#[derive(Debug)]
enum State {
    /// The stage has no approvers, or this step does not need them.
    NotNeeded,
    /// This is not a step on GitHub, so nobody could be asked.
    NotAsked(String),
    /// Nothing is written now, so nobody is asked.
    ForLater(String),
    Known(RunApproval),
    Unknown(CommandError),
}

impl Approval {
    /// Makes a plan, and at the same time asks GitHub who approved this workflow run. If that could not be read, it
    /// is an error only once something is to be written.
    pub async fn beside<T>(
        plan: impl Future<Output = Result<T>>,
        context: &StepContext,
        ask: Ask,
    ) -> Result<(T, Self)> {
        let approval = async { Ok(Self::of(&context.stage, &context.connection, ask).await) };
        tokio::try_join!(plan, approval)
    }

    async fn of(stage: &Stage, connection: &Connection, ask: Ask) -> Self {
        let environment = &stage.github_environment;
        let who = match &stage.approvers[..] {
            [] => return Self(State::NotNeeded),
            approvers => quoted(approvers),
        };
        let (is, must) = match stage.is_entered_by_hand() {
            true => (
                format!("a run is started by hand by {who}"),
                format!(
                    "the run must be started by hand by {who}, and not by who wrote the commit"
                ),
            ),
            false => (
                format!("environment `{environment}` is approved by {who}"),
                format!("environment `{environment}` must be approved by {who}"),
            ),
        };
        Self(match (ask, is_on_github()) {
            (Ask::Never, _) => State::NotNeeded,
            (_, false) => State::NotAsked(format!(
                "not asked for, because this is no workflow run on GitHub: {is}"
            )),
            (Ask::Later, true) => {
                State::ForLater(format!("asked for before anything is written: {must}"))
            }
            (Ask::Now, true) => match read(stage, connection).await {
                Ok(approval) => State::Known(approval),
                Err(error) => State::Unknown(error),
            },
        })
    }

    /// The same from what another step read from GitHub: who approved, and who started the workflow run.
    pub fn of_reviews(
        stage: &Stage,
        reviews: &[RunReview],
        started_by: Option<&str>,
        is_rerun: bool,
    ) -> Self {
        if stage.approvers.is_empty() {
            return Self(State::NotNeeded);
        }
        Self(State::Known(evaluated(
            stage, reviews, started_by, is_rerun,
        )))
    }

    /// Who gave it, by their logins.
    pub fn given_by(&self) -> &[String] {
        match &self.0 {
            State::Known(RunApproval::Given { by, .. }) => by,
            _ => &[],
        }
    }

    /// The same as a receipt has it.
    pub fn given(&self, stage: &Stage) -> Vec<GivenApproval> {
        let given_by = self.given_by().iter();
        let approval = |by: &String| GivenApproval {
            by: by.clone(),
            r#where: format!("GitHub environment {}", stage.github_environment),
            at: None,
        };
        given_by.map(approval).collect()
    }

    /// Adds what is known to a plan.
    pub fn describe(&self, plan: &mut Plan) {
        match &self.0 {
            State::NotNeeded => {}
            State::NotAsked(text) | State::ForLater(text) => {
                plan.fact("approval", text);
            }
            State::Known(
                RunApproval::Given { reason, .. }
                | RunApproval::Missing { reason }
                | RunApproval::Refused { reason, .. },
            ) => {
                plan.fact("approval", reason);
            }
            State::Unknown(_) => {
                plan.fact("approval", "not known");
            }
        }
    }

    /// Allows the first write, or says why not.
    pub fn require(&self, step: &mut Step, context: &StepContext) -> Result<()> {
        let StepContext { file, stage, .. } = context;
        let environment = &stage.github_environment;
        let (reason, hint) = match &self.0 {
            State::NotNeeded | State::ForLater(_) => return Ok(()),
            State::NotAsked(text) => {
                step.warn(&format!("approval {text}"), None);
                return Ok(());
            }
            State::Known(RunApproval::Given { by, remarks, .. }) => {
                for remark in remarks {
                    step.warn(remark, None);
                }
                step.report.fact("approved by", by.join(", "));
                return Ok(());
            }
            State::Known(RunApproval::Missing { reason }) => (
                reason,
                format!(
                    "give the job `environment: {environment}`, and that environment its required reviewers on GitHub: \
                     then the job waits until one of them approves"
                ),
            ),
            State::Known(RunApproval::Refused { reason, hint }) => (reason, (*hint).to_owned()),
            State::Unknown(error) => return Err(error.clone().context(nothing_written(stage))),
        };
        Err(CommandError::new(Exit::NotApproved, reason)
            .context(nothing_written(stage))
            .hint(hint)
            .at(file, &["stage", &stage.name, "approvers"]))
    }
}

fn nothing_written(stage: &Stage) -> String {
    format!(
        "stage `{}` wants an approval, so nothing was written",
        stage.name
    )
}

async fn read(stage: &Stage, connection: &Connection) -> Result<RunApproval> {
    let run = WorkflowRun::of_this_step(connection, variable)?;
    if stage.is_entered_by_hand() {
        let own_work = &|_: &str| None;
        return run
            .started_by_approver(StarterRules { stage, own_work })
            .await;
    }
    let reviews = run.reviews().await?;
    // Whoever runs it again is not its author: GitHub names that person in `GITHUB_TRIGGERING_ACTOR`.
    let started_by = variable("GITHUB_ACTOR");
    Ok(evaluated(
        stage,
        &reviews,
        started_by.as_deref(),
        is_rerun(),
    ))
}

fn evaluated(
    stage: &Stage,
    reviews: &[RunReview],
    started_by: Option<&str>,
    is_rerun: bool,
) -> RunApproval {
    // Whoever starts such a run is its approver; that it is not their own work was asked before.
    let started_by = started_by.filter(|_| !stage.is_entered_by_hand());
    let is_author =
        |login: &str| started_by.is_some_and(|actor| actor.to_lowercase() == login.to_lowercase());
    let rules = ApprovalRules {
        environment: &stage.github_environment,
        approvers: &stage.approvers,
        own_work: &|login| is_author(login).then_some(STARTED),
        self_approval: stage.self_approval,
        is_rerun,
    };
    rules.evaluate(reviews)
}

/// How an approver is described who also started the run.
pub const STARTED: &str = "who started this workflow run";

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(" or ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use stage_file::StageFile;

    use super::*;
    use crate::client::tests::connection;
    use crate::step::{Format, Subject};

    fn context() -> StepContext {
        let text = "
            [defaults]
            host = \"domino.example.com\"
            project = \"a/b\"
            [stage.prod]
            hardware-tier = \"p\"
            github-environment = \"production\"
            approvers = [\"ann\", \"team:leads\"]
        ";
        let file = StageFile::read(text, Path::new("stages.toml")).unwrap();
        StepContext {
            stage: file.stages[0].clone(),
            file,
            connection: connection("http://127.0.0.1:1"),
        }
    }

    fn given() -> State {
        State::Known(RunApproval::Given {
            reason: "given by ann".into(),
            by: vec!["ann".into(), "bob".into()],
            remarks: vec!["ann started it".into()],
        })
    }

    fn missing() -> State {
        let reason = "nobody has approved".into();
        State::Known(RunApproval::Missing { reason })
    }

    #[test]
    fn what_another_step_asked_is_judged_by_the_same_rules() {
        let context = context();
        let review = |user: &str| RunReview {
            decision: crate::github::ReviewDecision::Approved,
            user: user.into(),
            environments: vec!["production".into()],
        };
        let told = |reviews: &[RunReview], started_by, stage: &Stage| {
            Approval::of_reviews(stage, reviews, started_by, false)
        };
        let by = |approval: &Approval| approval.given_by().to_vec();
        let given = told(&[review("ann")], Some("ben"), &context.stage);
        assert_eq!(by(&given), ["ann"]);
        for approval in [
            told(&[], Some("ben"), &context.stage),
            told(&[review("Ann")], Some("ann"), &context.stage),
        ] {
            assert!(by(&approval).is_empty(), "{approval:?}");
            assert!(!matches!(approval.0, State::NotNeeded), "{approval:?}");
        }
        let nobody = Stage {
            approvers: Vec::new(),
            ..context.stage.clone()
        };
        assert!(matches!(told(&[], None, &nobody).0, State::NotNeeded));
    }

    fn refused() -> State {
        State::Known(RunApproval::Refused {
            reason: "ann rejected it".into(),
            hint: "talk to them",
        })
    }

    /// What the first write is told: the notes of a step that may write, with who approved; otherwise the error.
    fn required(state: State) -> Result<(Vec<String>, Option<String>)> {
        let subject = Subject {
            program: "deploy-app",
            verb: "publish",
            entity: "dashboard".into(),
            stage: "prod".into(),
        };
        let mut step = Step::begin(subject, Format::Text);
        Approval(state).require(&mut step, &context())?;
        let mut facts = step.report.facts.into_iter();
        let approved_by = facts.find(|fact| fact.name == "approved by");
        Ok((step.report.notes, approved_by.map(|fact| fact.value)))
    }

    #[test]
    fn only_an_approval_that_is_given_or_not_needed_lets_a_write_pass() {
        let nothing = (Vec::new(), None);
        assert_eq!(required(State::NotNeeded).unwrap(), nothing);
        assert_eq!(required(State::ForLater("later".into())).unwrap(), nothing);
        let (notes, by) = required(State::NotAsked("not asked for".into())).unwrap();
        assert_eq!((notes, by), (vec!["approval not asked for".into()], None));
        let (notes, by) = required(given()).unwrap();
        assert_eq!(notes, ["ann started it"]);
        assert_eq!(by.as_deref(), Some("ann, bob"));
        for (state, exit, cause, hint) in [
            (
                missing(),
                Exit::NotApproved,
                "nobody has approved",
                "`environment: production`",
            ),
            (
                refused(),
                Exit::NotApproved,
                "ann rejected it",
                "talk to them",
            ),
            (
                State::Unknown(CommandError::refused("no token").hint("give one")),
                Exit::Refused,
                "no token",
                "give one",
            ),
        ] {
            let error = required(state).unwrap_err();
            assert_eq!(error.exit(), exit);
            assert_eq!(
                error.to_string(),
                "stage `prod` wants an approval, so nothing was written"
            );
            assert!(error.causes().any(|told| told == cause), "{error:?}");
            assert!(error.to_do().unwrap().contains(hint), "{error:?}");
        }
    }

    #[test]
    fn a_plan_tells_what_is_known_of_the_approval() {
        let told = |state| {
            let mut plan = Plan::new("publish");
            Approval(state).describe(&mut plan);
            let mut facts = plan.facts.into_iter();
            facts.next().map(|fact| (fact.name, fact.value))
        };
        let approval = |value: &str| Some(("approval", value.to_owned()));
        assert_eq!(told(State::NotNeeded), None);
        assert_eq!(told(State::NotAsked("no".into())), approval("no"));
        assert_eq!(told(State::ForLater("later".into())), approval("later"));
        assert_eq!(told(given()), approval("given by ann"));
        assert_eq!(told(missing()), approval("nobody has approved"));
        assert_eq!(told(refused()), approval("ann rejected it"));
        let unknown = State::Unknown(CommandError::refused("no token"));
        assert_eq!(told(unknown), approval("not known"));
    }

    #[tokio::test]
    async fn who_may_approve_is_named_before_anybody_is_asked() {
        let StepContext {
            mut stage,
            connection,
            ..
        } = context();
        let Approval(state) = Approval::of(&stage, &connection, Ask::Later).await;
        let (State::NotAsked(told) | State::ForLater(told)) = state else {
            panic!("{state:?}");
        };
        assert!(told.contains("environment `production`"), "{told}");
        assert!(
            told.ends_with("approved by `ann` or `team:leads`"),
            "{told}"
        );
        let never = Approval::of(&stage, &connection, Ask::Never).await;
        assert!(matches!(never.0, State::NotNeeded));
        stage.approvers.clear();
        let nobody = Approval::of(&stage, &connection, Ask::Now).await;
        assert!(matches!(nobody.0, State::NotNeeded));
    }
}
