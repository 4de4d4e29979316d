//! Every write of a promotion, its rollback, and their order.

use super::*;
use crate::transition::tests::{number, settled};

fn demoted(version: u64) -> TagChange {
    TagChange {
        version: number(version),
        key: "demoted".into(),
        value: "version 7 was put back".into(),
        before: "before".into(),
    }
}

/// Version 7 enters stage `prod`, and versions 6 and 4 leave it.
fn entering() -> Transition<'static> {
    let mut given = Transition {
        from: ModelStage::Staging,
        others: vec![number(6), number(4)],
        previous: Previous::Is(number(6)),
        outdated: vec!["promote.status"],
        demoted_tags: vec![demoted(4), demoted(6)],
        own_demoted_tag: Some(TagChange {
            value: String::new(),
            ..demoted(7)
        }),
        ..settled()
    };
    given.alias.before = Some(number(6));
    given
}

fn tag(version: u64, key: &str, value: &str) -> Write {
    Write::Tag(number(version), key.into(), value.into())
}

fn told<'a>(steps: impl IntoIterator<Item = &'a JournalStep>) -> Vec<(Option<Write>, Inverse)> {
    let of = |step: &JournalStep| (step.write.clone(), step.inverse.clone());
    steps.into_iter().map(of).collect()
}

#[test]
fn each_write_of_a_promotion_stands_beside_what_takes_it_back() {
    let given = entering();
    let journal = Journal::of(&given).unwrap();
    let record = |status| given.record_value(status).unwrap();
    let key = "promote.in.prod";
    assert_eq!(
        told(&journal.begin),
        [
            (
                Some(tag(7, key, &record(Status::Pending))),
                Inverse::Tag(number(7), key.into(), record(Status::RolledBack)),
            ),
            (Some(tag(7, "promote.status", "")), Inverse::Nothing),
        ]
    );
    assert_eq!(
        told(&journal.enter),
        [(
            Some(Write::Stage(number(7), ModelStage::Production)),
            Inverse::LeaveStage
        )]
    );
    for (departure, version) in journal.leave.iter().zip([6, 4]) {
        assert_eq!(departure.version, number(version));
        let says = (
            Some(tag(version, "demoted", "version 7 was put back")),
            Inverse::Tag(number(version), "demoted".into(), "before".into()),
        );
        assert_eq!(told(&departure.tags), [says]);
        let archive = (
            Some(Write::Stage(number(version), ModelStage::Archived)),
            Inverse::ReturnToStage(number(version)),
        );
        assert_eq!(told([&departure.archive]), [archive]);
    }
    assert_eq!(journal.leave.len(), 2);
    assert_eq!(
        told(&journal.announce),
        [
            (
                Some(Write::Alias("prod-previous".into(), Some(number(6)))),
                Inverse::PreviousAlias(given.previous_alias.clone(), number(6)),
            ),
            (
                Some(Write::Alias("prod".into(), Some(number(7)))),
                Inverse::Alias(given.alias.clone()),
            ),
            (
                Some(tag(7, "demoted", "")),
                Inverse::Tag(number(7), "demoted".into(), "before".into()),
            ),
        ]
    );
    assert_eq!(
        told(&journal.close),
        [(Some(tag(7, key, &record(Status::Done))), Inverse::Nothing)]
    );
}

#[test]
fn what_is_so_already_is_not_written_and_an_alias_is_taken_back_all_the_same() {
    let given = settled();
    let journal = Journal::of(&given).unwrap();
    assert_eq!(told(&journal.enter), []);
    assert_eq!(
        told(&journal.announce),
        [(None, Inverse::Alias(given.alias.clone()))]
    );
    assert_eq!(journal.begin.len(), 1);
}

#[test]
fn the_alias_that_a_demotion_goes_by_is_the_last_to_go() {
    let given = Transition {
        previous: Previous::Goes,
        ..settled()
    };
    let close = told(&Journal::of(&given).unwrap().close);
    let goes = Write::Alias("prod-previous".into(), None);
    assert_eq!(close.len(), 2);
    assert_eq!(close[1], (Some(goes), Inverse::Nothing));
}

#[test]
fn a_rollback_takes_back_the_stage_then_the_aliases_then_the_tags() {
    let journal = Journal::of(&entering()).unwrap();
    let steps = told(journal.for_rollback());
    let writes: Vec<String> = steps
        .iter()
        .filter_map(|(write, _)| Some(write.as_ref()?.to_string()))
        .collect();
    assert_eq!(
        writes,
        [
            "version 7 to `Production`",
            "version 6 to `Archived`",
            "version 4 to `Archived`",
            "alias `prod` to version 7",
            "alias `prod-previous` to version 6",
            "tag `promote.status` to be emptied",
            "tag `demoted`",
            "tag `demoted`",
            "tag `demoted` to be emptied",
            "tag `promote.in.prod`",
        ]
    );
}

#[test]
fn only_a_version_that_is_known_to_have_left_is_archived() {
    let journal = Journal::of(&entering()).unwrap();
    assert_eq!(journal.archived(), []);
    for (state, archived) in [
        (StepState::Started, vec![]),
        (StepState::Done, vec![number(4)]),
        (StepState::RolledBack, vec![]),
    ] {
        journal.leave[1].archive.state.set(state);
        assert_eq!(journal.archived(), archived, "{state:?}");
    }
}

#[test]
fn what_is_written_and_taken_back_is_told_in_words() {
    for (write, words) in [
        (
            Write::Stage(number(7), ModelStage::Staging),
            "version 7 to `Staging`",
        ),
        (tag(7, "demoted", "why"), "tag `demoted`"),
        (tag(7, "demoted", ""), "tag `demoted` to be emptied"),
        (
            Write::Alias("prod".into(), Some(number(7))),
            "alias `prod` to version 7",
        ),
        (
            Write::Alias("prod".into(), None),
            "alias `prod` to be taken away",
        ),
    ] {
        assert_eq!(write.to_string(), words);
    }
    let alias = settled().alias;
    for (inverse, words) in [
        (Inverse::LeaveStage, ""),
        (Inverse::Nothing, ""),
        (Inverse::ReturnToStage(number(6)), "version 6"),
        (Inverse::Alias(alias.clone()), "alias `prod`"),
        (Inverse::PreviousAlias(alias, number(6)), "alias `prod`"),
        (
            Inverse::Tag(number(6), "demoted".into(), "".into()),
            "tag `demoted` of version 6",
        ),
    ] {
        assert_eq!(inverse.to_string(), words);
    }
}
