//! The keys of jobs, apps and models, and of what differs in one stage.
//!
//! Data only; what a key means for the programs is said where its type is.

use super::Form::*;
use super::Need::*;
use super::app_settings::{AUTOSCALING_KEY, BUNDLE, DISCOVERABLE, VANITY_URL, VIEWER_IDENTITY};
use super::run_settings::{
    CAPACITY, CLUSTER_KEY, NETAPP_VOLUMES, SNAPSHOT_DATASETS, VOLUME_SIZE, VOLUMES, in_stage,
};
use super::stage::ENVIRONMENT;
use super::{Section, key};

/// `[job.<name>]`.
pub static JOB: Section = Section {
    header: "[job.<name>]",
    about: "A command that runs once a deployment, or on a schedule.",
    keys: &[
        key("command", Text, Required, "The command as Domino runs it."),
        key(
            "title",
            Text,
            Otherwise("the job's name"),
            "What people read in Domino's list.",
        ),
        key(
            "schedule",
            Table(&SCHEDULE),
            Otherwise("it runs once a deployment"),
            "When it runs by itself.",
        ),
        VOLUMES,
        NETAPP_VOLUMES,
        VOLUME_SIZE,
        CLUSTER_KEY,
        CAPACITY,
        SNAPSHOT_DATASETS,
        key(
            "timeout",
            Text,
            Default("\"1h\""),
            "How long a run may take, at most five days: `30m`, `5h`, `2d`. GitHub's own runners end a job after 6 hours.",
        ),
        key(
            "wait",
            Flag,
            Default("true"),
            "Whether the step waits until the run ends. With `false` it starts the run, and the next stage does not wait \
             either; what became of the run, the next one says and `follow.yml`. Not for a job that something comes after.",
        ),
        key(
            "stages",
            Texts,
            Otherwise("the first stage, where a model is `trained-by` it; else every stage"),
            "The stages that it is deployed to.",
        ),
        key(
            "after",
            Texts,
            Default("[]"),
            "The jobs that come before it in a stage: it is deployed once they are, and not when one of them failed.",
        ),
        key(
            "paths",
            Texts,
            Otherwise("those that its command names"),
            "Files, and folders with a `/` at their end, of which a change deploys it too.",
        ),
        key(
            "stage",
            Named(&JOB_PLACEMENT),
            Otherwise("the same in every stage"),
            "What differs in one stage.",
        ),
    ],
};

/// `schedule = { … }` of a job.
pub static SCHEDULE: Section = Section {
    header: "schedule = { … }",
    about: "When a job runs by itself.",
    keys: &[
        key(
            "cron",
            Text,
            Required,
            "A Quartz cron expression: seconds first, six or seven fields, `?` for the day that is not meant.",
        ),
        key("timezone", Text, Default("\"UTC\""), "An IANA time zone."),
        key(
            "paused",
            Texts,
            Default("[]"),
            "The stages in which the schedule exists but is paused.",
        ),
        key(
            "concurrent",
            Flag,
            Default("false"),
            "Whether a run may start while the one before still runs.",
        ),
        key(
            "notify",
            Texts,
            Default("[]"),
            "The e-mail addresses told when a run ends.",
        ),
    ],
};

/// `[job.<name>.stage.<stage>]`.
pub static JOB_PLACEMENT: Section = Section {
    header: "[job.<name>.stage.<stage>]",
    about: "What a job has of its own in one stage.",
    keys: &[
        key(
            "hardware-tier",
            Text,
            Otherwise("the stage's"),
            "A hardware tier, by id or name.",
        ),
        key(
            "environment",
            TextOr(&ENVIRONMENT),
            Otherwise("the stage's"),
            "A compute environment, by id or name.",
        ),
        in_stage(VOLUMES, "the job's"),
        in_stage(NETAPP_VOLUMES, "the job's"),
        in_stage(VOLUME_SIZE, "the job's"),
        in_stage(CLUSTER_KEY, "the job's"),
        in_stage(CAPACITY, "the job's"),
        in_stage(SNAPSHOT_DATASETS, "the job's"),
        key(
            "timeout",
            Text,
            Otherwise("the job's"),
            "How long a run may take there.",
        ),
        key(
            "wait",
            Flag,
            Otherwise("the job's"),
            "Whether the step waits there until the run ends.",
        ),
    ],
};

/// `[app.<name>]`.
pub static APP: Section = Section {
    header: "[app.<name>]",
    about: "A web app.",
    keys: &[
        key(
            "entry-point",
            Text,
            Required,
            "The script that starts it, from the top of the repository.",
        ),
        key(
            "description",
            Text,
            Default("\"\""),
            "What people read in Domino.",
        ),
        key(
            "visibility",
            Word(&[
                "public",
                "authenticated",
                "grant-based",
                "grant-based-strict",
            ]),
            Default("\"grant-based\""),
            "Who may open it.",
        ),
        VOLUMES,
        NETAPP_VOLUMES,
        AUTOSCALING_KEY,
        VIEWER_IDENTITY,
        VANITY_URL,
        DISCOVERABLE,
        BUNDLE,
        key(
            "api",
            Word(&["v1", "beta", "v4"]),
            Otherwise("the newest that the Domino has"),
            "The API of Domino's for apps to use; `--api` goes before it.",
        ),
        key(
            "health-path",
            Text,
            Otherwise("Domino's word is enough"),
            "The path below the app's URL that must answer.",
        ),
        key(
            "health-status",
            Number(100, 599),
            Default("200"),
            "The HTTP status expected there.",
        ),
        key(
            "timeout",
            Text,
            Default("\"15m\""),
            "How long a new version may take until it serves, at most five days, and as long again to put the one before back.",
        ),
        key(
            "after",
            Texts,
            Default("[]"),
            "The apps that come before it in a stage: it is deployed once they are, and not when one of them failed.",
        ),
        key(
            "paths",
            Texts,
            Otherwise("those that it names"),
            "Files, and folders with a `/` at their end, of which a change deploys it too.",
        ),
        key(
            "stage",
            Named(&APP_PLACEMENT),
            Otherwise("the same in every stage"),
            "What differs in one stage.",
        ),
    ],
};

/// `[app.<name>.stage.<stage>]`.
pub static APP_PLACEMENT: Section = Section {
    header: "[app.<name>.stage.<stage>]",
    about: "What an app has of its own in one stage.",
    keys: &[
        key(
            "hardware-tier",
            Text,
            Otherwise("the stage's"),
            "A hardware tier, by id or name.",
        ),
        key(
            "environment",
            TextOr(&ENVIRONMENT),
            Otherwise("the stage's"),
            "A compute environment, by id or name.",
        ),
        key(
            "timeout",
            Text,
            Otherwise("the app's"),
            "How long a new version may take there.",
        ),
        in_stage(VOLUMES, "the app's"),
        in_stage(NETAPP_VOLUMES, "the app's"),
        in_stage(AUTOSCALING_KEY, "the app's"),
        in_stage(VIEWER_IDENTITY, "the app's"),
        in_stage(VANITY_URL, "the app's"),
        in_stage(DISCOVERABLE, "the app's"),
        in_stage(BUNDLE, "the app's"),
        key(
            "name",
            Text,
            Otherwise("`<app>-<stage>`"),
            "The app's name in Domino; that of an app that is there already is taken over.",
        ),
    ],
};

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
        key(
            "replicas",
            Number(1, 32),
            Otherwise("what the endpoint has; Domino's default for a new one, mostly 2"),
            "How many replicas serve it.",
        ),
        key(
            "asynchronous",
            Flag,
            Otherwise("what the endpoint has; `false` for a new one"),
            "Whether callers leave a request there and fetch the answer later. It is fixed when the endpoint is made.",
        ),
        key(
            "monitoring",
            Flag,
            Otherwise("what the endpoint has; `false` for a new one"),
            "Whether Domino monitors the model. With `true` it records what is asked and answered, and the prediction \
             data set goes on from version to version.",
        ),
        key(
            "endpoint-host",
            Text,
            Otherwise("Domino's own, or `DOMINO_MODEL_HOST`"),
            "The host where the endpoint is called: that of a remote data plane.",
        ),
        key(
            "routing",
            Word(&["basic", "advanced"]),
            Otherwise("what the endpoint has"),
            "Which version callers get. With `advanced` a new version is tested as `latest`, and the label `prod`, which \
             callers use, moves to it only then. Only a person can switch an endpoint to it.",
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
        key(
            "hardware-tier",
            Text,
            Otherwise("the stage's"),
            "A hardware tier, by id or name.",
        ),
        key(
            "environment",
            TextOr(&ENVIRONMENT),
            Otherwise("the stage's"),
            "A compute environment, by id or name.",
        ),
        key(
            "timeout",
            Text,
            Otherwise("the model's"),
            "How long a new version may take there.",
        ),
        key(
            "replicas",
            Number(1, 32),
            Otherwise("the model's"),
            "How many replicas serve it.",
        ),
        key(
            "endpoint",
            Text,
            Otherwise("`<model>-<stage>`"),
            "The endpoint's name.",
        ),
        key(
            "asynchronous",
            Flag,
            Otherwise("the model's"),
            "Whether callers leave a request there and fetch the answer later. It is fixed when the endpoint is made.",
        ),
        key(
            "monitoring",
            Flag,
            Otherwise("the model's"),
            "Whether Domino monitors the model. With `true` it records what is asked and answered, and the prediction \
             data set goes on from version to version.",
        ),
        key(
            "endpoint-host",
            Text,
            Otherwise("the model's"),
            "The host where the endpoint is called: that of a remote data plane.",
        ),
        key(
            "routing",
            Word(&["basic", "advanced"]),
            Otherwise("the model's"),
            "Which version callers get. With `advanced` a new version is tested as `latest`, and the label `prod`, which \
             callers use, moves to it only then. Only a person can switch an endpoint to it.",
        ),
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
