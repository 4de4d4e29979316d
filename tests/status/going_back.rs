//! What went back stays there: no merge moves it, until somebody lets it go.

use super::*;

/// Commits once more, and gives the new commit.
fn commit_again(scene: &mut Scene, text: &str) -> String {
    scene.commit_file("notes.txt", text);
    scene.commit.clone()
}

#[test]
fn what_went_back_is_held_until_it_is_released() {
    let mut scene = scene_of("6.4", &whole());
    let first = scene.commit.clone();
    let kinds = ["deploy-app publish dashboard", "deploy-job schedule score"];
    let all = |flags: &str| kinds.map(|words| format!("{words} --stage dev{flags}"));
    let each = |scene: &Scene, flags: &str| {
        for words in all(flags) {
            deploy(scene, &words);
        }
    };
    let refused = |scene: &Scene, words: &str, tells: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        let run = scene.run_program(&built::folder().join(words[0]), &words[1..]);
        run.exits(3).tells(tells);
    };
    each(&scene, "");
    let second = commit_again(&mut scene, "second");
    each(&scene, "");
    each(&scene, &format!(" --commit {first} --back --hold"));
    let now = document(&status(&scene, &["--stage", "dev", "--format", "json"]).exits(0));
    for name in ["dashboard", "score"] {
        let found = entity(&now, "dev", name);
        // The newest commit is masked.
        assert_eq!(found["held"]["from"], "[short]", "{found}");
        assert!(
            first.starts_with(found["commit"].as_str().unwrap()),
            "{found}"
        );
    }
    // Released at once, the very commit that it went back from would be deployed again.
    for words in all(" --release") {
        refused(&scene, &words, "merge what repairs it");
    }
    // The next merge moves nothing, and the same commit is as wanted.
    commit_again(&mut scene, "third");
    for words in all("") {
        refused(&scene, &words, "commit [commit] was not deployed");
    }
    each(&scene, &format!(" --commit {first}"));
    let shown = status(&scene, &["--stage", "dev"]).exits(0);
    let held = format!("dev app dashboard: went back from {} on", &second[..12]);
    assert!(
        shown.stdout.contains("Held:") && shown.stdout.contains(&held),
        "{shown}"
    );
    each(&scene, " --release");
    let now = document(&status(&scene, &["--stage", "dev", "--format", "json"]).exits(0));
    for name in ["dashboard", "score"] {
        let found = entity(&now, "dev", name);
        assert!(found["held"].is_null(), "{found}");
        assert_eq!(found["commit"], "[commit]", "{found}");
    }
}
