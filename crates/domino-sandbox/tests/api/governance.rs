//! Governance: bundles, who approves them, and what stays closed until then.

use domino_sandbox::{Options, PolicySeed, Sandbox, Seed, Version};
use serde_json::{Value, json};

use crate::world::{Reply, Sign, World, text};

const API: &str = "/api/governance/v1";

impl World {
    fn policy(&self) -> Value {
        self.get(&format!("{API}/policy-overviews")).ok()["data"][0].clone()
    }

    /// What makes a bundle about a version of the registered model `wine`.
    fn bundle_body(&self, name: &str, version: u64) -> Value {
        json!({
            "name": name,
            "policyId": self.policy()["id"],
            "projectId": self.project_id(),
            "attachments": [model_version(version)],
        })
    }

    /// A bundle about the first version of `wine`, which is made too.
    pub fn bundle(&self) -> Value {
        self.register("wine", &self.mlflow_run());
        let body = self.bundle_body("wine 1", 1);
        self.post(&format!("{API}/bundles"), body).ok()
    }

    /// Sends an event of the bundle's first approval as a user.
    pub fn publish(&self, user: &str, bundle: &Value, event: &str) -> Reply {
        let path = format!("{API}/bundles/{}/approvals", text(&bundle["id"]));
        let approvals = self.get(&path).ok();
        let body = json!({
            "bundleId": bundle["id"],
            "policyId": bundle["policyId"],
            "projectId": bundle["projectId"],
            "approvalId": approvals[0]["id"],
            "eventType": event,
            "meta": { "comment": "because" },
        });
        let token = self.sandbox.user(user).token;
        let path = format!("{API}/rpc/publish-approval-event");
        self.signed(Sign::Token(&token), "POST", &path, Some(body))
            .unwrap()
    }

    pub fn is_gate_open(&self, bundle: &Value) -> Value {
        let path = format!("{API}/bundles/{}/gates", text(&bundle["id"]));
        let gates = self.get(&path).ok();
        assert_eq!(gates[0]["resources"][0]["action"], "CreateEndpoint");
        gates[0]["isOpen"].clone()
    }
}

fn model_version(version: u64) -> Value {
    let identifier = json!({ "name": "wine", "version": version });
    json!({ "type": "ModelVersion", "identifier": identifier })
}

#[track_caller]
fn refused(reply: &Reply, status: u16) -> String {
    assert_eq!(reply.status, status, "{}", reply.text());
    text(&reply.json()["message"])
}

#[test]
fn a_request_is_submitted_and_approved_and_the_gate_opens() {
    let world = World::new();
    let bundle = world.bundle();
    assert_eq!(bundle["state"], "Active");
    assert_eq!(bundle["policyName"], "Model promotion");
    assert_eq!(bundle["stage"], "Review");
    assert_eq!(world.is_gate_open(&bundle), false);
    let submitted = world.publish("ci-bot", &bundle, "RequestSubmitted").ok();
    assert_eq!(submitted["status"], "PendingReview");
    assert_eq!(submitted["updatedBy"]["userName"], "ci-bot");
    assert_eq!(submitted["approvers"][0]["name"], "approver");
    assert_eq!(world.is_gate_open(&bundle), false);
    let approved = world.publish("approver", &bundle, "RequestApproved").ok();
    assert_eq!(approved["status"], "Approved");
    assert_eq!(approved["updatedBy"]["userName"], "approver");
    assert_eq!(world.is_gate_open(&bundle), true);
    let state = world.sandbox.state();
    let approval = &state["bundles"][0]["approvals"][0];
    assert_eq!(approval["requestedBy"], "ci-bot");
    assert_eq!(approval["events"][1]["event"], "RequestApproved");
    assert_eq!(approval["events"][1]["by"], "approver");
    assert_eq!(approval["events"][1]["meta"]["comment"], "because");
}

#[test]
fn only_an_assigned_approver_decides_and_only_who_asked_cancels() {
    let world = World::new();
    let bundle = world.bundle();
    world.publish("ci-bot", &bundle, "RequestSubmitted").ok();
    for event in [
        "RequestApproved",
        "RequestRejected",
        "RequestConditionalApproved",
    ] {
        for user in ["author", "ci-bot"] {
            let message = refused(&world.publish(user, &bundle, event), 403);
            assert!(message.contains(user), "{message}");
        }
    }
    refused(&world.publish("approver", &bundle, "RequestCancelled"), 403);
    let cancelled = world.publish("ci-bot", &bundle, "RequestCancelled").ok();
    assert_eq!(cancelled["status"], "PendingSubmission");
}

#[test]
fn what_is_rejected_waits_to_be_submitted_again() {
    let world = World::new();
    let bundle = world.bundle();
    world.publish("ci-bot", &bundle, "RequestSubmitted").ok();
    let rejected = world.publish("approver", &bundle, "RequestRejected").ok();
    assert_eq!(rejected["status"], "PendingSubmission");
    assert_eq!(rejected["updatedBy"]["userName"], "approver");
    refused(&world.publish("approver", &bundle, "RequestApproved"), 400);
    world.publish("ci-bot", &bundle, "RequestSubmitted").ok();
    refused(&world.publish("ci-bot", &bundle, "RequestSubmitted"), 400);
    let conditional = world.publish("approver", &bundle, "RequestConditionalApproved");
    assert_eq!(conditional.ok()["status"], "ConditionallyApproved");
    let settled = world.publish("approver", &bundle, "FindingsApproved").ok();
    assert_eq!(settled["status"], "Approved");
}

#[test]
fn an_event_needs_its_bundle_its_policy_and_its_project() {
    let world = World::new();
    let bundle = world.bundle();
    let publish = |key: &str, value: Value| {
        let approvals = format!("{API}/bundles/{}/approvals", text(&bundle["id"]));
        let mut body = json!({
            "bundleId": bundle["id"],
            "policyId": bundle["policyId"],
            "projectId": bundle["projectId"],
            "approvalId": world.get(&approvals).ok()[0]["id"],
            "eventType": "RequestSubmitted",
        });
        body[key] = value;
        world.post(&format!("{API}/rpc/publish-approval-event"), body)
    };
    refused(&publish("bundleId", json!("none")), 404);
    refused(&publish("policyId", json!("none")), 404);
    refused(&publish("approvalId", json!("none")), 404);
    refused(&publish("approvalId", Value::Null), 404);
    refused(&publish("projectId", json!("0".repeat(24))), 400);
    refused(&publish("eventType", json!("RequestWithdrawn")), 400);
    assert!(refused(&publish("eventType", Value::Null), 400).contains("eventType"));
    let path = format!("{API}/bundles/{}", text(&bundle["id"]));
    let archived = json!({ "state": "Archived" });
    let archived = world.request("PATCH", &path, Some(archived)).ok();
    assert_eq!(archived["state"], "Archived");
    refused(&publish("eventType", json!("RequestSubmitted")), 423);
}

#[test]
fn an_approval_does_not_cover_what_was_attached_after_the_request() {
    let world = World::new();
    let bundle = world.bundle();
    world.register("wine", &world.mlflow_run());
    world.publish("ci-bot", &bundle, "RequestSubmitted").ok();
    world.publish("approver", &bundle, "RequestApproved").ok();
    let path = format!("{API}/bundles/{}", text(&bundle["id"]));
    let attachments = format!("{path}/attachments");
    let late = world.post(&attachments, model_version(2)).ok();
    assert_eq!(late["type"], "ModelVersion");
    let bundle = world.get(&path).ok();
    let validity = |at: usize| {
        let timeline = bundle["attachments"][at]["approvalTimelineMap"].as_object();
        text(&timeline.unwrap().values().next().unwrap()["timelineStatus"])
    };
    assert_eq!([validity(0), validity(1)], ["Valid", "Invalid"]);
    refused(&world.post(&attachments, model_version(2)), 409);
    let gone = format!("{attachments}/{}", text(&late["id"]));
    assert_eq!(world.request("DELETE", &gone, None).status, 204);
    refused(&world.request("DELETE", &gone, None), 404);
}

#[test]
fn a_bundle_is_about_versions_that_exist_and_has_a_name_of_its_own() {
    let world = World::new();
    let bundles = format!("{API}/bundles");
    world.bundle();
    refused(&world.post(&bundles, world.bundle_body("wine 1", 1)), 409);
    refused(&world.post(&bundles, world.bundle_body("wine 9", 9)), 404);
    let mut body = world.bundle_body("text", 1);
    body["attachments"][0]["identifier"]["version"] = "1".into();
    refused(&world.post(&bundles, body), 400);
    let mut body = world.bundle_body("kind", 1);
    body["attachments"][0]["type"] = "Model".into();
    refused(&world.post(&bundles, body), 400);
    let mut body = world.bundle_body("policy", 1);
    body["policyId"] = "none".into();
    refused(&world.post(&bundles, body), 404);
    let missing = refused(&world.post(&bundles, json!({ "attachments": [{}] })), 400);
    for part in ["obj.name", "obj.policyId", "obj.attachments[0].type"] {
        assert!(missing.contains(part), "{part} in {missing}");
    }
}

#[test]
fn bundles_are_listed_by_pages_and_filters_and_can_go() {
    let world = World::new();
    let bundle = world.bundle();
    for name in ["a", "b", "c"] {
        let made = world.post(&format!("{API}/bundles"), world.bundle_body(name, 1));
        made.ok();
    }
    let list = |query: &str| world.get(&format!("{API}/bundles?{query}")).ok();
    let all = list("limit=3&offset=0");
    assert_eq!(all["data"].as_array().unwrap().len(), 3);
    let pagination = json!({ "limit": 3, "offset": 0, "totalCount": 4 });
    assert_eq!(all["meta"]["pagination"], pagination);
    assert_eq!(
        list("limit=3&offset=3")["data"].as_array().unwrap().len(),
        1
    );
    assert_eq!(list("search=wine")["data"][0]["id"], bundle["id"]);
    let other = format!("project_id={}", "0".repeat(24));
    assert_eq!(list(&other)["data"], json!([]));
    assert_eq!(list("state=Archived")["data"], json!([]));
    let path = format!("{API}/bundles/{}", text(&bundle["id"]));
    assert_eq!(world.request("DELETE", &path, None).status, 204);
    refused(&world.get(&path), 404);
}

#[test]
fn an_endpoint_of_a_bundle_waits_for_its_gate() {
    let world = World::new();
    world.is_beyond_the_specs("they want 24 hex digits for a bundle, and governance gives UUIDs");
    world.registered(1, "");
    let body = world.bundle_body("wine", 1);
    let bundle = world.post(&format!("{API}/bundles"), body).ok();
    let mut endpoint = world.endpoint_body(world.version_body(1));
    endpoint["bundleId"] = bundle["id"].clone();
    let shut = world.post(crate::model_apis::APIS, endpoint.clone());
    assert_eq!(shut.status, 403);
    assert!(shut.text().contains("Review approval is PendingSubmission"));
    world.publish("ci-bot", &bundle, "RequestSubmitted").ok();
    world.publish("approver", &bundle, "RequestApproved").ok();
    let open = world.post(crate::model_apis::APIS, endpoint);
    assert_eq!(open.status, 201);
    assert_eq!(open.json()["bundleId"], bundle["id"]);
}

#[test]
fn a_policy_of_several_stages_wants_an_approval_for_each() {
    let policy = PolicySeed::new("Two steps")
        .stages(&["Validation", "Release"])
        .approvers(&["approver", "second"]);
    let world = World::seeded(Seed::default().user("second").policy(policy));
    let bundle = world.bundle();
    let path = format!("{API}/bundles/{}", text(&bundle["id"]));
    let approvals = world.get(&format!("{path}/approvals")).ok();
    assert_eq!(approvals.as_array().unwrap().len(), 2);
    world.publish("ci-bot", &bundle, "RequestSubmitted").ok();
    world.publish("second", &bundle, "RequestApproved").ok();
    assert_eq!(world.is_gate_open(&bundle), false);
    let moved = json!({ "stage": "Release" });
    let moved = world.request("PATCH", &path, Some(moved)).ok();
    assert_eq!(moved["stage"], "Release");
    let nowhere = json!({ "stage": "Nowhere" });
    refused(&world.request("PATCH", &path, Some(nowhere)), 400);
    let policy = world.get(&format!("{API}/policies/{}", text(&bundle["policyId"])));
    assert_eq!(policy.ok()["stages"][1]["name"], "Release");
    let stage = format!("{path}/stages/{}", text(&bundle["stages"][0]["stageId"]));
    let assignee = json!({ "assignee": { "id": "1", "name": "second" } });
    let assigned = world.request("PATCH", &stage, Some(assignee)).ok();
    assert_eq!(assigned["assignee"]["name"], "second");
    let compute = json!({ "bundleId": bundle["id"], "policyId": bundle["policyId"] });
    let computed = world
        .post(&format!("{API}/rpc/compute-policy"), compute)
        .ok();
    assert_eq!(computed["isUserApprover"], false);
    assert_eq!(computed["approvals"][0]["status"], "Approved");
}

#[test]
fn the_policies_of_a_stage_file_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stages.toml");
    let id = "0f0e0d0c-0b0a-4908-8706-050403020100";
    let file = format!(
        "[defaults]\nproject = \"author/wine\"\n[stage.prod.gates]\npolicy = \"Going live\"\n\
         [stage.staging.gates]\npolicy = \"{id}\"\n"
    );
    std::fs::write(&path, file).unwrap();
    let world = World::seeded(Seed::from_stage_file(&path).unwrap());
    let policies = world.get(&format!("{API}/policy-overviews")).ok();
    let named = policies["data"].as_array().unwrap();
    assert!(named.iter().any(|policy| policy["name"] == "Going live"));
    assert!(named.iter().any(|policy| policy["id"] == id));
    assert_eq!(named.len(), 2);
}

#[test]
fn an_approver_who_is_no_user_is_refused_at_the_start() {
    let policy = PolicySeed::new("Odd").approvers(&["nobody"]);
    let started = Sandbox::start(Options {
        seed: Seed::default().policy(policy),
        ..Options::default()
    });
    let problem = format!("{:#}", started.err().unwrap());
    assert!(problem.contains("`nobody`"), "{problem}");
}

#[test]
fn older_dominos_have_reviews_in_its_place() {
    let world = World::with(Options {
        version: Version::V5_9,
        ..Options::default()
    });
    assert_eq!(world.get(&format!("{API}/bundles")).status, 404);
    world.register("wine", &world.mlflow_run());
    let approver = world.sandbox.state()["users"][1].clone();
    assert_eq!(approver["userName"], "approver");
    let ask = |reviewer: Value, version: u64| {
        let path = format!("/api/registeredmodels/v1/wine/versions/{version}/reviews");
        let reviewers = json!([{ "userId": reviewer }]);
        let body = json!({ "targetStage": "Production", "reviewers": reviewers });
        world.post(&path, body)
    };
    assert_eq!(ask(Value::Null, 1).status, 400);
    assert_eq!(ask(json!("0".repeat(24)), 1).status, 400);
    assert_eq!(ask(approver["id"].clone(), 9).status, 404);
    let review = ask(approver["id"].clone(), 1).ok();
    assert_eq!(review["targetStage"], "Production");
    let stage = || world.sandbox.state()["registeredModels"][0]["versions"][0]["stage"].clone();
    let decide = |user: &str, word: &str| {
        let token = world.sandbox.user(user).token;
        let path = format!("/sandbox/requests/{}/{word}", text(&review["id"]));
        world
            .signed(Sign::Token(&token), "POST", &path, None)
            .unwrap()
    };
    assert_eq!(decide("author", "approve").status, 403);
    assert_eq!(stage(), "None");
    assert_eq!(decide("approver", "approve").status, 200);
    assert_eq!(stage(), "Production");
    assert_eq!(world.sandbox.state()["reviews"][0]["decidedBy"], "approver");
    assert_eq!(decide("approver", "reject").status, 404);

    let newer = World::new();
    newer.register("wine", &newer.mlflow_run());
    let path = "/api/registeredmodels/v1/wine/versions/1/reviews";
    let body = json!({ "targetStage": "Production", "reviewers": [] });
    let absent = newer.post(path, body);
    assert_eq!(absent.status, 404);
    assert!(absent.text().contains("public api endpoint"));
}
