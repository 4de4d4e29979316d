//! What the stage before serves: the same version moves on, and nothing that it does not serve.

use domino_core::api::model_apis::{
    Deployment, DeploymentStatus, Generation, ModelApiSource, ModelApiVersion, ModelApis,
};
use domino_core::api::projects::Project;
use domino_core::api::registered_models::VersionNumber;
use domino_core::commit::Commit;
use domino_core::stages::{Model, Stage};
use domino_core::step::Setting;

use crate::endpoint::{Endpoint, serving};
use crate::mark::Found;

/// What the stage before serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Serves {
    /// A version of the registered model.
    Version(VersionNumber),
    /// A function, built for a commit of which the beginning is known.
    Commit(String),
    /// Nothing, and why.
    Nothing(String),
    /// It cannot be asked, and why.
    NotAsked(String),
}

/// Asks the stage before. Its Domino is asked only when it is this very one: the credential at hand is that of
/// this stage, and belongs to no other deployment. `known` is what was already read of this stage's project.
pub(crate) async fn ask(
    setting: &Setting,
    model: &Model,
    before: &Stage,
    known: (&Project, &ModelApis),
) -> anyhow::Result<Serves> {
    let (file, stage) = (&setting.file, &setting.stage);
    if before.host != stage.host {
        return Ok(Serves::NotAsked(format!(
            "stage `{}` is on another Domino, `{}`, for which there is no credential here",
            before.name, before.host
        )));
    }
    let reader = setting.connection.reader();
    let (project, apis) = known;
    let endpoint = if before.project == stage.project {
        Endpoint::among(apis, project.clone(), file.endpoint_name(model, before))?
    } else {
        Endpoint::find(&reader, file, before, model).await?
    };
    let Some(api) = &endpoint.api else {
        return Ok(Serves::Nothing(format!(
            "it has no endpoint `{}`",
            endpoint.name
        )));
    };
    let active = match &api.active {
        Some(active) => {
            reader
                .model_api_version(endpoint.generation, &api.id, &active.id)
                .await?
        }
        None => None,
    };
    let told = api
        .active
        .as_ref()
        .and_then(|active| active.deployment.as_ref());
    let up = |version: &ModelApiVersion| match version.deployment.as_ref().or(told) {
        Some(deployment) => is_up(deployment),
        None => endpoint.generation == Generation::Models,
    };
    let Some(version) = active.filter(up) else {
        return Ok(Serves::Nothing(format!(
            "its endpoint `{}` serves {}",
            endpoint.name,
            serving(api)
        )));
    };
    Ok(
        served(&version, &api.description, &before.name, &model.name).unwrap_or_else(|| {
            Serves::Nothing(format!(
                "it is not known which version its endpoint `{}` serves",
                endpoint.name
            ))
        }),
    )
}

/// A version that something newer is about to take the place of still serves.
fn is_up(deployment: &Deployment) -> bool {
    deployment.status == DeploymentStatus::Running
}

/// What a version serves: by its source, else by the mark that its publish left. The older routes have one
/// description for an endpoint and its first version.
fn served(
    version: &ModelApiVersion,
    description: &str,
    stage: &str,
    model: &str,
) -> Option<Serves> {
    if let Some(ModelApiSource::Registered { version, .. }) = &version.source {
        return Some(Serves::Version(*version));
    }
    let mark = Found::in_text(&version.description, stage, model).or_else(|| {
        (version.number == Some(1))
            .then(|| Found::in_text(description, stage, model))
            .flatten()
    })?;
    Some(match mark.version {
        Some(number) => Serves::Version(number),
        None => Serves::Commit(mark.commit),
    })
}

/// Why what is wanted may not come here; `None` when the stage before serves the very same.
pub(crate) fn refusal(
    serves: &Serves,
    version: Option<VersionNumber>,
    commit: &Commit,
) -> Option<String> {
    match (serves, version) {
        (Serves::Version(there), Some(wanted)) if *there == wanted => None,
        (Serves::Commit(there), None) if commit.as_str().starts_with(there.as_str()) => None,
        (Serves::Version(there), Some(_)) => Some(format!("it serves version {there}")),
        (Serves::Version(there), None) => {
            Some(format!("it serves version {there} of a registered model"))
        }
        (Serves::Commit(there), _) => {
            Some(format!("it serves a function built for commit {there}"))
        }
        (Serves::Nothing(why) | Serves::NotAsked(why), _) => Some(why.clone()),
    }
}

#[cfg(test)]
mod tests {
    use domino_core::api::model_apis::ModelApiVersionId;

    use super::*;

    fn version(description: &str, source: Option<ModelApiSource>) -> ModelApiVersion {
        ModelApiVersion {
            id: ModelApiVersionId::new("v1"),
            number: Some(1),
            description: description.into(),
            source,
            commit_id: None,
            environment_revision_id: None,
            data_plane_id: None,
            logs_requests: None,
            deployment: None,
            created: None,
        }
    }

    #[test]
    fn what_a_version_serves_is_told_by_its_source_or_its_mark() {
        let registered = ModelApiSource::Registered {
            name: "wine".into(),
            version: VersionNumber::new(6),
        };
        let mark = "[dev/wine v7 abababababab state 0]";
        let of =
            |description: &str, source| served(&version(description, source), "", "dev", "wine");
        assert_eq!(
            of(mark, Some(registered)),
            Some(Serves::Version(VersionNumber::new(6))),
            "the source is what is served, the mark only what was asked for"
        );
        assert_eq!(of(mark, None), Some(Serves::Version(VersionNumber::new(7))));
        assert_eq!(
            of("[dev/wine abababababab state 0]", None),
            Some(Serves::Commit("abababababab".into()))
        );
        assert_eq!(of("by hand", None), None);
    }

    #[test]
    fn only_the_very_same_may_come() {
        let commit = Commit::whole(&"ab".repeat(20)).unwrap();
        let seven = Some(VersionNumber::new(7));
        let refusal = |serves: Serves, version| refusal(&serves, version, &commit);
        assert_eq!(refusal(Serves::Version(VersionNumber::new(7)), seven), None);
        assert_eq!(refusal(Serves::Commit("abababababab".into()), None), None);
        assert_eq!(
            refusal(Serves::Version(VersionNumber::new(6)), seven).unwrap(),
            "it serves version 6"
        );
        assert_eq!(
            refusal(Serves::Commit("cdcdcdcdcdcd".into()), None).unwrap(),
            "it serves a function built for commit cdcdcdcdcdcd"
        );
        assert!(refusal(Serves::Nothing("it is down".into()), seven).is_some());
    }
}
