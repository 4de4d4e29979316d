//! From the tables of a stage file to the types, with the defaults filled in.
//!
//! It takes what is well-formed and leaves the rest out: what is wrong is reported by `shape.rs` and the
//! rules, which look at the same tables, so that one run names everything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::table::{Table, whole_number};
use super::tree::Tree;
use super::{
    App, AppSettings, Autoscaling, Baseline, Cluster, DominoApproval, EndpointSettings, Evidence,
    Gates, HardwareTiers, Host, Install, Job, Model, ModelSource, Pipeline, Placement, ProjectName,
    RunSettings, Schedule, Stage, StageFile, VersionRule, Visibility, Volumes,
};

/// The file as far as it is well-formed.
pub(super) fn file(tree: &Tree<'_>, text: &str, path: &Path) -> StageFile {
    let root = Table {
        own: Some(tree.root()),
        under: None,
    };
    let defaults = root.table("defaults");
    let stages = root.named("stage", |name, table| {
        stage(
            name,
            Table {
                under: defaults.own,
                ..table
            },
        )
    });
    let models = root.named("model", model);
    StageFile {
        path: path.to_owned(),
        text: text.to_owned(),
        warnings: Vec::new(),
        pipeline: pipeline(root.table("pipeline")),
        jobs: root.named("job", |name, table| job(name, table, &stages, &models)),
        apps: root.named("app", app),
        stages,
        models,
    }
}

fn pipeline(table: Table<'_, '_>) -> Pipeline {
    let default = Pipeline::default();
    Pipeline {
        branch: table.text("branch").unwrap_or(default.branch),
        runner: table.runner().unwrap_or(default.runner),
        install: table.word("install").unwrap_or(Install::Build),
        release: table.text("release"),
        release_repository: table.text("release-repository"),
        release_token_secret: table.text("release-token-secret"),
        wheel_sha256: table.texts("wheel-sha256"),
        drift: table.text("drift"),
        drift_timezone: table.text("drift-timezone"),
        follow: table.text("follow"),
        follow_timezone: table.text("follow-timezone"),
        queue: table.word("queue").unwrap_or_default(),
        paths: table.texts("paths"),
        promote: table.word("promote").unwrap_or_default(),
        remote_logs: table.word("remote-logs").unwrap_or_default(),
        receipts: table.word("receipts").unwrap_or_default(),
        back: table.flag("back"),
        side_by_side: table.flag_or("side-by-side", default.side_by_side),
        together: table.flag("together"),
        accept: table.texts("accept"),
    }
}

fn stage(name: &str, table: Table<'_, '_>) -> Stage {
    Stage {
        name: name.to_owned(),
        host: table.parsed("host").unwrap_or_else(Host::missing),
        project: table.parsed("project").unwrap_or_else(ProjectName::missing),
        environment: table.environment(),
        hardware_tier: HardwareTiers {
            jobs: table.tier("jobs"),
            apps: table.tier("apps"),
            models: table.tier("models"),
        },
        data_plane: table.text("data-plane"),
        github_environment: table
            .text("github-environment")
            .unwrap_or_else(|| name.to_owned()),
        approvers: table.texts("approvers"),
        self_approval: table.word("self-approval").unwrap_or_default(),
        gate: table.word("gate").unwrap_or_default(),
        wait_timer: table.number("wait-timer").unwrap_or(0),
        model_stage: table.text("model-stage"),
        read_token: table.text("read-token"),
        service_account: table.text("service-account"),
        runner: table.runner(),
        gates: gates(table.table("gates")),
    }
}

fn evidence(table: Table<'_, '_>) -> Evidence {
    Evidence {
        metrics: table.text("metrics"),
        lineage: table.text("lineage"),
        smoke_test: table.text("smoke-test"),
        report: table.text("report"),
    }
}

fn gates(table: Table<'_, '_>) -> Gates {
    Gates {
        domino_approval: table
            .word("domino-approval")
            .unwrap_or(DominoApproval::None),
        policy: table.text("policy"),
        policy_stage: table.text("policy-stage"),
        evidence: evidence(table.table("evidence")),
        reviewers: table.texts("reviewers"),
        github_approval: table.flag("github-approval"),
        soak: table.text("soak"),
    }
}

fn job(name: &str, table: Table<'_, '_>, stages: &[Stage], models: &[Model]) -> Job {
    let trains = models
        .iter()
        .any(|model| model.trained_by.as_deref() == Some(name));
    let by_default = match trains {
        true => stages.get(..1).unwrap_or_default(),
        false => stages,
    };
    let deployed_to = match table.get("stages") {
        Some(_) => table.texts("stages"),
        None => by_default.iter().map(|stage| stage.name.clone()).collect(),
    };
    Job {
        name: name.to_owned(),
        command: table.text("command").unwrap_or_default(),
        title: table.text("title").unwrap_or_else(|| name.to_owned()),
        schedule: table
            .get("schedule")
            .map(|_| schedule(table.table("schedule"))),
        settings: run_settings(table),
        timeout: table.text("timeout"),
        wait: table.flag_or("wait", true),
        deployed_to,
        trains,
        after: table.texts("after"),
        paths: table.texts_if_any("paths"),
        stages: placements(table),
    }
}

fn run_settings(table: Table<'_, '_>) -> RunSettings {
    RunSettings {
        volumes: volumes(table),
        volume_size: table.number("volume-size"),
        cluster: cluster(table.table("cluster")),
        capacity: table.word("capacity"),
        snapshot_datasets: table.bool("snapshot-datasets"),
    }
}

fn volumes(table: Table<'_, '_>) -> Volumes {
    Volumes {
        external: table.texts_if_any("volumes"),
        netapp: table.texts_if_any("netapp-volumes"),
    }
}

fn app_settings(table: Table<'_, '_>) -> AppSettings {
    AppSettings {
        volumes: volumes(table),
        autoscaling: autoscaling(table.table("autoscaling")),
        viewer_identity: table.bool("viewer-identity"),
        vanity_url: table.text("vanity-url"),
        discoverable: table.bool("discoverable"),
        bundle: table.text("bundle"),
    }
}

/// `None` where it is not whole, which is reported elsewhere.
fn autoscaling(table: Table<'_, '_>) -> Option<Autoscaling> {
    Some(Autoscaling {
        min: table.number("min")?,
        max: table.number("max")?,
        cpu: table.number("cpu"),
        memory: table.number("memory"),
        scale_up_after: table.number("scale-up-after"),
        scale_down_after: table.number("scale-down-after"),
        session_affinity: table.bool("session-affinity"),
    })
}

/// `None` where it is not whole, which is reported elsewhere.
fn cluster(table: Table<'_, '_>) -> Option<Cluster> {
    Some(Cluster {
        r#type: table.word("type")?,
        workers: table.number("workers")?,
        max_workers: table.number("max-workers"),
        worker_tier: table.text("worker-tier")?,
        master_tier: table.text("master-tier"),
        environment: table.environment()?,
    })
}

fn schedule(table: Table<'_, '_>) -> Schedule {
    Schedule {
        cron: table.text("cron").unwrap_or_default(),
        timezone: table.text("timezone").unwrap_or_else(|| "UTC".into()),
        paused: table.texts("paused"),
        concurrent: table.flag("concurrent"),
        notify: table.texts("notify"),
    }
}

fn app(name: &str, table: Table<'_, '_>) -> App {
    App {
        name: name.to_owned(),
        entry_point: table.text("entry-point").unwrap_or_default(),
        description: table.text("description").unwrap_or_default(),
        visibility: table.word("visibility").unwrap_or(Visibility::GrantBased),
        thumbnail: table.text("thumbnail").map(PathBuf::from),
        settings: app_settings(table),
        api: table.word("api"),
        health_path: table.text("health-path"),
        health_status: table.number("health-status").unwrap_or(200),
        timeout: table.text("timeout"),
        after: table.texts("after"),
        paths: table.texts_if_any("paths"),
        stages: placements(table),
    }
}

fn model(name: &str, table: Table<'_, '_>) -> Model {
    let version = match table.get("version") {
        Some(DeValue::String(text)) => text.parse().ok(),
        Some(number) => whole_number(number)
            .and_then(|number| number.try_into().ok())
            .map(VersionRule::Number),
        None => None,
    };
    let source = match table.text("registered-model") {
        Some(name) => ModelSource::Registered {
            name,
            version: version.unwrap_or(VersionRule::Latest),
        },
        None => ModelSource::Function {
            file: table.text("file").unwrap_or_default(),
            function: table.text("function").unwrap_or_default(),
        },
    };
    Model {
        name: name.to_owned(),
        source,
        trained_by: table.text("trained-by"),
        description: table.text("description").unwrap_or_default(),
        replicas: table.number("replicas"),
        endpoint: endpoint_settings(table),
        api: table.word("api"),
        environment_variables: table.variables(),
        smoke_test: table.text("smoke-test").map(PathBuf::from),
        log_requests: table.bool("log-requests"),
        metric_rules: table.texts("metric-rules"),
        baseline: table.word("baseline").unwrap_or(Baseline::Required),
        timeout: table.text("timeout"),
        after: table.texts("after"),
        paths: table.texts_if_any("paths"),
        stages: placements(table),
    }
}

fn endpoint_settings(table: Table<'_, '_>) -> EndpointSettings {
    EndpointSettings {
        asynchronous: table.bool("asynchronous"),
        monitoring: table.bool("monitoring"),
        endpoint_host: table.parsed("endpoint-host"),
        routing: table.word("routing"),
        bundle: table.text("bundle"),
    }
}

fn placements(table: Table<'_, '_>) -> BTreeMap<String, Placement> {
    let placement = |name: &str, table: Table<'_, '_>| {
        let placement = Placement {
            hardware_tier: table.text("hardware-tier"),
            environment: table.environment(),
            settings: run_settings(table),
            app: app_settings(table),
            timeout: table.text("timeout"),
            wait: table.bool("wait"),
            name: table.text("name"),
            replicas: table.number("replicas"),
            endpoint: table.text("endpoint"),
            endpoint_settings: endpoint_settings(table),
            environment_variables: table.variables(),
            metric_rules: table.texts_if_any("metric-rules"),
        };
        (name.to_owned(), placement)
    };
    table.named("stage", placement).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ComputeEnvironment, Revision};

    fn read(text: &str) -> StageFile {
        let text = format!("[defaults]\nhost = \"domino.example.com\"\nproject = \"a/b\"\n{text}");
        match StageFile::read(&text, Path::new("stages.toml")) {
            Ok(file) => file,
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_file_of_one_stage_has_the_documented_defaults() {
        let file = read(
            "[stage.dev]\n[app.a]\nentry-point = \"a.sh\"\n[model.m]\nregistered-model = \"m\"\n[job.j]\ncommand = \"j.py\"",
        );
        assert_eq!(file.pipeline, Pipeline::default());
        let stage = &file.stages[0];
        assert_eq!(stage.host.as_str(), "https://domino.example.com");
        assert_eq!(stage.github_environment, "dev");
        assert_eq!((stage.wait_timer, &stage.gates), (0, &Gates::default()));
        assert_eq!(file.apps[0].visibility, Visibility::GrantBased);
        assert_eq!(
            (file.apps[0].health_status, &file.apps[0].health_path),
            (200, &None)
        );
        let latest = ModelSource::Registered {
            name: "m".into(),
            version: VersionRule::Latest,
        };
        assert_eq!(file.models[0].source, latest);
        assert_eq!(
            (file.models[0].replicas, file.models[0].log_requests),
            (None, None)
        );
        assert_eq!(file.jobs[0].title, "j");
    }

    #[test]
    fn stages_and_entities_keep_the_order_of_the_file() {
        let file =
            read("[job.z]\ncommand = \"z\"\n[stage.zebra]\n[stage.ape]\n[job.a]\ncommand = \"a\"");
        let stages: Vec<&str> = file
            .stages
            .iter()
            .map(|stage| stage.name.as_str())
            .collect();
        let jobs: Vec<&str> = file.jobs.iter().map(|job| job.name.as_str()).collect();
        assert_eq!((stages, jobs), (vec!["zebra", "ape"], vec!["z", "a"]));
    }

    #[test]
    fn a_job_that_trains_a_model_is_deployed_to_the_first_stage_and_others_to_all() {
        let file = read(
            "[stage.dev]\n[stage.prod]\n[job.train]\ncommand = \"t\"\ntimeout = \"5h\"\n[job.other]\ncommand = \"o\"\n\
             [job.said]\ncommand = \"s\"\nstages = [\"prod\"]\ntimeout = \"2h\"\n\
             [job.said.stage.prod]\ntimeout = \"3h\"\n[model.m]\nregistered-model = \"m\"\ntrained-by = \"train\"",
        );
        let [train, other, said] = &file.jobs[..] else {
            panic!()
        };
        assert_eq!(train.deployed_to, ["dev"]);
        assert_eq!(other.deployed_to, ["dev", "prod"]);
        assert_eq!(said.deployed_to, ["prod"]);
        assert!(train.trains && !other.trains);
        let hours = |job: &Job, stage: usize| job.timeout(&file.stages[stage]).as_secs() / 3600;
        assert_eq!((hours(train, 0), hours(other, 0)), (5, 1));
        assert_eq!((hours(said, 0), hours(said, 1)), (2, 3));
        let prod: Vec<&str> = file
            .jobs_of(&file.stages[1])
            .map(|job| job.name.as_str())
            .collect();
        assert_eq!(prod, ["other", "said"]);
    }

    #[test]
    fn a_stage_overrides_the_defaults_key_by_key() {
        let file = read(
            "environment = \"shared\"\napprovers = [\"ann\"]\n\
             hardware-tier = { jobs = \"j\", apps = \"a\" }\n\
             [defaults.gates]\ngithub-approval = true\nsoak = \"1h\"\n\
             [stage.dev]\nproject = \"a/dev\"\n\
             [stage.test]\nhardware-tier = { jobs = \"big\", models = \"m\" }\nmodel-stage = \"Staging\"\n\
             [stage.test.gates]\nsoak = \"2h\"\n\
             [stage.prod]\nhardware-tier = \"all\"\nenvironment = { name = \"own\", revision = \"latest\" }\n\
             approvers = []\nmodel-stage = \"Production\"",
        );
        let [dev, test, prod] = &file.stages[..] else {
            panic!()
        };
        assert_eq!(
            (
                dev.project.to_string().as_str(),
                test.project.to_string().as_str()
            ),
            ("a/dev", "a/b")
        );
        let tiers = |stage: &Stage| {
            let HardwareTiers { jobs, apps, models } = stage.hardware_tier.clone();
            [jobs, apps, models].map(Option::unwrap_or_default)
        };
        assert_eq!(tiers(dev), ["j", "a", ""]);
        assert_eq!(tiers(test), ["big", "a", "m"]);
        assert_eq!(tiers(prod), ["all", "all", "all"]);
        assert_eq!(
            (test.gates.github_approval, test.gates.soak.as_deref()),
            (true, Some("2h"))
        );
        assert_eq!(prod.gates.soak.as_deref(), Some("1h"));
        assert_eq!((dev.approvers.len(), prod.approvers.len()), (1, 0));
        let own = ComputeEnvironment {
            id_or_name: "own".into(),
            revision: Revision::Latest,
        };
        assert_eq!(prod.environment, Some(own));
        assert_eq!(
            dev.environment.as_ref().map(|e| e.id_or_name.as_str()),
            Some("shared")
        );
    }

    #[test]
    fn whatever_loads_was_read_in_full() {
        let file = read(
            "[stage.dev]\n[model.m]\nfile = \"m.py\"\nfunction = \"predict\"\nreplicas = 0x10\n\
             environment-variables = { A = \"1\" }\n[model.m.stage.dev]\nreplicas = 3\nendpoint = \"e\"\n\
             hardware-tier = \"t\"\nenvironment-variables = { B = \"2\" }",
        );
        let model = &file.models[0];
        let source = ModelSource::Function {
            file: "m.py".into(),
            function: "predict".into(),
        };
        assert_eq!((&model.source, model.replicas), (&source, Some(16)));
        let placement = &model.stages["dev"];
        assert_eq!(
            (placement.replicas, placement.endpoint.as_deref()),
            (Some(3), Some("e"))
        );
        assert_eq!(placement.environment_variables["B"], "2");
        assert_eq!(model.environment_variables["A"], "1");
    }
}
