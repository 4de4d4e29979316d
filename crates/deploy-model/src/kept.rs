//! What stays of an endpoint as people set it: everything that the stage file does not say, and what somebody changed
//! since our last publish. It sends no request.

use domino_core::api::model_apis::{
    Carried, DEFAULT_REPLICAS, ModelApi, ModelApiVersion, carried_words,
};
use domino_core::deployment_marker::{
    Written, fingerprint_of_text, fingerprint_of_variables, text_and_variables,
};
use domino_core::error::CommandError;
use domino_core::place::ResolvedPlacement;
use domino_core::step::StepContext;
use stage_file::{EndpointSettings, Model};

use crate::difference::{ExistingEndpoint, Wanted};
use crate::endpoint::Endpoint;
use crate::proven::Claim;
use crate::variables::{self, Variables};

/// What the stage file says about an endpoint; people decide about what is `None`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    pub(crate) description: Option<String>,
    pub(crate) replicas: Option<u32>,
    pub(crate) logs_requests: Option<bool>,
    pub(crate) hardware_tier: bool,
    pub(crate) environment: bool,
    pub(crate) monitoring: Option<bool>,
}

/// What stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    /// What is carried over, in words.
    pub(crate) carried: Vec<String>,
    /// What somebody changed since our last publish, a sentence each.
    pub(crate) remarks: Vec<String>,
}

/// Completes what is wanted with what an endpoint has. One that somebody stopped, or whose environment variables
/// cannot be changed to those of the stage file, is refused.
pub(crate) fn take_over(
    claim: &Claim<'_>,
    endpoint: &Endpoint,
    existing: &ExistingEndpoint,
    place: &ResolvedPlacement,
    wanted: &mut Wanted,
) -> Result<Kept, CommandError> {
    let Claim {
        context,
        model,
        args,
    } = claim;
    if existing.is_stopped() && !args.as_file_says {
        return Err(stopped(existing));
    }
    let known = match endpoint.apis.capabilities().fixes_variables && !args.variables_are_set {
        true => variables::compare(existing, wanted),
        false => Variables::Same,
    };
    if matches!(known, Variables::Other | Variables::Unknown) {
        let name = &endpoint.name;
        return Err(variables::cannot_change(context, model, name, known));
    }
    let said = said(context, model, place);
    let mut kept = keep(existing, &said, args.as_file_says, wanted);
    if known == Variables::Forgotten {
        kept.remarks.push(format!(
            "it is not known with which environment variables endpoint `{}` was created: its description, which told it, \
             was edited; it keeps those it has",
            endpoint.name
        ));
        wanted.marker.forget_variables();
    }
    Ok(kept)
}

/// What the stage file says, and what it leaves to people.
fn said(context: &StepContext, model: &Model, place: &ResolvedPlacement) -> Said {
    let description = model.description.trim();
    Said {
        description: (!description.is_empty()).then(|| description.to_owned()),
        replicas: context.file.replicas(model, &context.stage),
        logs_requests: model.log_requests,
        hardware_tier: place.tier.is_some(),
        environment: place.environment.is_some(),
        monitoring: context
            .file
            .endpoint_settings(model, &context.stage)
            .monitoring,
    }
}

/// Somebody stopped the endpoint, so it stays stopped.
fn stopped(existing: &ExistingEndpoint) -> CommandError {
    CommandError::refused(format!(
        "endpoint `{}` is `Stopped` in Domino: somebody stopped it, and it stays so",
        existing.api.name
    ))
    .hint("when it may run again, publish it with `--put-back`")
}

/// Completes what is wanted with what exists. What somebody changed since our last publish stays, unless it is to be
/// reset.
fn keep(existing: &ExistingEndpoint, said: &Said, put_back: bool, wanted: &mut Wanted) -> Kept {
    let (api, base) = (&existing.api, existing.base());
    let of = wanted.marker.of.clone();
    let last = existing.last_written(&of);
    let last = last.as_ref();
    let mut kept = Kept {
        carried: carried(said, api, base),
        remarks: Vec::new(),
    };
    let desired = &mut wanted.desired;
    desired.name = api.name.clone();
    desired.carried = api.carried.clone();
    if let Some(base) = base {
        desired.carried_version = base.carried.clone();
        desired.carried_version.extend(monitored(said.monitoring));
        desired.logs_requests = said
            .logs_requests
            .or(base.logs_requests)
            .unwrap_or_default();
    }
    if !said.hardware_tier {
        desired.hardware_tier_id = api.hardware_tier_id.clone();
    }
    let by_hand = |is_ours: bool| !put_back && !is_ours;
    let mut replicas = said.replicas.or(api.replicas);
    let mut written = replicas;
    if let (Some(wish), Some(told)) = (said.replicas, api.replicas)
        && wish != told
        && by_hand(existing.is_written(&of, |written| written.replicas == told))
    {
        replicas = Some(told);
        written = Some(last.map_or(wish, |last| last.replicas));
        kept.remarks.push(format!(
            "endpoint `{}` has `replicas` {told} in Domino, which is not what we last gave it, and stages.toml says \
             {wish}: it keeps {told}; `--put-back` makes it {wish}",
            api.name
        ));
    } else if said.replicas.is_none() {
        written = last.map(|last| last.replicas).or(replicas);
    }
    desired.replicas = replicas;
    let (told, _) = text_and_variables(&api.description);
    let mut text = fingerprint_of_text(&told);
    desired.description = api.description.clone();
    if let Some(wish) = &said.description
        && *wish != told
    {
        if by_hand(existing.is_written(&of, |written| written.text == text)) {
            text = last.map_or_else(|| fingerprint_of_text(wish), |last| last.text.clone());
            kept.remarks.push(format!(
                "somebody wrote another description of endpoint `{}` in Domino than we last did: it stays; `--put-back` \
                 writes that of stages.toml",
                api.name
            ));
        } else {
            text = fingerprint_of_text(wish);
            desired.description = wish.clone();
        }
    }
    wanted.marker.written = Some(Written {
        replicas: written.unwrap_or(DEFAULT_REPLICAS),
        text,
        variables: fingerprint_of_variables(&desired.environment_variables),
    });
    kept
}

/// What a version says of monitoring, which needs what was asked and answered to be recorded. The data set of the
/// predictions is carried over.
pub(crate) fn monitored(said: Option<bool>) -> Carried {
    let mut fields = Carried::new();
    if let Some(is_on) = said {
        fields.insert("monitoringEnabled".into(), is_on.into());
        if is_on {
            fields.insert("recordInvocation".into(), true.into());
        }
    }
    fields
}

/// What a new endpoint says of how it is called; one that is there keeps what it has.
pub(crate) fn fixed_at_creation(said: &EndpointSettings) -> Carried {
    let is_async = said.asynchronous.filter(|is_async| *is_async);
    let is_async = is_async.map(|is_async| ("isAsync".to_owned(), is_async.into()));
    let bundle = said.bundle.as_deref();
    let bundle = bundle.map(|bundle| ("bundleId".to_owned(), bundle.into()));
    is_async.into_iter().chain(bundle).collect()
}

/// The content of the marker of a first version.
pub(crate) fn first_written(wanted: &Wanted) -> Written {
    let desired = &wanted.desired;
    Written {
        replicas: desired.replicas.unwrap_or(DEFAULT_REPLICAS),
        text: fingerprint_of_text(desired.description.trim()),
        variables: fingerprint_of_variables(&desired.environment_variables),
    }
}

/// What the stage file does not mention and the next version takes over, in words.
fn carried(said: &Said, api: &ModelApi, base: Option<&ModelApiVersion>) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |is_carried: bool, text: &str| {
        if is_carried {
            words.push(text.to_owned());
        }
    };
    let replicas = api.replicas.filter(|_| said.replicas.is_none());
    add(
        replicas.is_some(),
        &format!("replicas ({})", replicas.unwrap_or_default()),
    );
    let has_text = !text_and_variables(&api.description).0.is_empty();
    add(said.description.is_none() && has_text, "description");
    add(
        !said.hardware_tier && api.hardware_tier_id.is_some(),
        "hardware tier",
    );
    add(
        !said.environment && api.environment_id.is_some(),
        "environment",
    );
    let logs = base.is_some_and(|base| base.logs_requests == Some(true));
    add(said.logs_requests.is_none() && logs, "log of requests");
    words.extend(carried_words(&api.carried));
    if let Some(base) = base {
        let mut carried = base.carried.clone();
        carried.retain(|name, _| !monitored(said.monitoring).contains_key(name));
        words.extend(carried_words(&carried));
    }
    words
}
