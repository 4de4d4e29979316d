//! The gates of the governance bundle that an app belongs to: Domino refuses each start of the app while one of them
//! is closed, so they are read before anything is stopped.

use domino_core::api::apps::AppContent;
use domino_core::api::governance::GatedPlace;
use domino_core::api::hardware_tiers::HardwareTier;
use domino_core::bundle_gates;
use domino_core::client::Reader;
use domino_core::error::Result;

/// Refuses if a gate is closed for an app of this content; a remark if that could not be asked.
pub(crate) async fn check_gates(
    reader: &Reader,
    app: &str,
    content: &AppContent,
    tier: Option<&HardwareTier>,
) -> Result<Option<String>> {
    let Some(bundle) = content.carried.bundle() else {
        return Ok(None);
    };
    let place = place(content, tier);
    bundle_gates::check(reader, bundle, &format!("app `{app}`"), |gate| {
        gate.stops_apps(&place)
    })
    .await
}

/// Where the app runs. The data plane is known of the tier that the stage chose.
fn place(content: &AppContent, tier: Option<&HardwareTier>) -> GatedPlace {
    let id = content.hardware_tier.as_ref();
    let chosen = GatedPlace::of(tier.filter(|tier| id.is_none_or(|id| *id == tier.id)));
    GatedPlace {
        tier: id.map(|id| id.as_str().to_owned()).or(chosen.tier),
        ..chosen
    }
}
