//! Lost messages for people do not stop the work; a requested output that cannot be written is not green.

use super::*;

const START: &[&str] = &["start", "train", "--stage", "dev"];

#[test]
fn a_full_or_closed_stderr_ends_no_deployment() {
    for redirection in ["2>/dev/full", "2>&-"] {
        let scene = scene();
        let (exit, _) = scene.run_in_shell(redirection, START);
        assert_eq!(exit, Some(0), "{redirection}");
        assert_eq!(jobs(&scene).len(), 1);
    }
    let scene = scene();
    let (exit, _) = scene.run_in_shell("2>/dev/full", &["start", "fail", "--stage", "dev"]);
    assert_eq!(exit, Some(5), "the end of the work is told all the same");
}

#[test]
fn step_outputs_that_cannot_be_written_are_not_green_and_are_in_the_log() {
    type PlaceIn = fn(&Scene) -> String;
    let outputs: [(&str, PlaceIn, &str); 3] = [
        ("a full disk", |_| "/dev/full".into(), "No space left"),
        (
            "a folder",
            |scene| scene.path().display().to_string(),
            "Is a directory",
        ),
        ("a pipe that nobody reads", pipe, "it is a pipe"),
    ];
    for (what, place, reason) in outputs {
        let mut scene = scene();
        scene.on_github("77");
        let place = place(&scene);
        scene.variable("GITHUB_OUTPUT", &place);
        let run = scene.run(START).exits(9);
        assert_eq!(jobs(&scene).len(), 1, "{what}");
        for text in [
            "what it hands on could not be written",
            reason,
            "output id: ",
        ] {
            assert!(
                run.stderr.contains(text),
                "{what}: {text} in {}",
                run.stderr
            );
        }
        assert!(scene.summary().contains("what it hands on"), "{what}");
    }
}

fn pipe(scene: &Scene) -> String {
    let path = scene.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    path.display().to_string()
}

#[test]
fn a_document_or_a_plan_that_cannot_be_written_is_not_green() {
    let json = &["start", "train", "--stage", "dev", "--format", "json"];
    assert_eq!(scene().run_in_shell(">/dev/full", json).0, Some(9));
    assert_eq!(scene().run_in_shell(">/dev/full", START).0, Some(9));
}
