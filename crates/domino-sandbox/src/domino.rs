//! The whole of one sandbox's Domino: every noun's store, side by side, and what they share.
//! A new noun is a field here, a line in `state` and its routes in `server`.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use tempfile::TempDir;

use serde_json::{Value, json};

use crate::Options;
use crate::account::Accounts;
use crate::apps::{Apps, Sessions};
use crate::clock::Moment;
use crate::data_planes::DataPlanes;
use crate::decisions::Desk;
use crate::environments::Environments;
use crate::faults::Faults;
use crate::governance::Governance;
use crate::hardware_tiers::HardwareTiers;
use crate::jobs::Jobs;
use crate::mlflow::Mlflow;
use crate::model_apis::ModelApis;
use crate::pace::Pace;
use crate::process::Processes;
use crate::projects::Projects;
use crate::recorder::Recorder;
use crate::registered_models::RegisteredModels;
use crate::reviews::Reviews;
use crate::scheduled_jobs::ScheduledJobs;
use crate::users::Users;
use crate::version::Version;
use crate::wire::Gate;

pub(crate) struct Domino {
    /// The address, without a final slash.
    pub(crate) url: String,
    pub(crate) version: Version,
    pub(crate) pace: Pace,
    pub(crate) repository: PathBuf,
    pub(crate) verbose: bool,
    pub(crate) accounts: Accounts,
    pub(crate) faults: Faults,
    pub(crate) recorder: Recorder,
    pub(crate) gate: Gate,
    pub(crate) processes: Processes,
    /// Where runs have their code and leave their files, for as long as the sandbox lives.
    pub(crate) folder: TempDir,
    pub(crate) users: Users,
    pub(crate) projects: Projects,
    pub(crate) data_planes: DataPlanes,
    pub(crate) hardware_tiers: HardwareTiers,
    pub(crate) environments: Environments,
    pub(crate) jobs: Jobs,
    pub(crate) scheduled_jobs: ScheduledJobs,
    pub(crate) mlflow: Mlflow,
    pub(crate) registered_models: RegisteredModels,
    pub(crate) model_apis: ModelApis,
    pub(crate) governance: Governance,
    pub(crate) reviews: Reviews,
    pub(crate) desk: Desk,
    pub(crate) apps: Apps,
    pub(crate) sessions: Sessions,
}

impl Domino {
    pub(crate) fn new(options: Options, address: SocketAddr) -> anyhow::Result<Self> {
        let seed = &options.seed;
        let user_names = seed.users.iter().map(|user| user.name.as_str());
        let folder = tempfile::Builder::new()
            .prefix("domino-sandbox-")
            .tempdir()
            .context("there is no place for a temporary folder")?;
        std::fs::create_dir(folder.path().join("runs"))?;
        let now = Moment::now(0);
        let users = Users::new(seed);
        let sessions = Sessions::new(address.port(), user_names.clone());
        let data_planes = DataPlanes::new(seed);
        Ok(Domino {
            url: format!("http://{address}"),
            version: options.version,
            pace: options.pace,
            verbose: options.verbose,
            accounts: Accounts::new(user_names, &options.credentials)?,
            faults: Faults::default(),
            recorder: Recorder::new(),
            gate: Gate::default(),
            processes: Processes::default(),
            mlflow: Mlflow::new(options.mlflow.as_deref(), folder.path(), now)?,
            registered_models: RegisteredModels::default(),
            model_apis: ModelApis::new(options.model_token),
            governance: Governance::new(seed, &users, now)?,
            reviews: Reviews::default(),
            desk: Desk::new(address.port(), address.to_string()),
            folder,
            projects: Projects::new(seed, &users, &options.repository, now),
            users,
            hardware_tiers: HardwareTiers::new(seed, &data_planes, now)?,
            data_planes,
            environments: Environments::new(seed),
            jobs: Jobs::default(),
            scheduled_jobs: ScheduledJobs::default(),
            apps: Apps::default(),
            sessions,
            repository: options.repository,
        })
    }

    /// The time on the sandbox's clock.
    pub(crate) fn now(&self) -> Moment {
        Moment::now(self.faults.clock_skew())
    }

    /// Everything it holds, one key for each noun.
    pub(crate) fn state(&self) -> Value {
        json!({
            "url": self.url,
            "version": self.version.release(),
            "users": self.users.state(),
            "projects": self.projects.state(),
            "dataPlanes": self.data_planes.state(),
            "hardwareTiers": self.hardware_tiers.state(),
            "environments": self.environments.state(),
            "jobs": self.jobs.state(),
            "scheduledJobs": self.scheduled_jobs.state(self),
            "registeredModels": self.mlflow.state(),
            "modelApis": self.model_apis.state(),
            "bundles": self.governance.state(),
            "reviews": self.reviews.state(),
            "apps": self.apps.state(self),
        })
    }
}
