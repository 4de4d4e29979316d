//! A repository that uses more of Domino than the sample: a job with a cluster and a volume, an app with a volume, an
//! endpoint whose answers are fetched later, and one that callers reach by a label. It is rehearsed through both
//! stages, and checked against what the sandbox has afterwards.

use std::fs;

use serde_json::{Value, json};

use crate::{Kept, Scratch};

fn repository() -> Scratch {
    let scratch = Scratch::copy_of("tests/fixtures/beyond-defaults");
    scratch.generate_and_commit("Deploy it");
    scratch
}

/// What a rehearsal that is kept says to export: what opens its sandbox.
fn exported(kept: &Kept) -> Vec<(String, String)> {
    let lines = kept.said.lines();
    let pairs = lines.filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    let domino = pairs.filter(|(name, _)| name.starts_with("DOMINO_"));
    let value = |rest: &str| rest.split(' ').next().unwrap().to_owned();
    domino
        .map(|(name, rest)| (name.to_owned(), value(rest)))
        .collect()
}

/// What the sandbox answers over Domino's own API.
fn asked(kept: &Kept, path: &str) -> Value {
    let variables = exported(kept);
    let token = variables.iter().find(|(name, _)| name == "DOMINO_TOKEN");
    let answer = kept.answer(
        path,
        &format!("Authorization: Bearer {}\r\n", token.unwrap().1),
    );
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|problem| panic!("{path}: {problem}: {answer}"))
}

/// What the rehearsal said of one job, line by line.
fn said_in<'a>(kept: &'a Kept, job: &str) -> Vec<&'a str> {
    let lines = kept.said.lines();
    lines.filter(|line| line.starts_with(job)).collect()
}

/// The one of these whose name or title holds this.
fn holding<'a>(things: &'a Value, text: &str) -> &'a Value {
    let name = |thing: &'a Value| thing["name"].as_str().or(thing["title"].as_str());
    let mut all = things.as_array().unwrap().iter();
    let found = all.find(|thing| name(thing).is_some_and(|name| name.contains(text)));
    found.unwrap_or_else(|| panic!("no `{text}` in {things}"))
}

#[test]
fn what_goes_beyond_the_defaults_is_rehearsed_and_is_there_afterwards() {
    let scratch = repository();
    let kept = Kept::rehearse(&scratch, "");
    let one = scratch.repository().join("one.json");
    fs::write(one, r#"{"data": {"alcohol": 8}}"#).unwrap();
    let project = "/v4/gateway/projects/findProjectByOwnerAndName?ownerName=wine-team&projectName=wine-quality";
    let project = asked(&kept, project);
    let project = project["id"].as_str().unwrap();
    let jobs = asked(&kept, &format!("/v4/jobs?projectId={project}"));
    let apps = asked(&kept, &format!("/api/apps/beta/apps?projectId={project}"));
    let volumes = asked(&kept, &format!("/v4/datamount/projects/{project}"));
    let serving = "/api/modelServing/v1/modelApis";
    let endpoints = format!("{serving}?projectId={project}&offset=0&limit=10");
    let endpoints = asked(&kept, &endpoints);
    for (stage, workers) in [("dev", json!([1, null])), ("prod", json!([2, 4]))] {
        let job = holding(&jobs["jobs"], &format!("[{stage}/prepare "));
        assert_eq!(job["statuses"]["executionStatus"], "Succeeded", "{stage}");
        let cluster = &job["computeCluster"];
        assert_eq!(cluster["clusterType"], "Ray");
        let tier = format!("{stage}-small-k8s");
        assert_eq!(cluster["workerHardwareTierId"]["value"], json!(tier));
        let count = json!([cluster["workerCount"], cluster["maxWorkerCount"]]);
        assert_eq!(count, workers, "{stage}");
        let volume = &job["dependentExternalVolumeMounts"][0];
        assert_eq!(volume["name"], "wine-data", "{stage}");

        let app = holding(&apps["items"], &format!("dashboard-{stage}"));
        let app = &app["currentVersion"];
        assert_eq!(app["currentInstance"]["status"], "Running", "{stage}");
        assert_eq!(app["externalVolumeMountIds"], json!([volumes[0]["id"]]));

        let by_label = holding(&endpoints["items"], &format!("score-{stage}"));
        assert_eq!(by_label["routingMode"], "advanced", "{stage}");
        let id = by_label["id"].as_str().unwrap();
        let versions = asked(&kept, &format!("{serving}/{id}/versions"));
        assert_eq!(versions[0]["labels"], json!(["prod"]), "{versions}");
        let steps = [
            "smoke test: 2 requests to version 1",
            "`labels/prod` moves to version 1",
            "smoke test: 2 requests to `labels/prod`",
        ];
        let said = said_in(&kept, &format!("deploy-models/deploy-{stage} "));
        let places = steps.map(|step| said.iter().position(|line| line.ends_with(step)));
        assert!(places.is_sorted() && places[0].is_some(), "{said:#?}");

        let later = holding(&endpoints["items"], &format!("score-later-{stage}"));
        assert_eq!(later["isAsync"], true, "{stage}");
        let command = format!(
            "cargo run --package deploy-model -- invoke score-later --stage {stage} --input one.json"
        );
        let answered = scratch.bash(&command, &exported(&kept));
        let answer: Value = serde_json::from_slice(&answered.stdout).unwrap();
        assert_eq!(answer["result"], json!({"quality": 4.5}), "{answered:?}");
    }
    kept.end();
}
