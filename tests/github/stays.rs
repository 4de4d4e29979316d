//! What people set stays, except for who else may deploy.

use super::small_github::{Policy, named};
use super::*;

#[test]
fn what_the_file_does_not_name_stays_and_other_branches_go() {
    let (scene, github) = scene();
    github.environment("PROD", |prod| {
        // Ben is named in the file; Cleo is not.
        prod.reviewers = vec![("User".into(), 13), ("User".into(), 12)];
        prod.protected_branches = Some(false);
        let policy = |id, name: &str, kind: &str| Policy {
            id,
            name: name.into(),
            kind: kind.into(),
        };
        prod.policies = vec![
            policy(1, "release/*", "branch"),
            policy(2, "main", "branch"),
            policy(3, "v*", "tag"),
        ];
        prod.variables.insert("REGION".into(), "eu".into());
        prod.variables.insert("DOMINO_ENV".into(), "prod".into());
        prod.secrets.insert("OTHER".into(), ("other".into(), 1));
    });
    github.environment("DEV", |dev| dev.wait_timer = 30);
    github.environment("STAGE", |staging| {
        staging.protected_branches = Some(true);
        staging.reviewers = vec![("User".into(), 11)];
        staging.prevents_self_review = true;
        staging.is_closed_to_admins = true;
        staging.variables.insert("DOMINO_ENV".into(), "PROD".into());
    });
    let run = apply(&scene, &[]).exits(0);
    insta::assert_snapshot!("github_what_people_set", run.to_string());

    let prod = github.look("PROD").unwrap();
    assert!(prod.takes_only("main"), "{prod:?}");
    assert!(prod.reviewers.contains(&("User".into(), 13)), "{prod:?}");
    assert_eq!(prod.reviewers.len(), 3);
    assert_eq!(prod.variables["REGION"], "eu");
    assert_eq!(prod.variables["DOMINO_ENV"], "prod");
    assert_eq!(prod.secrets["OTHER"].0, "other");
    let dev = github.look("DEV").unwrap();
    assert_eq!(dev.wait_timer, 30);
    let staging = github.look("STAGE").unwrap();
    assert!(staging.takes_only("main") && !staging.prevents_self_review);
    assert_eq!(staging.variables["DOMINO_ENV"], "STAGE");
    apply(&scene, &[]).exits(0).tells("nothing was changed");
}

#[test]
fn policies_of_an_earlier_time_do_not_come_back() {
    let (scene, github) = scene();
    github.environment("DEV", |dev| {
        dev.policies = vec![Policy {
            id: 1,
            name: "*".into(),
            kind: "branch".into(),
        }];
    });
    let run = apply(&scene, &["--stage", "dev"]).exits(0);
    assert!(
        run.stdout
            .contains("- DEV: branch `*` may deploy no longer"),
        "{run}"
    );
    assert!(github.look("DEV").unwrap().takes_only("main"));
}

#[test]
fn a_wait_timer_that_the_file_sets_to_nothing_goes() {
    let text = stages().replace("wait-timer = 5", "wait-timer = 0");
    let (scene, github) = scene_of(&text);
    github.environment("PROD", |prod| prod.wait_timer = 30);
    let run = apply(&scene, &["--stage", "prod"]).exits(0);
    assert!(
        run.stdout.contains("~ PROD: wait timer: 30 → 0 min"),
        "{run}"
    );
    assert_eq!(github.look("PROD").unwrap().wait_timer, 0);
}

#[test]
fn more_reviewers_than_github_takes_are_refused_before_anything_is_written() {
    let (scene, github) = scene();
    github.change(|wine| {
        wine.people = named(&[
            ("ann", 11),
            ("ben", 12),
            ("cleo", 13),
            ("dan", 14),
            ("eve", 15),
            ("fay", 16),
            ("gus", 17),
        ]);
    });
    github.environment("PROD", |prod| {
        prod.reviewers = (13..=17).map(|id| ("User".to_owned(), id)).collect();
    });
    let run = apply(&scene, &[])
        .exits(3)
        .tells("environment `PROD` would have 7 reviewers, and GitHub takes 6");
    assert!(
        run.stderr.contains("`cleo`, `dan`, `eve`, `fay`, `gus`"),
        "{run}"
    );
    assert_eq!(github.writes(), [""; 0]);
}
