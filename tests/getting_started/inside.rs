//! The sample with an experiment manager that accepts no write from outside of Domino: a run carries out each
//! promotion, through every stage with its approvals. Checked against what the sandbox shows.

use std::fs;

use crate::{Kept, Scratch};

#[test]
fn every_stage_gets_the_model_by_runs_where_no_write_is_taken_from_outside() {
    let scratch = Scratch::new();
    let stages = scratch.repository().join("stages.toml");
    let text = fs::read_to_string(&stages).unwrap();
    let inside = text.replacen("[pipeline]\n", "[pipeline]\npromote = \"inside\"\n", 1);
    assert_ne!(inside, text);
    fs::write(&stages, inside).unwrap();
    scratch.generate_and_commit("Promote from inside");
    let kept = Kept::rehearse(&scratch, "--only deploy-models");
    let models = kept.models();
    let [model] = &models[..] else {
        panic!("{models:?}\n{}", kept.said);
    };
    assert_eq!((model[1].as_str(), model[2].as_str()), ("1", "Production"));
    let expected = ["wine-quality", "wine-quality-dev", "wine-quality-staging"]
        .map(|name| [name, "version 1: wine-quality version 1"]);
    assert_eq!(kept.answers(), expected, "{}", kept.said);
    // Asked for and let in, for staging and for prod: one run each.
    for (verb, stage) in [
        ("request", "staging"),
        ("apply", "staging"),
        ("request", "prod"),
        ("apply", "prod"),
    ] {
        let ran = format!("a run of `promote-stage {verb} wine-quality --to {stage} --version 1 ");
        assert_eq!(kept.said.matches(&ran).count(), 1, "{ran}\n{}", kept.said);
    }
    let ended = "promote-stage ended with exit code 0";
    assert_eq!(kept.said.matches(ended).count(), 4, "{}", kept.said);
    kept.end();
}
