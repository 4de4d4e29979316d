//! Users, projects, hardware tiers, data planes and environments: what each route shows of them.

use domino_sandbox::{HardwareTierSeed, Options, Seed, Version};
use serde_json::{Value, json};

use crate::world::{Sign, World, text};

fn names(list: &Value) -> Vec<String> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|one| text(&one["name"]))
        .collect()
}

#[test]
fn the_caller_is_told_who_they_are() {
    let world = World::seeded(Seed::default().project("wine-team/quality"));
    let me = world.get("/v4/users/self").ok();
    assert_eq!(me["userName"], "author");
    assert_eq!(names(&me["organizations"]), ["wine-team"]);
    let public = world.get("/api/users/v1/self").ok();
    assert_eq!(public["user"]["id"], me["id"]);
    assert!(public["metadata"]["requestId"].is_string());
}

#[test]
fn users_are_found_by_name_and_by_the_start_of_it() {
    let world = World::seeded(Seed::default().user("second"));
    let found = |query: &str| {
        let users = world.get(&format!("/v4/users{query}")).ok();
        let users = users.as_array().unwrap().iter();
        users
            .map(|user| text(&user["userName"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(found(""), ["author", "approver", "ci-bot", "second"]);
    assert_eq!(found("?userName=ci-bot"), ["ci-bot"]);
    assert_eq!(found("?query=a"), ["author", "approver"]);
    assert!(found("?userName=ci").is_empty());
    let page = world.get("/api/users/v1/users?offset=1&limit=2").ok();
    assert_eq!(page["users"].as_array().unwrap().len(), 2);
    assert_eq!(page["users"][0]["userName"], "approver");
    assert_eq!(page["metadata"]["totalCount"], 4);
}

#[test]
fn a_project_is_found_by_owner_and_name() {
    let world = World::new();
    let path =
        "/v4/gateway/projects/findProjectByOwnerAndName?ownerName=author&projectName=quick-start";
    let project = world.get(path).ok();
    assert_eq!(project["id"], world.project_id().as_str());
    assert_eq!(project["requestingUserRole"], "Owner");
    assert_eq!(project["hardwareTierId"], "small-k8s");
    let missing = world.get("/v4/gateway/projects/findProjectByOwnerAndName?ownerName=author");
    assert_eq!(missing.status, 400);
}

#[test]
fn an_unknown_project_is_answered_as_the_version_does() {
    for (version, status) in [
        (Version::V5_9, 200),
        (Version::V6_2, 403),
        (Version::V6_3, 404),
        (Version::V6_4, 404),
    ] {
        let world = World::with(Options {
            version,
            ..Options::default()
        });
        world.is_beyond_the_specs("they are of 6.3, and older ones answer 200 with nothing in it");
        let path = "/v4/gateway/projects/findProjectByOwnerAndName?ownerName=author&projectName=no";
        let reply = world.get(path);
        assert_eq!(reply.status, status, "{version}");
        assert!(reply.json().get("id").is_none());
    }
}

#[test]
fn a_private_project_is_forbidden_to_others() {
    let world = World::seeded(
        Seed::bare()
            .project("author/open")
            .private_project("approver/closed"),
    );
    let state = world.sandbox.state();
    let closed = text(&state["projects"][1]["id"]);
    for path in [
        "/v4/gateway/projects/findProjectByOwnerAndName?ownerName=approver&projectName=closed"
            .to_owned(),
        format!("/v4/projects/{closed}"),
        format!("/v4/projects/{closed}/hardwareTiers"),
        format!("/api/projects/v1/projects/{closed}"),
        format!("/v4/jobs?projectId={closed}"),
    ] {
        assert_eq!(world.get(&path).status, 403, "{path}");
    }
    let visible = world.get("/api/projects/beta/projects").ok();
    assert_eq!(names(&visible["projects"]), ["open"]);
    let owner = world.sandbox.user("approver").token;
    let seen = world.signed(
        Sign::Token(&owner),
        "GET",
        &format!("/v4/projects/{closed}"),
        None,
    );
    assert_eq!(seen.unwrap().ok()["name"], "closed");
}

#[test]
fn projects_are_listed_by_name_and_owner_id() {
    let world = World::seeded(
        Seed::bare()
            .project("author/same")
            .project("wine-team/same"),
    );
    let all = world.get("/v4/projects?name=same").ok();
    assert_eq!(all.as_array().unwrap().len(), 2);
    let owner = text(&all[1]["ownerId"]);
    let one = world
        .get(&format!("/v4/projects?name=same&ownerId={owner}"))
        .ok();
    assert_eq!(one.as_array().unwrap().len(), 1);
    assert_eq!(one[0]["ownerUsername"], "wine-team");
    assert_eq!(world.get("/v4/projects?name=none").ok(), json!([]));
    let owned = world.get("/v4/gateway/projects?relationship=Owned").ok();
    assert_eq!(owned.as_array().unwrap().len(), 1);
    assert_eq!(
        world.get("/v4/gateway/projects?relationship=Odd").status,
        500
    );
}

#[test]
fn a_project_is_git_based_and_has_its_defaults() {
    let world = World::new();
    let id = world.project_id();
    let project = world.get(&format!("/v4/projects/{id}")).ok();
    let uri = text(&project["mainRepository"]["uri"]);
    assert!(uri.starts_with("file://"), "{uri}");
    let public = world.get(&format!("/api/projects/v1/projects/{id}")).ok();
    assert_eq!(
        public["project"]["mainRepository"]["defaultRef"]["refType"],
        "Head"
    );
    let settings = world.get(&format!("/v4/projects/{id}/settings")).ok();
    assert_eq!(settings["defaultHardwareTierId"], "small-k8s");
    assert_eq!(world.get("/v4/projects/not-an-id").status, 400);
    assert_eq!(
        world
            .get(&format!("/v4/projects/{}", "0".repeat(24)))
            .status,
        404
    );
}

#[test]
fn the_tiers_of_a_project_come_with_capacity_and_data_plane() {
    let seed = Seed::bare()
        .project("author/quick-start")
        .hardware_tier(HardwareTierSeed::new("a-k8s", "same"))
        .hardware_tier(HardwareTierSeed::new("b-k8s", "same").on("prod-plane"))
        .hardware_tier(HardwareTierSeed::new("old-k8s", "old").archived())
        .hardware_tier(HardwareTierSeed::new("m-k8s", "endpoint").for_model_apis());
    let world = World::seeded(seed);
    let path = format!("/v4/projects/{}/hardwareTiers", world.project_id());
    let ids = |query: &str| {
        let tiers = world.get(&format!("{path}{query}")).ok();
        let tiers = tiers.as_array().unwrap().iter();
        tiers
            .map(|tier| text(&tier["hardwareTier"]["id"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(""), ["a-k8s", "b-k8s"]);
    assert_eq!(ids("?showArchived=true"), ["a-k8s", "b-k8s", "old-k8s"]);
    assert_eq!(ids("?forModelApi=true"), ["m-k8s"]);
    let tiers = world.get(&path).ok();
    assert_eq!(tiers[0]["dataPlane"]["isLocal"], true);
    assert!(tiers[0]["hardwareTier"].get("dataPlaneId").is_none());
    assert_eq!(tiers[1]["dataPlane"]["name"], "prod-plane");
    assert_eq!(
        tiers[1]["hardwareTier"]["dataPlaneId"],
        tiers[1]["dataPlane"]["id"]
    );
    assert!(tiers[1]["capacity"]["capacityLevel"].is_string());
    let all = world.get("/v4/hardwareTier").ok();
    assert_eq!(all["hardwareTiers"].as_array().unwrap().len(), 3);
    assert_eq!(world.get("/v4/hardwareTier/a-k8s").ok()["name"], "same");
    assert_eq!(world.get("/v4/hardwareTier/same").status, 404);
}

#[test]
fn the_list_of_all_tiers_and_of_data_planes_is_for_admins() {
    let world = World::seeded(Seed::default().admin("root-admin"));
    let refused = world.get("/api/hardwaretiers/v1/hardwaretiers");
    assert_eq!(refused.status, 403);
    assert!(String::from_utf8(refused.body).is_err());
    assert_eq!(world.get("/v4/dataplanes/dataplanes").status, 403);

    let admin = world.sandbox.user("root-admin").token;
    let get = |path: &str| {
        world
            .signed(Sign::Token(&admin), "GET", path, None)
            .unwrap()
            .ok()
    };
    let tiers = get("/api/hardwaretiers/v1/hardwaretiers?limit=3");
    assert_eq!(tiers["hardwareTiers"].as_array().unwrap().len(), 3);
    assert_eq!(tiers["metadata"]["totalCount"], 7);
    assert_eq!(
        tiers["hardwareTiers"][0]["resources"]["memory"]["units"],
        "GiB"
    );
    let one = get("/api/hardwaretiers/v1/hardwaretiers/dev-small-k8s");
    assert_eq!(one["hardwareTier"]["name"], "dev-small");
    assert_eq!(names(&get("/v4/dataplanes/dataplanes")).len(), 4);
}

#[test]
fn environments_show_their_active_revision_which_is_not_the_latest() {
    let seed = Seed::default()
        .environment("Second")
        .archived_environment("Old");
    let world = World::seeded(seed);
    let useable = world
        .get(&format!(
            "/v4/projects/{}/useableEnvironments",
            world.project_id()
        ))
        .ok();
    assert_eq!(
        names(&useable["environments"]),
        ["Domino Standard Environment", "Second"]
    );
    let first = &useable["environments"][0];
    assert_eq!(useable["currentlySelectedEnvironment"]["id"], first["id"]);
    let one = world
        .get(&format!("/v4/environments/{}", text(&first["id"])))
        .ok();
    assert_eq!(one["selectedRevision"]["id"], first["activeRevisionId"]);
    assert_ne!(
        one["selectedRevision"]["number"],
        one["latestRevision"]["number"]
    );
    let public = world
        .get(&format!(
            "/api/environments/v1/environments/{}",
            text(&first["id"])
        ))
        .ok();
    assert_eq!(
        public["environment"]["latestRevision"]["status"],
        "succeeded"
    );
    let listed = world.get("/api/environments/beta/environments").ok();
    assert_eq!(names(&listed["environments"]).len(), 2);
    assert_eq!(names(&world.get("/v4/environments/self").ok()).len(), 2);
    let revision = text(&first["activeRevisionId"]);
    let revision = world
        .get(&format!("/v4/environments/environmentRevision/{revision}"))
        .ok();
    assert_eq!(revision["isLatestRevision"], false);
    assert_eq!(revision["environment"]["id"], first["id"]);
    assert_eq!(
        world.get("/v4/environments/defaultEnvironment").ok()["id"],
        first["id"]
    );
    assert_eq!(names(&world.get("/v1/environments").ok()["data"]).len(), 2);
}

#[test]
fn a_route_that_is_not_there_and_a_wrong_method_are_both_404() {
    let world = World::new();
    let unknown = world.get("/api/nothing/v1/here");
    assert_eq!(unknown.status, 404);
    assert!(
        unknown
            .text()
            .contains("/api/nothing/v1/here was not found")
    );
    assert!(unknown.content_type.starts_with("text/plain"));
    assert_eq!(world.get("/api/jobs/v1/jobs").status, 404);
    assert_eq!(world.get("/v4/jobs/start").status, 404);
    assert_eq!(world.request("DELETE", "/v4/users/self", None).status, 404);
}
