//! The experiment manager, MLflow's REST API: registered models, their versions, stages, aliases and tags, and the
//! runs that they come from.
//!
//! Its address: inside a Domino run the platform sets `MLFLOW_TRACKING_URI` to an address on the same machine. The
//! proxy there adds the identity itself, so no credential is sent. From anywhere else it is on Domino's own host and
//! takes Domino's credential. That credential is never sent to a third address. Nothing here decides. Versions are
//! numbers for us and text on the wire.

mod logged_models;
mod model_versions;
mod registered_models;
mod runs;
mod stage;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use serde::{Deserialize, Deserializer, Serializer};

pub use self::logged_models::{LoggedMetric, LoggedModel};
pub use self::model_versions::{ModelVersion, ModelVersionStatus, Which};
pub use self::registered_models::RegisteredModel;
pub use self::runs::Run;
pub use self::stage::ModelStage;
use super::registered_models::VersionNumber;
use crate::client::{ApiError, ConnectError, Connection, Reader, Writer};
use crate::credential::Credential;
use crate::execution_context::ExecutionContext;
use stage_file::{Host, MalformedHost};

/// The path that every route begins with.
const BASE: &str = "/api/2.0/mlflow";
/// A list with more pages is considered endless.
const MOST_PAGES: usize = 1000;

/// The experiment manager of a deployment. Gives out readers and writers.
#[derive(Debug, Clone)]
pub struct Tracking(Connection);

/// Reads from the experiment manager, and cannot change anything.
#[derive(Debug, Clone)]
pub struct TrackingReader(Reader);

/// Changes the experiment manager.
#[derive(Debug)]
pub struct TrackingWriter {
    plain: Writer,
    /// The same, with the run that its writes belong to.
    in_context: OnceLock<Writer>,
}

/// Why the address in `MLFLOW_TRACKING_URI` is not used.
#[derive(Debug)]
pub enum TrackingError {
    /// It is not an address.
    Malformed(MalformedHost),
    /// It is neither the stage's Domino nor this machine.
    OtherHost {
        /// The host that the variable names.
        named: Host,
        /// The host of the stage's Domino.
        domino: Host,
    },
    /// No connection could be prepared.
    Connect(ConnectError),
}

impl fmt::Display for TrackingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(problem) => write!(
                f,
                "`MLFLOW_TRACKING_URI` is no address of an experiment manager: it {problem}"
            ),
            Self::OtherHost { named, domino } => write!(
                f,
                "`MLFLOW_TRACKING_URI` is `{named}`, but the stage's Domino is `{domino}`"
            ),
            Self::Connect(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TrackingError {}

impl Tracking {
    /// The experiment manager of the Domino that `connection` leads to, or the one that `uri`, the value of
    /// `MLFLOW_TRACKING_URI`, names. An empty value counts as not set.
    pub fn of(connection: &Connection, uri: Option<&str>) -> Result<Self, TrackingError> {
        let Some(uri) = uri.map(str::trim).filter(|uri| !uri.is_empty()) else {
            return Ok(Self(connection.clone()));
        };
        let host: Host = uri.parse().map_err(TrackingError::Malformed)?;
        if host == *connection.host() {
            return Ok(Self(connection.clone()));
        }
        if host.is_this_machine() {
            return Ok(Self(
                connection
                    .beside(host, Credential::Anonymous)
                    .map_err(TrackingError::Connect)?,
            ));
        }
        Err(TrackingError::OtherHost {
            named: host,
            domino: connection.host().clone(),
        })
    }

    /// A client that can only read.
    pub fn reader(&self) -> TrackingReader {
        TrackingReader(self.0.reader())
    }

    /// A client that can write; created only when a plan is applied.
    pub fn writer(&self) -> TrackingWriter {
        TrackingWriter {
            plain: self.0.writer(),
            in_context: OnceLock::new(),
        }
    }

    /// The host, for messages.
    pub fn host(&self) -> &Host {
        self.0.host()
    }
}

impl TrackingReader {
    /// The factor of every pause.
    pub fn delay_scale(&self) -> f64 {
        self.0.delay_scale()
    }

    /// The present time by the experiment manager's clock.
    pub fn now(&self) -> jiff::Timestamp {
        self.0.now()
    }
}

impl TrackingWriter {
    /// A client that can only read, over the same connection.
    pub fn reader(&self) -> TrackingReader {
        TrackingReader(self.plain.reader())
    }

    /// Sets the run that every later write says it belongs to; the first one stays.
    pub fn set_context(&self, context: ExecutionContext) {
        self.in_context
            .get_or_init(|| self.plain.in_context(context));
    }

    fn writer(&self) -> &Writer {
        self.in_context.get().unwrap_or(&self.plain)
    }
}

/// Turns a 404 that means that the thing does not exist into `None`; one for an unknown route stays an error.
fn if_there<T>(result: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match result {
        Ok(thing) => Ok(Some(thing)),
        Err(error) if error.is_absent() && error.code() == Some("RESOURCE_DOES_NOT_EXIST") => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
struct Pair {
    key: String,
    #[serde(default)]
    value: String,
}

/// MLflow writes a map as a list of keys and values, and leaves an empty one out.
fn pairs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let pairs = Vec::<Pair>::deserialize(deserializer)?;
    Ok(pairs
        .into_iter()
        .map(|pair| (pair.key, pair.value))
        .collect())
}

/// A version as MLflow requires it: text, never a number.
fn as_text<S: Serializer>(version: &VersionNumber, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(version)
}

/// A version as MLflow writes it.
fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<VersionNumber, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tests::connection;

    fn of(uri: Option<&str>) -> Result<Tracking, TrackingError> {
        Tracking::of(&connection("https://domino.example.com"), uri)
    }

    #[test]
    fn from_outside_the_experiment_manager_is_behind_dominos_own_host() {
        for uri in [
            None,
            Some(""),
            Some(" "),
            Some("https://domino.example.com/"),
        ] {
            let tracking = of(uri).unwrap();
            assert_eq!(tracking.host().as_str(), "https://domino.example.com");
            assert!(matches!(tracking.0.credential(), Credential::Token(_)));
        }
    }

    #[test]
    fn an_address_of_this_machine_gets_no_credential() {
        let tracking = of(Some("http://127.0.0.1:8768")).unwrap();
        assert_eq!(tracking.host().as_str(), "http://127.0.0.1:8768");
        assert!(matches!(tracking.0.credential(), Credential::Anonymous));
    }

    #[test]
    fn the_credential_goes_to_no_third_host() {
        for uri in [
            "https://mlflow.example.org",
            "http://domino.example.com",
            "databricks",
        ] {
            let failure = of(Some(uri)).unwrap_err();
            let failure = crate::error::CommandError::from(failure);
            assert_eq!(failure.exit(), crate::error::Exit::Usage, "{uri}");
        }
    }
}
