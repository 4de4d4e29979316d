//! The keys of models, and of what differs in one stage.
//!
//! Data only; what a key means for the programs is said where its type is.

use super::Form::*;
use super::Need::*;
use super::run_settings::{OWN_ENVIRONMENT, OWN_HARDWARE_TIER, in_stage};
use super::{Key, Section, key};

const REPLICAS: Key = key(
    "replicas",
    Number(1, 32),
    Otherwise("what the endpoint has; Domino's default for a new one, mostly 2"),
    "How many replicas serve it.",
);

const ASYNCHRONOUS: Key = key(
    "asynchronous",
    Flag,
    Otherwise("what the endpoint has; `false` for a new one"),
    "Whether callers leave a request there and fetch the answer later. It is fixed when the endpoint is made.",
);

const MONITORING: Key = key(
    "monitoring",
    Flag,
    Otherwise("what the endpoint has; `false` for a new one"),
    "Whether Domino monitors the model. With `true` it records what is asked and answered, and the prediction \
     data set goes on from version to version.",
);

const ENDPOINT_HOST: Key = key(
    "endpoint-host",
    Text,
    Otherwise("Domino's own, or `DOMINO_MODEL_HOST`"),
    "The host where the endpoint is called: that of a remote data plane.",
);

const ROUTING: Key = key(
    "routing",
    Word(&["basic", "advanced"]),
    Otherwise("what the endpoint has"),
    "Which version callers get. With `advanced` a new version is tested as `latest`, and the label `prod`, which \
     callers use, moves to it only then. Only a person can switch an endpoint to it.",
);

const BUNDLE: Key = key(
    "bundle",
    Text,
    Otherwise("what the endpoint has"),
    "The governance bundle that a new endpoint belongs to, by id; its gates are asked before it is made. No route of \
     Domino's changes it later. Not by `models`.",
);

/// `[model.<name>]`.
pub static MODEL: Section = Section {
    header: "[model.<name>]",
    about: "A model that is served as an endpoint: a registered model, or a function in a file.",
    keys: &[
        key(
            "registered-model",
            Text,
            Otherwise("`file` and `function` say what is served"),
            "The registered model.",
        ),
        key(
            "version",
            TextOrNumber,
            Default("\"latest\""),
            "Which version of it: `4`, `\"latest\"`, `\"stage:Staging\"` or `\"alias:champion\"`.",
        ),
        key(
            "trained-by",
            Text,
            Otherwise("`version` says which version"),
            "The job that trains it. Its run comes first in the workflow, and the version that the run registers is the \
             one that the first stage publishes; every later stage gets the same.",
        ),
        key(
            "file",
            Text,
            Otherwise("`registered-model` says what is served"),
            "The file that holds the function, from the top of the repository.",
        ),
        key(
            "function",
            Text,
            Otherwise("`registered-model` says what is served"),
            "The function in it.",
        ),
        key(
            "description",
            Text,
            Otherwise("what the endpoint has"),
            "What people read in Domino.",
        ),
        REPLICAS,
        ASYNCHRONOUS,
        MONITORING,
        ENDPOINT_HOST,
        ROUTING,
        BUNDLE,
        key(
            "api",
            Word(&["model-serving", "models"]),
            Otherwise("the newest that the Domino has"),
            "The API of Domino's for endpoints to publish by: `/api/modelServing/v1`, or the older `/v1/models`.",
        ),
        key(
            "environment-variables",
            Variables,
            Default("{}"),
            "Environment variables of the endpoint. Never secrets: Domino shows them.",
        ),
        key(
            "smoke-test",
            Text,
            Otherwise("no smoke test"),
            "A JSON Lines file of recorded requests, from the top of the repository.",
        ),
        key(
            "log-requests",
            Flag,
            Otherwise("what the endpoint has; `false` for a new one"),
            "Whether Domino logs requests and replies.",
        ),
        key(
            "metric-rules",
            Texts,
            Default("[]"),
            "Rules on a version's metrics: `rmse must not rise by more than 2 %`, `r2 must be at least 0.8`, with the \
             data set where there are several: `rmse on wine-test must be at most 0.6`.",
        ),
        key(
            "baseline",
            Word(&["required", "optional"]),
            Default("\"required\""),
            "Whether a rule that compares fails when the version that is replaced has no value of the metric.",
        ),
        key(
            "timeout",
            Text,
            Default("\"40m\""),
            "How long a new version may take until it serves, at most five days, and as long again, and 5 minutes, to put the one before back.",
        ),
        key(
            "after",
            Texts,
            Default("[]"),
            "The models that come before it in a stage: it is deployed once they are, and not when one of them failed.",
        ),
        key(
            "paths",
            Texts,
            Otherwise("those that it names"),
            "Files, and folders with a `/` at their end, of which a change deploys it too.",
        ),
        key(
            "stage",
            Named(&MODEL_PLACEMENT),
            Otherwise("the same in every stage"),
            "What differs in one stage.",
        ),
    ],
};

/// `[model.<name>.stage.<stage>]`.
pub static MODEL_PLACEMENT: Section = Section {
    header: "[model.<name>.stage.<stage>]",
    about: "What a model endpoint has of its own in one stage.",
    keys: &[
        OWN_HARDWARE_TIER,
        OWN_ENVIRONMENT,
        key(
            "timeout",
            Text,
            Otherwise("the model's"),
            "How long a new version may take there.",
        ),
        in_stage(REPLICAS, "the model's"),
        key(
            "endpoint",
            Text,
            Otherwise("`<model>-<stage>`"),
            "The endpoint's name.",
        ),
        in_stage(ASYNCHRONOUS, "the model's"),
        in_stage(MONITORING, "the model's"),
        in_stage(ENDPOINT_HOST, "the model's"),
        in_stage(ROUTING, "the model's"),
        in_stage(BUNDLE, "the model's"),
        key(
            "environment-variables",
            Variables,
            Otherwise("the model's"),
            "Environment variables over the model's own.",
        ),
        key(
            "metric-rules",
            Texts,
            Otherwise("the model's"),
            "Rules on a version's metrics in place of the model's own.",
        ),
    ],
};
