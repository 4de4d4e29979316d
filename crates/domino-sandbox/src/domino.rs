//! The whole of one sandbox's Domino: every noun with what it needs of the others, in that order.
//! A new noun is a field here, a line in `state` and its routes in `server`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use serde_json::{Value, json};

use crate::account::Accounts;
use crate::apps::{Apps, Sessions};
use crate::clock::Clock;
use crate::data_planes::DataPlanes;
use crate::decisions::{Decisions, Desk};
use crate::environments::Environments;
use crate::faults::Faults;
use crate::governance::Governance;
use crate::hardware_tiers::HardwareTiers;
use crate::host::Host;
use crate::jobs::Jobs;
use crate::mlflow::Mlflow;
use crate::model_apis::{ModelApiContext, ModelApis};
use crate::options::Options;
use crate::process::Processes;
use crate::projects::Projects;
use crate::recorder::Recorder;
use crate::registered_models::RegisteredModels;
use crate::reviews::Reviews;
use crate::scheduled_jobs::ScheduledJobs;
use crate::users::Users;
use crate::wire::ListenerSwitch;

pub(crate) struct Domino {
    /// Whether each request is noted on stderr.
    pub(crate) verbose: bool,
    pub(crate) host: Arc<Host>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) recorder: Recorder,
    pub(crate) listener_switch: Arc<ListenerSwitch>,
    pub(crate) users: Arc<Users>,
    pub(crate) projects: Arc<Projects>,
    pub(crate) data_planes: Arc<DataPlanes>,
    pub(crate) hardware_tiers: Arc<HardwareTiers>,
    pub(crate) environments: Arc<Environments>,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) scheduled_jobs: Arc<ScheduledJobs>,
    pub(crate) mlflow: Arc<Mlflow>,
    pub(crate) registered_models: Arc<RegisteredModels>,
    pub(crate) model_apis: Arc<ModelApis>,
    pub(crate) governance: Arc<Governance>,
    pub(crate) reviews: Arc<Reviews>,
    pub(crate) decisions: Arc<Decisions>,
    pub(crate) apps: Arc<Apps>,
}

impl Domino {
    pub(crate) fn new(options: Options, address: SocketAddr) -> anyhow::Result<Self> {
        let seed = &options.seed;
        let clock = Clock::default();
        let now = clock.now();
        let user_names = seed.users.iter().map(|user| user.name.as_str());
        let host = Arc::new(Host {
            url: format!("http://{address}"),
            version: options.version,
            pace: options.pace,
            accounts: Accounts::new(user_names, &options.credentials)?,
            clock: clock.clone(),
            processes: Arc::new(Processes::new(clock.clone())),
            folder: Host::new_folder()?,
            sockets: AtomicUsize::new(0),
            repository: options.repository,
        });
        let faults = Arc::new(Faults::new(clock.clone()));
        let users = Arc::new(Users::new(seed));
        let projects = Arc::new(Projects::new(seed, &users, &host.repository, now));
        let data_planes = Arc::new(DataPlanes::new(seed));
        let tiers = HardwareTiers::new(seed, &data_planes, projects.clone(), now)?;
        let hardware_tiers = Arc::new(tiers);
        let environments = Arc::new(Environments::new(seed, projects.clone()));
        let mlflow = options.mlflow.as_deref();
        let mlflow = Arc::new(Mlflow::new(mlflow, host.folder.path(), clock.clone())?);
        let registered_models = Arc::new(RegisteredModels::new(
            users.clone(),
            projects.clone(),
            mlflow.clone(),
        ));
        let governance = Arc::new(Governance::new(
            seed,
            &users,
            projects.clone(),
            registered_models.clone(),
            clock.clone(),
        )?);
        let reviews = Reviews::new(users.clone(), registered_models.clone(), clock.clone());
        let reviews = Arc::new(reviews);
        let sessions = Sessions::new(address.port(), users.clone(), host.clone());
        Ok(Domino {
            verbose: options.verbose,
            recorder: Recorder::new(),
            listener_switch: Arc::default(),
            jobs: Arc::new(Jobs::new(
                projects.clone(),
                hardware_tiers.clone(),
                environments.clone(),
                host.clone(),
                faults.clone(),
            )),
            scheduled_jobs: Arc::new(ScheduledJobs::new(
                users.clone(),
                projects.clone(),
                hardware_tiers.clone(),
                environments.clone(),
                clock,
            )),
            model_apis: Arc::new(ModelApis::new(ModelApiContext {
                projects: projects.clone(),
                data_planes: data_planes.clone(),
                hardware_tiers: hardware_tiers.clone(),
                environments: environments.clone(),
                governance: governance.clone(),
                registered_models: registered_models.clone(),
                faults: faults.clone(),
                host: host.clone(),
                common_token: options.model_token,
            })),
            decisions: Arc::new(Decisions {
                desk: Desk::new(address.port(), address.to_string()),
                governance: governance.clone(),
                reviews: reviews.clone(),
                users: users.clone(),
            }),
            apps: Arc::new(Apps::new(
                sessions,
                projects.clone(),
                hardware_tiers.clone(),
                environments.clone(),
                host.clone(),
                faults.clone(),
            )),
            host,
            faults,
            users,
            projects,
            data_planes,
            hardware_tiers,
            environments,
            mlflow,
            registered_models,
            governance,
            reviews,
        })
    }

    /// Everything it holds, one key for each noun.
    pub(crate) fn state(&self) -> Value {
        json!({
            "url": self.host.url,
            "version": self.host.version.release(),
            "users": self.users.state(),
            "projects": self.projects.state(),
            "dataPlanes": self.data_planes.state(),
            "hardwareTiers": self.hardware_tiers.state(),
            "environments": self.environments.state(),
            "jobs": self.jobs.state(),
            "scheduledJobs": self.scheduled_jobs.state(),
            "registeredModels": self.mlflow.state(),
            "modelApis": self.model_apis.state(),
            "bundles": self.governance.state(),
            "reviews": self.reviews.state(),
            "apps": self.apps.state(),
        })
    }
}
