//! The gates of the governance bundle that an app belongs to: Domino refuses each start of the app while one of them
//! is closed, so they are read before anything is stopped.

use domino_core::api::apps::AppContent;
use domino_core::api::governance::{BundleId, Gate, GatedPlace};
use domino_core::api::hardware_tiers::HardwareTier;
use domino_core::client::Reader;
use domino_core::error::{CommandError, Exit, Result};

/// Refuses if a gate is closed for an app of this content. If a gate cannot be read, that is reported and stops
/// nothing: Domino itself decides in the end.
pub(crate) async fn check_gates(
    reader: &Reader,
    app: &str,
    content: &AppContent,
    tier: Option<&HardwareTier>,
) -> Result<Option<String>> {
    let Some(bundle) = content.carried.bundle() else {
        return Ok(None);
    };
    let gates = match reader.bundle_gates(&BundleId::new(bundle)).await {
        Ok(gates) => gates,
        Err(error) if error.exit() == Exit::Refused => {
            return Ok(Some(format!(
                "the gates of bundle `{bundle}`, which app `{app}` belongs to, could not be asked: {error}"
            )));
        }
        Err(error) => return Err(error.into()),
    };
    let place = place(content, tier);
    let closed: Vec<String> = gates
        .iter()
        .filter(|gate| gate.stops_apps(&place))
        .map(reason)
        .collect();
    if closed.is_empty() {
        return Ok(None);
    }
    Err(CommandError::new(
        Exit::NotApproved,
        format!(
            "bundle `{bundle}` does not let app `{app}` be started: {}",
            closed.join("; ")
        ),
    )
    .hint("nothing was stopped; ask for the approval in Domino, then run this again"))
}

/// Where the app runs. The data plane is known of the tier that the stage chose.
fn place(content: &AppContent, tier: Option<&HardwareTier>) -> GatedPlace {
    let id = content.hardware_tier.as_ref();
    let tier = tier.filter(|tier| id.is_none_or(|id| *id == tier.id));
    let id = id.or(tier.map(|tier| &tier.id));
    let plane = tier.and_then(|tier| tier.data_plane.as_ref());
    GatedPlace {
        tier: id.map(|id| id.as_str().to_owned()),
        data_plane: plane.map(|plane| plane.id.clone()),
    }
}

fn reason(gate: &Gate) -> String {
    match gate.reason.as_str() {
        "" => format!("gate `{}` is closed", gate.name),
        reason => format!("gate `{}` is closed: {reason}", gate.name),
    }
}
