//! Whether the version that serves is what was requested. Domino ignores a field with a wrong name, so only the
//! result of a request proves anything.

use domino_core::api::hardware_tiers::HardwareTier;
use domino_core::api::model_apis::{
    Carried, ModelApi, ModelApiId, ModelApiSource, ModelApiVersion, ModelApiVersionId,
};
use domino_core::client::Reader;
use domino_core::commit::Commit;

use crate::difference::Wanted;

/// What is known about the commit that a function was built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Built {
    /// A registered model: the repository's commit plays no part.
    NotApplicable,
    /// From the requested commit.
    Requested,
    /// From another commit.
    Other(String),
    /// Domino does not tell a commit that can be compared.
    Unknown,
}

impl Built {
    /// Asks what a version was built from.
    pub(crate) async fn ask(
        reader: &Reader,
        wanted: &Wanted,
        id: &ModelApiId,
        version: &ModelApiVersion,
    ) -> Self {
        let source = &wanted.desired.source;
        let git = match source {
            ModelApiSource::Registered { .. } => None,
            ModelApiSource::Function { .. } => git_commit(reader, id, &version.id).await,
        };
        built(source, version, git.as_deref(), &wanted.marker.commit)
    }
}

/// The commit of the repository that a version was built from. If it cannot be read, it is unknown.
pub(crate) async fn git_commit(
    reader: &Reader,
    id: &ModelApiId,
    version: &ModelApiVersionId,
) -> Option<String> {
    reader.model_git_commit(id, version).await.unwrap_or(None)
}

/// The commit that a version was built from. `git` is that of the main repository, if Domino tells it. The version's
/// own id may be that of Domino's files, so it only says something if it is equal.
fn built(
    source: &ModelApiSource,
    version: &ModelApiVersion,
    git: Option<&str>,
    asked: &Commit,
) -> Built {
    if matches!(source, ModelApiSource::Registered { .. }) {
        return Built::NotApplicable;
    }
    let is_asked = |id: &str| id.eq_ignore_ascii_case(asked.as_str());
    match (git, version.commit_id.as_deref()) {
        (Some(git), _) if is_asked(git) => Built::Requested,
        (Some(git), _) => Built::Other(git.to_owned()),
        (None, Some(id)) if is_asked(id) => Built::Requested,
        (None, _) => Built::Unknown,
    }
}

/// Everything in endpoint and version that is not as wanted, in words.
pub(crate) fn mismatches(
    wanted: &Wanted,
    tier: Option<&HardwareTier>,
    api: &ModelApi,
    version: &ModelApiVersion,
    built: &Built,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let desired = &wanted.desired;
    if let Some(source) = version.source.as_ref().filter(|s| **s != desired.source) {
        wrong.push(format!("it serves {source} in place of {}", desired.source));
    }
    if let Built::Other(commit) = built {
        wrong.push(format!(
            "it was built from commit {commit} in place of {}",
            wanted.marker.commit
        ));
    }
    if let Some(environment) = api
        .environment_id
        .as_ref()
        .filter(|id| **id != desired.environment_id)
    {
        wrong.push(format!(
            "environment: `{environment}` in place of `{}`",
            desired.environment_id
        ));
    }
    if let (Some(wanted), Some(existing)) = (&desired.hardware_tier_id, &api.hardware_tier_id)
        && wanted != existing
    {
        wrong.push(format!(
            "hardware tier: `{existing}` in place of `{wanted}`"
        ));
    }
    if let Some(replicas) = api
        .replicas
        .filter(|existing| desired.replicas.is_some_and(|wanted| wanted != *existing))
    {
        wrong.push(format!(
            "replicas: {replicas} in place of {}",
            desired.replicas.unwrap_or_default()
        ));
    }
    let plane = tier.and_then(|tier| tier.data_plane.as_ref());
    if let (Some(plane), Some(existing)) = (plane, &version.data_plane_id)
        && plane.id != *existing
    {
        wrong.push(format!(
            "data plane: `{existing}` in place of `{}`",
            plane.id
        ));
    }
    if let Some(true) = version
        .logs_requests
        .filter(|logs| *logs != desired.logs_requests)
    {
        wrong.push("Domino logs requests and replies, which was not asked for".into());
    }
    let is_monitored = |fields: &Carried| fields.get("monitoringEnabled").and_then(|v| v.as_bool());
    if is_monitored(&desired.carried_version) == Some(true)
        && is_monitored(&version.carried) == Some(false)
    {
        wrong.push("Domino does not monitor it, which was asked for".into());
    }
    wrong
}

#[cfg(test)]
mod tests {
    use domino_core::api::hardware_tiers::{DataPlane, HardwareTierId};
    use domino_core::api::registered_models::VersionNumber;
    use domino_core::deployment_marker::{DeploymentMarker, EntityMarker};

    use super::*;

    fn commit() -> Commit {
        Commit::whole(&"ab".repeat(20)).unwrap()
    }

    fn function() -> ModelApiSource {
        ModelApiSource::Function {
            file: "predict.py".into(),
            function: "predict".into(),
        }
    }

    fn registered(version: u64) -> ModelApiSource {
        ModelApiSource::Registered {
            name: "wine".into(),
            version: VersionNumber::new(version),
        }
    }

    fn version(source: ModelApiSource) -> ModelApiVersion {
        ModelApiVersion {
            id: ModelApiVersionId::new("v1"),
            number: Some(1),
            description: String::new(),
            source: Some(source),
            commit_id: Some("cd".repeat(20)),
            environment_revision_id: None,
            data_plane_id: Some("dp1".into()),
            logs_requests: Some(false),
            deployment: None,
            created: None,
            created_by: None,
            labels: Vec::new(),
            carried: Default::default(),
        }
    }

    fn wanted(source: ModelApiSource) -> Wanted {
        Wanted {
            desired: desired(source),
            marker: DeploymentMarker {
                of: EntityMarker::new("dev", "wine"),
                version: None,
                commit: commit(),
                workflow_run: None,
                after: None,
                state: Some("0".into()),
                written: None,
                hold: None,
            },
            revision: None,
        }
    }

    fn desired(source: ModelApiSource) -> domino_core::api::model_apis::DesiredModelApi {
        domino_core::api::model_apis::DesiredModelApi {
            name: "wine-dev".into(),
            description: String::new(),
            project_id: domino_core::api::projects::ProjectId::new("p"),
            environment_id: domino_core::api::environments::EnvironmentId::new("e1"),
            hardware_tier_id: Some(HardwareTierId::new("t1")),
            replicas: Some(2),
            environment_variables: Default::default(),
            source,
            version_description: String::new(),
            logs_requests: false,
            carried: Default::default(),
            carried_version: Default::default(),
        }
    }

    fn api() -> ModelApi {
        ModelApi {
            id: ModelApiId::new("m"),
            name: "wine-dev".into(),
            description: String::new(),
            environment_id: Some(domino_core::api::environments::EnvironmentId::new("e1")),
            hardware_tier_id: Some(HardwareTierId::new("t1")),
            replicas: Some(2),
            is_public: None,
            is_async: None,
            routing_mode: None,
            bundle: None,
            created_by: None,
            carried: Default::default(),
            active: None,
        }
    }

    fn tier() -> HardwareTier {
        HardwareTier {
            id: HardwareTierId::new("t1"),
            name: "small".into(),
            archived: false,
            data_plane: Some(DataPlane {
                id: "dp1".into(),
                name: "dev-plane".into(),
                is_healthy: true,
            }),
        }
    }

    #[test]
    fn a_commit_is_compared_only_where_it_can_be() {
        let other = version(function());
        let mut same = version(function());
        same.commit_id = Some(commit().as_str().to_uppercase());
        let built = |source: ModelApiSource, version: &ModelApiVersion, git: Option<&str>| {
            built(&source, version, git, &commit())
        };
        assert_eq!(built(registered(7), &other, None), Built::NotApplicable);
        assert_eq!(built(function(), &same, None), Built::Requested);
        assert_eq!(built(function(), &other, None), Built::Unknown);
        assert_eq!(
            built(function(), &other, Some(commit().as_str())),
            Built::Requested
        );
        assert_eq!(
            built(function(), &same, Some("e0")),
            Built::Other("e0".into())
        );
    }

    #[test]
    fn nothing_is_wrong_with_what_was_asked_for_or_is_not_told() {
        let mut api = api();
        let as_asked = version(registered(7));
        let wrong = |api: &ModelApi| {
            mismatches(
                &wanted(registered(7)),
                Some(&tier()),
                api,
                &as_asked,
                &Built::NotApplicable,
            )
        };
        assert_eq!(wrong(&api), [""; 0]);
        api.environment_id = None;
        api.hardware_tier_id = None;
        api.replicas = None;
        assert_eq!(wrong(&api), [""; 0]);
    }

    #[test]
    fn everything_that_is_not_as_asked_is_named() {
        let mut api = api();
        api.hardware_tier_id = Some(HardwareTierId::new("t2"));
        api.replicas = Some(1);
        let mut other = version(registered(6));
        other.data_plane_id = Some("dp2".into());
        other.logs_requests = Some(true);
        let wrong = mismatches(
            &wanted(registered(7)),
            Some(&tier()),
            &api,
            &other,
            &Built::Other("e0".into()),
        );
        assert_eq!(
            wrong,
            [
                "it serves version 6 of `wine` in place of version 7 of `wine`".to_owned(),
                format!("it was built from commit e0 in place of {}", commit()),
                "hardware tier: `t2` in place of `t1`".to_owned(),
                "replicas: 1 in place of 2".to_owned(),
                "data plane: `dp2` in place of `dp1`".to_owned(),
                "Domino logs requests and replies, which was not asked for".to_owned(),
            ]
        );
    }
}
