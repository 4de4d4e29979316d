//! What people do to an endpoint on Domino's pages, for which no route is known: its routing mode, the version behind
//! the `prod` label, its collaborators, its bundle.

use anyhow::Context;

use super::role::Role;
use super::store::ModelApis;
use crate::users::Users;

/// What a person changes.
#[derive(Clone, Copy, Debug)]
pub enum EndpointChange<'a> {
    /// The routing mode: `basic` or `advanced`.
    Routing(&'a str),
    /// The number of the version that the label `prod` points to.
    Promoted(usize),
    /// From now on only collaborators see it; this user has the role, or none at all.
    Role(&'a str, Option<Role>),
    /// The bundle that governs it.
    Bundle(&'a str),
    /// The quota that it runs in.
    ResourceQuota(&'a str),
}

impl ModelApis {
    /// Changes an endpoint as a person does.
    pub(crate) fn change_by_hand(
        &self,
        users: &Users,
        endpoint: &str,
        change: EndpointChange<'_>,
    ) -> anyhow::Result<()> {
        let api = self.named(endpoint);
        let api = api.with_context(|| format!("there is no one endpoint `{endpoint}`"))?;
        let mut details = api.details.lock();
        details.modified = self.host.now();
        match change {
            EndpointChange::Routing(mode) => details.routing_mode = mode.to_owned(),
            EndpointChange::Promoted(number) => {
                anyhow::ensure!(
                    details
                        .versions
                        .iter()
                        .any(|version| version.number == number),
                    "endpoint `{endpoint}` has no version {number}"
                );
                details.promoted = Some(number);
            }
            EndpointChange::Role(name, role) => {
                let user = users.named(name);
                let user = user.with_context(|| format!("there is no user `{name}`"))?;
                details.is_private = true;
                details.collaborators.retain(|(id, _)| *id != user.id);
                if let Some(role) = role {
                    details.collaborators.push((user.id.clone(), role));
                }
            }
            EndpointChange::Bundle(id) => details.bundle_id = Some(id.to_owned()),
            EndpointChange::ResourceQuota(id) => {
                details.settings.resource_quota_id = Some(id.to_owned());
            }
        }
        Ok(())
    }
}
