//! What is done about an app in every state that it may be found in.

use domino_core::api::apps::{AppId, AppVersion, Generation};
use stage_file::Visibility;

use super::*;
use crate::wanted::tests::{version, wanted};

const ALL: [Generation; 3] = [Generation::V1, Generation::Beta, Generation::V4];

fn app(version: Option<AppVersion>) -> App {
    App {
        id: AppId::new("a1"),
        name: "dashboard-dev".into(),
        entry_point: Some("app.sh".into()),
        description: Some("Numbers".into()),
        visibility: Some("GRANT_BASED".into()),
        discoverable: Some(true),
        url: None,
        publisher: None,
        version,
    }
}

fn decided(api: Generation, app: &App) -> Decision {
    decide(api.capabilities(), Some(app), &wanted()).unwrap()
}

#[test]
fn an_app_that_is_not_there_is_created() {
    for api in ALL {
        assert_eq!(
            decide(api.capabilities(), None, &wanted()).unwrap().action,
            Action::Create
        );
    }
}

#[test]
fn what_runs_as_wanted_is_left_alone() {
    for api in ALL {
        let decision = decided(api, &app(Some(version("Running"))));
        assert_eq!(decision.action, Action::Keep(AppVersionId::new("v1")));
        assert!(decision.is_as_wanted() && decision.why.is_empty());
    }
}

#[test]
fn what_is_on_its_way_as_wanted_is_followed() {
    for word in ["Queued", "Preparing", "SomethingNew"] {
        let decision = decided(Generation::Beta, &app(Some(version(word))));
        assert_eq!(decision.action, Action::Follow(AppVersionId::new("v1")));
    }
}

#[test]
fn what_is_on_its_way_as_another_than_wanted_is_not_followed() {
    let other = AppVersion {
        git_ref: None,
        ..version("Preparing")
    };
    assert_eq!(
        decided(Generation::Beta, &app(Some(other))).action,
        Action::Publish
    );
}

#[test]
fn an_app_is_opened_to_others_only_once_the_new_version_runs() {
    let all = AppChanges {
        entry_point: Some("app.sh".into()),
        description: Some("Numbers".into()),
        visibility: Some(Visibility::Public),
        discoverable: Some(false),
        thumbnail: None,
    };
    let around = |action: Action| {
        let decision = Decision {
            action,
            why: Vec::new(),
            changes: all.clone(),
            change_texts: Vec::new(),
            remarks: Vec::new(),
        };
        decision.changes_around_launch()
    };
    let first = AppChanges {
        entry_point: all.entry_point.clone(),
        ..AppChanges::default()
    };
    let last = AppChanges {
        entry_point: None,
        ..all.clone()
    };
    assert_eq!(around(Action::Publish), (first, last));
    let kept = around(Action::Keep(AppVersionId::new("v1")));
    assert_eq!(kept, (all.clone(), AppChanges::default()));
}

#[test]
fn what_is_down_is_started_again_where_that_can_be_and_published_elsewhere() {
    let down = app(Some(version("Failed")));
    let again = Action::StartAgain(AppVersionId::new("v1"));
    assert_eq!(decided(Generation::V1, &down).action, again);
    assert_eq!(decided(Generation::Beta, &down).action, Action::Publish);
    let decision = decided(Generation::V4, &down);
    assert_eq!(decision.action, Action::Publish);
    assert_eq!(decision.why, ["nothing of it runs: it is `Failed`"]);
    let never = decided(Generation::V4, &app(None));
    assert_eq!(never.action, Action::Publish);
}

#[test]
fn what_stops_is_not_followed() {
    let stopping = app(Some(version("Stopping")));
    for api in ALL {
        assert_eq!(decided(api, &stopping).action, Action::Publish);
    }
}

#[test]
fn another_commit_is_published_and_the_reason_told() {
    let other = AppVersion {
        git_ref: None,
        ..version("Running")
    };
    let decision = decided(Generation::V4, &app(Some(other)));
    assert_eq!(decision.action, Action::Publish);
    assert_eq!(decision.why, ["commit: not told by this Domino"]);
}

#[test]
fn another_entry_point_is_changed_or_refused_before_anything_is_done() {
    let moved = App {
        entry_point: Some("old.sh".into()),
        ..app(Some(version("Running")))
    };
    let decision = decided(Generation::Beta, &moved);
    assert_eq!(decision.action, Action::Publish);
    assert_eq!(decision.changes.entry_point.as_deref(), Some("app.sh"));
    for api in [Generation::V1, Generation::V4] {
        let refused = decide(api.capabilities(), Some(&moved), &wanted()).unwrap_err();
        let existing = "old.sh".into();
        assert_eq!(refused, Refusal::FixedEntryPoint { existing });
    }
}

#[test]
fn visibility_and_description_change_without_a_new_version() {
    let old = App {
        description: None,
        visibility: Some("PUBLIC".into()),
        ..app(Some(version("Running")))
    };
    let wanted = Wanted {
        last_visibility: Some("PUBLIC".into()),
        ..wanted()
    };
    let decided =
        |api: Generation, app: &App| decide(api.capabilities(), Some(app), &wanted).unwrap();
    for api in [Generation::V1, Generation::Beta] {
        let decision = decided(api, &old);
        assert!(matches!(decision.action, Action::Keep(_)));
        assert!(!decision.is_as_wanted());
        assert_eq!(decision.changes.visibility, Some(Visibility::GrantBased));
        assert_eq!(decision.changes.description.as_deref(), Some("Numbers"));
    }
    let decision = decided(Generation::V4, &old);
    assert_eq!(decision.changes.description, None);
    assert_eq!(decision.remarks.len(), 1);
}

#[test]
fn who_may_open_it_stays_as_somebody_set_it_unless_it_is_put_back() {
    let narrowed = App {
        visibility: Some("GRANT_BASED_STRICT".into()),
        ..app(Some(version("Running")))
    };
    let decide =
        |wanted: &Wanted| decide(Generation::V1.capabilities(), Some(&narrowed), wanted).unwrap();
    for last in [None, Some("GRANT_BASED"), Some("PUBLIC")] {
        let wanted = Wanted {
            last_visibility: last.map(str::to_owned),
            ..wanted()
        };
        let decision = decide(&wanted);
        assert!(decision.is_as_wanted());
        assert_eq!(decision.remarks.len(), 1);
    }
    let as_file_says = Wanted {
        as_file_says: true,
        ..wanted()
    };
    let decision = decide(&as_file_says);
    assert_eq!(decision.changes.visibility, Some(Visibility::GrantBased));
    let silent = Wanted {
        says_visibility: false,
        ..wanted()
    };
    assert!(decide(&silent).is_as_wanted() && decide(&silent).remarks.is_empty());
}

#[test]
fn what_somebody_stopped_stays_unless_it_is_put_back() {
    let stopped = app(Some(version("Stopped")));
    for api in ALL {
        let refused = decide(api.capabilities(), Some(&stopped), &wanted()).unwrap_err();
        let status = "Stopped".into();
        assert_eq!(refused, Refusal::Stopped { status });
        let as_file_says = Wanted {
            as_file_says: true,
            ..wanted()
        };
        assert!(decide(api.capabilities(), Some(&stopped), &as_file_says).is_ok());
    }
}

#[test]
fn a_description_that_the_file_does_not_give_stays() {
    let mut wanted = wanted();
    wanted.description.clear();
    let decision = decide(
        Generation::V1.capabilities(),
        Some(&app(Some(version("Running")))),
        &wanted,
    );
    assert!(decision.unwrap().is_as_wanted());
}

#[test]
fn whether_an_app_is_found_is_changed_where_the_file_says_it_and_the_api_can() {
    let app = app(Some(version("Running")));
    let decided = |api: Generation, discoverable| {
        let wanted = Wanted {
            discoverable,
            ..wanted()
        };
        decide(api.capabilities(), Some(&app), &wanted).unwrap()
    };
    for api in ALL {
        for same in [None, Some(true)] {
            assert!(decided(api, same).is_as_wanted(), "{api}");
        }
        let other = decided(api, Some(false));
        match api.capabilities().changes_discoverable {
            true => assert_eq!(other.changes.discoverable, Some(false), "{api}"),
            false => assert!(other.is_as_wanted() && other.remarks.len() == 1, "{api}"),
        }
    }
}
