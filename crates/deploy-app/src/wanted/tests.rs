//! What Domino is asked for, and how a version compares with it.

use domino_core::api::apps::{AppInstance, AppInstanceId, AppStatus, AppVersionId};
use domino_core::api::environments::{Environment, RevisionSpec};
use domino_core::api::hardware_tiers::HardwareTier;

use super::*;

pub(crate) fn commit() -> Commit {
    Commit::whole(&"ab".repeat(20)).unwrap()
}

pub(crate) fn wanted() -> Wanted {
    let environment = Environment {
        id: EnvironmentId::new("e1"),
        name: "Standard".into(),
        archived: false,
        active_revision_id: Some("r3".into()),
        active_revision_number: Some(3),
    };
    let tier = HardwareTier {
        id: HardwareTierId::new("small-k8s"),
        name: "Small".into(),
        archived: false,
        data_plane: None,
    };
    Wanted {
        commit: commit(),
        place: ResolvedPlacement {
            tier: Some(tier),
            environment: Some((environment, RevisionSpec::Active)),
            settings: Default::default(),
        },
        revision: None,
        entry_point: "app.sh".into(),
        description: "Numbers".into(),
        visibility: Visibility::GrantBased,
        says_visibility: true,
        last_visibility: None,
        as_file_says: false,
        another_runs: false,
        fields: VersionFields::default(),
        discoverable: None,
        thumbnail: None,
        kept: Kept::default(),
    }
}

/// A version that is exactly as wanted.
pub(crate) fn version(status: &str) -> AppVersion {
    AppVersion {
        id: AppVersionId::new("v1"),
        git_ref: Some(GitRef::commit(&commit())),
        hardware_tier: Some(HardwareTierId::new("small-k8s")),
        hardware_tier_name: None,
        environment: Some(EnvironmentId::new("e1")),
        environment_name: None,
        revision: Some("r3".into()),
        publisher: None,
        created: None,
        carried: Carried::default(),
        instance: Some(AppInstance {
            id: AppInstanceId::new("i1"),
            status: AppStatus::from(status.to_owned()),
            created: None,
        }),
    }
}

#[test]
fn a_version_that_is_as_wanted_differs_in_nothing() {
    assert_eq!(wanted().compare(&version("Running")), Comparison::default());
}

#[test]
fn names_prove_as_much_as_ids() {
    let named = AppVersion {
        hardware_tier: None,
        hardware_tier_name: Some("Small".into()),
        environment: None,
        environment_name: Some("Standard".into()),
        ..version("Running")
    };
    assert_eq!(wanted().compare(&named), Comparison::default());
}

#[test]
fn every_difference_is_named_with_both_sides() {
    let other = AppVersion {
        git_ref: Some(GitRef::Commit("cd".repeat(20))),
        hardware_tier: Some(HardwareTierId::new("large-k8s")),
        environment: Some(EnvironmentId::new("e2")),
        ..version("Running")
    };
    let sha = commit().to_string();
    assert_eq!(
        wanted().compare(&other).different,
        [
            format!("commit: {} → {sha}", "cd".repeat(20)),
            "hardware tier: large-k8s → small-k8s".into(),
            "environment: e2 → e1".into(),
        ]
    );
}

#[test]
fn the_tier_of_the_start_itself_counts_and_not_only_that_of_the_app() {
    let moved = AppVersion {
        hardware_tier_name: Some("Large".into()),
        ..version("Running")
    };
    assert_eq!(
        wanted().compare(&moved).different,
        ["hardware tier: Large → Small"]
    );
}

#[test]
fn what_is_not_told_is_neither_the_same_nor_different() {
    let silent = AppVersion {
        git_ref: None,
        hardware_tier: None,
        environment: None,
        ..version("Running")
    };
    let comparison = wanted().compare(&silent);
    assert_eq!(
        comparison.unreported,
        ["commit", "hardware tier", "environment"]
    );
    assert!(comparison.different.is_empty());
}

#[test]
fn the_projects_default_is_not_compared() {
    let mut wanted = wanted();
    wanted.place.tier = None;
    wanted.place.environment = None;
    let anywhere = AppVersion {
        hardware_tier: Some(HardwareTierId::new("any")),
        environment: None,
        ..version("Running")
    };
    assert_eq!(wanted.compare(&anywhere), Comparison::default());
}

#[test]
fn a_new_active_revision_is_told_apart_from_a_revision_that_was_asked_for() {
    let old = AppVersion {
        revision: Some("r2".into()),
        ..version("Running")
    };
    let comparison = wanted().compare(&old);
    assert!(comparison.different.is_empty());
    assert_eq!(
        comparison.newer_revision.as_deref(),
        Some("active environment revision: r2 → r3")
    );
    let pinned = Wanted {
        revision: Some("r3".into()),
        ..wanted()
    };
    assert_eq!(
        pinned.compare(&old).different,
        ["environment revision: r2 → r3"]
    );
}

#[test]
fn only_digits_of_the_commit_prove_it_and_only_enough_of_them() {
    let is = |id: &str| is_commit(&GitRef::Commit(id.into()), &commit());
    assert!(is(&"AB".repeat(20)));
    assert!(is("abababa"));
    assert!(!is("ababab"));
    assert!(!is(&"ab".repeat(21)));
    let branch = GitRef::Moving {
        kind: "branches".into(),
        value: Some("ab".repeat(20)),
    };
    assert!(!is_commit(&branch, &commit()));
}

#[test]
fn an_environment_may_be_told_by_its_name_alone() {
    let moved = AppVersion {
        environment: None,
        environment_name: Some("Old".into()),
        ..version("Running")
    };
    assert_eq!(
        wanted().compare(&moved).different,
        ["environment: Old → Standard"]
    );
}

#[test]
fn a_revision_that_was_asked_for_is_the_same_different_or_not_told() {
    let pinned = Wanted {
        revision: Some("r2".into()),
        ..wanted()
    };
    let compared = |revision: Option<&str>| {
        let version = AppVersion {
            revision: revision.map(str::to_owned),
            ..version("Running")
        };
        pinned.compare(&version)
    };
    assert_eq!(compared(Some("r2")), Comparison::default());
    assert_eq!(
        compared(Some("r1")).different,
        ["environment revision: r1 → r2"]
    );
    assert_eq!(compared(None).unreported, ["environment revision"]);
}

#[test]
fn what_the_file_leaves_open_stays_as_it_is_and_is_asked_for_again() {
    let running = version("Running");
    let mut wanted = Wanted {
        revision: Some("r2".into()),
        ..wanted()
    };
    let place = wanted.place.clone();
    assert!(
        Kept::of(&running, &place)
            .words(&VersionFields::default())
            .is_empty()
    );
    let asked = wanted.content();
    assert_eq!(asked.git_ref, Some(GitRef::commit(&commit())));
    assert_eq!(asked.hardware_tier, Some(HardwareTierId::new("small-k8s")));
    assert_eq!(asked.environment, Some(EnvironmentId::new("e1")));
    assert_eq!(asked.revision.as_deref(), Some("r2"));
    wanted.place.tier = None;
    wanted.place.environment = None;
    let elsewhere = AppVersion {
        hardware_tier: Some(HardwareTierId::new("large")),
        environment: Some(EnvironmentId::new("e2")),
        ..running
    };
    wanted.kept = Kept::of(&elsewhere, &wanted.place);
    assert_eq!(
        wanted.kept.words(&VersionFields::default()),
        ["hardware tier large", "environment e2"]
    );
    let asked = wanted.content();
    assert_eq!(asked.hardware_tier, Some(HardwareTierId::new("large")));
    assert_eq!(asked.environment, Some(EnvironmentId::new("e2")));
}

#[test]
fn a_visibility_is_ours_unless_somebody_else_set_it() {
    for (says, as_file_says, last, existing, ours) in [
        (true, false, None, None, "GRANT_BASED"),
        (true, false, None, Some("GRANT_BASED"), "GRANT_BASED"),
        (true, false, Some("X"), Some("GRANT_BASED"), "GRANT_BASED"),
        (true, false, Some("PUBLIC"), Some("PUBLIC"), "PUBLIC"),
        (true, true, None, Some("PUBLIC"), "PUBLIC"),
        (false, false, None, Some("PUBLIC"), "PUBLIC"),
        // Somebody set it, and it stays.
        (true, false, None, Some("PUBLIC"), "GRANT_BASED"),
        (true, false, Some("X"), Some("PUBLIC"), "X"),
    ] {
        let wanted = Wanted {
            says_visibility: says,
            as_file_says,
            last_visibility: last.map(str::to_owned),
            ..wanted()
        };
        assert_eq!(wanted.visibility_of_ours(existing), ours, "{wanted:?}");
    }
}

#[test]
fn what_the_file_sets_of_a_version_is_compared_sent_and_not_called_carried() {
    let mut wanted = wanted();
    let running = version("Running");
    wanted.fields = VersionFields {
        viewer_identity: Some(true),
        vanity_url: Some("wine".into()),
        ..VersionFields::default()
    };
    let different = wanted.compare(&running).different;
    assert_eq!(
        different,
        ["viewer identity: none → true", "vanity URL: none → wine"]
    );
    let mut set = running.clone();
    set.carried = wanted.content().carried;
    assert_eq!(wanted.compare(&set), Comparison::default());
    wanted.kept = Kept::of(&set, &wanted.place);
    let words = |fields: &VersionFields| wanted.kept.words(fields);
    assert_eq!(words(&wanted.fields), [""; 0]);
    assert_eq!(
        words(&VersionFields::default()),
        ["viewer identity", "vanity URL"]
    );
}
