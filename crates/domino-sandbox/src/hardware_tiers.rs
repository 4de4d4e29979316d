//! Hardware tiers: the resources of a run, and so its data plane. Model APIs have tiers of their own. Names need not
//! be unique; ids are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::clock::Moment;
use crate::data_planes::{DataPlane, DataPlanes};
use crate::projects::Projects;
use crate::reply::{Answer, Failure, Put, binary_forbidden, wrapped};
use crate::request::{Fields, Id, Of, Parameters};
use crate::seed::Seed;
use crate::users::Caller;

#[derive(Debug)]
pub(crate) struct HardwareTier {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data_plane: Arc<DataPlane>,
    is_archived: AtomicBool,
    pub(crate) is_model_api_tier: bool,
    is_default: bool,
    created: Moment,
}

/// Every hardware tier, with the projects whose members may list them.
pub(crate) struct HardwareTiers {
    all: Vec<Arc<HardwareTier>>,
    projects: Arc<Projects>,
}

pub(crate) fn routes(tiers: Arc<HardwareTiers>) -> Router {
    Router::new()
        .route("/v4/projects/{project_id}/hardwareTiers", get(of_project))
        .route("/v4/hardwareTier", get(v4_list))
        .route("/v4/hardwareTier/archive", post(archive))
        .route("/v4/hardwareTier/{id}", get(v4_one))
        .route("/api/hardwaretiers/v1/hardwaretiers", get(public_list))
        .route("/api/hardwaretiers/v1/hardwaretiers/{id}", get(public_one))
        .with_state(tiers)
}

impl HardwareTier {
    fn is_archived(&self) -> bool {
        self.is_archived.load(Ordering::Relaxed)
    }

    fn v4(&self) -> Value {
        let mut tier = json!({
            "id": self.id,
            "name": self.name,
            "hwtResources": {
                "cores": 1.0,
                "memory": { "value": 4, "unit": "GiB" },
                "allowSharedMemoryToExceedDefault": false,
            },
            "hwtFlags": {
                "isDefault": self.is_default,
                "isVisible": true,
                "isGlobal": true,
                "isArchived": self.is_archived(),
                "isFree": false,
                "isDataAnalystTier": false,
                "isAllowedDuringTrial": false,
                "isModelApiTier": self.is_model_api_tier,
                "isDefaultForModelApi": self.is_default && self.is_model_api_tier,
            },
            "clusterType": "Kubernetes",
            "centsPerMinute": 0.0,
            "creationTime": self.created.rfc3339(),
            "updateTime": self.created.rfc3339(),
            "podCustomization": {
                "additionalRequests": {},
                "additionalLimits": {},
                "additionalAnnotations": {},
                "additionalLabels": {},
                "hugepages": {},
                "capabilities": [],
            },
            "capacity": capacity(),
            "metadata": {},
        });
        tier.put("dataPlaneId", self.data_plane.id_on_tier());
        tier
    }

    fn public(&self) -> Value {
        let mut tier = json!({
            "id": self.id,
            "name": self.name,
            "resources": {
                "cores": 1.0,
                "memory": { "value": 4.0, "units": "GiB" },
                "allowSharedMemoryToExceedDefault": false,
            },
            "flags": {
                "isDefault": self.is_default,
                "isVisible": true,
                "isGlobal": true,
                "isArchived": self.is_archived(),
                "isDataAnalystTier": false,
                "isModelApiTier": self.is_model_api_tier,
                "isDefaultForModelApi": self.is_default && self.is_model_api_tier,
            },
            "centsPerMinute": 0.0,
            "creationTime": self.created.rfc3339(),
            "updateTime": self.created.rfc3339(),
            "podCustomization": {},
            "metadata": {},
        });
        tier.put("dataPlaneId", self.data_plane.id_on_tier());
        tier
    }

    /// The tier as the details of a run name it.
    pub(crate) fn of_run(&self) -> Value {
        json!({ "id": self.id, "name": self.name, "isArchived": self.is_archived() })
    }
}

/// The sandbox's machine always has room.
fn capacity() -> Value {
    json!({
        "currentNumberOfExecutors": 1,
        "maximumNumberOfExecutors": 10,
        "numberOfCurrentlyExecutingRuns": 0,
        "numberOfQueuedRuns": 0,
        "maximumConcurrentRuns": 10,
        "availableCapacityWithoutLaunching": 1,
        "maximumAvailableCapacity": 10,
        "capacityLevel": "CAN_EXECUTE_WITH_CURRENT_INSTANCES",
    })
}

impl HardwareTiers {
    /// The seed's tiers; the first of each kind is its default. A seed without a tier for jobs gets one, since every
    /// project has a default tier.
    pub(crate) fn new(
        seed: &Seed,
        data_planes: &DataPlanes,
        projects: Arc<Projects>,
        created: Moment,
    ) -> anyhow::Result<Self> {
        let mut tiers: Vec<HardwareTier> = Vec::new();
        for seeded in &seed.hardware_tiers {
            anyhow::ensure!(
                !tiers.iter().any(|tier| tier.id == seeded.id),
                "two hardware tiers of the seed have the id `{}`",
                seeded.id
            );
            let is_first = !tiers
                .iter()
                .any(|tier| tier.is_default && tier.is_model_api_tier == seeded.for_model_apis);
            tiers.push(HardwareTier {
                id: seeded.id.clone(),
                name: seeded.name.clone(),
                data_plane: data_planes.named(seeded.data_plane.as_deref()).clone(),
                is_archived: AtomicBool::new(seeded.archived),
                is_model_api_tier: seeded.for_model_apis,
                is_default: is_first && !seeded.archived,
                created,
            });
        }
        if !tiers
            .iter()
            .any(|tier| tier.is_default && !tier.is_model_api_tier)
        {
            tiers.push(HardwareTier {
                id: "default-k8s".to_owned(),
                name: "Default".to_owned(),
                data_plane: data_planes.named(None).clone(),
                is_archived: AtomicBool::new(false),
                is_model_api_tier: false,
                is_default: true,
                created,
            });
        }
        Ok(HardwareTiers {
            all: tiers.into_iter().map(Arc::new).collect(),
            projects,
        })
    }

    /// The default tier of jobs and apps.
    pub(crate) fn default_tier(&self) -> &Arc<HardwareTier> {
        let default = |tier: &&Arc<HardwareTier>| tier.is_default && !tier.is_model_api_tier;
        self.all.iter().find(default).unwrap_or(&self.all[0])
    }

    /// The id of the tier of runs with this id or name; the text itself where there is none.
    pub(crate) fn id_of(&self, tier: &str) -> String {
        let of_runs = || self.all.iter().filter(|known| !known.is_model_api_tier);
        let with_id = of_runs().find(|known| known.id == tier);
        let found = with_id.or_else(|| of_runs().find(|known| known.name == tier));
        found.map_or_else(|| tier.to_owned(), |known| known.id.clone())
    }

    pub(crate) fn with_id(&self, id: &str) -> Option<&Arc<HardwareTier>> {
        self.all.iter().find(|tier| tier.id == id)
    }

    /// The tier that a run asks for by its id, or the default one. A name is no id.
    pub(crate) fn for_run(&self, id: Option<&str>) -> Result<&Arc<HardwareTier>, Failure> {
        let Some(id) = id else {
            return Ok(self.default_tier());
        };
        let tier = self.unarchived(id)?;
        match tier.is_model_api_tier {
            true => Err(Failure::bad_request(format!(
                "Hardware tier '{}' is for model APIs only",
                tier.name
            ))),
            false => Ok(tier),
        }
    }

    /// The tier that a model API asks for by its id, or the default one for model APIs, if there is any. A tier for
    /// jobs does not work for a model API.
    pub(crate) fn for_model_api(
        &self,
        id: Option<&str>,
    ) -> Result<Option<&Arc<HardwareTier>>, Failure> {
        let Some(id) = id else {
            let default = |tier: &&Arc<HardwareTier>| tier.is_default && tier.is_model_api_tier;
            return Ok(self.all.iter().find(default));
        };
        let tier = self.unarchived(id)?;
        match tier.is_model_api_tier {
            true => Ok(Some(tier)),
            false => Err(Failure::bad_request(format!(
                "Hardware tier '{}' is not for model APIs",
                tier.name
            ))),
        }
    }

    fn unarchived(&self, id: &str) -> Result<&Arc<HardwareTier>, Failure> {
        match self.with_id(id) {
            None => Err(Failure::bad_request(format!(
                "Hardware tier with id '{id}' does not exist"
            ))),
            Some(tier) if tier.is_archived() => Err(Failure::bad_request(format!(
                "Hardware tier '{}' is archived",
                tier.name
            ))),
            Some(tier) => Ok(tier),
        }
    }

    pub(crate) fn state(&self) -> Value {
        self.all.iter().map(|tier| tier.v4()).collect()
    }

    fn listed(&self, with_archived: bool) -> impl Iterator<Item = &Arc<HardwareTier>> {
        self.all
            .iter()
            .filter(move |tier| with_archived || !tier.is_archived())
    }
}

async fn of_project(
    State(tiers): Of<HardwareTiers>,
    Caller(user): Caller,
    Path(project_id): Id,
    parameters: Parameters,
) -> Answer {
    tiers.projects.seen_by(&user, &project_id)?;
    let for_model_apis = parameters.flag("forModelApi")?;
    let tiers = tiers.listed(parameters.flag("showArchived")?);
    let tiers = tiers.filter(|tier| tier.is_model_api_tier == for_model_apis);
    Ok(Json(
        tiers
            .map(|tier| {
                json!({
                    "hardwareTier": tier.v4(),
                    "capacity": capacity(),
                    "dataPlane": tier.data_plane.v4(),
                })
            })
            .collect(),
    ))
}

async fn v4_list(State(tiers): Of<HardwareTiers>, _: Caller, parameters: Parameters) -> Answer {
    let tiers = tiers.listed(parameters.flag("show_archived")?);
    let tiers: Vec<Value> = tiers.map(|tier| tier.v4()).collect();
    Ok(Json(
        json!({ "hardwareTiers": tiers, "isDataAnalystEnabled": false }),
    ))
}

async fn v4_one(State(tiers): Of<HardwareTiers>, _: Caller, Path(id): Id) -> Answer {
    let tier = tiers.with_id(&id);
    tier.map(|tier| Json(tier.v4()))
        .ok_or_else(|| no_such_tier(&id))
}

/// Only users who may view hardware tiers get the list of all tiers; ordinary users may not.
async fn public_list(
    State(tiers): Of<HardwareTiers>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Result<Response, Failure> {
    if !user.is_admin() {
        return Ok(binary_forbidden());
    }
    let listed = tiers.listed(parameters.flag("includeArchived")?).collect();
    let page = parameters.page("hardwareTiers", 10, listed, |tier| tier.public())?;
    Ok(page.into_response())
}

async fn public_one(
    State(tiers): Of<HardwareTiers>,
    Caller(user): Caller,
    Path(id): Id,
) -> Result<Response, Failure> {
    if !user.is_admin() {
        return Ok(binary_forbidden());
    }
    let tier = tiers.with_id(&id).ok_or_else(|| no_such_tier(&id))?;
    Ok(wrapped("hardwareTier", tier.public()).into_response())
}

/// Archives a tier: what runs on it continues, and nothing more is started on it.
async fn archive(
    State(tiers): Of<HardwareTiers>,
    _: Caller,
    mut fields: Fields,
) -> Result<StatusCode, Failure> {
    let id = fields.text("value");
    fields.finish()?;
    let tier = tiers.with_id(&id).ok_or_else(|| no_such_tier(&id))?;
    tier.is_archived.store(true, Ordering::Relaxed);
    Ok(StatusCode::OK)
}

fn no_such_tier(id: &str) -> Failure {
    Failure::not_found(format!("Hardware tier with id '{id}' was not found"))
}
