//! What is published: the function, or the chosen version of the registered model, and how it was chosen.

use domino_core::api::model_apis::ModelApiSource;
use domino_core::api::projects::Project;
use domino_core::api::registered_models::VersionNumber;
use domino_core::commit::Commit;
use domino_core::error::{CommandError, Result};
use domino_core::step::StepContext;
use stage_file::{Model, ModelSource, VersionRule};

use crate::stage_before::Serves;
use crate::trained::Training;
use crate::version::{self, Choice, Given};

/// What is published.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// What Domino is told to serve.
    pub(crate) what: ModelApiSource,
    /// How the version was chosen, for people; absent for a function.
    pub(crate) how: Option<String>,
}

impl Source {
    fn registered(name: &str, version: VersionNumber, how: impl Into<String>) -> Self {
        Self {
            what: ModelApiSource::Registered {
                name: name.to_owned(),
                version,
            },
            how: Some(how.into()),
        }
    }

    /// The version of the registered model; absent for a function.
    pub(crate) fn version(&self) -> Option<VersionNumber> {
        match &self.what {
            ModelApiSource::Registered { version, .. } => Some(*version),
            ModelApiSource::Function { .. } => None,
        }
    }
}

/// How the version is chosen; absent for a function, which has no versions.
pub(crate) fn choice<'a>(
    context: &'a StepContext,
    model: &'a Model,
    given: Given<'a>,
) -> Result<Option<Choice<'a>>, CommandError> {
    match (&model.source, given.version) {
        (ModelSource::Registered { version, .. }, _) => {
            version::choice(&context.file, &context.stage, model, version, given).map(Some)
        }
        (ModelSource::Function { .. }, None) if given.trained_by_run.is_some() => {
            Err(version::not_trained(&context.file, model))
        }
        (ModelSource::Function { .. }, None) => Ok(None),
        (ModelSource::Function { .. }, Some(version)) => Err(CommandError::usage(format!(
            "version {version} is given, but model `{}` is a function, which has no versions",
            model.name
        ))
        .hint("leave `--version` and `MODEL_VERSION` out")),
    }
}

/// What is published, unless the stage before decides that. A version that does not exist is an error.
pub(crate) async fn without_the_stage_before(
    context: &StepContext,
    project: &Project,
    model: &Model,
    choice: Option<&Choice<'_>>,
    commit: &Commit,
) -> Result<Option<Source>> {
    let name = match &model.source {
        ModelSource::Registered { name, .. } => name,
        ModelSource::Function { file, function } => {
            let what = ModelApiSource::Function {
                file: file.clone(),
                function: function.clone(),
            };
            return Ok(Some(Source { what, how: None }));
        }
    };
    match choice {
        Some(Choice::Given(given)) => {
            let reader = context.connection.reader();
            version::existing(&reader, &project.id, name, *given).await?;
            Ok(Some(Source::registered(name, *given, "given")))
        }
        Some(Choice::Rule(rule)) => {
            let version = version::by_rule(context, &project.id, name, rule).await?;
            let how = match rule {
                VersionRule::Number(_) => "named in stages.toml".into(),
                rule => format!("`{rule}`"),
            };
            Ok(Some(Source::registered(name, version, how)))
        }
        Some(Choice::TrainedBy { job, run }) => {
            let training = Training {
                context,
                job,
                name,
                run,
            };
            let (version, how) = training.version(commit).await?;
            Ok(Some(Source::registered(name, version, how)))
        }
        Some(Choice::StageBefore(_)) | None => Ok(None),
    }
}

/// The version that the stage before serves, which is published here.
pub(crate) fn of_the_stage_before(
    model: &Model,
    before: &str,
    serves: Serves,
) -> Result<Source, CommandError> {
    let why = match (&model.source, serves) {
        (ModelSource::Registered { name, .. }, Serves::Version(version)) => {
            let how = format!("served by stage `{before}`");
            return Ok(Source::registered(name, version, how));
        }
        (_, Serves::Version(_) | Serves::Commit(_)) => {
            format!("stage `{before}` serves another kind of model")
        }
        (_, Serves::Nothing(why)) => format!("stage `{before}` serves none of it: {why}"),
        (_, Serves::NotAsked(why)) => why,
    };
    Err(CommandError::refused(format!(
        "it is not known which version of model `{}` to publish: {why}",
        model.name
    ))
    .hint(
        "give the version that the stage before published with `--version` or in `MODEL_VERSION`",
    ))
}
