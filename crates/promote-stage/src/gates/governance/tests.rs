//! Bundles, approvals and gates of every kind, and their verdict on version 7 before `prod`.

use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::candidate::tests::{candidate, context};
use crate::gates::result::Verdict;
use crate::registry::tests::version;

const GATES: &str = "domino-approval = \"governance\"\npolicy = \"release\"";
const BUNDLE: &str = "wine version 7 to prod";

fn in_prod(address: &str) -> StepContext {
    context(address, "", GATES)
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// A bundle with version 7 in it, which Dan created.
fn bundle() -> Value {
    let seven = json!({
        "type": "ModelVersion", "identifier": {"name": "wine", "version": 7},
        "approvalTimelineMap": {"late": {"timelineStatus": "Invalid"}, "a1": {"timelineStatus": "Valid"}},
    });
    json!({
        "id": "b1", "name": BUNDLE, "state": "Active", "policyId": "q1", "attachments": [seven],
        "createdBy": {"id": "u-dan", "userName": "dan"}, "createdAt": "1970-01-01T00:00:05Z",
    })
}

/// An approval by Cleo, with the changes in `change`.
fn approval(change: &Value) -> Value {
    let mut approval = json!({
        "id": "a1", "name": "Release", "status": "Approved", "policyId": "q1",
        "approvers": [{"id": "u-cleo", "name": "cleo"}, {"id": "u-eve", "name": "eve"}],
        "updatedBy": {"id": "u-cleo", "userName": "cleo"},
    });
    for (key, value) in change.as_object().unwrap() {
        approval[key] = value.clone();
    }
    approval
}

/// What governance answers if our account is `ci-bot` and there are these approvals and gates.
fn governed(approvals: &[Value], gates: &[Value], tier: Option<&str>) -> Governed {
    Governed {
        policy: read(json!({"id": "q1", "name": "release", "status": "Published"})),
        whole: None,
        own: read(json!({"id": "u-bot", "userName": "ci-bot"})),
        request: Some(Request {
            bundle: read(bundle()),
            approvals: approvals.iter().cloned().map(read).collect(),
            gates: gates.iter().cloned().map(read).collect(),
            place: GatedPlace {
                tier: tier.map(str::to_owned),
                data_plane: tier.map(|_| "eu".to_owned()),
            },
            findings: vec![read(
                json!({"id": "f1", "name": "Bias", "severity": "S1", "status": "Done"}),
            )]
            .into_iter()
            .filter(Finding::is_open)
            .collect(),
            later: Vec::new(),
        }),
    }
}

fn answer(governed: &Governed) -> GateReport {
    let context = in_prod("http://127.0.0.1:1");
    governed.answer(&candidate(&context, version(7, "Staging", json!({}))))
}

#[test]
fn an_approval_counts_only_where_somebody_else_gave_it_to_this_version() {
    let by = |id: &str, name: &str| json!({"updatedBy": {"id": id, "userName": name}});
    for (change, verdict, reason) in [
        (
            json!({}),
            Verdict::Holds,
            "`Release` was approved by `cleo`",
        ),
        (
            json!({"status": "ConditionallyApproved"}),
            Verdict::Holds,
            "`Release` was approved with conditions by `cleo`",
        ),
        (
            json!({"status": "Pending Expiration"}),
            Verdict::Holds,
            "`Release` was approved, to be renewed soon, by `cleo`",
        ),
        (
            json!({"status": "PendingExpiration"}),
            Verdict::Holds,
            "`Release` was approved, to be renewed soon, by `cleo`",
        ),
        (
            json!({"name": ""}),
            Verdict::Holds,
            "the approval was approved by `cleo`",
        ),
        (
            json!({"updatedBy": null}),
            Verdict::Never,
            "`Release` was given, but Domino does not tell by whom",
        ),
        (
            json!({"id": "late"}),
            Verdict::Never,
            "`Release` was given before this version was attached",
        ),
        (
            by("u-dan", "dan"),
            Verdict::Never,
            "`Release` was given by `dan`, who asked for it",
        ),
        (
            by("u-bot", "ci-bot"),
            Verdict::Never,
            "`Release` was given by `ci-bot`, who asked for it",
        ),
        (
            by("u1", "ada"),
            Verdict::Never,
            "`Release` was given by `ada`, who trained the version",
        ),
        (
            by("u-ben", "ben"),
            Verdict::Never,
            "`Release` was given by `ben`, who started this workflow run",
        ),
        (
            by("u-fay", "fay"),
            Verdict::Never,
            "`Release` was given by `fay`, who is none of its approvers",
        ),
        (
            json!({"approvers": [], "updatedBy": {"id": "u-fay", "userName": "fay"}}),
            Verdict::Holds,
            "`Release` was approved by `fay`",
        ),
        (
            json!({
                "approvers": [{"id": "o1", "name": "leads", "isOrganizationUser": true}],
                "updatedBy": {"id": "u-fay", "userName": "fay"},
            }),
            Verdict::Holds,
            "`Release` was approved by `fay`",
        ),
        (
            json!({"status": "PendingReview"}),
            Verdict::NotYet,
            "`Release` waits for `cleo` or `eve`",
        ),
        (
            json!({"status": "PendingReview", "approvers": []}),
            Verdict::NotYet,
            "`Release` waits for its reviewers",
        ),
        (
            json!({"status": "Escalated"}),
            Verdict::NotYet,
            "`Release` is `Escalated`, a word that is not known here",
        ),
        (
            json!({"status": "PendingSubmission", "updatedBy": {"id": "u-dan", "userName": "dan"}}),
            Verdict::NotYet,
            "`Release` has not been asked for",
        ),
        (
            json!({"status": "PendingSubmission", "updatedBy": null}),
            Verdict::NotYet,
            "`Release` has not been asked for",
        ),
        (
            json!({"status": "PendingSubmission"}),
            Verdict::Never,
            "`Release` was sent back by `cleo`",
        ),
    ] {
        let answer = answer(&governed(&[approval(&change)], &[], None));
        assert_eq!(answer.gates.len(), 1);
        let result = &answer.gates[0];
        assert_eq!((result.verdict, result.reason.as_str()), (verdict, reason));
        let with_conditions = usize::from(change["status"] == "ConditionallyApproved");
        assert_eq!(answer.remarks.len(), with_conditions);
        assert_eq!(answer.request_id.as_deref(), Some("b1"));
        match verdict {
            Verdict::Holds => assert!(answer.approved_by[0].ends_with(" (Domino)")),
            _ => assert!(answer.approved_by.is_empty()),
        }
    }
}

#[test]
fn open_findings_and_approvals_of_later_policy_stages_are_told_and_stop_nothing() {
    let mut governed = governed(&[approval(&json!({}))], &[], None);
    let request = governed.request.as_mut().unwrap();
    request.findings = vec![read(
        json!({"id": "f2", "name": "Bias", "severity": "S1", "status": "InProgress"}),
    )];
    request.later = ["PendingReview", "Approved"]
        .map(|status| {
            read(approval(
                &json!({"id": status, "name": status, "status": status}),
            ))
        })
        .into();
    let answer = answer(&governed);
    assert!(answer.all_hold());
    assert_eq!(
        answer.remarks,
        [
            format!("finding `Bias` (S1, `InProgress`) of bundle `{BUNDLE}` is open"),
            format!(
                "`PendingReview` of bundle `{BUNDLE}` is of a later policy stage, and is not waited for"
            ),
        ]
    );
}

#[test]
fn another_attachment_that_an_approval_leaves_out_does_not_matter() {
    let mut governed = governed(&[approval(&json!({"id": "late"}))], &[], None);
    let request = governed.request.as_mut().unwrap();
    request.bundle.attachments[0].identifier["version"] = json!(6);
    assert!(answer(&governed).all_hold());
}

#[test]
fn only_a_given_approval_was_sent_back_by_nobody() {
    let governed = governed(&[], &[], None);
    let sent_back = |change: Value| {
        let approval: Approval = read(approval(&change));
        governed
            .sent_back_by(&approval)
            .and_then(|by| by.name.clone())
    };
    assert_eq!(
        sent_back(json!({"status": "PendingSubmission"})).as_deref(),
        Some("cleo")
    );
    assert_eq!(sent_back(json!({"status": "PendingReview"})), None);
    assert_eq!(sent_back(json!({})), None);
}

#[test]
fn a_closed_gate_of_the_bundle_stops_the_tiers_that_it_is_about() {
    let gate = |parameters: Value, open: bool| {
        let guarded = json!({"action": "CreateEndpoint", "parameters": parameters});
        json!({"name": "No GPUs", "isOpen": open, "reason": " too dear ", "resources": [guarded]})
    };
    let tier = json!({"hardwareTierId": "gpu"});
    let told = |gate: Value, tier| {
        let answer = answer(&governed(&[approval(&json!({}))], &[gate], tier));
        let mut gates = answer.gates.into_iter().skip(1);
        gates.next().map(|result| (result.verdict, result.reason))
    };
    let closed = (Verdict::NotYet, "`No GPUs` is closed: too dear".to_owned());
    assert_eq!(
        told(gate(tier.clone(), false), Some("gpu")),
        Some(closed.clone())
    );
    assert_eq!(told(gate(json!({}), false), Some("small")), Some(closed));
    assert_eq!(told(gate(tier.clone(), false), Some("small")), None);
    assert_eq!(told(gate(tier, true), Some("gpu")), None);
    let of_plane = |plane: &str| gate(json!({"dataPlaneId": plane}), false);
    assert!(told(of_plane("eu"), Some("gpu")).is_some());
    assert_eq!(told(of_plane("us"), Some("gpu")), None);
    // One that lets it pass all the same is a remark.
    let mut passing = of_plane("eu");
    passing["resources"][0]["failOpen"] = json!(true);
    assert_eq!(told(passing.clone(), Some("gpu")), None);
    let answer = answer(&governed(&[approval(&json!({}))], &[passing], Some("gpu")));
    let remark = "gate `No GPUs` of bundle `wine version 7 to prod` is closed, and does not stop an endpoint (`failOpen`)";
    assert_eq!(answer.remarks, [remark]);
    let silent = json!({"name": "Freeze", "isOpen": false});
    assert_eq!(told(silent, None).unwrap().1, "`Freeze` is closed");
}

#[test]
fn nothing_asked_for_and_nothing_to_approve_are_no_approval() {
    let mut nobody = governed(&[], &[], None);
    let nothing = answer(&nobody);
    assert_eq!(nothing.gates[0].verdict, Verdict::Never);
    assert_eq!(
        nothing.gates[0].reason,
        "policy `release` asks for no approval, so that there is none"
    );
    nobody.request = None;
    let nobody = answer(&nobody);
    assert_eq!(nobody.gates[0].verdict, Verdict::NotYet);
    assert_eq!(
        nobody.gates[0].reason,
        "nobody has asked for it: there is no bundle `wine version 7 to prod` of policy `release`"
    );
    assert_eq!(nobody.request_id, None);
}

#[test]
fn the_policy_is_the_one_in_force_that_the_stage_names() {
    let context = in_prod("http://127.0.0.1:1");
    let told = |policies: Value| policy(&context, &read::<Vec<PolicyOverview>>(policies));
    let named = |id: &str, status: &str, archived: bool| json!({"id": id, "name": "release", "status": status, "archived": archived});
    let live = named("q1", "Published", false);
    let put_away = [
        named("q2", "Published", true),
        named("q3", "Archived", false),
    ];
    let chosen = told(json!([put_away[0], put_away[1], live])).unwrap();
    assert_eq!(chosen.id.as_str(), "q1");
    assert!(told(json!(put_away)).is_err());
    let draft = told(json!([named("q4", "Draft", false)])).unwrap_err();
    assert_eq!(
        draft.to_string(),
        "policy `release` is not published, so that no bundle can be made from it"
    );
    let approvals = ["q1", "q2"].map(|policy| read(approval(&json!({"policyId": policy}))));
    let silent = read(approval(&json!({"policyId": null})));
    let kept = of_policy([approvals.to_vec(), vec![silent]].concat(), &chosen);
    let kept: Vec<Option<&str>> = kept
        .iter()
        .map(|approval| approval.policy_id.as_ref().map(|id| id.as_str()))
        .collect();
    assert_eq!(kept, [Some("q1"), None]);
}

async fn domino(replies: &[(&str, Value)]) -> MockServer {
    let server = MockServer::start().await;
    for (route, reply) in replies {
        Mock::given(method("GET"))
            .and(path(*route))
            .respond_with(ResponseTemplate::new(200).set_body_json(reply))
            .mount(&server)
            .await;
    }
    server
}

#[tokio::test]
async fn the_bundle_is_the_live_one_of_that_name_with_the_version_in_it() {
    let changed = |key: &str, value: Value| {
        let mut other = bundle();
        other["id"] = json!(format!("not-{key}"));
        other[key] = value;
        other
    };
    let others = [
        changed("name", json!("wine version 6 to prod")),
        changed("state", json!("Archived")),
        changed("attachments", json!([])),
    ];
    let page = |data: Value| json!({"data": data, "meta": {"pagination": {"totalCount": 1}}});
    let policies = json!([{"id": "q1", "name": "release", "status": "Published"}]);
    let read_of = async |bundles: Value| {
        let base = "/api/governance/v1";
        let server = domino(&[
            (&format!("{base}/policy-overviews"), page(policies.clone())),
            (&format!("{base}/bundles"), page(bundles)),
            (
                &format!("{base}/bundles/b1/approvals"),
                json!([approval(&json!({}))]),
            ),
            (&format!("{base}/bundles/b1/gates"), json!([])),
            (
                "/v4/users/self",
                json!({"id": "u-bot", "userName": "ci-bot"}),
            ),
        ])
        .await;
        let context = in_prod(&server.uri());
        evaluate(
            &context,
            &candidate(&context, version(7, "Staging", json!({}))),
        )
        .await
        .unwrap()
    };
    let [name, state, attachments] = others;
    let found = read_of(json!([name, state, attachments, bundle()])).await;
    assert_eq!(found.request_id.as_deref(), Some("b1"));
    assert!(found.all_hold(), "{found:?}");
    assert_eq!(found.approved_by, ["cleo (Domino)"]);
    for other in [name, state, attachments] {
        let nobody = read_of(json!([other])).await;
        assert!(nobody.waits_for().starts_with("nobody has asked for it"));
    }
}

#[tokio::test]
async fn the_tier_that_a_gate_is_about_is_that_of_the_endpoint() {
    let tiers = json!([
        {"hardwareTier": {"id": "t-small", "name": "s"}},
        {"hardwareTier": {"id": "t-large", "name": "p"}, "dataPlane": {"id": "eu", "name": "eu-plane"}},
    ]);
    let server = domino(&[("/v4/projects/p1/hardwareTiers", tiers)]).await;
    let context = in_prod(&server.uri());
    let candidate = candidate(&context, version(7, "Staging", json!({})));
    let place = endpoint_place(&context, &candidate).await.unwrap();
    assert_eq!(place.tier.as_deref(), Some("t-large"));
    assert_eq!(place.data_plane.as_deref(), Some("eu"));
}

#[tokio::test]
async fn a_domino_without_governance_is_told_from_one_that_refuses() {
    for (status, told) in [
        (
            404,
            "this Domino has no governance, which came with Domino 6",
        ),
        (403, "answered 403 Forbidden"),
    ] {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(status))
            .mount(&server)
            .await;
        let context = in_prod(&server.uri());
        let candidate = candidate(&context, version(7, "Staging", json!({})));
        let error = evaluate(&context, &candidate).await.unwrap_err();
        assert!(error.to_string().ends_with(told), "{error}");
    }
}
