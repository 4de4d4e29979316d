//! External volumes: storage that a run may mount. Nothing is mounted here; which volumes there are, and which run asked
//! for which, is Domino's bookkeeping.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::data_planes::DataPlanes;
use crate::id;
use crate::projects::Projects;
use crate::reply::{Answer, Failure};
use crate::request::{Id, Of};
use crate::seed::Seed;
use crate::users::Caller;

/// One volume. Every project may use it, on every data plane.
#[derive(Debug)]
pub(crate) struct ExternalVolume {
    pub(crate) id: String,
    pub(crate) name: String,
}

pub(crate) struct ExternalVolumes {
    all: Vec<Arc<ExternalVolume>>,
    data_planes: Arc<DataPlanes>,
    projects: Arc<Projects>,
}

pub(crate) fn routes(volumes: Arc<ExternalVolumes>) -> Router {
    Router::new()
        .route("/v4/datamount/projects/{project_id}", get(of_project))
        .with_state(volumes)
}

impl ExternalVolume {
    /// Where a run would find it.
    pub(crate) fn mount(&self) -> Value {
        json!({ "mountPath": self.mount_path(), "readOnly": false })
    }

    fn mount_path(&self) -> String {
        format!("/mnt/{}", self.name)
    }
}

impl ExternalVolumes {
    pub(crate) fn new(seed: &Seed, data_planes: Arc<DataPlanes>, projects: Arc<Projects>) -> Self {
        let volume = |name: &String| {
            let id = match id::is_object_id(name) {
                true => name.clone(),
                false => id::object_id(),
            };
            let name = name.clone();
            Arc::new(ExternalVolume { id, name })
        };
        ExternalVolumes {
            all: seed.external_volumes.iter().map(volume).collect(),
            data_planes,
            projects,
        }
    }

    /// The volume that a run asks for by its id.
    pub(crate) fn for_run(&self, id: &str) -> Result<Arc<ExternalVolume>, Failure> {
        let volume = self.all.iter().find(|volume| volume.id == id);
        volume.cloned().ok_or_else(|| {
            Failure::bad_request(format!("External volume mount {id} does not exist"))
        })
    }

    pub(crate) fn state(&self) -> Value {
        self.all.iter().map(|volume| self.v4(volume, &[])).collect()
    }

    fn v4(&self, volume: &ExternalVolume, projects: &[&str]) -> Value {
        json!({
            "id": volume.id,
            "name": volume.name,
            "volumeType": "Nfs",
            "pvcName": volume.name,
            "pvId": volume.id,
            "mountPath": volume.mount_path(),
            "users": [],
            "projects": projects,
            "readOnly": false,
            "isPublic": true,
            "isRegistered": true,
            "dataPlanes": self.data_planes.state(),
        })
    }
}

async fn of_project(
    State(volumes): Of<ExternalVolumes>,
    Caller(user): Caller,
    Path(project_id): Id,
) -> Answer {
    let project = volumes.projects.seen_by(&user, &project_id)?;
    let all = volumes.all.iter();
    Ok(Json(
        all.map(|volume| volumes.v4(volume, &[&project.id]))
            .collect(),
    ))
}
