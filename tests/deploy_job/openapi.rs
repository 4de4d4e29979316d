//! What a step asks GitHub, compared with GitHub's own OpenAPI description.

use std::sync::mpsc::Receiver;

use domino_contract::{Exchange, Verdict};

use super::*;
use crate::harness::github::description::description;

#[test]
fn what_a_step_asks_github_is_in_githubs_description() {
    let Some(description) = description() else {
        eprintln!("NOT RUN: the test with GitHub's OpenAPI; set ACTIONS_LIBRARY to yes for that");
        return;
    };
    let to_prod = ["start", "train", "--stage", "prod"];
    let mut scene = approval::guarded("");
    let approved = approval::approved_by(&mut scene, &["ann"]);
    scene.run(&to_prod).exits(0);
    let mut scene = approval::guarded("gate = \"dispatch\"");
    let by_hand = approval::started(&mut scene, "workflow_dispatch", "ann", "cleo");
    scene.run(&to_prod).exits(0);
    let (mut scene, _) = again::trained(false);
    let once_more = again::again(&mut scene, 200, again::attempts("failure"));
    scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    let heads: Vec<String> = [approved, by_hand, once_more]
        .iter()
        .flat_map(Receiver::try_iter)
        .collect();
    let mut verdict = Verdict::default();
    for head in &heads {
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        verdict.add(description.examine(&Exchange {
            method,
            path,
            query: Some(query),
            body: None,
            status: None,
            reply: None,
        }));
    }
    eprintln!("{verdict}");
    assert!(verdict.findings.is_empty(), "{verdict}");
    for end in ["/approvals", "/runs/77", "/commits/a1b2", "/jobs"] {
        let is_asked = |head: &String| head.split([' ', '?']).any(|part| part.ends_with(end));
        assert!(heads.iter().any(is_asked), "{end}: {heads:?}");
    }
}
