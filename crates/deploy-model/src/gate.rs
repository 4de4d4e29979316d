//! The gates of the governance bundle that an endpoint belongs to, or will: Domino deploys no version while one of them is
//! closed.

use domino_core::api::governance::GatedPlace;
use domino_core::api::hardware_tiers::HardwareTier;
use domino_core::bundle_gates;
use domino_core::client::Reader;
use domino_core::error::Result;
use stage_file::EndpointSettings;

use crate::endpoint::Endpoint;

/// Refuses if a gate is closed for an endpoint on this hardware tier; a remark if that could not be asked.
pub(crate) async fn check_gates(
    reader: &Reader,
    endpoint: &Endpoint,
    said: &EndpointSettings,
    tier: Option<&HardwareTier>,
) -> Result<Option<String>> {
    let bundle = match &endpoint.api {
        Some(api) => api.bundle.as_deref(),
        None => said.bundle.as_deref(),
    };
    let Some(bundle) = bundle else {
        return Ok(None);
    };
    let place = GatedPlace::of(tier);
    let what = format!("endpoint `{}`", endpoint.name);
    bundle_gates::check(reader, bundle, &what, |gate| gate.stops_endpoints(&place)).await
}
