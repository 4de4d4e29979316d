//! What may not be promoted, whoever approves: versions are taken in the order of the stages, and only those that
//! are whole and that the stage before serves.

use domino_core::api::mlflow::{ModelStage, ModelVersion, ModelVersionStatus};
use domino_core::api::registered_models::VersionNumber;
use domino_core::error::{CommandError, Exit};
use domino_core::serving::Serving;
use domino_core::step::StepContext;
use stage_file::{Stage, StageFile, VersionRule};

use crate::candidate::{Candidate, Place};
use crate::record::{demoted_key, was_let_in};
use crate::registry::{Registry, stage_of};

/// Which version is meant: the one given, the one that the stage file pins, else the one that the stage before
/// serves. With the words for why.
pub(crate) fn choose(
    context: &StepContext,
    place: &Place<'_>,
    before: &Stage,
    given: Option<VersionNumber>,
    serving: &Serving,
) -> Result<(VersionNumber, String), CommandError> {
    let file = &context.file;
    let key = ["model", place.model.name.as_str(), "version"];
    match (given, place.rule, serving) {
        (Some(given), VersionRule::Number(pinned), _) if given.get() != *pinned => {
            Err(CommandError::usage(format!(
                "version {given} is given, but stages.toml says version {pinned}"
            ))
            .hint("change it, or leave `--version` and `MODEL_VERSION` out")
            .at(file, &key))
        }
        (Some(given), _, _) => Ok((given, "given".into())),
        (None, VersionRule::Number(pinned), _) => {
            Ok((VersionNumber::new(*pinned), "written in stages.toml".into()))
        }
        (None, _, Serving::Version { version, .. }) => Ok((
            *version,
            format!("the one that stage `{}` serves", before.name),
        )),
        (None, _, Serving::Nothing(why)) => Err(CommandError::refused(format!(
            "no version of model `{}` is given, and stage `{}` serves none: {why}",
            place.model.name, before.name
        ))
        .hint(format!(
            "publish it there: deploy-model publish {} --stage {}; or give `--version`",
            place.model.name, before.name
        ))
        .at(file, &["model", &place.model.name])),
    }
}

/// The registered model has no such version.
pub(crate) fn no_such_version(registry: &Registry, number: VersionNumber) -> CommandError {
    let name = &registry.model.name;
    let failure =
        CommandError::refused(format!("registered model `{name}` has no version {number}"));
    match registry.versions.first() {
        Some(newest) => failure.hint(format!("its newest version is {}", newest.version)),
        None => failure.hint("it has no version at all: run the job that trains and registers it"),
    }
}

/// Only a version that can be used is moved.
pub(crate) fn ready(version: &ModelVersion) -> Result<(), CommandError> {
    let word = match &version.status {
        ModelVersionStatus::Ready => return Ok(()),
        ModelVersionStatus::PendingRegistration => "PENDING_REGISTRATION",
        ModelVersionStatus::FailedRegistration => "FAILED_REGISTRATION",
        ModelVersionStatus::Unknown(word) => word,
    };
    let why = match version.status_message.trim() {
        "" => String::new(),
        message => format!(": {message}"),
    };
    Err(CommandError::refused(format!(
        "version {} of `{}` is not `READY` but `{word}`{why}",
        version.version, version.name
    ))
    .hint("wait for its registration, or register it anew"))
}

/// The later stage that a version is in already, where its record says that it came by this one. The experiment
/// manager knows one stage of a version only, so that moving it would take it out of there; but one that somebody put
/// there by hand has passed no gate.
pub(crate) fn past<'a>(
    file: &'a StageFile,
    stage: &Stage,
    version: &ModelVersion,
) -> Result<Option<&'a Stage>, CommandError> {
    let Some(later) = later_stage(file, stage, version) else {
        return Ok(None);
    };
    if was_let_in(&version.tags, &stage.name) {
        return Ok(Some(later));
    }
    let number = version.version;
    Err(CommandError::new(
        Exit::NotApproved,
        format!(
            "version {number} of `{}` is in `{}`, that of stage `{}`, but no record says that stage `{}` let it in",
            version.name,
            stage_of(version),
            later.name,
            stage.name
        ),
    )
    .hint(format!(
        "take it out of `{}` in Domino and promote it stage by stage, or promote a newer version",
        stage_of(version)
    ))
    .at(file, &["stage", &stage.name]))
}

fn later_stage<'a>(
    file: &'a StageFile,
    stage: &Stage,
    version: &ModelVersion,
) -> Option<&'a Stage> {
    let there = stage_of(version);
    let later = file
        .stages
        .iter()
        .skip_while(|other| other.name != stage.name);
    later
        .skip(1)
        .find(|later| model_stage(later).is_some_and(|held| held == there))
}

/// Refuses a version that does not come from where it should, unless there is a reason to.
pub(crate) fn in_order(
    candidate: &Candidate<'_>,
    file: &StageFile,
    reason: Option<&str>,
) -> Result<(), CommandError> {
    if reason.is_some() {
        return Ok(());
    }
    let (place, before) = (&candidate.place, candidate.before);
    let (number, name) = (candidate.number(), place.name);
    let failure = |message: String, hint: String| {
        CommandError::refused(message)
            .hint(format!("{hint}; or say why not with `--skip-order REASON`"))
            .at(file, &["stage", &place.stage.name])
    };
    if let Some(why) = candidate.version.tags.get(&demoted_key(&place.stage.name)) {
        return Err(failure(
            format!(
                "version {number} of `{name}` had to leave stage `{}`: {why}",
                place.stage.name
            ),
            "promote a newer version".into(),
        ));
    }
    if let Some(message) = out_of_order(file, place, &candidate.version) {
        return Err(failure(
            message,
            format!(
                "promote it stage by stage, in the order of {}",
                file.path.display()
            ),
        ));
    }
    let why = match &candidate.serving {
        Serving::Version { version, .. } if *version == number => return Ok(()),
        Serving::Version { version, .. } => format!("it serves version {version}"),
        Serving::Nothing(why) => why.clone(),
    };
    Err(failure(
        format!(
            "stage `{}` does not serve version {number} of `{name}`: {why}",
            before.name
        ),
        format!(
            "publish it there: deploy-model publish {} --stage {} --version {number}",
            place.model.name, before.name
        ),
    ))
}

/// Why a version is not where versions of the stage come from; `None` when it is, or is in the stage already.
fn out_of_order(file: &StageFile, place: &Place<'_>, version: &ModelVersion) -> Option<String> {
    let there = stage_of(version);
    if there == place.target {
        return None;
    }
    let earlier = file
        .stages
        .iter()
        .take_while(|stage| stage.name != place.stage.name);
    let source = earlier
        .filter_map(|stage| Some((stage, model_stage(stage)?)))
        .last();
    let comes_from = match source {
        Some((_, held)) if held == there => return None,
        Some((stage, held)) => format!("`{held}`, that of stage `{}`", stage.name),
        None if matches!(there, ModelStage::None | ModelStage::Archived) => return None,
        None => "no stage".into(),
    };
    Some(format!(
        "version {} of `{}` is in `{there}` of the experiment manager, and stage `{}` takes versions from \
         {comes_from}",
        version.version, place.name, place.stage.name
    ))
}

fn model_stage(stage: &Stage) -> Option<ModelStage> {
    stage.model_stage.as_deref().map(ModelStage::from)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;
    use crate::record::Status;
    use crate::record::tests::record;
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

    fn refused(stage: &str, there: &str) -> Option<String> {
        let file = file();
        let stage = file.stage(stage).unwrap();
        let model = &file.models[0];
        let place = Place {
            model,
            name: "wine",
            rule: &VersionRule::Latest,
            metric_rules: &[],
            metric_rules_key: Vec::new(),
            stage,
            target: model_stage(stage).unwrap(),
        };
        out_of_order(&file, &place, &version(7, there, json!({})))
    }

    #[test]
    fn versions_come_from_the_nearest_stage_before_that_holds_any() {
        for there in ["None", "Archived", "Staging"] {
            assert_eq!(refused("staging", there), None, "{there}");
        }
        for there in ["Staging", "Production"] {
            assert_eq!(refused("prod", there), None, "{there}");
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
        let past = |stage: &str, there: &str, tags: Value| {
            let stage = file.stage(stage).unwrap();
            let past = past(&file, stage, &version(7, there, tags));
            past.map(|stage| stage.map(|stage| stage.name.as_str()))
        };
        let by_hand = past("staging", "Production", json!({})).unwrap_err();
        assert_eq!(by_hand.exit(), Exit::NotApproved);
        assert_eq!(
            by_hand.to_string(),
            "version 7 of `wine` is in `Production`, that of stage `prod`, but no record says that stage `staging` \
             let it in"
        );
        let tags = json!({"promote.in.staging": entered.value().unwrap()});
        let entered = past("staging", "Production", tags.clone()).unwrap();
        assert_eq!(entered, Some("prod"));
        let mut left = tags;
        left["promote.demoted.staging"] = json!("version 6 was put back");
        assert!(past("staging", "Production", left).is_err());
        for (stage, there) in [
            ("staging", "Staging"),
            ("prod", "Staging"),
            ("prod", "Production"),
        ] {
            assert_eq!(past(stage, there, json!({})).unwrap(), None);
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
}
