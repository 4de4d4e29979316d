//! The gates of the governance bundle that an app or an endpoint belongs to: Domino refuses to start either while one of
//! them is closed, so they are read before anything is stopped or made.

use crate::api::governance::{BundleId, Gate};
use crate::client::Reader;
use crate::error::{CommandError, Exit, Result};

/// Refuses if a gate of `bundle` is closed and `stops` what is meant, which is told as `what`. If a gate cannot be read,
/// that is reported and stops nothing: Domino itself decides in the end.
pub async fn check(
    reader: &Reader,
    bundle: &str,
    what: &str,
    stops: impl Fn(&Gate) -> bool,
) -> Result<Option<String>> {
    let gates = match reader.bundle_gates(&BundleId::new(bundle)).await {
        Ok(gates) => gates,
        Err(error) if error.exit() == Exit::Refused => {
            return Ok(Some(format!(
                "the gates of bundle `{bundle}`, which {what} belongs to, could not be asked: {error}"
            )));
        }
        Err(error) => return Err(error.into()),
    };
    let closed = gates.iter().filter(|gate| stops(gate));
    let closed: Vec<String> = closed.map(reason).collect();
    if closed.is_empty() {
        return Ok(None);
    }
    Err(CommandError::new(
        Exit::NotApproved,
        format!(
            "bundle `{bundle}` does not let {what} be started: {}",
            closed.join("; ")
        ),
    )
    .hint("nothing was stopped; ask for the approval in Domino, then run this again"))
}

fn reason(gate: &Gate) -> String {
    match gate.reason.as_str() {
        "" => format!("gate `{}` is closed", gate.name),
        reason => format!("gate `{}` is closed: {reason}", gate.name),
    }
}
