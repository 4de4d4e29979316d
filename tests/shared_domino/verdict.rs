//! Whether a cell holds: compares what exists after the verb with what a person left before it.

use serde_json::{Map, Value};

use crate::harness::Run;
use crate::models;
use crate::table::{Act, Expected};
use crate::world::{Kind, World, is_bystander};

/// Tells the story of one cell, and panics where it does not hold.
pub fn hold(mut world: World, act: Act) {
    world.deploy().exits(0);
    world.make_bystander();
    world.settle();
    (act.by_hand)(&mut world);
    world.settle();
    let expected = match world.column.ends {
        true => act.ends,
        false => act.deploys,
    };
    one_round(&world, expected, false);
    // What deploys does so again with the next commit; a run of the next commit is another one.
    let goes_on = expected.exit == 0 && !world.column.ends && world.column.kind != Kind::Run;
    if let Some(then) = act.then.filter(|_| goes_on) {
        world.commit("80");
        if world.column.kind == Kind::Version {
            models::serve_in_dev(&world);
        }
        one_round(&world, then, true);
    }
}

/// Runs the verb, and compares the state before and after.
fn one_round(world: &World, expected: Expected, is_next: bool) {
    let before = world.things();
    let run = world.run_verb().exits(expected.exit);
    world.settle();
    let after = world.things();
    let output = format!("{}{}", run.stdout, run.stderr);
    for text in expected.tells {
        assert!(output.contains(text), "`{text}` is not told:\n{run}");
    }
    if expected.exit == 3 {
        assert!(
            before == after,
            "refused, and changed:\n{run}\n{before:#?}\n{after:#?}"
        );
        return;
    }
    if is_next && expected.exit == 0 {
        models::assert_moved_on(world, &after, &run);
    }
    nothing_lost(world, &before, &after, &run);
    nothing_doubled(world, &before, &after, &run);
    for (id, was) in &before {
        let Some(is) = after.get(id) else { continue };
        if is_bystander(was) {
            assert!(
                was == is,
                "somebody else's was changed:\n{run}\n{was:#}\n{is:#}"
            );
        }
        nothing_undone(meant(world, was, is_next), was, is, &output, &run);
    }
}

/// What is gone is what the verb deletes.
fn nothing_lost(world: &World, before: &Map<String, Value>, after: &Map<String, Value>, run: &Run) {
    let gone: Vec<&Value> = before
        .iter()
        .filter(|(id, _)| !after.contains_key(*id))
        .map(|(_, thing)| thing)
        .collect();
    let deletes = world.column.ends && world.column.kind == Kind::Schedule;
    assert_eq!(gone.len(), usize::from(deletes), "gone: {gone:#?}\n{run}");
    assert!(
        !gone.iter().any(|thing| is_bystander(thing)),
        "somebody else's is gone:\n{run}"
    );
}

/// Nothing is there twice, and no more runs than before, or than the one that was wanted.
fn nothing_doubled(
    world: &World,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    run: &Run,
) {
    let active = |things: &Map<String, Value>| {
        let ours = things.values().filter(|thing| !is_bystander(thing));
        ours.filter(|thing| match world.column.kind {
            Kind::Run => thing["goes on"] == true,
            Kind::Endpoint | Kind::Version => thing["is endpoint"] == true,
            _ => true,
        })
        .count()
    };
    let (was, is) = (active(before), active(after));
    assert!(
        is <= was.max(1),
        "{was} before, {is} after:\n{run}\n{after:#?}"
    );
    assert!(world.processes() <= 1, "two serve at once:\n{run}");
    for thing in after.values().filter(|thing| thing["is endpoint"] == true) {
        let most = if thing["routingMode"] == "advanced" {
            2
        } else {
            1
        };
        assert!(
            thing["alive"].as_u64() <= Some(most),
            "two serve at once:\n{run}"
        );
    }
}

/// What the verb is there to change.
fn meant(world: &World, was: &Value, is_next: bool) -> &'static [&'static str] {
    match world.column.kind {
        Kind::Run if world.column.ends => &["status", "goes on"],
        Kind::Schedule => &["mainRepoGitRef"],
        Kind::App if world.column.ends => &["serves", "status"],
        Kind::App => &["commit"],
        Kind::Endpoint if is_next && was["is endpoint"] == true => &["serves", "versions"],
        Kind::Version if is_next && was["name"] == "wine" => &["stage", "aliases"],
        _ => &[],
    }
}

/// What is another thing than a person left is named, but for what the verb is there to change.
fn nothing_undone(meant: &[&str], was: &Value, is: &Value, output: &str, run: &Run) {
    let facts = was.as_object().unwrap().iter();
    // How many processes there may be is another question.
    for (key, left) in facts.filter(|(key, _)| *key != "alive") {
        // The word stands in every output; the one that was left does not.
        let left_word = left.as_str().map(|left| format!("`{left}`"));
        let word = match key.as_str() {
            "environmentRevisionId" => "environment revision",
            "hardwareTierId" => "hardware tier",
            "monitoringEnabled" => "monitoring",
            "recordInvocation" => "recording",
            "predictionDatasetResourceId" => "prediction data set",
            "resourceQuotaId" => "resource quota",
            "aliases" => "alias",
            "versions" => "a version of endpoint",
            "stage" => left_word.as_deref().unwrap_or("stage"),
            key => key,
        };
        let told = meant.contains(&key.as_str()) || output.contains(word);
        assert!(
            *left == is[key] || told,
            "`{key}` was {left}, is {}, and nobody says so:\n{run}",
            is[key]
        );
    }
}
