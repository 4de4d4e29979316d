//! The version of a model that a stage serves, by its endpoint: the next stage gets the version that serves, not the
//! one that was meant to.

use crate::api::model_apis::{
    DeploymentStatus, ListedModelApis, ModelApi, ModelApiSource, ModelApiVersion, PROD,
};
use crate::api::projects::Project;
use crate::api::registered_models::VersionNumber;
use crate::client::Reader;
use crate::deployment_marker::{EntityMarker, FoundMarker};
use crate::error::Result;
use crate::own_endpoint::{EndpointSearch, OwnEndpoint, registered_name};
use stage_file::{Model, ModelSource, Stage, StageFile};

/// What a stage serves of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Serving {
    /// A version of its registered model.
    Version {
        /// The number in the registry.
        version: VersionNumber,
        /// The endpoint's name.
        endpoint: String,
        /// When the endpoint got it, in epoch milliseconds, if Domino tells.
        since: Option<i64>,
    },
    /// No known version; the text is the reason.
    Nothing(String),
}

impl Serving {
    /// Asks the endpoint of `model` in `stage`, whose project is `project`: first the list of endpoints, then the
    /// version that answers.
    pub async fn of(
        reader: &Reader,
        file: &StageFile,
        stage: &Stage,
        model: &Model,
        project: &Project,
    ) -> Result<Self> {
        let mut apis = reader.find_model_apis(project).await?;
        let search = EndpointSearch {
            file,
            stage,
            model,
            apis: &apis,
        };
        if search.named()?.is_none() {
            apis.ask_made(registered_name(model)).await?;
        }
        Self::among(file, stage, model, project, &apis).await
    }

    /// The same, where the list of endpoints is known already.
    pub async fn among(
        file: &StageFile,
        stage: &Stage,
        model: &Model,
        project: &Project,
        apis: &ListedModelApis,
    ) -> Result<Self> {
        let (api, version) = match Answering::among(file, stage, model, project, apis).await? {
            Answering::Version(api, version) => (api, version),
            Answering::Nothing(why) => return Ok(Self::Nothing(why)),
        };
        Ok(
            match served(&version, &api.description, &stage.name, model) {
                Ok(number) => Self::Version {
                    version: number,
                    endpoint: api.name.clone(),
                    since: version.created,
                },
                Err(what) => Self::Nothing(format!("its endpoint `{}` serves {what}", api.name)),
            },
        )
    }
}

/// The version that answers at the endpoint of a model in a stage.
#[derive(Debug, Clone)]
pub enum Answering {
    /// This version of this endpoint, which is up.
    Version(Box<ModelApi>, Box<ModelApiVersion>),
    /// None; the text is the reason.
    Nothing(String),
}

impl Answering {
    /// Finds the endpoint among those of the stage's project, and the status of the version that answers its callers.
    /// The list of versions tells it, which an account that can only see the endpoint may read as well.
    pub async fn among(
        file: &StageFile,
        stage: &Stage,
        model: &Model,
        project: &Project,
        apis: &ListedModelApis,
    ) -> Result<Self> {
        let search = EndpointSearch {
            file,
            stage,
            model,
            apis,
        };
        let name = search.name();
        let Some(OwnEndpoint { api, .. }) = search.find().await? else {
            let hidden = search.hidden_words(project);
            return Ok(Self::Nothing(
                hidden.unwrap_or_else(|| format!("it has no endpoint `{name}`")),
            ));
        };
        let name = &api.name;
        let nothing = || Self::Nothing(format!("its endpoint `{name}` serves nothing"));
        let Some(active) = &api.active else {
            return Ok(nothing());
        };
        let versions = apis.apis.versions(&api.id).await?;
        let called = |version: &ModelApiVersion| match api.routes_by_label() {
            true => version.is_promoted(),
            false => version.id == active.id,
        };
        let Some(mut version) = versions.into_iter().find(called) else {
            return Ok(match api.routes_by_label() {
                true => Self::Nothing(format!(
                    "its endpoint `{name}` routes by labels, and no version of it has the label `{PROD}`"
                )),
                false => nothing(),
            });
        };
        let of_active = active
            .deployment
            .as_ref()
            .filter(|_| version.id == active.id);
        let told = version.deployment.as_ref().or(of_active).cloned();
        if told.is_none()
            && let Some(alone) = apis.apis.version(&api.id, &version.id).await?
        {
            version = alone;
        }
        let told = version.deployment.as_ref().or(told.as_ref());
        // A version that is about to be replaced by a newer one still serves. The older routes may not tell the
        // status.
        let status = told.map(|deployment| &deployment.status);
        let is_up = match status {
            Some(status) => *status == DeploymentStatus::Running,
            None => !apis.apis.capabilities().tells_active_version,
        };
        if is_up {
            return Ok(Self::Version(Box::new(api), Box::new(version)));
        }
        let status = status.map_or("not deployed", DeploymentStatus::word);
        Ok(Self::Nothing(format!(
            "its endpoint `{name}` is `{status}`"
        )))
    }
}

/// The model version that an endpoint's version serves, or in words what else: by its source, otherwise by the marker
/// that its publish left, since the older routes may not tell a source.
fn served(
    version: &ModelApiVersion,
    description: &str,
    stage: &str,
    model: &Model,
) -> Result<VersionNumber, String> {
    let ModelSource::Registered { name, .. } = &model.source else {
        return Err("a function, which has no version".into());
    };
    match &version.source {
        Some(ModelApiSource::Registered {
            name: told,
            version,
        }) if told == name => Ok(*version),
        Some(other) => Err(other.to_string()),
        None => FoundMarker::of(version, description, &EntityMarker::new(stage, &model.name))
            .and_then(|mark| mark.version)
            .ok_or_else(|| "a version that is not known".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};
    use wiremock::matchers::path;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::api::projects::ProjectId;
    use crate::client::tests::connection;

    fn file() -> StageFile {
        let text = "
            [defaults]
            host = \"domino.example.com\"
            project = \"a/b\"
            [stage.dev]
            hardware-tier = \"d\"
            [model.wine]
            registered-model = \"wine\"
        ";
        StageFile::read(text, Path::new("stages.toml")).unwrap()
    }

    async fn serving(apis: Value, version: Value) -> Result<Serving> {
        let server = MockServer::start().await;
        for (route, body) in [
            (
                "/api/modelServing/v1/modelApis",
                json!({"items": apis, "metadata": {"totalCount": 1}}),
            ),
            (
                "/api/modelServing/v1/modelApis/m1/versions",
                json!([version]),
            ),
        ] {
            Mock::given(path(route))
                .respond_with(ResponseTemplate::new(200).set_body_json(body))
                .mount(&server)
                .await;
        }
        let file = file();
        let project = Project {
            id: ProjectId::new("p1"),
            name: "a/b".parse().unwrap(),
            repository: None,
        };
        let reader = connection(&server.uri()).reader();
        Serving::of(&reader, &file, &file.stages[0], &file.models[0], &project).await
    }

    fn api(active: Value) -> Value {
        json!({
            "id": "m1", "name": "wine-dev", "description": "", "environmentId": "e1", "replicas": 1,
            "activeVersion": active,
        })
    }

    fn active(status: &str) -> Value {
        json!({"id": "v1", "number": 3, "deployment": {"status": status, "isPending": false}})
    }

    fn version(status: &str) -> Value {
        json!({
            "id": "v1", "number": 3, "description": "", "metadata": {"created": 1_760_000_000_000_i64},
            "logHttpRequestResponse": false,
            "source": {"type": "Registry", "registeredModelName": "wine", "registeredModelVersion": 7},
            "deployment": {"status": status, "isPending": true},
        })
    }

    #[tokio::test]
    async fn an_endpoint_that_runs_serves_the_version_of_its_source() {
        let found = serving(json!([api(active("Running"))]), version("Running")).await;
        let seven = Serving::Version {
            version: VersionNumber::new(7),
            endpoint: "wine-dev".into(),
            since: Some(1_760_000_000_000),
        };
        assert_eq!(found.unwrap(), seven);
    }

    #[tokio::test]
    async fn a_version_of_another_model_is_not_taken_for_one_of_this() {
        let mut other = version("Running");
        other["source"]["registeredModelName"] = json!("beer");
        let found = serving(json!([api(active("Running"))]), other).await;
        let why = "its endpoint `wine-dev` serves version 7 of `beer`";
        assert_eq!(found.unwrap(), Serving::Nothing(why.into()));
    }

    #[tokio::test]
    async fn what_does_not_run_serves_nothing_and_why_is_told() {
        for (apis, status, why) in [
            (json!([]), "Running", "it has no endpoint `wine-dev`"),
            (
                json!([api(json!(null))]),
                "Running",
                "its endpoint `wine-dev` serves nothing",
            ),
            (
                json!([api(active("Failed"))]),
                "Failed",
                "its endpoint `wine-dev` is `Failed`",
            ),
        ] {
            let found = serving(apis, version(status)).await.unwrap();
            assert_eq!(found, Serving::Nothing(why.into()));
        }
    }

    #[tokio::test]
    async fn two_endpoints_of_one_name_are_not_guessed_between() {
        let mut other = api(active("Running"));
        other["id"] = json!("m2");
        let error = serving(json!([api(active("Running")), other]), version("Running"))
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "2 endpoints of project `a/b` are called `wine-dev`: `m1`, `m2`"
        );
    }

    #[test]
    fn where_no_source_is_told_the_mark_of_the_publish_tells_it() {
        let mut first = ModelApiVersion {
            id: crate::api::model_apis::ModelApiVersionId::new("v1"),
            number: Some(1),
            description: "[dev/wine v7 abababababab run 1 state 0]".into(),
            source: None,
            commit_id: None,
            environment_revision_id: None,
            data_plane_id: None,
            logs_requests: None,
            deployment: None,
            created: None,
            created_by: None,
            labels: Vec::new(),
            carried: Default::default(),
        };
        let file = file();
        let model = &file.models[0];
        let seven = Ok(VersionNumber::new(7));
        assert_eq!(served(&first, "", "dev", model), seven);
        let unknown = Err("a version that is not known".to_owned());
        assert_eq!(served(&first, "", "staging", model), unknown);
        // The older routes have one description for an endpoint and its first version.
        let description = std::mem::take(&mut first.description);
        assert_eq!(served(&first, &description, "dev", model), seven);
        first.number = Some(2);
        assert_eq!(served(&first, &description, "dev", model), unknown);
    }
}
