//! The model review of Domino 5.8 to 5.11. **Unproven**: the route that requests one is known only from the published
//! templates, and no route that reads one back is known at all. It is documented that Domino sets the version's stage
//! itself when the reviewers approve, so this gate checks the stage.

use domino_core::api::mlflow::ModelStage;
use domino_core::error::{CommandError, Result};
use domino_core::step::StepContext;

use super::result::{GateReport, GateResult};
use crate::candidate::Candidate;

/// The name of this gate.
const GATE: &str = "review in Domino";
/// Added wherever the gate is used.
pub(crate) const UNPROVEN: &str =
    "the model reviews of Domino 5.8 to 5.11 are unproven here: no specification describes them";

/// The tag that says that a review was requested; Domino has no route that tells it.
pub(crate) fn requested_key(stage: &str) -> String {
    format!("promote.review.{stage}")
}

/// Holds if a review was requested and the version is in the stage, where Domino moves it when the reviewers approve.
pub(crate) async fn evaluate(
    context: &StepContext,
    candidate: &Candidate<'_>,
) -> Result<GateReport> {
    refuse_where_there_are_none(context).await?;
    let target = &candidate.target.model_stage;
    let asked = candidate
        .version
        .tags
        .get(&requested_key(&candidate.target.stage.name));
    let result = evaluate_rule(candidate.is_in_stage(), asked.map(String::as_str), target);
    Ok(GateReport {
        remarks: vec![UNPROVEN.into()],
        ..result.into()
    })
}

fn evaluate_rule(is_in_stage: bool, asked: Option<&str>, target: &ModelStage) -> GateResult {
    match (is_in_stage, asked) {
        (true, Some(at)) => GateResult::holds(
            GATE,
            format!(
                "asked for at {at}; the version is in `{target}`, where Domino puts it when its reviewers approve"
            ),
        ),
        (true, None) => GateResult::never(
            GATE,
            format!("the version is in `{target}`, but nobody has asked for a review of it"),
        )
        .hint(format!(
            "somebody put it there: take it out of `{target}` in Domino, and ask with `promote-stage request`"
        )),
        (false, Some(at)) => GateResult::not_yet(
            GATE,
            format!("asked for at {at}; Domino has not put the version into `{target}` yet"),
        ),
        (false, None) => GateResult::not_yet(GATE, "nobody has asked for it"),
    }
}

/// Domino 6 has governance instead of reviews, and no longer has their routes.
pub(crate) async fn refuse_where_there_are_none(context: &StepContext) -> Result<()> {
    let version = context.connection.reader().version().await?;
    if has_reviews(&version.version) {
        return Ok(());
    }
    Err(no_reviews(context, &version.version))
}

/// The error: the deployment has no reviews.
pub(crate) fn no_reviews(context: &StepContext, version: &str) -> CommandError {
    let key = [
        "stage",
        context.stage.name.as_str(),
        "gates",
        "domino-approval",
    ];
    CommandError::refused(format!(
        "this Domino ({version}) has no model reviews, which 5.8 to 5.11 have"
    ))
    .hint("change `domino-approval`: Domino 6 has `governance`")
    .at(&context.file, &key)
}

/// Whether a version of Domino has reviews. An unreadable version is not ruled out.
fn has_reviews(version: &str) -> bool {
    let mut parts = version.split(['.', '-']).map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => major == 5 && minor >= 8,
        (Some(Ok(major)), _) => major == 5,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::path;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::candidate::tests::{candidate, context};
    use crate::gates::result::Verdict;
    use crate::registry::tests::version;

    /// The gate's answer for a version with these tags, in a Domino of that version.
    async fn answer(domino: &str, stage: &str, tags: serde_json::Value) -> Result<GateReport> {
        let server = MockServer::start().await;
        let reply = ResponseTemplate::new(200).set_body_json(json!({"version": domino}));
        Mock::given(path("/version"))
            .respond_with(reply)
            .mount(&server)
            .await;
        let context = context(
            &server.uri(),
            "",
            "domino-approval = \"review\"\nreviewers = [\"cleo\"]",
        );
        evaluate(&context, &candidate(&context, version(7, stage, tags))).await
    }

    #[tokio::test]
    async fn only_a_domino_with_reviews_is_asked_and_what_it_said_is_unproven() {
        let asked = json!({"promote.review.prod": "noon"});
        let given = answer("5.11.0", "Production", asked.clone()).await.unwrap();
        assert!(given.all_hold());
        assert_eq!(given.remarks, [UNPROVEN]);
        let waits = answer("5.11.0", "Staging", asked.clone()).await.unwrap();
        assert!(waits.waits_for().starts_with("asked for at noon"));
        let elsewhere = json!({"promote.review.staging": "noon"});
        let nobody = answer("5.11.0", "Staging", elsewhere).await.unwrap();
        assert_eq!(nobody.waits_for(), "nobody has asked for it");
        let none = answer("6.1.0", "Production", asked).await.unwrap_err();
        assert!(
            none.to_string()
                .starts_with("this Domino (6.1.0) has no model reviews")
        );
    }

    #[test]
    fn being_in_the_stage_is_an_approval_only_of_what_was_asked_for() {
        let verdict =
            |is_in_stage, asked| evaluate_rule(is_in_stage, asked, &ModelStage::Production).verdict;
        assert_eq!(verdict(true, Some("noon")), Verdict::Holds);
        assert_eq!(verdict(true, None), Verdict::Never);
        assert_eq!(verdict(false, Some("noon")), Verdict::NotYet);
        assert_eq!(verdict(false, None), Verdict::NotYet);
    }

    #[test]
    fn reviews_are_what_five_eight_to_five_eleven_have() {
        for version in ["5.8.0", "5.9", "5.11.2-rc1", "5", "5.x"] {
            assert!(has_reviews(version), "{version}");
        }
        for version in ["5.7.1", "6.0.0", "6.3", "4.6", "4.8", "6", "6.x"] {
            assert!(!has_reviews(version), "{version}");
        }
        assert!(has_reviews("develop"));
    }
}
