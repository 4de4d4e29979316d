//! The questions of a policy, what a bundle answers to them, and what somebody found wrong with it.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::named::Named;
use super::{BASE, BundleId, PolicyId, all, or_default};
use crate::client::{ApiError, Reader, Writer, segment};

/// A set of questions.
#[derive(Debug, Clone, Deserialize)]
pub struct Evidence {
    /// The id that an answer names.
    pub id: String,
    /// Its questions.
    #[serde(default, deserialize_with = "or_default")]
    pub artifacts: Vec<Artifact>,
}

/// One question, a guidance or a check.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// The id that an answer names.
    pub id: String,
    /// Its kind; people answer an `input` only.
    #[serde(default)]
    pub artifact_type: String,
    /// What people see of it; the form depends on the kind.
    #[serde(default)]
    details: Value,
}

impl Artifact {
    /// The text that people see.
    pub(super) fn label(&self) -> String {
        self.detail("label")
    }

    /// How it is answered.
    pub(super) fn form(&self) -> String {
        self.detail("type")
    }

    fn detail(&self, key: &str) -> String {
        self.details[key].as_str().unwrap_or_default().to_owned()
    }
}

/// A question of a policy that is answered by a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The id of its evidence.
    pub evidence: String,
    /// Its own id.
    pub id: String,
    /// Its text.
    pub label: String,
    /// How it is answered, in Domino's word: `textarea`, `radio`.
    pub form: String,
}

impl Question {
    /// Whether a text answers it, as far as is known here: the others take a choice, a date or a number.
    pub fn takes_text(&self) -> bool {
        !matches!(
            self.form.as_str(),
            "radio" | "select" | "multiSelect" | "checkbox" | "date" | "numeric"
        )
    }
}

impl Named for Question {
    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.label
    }
}

/// The newest answer to one question.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The question's id.
    pub artifact_id: String,
    /// What was answered.
    #[serde(default)]
    pub artifact_content: Value,
}

/// Something that somebody found wrong.
#[derive(Debug, Clone, Deserialize)]
pub struct Finding {
    /// By which one that two pages of the list hold is counted once.
    #[serde(default)]
    pub id: String,
    /// What it is called.
    #[serde(default)]
    pub name: String,
    /// How grave it is, from `S0` to `S3`.
    #[serde(default)]
    pub severity: String,
    /// What is done about it, in Domino's word.
    #[serde(default)]
    pub status: String,
}

impl Finding {
    /// Whether something remains to be done about it.
    pub fn is_open(&self) -> bool {
        !matches!(self.status.as_str(), "Done" | "WontDo")
    }
}

/// Answers to submit, by the ids of their questions.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewAnswers<'a> {
    /// The bundle that answers.
    pub bundle_id: &'a BundleId,
    /// The policy that asks.
    pub policy_id: &'a PolicyId,
    /// The evidence that the questions belong to.
    pub evidence_id: &'a str,
    /// The answers.
    pub content: BTreeMap<&'a str, &'a str>,
}

impl Reader {
    /// `GET /api/governance/v1/results/latest?bundleID=&policyID=`: a bare list. Contract: governance API.
    pub async fn latest_answers(
        &self,
        bundle: &BundleId,
        policy: &PolicyId,
    ) -> Result<Vec<Answer>, ApiError> {
        let query = [("bundleID", bundle.as_str()), ("policyID", policy.as_str())];
        self.read(&format!("{BASE}/results/latest"), &query).await
    }

    /// `GET /api/governance/v1/bundles/{id}/findings`, page after page. Contract: governance API.
    pub async fn findings(&self, bundle: &BundleId) -> Result<Vec<Finding>, ApiError> {
        let path = format!("{BASE}/bundles/{}/findings", segment(bundle.as_str()));
        all(self, &path, &[], |finding: &Finding| &finding.id).await
    }
}

impl Writer {
    /// `POST /api/governance/v1/rpc/submit-result-to-policy`. Contract: governance API.
    pub async fn submit_answers(&self, new: &NewAnswers<'_>) -> Result<(), ApiError> {
        let path = format!("{BASE}/rpc/submit-result-to-policy");
        self.write_only(Method::POST, &path, Some(new)).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{body_json, method, path, query_param};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::super::Policy;
    use super::*;
    use crate::client::tests::connection;

    #[test]
    fn the_questions_of_a_policy_are_those_of_its_stages_and_approvals_that_take_an_answer() {
        let artifact = |id: &str, kind: &str| json!({"id": id, "artifactType": kind, "details": {"type": "textarea", "label": format!("{id}?")}});
        let policy: Policy = serde_json::from_value(json!({
            "id": "q1", "stages": [{
                "name": "Validation",
                "evidenceSet": [{"id": "e1", "artifacts": [artifact("a1", "input"), artifact("a2", "guidance")]}],
                "approvals": [{"id": "p1", "evidence": {"id": "e2", "artifacts": [artifact("a3", "input")]}}, {"id": "p2"}],
            }, {"name": "Sign-off", "evidenceSet": null}],
        }))
        .unwrap();
        let questions = policy.questions();
        let told: Vec<_> = questions
            .iter()
            .map(|question| (question.evidence.as_str(), question.id(), question.name()))
            .collect();
        assert_eq!(told, [("e1", "a1", "a1?"), ("e2", "a3", "a3?")]);
        let mut question = questions[0].clone();
        assert_eq!(
            (question.form.as_str(), question.takes_text()),
            ("textarea", true)
        );
        for (form, takes_text) in [
            ("radio", false),
            ("numeric", false),
            ("textinput", true),
            ("", true),
        ] {
            question.form = form.into();
            assert_eq!(question.takes_text(), takes_text, "{form}");
        }
    }

    #[tokio::test]
    async fn answers_are_submitted_and_read_by_bundle_and_policy() {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path(format!("{BASE}/rpc/submit-result-to-policy")))
            .and(body_json(json!({
                "bundleId": "b1", "policyId": "q1", "evidenceId": "e1", "content": {"a1": "0.5"},
            })))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({})))
            .expect(1)
            .mount(&server)
            .await;
        Mock::given(method("GET"))
            .and(path(format!("{BASE}/results/latest")))
            .and(query_param("bundleID", "b1"))
            .and(query_param("policyID", "q1"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!([
                {"artifactId": "a1", "artifactContent": "0.5", "isLatest": true},
            ])))
            .expect(1)
            .mount(&server)
            .await;
        let (bundle, policy) = (BundleId::new("b1"), PolicyId::new("q1"));
        let writer = connection(&server.uri()).writer();
        let new = NewAnswers {
            bundle_id: &bundle,
            policy_id: &policy,
            evidence_id: "e1",
            content: BTreeMap::from([("a1", "0.5")]),
        };
        writer.submit_answers(&new).await.unwrap();
        let known = writer.reader().latest_answers(&bundle, &policy).await;
        assert_eq!(known.unwrap()[0].artifact_content, "0.5");
    }
}
