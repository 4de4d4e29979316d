//! Creates an endpoint or a version of it, once: if the reply is lost, or does not say what was created, it is looked
//! up.

use std::time::Duration;

use domino_core::api::model_apis::{
    Capabilities, DesiredModelApi, ModelApiId, ModelApiVersion, ModelApis,
};
use domino_core::api::projects::Project;
use domino_core::client::{Reader, Writer, Written, write_once};
use domino_core::error::{CommandError, Context as _, Exit, Result};
use domino_core::wait::Poll;

use crate::watch::EndpointWatch;

/// How long it may take until a new version is listed.
const LISTED: Duration = Duration::from_secs(60);

/// Creates the endpoint.
pub(crate) async fn endpoint(
    reader: &Reader,
    writer: &ModelApis<Writer>,
    project: &Project,
    desired: &DesiredModelApi,
) -> Result<Written<ModelApiId>> {
    let written = write_once(
        reader.delay_scale(),
        async || writer.create(desired).await,
        async || {
            let apis = reader.find_model_apis(project).await?;
            let made = apis.all.into_iter().find(|api| api.name == desired.name);
            Ok(made.map(|api| api.id))
        },
    )
    .await?;
    Ok(written)
}

/// The first version of an endpoint that was just created.
pub(crate) async fn first_version(
    watch: &EndpointWatch<'_>,
    desired: &DesiredModelApi,
) -> Result<ModelApiVersion> {
    listed(watch, &[], desired).await
}

/// Creates a version and deploys it. `known` are the versions that existed before.
pub(crate) async fn version(
    watch: &EndpointWatch<'_>,
    writer: &ModelApis<Writer>,
    desired: &DesiredModelApi,
    known: &[ModelApiVersion],
) -> Result<Written<ModelApiVersion>> {
    let written = write_once(
        watch.reader.delay_scale(),
        async || writer.create_version(&watch.id, desired).await,
        async || {
            let versions = watch.apis.versions(&watch.id).await?;
            let made = newly_made(versions, known, desired, watch.apis.capabilities());
            Ok(made.map(Some))
        },
    )
    .await?;
    Ok(match written {
        Written::Replied(Some(version)) => Written::Replied(version),
        Written::Recovered(Some(version)) => Written::Recovered(version),
        Written::Replied(None) | Written::Recovered(None) => {
            Written::Replied(listed(watch, known, desired).await?)
        }
    })
}

async fn listed(
    watch: &EndpointWatch<'_>,
    known: &[ModelApiVersion],
    desired: &DesiredModelApi,
) -> Result<ModelApiVersion> {
    let mut poll = Poll::until(LISTED, watch.reader.delay_scale());
    loop {
        let versions = watch
            .apis
            .versions(&watch.id)
            .await
            .context("the new version was made, but cannot be read")?;
        if let Some(version) = newly_made(versions, known, desired, watch.apis.capabilities()) {
            return Ok(version);
        }
        if !poll.next().await {
            return Err(CommandError::new(
                Exit::Unreachable,
                format!(
                    "Domino made a new version of endpoint `{}`, but does not list it",
                    desired.name
                ),
            )
            .hint("look at the endpoint in Domino; run this again to follow what is there"));
        }
    }
}

/// The version that was just created: one with exactly its description that did not exist before. The older routes
/// have one description for an endpoint and its first version, and may not repeat any: there a version without a
/// description matches as well.
fn newly_made(
    versions: Vec<ModelApiVersion>,
    known: &[ModelApiVersion],
    desired: &DesiredModelApi,
    can: Capabilities,
) -> Option<ModelApiVersion> {
    let (mine, others): (Vec<_>, Vec<_>) = versions
        .into_iter()
        .filter(|version| !known.iter().any(|known| known.id == version.id))
        .partition(|version| version.description.contains(&desired.version_description));
    let unnamed = others
        .into_iter()
        .find(|version| !can.tells_descriptions && version.description.is_empty());
    mine.into_iter().next().or(unnamed)
}

#[cfg(test)]
mod tests {
    use domino_core::api::environments::EnvironmentId;
    use domino_core::api::model_apis::{Generation, ModelApiSource, ModelApiVersionId};
    use domino_core::api::projects::ProjectId;

    use super::*;

    fn version(id: &str, description: &str) -> ModelApiVersion {
        ModelApiVersion {
            id: ModelApiVersionId::new(id),
            number: None,
            description: description.into(),
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
        }
    }

    fn made(
        versions: &[ModelApiVersion],
        known: &[ModelApiVersion],
        generation: Generation,
    ) -> Option<String> {
        let desired = DesiredModelApi {
            name: "wine-dev".into(),
            description: String::new(),
            project_id: ProjectId::new("p"),
            environment_id: EnvironmentId::new("e"),
            hardware_tier_id: None,
            replicas: Some(1),
            environment_variables: Default::default(),
            source: ModelApiSource::Function {
                file: "f".into(),
                function: "g".into(),
            },
            version_description: "[mark]".into(),
            logs_requests: false,
            carried: Default::default(),
            carried_version: Default::default(),
        };
        newly_made(
            versions.to_vec(),
            known,
            &desired,
            generation.capabilities(),
        )
        .map(|made| made.id.to_string())
    }

    #[test]
    fn only_a_new_version_of_the_same_mark_is_taken_for_ours() {
        let old = version("v1", "[mark]");
        let new = version("v2", "[mark]");
        let other = version("v3", "somebody else's");
        let serving = Generation::ModelServing;
        let versions = [other.clone(), new.clone(), old.clone()];
        assert_eq!(
            made(&versions, std::slice::from_ref(&old), serving).unwrap(),
            "v2"
        );
        assert_eq!(made(&[other, old.clone()], &[old], serving), None);
    }

    #[test]
    fn the_older_routes_may_leave_the_mark_out() {
        let unnamed = version("v2", "");
        let versions = std::slice::from_ref(&unnamed);
        assert_eq!(made(versions, &[], Generation::Models).unwrap(), "v2");
        assert_eq!(made(versions, &[], Generation::ModelServing), None);
        let whole = version("v3", "Predicts [mark]");
        assert_eq!(
            made(&[unnamed, whole], &[], Generation::Models).unwrap(),
            "v3"
        );
    }
}
