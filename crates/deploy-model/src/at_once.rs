//! Two publishes of one model at the same moment, neither of which saw the other. Of two endpoints the first in
//! Domino's own order stays; the other step removes its own and follows that one. Of two versions the later one
//! serves, as Domino does it, and the other step follows it.

use std::time::Duration;

use domino_core::api::model_apis::{DeploymentStatus, ModelApi, ModelApiId, ModelApiVersion};
use domino_core::client::ApiError;
use domino_core::deployment_marker::FoundMarker;
use domino_core::error::{CommandError, Exit, Result};
use domino_core::step::Step;
use domino_core::wait::{Poll, Rechecks};

use crate::endpoint::name_of;
use crate::publish::Publish;
use crate::watch::EndpointWatch;

/// How long it may take until the version of another endpoint is listed.
const LISTED_WITHIN: Duration = Duration::from_secs(60);
/// How long Domino may take to tell that a later version serves, if ours was stopped.
const SHOWN_WITHIN: Duration = Duration::from_secs(10);

/// An endpoint of the same name that another step has created.
#[derive(Debug)]
pub(crate) struct Other {
    api: ModelApi,
    /// When its first version was created, in epoch milliseconds, if that decides who was first: ids of one second
    /// have no order.
    created: Option<i64>,
}

impl Other {
    fn order(&self) -> (Option<i64>, String) {
        (self.created, self.api.id.to_string())
    }
}

impl Publish<'_> {
    /// The other endpoints of the same name that have not been rolled back.
    pub(crate) async fn others(&self, ours: &ModelApiId) -> Result<Vec<Other>, ApiError> {
        let endpoint = &self.planned.endpoint;
        let named = endpoint
            .apis
            .named(&endpoint.project, &endpoint.name)
            .await?;
        let mut others = Vec::new();
        for api in named.into_iter().filter(|api| api.id != *ours) {
            let created = match endpoint.apis.capabilities().archives {
                true => None,
                // An endpoint that cannot be deleted is stopped.
                false => {
                    let versions = endpoint.apis.versions(&api.id).await?;
                    if !versions.is_empty() && versions.iter().all(is_stopped) {
                        continue;
                    }
                    versions.last().and_then(|version| version.created)
                }
            };
            others.push(Other { api, created });
        }
        Ok(others)
    }

    /// What to watch after we have created an endpoint and seen `others`: ours, if it is the first, otherwise that of
    /// the step that was first.
    pub(crate) async fn first_of_several<'a>(
        &'a self,
        step: &mut Step,
        ours: (EndpointWatch<'a>, ModelApiVersion),
        mut others: Vec<Other>,
    ) -> Result<(EndpointWatch<'a>, ModelApiVersion)> {
        let id = ours.0.id.clone();
        let archives = self.planned.endpoint.apis.capabilities().archives;
        let created = ours.1.created.filter(|_| !archives);
        let mut looks = Rechecks::begin(ours.0.reader.delay_scale());
        loop {
            let first = others.iter().min_by_key(|other| other.order());
            let Some(other) = first else { break };
            let is_second = other.order() < (created, id.to_string());
            // If nothing can be deleted, whoever created later has seen the other. Its build may continue for long
            // after it was told to stop, so there is nothing to wait for.
            if !is_second && !archives {
                break;
            }
            // An endpoint that was listed before ours existed does not know about it, and stays.
            if is_second || looks.are_over() {
                self.take_back(step, &id, &ours.1, &other.api).await?;
                return self.follow(&other.api).await;
            }
            looks.pause().await;
            others = self.others(&id).await?;
        }
        Ok(ours)
    }

    async fn take_back(
        &self,
        step: &mut Step,
        id: &ModelApiId,
        version: &ModelApiVersion,
        other: &ModelApi,
    ) -> Result<()> {
        let endpoint = &self.planned.endpoint;
        let name = &endpoint.name;
        let first = format!(
            "another step was first to create endpoint `{name}`: it is `{}`",
            other.id
        );
        if !endpoint.apis.capabilities().archives {
            self.writer.stop_version(id, &version.id).await?;
            let text = format!("{first}; ours, `{id}`, was stopped, and this API cannot delete it");
            step.warn(&text, None);
            return Ok(());
        }
        let archived = self.writer.archive(id).await;
        let left = endpoint.apis.named(&endpoint.project, name).await?;
        if left.iter().any(|api| api.id == *id) {
            archived?;
            let text = format!(
                "Domino answered the deletion of endpoint `{id}` as done, and still lists it"
            );
            return Err(CommandError::refused(text).hint("archive it in Domino"));
        }
        step.warn(&format!("{first}, and ours was deleted again"), None);
        Ok(())
    }

    /// The endpoint of the step that was first, if it is for the same state as ours.
    async fn follow(&self, other: &ModelApi) -> Result<(EndpointWatch<'_>, ModelApiVersion)> {
        let watch = self.watch(&other.id);
        let mut poll = Poll::until(LISTED_WITHIN, watch.reader.delay_scale());
        let version = loop {
            let versions = watch.apis.versions(&watch.id).await?;
            match versions.into_iter().next() {
                None if poll.next().await => {}
                newest => break newest,
            }
        };
        match version {
            Some(version) if self.is_for_the_same(other, &version) => Ok((watch, version)),
            _ => Err(CommandError::refused(format!(
                "endpoint `{}` was created for something else at the same moment",
                self.planned.endpoint.name
            ))
            .hint("run this again once that step is over: it will see what serves")),
        }
    }

    /// Whether a version was created for exactly the same state.
    fn is_for_the_same(&self, api: &ModelApi, version: &ModelApiVersion) -> bool {
        let marker = &self.planned.wanted.marker;
        FoundMarker::of(version, &api.description, &marker.of)
            .is_some_and(|found| Some(found.state) == marker.state)
    }

    /// The version to continue with after ours ended like this: a later one that another step has created for the
    /// same state. If that one is for something else, it stays, and the error says so; any other error stays
    /// unchanged.
    pub(crate) async fn in_place_of(
        &self,
        step: &mut Step,
        watch: &EndpointWatch<'_>,
        ours: &ModelApiVersion,
        error: CommandError,
    ) -> Result<ModelApiVersion> {
        if self.went_back.get() || !matches!(error.exit(), Exit::Failed | Exit::Unsettled) {
            return Err(error);
        }
        let Ok(Some((api, later))) = self.later(watch, ours).await else {
            return Err(error);
        };
        step.report.excerpt = None;
        step.report.next = None;
        let (ours, name) = (name_of(ours), name_of(&later));
        if !self.is_for_the_same(&api, &later) {
            let endpoint = &self.planned.endpoint.name;
            return Err(CommandError::refused(format!(
                "overtaken by {name} of endpoint `{endpoint}`, which another step has published meanwhile: it serves \
                 in place of {ours}, and stays"
            ))
            .hint("run this again to publish this in its place: it will see what serves"));
        }
        let text = format!("another step has made {name} for the same, in place of {ours}");
        step.warn(&text, None);
        Ok(later)
    }

    /// The version that serves in place of ours because it was created later.
    pub(crate) async fn later(
        &self,
        watch: &EndpointWatch<'_>,
        ours: &ModelApiVersion,
    ) -> Result<Option<(ModelApi, ModelApiVersion)>> {
        let mut poll = Poll::until(SHOWN_WITHIN, watch.reader.delay_scale());
        loop {
            let api = watch.apis.model_api(watch.project, &watch.id).await?;
            let Some(api) = api else { return Ok(None) };
            let active = api.active.as_ref().filter(|active| active.id != ours.id);
            if let Some(active) = active {
                // An older version that was rolled back to is not a later one.
                if active.number <= ours.number {
                    return Ok(None);
                }
                let versions = watch.apis.versions(&watch.id).await?;
                let later = versions.into_iter().find(|later| later.id == active.id);
                return Ok(later.map(|later| (api, later)));
            }
            // Domino tells late which version serves, and only a version that replaced ours has stopped it.
            let now = watch.apis.version(&watch.id, &ours.id).await?;
            if !now.as_ref().is_some_and(is_stopped) || !poll.next().await {
                return Ok(None);
            }
        }
    }
}

fn is_stopped(version: &ModelApiVersion) -> bool {
    let deployment = version.deployment.as_ref();
    deployment.is_some_and(|told| told.status == DeploymentStatus::Stopped)
}
