//! The state of an endpoint: which version counts, who wrote it, whether somebody stopped it.

use super::*;

/// An endpoint with these versions, newest first, each with its status, whose active version has this number.
fn endpoint(statuses: &[&str], active: Option<u64>) -> ExistingEndpoint {
    let numbers = (1..=statuses.len() as u64).rev();
    let versions = numbers
        .zip(statuses)
        .map(|(number, status)| version(number, &wanted(), status));
    existing(&wanted(), versions.collect(), active)
}

#[test]
fn an_endpoint_is_stopped_when_what_answers_is_and_nothing_newer_goes_on() {
    for (statuses, active, is_stopped) in [
        (&[][..], None, false),
        (&["Stopped"], Some(1), true),
        (&["Running"], Some(1), false),
        (&["Failed"], Some(1), false),
        (&["Stopped"], None, true),
        (&["Running"], None, false),
        (&["Starting", "Stopped"], None, false),
        (&["Failed", "Stopped"], Some(1), true),
        (&["Stopped", "Stopped"], Some(1), true),
        (&["Running", "Stopped"], Some(1), false),
        (&["Building", "Stopped"], Some(1), false),
        (&["Stopped", "Running"], Some(1), false),
        (&["Stopped", "Running"], Some(2), true),
    ] {
        let endpoint = endpoint(statuses, active);
        assert_eq!(endpoint.is_stopped(), is_stopped, "{statuses:?} {active:?}");
    }
}

#[test]
fn the_next_version_takes_over_from_the_one_that_answers_else_from_the_newest() {
    let base = |statuses: &[&str], active| {
        let endpoint = endpoint(statuses, active);
        endpoint.base().and_then(|version| version.number)
    };
    assert_eq!(base(&["Starting", "Running"], Some(1)), Some(1));
    assert_eq!(base(&["Starting", "Stopped"], None), Some(2));
    assert_eq!(base(&[], None), None);
}

#[test]
fn we_wrote_what_the_newest_mark_says_or_that_of_what_answers() {
    let wrote = |replicas: Option<u32>| {
        let mut wanted = wanted();
        wanted.marker.written = replicas.map(|replicas| Written {
            replicas,
            text: "t".into(),
            variables: "none".into(),
        });
        wanted
    };
    let model = EntityMarker::new("dev", "wine");
    // The replicas in each marker, of versions 3, 2 and 1; the first of them answers.
    let endpoint = |marks: [Option<u32>; 3]| {
        let versions = [3, 2, 1]
            .iter()
            .zip(marks)
            .map(|(number, replicas)| version(*number, &wrote(replicas), "Running"));
        existing(&wanted(), versions.collect(), Some(1))
    };
    let last = |marks| {
        let last = endpoint(marks).last_written(&model);
        last.map(|last| last.replicas)
    };
    assert_eq!(last([Some(3), Some(2), Some(1)]), Some(3));
    assert_eq!(last([None, Some(2), Some(1)]), Some(2));
    assert_eq!(last([None, None, None]), None);
    let is_written = |marks, replicas| {
        endpoint(marks).is_written(&model, |written| written.replicas == replicas)
    };
    assert!(is_written([Some(3), Some(2), Some(1)], 3));
    assert!(is_written([Some(3), Some(2), Some(1)], 1));
    assert!(!is_written([Some(3), Some(2), Some(1)], 2));
    assert!(!is_written([None, None, None], 1));
}

#[test]
fn the_mark_of_the_endpoint_counts_for_its_only_version() {
    let wanted = wanted();
    let unmarked = ModelApiVersion {
        description: String::new(),
        ..version(2, &wanted, "Running")
    };
    let marks = |versions: Vec<ModelApiVersion>| {
        let mut endpoint = existing(&wanted, versions, Some(2));
        endpoint.api.description = format!("Predicts {}", wanted.marker);
        let mark = |version| endpoint.mark_of(version, &wanted.marker.of).is_some();
        endpoint.versions.iter().map(mark).collect::<Vec<bool>>()
    };
    assert_eq!(marks(vec![unmarked.clone()]), [true]);
    let newer = version(3, &wanted, "Starting");
    assert_eq!(marks(vec![newer, unmarked]), [true, false]);
}

#[test]
fn a_newest_version_that_runs_serves_only_where_nobody_says_that_another_does() {
    let wanted = wanted();
    let running = version(2, &wanted, "Running");
    let before = version(1, &wanted_of(registered(6), &commit()), "Running");
    let serves = |generation: Generation, active| {
        let versions = vec![running.clone(), before.clone()];
        let existing = existing(&wanted, versions, active);
        let work = work(generation.capabilities(), Some(&existing), &wanted);
        matches!(work, Work::Nothing(_))
    };
    assert!(serves(Generation::ModelServing, Some(2)));
    assert!(!serves(Generation::ModelServing, Some(1)));
    assert!(!serves(Generation::ModelServing, None));
    assert!(serves(Generation::Models, None));
    assert!(!serves(Generation::Models, Some(1)));
}

#[test]
fn what_is_pending_is_on_its_way_unless_it_failed_or_was_stopped() {
    for (status, is_pending, followed) in [
        ("Stalled", false, false),
        ("Stalled", true, true),
        ("Running", true, true),
        ("Failed", true, false),
        ("Stopped", true, false),
    ] {
        let told = deployment(status, is_pending);
        assert_eq!(is_on_its_way(Some(&told)), followed, "{told:?}");
    }
    assert!(is_on_its_way(None));
}

#[test]
fn other_settings_are_the_reason_where_the_commit_is_none() {
    let function = || ModelApiSource::Function {
        file: "predict.py".into(),
        function: "predict".into(),
    };
    let other_commit = Commit::whole(&"cd".repeat(20)).unwrap();
    for before in [
        wanted_of(function(), &commit()),
        wanted_of(registered(7), &other_commit),
    ] {
        let mut made = before.clone();
        made.marker.state = Some("of-others".into());
        let existing = existing(&made, vec![version(1, &made, "Running")], Some(1));
        let now = wanted_of(before.desired.source, &commit());
        assert_eq!(
            described_work(&existing, &now),
            "version: version 1 was made from other settings in stages.toml"
        );
    }
}
