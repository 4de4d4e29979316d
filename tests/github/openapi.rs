//! Our requests, and the small GitHub's answers, compared with GitHub's own OpenAPI description.

use domino_contract::{Exchange, Verdict};

use super::*;
use crate::harness::github::description::description;

/// GitHub answers with more than its description says, and a test with statuses of its own.
const UNDESCRIBED: [u16; 4] = [401, 403, 404, 409];

#[test]
fn requests_and_answers_are_as_githubs_description_says() {
    let Some(description) = description() else {
        eprintln!("NOT RUN: the test with GitHub's OpenAPI; set ACTIONS_LIBRARY to yes for that");
        return;
    };
    let (mut scene, github) = scene();
    github.environment("PROD", |prod| {
        prod.reviewers = vec![("User".into(), 13)];
        prod.protected_branches = Some(true);
        prod.policies = vec![small_github::Policy {
            id: 3,
            name: "*".into(),
            kind: "branch".into(),
        }];
        prod.variables.insert("DOMINO_ENV".into(), "DEV".into());
    });
    github.change(|wine| wine.secrets = vec!["OTHER".into()]);
    apply(&scene, &[]).exits(0);
    apply(&scene, &["--replace-secrets"]).exits(0);
    scene.commit_file("stages.toml", &stages().replace("[\"ann\"]", "[\"anne\"]"));
    apply(&scene, &[]).exits(3);
    scene.commit_file("stages.toml", &stages());
    github.environment("DEV", |dev| dev.protected_branches = Some(true));
    scene.run(&["doctor", "--stage", "dev"]);
    // What waits for whom: the small GitHub knows no runs, so that the request is compared.
    scene.run(&["status"]);

    let mut verdict = Verdict::default();
    for (request, reply) in github.server.exchanges() {
        assert_eq!(
            request.header("accept"),
            Some("application/vnd.github+json")
        );
        assert_eq!(request.header("x-github-api-version"), Some("2022-11-28"));
        let reply = reply.filter(|reply| !UNDESCRIBED.contains(&reply.status));
        verdict.add(description.examine(&Exchange {
            method: &request.method,
            path: &request.path,
            query: Some(&request.query),
            body: request.body.as_ref(),
            status: reply.as_ref().map(|reply| reply.status),
            reply: reply.as_ref().and_then(|reply| reply.body.as_ref()),
        }));
    }
    eprintln!("{verdict}");
    assert!(verdict.findings.is_empty(), "{verdict}");
    assert!(verdict.requests > 60, "{verdict}");
    let asked = github.server.exchanges();
    let waits = asked
        .iter()
        .any(|(request, _)| request.path.ends_with("/actions/runs"));
    assert!(waits, "what waits was not asked for");
}
