//! The whole of one sandbox's Domino: every noun with what it needs of the others, in that order.
//! A new noun is a field here, a line in `state` and its routes in `server`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use serde_json::{Value, json};

use crate::account::Accounts;
use crate::apps::{Apps, Sessions};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::decisions::{Decisions, Desk};
use crate::faults::Faults;
use crate::git_credentials::GitCredentials;
use crate::governance::Governance;
use crate::host::Host;
use crate::jobs::Jobs;
use crate::mlflow::Mlflow;
use crate::model_apis::ModelApis;
use crate::options::Options;
use crate::process::Processes;
use crate::recorder::Recorder;
use crate::registered_models::RegisteredModels;
use crate::reviews::Reviews;
use crate::scheduled_jobs::ScheduledJobs;
use crate::service_accounts::ServiceAccounts;
use crate::wire::ListenerSwitch;

pub(crate) struct Domino {
    /// Whether each request is noted on stderr.
    pub(crate) verbose: bool,
    pub(crate) host: Arc<Host>,
    pub(crate) recorder: Recorder,
    pub(crate) listener_switch: Arc<ListenerSwitch>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) git_credentials: Arc<GitCredentials>,
    pub(crate) service_accounts: Arc<ServiceAccounts>,
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
        let user_names = seed.users.iter().map(|user| user.name.as_str());
        let host = Arc::new(Host {
            url: format!("http://{address}"),
            version: options.version,
            apps_v1: options.apps_v1,
            mlflow_context: options.mlflow_context,
            delays: options.delays,
            accounts: Accounts::new(user_names, &options.credentials)?,
            faults: Faults::new(clock.clone()),
            processes: Arc::new(Processes::new(
                clock.clone(),
                options.python,
                options.programs,
            )),
            run_tags: Arc::default(),
            clock: clock.clone(),
            folder: Host::new_folder()?,
            sockets: AtomicUsize::new(0),
            repository: options.repository,
            credentials_file: options.credentials_file,
            head: options.head,
        });
        let (version, now) = (options.version, clock.now());
        let catalog = Arc::new(Catalog::new(seed, version, &host.repository, now)?);
        let upstream = options.mlflow.as_deref();
        let mlflow = Arc::new(Mlflow::new(upstream, host.folder.path(), clock.clone())?);
        let models = Arc::new(RegisteredModels::new(catalog.clone(), mlflow.clone()));
        let governance = Arc::new(Governance::new(seed, models.clone(), clock.clone())?);
        let reviews = Arc::new(Reviews::new(models.clone(), clock.clone()));
        let git_credentials = Arc::new(GitCredentials::new(catalog.clone()));
        let sessions = Sessions::new(address.port(), catalog.users.clone(), host.clone());
        Ok(Domino {
            verbose: options.verbose,
            recorder: Recorder::new(),
            listener_switch: Arc::default(),
            service_accounts: Arc::new(ServiceAccounts::new(
                catalog.clone(),
                host.clone(),
                git_credentials.clone(),
            )),
            git_credentials,
            jobs: Arc::new(Jobs::new(catalog.clone(), host.clone())),
            scheduled_jobs: Arc::new(ScheduledJobs::new(catalog.clone(), clock)),
            model_apis: Arc::new(ModelApis::new(
                catalog.clone(),
                models.clone(),
                governance.clone(),
                host.clone(),
                options.model_token,
                seed.routed_by_label.clone(),
            )),
            decisions: Arc::new(Decisions {
                desk: Desk::new(address.port(), address.to_string()),
                governance: governance.clone(),
                reviews: reviews.clone(),
                users: catalog.users.clone(),
            }),
            apps: Arc::new(Apps::new(
                sessions,
                catalog.clone(),
                governance.clone(),
                host.clone(),
            )),
            host,
            catalog,
            mlflow,
            registered_models: models,
            governance,
            reviews,
        })
    }

    /// Everything it holds, one key for each noun.
    pub(crate) fn state(&self) -> Value {
        json!({
            "url": self.host.url,
            "version": self.host.version.release(),
            "users": self.catalog.users.state(),
            "projects": self.catalog.projects.state(),
            "serviceAccounts": self.service_accounts.state(),
            "gitCredentials": self.git_credentials.state(),
            "dataPlanes": self.catalog.data_planes.state(),
            "hardwareTiers": self.catalog.hardware_tiers.state(),
            "environments": self.catalog.environments.state(),
            "externalVolumes": self.catalog.external_volumes.state(),
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
