//! Data planes: where runs run. Nobody chooses one directly, only through the hardware
//! tier that belongs to it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::id;
use crate::reply::{Answer, Failure};
use crate::request::{Id, Of};
use crate::seed::Seed;
use crate::users::Caller;

/// One data plane; the first of every sandbox is its local one.
#[derive(Debug)]
pub(crate) struct DataPlane {
    pub(crate) id: String,
    pub(crate) name: String,
    is_local: bool,
}

pub(crate) struct DataPlanes(Vec<Arc<DataPlane>>);

pub(crate) fn routes(data_planes: Arc<DataPlanes>) -> Router {
    Router::new()
        .route("/v4/dataplanes/dataplanes", get(list))
        .route("/v4/dataplanes/dataplanes/{id}", get(one))
        .with_state(data_planes)
}

impl DataPlane {
    /// The id as a hardware tier names it: a tier of the local plane names none.
    pub(crate) fn id_on_tier(&self) -> Option<&str> {
        (!self.is_local).then_some(self.id.as_str())
    }

    pub(crate) fn v4(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "namespace": "domino-compute",
            "isLocal": self.is_local,
            "configuration": {},
            "status": {
                "state": "Healthy",
                "message": "",
                "agentVersion": "1.0.0",
                "catalogVersion": "1.0.0",
                "requiresUpgrade": false,
                "supportsUpgrade": false,
            },
            "isHealthy": true,
            "isArchived": false,
            "isFileSyncDisabled": false,
            "isLocked": false,
        })
    }
}

impl DataPlanes {
    pub(crate) fn new(seed: &Seed) -> Self {
        let plane = |name: &str, is_local| {
            Arc::new(DataPlane {
                id: id::object_id(),
                name: name.to_owned(),
                is_local,
            })
        };
        let local = std::iter::once(plane("Local", true));
        let others = seed.data_planes.iter().map(|name| plane(name, false));
        DataPlanes(local.chain(others).collect())
    }

    /// The plane of this name, or the local one.
    pub(crate) fn named(&self, name: Option<&str>) -> &Arc<DataPlane> {
        let named = |plane: &&Arc<DataPlane>| Some(plane.name.as_str()) == name;
        self.0.iter().find(named).unwrap_or(&self.0[0])
    }

    /// The names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|plane| plane.name.as_str())
    }

    pub(crate) fn state(&self) -> Value {
        self.0.iter().map(|plane| plane.v4()).collect()
    }
}

fn for_admins(user: &Caller) -> Result<(), Failure> {
    if user.0.is_admin() {
        return Ok(());
    }
    Err(Failure::forbidden(
        "The current user is not authorized to view data planes",
    ))
}

async fn list(State(data_planes): Of<DataPlanes>, caller: Caller) -> Answer {
    for_admins(&caller)?;
    Ok(Json(data_planes.state()))
}

async fn one(State(data_planes): Of<DataPlanes>, caller: Caller, Path(id): Id) -> Answer {
    for_admins(&caller)?;
    let plane = data_planes.0.iter().find(|plane| plane.id == id);
    plane
        .map(|plane| Json(plane.v4()))
        .ok_or_else(|| Failure::not_found(format!("Data plane {id} was not found")))
}
