//! What may not be promoted, whoever approves: versions pass through the stages in order, and only those that are
//! ready and that the stage before serves.

use domino_core::api::mlflow::{ModelStage, ModelVersion, ModelVersionStatus};
use domino_core::api::registered_models::VersionNumber;
use domino_core::error::{CommandError, Exit};
use domino_core::serving::Serving;
use domino_core::step::StepContext;
use domino_core::version_identity::VersionIdentity;
use stage_file::{Stage, StageFile, VersionRule};

use crate::record::{Record, demoted, was_let_in};
use crate::registry::{Registry, stage_of};
use crate::target::PromotionTarget;

/// Which version is meant: the given one, the one that the stage file pins, otherwise the one that the stage before
/// serves. With the reason in words.
pub(crate) fn choose(
    context: &StepContext,
    target: &PromotionTarget<'_>,
    before: &Stage,
    given: Option<VersionNumber>,
    serving: &Serving,
) -> Result<(VersionNumber, String), CommandError> {
    let file = &context.file;
    let key = ["model", target.model.name.as_str(), "version"];
    match (given, target.rule, serving) {
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
            target.model.name, before.name
        ))
        .hint(format!(
            "publish it there: deploy-model publish {} --stage {}; or give `--version`",
            target.model.name, before.name
        ))
        .at(file, &["model", &target.model.name])),
    }
}

/// The error: the registered model has no such version.
pub(crate) fn no_such_version(registry: &Registry, number: VersionNumber) -> CommandError {
    let name = &registry.model.name;
    let failure =
        CommandError::refused(format!("registered model `{name}` has no version {number}"));
    match registry.versions.first() {
        Some(newest) => failure.hint(format!("its newest version is {}", newest.version)),
        None => failure.hint("it has no version at all: run the job that trains and registers it"),
    }
}

/// Refuses a version that cannot be used yet or ever.
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

/// The later stage that a version is already in, if its record says that it passed through this one. The experiment
/// manager has only one stage for a version, so a promotion would move it out of there. A version that somebody put
/// there by hand has passed no gate.
pub(crate) fn already_promoted<'a>(
    file: &'a StageFile,
    stage: &Stage,
    version: &ModelVersion,
) -> Result<Option<&'a Stage>, CommandError> {
    let Some(later) = later_stage(file, stage, version) else {
        return Ok(None);
    };
    if was_let_in(version, &stage.name) {
        return Ok(Some(later));
    }
    let number = version.version;
    let of_another = match Record::foreign(version, &stage.name) {
        Some(other) => format!(": the one it carries is that of {other}"),
        None => String::new(),
    };
    Err(CommandError::new(
        Exit::NotApproved,
        format!(
            "version {number} of `{}` is in `{}`, that of stage `{}`, but no record says that stage `{}` let it \
             in{of_another}",
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
    let existing = stage_of(version);
    let later = file
        .stages
        .iter()
        .skip_while(|other| other.name != stage.name);
    later
        .skip(1)
        .find(|later| model_stage(later).is_some_and(|held| held == existing))
}

/// Where a version comes from.
#[derive(Debug)]
pub(crate) struct Origin<'a> {
    /// The stage before.
    pub(crate) before: &'a Stage,
    pub(crate) version: &'a ModelVersion,
    /// What the stage before serves.
    pub(crate) serving: &'a Serving,
}

/// Refuses a version that was demoted, or that the stage before neither holds nor serves.
pub(crate) fn check_order(
    file: &StageFile,
    target: &PromotionTarget<'_>,
    origin: &Origin<'_>,
) -> Result<(), CommandError> {
    let (number, name) = (origin.version.version, target.name);
    let stage = &target.stage.name;
    let refusal = |message: String, hint: String| {
        CommandError::refused(message)
            .hint(format!("{hint}; or say why not with `--skip-order REASON`"))
            .at(file, &["stage", stage])
    };
    if let Some(why) = demoted(origin.version, stage) {
        return Err(refusal(
            format!("version {number} of `{name}` had to leave stage `{stage}`: {why}"),
            "promote a newer version".into(),
        ));
    }
    if let Some(message) = out_of_order(file, target, origin.version) {
        let path = file.path.display();
        let hint = format!("promote it stage by stage, in the order of {path}");
        return Err(refusal(message, hint));
    }
    let why = match origin.serving {
        Serving::Version { version, since, .. } if *version == number => {
            return VersionIdentity::of(origin.version)
                .check_served(*since, &origin.before.name)
                .map_err(|failure| failure.at(file, &["stage", &origin.before.name]));
        }
        Serving::Version { version, .. } => format!("it serves version {version}"),
        Serving::Nothing(why) => why.clone(),
    };
    let before = &origin.before.name;
    Err(refusal(
        format!("stage `{before}` does not serve version {number} of `{name}`: {why}"),
        format!(
            "publish it there: deploy-model publish {} --stage {before} --version {number}",
            target.model.name
        ),
    ))
}

/// Refuses another version of the number that was handed on.
pub(crate) fn check_handed_on(version: &ModelVersion) -> Result<(), CommandError> {
    let Some(handed) = VersionIdentity::handed_on()? else {
        return Ok(());
    };
    let Some(why) = handed.differs_from(&VersionIdentity::of(version)) else {
        return Ok(());
    };
    Err(CommandError::refused(format!(
        "version {} of `{}` is not the version that was handed on: {why}",
        version.version, version.name
    ))
    .hint("a number means something only where it was given out: run all jobs again, from the first stage on"))
}

/// Why a version is not where versions of the stage come from; `None` if it is, or is already in the stage.
fn out_of_order(
    file: &StageFile,
    target: &PromotionTarget<'_>,
    version: &ModelVersion,
) -> Option<String> {
    let existing = stage_of(version);
    if existing == target.model_stage {
        return None;
    }
    let earlier = file
        .stages
        .iter()
        .take_while(|stage| stage.name != target.stage.name);
    let source = earlier
        .filter_map(|stage| Some((stage, model_stage(stage)?)))
        .last();
    let comes_from = match source {
        Some((_, held)) if held == existing => return None,
        Some((stage, held)) => format!("`{held}`, that of stage `{}`", stage.name),
        None if matches!(existing, ModelStage::None | ModelStage::Archived) => return None,
        None => "no stage".into(),
    };
    Some(format!(
        "version {} of `{}` is in `{existing}` of the experiment manager, and stage `{}` takes versions from \
         {comes_from}",
        version.version, target.name, target.stage.name
    ))
}

fn model_stage(stage: &Stage) -> Option<ModelStage> {
    stage.model_stage.as_deref().map(ModelStage::from)
}

#[cfg(test)]
mod tests;
