//! Markers: how each reads, and in which texts it is found again.

use super::*;

fn wine_quality() -> EntityMarker {
    EntityMarker::new("staging", "wine-quality")
}

fn written() -> Written {
    Written {
        replicas: 2,
        text: "cd".into(),
        variables: "none".into(),
    }
}

fn marker(version: Option<u64>, run: Option<&str>) -> DeploymentMarker {
    DeploymentMarker {
        of: wine_quality(),
        version: version.map(VersionNumber::new),
        commit: Commit::whole(&"ab".repeat(20)).unwrap(),
        workflow_run: run.map(str::to_owned),
        after: run.map(|_| 4),
        state: Some("0123456789ab".into()),
        written: run.map(|_| written()),
        hold: None,
    }
}

#[test]
fn a_marker_reads_well_and_is_found_again() {
    let of_a_workflow = marker(Some(7), Some("123"));
    assert_eq!(
        of_a_workflow.to_string(),
        "[staging/wine-quality v7 abababababab run 123 after 4 state 0123456789ab replicas 2 text cd variables none]"
    );
    let found = |run: Option<&str>| FoundMarker {
        version: Some(VersionNumber::new(7)),
        commit: "abababababab".into(),
        workflow_run: run.map(str::to_owned),
        after: run.map(|_| 4),
        state: "0123456789ab".into(),
        written: run.map(|_| written()),
        hold: None,
    };
    for run in [Some("123"), None] {
        let text = format!("Predicts [x] {}", marker(Some(7), run));
        assert_eq!(
            FoundMarker::in_text(&text, &wine_quality()),
            Some(found(run))
        );
    }
    let function = marker(None, None).to_string();
    assert_eq!(
        FoundMarker::in_text(&function, &wine_quality())
            .unwrap()
            .version,
        None
    );
}

#[test]
fn another_stage_or_model_and_text_by_hand_are_no_markers() {
    let text = marker(Some(7), None).to_string();
    for (text, stage, model) in [
        (text.as_str(), "stag", "wine-quality"),
        (&text, "staging", "wine"),
        ("", "staging", "wine-quality"),
        ("[staging/wine-quality by hand]", "staging", "wine-quality"),
        ("[staging/wine-quality v7", "staging", "wine-quality"),
    ] {
        let model = EntityMarker::new(stage, model);
        assert_eq!(FoundMarker::in_text(text, &model), None, "{text}");
    }
}

#[test]
fn the_last_marker_of_any_text_tells_entity_and_workflow_run() {
    let train = EntityMarker::new("dev", "train");
    for (text, run) in [
        ("Train [v2] [dev/train abababababab run 77]", Some("77")),
        ("[dev/train abababababab] (copy)", None),
        ("[prod/other ab run 1] [dev/train]", None),
    ] {
        assert_eq!(EntityMarker::last_in(text).as_ref(), Some(&train), "{text}");
        assert_eq!(train.workflow_run_in(text), run, "{text}");
    }
    for text in [
        "",
        "Train",
        "[v2]",
        "[a b/c]",
        "[1/2]",
        "[dev/train",
        "[dev/]",
    ] {
        assert_eq!(EntityMarker::last_in(text), None, "{text}");
    }
}

fn of_a_run(entity: &str, run: Option<&str>) -> DeploymentMarker {
    DeploymentMarker {
        of: EntityMarker::new("dev", entity),
        version: None,
        after: None,
        state: None,
        written: None,
        ..marker(None, run)
    }
}

#[test]
fn a_marker_ends_the_title_of_a_run_and_finds_it_again() {
    let marker = of_a_run("train", Some("77"));
    let title = format!("Train [v2] {marker}");
    assert_eq!(title, "Train [v2] [dev/train abababababab run 77]");
    assert!(marker.ends(&title) && EntityMarker::new("dev", "train").is_of(&title));
    for same in [of_a_run("train", Some("7")), of_a_run("train", None)] {
        assert!(same.is_of_same_commit(&title));
    }
    assert!(!of_a_run("test", Some("77")).is_of_same_commit(&title));
    assert!(!marker.is_of_same_commit("Train [dev/train]"));
    for other in [
        of_a_run("test", Some("77")),
        of_a_run("train", Some("7")),
        of_a_run("train", None),
    ] {
        assert!(!other.ends(&title), "{other}");
    }
    for (stage, entity) in [("prod", "train"), ("dev", "trai"), ("dev", "train2")] {
        assert!(!EntityMarker::new(stage, entity).is_of(&title));
    }
}

#[test]
fn the_marker_of_a_schedule_is_found_wherever_it_stands_and_tells_whether_we_paused_it() {
    let train = EntityMarker::new("dev", "train");
    assert_eq!(train.of_schedule(false, None), "[dev/train]");
    assert_eq!(train.of_schedule(true, None), "[dev/train paused]");
    for (title, found) in [
        ("Train [dev/train]", Some(("[dev/train]", false))),
        (
            "Train [dev/train paused]",
            Some(("[dev/train paused]", true)),
        ),
        (
            "Train [dev/train paused] (ask ann)",
            Some(("[dev/train paused]", true)),
        ),
        ("[dev/train] nightly", Some(("[dev/train]", false))),
        ("Train [dev/train2]", None),
        ("Train [dev/train abababababab run 7]", None),
        ("Train [prod/train paused]", None),
        ("Train", None),
    ] {
        let found = found.map(|(marker, is_paused)| ScheduleMarker {
            text: marker.to_owned(),
            is_paused,
            hold: None,
        });
        assert_eq!(train.schedule_in(title), found, "{title}");
    }
}

#[test]
fn a_marker_tells_that_it_is_held() {
    let hold = Hold::read("hold 2026-11-30 from 3f2a91c0b1d2");
    let mut held = marker(Some(7), Some("123"));
    held.hold = hold.clone();
    let found = FoundMarker::in_text(&held.to_string(), &wine_quality()).unwrap();
    assert_eq!((found.hold, found.written), (hold.clone(), Some(written())));
    let train = EntityMarker::new("dev", "train");
    for is_paused in [true, false] {
        let text = train.of_schedule(is_paused, hold.as_ref());
        let found = train.schedule_in(&format!("Train {text} (ask ann)"));
        assert_eq!(
            found,
            Some(ScheduleMarker {
                text,
                is_paused,
                hold: hold.clone()
            })
        );
    }
}

#[test]
fn a_marker_of_an_entity_ends_a_title_only_as_the_last_of_it() {
    let train = EntityMarker::new("dev", "train");
    assert_eq!(train.to_string(), "[dev/train]");
    for (title, ends) in [
        ("Train [dev/train]", true),
        ("[dev/train]", true),
        ("Train [dev/train] (copy)", false),
        ("Train [dev/train abababababab]", false),
        ("Train [dev/train2]", false),
        ("", false),
    ] {
        assert_eq!(train.ends(title), ends, "{title}");
    }
}

#[test]
fn a_marker_may_say_that_nobody_knows_the_environment_variables() {
    let mut known = marker(Some(7), Some("123"));
    known.forget_variables();
    let forgotten = Written {
        variables: "unknown".into(),
        ..written()
    };
    assert_eq!(known.written, Some(forgotten));
    let mut of_a_job = of_a_run("train", Some("77"));
    of_a_job.forget_variables();
    assert_eq!(of_a_job, of_a_run("train", Some("77")));
}
