//! The rules of a stage file: this table, and one small function for each below it.
//!
//! Whether a key exists and has the right type is settled before; here is what the values must mean,
//! each and together. Nothing is looked up outside the file.

mod app_settings;
mod drift;
mod endpoint;
mod entity;
mod gate;
mod job;
mod model;
mod name;
mod order;
mod pipeline;
mod rule;
mod run_settings;
mod schedule;
mod stage;
#[cfg(test)]
mod tests;
mod tier;
mod toml_version;
mod value;
mod wait;

use std::cell::OnceCell;

use jiff::Timestamp;

pub use self::rule::Rule;
use self::rule::{Book, Report, error, warning};
use super::StageFile;
use super::found::Findings;

/// The rule book. The first three settle a value: what they find is not looked at by the others.
pub static RULES: &[Rule] = &[
    error(
        "blank",
        "a value is not empty, and has no blank at its start or end",
        value::blank,
    ),
    error(
        "placeholder",
        "no value is left for later: `<TODO>`, `nill`, `changeme`",
        value::placeholder,
    ),
    error(
        "secret",
        "no key or value looks like a secret",
        value::secret,
    ),
    error(
        "unsafe-text",
        "no value holds a control character, an invisible one or `${{`",
        value::unsafe_text,
    ),
    error(
        "leading-dash",
        "no value begins with `-`, as an option does",
        value::leading_dash,
    ),
    error(
        "name",
        "names of stages, jobs, apps and models are letters, digits, `-` and `_`, and begin with a letter",
        name::legal,
    ),
    error(
        "reserved-name",
        "no name is a word that YAML takes for something else",
        name::reserved,
    ),
    error(
        "duplicate-name",
        "names and GitHub environments differ by more than case",
        name::duplicate,
    ),
    error(
        "unknown-stage",
        "`stages`, `paused` and the tables for one stage name stages that exist",
        name::unknown_stage,
    ),
    error(
        "job-stages",
        "a job is deployed to a stage, and nothing is said of it for another one",
        job::stages,
    ),
    error(
        "timeout",
        "a timeout is a number of minutes, hours or days, at most five days: `30m`, `5h`, `2d`",
        job::timeout,
    ),
    error(
        "wait",
        "a step waits for a run that something comes after",
        wait::wait,
    ),
    error("volumes", "a volume is mounted once", run_settings::volumes),
    error(
        "volume-size",
        "the size of a disk is of a job that runs once a deployment",
        run_settings::volume_size,
    ),
    error(
        "cluster",
        "a cluster has at most as many workers as `max-workers`, and an environment that is known without the stage before",
        run_settings::cluster,
    ),
    error(
        "branch",
        "the branch is a name that git takes",
        pipeline::branch,
    ),
    error(
        "runner",
        "the runner is the label of a runner",
        pipeline::runner,
    ),
    error(
        "release",
        "`install = \"release\"` and `\"pip\"` say which release, and nothing else does",
        pipeline::release,
    ),
    error(
        "release-token-secret",
        "the token of a private release repository is named by its GitHub secret",
        pipeline::release_token_secret,
    ),
    error(
        "drift",
        "`drift` is a cron expression of GitHub's, with a time zone that exists",
        drift::drift,
    ),
    error(
        "follow",
        "`follow` is a cron expression of GitHub's, with a time zone that exists",
        drift::follow,
    ),
    error(
        "read-token",
        "a token is named by the variable that holds it",
        drift::read_token,
    ),
    error("wheel", "a wheel is named by its SHA-256", pipeline::wheel),
    error("accept", "`accept` names warnings", pipeline::accept),
    error(
        "host",
        "a host is a name or an `https` URL that ends after the host",
        stage::host,
    ),
    error("project", "a project is `owner/name`", stage::project),
    error(
        "revision",
        "a revision is `active`, `latest` or an id",
        stage::revision,
    ),
    error(
        "github-environment",
        "the name of a GitHub environment is not longer than GitHub takes",
        stage::github_environment,
    ),
    error(
        "approvers",
        "approvers are at most six GitHub users or `team:<slug>`, each once",
        stage::approvers,
    ),
    error(
        "service-account",
        "a service account has a name that Domino takes, and stages of one Domino have one each",
        stage::service_account,
    ),
    error(
        "gate",
        "a stage that is entered by hand is not the first, and names users who may start the run",
        stage::gate,
    ),
    warning(
        "no-approvers",
        "the last of several stages has approvers, and so has each whose gates ask for an approval on GitHub",
        stage::no_approvers,
    ),
    error(
        "model-stage",
        "`model-stage` is one that model versions are promoted to",
        stage::model_stage,
    ),
    warning(
        "shared-model-stage",
        "no two stages promote to the same `model-stage`",
        stage::shared_model_stage,
    ),
    error(
        "gates",
        "a gate has what it needs, and no gate is without effect",
        gate::gates,
    ),
    error(
        "soak",
        "a soak time is a number of minutes, hours or days: `90m`, `24h`, `7d`",
        gate::soak,
    ),
    error(
        "data-plane",
        "where a stage names its data plane, every entity has a hardware tier, which is what chooses it",
        tier::data_plane,
    ),
    warning(
        "no-tier",
        "every entity has a hardware tier in every stage",
        tier::no_tier,
    ),
    warning(
        "shared-tier",
        "no two stages share a project and a hardware tier",
        tier::shared_tier,
    ),
    error("cron", "a cron expression is one of Quartz", schedule::cron),
    warning("never-fires", "a schedule fires", schedule::never_fires),
    warning(
        "rare-schedule",
        "a schedule fires on more than one day a year",
        schedule::rare,
    ),
    warning(
        "numbered-weekday",
        "days of the week have names in a cron expression",
        schedule::numbered_weekday,
    ),
    error(
        "time-zone",
        "a time zone is one that exists",
        schedule::time_zone,
    ),
    warning(
        "time-zone-alias",
        "a time zone has the name it has today",
        schedule::time_zone_alias,
    ),
    warning(
        "clock-change",
        "no fixed time of a schedule is left out within a year when the clock of its zone goes forward",
        schedule::clock_change,
    ),
    error(
        "e-mail",
        "who is notified is an e-mail address",
        schedule::email,
    ),
    error(
        "path",
        "a file is named from the top of the repository and lies inside it",
        entity::path,
    ),
    error(
        "after",
        "what comes before another is of its kind, and nothing comes before itself",
        order::after,
    ),
    error("together", "`together` has an effect", pipeline::together),
    error(
        "health",
        "a health check has a path that begins with one `/`",
        entity::health,
    ),
    error(
        "autoscaling",
        "an app has at most as many instances as `max`",
        app_settings::autoscaling,
    ),
    error(
        "vanity-url",
        "a vanity URL is letters, digits and `-`, and of one app in one stage of a Domino",
        app_settings::vanity_url,
    ),
    error(
        "thumbnail",
        "the thumbnail of an app is a picture by its name",
        app_settings::thumbnail,
    ),
    error(
        "duplicate-app",
        "no two apps or stages publish to one app of Domino",
        entity::duplicate_app,
    ),
    error(
        "environment-variable",
        "environment variables have names that a shell takes",
        entity::environment_variable,
    ),
    error(
        "model-source",
        "a model is a registered model, or a function in a file",
        model::source,
    ),
    error(
        "trained-by",
        "a model is trained by a job that runs once a deployment, in the first stage",
        model::trained_by,
    ),
    error(
        "version",
        "a version is a number, `latest`, `stage:<stage>` or `alias:<alias>`",
        model::version,
    ),
    error(
        "endpoint",
        "an endpoint has a name that Domino takes",
        model::endpoint,
    ),
    error(
        "endpoint-host",
        "an endpoint's host is a host, and is reached by `https`",
        endpoint::host,
    ),
    error(
        "asynchronous",
        "an asynchronous endpoint does not route by labels",
        endpoint::asynchronous,
    ),
    error(
        "duplicate-endpoint",
        "no two models or stages publish to one endpoint",
        model::duplicate_endpoint,
    ),
    error(
        "metric-rule",
        "a metric rule is one of the sentences that are understood",
        model::metric_rule,
    ),
    warning(
        "toml-version",
        "the file is one of TOML 1.0, which every editor and Python's `tomllib` read",
        toml_version::toml_version,
    ),
];

/// Looks at the file by every rule.
pub(super) fn check(file: &StageFile, now: Timestamp, findings: &mut Findings<'_>) {
    let tree = findings.tree;
    let book = Book {
        file,
        tree,
        leaves: tree.leaves(),
        now,
        crons: OnceCell::new(),
        rules: RULES,
    };
    for rule in RULES {
        (rule.check)(&book, &mut Report { rule, findings });
    }
}
