//! The questions of a policy that a request answers, before anybody is asked: by the sheet and the lineage of the version,
//! and by its smoke test. An answer that is there already is not given again.

use std::collections::BTreeMap;

use domino_core::api::governance::{Answer, Bundle, NewAnswers, Policy, Question};
use domino_core::choice::choose;
use domino_core::client::{ApiError, Writer, write_once};
use domino_core::error::{CommandError, Context as _, Result};
use domino_core::smoke_test_before::SmokeTestBefore;
use domino_core::step::{ChangeKind, Plan, Step, StepContext};
use domino_core::version_identity::VersionIdentity;

use super::report::SheetFile;
use crate::candidate::Candidate;
use crate::gates::governance::Governed;
use crate::gates::metrics;
use crate::gates::result::GateReport;
use crate::lineage::Lineage;
use crate::sheet::Sheet;

/// What the people who approve are given before they are asked.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) answers: Vec<(Question, String)>,
    pub(crate) file: Option<SheetFile>,
    tested: Option<SmokeTestBefore>,
}

impl Evidence {
    /// What the stage asks for, as far as there is something to say.
    pub(crate) fn of(
        context: &StepContext,
        candidate: &Candidate<'_>,
        governed: &Governed,
    ) -> Result<Self, CommandError> {
        let tested = smoke_test(context, candidate)?;
        let policy = governed.whole.as_ref();
        let answers = answers(context, candidate, policy, tested.as_ref())?;
        Ok(Self {
            answers,
            file: SheetFile::of(context, candidate, || sheet(context, candidate)),
            tested,
        })
    }

    /// What the smoke test said that is told a run.
    pub(crate) fn smoke_test(&self) -> Option<&str> {
        match &self.tested {
            Some(SmokeTestBefore::Passed(said)) => Some(said),
            _ => None,
        }
    }

    /// Adds what is given to the plan.
    pub(crate) fn describe(&self, view: &mut Plan) {
        for (question, _) in &self.answers {
            let text = format!(
                "the answer to `{}`, before anybody is asked",
                question.label
            );
            view.change(ChangeKind::Create, text);
        }
        if let Some(file) = &self.file {
            view.change(ChangeKind::Create, file.planned());
        }
    }

    /// Says which question stays open because nothing answers it.
    pub(crate) fn warn(&self, step: &mut Step, stage: &str) {
        if let Some(SmokeTestBefore::Unknown(why)) = &self.tested {
            let text = format!(
                "`smoke-test` in `[stage.{stage}.gates.evidence]` is not answered, and nothing is submitted for it: {why}"
            );
            step.warn(&text, None);
        }
    }
}

/// What the smoke test of the version said in the stage before, if the stage asks for that: in a run what the step told
/// it, which had the receipts.
fn smoke_test(
    context: &StepContext,
    candidate: &Candidate<'_>,
) -> Result<Option<SmokeTestBefore>, CommandError> {
    if context.stage.gates.evidence.smoke_test.is_none() {
        return Ok(None);
    }
    if let Some(told) = candidate.told.smoke_test() {
        return Ok(Some(SmokeTestBefore::Passed(told.to_owned())));
    }
    let (before, model) = (&candidate.before.name, &candidate.target.model.name);
    let version = VersionIdentity::of(&candidate.version);
    SmokeTestBefore::of(before, model, &version).map(Some)
}

/// The sheet and the lineage, for people who have nothing else before them.
fn sheet(context: &StepContext, candidate: &Candidate<'_>) -> String {
    let lineage = Lineage::of_candidate(&context.file, candidate, None);
    metrics_sheet(candidate) + &lineage.markdown()
}

fn metrics_sheet(candidate: &Candidate<'_>) -> String {
    let report = GateReport {
        gates: metrics::evaluate(candidate),
        ..GateReport::default()
    };
    Sheet::of(candidate).markdown(candidate, &report)
}

/// The questions that are answered, each with the answer.
fn answers(
    context: &StepContext,
    candidate: &Candidate<'_>,
    policy: Option<&Policy>,
    tested: Option<&SmokeTestBefore>,
) -> Result<Vec<(Question, String)>, CommandError> {
    let evidence = &context.stage.gates.evidence;
    let Some(policy) = policy else {
        return Ok(Vec::new());
    };
    let questions = policy.questions();
    let question = |key: &str, wanted: &Option<String>| {
        let Some(wanted) = wanted else {
            return Ok(None);
        };
        let stage = context.stage.name.as_str();
        let path = ["stage", stage, "gates", "evidence", key];
        let chosen = match questions.is_empty() {
            true => Err(CommandError::refused(format!(
                "policy `{}` asks no question that takes an answer",
                policy.name
            ))),
            false => choose(&questions, wanted, "question"),
        };
        let chosen = chosen.map_err(|failure| failure.at(&context.file, &path))?;
        if !chosen.takes_text() {
            return Err(CommandError::refused(format!(
                "question `{}` of policy `{}` takes no text: it is a `{}`",
                chosen.label, policy.name, chosen.form
            ))
            .hint("name a question of the policy that is answered by a text")
            .at(&context.file, &path));
        }
        Ok::<_, CommandError>(Some(chosen.clone()))
    };
    let mut answers = Vec::new();
    if let Some(question) = question("metrics", &evidence.metrics)? {
        answers.push((question, metrics_sheet(candidate)));
    }
    if let Some(question) = question("lineage", &evidence.lineage)? {
        let lineage = Lineage::of_candidate(&context.file, candidate, None);
        answers.push((question, lineage.markdown()));
    }
    if let Some(question) = question("smoke-test", &evidence.smoke_test)?
        && let Some(SmokeTestBefore::Passed(said)) = tested
    {
        let (name, number) = (candidate.target.name, candidate.number());
        let stage = &candidate.before.name;
        let answer = format!("Smoke test of {name} version {number} in stage `{stage}`: {said}");
        answers.push((question, answer));
    }
    Ok(answers)
}

/// Submits the answers that the bundle does not have yet, once each.
pub(crate) async fn submit(
    step: &mut Step,
    writer: &Writer,
    governed: &Governed,
    bundle: &Bundle,
    answers: &[(Question, String)],
) -> Result<()> {
    if answers.is_empty() {
        return Ok(());
    }
    let reader = writer.reader();
    let policy = &governed.policy.id;
    let known = reader.latest_answers(&bundle.id, policy).await;
    let known = known.context("nobody was asked: what the bundle answers cannot be read")?;
    let mut sets: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for (question, answer) in answers {
        if !has(&known, &question.id, answer) {
            let set = sets.entry(&question.evidence).or_default();
            set.insert(&question.id, answer);
        }
    }
    for (evidence_id, content) in sets {
        let new = NewAnswers {
            bundle_id: &bundle.id,
            policy_id: policy,
            evidence_id,
            content,
        };
        let submitted = write_once(
            reader.delay_scale(),
            async || writer.submit_answers(&new).await,
            async || -> Result<Option<()>, ApiError> {
                let known = reader.latest_answers(&bundle.id, policy).await?;
                let mut wanted = new.content.iter();
                Ok(wanted
                    .all(|(id, answer)| has(&known, id, answer))
                    .then_some(()))
            },
        );
        submitted
            .await
            .context("nobody was asked: the questions of the policy could not be answered")?;
    }
    let labels: Vec<&str> = answers
        .iter()
        .map(|(question, _)| question.label.as_str())
        .collect();
    step.report.fact("answered", labels.join("; "));
    Ok(())
}

fn has(known: &[Answer], question: &str, answer: &str) -> bool {
    let mut known = known.iter();
    known.any(|known| known.artifact_id == question && known.artifact_content == answer)
}
