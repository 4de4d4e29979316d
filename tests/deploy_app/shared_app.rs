//! An app that others change too: nothing is lost, duplicated or silently reverted. Each test checks the sandbox's
//! own state, on each generation.

use super::*;
use crate::harness::{TOKEN, http};

const UNPUBLISH: &[&str] = &["unpublish", "dashboard", "--stage", "dev"];

/// One request as a person sends it.
fn by_hand(scenery: &Scenery, method: &str, path: &str, body: Option<&Value>) -> Value {
    let url = format!("{}{path}", scenery.scene.sandbox.url());
    let bearer = format!("Bearer {TOKEN}");
    let (status, reply) = http::send(method, &url, &[("authorization", &bearer)], body);
    assert!((200..300).contains(&status), "{method} {path}: {reply}");
    reply
}

fn id(scenery: &Scenery) -> String {
    scenery.app()["id"].as_str().unwrap().to_owned()
}

fn newest(scenery: &Scenery) -> Value {
    scenery.app()["versions"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone()
}

/// What a person sets on an app: a new version of the same commit with more in it.
fn gives_more(scenery: &Scenery, version: &str) {
    let (id, commit) = (id(scenery), scenery.scene.commit.clone());
    let git_ref = json!({"type": "commitId", "value": commit});
    let (volume, tier) = ("b".repeat(24), "dev-small-k8s");
    let environment = newest(scenery)["environmentId"].clone();
    let autoscaling = json!({"enabled": true, "minReplicas": 1, "maxReplicas": 3});
    let tags = json!([{"key": "team", "value": "wine"}]);
    let content = json!({
        "gitRef": git_ref, "environmentId": environment, "externalVolumeMountIds": [volume],
        "netAppVolumeIds": ["n1"], "extendedIdentityPropagationToAppsEnabled": true,
    });
    match version {
        V1 => {
            let body = json!({
                "content": content, "bundleId": "bundle-1", "tags": tags,
                "deployment": {"hardwareTierId": tier, "autoscalingSpecification": autoscaling},
            });
            let path = format!("/api/apps/v1/apps/{id}/versions/createAndStart");
            by_hand(scenery, "POST", &path, Some(&body));
        }
        BETA => {
            let mut body = content;
            body["hardwareTierId"] = json!(tier);
            body["autoscalingSpecification"] = autoscaling;
            body["bundleId"] = json!("bundle-1");
            body["tags"] = tags;
            let path = format!("/api/apps/beta/apps/{id}/versions");
            by_hand(scenery, "POST", &path, Some(&body));
        }
        _ => {
            by_hand(
                scenery,
                "POST",
                &format!("/v4/modelProducts/{id}/stop"),
                None,
            );
            let body = json!({
                "mainRepoGitRef": git_ref, "hardwareTierId": tier, "environmentId": environment,
                "externalVolumeMountIds": [volume], "netAppVolumeIds": ["n1"],
            });
            by_hand(
                scenery,
                "POST",
                &format!("/v4/modelProducts/{id}/start"),
                Some(&body),
            );
        }
    }
    eventually("the version by hand serves", || {
        scenery.alive().len() == 1 && scenery.instances().last().unwrap()["status"] == "Running"
    });
}

/// What must not be lost of it.
fn has_more(version: &str, of: &Value) {
    assert_eq!(
        of["externalVolumeMountIds"],
        json!(["b".repeat(24)]),
        "{of:#}"
    );
    assert_eq!(of["netAppVolumeIds"], json!(["n1"]), "{of:#}");
    if version == V4 {
        return;
    }
    assert_eq!(
        of["extendedIdentityPropagationToAppsEnabled"], true,
        "{of:#}"
    );
    assert_eq!(of["autoscalingSpecification"]["maxReplicas"], 3, "{of:#}");
    assert_eq!(of["bundleId"], "bundle-1", "{of:#}");
    let tags = of["tags"].as_array().unwrap();
    assert!(
        tags.contains(&json!({"key": "team", "value": "wine"})),
        "{of:#}"
    );
}

#[test]
fn what_others_set_on_an_app_is_carried_over_and_told() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        gives_more(&scenery, version);
        scenery.commit_app(&app_script("two"));
        let run = scenery.run(PUBLISH).exits(0);
        has_more(version, &newest(&scenery));
        scenery.serves_alone(&scenery.scene.commit);
        let line = run
            .stdout
            .lines()
            .find(|line| line.contains("carried over"));
        let line = line.unwrap_or_else(|| panic!("{run}"));
        let words: &[&str] = match version {
            V4 => &["external volumes", "NetApp volumes"],
            _ => &[
                "external volumes",
                "NetApp volumes",
                "autoscaling",
                "viewer identity",
                "bundle",
                "tags",
            ],
        };
        for word in words {
            assert!(line.contains(word), "{word} in {line}");
        }
        // The same again changes nothing.
        let before = scenery.app();
        scenery.run(PUBLISH).exits(0).tells("already");
        assert_eq!(scenery.app(), before);
    });
}

#[test]
fn what_is_put_back_has_the_whole_content_of_before() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        gives_more(&scenery, version);
        let before = scenery.scene.commit.clone();
        scenery.commit_app("exit 3\n");
        let run = scenery.run(PUBLISH).exits(5);
        run.tells("was put back");
        scenery.serves_alone(&before);
        let serving = scenery.app()["serving"].clone();
        let versions = scenery.app()["versions"].as_array().unwrap().clone();
        let serving = versions.iter().find(|version| {
            let mut instances = version["instances"].as_array().unwrap().iter();
            instances.any(|instance| instance["id"] == serving)
        });
        has_more(version, serving.unwrap());
    });
}

fn sets_visibility(scenery: &Scenery, version: &str, visibility: &str) {
    let (id, body) = (id(scenery), json!({"visibility": visibility}));
    match version {
        V4 => by_hand(
            scenery,
            "POST",
            &format!("/v4/modelProducts/{id}/visibility"),
            Some(&body),
        ),
        BETA => by_hand(
            scenery,
            "PATCH",
            &format!("/api/apps/beta/apps/{id}"),
            Some(&body),
        ),
        _ => by_hand(
            scenery,
            "PATCH",
            &format!("/api/apps/v1/apps/{id}"),
            Some(&body),
        ),
    };
}

#[test]
fn who_may_open_an_app_is_left_alone_where_the_file_says_nothing() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.replace_in_stages("visibility = \"authenticated\"\n", "");
        scenery.run(PUBLISH).exits(0);
        sets_visibility(&scenery, version, "PUBLIC");
        let run = scenery.run(PUBLISH).exits(0).tells("already");
        assert!(!run.stderr.contains("warning"), "{run}");
        scenery.commit_app(&app_script("two"));
        scenery.run(PUBLISH).exits(0);
        assert_eq!(scenery.app()["visibility"], "PUBLIC");
    });
}

#[test]
fn an_app_that_somebody_restricts_stays_so_until_it_is_put_back() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        sets_visibility(&scenery, version, "GRANT_BASED_STRICT");
        let from = scenery.scene.sandbox.requests().len();
        scenery
            .run(PUBLISH)
            .exits(0)
            .tells("app `dashboard-dev` is `GRANT_BASED_STRICT` in Domino")
            .tells("`--put-back` makes it `AUTHENTICATED`");
        scenery.only_reads_since(from);
        // Also with the next commits, and more than once.
        for word in ["two", "three"] {
            scenery.commit_app(&app_script(word));
            scenery
                .run(PUBLISH)
                .exits(0)
                .tells("it stays `GRANT_BASED_STRICT`");
            assert_eq!(scenery.app()["visibility"], "GRANT_BASED_STRICT");
        }
        scenery.run(&[PUBLISH, &["--put-back"]].concat()).exits(0);
        assert_eq!(scenery.app()["visibility"], "AUTHENTICATED");
    });
}

#[test]
fn an_app_that_somebody_stops_stays_down_until_it_is_put_back() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        scenery.run(UNPUBLISH).exits(0);
        sets_visibility(&scenery, version, "GRANT_BASED");
        let from = scenery.scene.sandbox.requests().len();
        let refused = "app `dashboard-dev` is `Stopped` in Domino: somebody stopped it";
        scenery
            .run(PUBLISH)
            .exits(3)
            .tells(refused)
            .tells("`--put-back`");
        scenery.commit_app(&app_script("two"));
        scenery.run(PUBLISH).exits(3).tells(refused);
        scenery.only_reads_since(from);
        assert!(scenery.alive().is_empty());
        scenery.run(&[PUBLISH, &["--put-back"]].concat()).exits(0);
        scenery.serves_alone(&scenery.scene.commit);
        assert_eq!(scenery.app()["visibility"], "AUTHENTICATED");
    });
}

fn renames(scenery: &Scenery, version: &str) {
    let (id, body) = (id(scenery), json!({"name": "Wine board"}));
    let generation = if version == BETA { "beta" } else { "v1" };
    by_hand(
        scenery,
        "PATCH",
        &format!("/api/apps/{generation}/apps/{id}"),
        Some(&body),
    );
}

#[test]
fn a_renamed_app_is_found_by_its_tag() {
    for version in [V1, BETA] {
        let mut scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        renames(&scenery, version);
        scenery.commit_app(&app_script("two"));
        let run = scenery.run(PUBLISH).exits(0);
        let told = "called `Wine board` in Domino and `dashboard-dev` here: ours by its tag";
        assert!(run.stdout.contains(told), "{run}");
        assert_eq!(scenery.app()["name"], "Wine board");
        scenery.serves_alone(&scenery.scene.commit);
        let run = scenery.run(UNPUBLISH).exits(0);
        assert!(
            run.stdout.contains("called `Wine board` in Domino"),
            "{run}"
        );
        assert!(scenery.alive().is_empty());
    }
}

#[test]
fn an_app_that_may_be_ours_under_another_name_is_refused_and_not_doubled() {
    on_all(|version| {
        // The three stages share a project, and none of them has its app yet.
        let scenery = Scenery::of(version);
        scenery.create_by_hand("Wine board");
        let from = scenery.scene.sandbox.requests().len();
        for arguments in [PUBLISH, UNPUBLISH] {
            scenery
                .run(arguments)
                .exits(3)
                .tells("there is no app `dashboard-dev`, and this may be ours under another name: `Wine board` (")
                .tells("`--beside`");
        }
        scenery.only_reads_since(from);
        scenery.app();
        scenery.run(&[UNPUBLISH, &["--beside"]].concat()).exits(0);
        scenery.run(&[PUBLISH, &["--beside"]].concat()).exits(0);
        assert_eq!(
            scenery.scene.sandbox.state()["apps"]
                .as_array()
                .unwrap()
                .len(),
            2
        );
    });
}

#[test]
fn an_app_of_our_account_with_our_entry_point_is_taken_where_it_is_certain() {
    on_all(|version| {
        let scenery = Scenery::of(version);
        for stage in ["staging", "prod"] {
            let from = format!("[stage.{stage}]\n");
            let to = format!("[stage.{stage}]\nproject = \"wine-team/wine-{stage}\"\n");
            scenery.replace_in_stages(&from, &to);
        }
        scenery.create_by_hand("Wine board");
        let run = scenery.run(PUBLISH).exits(0);
        assert!(
            run.stdout.contains("ours by its entry point and account"),
            "{run}"
        );
        assert_eq!(scenery.app()["name"], "Wine board");
        scenery.serves_alone(&scenery.scene.commit);
        scenery.run(PUBLISH).exits(0).tells("already");
    });
}

#[test]
fn an_older_commit_does_not_replace_a_newer_one_by_accident() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        let old = scenery.scene.commit.clone();
        scenery.commit_app(&app_script("two"));
        scenery.run(PUBLISH).exits(0);
        let new = scenery.scene.commit.clone();
        let from = scenery.scene.sandbox.requests().len();
        let back = [PUBLISH, &["--commit", &old]].concat();
        scenery
            .run(&back)
            .exits(3)
            .tells("is older than commit [commit], which app `dashboard` runs")
            .tells("give `--back`");
        scenery.only_reads_since(from);
        scenery.serves_alone(&new);
        scenery.run(&[&back[..], &["--back"]].concat()).exits(0);
        scenery.serves_alone(&old);
    });
}
