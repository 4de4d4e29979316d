//! What a scheduled job is to be: new and existing ones, what the file says and what it leaves out, pauses.

use std::path::Path;

use domino_core::api::environments::{Environment, EnvironmentId};
use domino_core::api::hardware_tiers::HardwareTier;
use serde_json::{Value, json};

use super::*;

/// What becomes of the schedule of job `score` in stage `prod`.
struct Given {
    /// More keys of the job's schedule.
    schedule: &'static str,
    /// The job's `title`, where the file has one.
    title: &'static str,
    place: ResolvedPlacement,
    default_tier: Option<HardwareTierId>,
    /// What Domino has and is not as in `in_domino`.
    existing: Option<Value>,
    as_file_says: bool,
}

impl Given {
    fn new(schedule: &'static str, existing: Option<Value>) -> Self {
        Self {
            schedule,
            title: "",
            place: ResolvedPlacement {
                tier: None,
                environment: None,
                settings: Default::default(),
            },
            default_tier: None,
            existing,
            as_file_says: false,
        }
    }

    fn definition(self) -> Option<Definition> {
        let text = format!(
            "[stage.prod]\nhost = \"domino.example.com\"\nproject = \"a/b\"\n[job.score]\ncommand = \"score.py\"\n\
             {}\n[job.score.schedule]\ncron = \"0 0 6 ? * MON\"\n{}\n",
            self.title, self.schedule
        );
        let file = StageFile::read(&text, Path::new("stages.toml")).unwrap();
        let job = &file.jobs[0];
        let existing = self.existing.map(|change| in_domino(&change));
        let asked = Asked {
            file: &file,
            stage: &file.stages[0],
            job,
            schedule: job.schedule.as_ref().unwrap(),
            marker: &EntityMarker::new("prod", "score"),
            place: &self.place,
            default_tier: self.default_tier,
            commit: &commit(),
            user: &UserId::new("us"),
            existing: existing.as_ref(),
            as_file_says: self.as_file_says,
            hold: None,
        };
        asked.definition()
    }
}

fn commit() -> Commit {
    Commit::whole(&"ab".repeat(20)).unwrap()
}

/// A scheduled job that is in all the opposite of what a file says that leaves everything out, changed where
/// `change` says so.
fn in_domino(change: &Value) -> ScheduledJob {
    let mut scheduled = json!({
        "id": "s1",
        "title": "Score [prod/score]",
        "command": "old.py",
        "schedule": {"cronString": "0 0 7 ? * SUN", "isCustom": false},
        "timezoneId": "Europe/Berlin",
        "isPaused": false,
        "allowConcurrentExecution": true,
        "hardwareTierIdentifier": "theirs",
        "overrideEnvironmentId": "e1",
        "environmentRevisionSpec": "LatestRevision",
        "scheduledByUserId": "them",
        "notifyOnCompleteEmailAddresses": ["ann@example.com"],
        "capacityType": "spot",
    });
    for (key, value) in change.as_object().unwrap() {
        scheduled[key] = value.clone();
    }
    serde_json::from_value(scheduled).unwrap()
}

fn placed() -> ResolvedPlacement {
    ResolvedPlacement {
        tier: Some(HardwareTier {
            id: HardwareTierId::new("ours"),
            name: "Ours".into(),
            archived: false,
            data_plane: None,
        }),
        environment: Some((
            Environment {
                id: EnvironmentId::new("e2"),
                name: "Python".into(),
                archived: false,
                active_revision_id: None,
                active_revision_number: None,
            },
            RevisionSpec::Latest,
        )),
        settings: Default::default(),
    }
}

const ALL: &str = "timezone = \"Asia/Tokyo\"\nconcurrent = false\nnotify = [\"bob@example.com\"]";

#[test]
fn a_new_schedule_is_all_that_the_file_says() {
    let wanted = Given {
        place: placed(),
        default_tier: Some(HardwareTierId::new("default")),
        ..Given::new(ALL, None)
    };
    let wanted = wanted.definition().unwrap();
    assert_eq!(
        serde_json::to_value(&wanted.definition).unwrap(),
        json!({
            "title": "score [prod/score]",
            "command": "score.py",
            "schedule": {"cronString": "0 0 6 ? * MON", "isCustom": true},
            "timezoneId": "Asia/Tokyo",
            "isPaused": false,
            "allowConcurrentExecution": false,
            "hardwareTierIdentifier": "ours",
            "overrideEnvironmentId": "e2",
            "environmentRevisionSpec": "LatestRevision",
            "scheduledByUserId": "us",
            "notifyOnCompleteEmailAddresses": ["bob@example.com"],
            "mainRepoGitRef": {"type": "commitId", "value": commit().as_str()},
        })
    );
    assert_eq!((wanted.carried, wanted.warning), (vec![], None));
}

#[test]
fn a_new_schedule_has_the_default_tier_and_is_none_without_one() {
    let wanted = Given {
        default_tier: Some(HardwareTierId::new("default")),
        ..Given::new("concurrent = true", None)
    };
    let wanted = wanted.definition().unwrap().definition;
    assert_eq!(wanted.hardware_tier_identifier.as_str(), "default");
    assert!(wanted.allow_concurrent_execution);
    assert_eq!(wanted.override_environment_id, None);
    assert!(Given::new("", None).definition().is_none());
}

#[test]
fn of_an_existing_schedule_what_the_file_leaves_out_stays_and_is_told() {
    let wanted = Given::new("", Some(json!({}))).definition().unwrap();
    let expected = json!({
        "command": "score.py",
        "schedule": {"cronString": "0 0 6 ? * MON", "isCustom": true},
        "scheduledByUserId": "us",
        "mainRepoGitRef": {"type": "commitId", "value": commit().as_str()},
    });
    assert_eq!(wanted.definition, in_domino(&expected).definition);
    assert_eq!(
        wanted.carried,
        [
            "time zone Europe/Berlin",
            "runs side by side",
            "addresses to notify",
            "hardware tier theirs",
            "environment e1",
            "capacity type"
        ]
    );
    assert_eq!(wanted.warning, None);
}

#[test]
fn what_nobody_set_otherwise_is_not_told() {
    let existing = json!({
        "timezoneId": "UTC", "allowConcurrentExecution": false, "notifyOnCompleteEmailAddresses": [],
        "overrideEnvironmentId": null, "capacityType": null,
    });
    let wanted = Given::new("", Some(existing)).definition().unwrap();
    assert_eq!(wanted.carried, ["hardware tier theirs"]);
}

#[test]
fn of_an_existing_schedule_what_the_file_says_is_changed() {
    let wanted = Given {
        place: placed(),
        ..Given::new(ALL, Some(json!({})))
    };
    let wanted = wanted.definition().unwrap();
    let expected = json!({
        "command": "score.py",
        "schedule": {"cronString": "0 0 6 ? * MON", "isCustom": true},
        "scheduledByUserId": "us",
        "mainRepoGitRef": {"type": "commitId", "value": commit().as_str()},
        "timezoneId": "Asia/Tokyo",
        "allowConcurrentExecution": false,
        "notifyOnCompleteEmailAddresses": ["bob@example.com"],
        "hardwareTierIdentifier": "ours",
        "overrideEnvironmentId": "e2",
    });
    assert_eq!(wanted.definition, in_domino(&expected).definition);
    assert_eq!(wanted.carried, ["capacity type"]);
}

#[test]
fn what_people_wrote_around_the_marker_stays_unless_the_file_names_a_title() {
    let named = "title = \"Weekly\"";
    for (title, existing, wanted) in [
        (
            "",
            "Mine [prod/score] (hands off)",
            "Mine [prod/score] (hands off)",
        ),
        ("", "Mine", "Mine [prod/score]"),
        (
            named,
            "Mine [prod/score] (hands off)",
            "Weekly [prod/score]",
        ),
    ] {
        let given = Given {
            title,
            ..Given::new("", Some(json!({ "title": existing })))
        };
        assert_eq!(given.definition().unwrap().definition.title, wanted);
    }
}

#[test]
fn a_pause_by_somebody_stays_with_a_warning_and_a_change_of_the_file_is_made() {
    const PAUSES: &str = "paused = [\"prod\"]";
    const ELSEWHERE: &str = "paused = []";
    const OURS: &str = "S [prod/score paused]";
    const NOT_OURS: &str = "S [prod/score]";
    let stays = Some("somebody has paused the schedule of job `score`");
    let fires = Some("somebody lets the schedule of job `score` fire");
    for (file, title, is, as_file_says, wanted) in [
        // Nobody decided anything else since our last write.
        (ELSEWHERE, NOT_OURS, false, false, (false, NOT_OURS, None)),
        (PAUSES, OURS, true, false, (true, OURS, None)),
        // The file has changed, and nobody else anything.
        (PAUSES, NOT_OURS, false, false, (true, OURS, None)),
        (ELSEWHERE, OURS, true, false, (false, NOT_OURS, None)),
        // Somebody has decided otherwise.
        (ELSEWHERE, NOT_OURS, true, false, (true, NOT_OURS, stays)),
        (PAUSES, OURS, false, false, (false, OURS, fires)),
        // Without a marker nobody knows what we wrote.
        (ELSEWHERE, "S", true, false, (true, NOT_OURS, stays)),
        (PAUSES, "S", false, false, (false, OURS, fires)),
        // The file is to win.
        (ELSEWHERE, NOT_OURS, true, true, (false, NOT_OURS, None)),
        (PAUSES, OURS, false, true, (true, OURS, None)),
        // Somebody did what the file says since.
        (ELSEWHERE, OURS, false, false, (false, NOT_OURS, None)),
    ] {
        let given = Given {
            as_file_says,
            ..Given::new(file, Some(json!({"title": title, "isPaused": is})))
        };
        let told = given.definition().unwrap();
        let case = format!("{file} {title} {is} {as_file_says}");
        let (is_paused, title, warning) = wanted;
        assert_eq!(told.definition.is_paused, is_paused, "{case}");
        assert_eq!(told.definition.title, title, "{case}");
        let begins = |told: Option<&str>, wanted: Option<&str>| match (told, wanted) {
            (Some(told), Some(wanted)) => told.starts_with(wanted),
            (told, wanted) => told == wanted,
        };
        assert!(begins(told.warning.as_deref(), warning), "{case}");
    }
}

#[test]
fn a_new_schedule_is_paused_where_the_file_pauses_its_stage() {
    let given = Given {
        default_tier: Some(HardwareTierId::new("default")),
        ..Given::new("paused = [\"prod\"]", None)
    };
    let wanted = given.definition().unwrap();
    assert!(wanted.definition.is_paused);
    assert_eq!(wanted.definition.title, "score [prod/score paused]");
    assert_eq!(wanted.warning, None);
}
