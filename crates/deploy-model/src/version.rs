//! Which version of the registered model is published: a given one, one by the rule in the stage file, or the one
//! that the stage before serves.

use domino_core::api::mlflow::{ModelStage, ModelVersion, RegisteredModel, Tracking};
use domino_core::api::projects::ProjectId;
use domino_core::api::registered_models::VersionNumber;
use domino_core::client::Reader;
use domino_core::error::{CommandError, Result};
use domino_core::step::StepContext;
use stage_file::{Model, Stage, StageFile, VersionRule};

/// What a step is given for the choice.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Given<'a> {
    pub(crate) version: Option<VersionNumber>,
    /// The id of the Domino run that trained it.
    pub(crate) trained_by_run: Option<&'a str>,
}

/// How the version is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice<'a> {
    /// The version that the step was given.
    Given(VersionNumber),
    /// By the rule in the stage file.
    Rule(&'a VersionRule),
    /// The version that this stage before serves.
    StageBefore(&'a Stage),
    /// The version that a run registered.
    TrainedBy {
        /// The job, as the stage file calls it.
        job: &'a str,
        /// The run's id in Domino.
        run: &'a str,
    },
}

impl Choice<'_> {
    /// The rule that means one version until somebody changes it or what it points to.
    pub(crate) fn deciding_rule(&self) -> Option<&VersionRule> {
        match self {
            Self::Rule(rule) if !matches!(rule, VersionRule::Latest) => Some(rule),
            _ => None,
        }
    }
}

/// Only the first stage uses a rule that can mean another version tomorrow, or a run.
pub(crate) fn choice<'a>(
    file: &'a StageFile,
    stage: &Stage,
    model: &'a Model,
    rule: &'a VersionRule,
    given: Given<'a>,
) -> Result<Choice<'a>, CommandError> {
    if let Some(choice) = by_training(file, stage, model, given)? {
        return Ok(choice);
    }
    let model = model.name.as_str();
    match (given.version, rule, file.stage_before(stage)) {
        (Some(given), VersionRule::Number(number), _) if given.get() != *number => {
            Err(CommandError::usage(format!(
                "version {given} is given, but stages.toml says version {number}"
            ))
            .hint(format!(
                "change {}, or leave `--version` and `MODEL_VERSION` out",
                file.place_of(&["model", model, "version"])
            ))
            .at(file, &["model", model, "version"]))
        }
        (Some(given), _, _) => Ok(Choice::Given(given)),
        (None, VersionRule::Number(_), _) | (None, _, None) => Ok(Choice::Rule(rule)),
        (None, _, Some(before)) => Ok(Choice::StageBefore(before)),
    }
}

/// In the first stage, a model that is trained by a job gets the version that a run of it registered.
fn by_training<'a>(
    file: &StageFile,
    stage: &Stage,
    model: &'a Model,
    given: Given<'a>,
) -> Result<Option<Choice<'a>>, CommandError> {
    let name = &model.name;
    let key = ["model", name.as_str(), "trained-by"];
    match (given.trained_by_run, &model.trained_by, file.stage_before(stage)) {
        (Some(run), Some(job), None) => Ok(Some(Choice::TrainedBy { job, run })),
        (Some(_), Some(_), Some(before)) => Err(CommandError::usage(format!(
            "a run that trained model `{name}` is given, and stage `{}` gets the version that stage `{}` serves",
            stage.name, before.name
        ))
        .hint("leave `--trained-by-run` and `TRAINED_BY_RUN` out; only the first stage takes them")),
        (Some(_), None, _) => Err(not_trained(file, model)),
        (None, Some(job), None) if given.version.is_none() => Err(CommandError::usage(format!(
            "it is not known which version of model `{name}` to publish: it is `trained-by` job `{job}`, and no run of \
             that is given"
        ))
        .hint(format!(
            "the workflow hands it on as `TRAINED_BY_RUN`; by hand give `--trained-by-run` the id that `deploy-job status \
             {job} --stage {}` tells, or `--version`",
            stage.name
        ))
        .at(file, &key)),
        (None, ..) => Ok(None),
    }
}

/// The error when a run is given for a model that no job trains.
pub(crate) fn not_trained(file: &StageFile, model: &Model) -> CommandError {
    let name = &model.name;
    CommandError::usage(format!(
        "a run is given, and model `{name}` is not `trained-by` a job"
    ))
    .hint("leave `--trained-by-run` and `TRAINED_BY_RUN` out, or name the job in stages.toml")
    .at(file, &["model", name, "trained-by"])
}

/// Resolves a version by its rule.
pub(crate) async fn by_rule(
    context: &StepContext,
    project: &ProjectId,
    name: &str,
    rule: &VersionRule,
) -> Result<VersionNumber> {
    let reader = context.connection.reader();
    let uri = std::env::var("MLFLOW_TRACKING_URI").ok();
    match rule {
        VersionRule::Number(number) => {
            let version = VersionNumber::new(*number);
            existing(&reader, project, name, version).await?;
            Ok(version)
        }
        VersionRule::Latest => {
            let Some(model) = reader.registered_model(name).await? else {
                return Err(unknown_model(&reader, project, name).await);
            };
            Ok(model.latest_version.ok_or_else(|| no_version(name))?)
        }
        VersionRule::Stage(stage) => {
            let tracking = Tracking::of(&context.connection, uri.as_deref())?;
            let versions = tracking.reader().model_versions(name).await?;
            if versions.is_empty() {
                return Err(unknown_model(&reader, project, name).await);
            }
            Ok(in_stage(
                name,
                &versions,
                &ModelStage::from(stage.as_str()),
            )?)
        }
        VersionRule::Alias(alias) => {
            let tracking = Tracking::of(&context.connection, uri.as_deref())?;
            match tracking.reader().registered_model(name).await? {
                Some(model) => Ok(behind_alias(&model, alias)?),
                None => Err(unknown_model(&reader, project, name).await),
            }
        }
    }
}

/// Makes sure that a version exists.
pub(crate) async fn existing(
    reader: &Reader,
    project: &ProjectId,
    name: &str,
    version: VersionNumber,
) -> Result<()> {
    if reader
        .registered_model_version(name, version)
        .await?
        .is_some()
    {
        return Ok(());
    }
    let Some(model) = reader.registered_model(name).await? else {
        return Err(unknown_model(reader, project, name).await);
    };
    let failure = CommandError::refused(format!(
        "registered model `{name}` has no version {version}"
    ));
    Err(match model.latest_version {
        Some(latest) => failure.hint(format!("its newest version is {latest}")),
        None => failure.hint("it has no version at all"),
    })
}

/// The one version in a stage of the experiment manager.
fn in_stage(
    name: &str,
    versions: &[ModelVersion],
    stage: &ModelStage,
) -> Result<VersionNumber, CommandError> {
    let existing: Vec<&ModelVersion> = versions
        .iter()
        .filter(|version| version.current_stage == *stage)
        .collect();
    match existing.as_slice() {
        [one] => Ok(one.version),
        [] => {
            let mut stages: Vec<String> = versions
                .iter()
                .filter(|version| version.current_stage != ModelStage::None)
                .map(|version| {
                    format!(
                        "version {} is in `{}`",
                        version.version, version.current_stage
                    )
                })
                .collect();
            stages.truncate(5);
            let failure = CommandError::refused(format!(
                "no version of registered model `{name}` is in stage `{stage}` of the experiment manager"
            ));
            Err(match stages.is_empty() {
                true => failure.hint("no version of it is in any stage"),
                false => failure.hint(stages.join(", ")),
            })
        }
        several => {
            let numbers: Vec<String> = several
                .iter()
                .map(|version| version.version.to_string())
                .collect();
            Err(CommandError::refused(format!(
                "{} versions of registered model `{name}` are in stage `{stage}` of the experiment manager: {}",
                several.len(),
                numbers.join(", ")
            ))
            .hint("archive all but one of them, or name the version by its number"))
        }
    }
}

/// The version that an alias points to. Names are case-sensitive.
fn behind_alias(model: &RegisteredModel, alias: &str) -> Result<VersionNumber, CommandError> {
    model.aliases.get(alias).copied().ok_or_else(|| {
        let known: Vec<String> = model
            .aliases
            .keys()
            .map(|alias| format!("`{alias}`"))
            .collect();
        let failure = CommandError::refused(format!(
            "registered model `{}` has no alias `{alias}`",
            model.name
        ));
        match known.is_empty() {
            true => failure.hint("it has no alias at all"),
            false => failure.hint(format!("it has {}", known.join(", "))),
        }
    })
}

fn no_version(name: &str) -> CommandError {
    CommandError::refused(format!("registered model `{name}` has no version yet"))
        .hint("run the job that trains and registers it")
}

async fn unknown_model(reader: &Reader, project: &ProjectId, name: &str) -> CommandError {
    let names = reader.registered_model_names(project).await;
    let failure = CommandError::refused(format!(
        "there is no registered model `{name}` for this account"
    ));
    let known: Vec<String> = names
        .iter()
        .take(8)
        .map(|name| format!("`{name}`"))
        .collect();
    match known.is_empty() {
        true => failure.hint("the project has none yet: run the job that trains and registers it"),
        false => failure.hint(format!("the project has {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    const TEXT: &str = "
            [defaults]
            host = \"domino.example.com\"
            project = \"a/b\"
            [stage.dev]
            hardware-tier = \"d\"
            [stage.prod]
            hardware-tier = \"p\"
            [model.wine]
            registered-model = \"wine\"
        ";

    fn file() -> StageFile {
        StageFile::read(TEXT, Path::new("stages.toml")).unwrap()
    }

    fn versions(stages: &[(u64, &str)]) -> Vec<ModelVersion> {
        stages
            .iter()
            .map(|(number, stage)| {
                serde_json::from_value(json!({
                    "name": "wine", "version": number.to_string(), "current_stage": stage,
                }))
                .unwrap()
            })
            .collect()
    }

    fn chosen(stage: &str, rule: &VersionRule, given: Option<u64>) -> String {
        let file = file();
        let stage = file.stage(stage).unwrap();
        let given = Given {
            version: given.map(VersionNumber::new),
            trained_by_run: None,
        };
        match choice(&file, stage, file.model("wine").unwrap(), rule, given) {
            Ok(Choice::Given(version)) => format!("given {version}"),
            Ok(Choice::Rule(rule)) => format!("rule {rule}"),
            Ok(Choice::StageBefore(stage)) => format!("what {} serves", stage.name),
            Ok(Choice::TrainedBy { job, run }) => format!("run {run} of {job}"),
            Err(failure) => failure.to_string(),
        }
    }

    #[test]
    fn only_the_first_stage_goes_by_a_rule_that_can_change_its_mind() {
        let four = VersionRule::Number(4);
        let latest = VersionRule::Latest;
        assert_eq!(chosen("dev", &latest, None), "rule latest");
        assert_eq!(chosen("prod", &latest, None), "what dev serves");
        assert_eq!(
            chosen("prod", &VersionRule::Alias("champion".into()), None),
            "what dev serves"
        );
        assert_eq!(chosen("prod", &four, None), "rule 4");
        assert_eq!(chosen("prod", &latest, Some(7)), "given 7");
        assert_eq!(chosen("prod", &four, Some(4)), "given 4");
        assert_eq!(
            chosen("dev", &four, Some(7)),
            "version 7 is given, but stages.toml says version 4"
        );
    }

    #[test]
    fn a_model_that_a_job_trains_is_what_its_run_registered_in_the_first_stage() {
        let text = format!("{TEXT}\ntrained-by = \"train\"\n[job.train]\ncommand = \"train.py\"");
        let file = StageFile::read(&text, Path::new("stages.toml")).unwrap();
        let chosen = |stage: &str, trained_by_run, version: Option<u64>| {
            let version = version.map(VersionNumber::new);
            let given = Given {
                version,
                trained_by_run,
            };
            let model = file.model("wine").unwrap();
            let stage = file.stage(stage).unwrap();
            match choice(&file, stage, model, &VersionRule::Latest, given) {
                Ok(chosen) => format!("{chosen:?}"),
                Err(failure) => failure.to_string(),
            }
        };
        assert!(
            chosen("dev", Some("r1"), None).starts_with("TrainedBy { job: \"train\", run: \"r1\"")
        );
        assert!(chosen("dev", None, Some(4)).starts_with("Given("));
        assert!(chosen("dev", None, None).ends_with("and no run of that is given"));
        assert!(chosen("prod", None, None).starts_with("StageBefore("));
        assert!(
            chosen("prod", Some("r1"), None).ends_with("gets the version that stage `dev` serves")
        );
    }

    #[test]
    fn a_stage_means_the_one_version_in_it() {
        let versions = versions(&[(3, "None"), (2, "Staging"), (1, "Archived")]);
        let version = in_stage("wine", &versions, &ModelStage::from("staging"));
        assert_eq!(version.unwrap().get(), 2);
        let failure = in_stage("wine", &versions, &ModelStage::Production).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "no version of registered model `wine` is in stage `Production` of the experiment manager"
        );
        assert_eq!(
            failure.to_do().unwrap(),
            "version 2 is in `Staging`, version 1 is in `Archived`"
        );
    }

    #[test]
    fn two_versions_in_one_stage_are_not_guessed_between() {
        let versions = versions(&[(3, "Production"), (2, "Production")]);
        let failure = in_stage("wine", &versions, &ModelStage::Production).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "2 versions of registered model `wine` are in stage `Production` of the experiment manager: 3, 2"
        );
    }

    #[test]
    fn an_alias_is_taken_to_the_letter() {
        let model: RegisteredModel = serde_json::from_value(json!({
            "name": "wine", "aliases": [{"alias": "champion", "version": "4"}],
        }))
        .unwrap();
        assert_eq!(behind_alias(&model, "champion").unwrap().get(), 4);
        assert_eq!(
            behind_alias(&model, "Champion").unwrap_err().to_string(),
            "registered model `wine` has no alias `Champion`"
        );
    }
}
