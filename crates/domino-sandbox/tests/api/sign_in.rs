//! Which credential opens what, and what those without one get.

use domino_sandbox::{Account, Credential, Options, Version};

use crate::world::{Sign, World};

fn of(version: Version) -> World {
    World::with(Options {
        version,
        ..Options::default()
    })
}

#[test]
fn the_version_needs_no_credential() {
    for version in [Version::V5_9, Version::V6_2, Version::V6_3, Version::V6_4] {
        let world = of(version);
        let reply = world.signed(Sign::Not, "GET", "/version", None).unwrap();
        assert_eq!(reply.ok()["version"], version.release());
    }
}

#[test]
fn a_key_opens_the_api_until_6_4_and_a_token_always() {
    let world = of(Version::V6_3);
    let author = world.author();
    let with_key = world.signed(Sign::Key(&author.api_key), "GET", "/v4/users/self", None);
    assert_eq!(with_key.unwrap().ok()["userName"], "author");

    let world = of(Version::V6_4);
    let author = world.author();
    let with_key = world.signed(Sign::Key(&author.api_key), "GET", "/v4/users/self", None);
    assert_eq!(with_key.unwrap().status, 401);
    let with_token = world.signed(Sign::Token(&author.token), "GET", "/v4/users/self", None);
    assert_eq!(with_token.unwrap().ok()["userName"], "author");
}

#[test]
fn a_key_as_bearer_is_told_that_there_is_no_current_user() {
    let world = World::new();
    let key = world.author().api_key;
    let reply = world
        .signed(Sign::Token(&key), "GET", "/v4/users/self", None)
        .unwrap();
    assert_eq!(reply.status, 403);
    assert!(reply.content_type.starts_with("text/plain"));
    assert!(reply.text().contains("current user"));
}

#[test]
fn who_is_not_signed_in_is_told_in_the_words_of_the_family() {
    let world = World::new();
    let refused = |sign, path: &str| {
        let reply = world.signed(sign, "GET", path, None).unwrap();
        assert_eq!(reply.status, 401, "{path}");
        reply
    };
    for sign in [
        Sign::Not,
        Sign::Key("wrong"),
        Sign::Token("wrong"),
        Sign::Header("authorization", "Basic eDp5"),
    ] {
        let v4 = refused(sign, "/v4/users/self").json();
        assert!(v4["message"].is_string(), "{v4}");
        let public = refused(sign, "/api/users/v1/self").json();
        assert!(
            public["errors"][0].is_string() && public["requestId"].is_string(),
            "{public}"
        );
        let legacy = refused(sign, "/v1/environments");
        assert!(legacy.content_type.starts_with("text/plain"));
    }
}

#[test]
fn credentials_can_be_given_and_are_never_recorded() {
    let world = World::with(Options {
        credentials: vec![Account {
            user_name: "ci-bot".into(),
            api_key: "canary-key".into(),
            token: "canary-token".into(),
        }],
        ..Options::default()
    });
    let self_path = "/v4/users/self";
    let with_key = world
        .signed(Sign::Key("canary-key"), "GET", self_path, None)
        .unwrap();
    assert_eq!(with_key.ok()["userName"], "ci-bot");
    world
        .signed(Sign::Token("canary-token"), "GET", self_path, None)
        .unwrap()
        .ok();
    world.signed(Sign::Not, "GET", self_path, None).unwrap();
    let requests = world.sandbox.requests();
    let kinds: Vec<Credential> = requests.iter().map(|request| request.credential).collect();
    assert_eq!(
        kinds,
        [Credential::ApiKey, Credential::Bearer, Credential::None]
    );
    assert_eq!(requests[0].user.as_deref(), Some("ci-bot"));
    assert_eq!(requests[2].user, None);
    assert!(!format!("{requests:?}").contains("canary"));
}

#[test]
fn a_sandbox_refuses_to_listen_beyond_loopback() {
    let problem = domino_sandbox::Sandbox::start(Options {
        listen: "0.0.0.0:0".parse().unwrap(),
        ..Options::default()
    });
    assert!(problem.err().unwrap().to_string().contains("loopback"));
}
