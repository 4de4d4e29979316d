//! Which version is meant, and whether it comes from where versions of the stage come from.

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::candidate::tests::{candidate, context};
use crate::record::tests::record;
use crate::record::{Status, demoted_key};
use crate::registry::tests::version;

fn file() -> StageFile {
    let text = "
        [defaults]
        host = \"domino.example.com\"
        project = \"a/b\"
        [stage.dev]
        hardware-tier = \"d\"
        [stage.staging]
        hardware-tier = \"s\"
        model-stage = \"Staging\"
        [stage.canary]
        hardware-tier = \"c\"
        [stage.prod]
        hardware-tier = \"p\"
        model-stage = \"Production\"
        [model.wine]
        registered-model = \"wine\"
    ";
    StageFile::read(text, Path::new("stages.toml")).unwrap()
}

fn refused(stage: &str, existing: &str) -> Option<String> {
    let file = file();
    let stage = file.stage(stage).unwrap();
    let model = &file.models[0];
    let target = PromotionTarget {
        model,
        name: "wine",
        rule: &VersionRule::Latest,
        metric_rules: &[],
        metric_rules_key: Vec::new(),
        stage,
        model_stage: model_stage(stage).unwrap(),
    };
    out_of_order(&file, &target, &version(7, existing, json!({})))
}

#[test]
fn versions_come_from_the_nearest_stage_before_that_holds_any() {
    for existing in ["None", "Archived", "Staging"] {
        assert_eq!(refused("staging", existing), None, "{existing}");
    }
    for existing in ["Staging", "Production"] {
        assert_eq!(refused("prod", existing), None, "{existing}");
    }
    assert_eq!(
        refused("prod", "None").unwrap(),
        "version 7 of `wine` is in `None` of the experiment manager, and stage `prod` takes versions from \
         `Staging`, that of stage `staging`"
    );
    assert!(refused("prod", "Archived").is_some());
    assert!(refused("staging", "Canary").is_some());
}

#[test]
fn a_version_in_a_later_stage_is_past_those_that_let_it_in_and_no_others() {
    let file = file();
    let entered = record(Status::Done);
    let already_promoted = |stage: &str, existing: &str, tags: Value| {
        let stage = file.stage(stage).unwrap();
        let already_promoted = already_promoted(&file, stage, &version(7, existing, tags));
        already_promoted.map(|stage| stage.map(|stage| stage.name.as_str()))
    };
    let by_hand = already_promoted("staging", "Production", json!({})).unwrap_err();
    assert_eq!(by_hand.exit(), Exit::NotApproved);
    assert_eq!(
        by_hand.to_string(),
        "version 7 of `wine` is in `Production`, that of stage `prod`, but no record says that stage `staging` \
         let it in"
    );
    let tags = json!({"promote.in.staging": entered.value().unwrap()});
    let entered = already_promoted("staging", "Production", tags.clone()).unwrap();
    assert_eq!(entered, Some("prod"));
    let mut left = tags;
    left["promote.demoted.staging"] = json!("version 6 was put back");
    assert!(already_promoted("staging", "Production", left).is_err());
    for (stage, existing) in [
        ("staging", "Staging"),
        ("prod", "Staging"),
        ("prod", "Production"),
    ] {
        assert_eq!(already_promoted(stage, existing, json!({})).unwrap(), None);
    }
}

#[test]
fn only_a_version_that_is_ready_is_moved() {
    let mut seven = version(7, "None", json!({}));
    assert!(ready(&seven).is_ok());
    seven.status = ModelVersionStatus::FailedRegistration;
    seven.status_message = "no such artifact".into();
    assert_eq!(
        ready(&seven).unwrap_err().to_string(),
        "version 7 of `wine` is not `READY` but `FAILED_REGISTRATION`: no such artifact"
    );
}

fn serves(number: u64, since: Option<i64>) -> Serving {
    Serving::Version {
        version: VersionNumber::new(number),
        endpoint: "wine-staging".into(),
        since,
    }
}

#[test]
fn the_version_is_the_one_given_else_the_pinned_else_the_one_that_serves() {
    let context = context("http://127.0.0.1:1", "", "");
    let mut target = PromotionTarget::of(&context, "wine").unwrap();
    let before = context.file.stage("staging").unwrap();
    let (latest, pinned) = (VersionRule::Latest, VersionRule::Number(7));
    let nothing = Serving::Nothing("it has no endpoint".into());
    let mut chosen = |rule, given: Option<u64>, serving: &Serving| {
        target.rule = rule;
        let given = given.map(VersionNumber::new);
        let chosen = choose(&context, &target, before, given, serving);
        chosen.map(|(number, why)| (number.get(), why))
    };
    let six = serves(6, None);
    let why = |why: &str| why.to_owned();
    assert_eq!(chosen(&latest, Some(5), &six).unwrap(), (5, why("given")));
    assert_eq!(chosen(&pinned, Some(7), &six).unwrap(), (7, why("given")));
    assert_eq!(
        chosen(&pinned, None, &six).unwrap(),
        (7, why("written in stages.toml"))
    );
    assert_eq!(
        chosen(&latest, None, &six).unwrap(),
        (6, why("the one that stage `staging` serves"))
    );
    let other = chosen(&pinned, Some(5), &six).unwrap_err();
    assert_eq!(other.exit(), Exit::Usage);
    assert_eq!(
        other.to_string(),
        "version 5 is given, but stages.toml says version 7"
    );
    let none = chosen(&latest, None, &nothing).unwrap_err();
    assert_eq!(
        none.to_string(),
        "no version of model `wine` is given, and stage `staging` serves none: it has no endpoint"
    );
}

#[test]
fn a_version_must_not_have_left_and_must_be_served_by_the_stage_before() {
    let context = context("http://127.0.0.1:1", "", "");
    let seven = |stage, tags| candidate(&context, version(7, stage, tags));
    let left = json!({demoted_key("prod"): "rmse rose"});
    // The version was registered one second after the epoch.
    for (stage, tags, serving, told) in [
        ("Staging", json!({}), serves(7, None), ""),
        ("Staging", json!({}), serves(7, Some(1_001)), ""),
        (
            "Staging",
            json!({}),
            serves(7, Some(900)),
            "stage `staging` serves another version 7 of `wine`",
        ),
        (
            "Staging",
            json!({}),
            serves(6, None),
            "stage `staging` does not serve version 7 of `wine`: it serves version 6",
        ),
        (
            "Staging",
            json!({}),
            Serving::Nothing("it has no endpoint".into()),
            "stage `staging` does not serve version 7 of `wine`: it has no endpoint",
        ),
        (
            "Staging",
            left,
            serves(7, None),
            "version 7 of `wine` had to leave stage `prod`: rmse rose",
        ),
        (
            "None",
            json!({}),
            serves(7, None),
            "version 7 of `wine` is in `None` of the experiment manager",
        ),
    ] {
        let candidate = seven(stage, tags);
        let origin = Origin {
            before: candidate.before,
            version: &candidate.version,
            serving: &serving,
        };
        match check_order(&context.file, &candidate.target, &origin) {
            Ok(()) => assert_eq!(told, ""),
            Err(refused) => {
                assert!(!told.is_empty(), "{refused}");
                assert!(refused.to_string().starts_with(told), "{refused}");
                assert_eq!(refused.exit(), Exit::Refused);
            }
        }
    }
}
