//! The keys of jobs, and of what differs in one stage.
//!
//! Data only; what a key means for the programs is said where its type is.

use super::Form::*;
use super::Need::*;
use super::run_settings::{
    CAPACITY, CLUSTER_KEY, NETAPP_VOLUMES, OWN_ENVIRONMENT, OWN_HARDWARE_TIER, SNAPSHOT_DATASETS,
    VOLUME_SIZE, VOLUMES, in_stage,
};
use super::{Section, key};

/// `[job.<name>]`.
pub static JOB: Section = Section {
    header: "[job.<name>]",
    about: "A command that runs once a deployment, or on a schedule. It has neither `bundle`, which no API of Domino's \
            takes for a run or a schedule, nor `api`, since one API has all that runs need.",
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
        OWN_HARDWARE_TIER,
        OWN_ENVIRONMENT,
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
