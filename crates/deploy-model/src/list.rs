//! `deploy-model list`: the endpoints of a stage's project, and the stage and model that each belongs to.

use domino_core::api::model_apis::{ListedModelApis, ModelApi, ModelApiSource, ModelApiVersion};
use domino_core::api::projects::Project;
use domino_core::client::ApiError;
use domino_core::error::Result;
use domino_core::step::{Step, StepContext, StepFlags, StepResult, Table};
use stage_file::{Stage, StageFile};

use crate::endpoint::status_text;

/// `deploy-model list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// Lists them, each with what it serves.
pub(crate) async fn list(step: &mut Step, context: &StepContext) -> Result<StepResult> {
    let reader = context.connection.reader();
    let project = Project::of_stage(&reader, &context.file, &context.stage).await?;
    let apis = reader.find_model_apis(&project).await?;
    let mut rows = Vec::new();
    for api in &apis.all {
        let version = version_of(&apis, api).await?;
        rows.push(row(&context.file, &context.stage, api, version.as_ref()));
    }
    rows.sort();
    let count = rows.len();
    step.report.table = Some(Table {
        columns: vec![
            "endpoint", "stage", "model", "version", "serves", "status", "id",
        ],
        rows,
    });
    Ok(StepResult::unchanged(match count {
        0 => format!("project `{}` has no endpoint", project.name),
        1 => format!("1 endpoint in project `{}`", project.name),
        count => format!("{count} endpoints in project `{}`", project.name),
    }))
}

/// The version that answers; if none does, the newest.
async fn version_of(
    apis: &ListedModelApis,
    api: &ModelApi,
) -> Result<Option<ModelApiVersion>, ApiError> {
    match &api.active {
        Some(active) => apis.apis.version(&api.id, &active.id).await,
        None => {
            let versions = apis.apis.versions(&api.id).await?;
            Ok(versions.into_iter().next())
        }
    }
}

fn row(
    file: &StageFile,
    here: &Stage,
    api: &ModelApi,
    version: Option<&ModelApiVersion>,
) -> Vec<String> {
    let nothing = || "-".to_owned();
    let (stage, model) = whose(file, here, &api.name).unwrap_or_else(|| (nothing(), nothing()));
    let active = api.active.as_ref();
    let number = active
        .and_then(|active| active.number)
        .or_else(|| version.and_then(|version| version.number));
    let serves = version.and_then(|version| version.source.as_ref());
    let deployment = version
        .and_then(|version| version.deployment.as_ref())
        .or_else(|| active.and_then(|active| active.deployment.as_ref()));
    vec![
        api.name.clone(),
        stage,
        model,
        number.map_or_else(nothing, |number| number.to_string()),
        serves.map_or_else(nothing, |source| match source {
            ModelApiSource::Registered { name, version } => format!("{name} v{version}"),
            ModelApiSource::Function { file, function } => format!("{function} in {file}"),
        }),
        status_text(deployment),
        api.id.to_string(),
    ]
}

/// The stage and model that an endpoint of this name belongs to. Stages may share a project.
fn whose(file: &StageFile, here: &Stage, endpoint: &str) -> Option<(String, String)> {
    let stages = file
        .stages
        .iter()
        .filter(|stage| stage.host == here.host && stage.project == here.project);
    stages
        .flat_map(|stage| file.models.iter().map(move |model| (stage, model)))
        .find(|(stage, model)| file.endpoint_name(model, stage) == endpoint)
        .map(|(stage, model)| (stage.name.clone(), model.name.clone()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn an_endpoint_is_known_by_its_name_in_every_stage_of_the_project() {
        let text = "
            [stage.dev]
            host = \"domino.example.com\"
            project = \"a/b\"
            hardware-tier = \"d\"
            [stage.prod]
            host = \"domino.example.com\"
            project = \"a/b\"
            hardware-tier = \"p\"
            [stage.far]
            host = \"far.example.com\"
            project = \"a/b\"
            hardware-tier = \"f\"
            [model.wine]
            registered-model = \"wine\"
            [model.wine.stage.prod]
            endpoint = \"wine\"
        ";
        let file = StageFile::read(text, Path::new("stages.toml")).unwrap();
        let dev = file.stage("dev").unwrap();
        let whose =
            |endpoint| whose(&file, dev, endpoint).map(|(stage, model)| format!("{stage} {model}"));
        assert_eq!(whose("wine-dev").unwrap(), "dev wine");
        assert_eq!(whose("wine").unwrap(), "prod wine");
        assert_eq!(whose("wine-far"), None);
        assert_eq!(whose("other"), None);
    }
}
