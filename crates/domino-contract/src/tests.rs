//! The checks on a small spec of their own: what they must find, and what they must accept.

use std::io::Write;

use serde_json::json;

use super::*;

fn contract() -> Contract {
    read(&json!({
        "openapi": "3.0.0",
        "servers": [{"url": "/v4"}],
        "paths": {
            "/jobs/start": {"post": {
                "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Start"}}}},
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Job"}}}},
                    "409": {"content": {"application/json": {"schema": {"type": "object", "required": ["redirectPath"]}}}},
                },
            }},
            "/jobs/{id}": {"get": {
                "parameters": [{"name": "full", "in": "query"}, {"name": "why", "in": "query", "required": true}],
                "responses": {"200": {"description": "fine"}},
            }},
        },
        "components": {"schemas": {
            "Start": {"type": "object", "required": ["command"], "properties": {
                "command": {"type": "string"}, "ref": {"nullable": true, "$ref": "#/components/schemas/Ref"}}},
            "Ref": {"type": "object", "properties": {"type": {"type": "string"}}},
            "Job": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "nullable": true}}},
        }},
    }))
}

fn read(spec: &Value) -> Contract {
    let mut file = std::env::temp_dir();
    file.push(format!(
        "domino-contract-{}-{:?}.json",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::File::create(&file)
        .unwrap()
        .write_all(spec.to_string().as_bytes())
        .unwrap();
    let contract = Contract::read(std::slice::from_ref(&file)).unwrap();
    std::fs::remove_file(file).unwrap();
    contract
}

fn start(body: Value, status: u16, reply: Value) -> Vec<String> {
    let exchange = Exchange {
        method: "POST",
        path: "/v4/jobs/start",
        query: None,
        body: Some(&body),
        status: Some(status),
        reply: Some(&reply),
    };
    contract().examine(&exchange).findings
}

#[test]
fn what_the_spec_says_is_fine() {
    assert!(
        start(
            json!({"command": "x", "ref": null}),
            200,
            json!({"id": null, "more": 1})
        )
        .is_empty()
    );
    assert!(
        start(
            json!({"command": "x", "ref": {"type": "head"}}),
            409,
            json!({"redirectPath": "/"})
        )
        .is_empty()
    );
}

#[test]
fn a_field_that_the_spec_does_not_know_is_a_finding_however_deep() {
    let findings = start(
        json!({"command": "x", "comand": "y"}),
        200,
        json!({"id": "1"}),
    );
    assert!(findings[0].contains("comand"), "{findings:?}");
    let findings = start(
        json!({"command": "x", "ref": {"refType": "head"}}),
        200,
        json!({"id": "1"}),
    );
    assert!(
        findings[0].contains("refType") || findings[0].contains("/ref"),
        "{findings:?}"
    );
}

#[test]
fn a_missing_field_a_wrong_reply_and_an_unknown_success_are_findings() {
    assert_eq!(start(json!({}), 200, json!({"id": "1"})).len(), 1);
    assert_eq!(start(json!({"command": "x"}), 200, json!({})).len(), 1);
    assert_eq!(
        start(json!({"command": "x"}), 201, json!({"id": "1"})).len(),
        1
    );
}

#[test]
fn a_success_without_its_body_is_a_finding_and_an_error_without_one_is_counted() {
    let body = json!({"command": "x"});
    let without = |status| {
        contract().examine(&Exchange {
            method: "POST",
            path: "/v4/jobs/start",
            query: None,
            body: Some(&body),
            status: Some(status),
            reply: None,
        })
    };
    assert_eq!(
        without(200).findings,
        ["POST /v4/jobs/start: the reply 200 has no body"]
    );
    let refused = without(409);
    assert!(refused.findings.is_empty(), "{refused}");
    assert_eq!(refused.exceptions[exceptions::OTHER_ERROR], 1);
}

#[test]
fn unknown_routes_and_query_parameters_are_findings_and_known_gaps_are_counted() {
    let examine = |method, path, query| {
        contract().examine(&Exchange {
            method,
            path,
            query,
            body: None,
            status: Some(200),
            reply: None,
        })
    };
    assert_eq!(examine("GET", "/v4/nowhere", None).findings.len(), 1);
    assert_eq!(
        examine("GET", "/v4/jobs/1", Some("ful=1")).findings.len(),
        2
    );
    assert!(
        examine("GET", "/v4/jobs/1", Some("full=1&why=x"))
            .findings
            .is_empty()
    );
    assert_eq!(
        examine("GET", "/version", None).exceptions["GET /version"],
        1
    );
}

#[test]
fn governance_is_a_gap_only_where_no_given_spec_describes_it() {
    let bundles = Exchange {
        method: "GET",
        path: "/api/governance/v1/bundles",
        query: None,
        body: None,
        status: Some(200),
        reply: None,
    };
    let verdict = contract().examine(&bundles);
    assert_eq!(verdict.exceptions[exceptions::NO_GOVERNANCE], 1);
    let knowing = read(&json!({
        "swagger": "2.0",
        "basePath": "/api/governance/v1",
        "paths": {"/policies": {"get": {"responses": {"200": {"description": "fine"}}}}},
    }));
    assert_eq!(
        knowing.examine(&bundles).findings,
        ["GET /api/governance/v1/bundles: no spec has this route"]
    );
}
