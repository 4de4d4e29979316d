//! Looking things up in a stage file: names without case, what decides, lines.

use std::path::Path;

use super::*;

const TEXT: &str = r#"[defaults]
host = "domino.example.com"
project = "a/b"
environment = "shared"

[stage.dev]
hardware-tier = { jobs = "dev-jobs", apps = "dev-apps" }

[stage.prod]
hardware-tier = "prod"
github-environment = "Production"

[job.train]
command = "train.py"

[job.train.stage.prod]
hardware-tier = "large"

[app.dashboard]
entry-point = "app.sh"
"#;

fn file() -> StageFile {
    StageFile::read(TEXT, Path::new("stages.toml")).unwrap()
}

#[test]
fn a_stage_is_found_by_its_name_or_its_github_environment_without_case() {
    let file = file();
    for asked in ["prod", "PROD", "production", "Production"] {
        assert_eq!(file.stage(asked).unwrap().name, "prod");
    }
    let unknown = file.stage("prdo").unwrap_err();
    assert_eq!(unknown.nearest.as_deref(), Some("prod"));
    assert_eq!(unknown.known, ["dev", "prod"]);
    assert_eq!(file.job("Train").unwrap().name, "train");
    assert_eq!(
        file.app("dashbord").unwrap_err().nearest.as_deref(),
        Some("dashboard")
    );
    assert_eq!(
        file.model("m").unwrap_err().to_string(),
        "no model `m` in the stage file (it has none)"
    );
}

#[test]
fn a_stage_knows_the_one_before() {
    let file = file();
    let (dev, prod) = (&file.stages[0], &file.stages[1]);
    assert_eq!(file.stage_before(prod), Some(dev));

    assert_eq!(file.stage_before(dev), None);
}

#[test]
fn a_target_says_where_an_entity_runs_and_which_key_decided() {
    let file = file();
    let (dev, prod) = (&file.stages[0], &file.stages[1]);
    let told = |kind, entity, stage| {
        let target = file.target(kind, entity, stage);
        let place = file.place_of(&target.hardware_tier_key);
        (target.hardware_tier.unwrap_or_default(), place)
    };
    assert_eq!(
        told(Kind::Job, "train", dev),
        (
            "dev-jobs".into(),
            "`hardware-tier.jobs` under `[stage.dev]` in stages.toml (line 7)".into()
        )
    );
    assert_eq!(
        told(Kind::Job, "train", prod),
        (
            "large".into(),
            "`hardware-tier` under `[job.train.stage.prod]` in stages.toml (line 17)".into()
        )
    );
    assert_eq!(
        told(Kind::App, "dashboard", prod),
        (
            "prod".into(),
            "`hardware-tier` under `[stage.prod]` in stages.toml (line 10)".into()
        )
    );
    let target = file.target(Kind::Job, "train", prod);
    assert_eq!(target.environment.unwrap().id_or_name, "shared");
    assert_eq!(target.environment_key, ["defaults", "environment"]);
}

#[test]
fn a_line_is_that_of_the_key_of_the_default_or_of_the_nearest_table() {
    let file = file();
    assert_eq!(file.line_of(&["stage", "prod", "hardware-tier"]), Some(10));
    assert_eq!(
        file.line_of(&["stage", "prod", "hardware-tier", "jobs"]),
        Some(10)
    );
    assert_eq!(file.line_of(&["stage", "prod", "environment"]), Some(4));
    assert_eq!(file.line_of(&["stage", "prod", "data-plane"]), Some(9));
    assert_eq!(file.line_of(&["stage", "dev"]), Some(6));
    assert_eq!(
        file.line_of(&["job", "train", "stage", "prod", "environment"]),
        Some(16)
    );
    assert_eq!(file.line_of(&["model"]), None);
    assert_eq!(
        file.place_of(&["stage", "prod", "data-plane"]),
        "`data-plane` under `[stage.prod]` in stages.toml (line 9)"
    );
}

#[test]
fn apps_and_endpoints_have_a_name_of_their_own_in_each_stage() {
    let text = format!(
        "{TEXT}\n[model.wine]\nregistered-model = \"wine\"\n[model.wine.stage.prod]\nendpoint = \"wine\"\nhardware-tier = \"m\"\n\
         [app.dashboard.stage.prod]\nname = \"Wine dashboard\""
    );
    let file = StageFile::read(&text, Path::new("stages.toml")).unwrap();
    let (dev, prod) = (&file.stages[0], &file.stages[1]);
    assert_eq!(file.endpoint_name(&file.models[0], dev), "wine-dev");
    assert_eq!(file.endpoint_name(&file.models[0], prod), "wine");
    assert_eq!(file.app_name(&file.apps[0], dev), "dashboard-dev");
    assert_eq!(file.app_name(&file.apps[0], prod), "Wine dashboard");
}

#[test]
fn an_endpoint_has_the_models_replicas_and_variables_and_over_them_the_stages() {
    let text = format!(
        "{TEXT}\n[model.wine]\nregistered-model = \"wine\"\nreplicas = 2\n\
         environment-variables = {{ LEVEL = \"info\", UNIT = \"1\" }}\n\
         [model.wine.stage.prod]\nreplicas = 3\nenvironment-variables = {{ LEVEL = \"warn\" }}"
    );
    let file = StageFile::read(&text, Path::new("stages.toml")).unwrap();
    let (model, dev, prod) = (&file.models[0], &file.stages[0], &file.stages[1]);
    let variables = |stage| format!("{:?}", file.environment_variables(model, stage));
    assert_eq!(
        (file.replicas(model, dev), file.replicas(model, prod)),
        (Some(2), Some(3))
    );
    assert_eq!(variables(dev), r#"{"LEVEL": "info", "UNIT": "1"}"#);
    assert_eq!(variables(prod), r#"{"LEVEL": "warn", "UNIT": "1"}"#);
}
