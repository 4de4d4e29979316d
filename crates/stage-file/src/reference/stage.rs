//! The keys of the pipeline and of the stages.
//!
//! Data only; what a key means for the programs is said where its type is.

use super::Form::*;
use super::Need::*;
use super::{Section, key};

/// `[pipeline]`.
pub static PIPELINE: Section = Section {
    header: "[pipeline]",
    about: "What starts the pipeline and what its steps run on.",
    keys: &[
        key(
            "branch",
            Text,
            Default("\"main\""),
            "The production branch: a push to it starts the pipeline.",
        ),
        key(
            "runner",
            TextsOr(&RUNNER),
            Default("\"ubuntu-24.04\""),
            "The GitHub runners: a label, or several that one must have.",
        ),
        key(
            "install",
            Word(&["build", "release", "pip"]),
            Default("\"build\""),
            "Where the programs come from: built from this repository, the archive of a published release, or the wheel of one.",
        ),
        key(
            "release",
            Text,
            Otherwise("required with `install = \"release\"` and `\"pip\"`"),
            "The release to install, such as `v1.2.0`.",
        ),
        key(
            "release-repository",
            Text,
            Otherwise("required with `install = \"release\"`"),
            "The GitHub repository that publishes the release, `owner/name`.",
        ),
        key(
            "release-token-secret",
            Text,
            Otherwise("the job's own token"),
            "With `install = \"release\"`: the GitHub secret that holds a token for a private `release-repository`.",
        ),
        key(
            "wheel-sha256",
            Texts,
            Otherwise("required with `install = \"pip\"`"),
            "The SHA-256 of the wheel, one for each kind of machine among the runners.",
        ),
        key(
            "drift",
            Text,
            Otherwise("nobody looks"),
            "When `drift.yml` looks whether Domino is still as this file says, as GitHub's cron: `0 6 * * *`.",
        ),
        key(
            "drift-timezone",
            Text,
            Otherwise("UTC"),
            "The time zone of `drift`, by its IANA name.",
        ),
        key(
            "follow",
            Text,
            Otherwise("nobody looks"),
            "When `follow.yml` follows the runs that no step waits for, as GitHub's cron: `0 * * * *`.",
        ),
        key(
            "follow-timezone",
            Text,
            Otherwise("UTC"),
            "The time zone of `follow`, by its IANA name.",
        ),
        key(
            "queue",
            Word(&["single", "max"]),
            Default("\"single\""),
            "What becomes of commits that wait for a stage while another one is deployed or waits for its approval: `single` keeps the newest and GitHub cancels the others, `max` deploys each in turn, a hundred at most.",
        ),
        key(
            "paths",
            Texts,
            Default("[]"),
            "Files, and folders with a `/` at their end, of which a change deploys everything, beside this file and what is below `src/project/`.",
        ),
        key(
            "promote",
            Word(&["outside", "inside"]),
            Default("\"outside\""),
            "Who writes to the experiment manager when a version is promoted, asked for or put back: the step itself, or a run of `promote-stage` that it starts in the stage's project, where the experiment manager takes no writes from outside of Domino. It runs where the stage's jobs do, and `promote-stage` must be in that compute environment.",
        ),
        key(
            "remote-logs",
            Word(&["stream", "on-failure", "never"]),
            Default("\"stream\""),
            "How much of the log of a run, an app or a build stands in the log on GitHub, which whoever reads the repository's Actions can read: every line, the last ones of what failed, or none.",
        ),
        key(
            "receipts",
            Word(&["notes", "artifact", "none"]),
            Default("\"artifact\""),
            "Where the receipt of each deployment is kept: with `notes` in the repository as git notes on the deployed \
             commit, written by a job that may write to the repository and holds no secret of Domino, and in the run as an \
             artifact; with `artifact` in the run alone, for as long as GitHub keeps it; or nowhere.",
        ),
        key(
            "back",
            Flag,
            Default("false"),
            "Write `back.yml`, a workflow that a person starts to go back to what ran in a stage before: it needs the \
             stage's approvals, and no token of anybody.",
        ),
        key(
            "side-by-side",
            Flag,
            Default("true"),
            "Whether what a stage deploys is deployed side by side, ten at a time. `false` for GitHub Enterprise Server and \
             older runners, which do not know such steps: then one after the other, and the first failure ends the stage.",
        ),
        key(
            "together",
            Flag,
            Default("false"),
            "Whether the next stage gets nothing unless everything passed; otherwise it gets what passed.",
        ),
        key(
            "accept",
            Texts,
            Default("[]"),
            "Warnings that are right for this file, by their names.",
        ),
    ],
};

/// `[stage.<name>]`.
pub static STAGE: Section = Section {
    header: "[stage.<name>]",
    about: "One stage: a GitHub environment, a Domino data plane and a stage of the experiment manager at once.",
    keys: &[
        key(
            "host",
            Text,
            Required,
            "The Domino host. `https` is assumed; plain `http` only to this machine.",
        ),
        key(
            "project",
            Text,
            Required,
            "The Domino project, `owner/name`.",
        ),
        key(
            "environment",
            TextOr(&ENVIRONMENT),
            Otherwise("the project's own"),
            "The compute environment, by id or name.",
        ),
        key(
            "hardware-tier",
            TextOr(&HARDWARE_TIER),
            Otherwise("the project's own, with a warning"),
            "The hardware tier, by id or name: one for all kinds, or one a kind.",
        ),
        key(
            "data-plane",
            Text,
            Otherwise("not checked"),
            "The data plane that the hardware tiers must belong to, by id or name; whatever is deployed then needs a tier.",
        ),
        key(
            "github-environment",
            Text,
            Otherwise("the stage's name"),
            "The GitHub environment that gates this stage.",
        ),
        key(
            "approvers",
            Texts,
            Default("[]"),
            "Who approves on GitHub: user names, or `team:<slug>`; at most 6.",
        ),
        key(
            "self-approval",
            Word(&["refuse", "warn"]),
            Default("\"refuse\""),
            "What becomes of an approval on GitHub by whoever started the run or trained the version: it does not count, or counts with a warning, for a team of one.",
        ),
        key(
            "gate",
            Word(&["environment", "dispatch"]),
            Default("\"environment\""),
            "What lets a run in: the GitHub environment; or, where GitHub's plan has no required reviewers, one of `approvers` who did not write the commit and starts a run by hand for this stage (its input `stage`), once the stage before is green.",
        ),
        key(
            "wait-timer",
            Number(0, 43_200),
            Default("0"),
            "GitHub's wait timer, in minutes.",
        ),
        key(
            "model-stage",
            Text,
            Otherwise("model versions do not change stage"),
            "The experiment manager's stage that a model version gets here: `Staging`, `Production`.",
        ),
        key(
            "read-token",
            Text,
            Otherwise("`DOMINO_TOKEN_<STAGE>`"),
            "The variable with a token that may read this stage, for `domino-pipeline status`; in `drift.yml` and `follow.yml` the secret of that name.",
        ),
        key(
            "service-account",
            Text,
            Otherwise("`ci-<project>-<stage>`"),
            "The service account in Domino that deploys to this stage, for `domino-pipeline domino` and `rotate`.",
        ),
        key(
            "runner",
            TextsOr(&RUNNER),
            Otherwise("that of `[pipeline]`"),
            "The GitHub runners of this stage's jobs, such as those that reach its Domino. With `install = \"build\"` they must be able to run what the runners of `[pipeline]` build.",
        ),
        key(
            "gates",
            Table(&GATES),
            Otherwise("no gates"),
            "What must hold before a model version may enter.",
        ),
    ],
};

/// `hardware-tier = { … }`.
pub static HARDWARE_TIER: Section = Section {
    header: "hardware-tier = { … }",
    about: "The hardware tier of each kind; jobs, apps and model endpoints draw on different ones.",
    keys: &[
        key(
            "jobs",
            Text,
            Otherwise("the project's own, with a warning"),
            "For jobs and scheduled jobs.",
        ),
        key(
            "apps",
            Text,
            Otherwise("the project's own, with a warning"),
            "For apps.",
        ),
        key(
            "models",
            Text,
            Otherwise("Domino's own, with a warning"),
            "For model endpoints.",
        ),
    ],
};

/// `environment = { … }`.
pub static ENVIRONMENT: Section = Section {
    header: "environment = { … }",
    about: "A compute environment and which of its revisions runs.",
    keys: &[
        key(
            "name",
            Text,
            Required,
            "The compute environment, by id or name.",
        ),
        key(
            "revision",
            Text,
            Default("\"active\""),
            "`active`, `latest`, `as-before` (the one that the stage before ran, as its step handed it on), or the id of a revision. Endpoints, and apps before Domino 6.1, run the active one only: with another one they are refused.",
        ),
    ],
};

/// `runner = { … }`.
pub static RUNNER: Section = Section {
    header: "runner = { … }",
    about: "GitHub runners of a group.",
    keys: &[
        key("group", Text, Required, "The group of runners."),
        key(
            "labels",
            Texts,
            Default("[]"),
            "The labels that a runner of the group must have.",
        ),
    ],
};

/// `[stage.<name>.gates.evidence]`.
pub static EVIDENCE: Section = Section {
    header: "[stage.<name>.gates.evidence]",
    about: "What a request answers and attaches before anybody is asked; questions of the policy by id or text.",
    keys: &[
        key(
            "metrics",
            Text,
            Otherwise("it is not answered"),
            "The question that the sheet answers: the metrics of the version against those of the one that serves.",
        ),
        key(
            "lineage",
            Text,
            Otherwise("it is not answered"),
            "The question that the way from the training to the version answers.",
        ),
        key(
            "smoke-test",
            Text,
            Otherwise("it is not answered"),
            "The question that the smoke test of the version in the stage before answers, as its receipt has it.",
        ),
        key(
            "report",
            Text,
            Otherwise("nothing is attached"),
            "The folder that the sheet and the lineage are uploaded to as a file, which is attached to the bundle; among \
             the project's own files, which in a git-based project are its artifacts.",
        ),
    ],
};

/// `[stage.<name>.gates]`.
pub static GATES: Section = Section {
    header: "[stage.<name>.gates]",
    about: "What `promote-stage` asks for before a model version may enter the stage.",
    keys: &[
        key(
            "domino-approval",
            Word(&["governance", "review", "none"]),
            Default("\"none\""),
            "Where Domino records the approval: a governance bundle (Domino 6), a model review (5.8 to 5.11; unproven, since no specification describes them), or nowhere.",
        ),
        key(
            "policy",
            Text,
            Otherwise("required with `governance`"),
            "The governance policy, by id or name.",
        ),
        key(
            "policy-stage",
            Text,
            Otherwise("all of the policy's approvals are waited for"),
            "The last stage of the policy whose approvals are asked for and waited for; those of later ones may be given \
             after the deployment.",
        ),
        key(
            "evidence",
            Table(&EVIDENCE),
            Otherwise("nothing is answered or attached"),
            "What `promote-stage request` answers and attaches.",
        ),
        key(
            "reviewers",
            Texts,
            Otherwise("required with `review`"),
            "The Domino users who are asked to review.",
        ),
        key(
            "github-approval",
            Flag,
            Default("false"),
            "Whether the approval of this workflow run on GitHub is read back and checked.",
        ),
        key(
            "soak",
            Text,
            Otherwise("no wait"),
            "How long a version must have been in the stage before: `90m`, `24h`, `7d`.",
        ),
    ],
};
