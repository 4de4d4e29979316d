//! One call of an endpoint in the way that it is called: at once, or asynchronously, where the answer is fetched later.

use std::time::Duration;

use domino_core::api::async_endpoints::{AsyncEndpoint, AsyncPrediction, named_arguments};
use domino_core::api::model_endpoints::{ModelEndpoint, Prediction, Route};
use domino_core::client::ApiError;
use domino_core::wait::Poll;
use serde_json::Value;

/// How long an asynchronous answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// An endpoint, and how it is called.
#[derive(Debug)]
pub(crate) enum Calls {
    /// The answer comes with the call.
    AtOnce(ModelEndpoint),
    /// The answer is fetched; pauses are multiplied by this.
    Later(AsyncEndpoint, f64),
}

/// Why a call brought no answer.
#[derive(Debug)]
pub(crate) enum CallError {
    /// A request failed, or was refused.
    Api(ApiError),
    /// The function failed, in its words.
    Function(String),
    /// No answer came in time; this was the status at the last look.
    NoAnswer(String),
}

impl From<ApiError> for CallError {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl Calls {
    /// Calls one version and waits for the answer. Asynchronous calls name none: the one that is active answers.
    pub(crate) async fn call(&self, route: Route, input: &Value) -> Result<Prediction, CallError> {
        let (endpoint, delay_scale) = match self {
            Self::AtOnce(endpoint) => return Ok(endpoint.invoke(route, input).await?),
            Self::Later(endpoint, delay_scale) => (endpoint, *delay_scale),
        };
        let arguments = named_arguments(input).unwrap_or(input);
        let request = endpoint.request(arguments).await?;
        let mut poll = Poll::until(PATIENCE.mul_f64(delay_scale.max(0.01)), delay_scale);
        loop {
            match endpoint.prediction(&request).await? {
                AsyncPrediction::Answered(prediction) => return Ok(prediction),
                AsyncPrediction::Failed(why) => return Err(CallError::Function(why)),
                AsyncPrediction::Pending(status) if !poll.next().await => {
                    return Err(CallError::NoAnswer(status));
                }
                AsyncPrediction::Pending(_) => {}
            }
        }
    }

    /// The version that a test of the version of this number calls.
    pub(crate) fn route_to(&self, number: Option<u64>) -> Route {
        match self {
            Self::AtOnce(_) => number.map_or(Route::Latest, Route::Number),
            Self::Later(..) => Route::Latest,
        }
    }

    /// The address, as people call it.
    pub(crate) fn url(&self, route: Route) -> String {
        match self {
            Self::AtOnce(endpoint) => endpoint.url(route),
            Self::Later(endpoint, _) => endpoint.url(),
        }
    }

    /// What was called, for a sentence about it: ``to `latest` ``.
    pub(crate) fn to(&self, route: Route) -> String {
        match (self, route) {
            (Self::AtOnce(_), Route::Number(number)) => format!("to version {number}"),
            (Self::AtOnce(_), Route::Latest | Route::Promoted) => format!("to `{route}`"),
            (Self::Later(..), _) => "left for asynchronous answers".to_owned(),
        }
    }
}
