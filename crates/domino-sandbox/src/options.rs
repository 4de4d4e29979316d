//! The options of a sandbox, which a test or the program sets before the start.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::account::Account;
use crate::apps_v1::AppsV1;
use crate::delays::Pace;
use crate::mlflow_context::MlflowContext;
use crate::seed::Seed;
use crate::version::Version;

/// The options of a sandbox. `Options::default()` fits a test; set what differs and add
/// `..Options::default()`.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; only loopback is allowed, and port 0 takes a free one.
    pub listen: SocketAddr,
    /// The git repository whose commits the runs use.
    pub repository: PathBuf,
    /// The commit that a run without a reference uses, as Domino uses the head of the default branch; the
    /// repository's `HEAD` if absent.
    pub head: Option<String>,
    /// Which Domino release to emulate.
    pub version: Version,
    /// Whether the release's Apps v1 is switched off.
    pub apps_v1: AppsV1,
    /// How long statuses last that are not real work.
    pub delays: Pace,
    /// What the sandbox has from the start.
    pub seed: Seed,
    /// The address of an MLflow server that keeps experiments and registered models, such as `http://127.0.0.1:5000`;
    /// if absent, the sandbox keeps them itself.
    pub mlflow: Option<String>,
    /// What the experiment manager requires of callers outside of a run.
    pub mlflow_context: MlflowContext,
    /// The `python3` that jobs and endpoints run with, such as that of a virtual environment; if absent, the one in
    /// `PATH`.
    pub python: Option<PathBuf>,
    /// A folder of programs that every run finds by their names, as those of a compute environment's image.
    pub programs: Option<PathBuf>,
    /// A model access token that every endpoint accepts besides its own, so that one secret opens them all.
    pub model_token: Option<String>,
    /// Credentials for users of the seed; the others get random ones.
    pub credentials: Vec<Account>,
    /// The file into which the caller writes the credentials, for the page to name.
    pub credentials_file: Option<PathBuf>,
    /// Whether each request is noted on stderr, without its query and its credentials.
    pub verbose: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            repository: PathBuf::from("."),
            head: None,
            version: Version::default(),
            apps_v1: AppsV1::On,
            delays: Pace::instant(),
            seed: Seed::default(),
            mlflow: None,
            mlflow_context: MlflowContext::None,
            python: None,
            programs: None,
            model_token: None,
            credentials: Vec::new(),
            credentials_file: None,
            verbose: false,
        }
    }
}
