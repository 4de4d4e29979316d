//! The questions of a policy that a request answers, before anybody is asked: the sheet and the lineage of the version.
//! An answer that is there already is not given again.

use std::collections::BTreeMap;

use domino_core::api::governance::{Answer, Bundle, NewAnswers, Policy, Question};
use domino_core::choice::choose;
use domino_core::client::{ApiError, Writer, write_once};
use domino_core::error::{CommandError, Context as _, Result};
use domino_core::step::{Step, StepContext};

use crate::candidate::Candidate;
use crate::gates::governance::Governed;
use crate::gates::metrics;
use crate::gates::result::GateReport;
use crate::lineage::Lineage;
use crate::sheet::Sheet;

/// The questions that are answered, each with the answer.
pub(crate) fn answers(
    context: &StepContext,
    candidate: &Candidate<'_>,
    policy: Option<&Policy>,
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
        Ok::<_, CommandError>(Some(chosen.clone()))
    };
    let mut answers = Vec::new();
    if let Some(question) = question("metrics", &evidence.metrics)? {
        let report = GateReport {
            gates: metrics::evaluate(candidate),
            ..GateReport::default()
        };
        answers.push((question, Sheet::of(candidate).markdown(candidate, &report)));
    }
    if let Some(question) = question("lineage", &evidence.lineage)? {
        let lineage = Lineage::of_candidate(&context.file, candidate, None);
        answers.push((question, lineage.markdown()));
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
