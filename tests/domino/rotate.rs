//! `rotate`: in which order, what a stop leaves, and how the next one finishes.

use domino_sandbox::{Fault, Misbehaviour};

use super::*;

const PROD: &[&str] = &["rotate", "--yes", "--stage", "prod"];

fn names(numbers: &[(u32, bool)]) -> Vec<(String, bool)> {
    let name = |number: u32| format!("github-example-org-wine-PROD-{number}");
    numbers
        .iter()
        .map(|(number, valid)| (name(*number), *valid))
        .collect()
}

#[test]
fn a_new_token_takes_the_place_of_the_old_one_which_is_invalidated_last() {
    let (scene, github) = scene();
    apply(&scene, &["--stage", "prod"]).exits(0);
    let asked = scene.sandbox.requests().len();
    let rotated = run(&scene, PROD).exits(0);
    assert_eq!(
        tokens(&scene, "ci-wine-prod"),
        names(&[(1, false), (2, true)])
    );
    assert!(is_set_up(&scene, &github, ("prod", "PROD")), "{rotated}");
    let since = scene.sandbox.requests().split_off(asked);
    let last = since.last().unwrap();
    assert!(last.path.ends_with("-PROD-1/invalidate"), "{}", last.path);
    // Another one after a whole one makes a new token again.
    run(&scene, PROD).exits(0);
    assert_eq!(
        tokens(&scene, "ci-wine-prod"),
        names(&[(1, false), (2, false), (3, true)])
    );
    insta::assert_snapshot!("rotate", rotated.to_string());
}

#[test]
fn a_rotation_that_stopped_is_finished_by_the_next_one() {
    let (scene, github) = scene();
    apply(&scene, &["--stage", "prod"]).exits(0);
    let secret = "PUT /repos/example-org/wine/environments/PROD/secrets/DOMINO_TOKEN";
    let refused = Misbehaviour::Status {
        status: 403,
        retry_after: None,
        processed: false,
    };
    github.server.harm(secret, refused.clone(), None);
    let stopped = run(&scene, PROD)
        .exits(3)
        .tells("1 of 5 moves were made")
        .tells("`github-example-org-wine-PROD-1` opens Domino still");
    assert_eq!(
        tokens(&scene, "ci-wine-prod"),
        names(&[(1, true), (2, true)])
    );
    github.server.heal();
    // Then it stops at the old one, when the new one is in the secret.
    let old = "POST /api/serviceAccounts/v1/serviceAccounts/*/tokens/*/invalidate";
    scene.sandbox.faults().add(Fault::on(old, refused));
    let again = run(&scene, PROD).exits(3).tells("3 of 4 moves were made");
    assert_eq!(
        held(&scene, &github, "PROD"),
        Some(names(&[(2, true)])[0].0.clone())
    );
    scene.sandbox.faults().clear();
    let finished = run(&scene, PROD).exits(0);
    assert_eq!(
        tokens(&scene, "ci-wine-prod"),
        names(&[(1, false), (2, true)])
    );
    insta::assert_snapshot!("rotate_stopped", format!("{stopped}\n{again}\n{finished}"));
}

#[test]
fn no_token_goes_to_an_environment_that_is_not_guarded_or_to_no_account() {
    let (scene, github) = scene();
    run(&scene, PROD)
        .exits(3)
        .tells("there is no service account `ci-wine-prod`");
    apply(&scene, &["--stage", "prod"]).exits(0);
    github.environment("PROD", |prod| prod.protected_branches = None);
    run(&scene, PROD)
        .exits(3)
        .tells("no token goes there")
        .tells("run `domino-pipeline github apply` first");
    assert_eq!(tokens(&scene, "ci-wine-prod"), names(&[(1, true)]));
}
