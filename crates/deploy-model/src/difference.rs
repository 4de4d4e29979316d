//! What to do, from what exists and what is wanted. It sends no request.

use domino_core::api::model_apis::{
    Capabilities, Carried, Deployment, DeploymentStatus, DesiredModelApi, ModelApi, ModelApiSource,
    ModelApiVersion,
};
use domino_core::deployment_marker::{DeploymentMarker, EntityMarker, FoundMarker, Written};

use crate::endpoint::called;

/// An existing endpoint with its versions, newest first.
#[derive(Debug, Clone)]
pub(crate) struct ExistingEndpoint {
    pub(crate) api: ModelApi,
    pub(crate) versions: Vec<ModelApiVersion>,
}

/// What is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) desired: DesiredModelApi,
    pub(crate) marker: DeploymentMarker,
    /// The revision of the compute environment that a build takes today, if that is known.
    pub(crate) revision: Option<String>,
}

/// What to do.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    /// Nothing: this version serves, and is as wanted.
    Nothing(ModelApiVersion),
    /// Follow this version, which is as wanted and being deployed.
    Watch(ModelApiVersion),
    /// Create the endpoint.
    Create,
    /// Create a new version; first change the endpoint's own settings if they differ.
    Version {
        /// The reasons, one difference each.
        differences: Vec<String>,
        /// Whether the endpoint's own settings differ.
        settings: bool,
    },
}

impl ExistingEndpoint {
    /// The version that answers, according to Domino.
    pub(crate) fn active(&self) -> Option<&ModelApiVersion> {
        let active = self.api.active.as_ref()?;
        self.versions.iter().find(|version| version.id == active.id)
    }

    /// The status of a version. A list of versions may leave it out; for the version that answers, the endpoint has
    /// it.
    fn status_of(&self, version: &ModelApiVersion) -> Option<Deployment> {
        version.deployment.clone().or_else(|| {
            let active = self.api.active.as_ref()?;
            (active.id == version.id)
                .then(|| active.deployment.clone())
                .flatten()
        })
    }

    fn with_status(&self, version: &ModelApiVersion) -> ModelApiVersion {
        ModelApiVersion {
            deployment: self.status_of(version),
            ..version.clone()
        }
    }

    /// The marker of a version; if the only version has none, that of the endpoint, where the older routes keep it.
    pub(crate) fn mark_of(
        &self,
        version: &ModelApiVersion,
        model: &EntityMarker,
    ) -> Option<FoundMarker> {
        let description = &self.api.description;
        FoundMarker::of(version, description, model).or_else(|| {
            (self.versions.len() == 1)
                .then(|| FoundMarker::in_text(description, model))
                .flatten()
        })
    }

    /// The version whose settings the next one takes over: the one that answers, otherwise the newest.
    pub(crate) fn base(&self) -> Option<&ModelApiVersion> {
        self.active().or_else(|| self.versions.first())
    }

    /// Whether we wrote this to the endpoint: according to the newest marker, or that of the version that answers,
    /// whose settings are restored when a newer one fails.
    pub(crate) fn is_written(
        &self,
        model: &EntityMarker,
        is_it: impl Fn(&Written) -> bool,
    ) -> bool {
        let of_active = || self.mark_of(self.active()?, model)?.written;
        self.last_written(model).is_some_and(|last| is_it(&last))
            || of_active().is_some_and(|written| is_it(&written))
    }

    /// What we last wrote to the endpoint itself, according to our newest marker that says so.
    pub(crate) fn last_written(&self, model: &EntityMarker) -> Option<Written> {
        let mut versions = self.versions.iter();
        versions.find_map(|version| self.mark_of(version, model)?.written)
    }

    /// Whether somebody stopped it: the version that answers is stopped, and nothing newer runs or is being deployed.
    /// Nothing here stops a version, and one that was replaced does not answer.
    pub(crate) fn is_stopped(&self) -> bool {
        let is_stopped = |deployment: Option<&Deployment>| {
            deployment.is_some_and(|told| told.status == DeploymentStatus::Stopped)
        };
        let Some(newest) = self.versions.first() else {
            return false;
        };
        let active = self.api.active.as_ref();
        let newest_goes_on = active.is_none_or(|active| active.id != newest.id)
            && newest.deployment.as_ref().is_some_and(|told| {
                told.status == DeploymentStatus::Running || is_on_its_way(Some(told))
            });
        match active {
            Some(active) => is_stopped(active.deployment.as_ref()) && !newest_goes_on,
            None => is_stopped(newest.deployment.as_ref()),
        }
    }

    /// The version that serves again if this one fails: the one that still answers, otherwise the one that did when
    /// the workflow run of this marker created the version.
    pub(crate) fn previous_version(
        &self,
        version: &ModelApiVersion,
        marker: &DeploymentMarker,
    ) -> Option<&ModelApiVersion> {
        let active = self.active()?;
        if active.id != version.id {
            return Some(active);
        }
        let made = self.mark_of(version, &marker.of)?;
        if made.workflow_run.is_none() || made.workflow_run != marker.workflow_run {
            return None;
        }
        let after = made.after?;
        self.versions
            .iter()
            .find(|earlier| earlier.id != version.id && earlier.number == Some(after))
    }

    fn is_made_from(&self, version: &ModelApiVersion, wanted: &Wanted) -> bool {
        self.mark_of(version, &wanted.marker.of)
            .is_some_and(|marker| Some(marker.state) == wanted.marker.state)
    }
}

/// What to do. The environment variables are compared elsewhere: they cannot be changed at all.
pub(crate) fn work(
    can: Capabilities,
    existing: Option<&ExistingEndpoint>,
    wanted: &Wanted,
) -> Work {
    let Some(existing) = existing else {
        return Work::Create;
    };
    let settings = settings_differ(can, &existing.api, &wanted.desired);
    let newest = existing
        .versions
        .first()
        .filter(|newest| existing.is_made_from(newest, wanted) && settings.is_empty());
    if let Some(newest) = newest {
        let status = existing.status_of(newest);
        // If nothing tells which version answers, the newest one does if it runs.
        let is_reported = existing.api.active.is_some() || can.tells_active_version;
        let is_active = existing
            .api
            .active
            .as_ref()
            .is_some_and(|active| active.id == newest.id);
        let runs = status.as_ref().is_some_and(Deployment::is_running);
        if runs && (is_active || !is_reported) && version_differs(Some(newest), wanted).is_empty() {
            return Work::Nothing(existing.with_status(newest));
        }
        if is_on_its_way(status.as_ref()) && monitoring_differs(newest, wanted).is_none() {
            return Work::Watch(existing.with_status(newest));
        }
    }
    let active = existing.active();
    let mut differences = version_differs(active, wanted);
    differences.extend(settings.iter().cloned());
    if differences.is_empty() {
        differences.push(reason_for_new_version(existing, active, wanted));
    }
    Work::Version {
        differences,
        settings: !settings.is_empty(),
    }
}

/// A version that is not known to be up, down or in trouble is being deployed.
fn is_on_its_way(status: Option<&Deployment>) -> bool {
    status.is_none_or(|deployment| {
        deployment.is_pending
            && !matches!(
                deployment.status,
                DeploymentStatus::Failed | DeploymentStatus::Stopped
            )
            || matches!(
                deployment.status,
                DeploymentStatus::PreparingToBuild
                    | DeploymentStatus::Building
                    | DeploymentStatus::ReadyToRun
                    | DeploymentStatus::Starting
                    | DeploymentStatus::Unknown(_)
            )
    })
}

/// The settings of the endpoint itself that are not as wanted. The older routes do not report them.
pub(crate) fn settings_differ(
    can: Capabilities,
    api: &ModelApi,
    desired: &DesiredModelApi,
) -> Vec<String> {
    let mut differences = Vec::new();
    if !can.tells_settings {
        return differences;
    }
    let mut differ = |what: &str, existing: Option<&str>, wanted: &str| {
        let existing = existing.unwrap_or("none");
        if existing != wanted {
            differences.push(format!("{what}: `{existing}` → `{wanted}`"));
        }
    };
    differ(
        "environment",
        api.environment_id.as_ref().map(|id| id.as_str()),
        desired.environment_id.as_str(),
    );
    if let Some(tier) = &desired.hardware_tier_id {
        let existing = api.hardware_tier_id.as_ref().map(|id| id.as_str());
        differ("hardware tier", existing, tier.as_str());
    }
    if let Some(wanted) = desired.replicas {
        let existing = api.replicas.map(|replicas| replicas.to_string());
        differ("replicas", existing.as_deref(), &wanted.to_string());
    }
    differ("description", Some(&api.description), &desired.description);
    differences
}

/// The properties of a version that are not as wanted, as far as Domino reports them.
fn version_differs(version: Option<&ModelApiVersion>, wanted: &Wanted) -> Vec<String> {
    let Some(version) = version else {
        return vec![format!("serves: nothing → {}", wanted.desired.source)];
    };
    let mut differences = Vec::new();
    let desired = &wanted.desired;
    match &version.source {
        Some(source) if *source != desired.source => {
            differences.push(format!("serves: {source} → {}", desired.source));
        }
        _ => {}
    }
    if let Some(logs) = version
        .logs_requests
        .filter(|logs| *logs != desired.logs_requests)
    {
        differences.push(format!("log requests: {logs} → {}", desired.logs_requests));
    }
    differences.extend(monitoring_differs(version, wanted));
    if let (Some(existing), Some(now)) = (&version.environment_revision_id, &wanted.revision)
        && existing != now
    {
        differences.push(format!("environment revision: `{existing}` → `{now}`"));
    }
    differences
}

/// How the monitoring of the version differs from the wanted one, in words.
fn monitoring_differs(version: &ModelApiVersion, wanted: &Wanted) -> Option<String> {
    let told = |fields: &Carried| {
        fields
            .get("monitoringEnabled")
            .and_then(|value| value.as_bool())
    };
    let (is, shall) = (
        told(&version.carried)?,
        told(&wanted.desired.carried_version)?,
    );
    (is != shall).then(|| format!("monitoring: {is} → {shall}"))
}

/// Why a new version is created although nothing that can be read differs.
fn reason_for_new_version(
    existing: &ExistingEndpoint,
    active: Option<&ModelApiVersion>,
    wanted: &Wanted,
) -> String {
    let Some(active) = active else {
        return format!("serves: nothing → {}", wanted.desired.source);
    };
    let name = called(active.number, &active.id);
    let status = existing.status_of(active);
    if !status.as_ref().is_some_and(Deployment::is_running) {
        return format!(
            "{name} is `{}`",
            crate::endpoint::status_text(status.as_ref())
        );
    }
    let commit = &wanted.marker.commit;
    match existing.mark_of(active, &wanted.marker.of) {
        None => format!("{name} was not made by this program, so that not all of it is known"),
        Some(marker)
            if matches!(wanted.desired.source, ModelApiSource::Function { .. })
                && !commit.as_str().starts_with(&marker.commit) =>
        {
            format!("commit: {} → {}", marker.commit, commit.short())
        }
        Some(_) => format!("{name} was made from other settings in stages.toml"),
    }
}

#[cfg(test)]
mod tests;
