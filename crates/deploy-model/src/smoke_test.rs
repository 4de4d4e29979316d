//! The smoke test: the recorded requests are sent to one version of an endpoint, and the answers checked.
//!
//! A prediction changes nothing. So a request may be repeated if the endpoint is not ready yet, and once more if only
//! the first answer was late: that one loads the model.

use std::time::Duration;

use domino_core::api::model_endpoints::{Prediction, Route};
use domino_core::client::{ApiError, Cause};
use domino_core::error::Exit;
use domino_core::step::Progress;
use domino_core::wait::Poll;

use crate::calls::{CallError, Calls};
use crate::recorded_requests::{RecordedRequest, RecordedRequests};

/// How long an endpoint that Domino calls `Running` may still answer 502, 503 or 504, or not at all.
const GRACE: Duration = Duration::from_secs(60);

/// The result of a smoke test.
#[derive(Debug)]
pub(crate) enum SmokeTestOutcome {
    /// All answers are as expected; the text says how many.
    Passed(String),
    /// An answer is not as expected, or none came.
    Failed(String),
    /// The endpoint refused the token, or asked for one.
    Refused(ApiError),
    /// No endpoint exists at this address.
    NotThere(ApiError),
}

/// Sends the requests. If the address of a version by its number is not served, the active version is tested, which is
/// that version by now.
pub(crate) async fn test(
    endpoint: &Calls,
    route: Route,
    smoke: &RecordedRequests,
    delay_scale: f64,
    progress: &mut Progress,
) -> SmokeTestOutcome {
    let mut route = route;
    let mut slowest = Duration::ZERO;
    progress.status(&format!(
        "smoke test: {} {}",
        smoke.count(),
        endpoint.to(route)
    ));
    for case in &smoke.cases {
        let mut answered = answer(endpoint, route, case, delay_scale).await;
        if let Err(CallError::Api(error)) = &answered
            && error.is_absent()
            && matches!(route, Route::Number(_))
        {
            route = Route::Latest;
            answered = answer(endpoint, route, case, delay_scale).await;
        }
        match answered {
            Ok(prediction) => {
                if let Some(wrong) =
                    difference(endpoint, route, case, &prediction, &mut slowest).await
                {
                    return SmokeTestOutcome::Failed(format!("request `{}`: {wrong}", case.name));
                }
            }
            Err(error) => return outcome_of(error, case),
        }
    }
    SmokeTestOutcome::Passed(format!(
        "{} {} answered as expected, the slowest after {} ms",
        smoke.count(),
        endpoint.to(route),
        slowest.as_millis()
    ))
}

/// What is wrong with an answer.
async fn difference(
    endpoint: &Calls,
    route: Route,
    case: &RecordedRequest,
    prediction: &Prediction,
    slowest: &mut Duration,
) -> Option<String> {
    if let Some(different) = case.difference(&prediction.answer) {
        return Some(different);
    }
    let mut took = prediction.took;
    if let Some(late) = case.lateness(took) {
        match endpoint.call(route, &case.input).await {
            Ok(again) if case.lateness(again.took).is_none() => took = again.took,
            _ => return Some(late),
        }
    }
    *slowest = (*slowest).max(took);
    None
}

/// One answer; waits while the endpoint comes up.
async fn answer(
    endpoint: &Calls,
    route: Route,
    case: &RecordedRequest,
    delay_scale: f64,
) -> Result<Prediction, CallError> {
    let mut poll = Poll::until(GRACE.mul_f64(delay_scale.max(0.01)), delay_scale);
    loop {
        match endpoint.call(route, &case.input).await {
            Err(CallError::Api(error)) if comes_up(&error) && poll.next().await => {}
            other => return other,
        }
    }
}

fn comes_up(error: &ApiError) -> bool {
    let status = error.status().map(|status| status.as_u16());
    matches!(status, Some(429 | 502 | 503 | 504)) || matches!(error.cause(), Cause::NotConnected(_))
}

fn outcome_of(error: CallError, case: &RecordedRequest) -> SmokeTestOutcome {
    let failed = |what| SmokeTestOutcome::Failed(format!("request `{}`: {what}", case.name));
    let error = match error {
        CallError::Api(error) => error,
        CallError::Function(why) => return failed(format!("the function failed: {why}")),
        CallError::NoAnswer(status) => {
            return failed(format!("no answer came in time, it is `{status}`"));
        }
    };
    match error.status().map(|status| status.as_u16()) {
        Some(401 | 403) => SmokeTestOutcome::Refused(error),
        Some(404) => SmokeTestOutcome::NotThere(error),
        _ if matches!(
            error.cause(),
            Cause::NotSignedIn
                | Cause::Redirected { .. }
                | Cause::NotConnected(_)
                | Cause::NoTrust(_)
                | Cause::NoTunnel { .. }
        ) =>
        {
            SmokeTestOutcome::NotThere(error)
        }
        Some(400) => SmokeTestOutcome::Failed(format!(
            "request `{}`: the function refused it{}",
            case.name,
            words(&error)
        )),
        _ => {
            let what = match error.exit() {
                Exit::Refused => "it was refused",
                _ => "no usable answer came",
            };
            SmokeTestOutcome::Failed(format!(
                "request `{}`: {what}: {error}{}",
                case.name,
                words(&error)
            ))
        }
    }
}

/// The endpoint's own words, after a colon.
fn words(error: &ApiError) -> String {
    std::error::Error::source(error).map_or_else(String::new, |words| {
        let words = words.to_string();
        format!(": {}", words.trim_start_matches("Domino says: "))
    })
}

#[cfg(test)]
mod tests;
