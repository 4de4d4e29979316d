//! What the stage file says of an endpoint and nothing of Domino's changes: refused before anything is written.

use domino_core::api::model_apis::{Capabilities, ModelApi};
use domino_core::error::CommandError;
use domino_core::step::StepContext;
use stage_file::{EndpointSettings, Model, Routing};

use crate::endpoint::Endpoint;
use crate::recorded_requests::RecordedRequests;

/// Refuses what the endpoint is not and cannot become, and what these routes cannot carry.
pub(crate) fn check(
    context: &StepContext,
    model: &Model,
    endpoint: &Endpoint,
    smoke: Option<&RecordedRequests>,
) -> Result<(), CommandError> {
    let said = context.file.endpoint_settings(model, &context.stage);
    let (can, api) = (endpoint.apis.capabilities(), endpoint.api.as_ref());
    let name = &endpoint.name;
    if let Some((key, why, to_do)) = conflict(&said, can, api) {
        let key = context.file.endpoint_key(model, &context.stage, key);
        let place = context.file.place_of(&key);
        return Err(CommandError::refused(format!("endpoint `{name}` {why}"))
            .hint(format!("{to_do}, or change {place}"))
            .at(&context.file, &key));
    }
    let is_async = api.and_then(|api| api.is_async).or(said.asynchronous);
    match smoke.and_then(RecordedRequests::without_names) {
        Some(case) if is_async == Some(true) => Err(CommandError::usage(format!(
            "the smoke test cannot be used: request `{case}` has arguments without names, and endpoint `{name}` is \
             asynchronous"
        ))
        .hint("asynchronous calls take named arguments: {\"data\": {…}}")),
        _ => Ok(()),
    }
}

/// The key that cannot be kept, why, and what to do.
fn conflict(
    said: &EndpointSettings,
    can: Capabilities,
    api: Option<&ModelApi>,
) -> Option<(&'static str, String, &'static str)> {
    let other = "give the model another `endpoint`";
    if let (Some(wanted), Some(is)) = (said.asynchronous, api.and_then(|api| api.is_async))
        && wanted != is
    {
        let is = if is { "is" } else { "is not" };
        let why = format!("{is} asynchronous, which is fixed since it was made");
        return Some(("asynchronous", why, other));
    }
    if said.monitoring == Some(true) && !can.monitors {
        let why = "cannot be monitored: the API of this Domino, `/v1/models`, has no field for it";
        return Some(("monitoring", why.to_owned(), "switch it on in Domino"));
    }
    if said.routing == Some(Routing::Advanced) && !can.routes_by_label {
        let why = "cannot be held to routing by labels: the API of this Domino, `/v1/models`, does not tell it";
        return Some(("routing", why.to_owned(), "promote versions in Domino"));
    }
    if let Some(wanted) = &said.bundle {
        if !can.governs {
            let why = "cannot belong to a bundle: the API of this Domino, `/v1/models`, has no field for it";
            return Some(("bundle", why.to_owned(), "take `bundle` away"));
        }
        let is = api.map(|api| api.bundle.as_deref());
        if let Some(is) = is.filter(|is| *is != Some(wanted)) {
            let is = is.map_or_else(|| "no bundle".to_owned(), |is| format!("bundle `{is}`"));
            let why = format!(
                "belongs to {is} in Domino, and stages.toml says `{wanted}`: no route of Domino's changes it"
            );
            return Some(("bundle", why, other));
        }
    }
    let mode = api.and_then(|api| api.routing_mode.as_deref());
    if let (Some(wanted), Some(is)) = (said.routing, mode)
        && !is.eq_ignore_ascii_case(wanted.word())
    {
        let why = format!(
            "has `routingMode` `{is}` in Domino, and stages.toml says `{}`: no route of Domino's changes it",
            wanted.word()
        );
        return Some((
            "routing",
            why,
            "switch it in Domino under the endpoint's settings",
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use domino_core::api::model_apis::Generation;

    use super::*;

    #[test]
    fn what_the_older_routes_cannot_carry_is_a_conflict_and_what_they_can_is_none() {
        let told = |said: &EndpointSettings, generation: Generation| {
            let conflict = conflict(said, generation.capabilities(), None);
            conflict.map(|(key, _, _)| key)
        };
        let monitored = EndpointSettings {
            monitoring: Some(true),
            ..EndpointSettings::default()
        };
        let labels = EndpointSettings {
            routing: Some(Routing::Advanced),
            ..EndpointSettings::default()
        };
        let harmless = EndpointSettings {
            asynchronous: Some(true),
            monitoring: Some(false),
            routing: Some(Routing::Basic),
            ..EndpointSettings::default()
        };
        let governed = EndpointSettings {
            bundle: Some("b".into()),
            ..EndpointSettings::default()
        };
        for (said, key) in [
            (&monitored, "monitoring"),
            (&labels, "routing"),
            (&governed, "bundle"),
        ] {
            assert_eq!(told(said, Generation::Models), Some(key));
            assert_eq!(told(said, Generation::ModelServing), None);
        }
        assert_eq!(told(&harmless, Generation::Models), None);
    }
}
