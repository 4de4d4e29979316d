//! The results of a stage's gates together, for a candidate that each of them evaluates.

use std::time::Duration;

use domino_core::api::registered_models::VersionNumber;
use domino_core::serving::Serving;
use serde_json::json;

use super::*;
use crate::candidate::tests::{NOW, candidate, context};
use crate::gates::result::GateResult;
use crate::measurements::tests::one;
use crate::people::People;
use crate::record::Record;
use crate::record::tests::record;
use crate::record::{Status, demoted_key};
use crate::registry::tests::version;

const NOWHERE: &str = "http://127.0.0.1:1";
const HOUR: i64 = 3_600_000;

fn verdicts(report: &GateReport) -> Vec<(&'static str, Verdict)> {
    let gates = report.gates.iter();
    gates.map(|result| (result.gate, result.verdict)).collect()
}

#[tokio::test]
async fn every_gate_that_the_stage_has_is_asked() {
    let context = context(NOWHERE, "", "soak = \"1h\"");
    let mut seven = candidate(&context, version(7, "Staging", json!({})));
    seven.measured.remark = Some("two models".into());
    let report = evaluate(&context, &seven).await.unwrap();
    assert_eq!(
        verdicts(&report),
        [
            ("metric rule", Verdict::Holds),
            ("soak time", Verdict::Holds)
        ]
    );
    assert_eq!(report.remarks, ["two models"]);
    assert!(report.all_hold());
    // Nobody can be asked, because this Domino does not exist.
    let context = crate::candidate::tests::context(
        NOWHERE,
        "",
        "domino-approval = \"review\"\nreviewers = [\"cleo\"]",
    );
    let seven = candidate(&context, version(7, "Staging", json!({})));
    assert!(evaluate(&context, &seven).await.is_err());
}

fn report(gates: impl IntoIterator<Item = GateResult>) -> GateReport {
    GateReport {
        gates: gates.into_iter().collect(),
        ..GateReport::default()
    }
}

#[test]
fn a_refusal_says_what_decides_and_what_to_do() {
    let context = context(NOWHERE, "", "");
    let seven = candidate(&context, version(7, "Staging", json!({})));
    let held = || GateResult::holds("soak time", "long enough");
    let waits = || GateResult::not_yet("approval in Domino", "nobody has asked");
    let never = |gate| GateResult::never(gate, "it will not");
    for (closed, causes, hint) in [
        (
            vec![held(), waits()],
            vec!["approval in Domino: nobody has asked"],
            "wait for them with `--wait`",
        ),
        (
            vec![waits(), held(), never("own work").hint("train it again")],
            vec![
                "approval in Domino: nobody has asked",
                "own work: it will not",
            ],
            "train it again",
        ),
        (
            vec![never(metrics::GATE)],
            vec!["metric rule: it will not"],
            "waiting does not help",
        ),
    ] {
        let holding = closed.iter().filter(|gate| **gate == held()).count();
        let words = format!(
            "version 7 of `wine` may not enter stage `prod`: {holding} of {} gates hold",
            closed.len()
        );
        let error = refusal(&report(closed), &context, &seven);
        assert_eq!(error.to_string(), words);
        assert_eq!(error.exit(), Exit::NotApproved);
        assert_eq!(error.causes().collect::<Vec<_>>(), causes);
        assert!(error.to_do().unwrap().contains(hint), "{error:?}");
    }
    let key = |gate| key(&report([never(gate)]), &seven);
    assert_eq!(key("soak time"), ["stage", "prod", "gates"]);
    assert_eq!(key(metrics::GATE), ["model", "wine", "metric-rules"]);
}

#[test]
fn a_stage_with_one_gate_has_not_none() {
    assert!(has_none(&context(NOWHERE, "", "").stage.gates));
    assert!(!has_none(
        &context(NOWHERE, "", "soak = \"1h\"").stage.gates
    ));
}

#[test]
fn a_version_that_nobody_trained_is_refused_where_somebody_approves_it() {
    let github = "approvers = [\"cleo\"]";
    for (lines, gates, by, verdict, remarks) in [
        (
            github,
            "github-approval = true",
            None,
            Some(Verdict::Never),
            0,
        ),
        (
            "",
            "domino-approval = \"governance\"\npolicy = \"release\"",
            None,
            Some(Verdict::Never),
            0,
        ),
        (
            "approvers = [\"cleo\"]\nself-approval = \"warn\"",
            "github-approval = true",
            None,
            None,
            1,
        ),
        (
            "",
            "domino-approval = \"review\"\nreviewers = [\"cleo\"]",
            None,
            None,
            0,
        ),
        ("", "", None, None, 0),
        (github, "github-approval = true", Some("ada"), None, 0),
    ] {
        let context = context(NOWHERE, lines, gates);
        let tags = by.map_or(json!({}), |by| json!({"mlflow.user": by}));
        let seven = version(7, "Staging", tags);
        let mut candidate = candidate(&context, seven.clone());
        candidate.people = People::of(&seven, None, None);
        let report = own_work::evaluate(&candidate);
        let told = report.gates.first().map(|result| result.verdict);
        assert_eq!((told, report.remarks.len()), (verdict, remarks), "{gates}");
    }
}

#[test]
fn every_rule_of_the_model_is_judged() {
    let context = context(NOWHERE, "", "");
    let mut seven = candidate(&context, version(7, "Staging", json!({})));
    let verdict = |seven: &Candidate<'_>| {
        let results = metrics::evaluate(seven);
        assert_eq!(results.len(), 1);
        results[0].verdict
    };
    assert_eq!(verdict(&seven), Verdict::Holds);
    seven.measured = one("rmse", 1.5);
    assert_eq!(verdict(&seven), Verdict::Never);
    assert!(metrics::remarks(&seven).is_empty());
    seven.measured.remark = Some("two models".into());
    assert_eq!(metrics::remarks(&seven), ["two models"]);
    seven.target.metric_rules = &[];
    assert!(metrics::remarks(&seven).is_empty());
    assert!(metrics::evaluate(&seven).is_empty());
}

#[test]
fn the_soak_time_counts_from_when_the_version_came() {
    let context = context(NOWHERE, "", "");
    let of = |seven| candidate(&context, seven);
    let in_staging = |tags| version(7, "Staging", tags);
    let entered = record(Status::Done);
    let at = entered.at_millisecond().unwrap();
    let key = Record::key("staging");
    // Without a record, the last change counts.
    assert_eq!(soak::since(&of(in_staging(json!({})))), Some(5_000));
    let tags = json!({key: entered.value().unwrap()});
    assert_eq!(soak::since(&of(in_staging(tags.clone()))), Some(at));
    // It was demoted from staging since, and whatever returned it recorded nothing.
    let mut left = tags.clone();
    left[demoted_key("staging")] = json!("rmse rose");
    assert_eq!(soak::since(&of(in_staging(left))), Some(5_000));
    // Another one was admitted after it, so it returned later than its record says.
    let later = Record {
        at: "2026-01-03T00:00:00Z".into(),
        ..entered
    };
    let later = json!({Record::key("staging"): later.value().unwrap()});
    let mut followed = of(in_staging(tags.clone()));
    followed
        .registry
        .versions
        .push(version(8, "None", later.clone()));
    assert_eq!(soak::since(&followed), Some(5_000));
    // Its own record is not another version's, however late the registry has it.
    let mut alone = of(in_staging(tags));
    alone.registry.versions = vec![in_staging(later)];
    assert_eq!(soak::since(&alone), Some(at));
    assert_eq!(soak::since(&of(version(7, "None", json!({})))), None);
    // A version in prod has left staging; its record of prod says since when it had been there.
    let promoted = json!({Record::key("prod"): record(Status::Done).value().unwrap()});
    assert_eq!(
        soak::since(&of(version(7, "Production", promoted.clone()))),
        Some(1_000)
    );
    assert_eq!(soak::since(&of(version(7, "Archived", promoted))), None);
    assert_eq!(soak::since(&of(version(7, "Production", json!({})))), None);
}

#[test]
fn without_a_stage_of_the_experiment_manager_the_endpoint_says_since_when() {
    let context = context(NOWHERE, "", "");
    let mut seven = candidate(&context, version(7, "None", json!({})));
    seven.before = context.file.stage("dev").unwrap();
    assert_eq!(soak::since(&seven), None);
    for (number, since) in [(7, Some(NOW - 2 * HOUR)), (6, None)] {
        seven.serving = Serving::Version {
            version: VersionNumber::new(number),
            endpoint: "wine-dev".into(),
            since: Some(NOW - 2 * HOUR),
        };
        assert_eq!(soak::since(&seven), since);
    }
    seven.serving = Serving::Version {
        version: seven.number(),
        endpoint: "wine-dev".into(),
        since: Some(NOW - 2 * HOUR),
    };
    let verdict = |hours: u64| {
        let wanted = Duration::from_secs(hours * 3600);
        soak::evaluate(&seven, Some(wanted)).unwrap().verdict
    };
    assert_eq!(verdict(2), Verdict::Holds);
    assert_eq!(verdict(3), Verdict::NotYet);
    assert_eq!(soak::evaluate(&seven, None), None);
}
