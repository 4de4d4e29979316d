//! Which value counts among several, what it proves, and where it is read.

use domino_core::api::mlflow::{LoggedMetric, Tracking};
use serde_json::{Value, json};
use wiremock::matchers::{path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::candidate::tests::context;
use crate::registry::tests::version;

/// One metric with this value, as that of a run.
pub(crate) fn one(metric: &str, value: f64) -> Measurements {
    Measurements {
        rows: vec![row(metric, value, None, None, (0, 0))],
        ..Measurements::default()
    }
}

fn row(
    metric: &str,
    value: f64,
    data_set: Option<&str>,
    run: Option<&str>,
    (timestamp, step): (i64, i64),
) -> Measurement {
    Measurement {
        metric: metric.into(),
        value,
        data_set: data_set.map(str::to_owned),
        run: run.map(str::to_owned),
        step,
        timestamp,
        unproven: None,
    }
}

fn several() -> Measurements {
    let rows = vec![
        row("rmse", 0.5, None, Some("r1"), (9, 5)),
        row("rmse", 0.7, Some("wine-test"), Some("r2"), (20, 1)),
        row("rmse", 0.8, Some("wine-test"), Some("r2"), (15, 2)),
        row("rmse", 0.9, Some("beer"), Some("r2"), (12, 0)),
    ];
    Measurements {
        rows,
        ..Measurements::default()
    }
}

#[test]
fn the_newest_measurement_counts_unless_the_rule_names_a_data_set() {
    let measured = several();
    let picked = |rule: &str| {
        let picked = measured.pick(&rule.parse().unwrap())?;
        Ok((picked.value, measured.whence(picked)))
    };
    assert_eq!(
        picked("rmse must be at most 1"),
        Ok((0.8, " on `wine-test` in run r2, the newest of 3".into()))
    );
    assert_eq!(picked("rmse on beer must be at most 1").unwrap().0, 0.9);
    assert_eq!(
        picked("rmse on milk must be at most 1"),
        Err::<(f64, String), String>(
            "the version has no metric `rmse` on data set `milk`; it has on `beer`, `wine-test`"
                .into()
        )
    );
    let shown: Vec<(String, f64)> = measured.newest_values().into_iter().collect();
    let label = |text: &str, value| (text.to_owned(), value);
    assert_eq!(
        shown,
        [
            label("rmse", 0.5),
            label("rmse on beer", 0.9),
            label("rmse on wine-test", 0.8)
        ]
    );
}

/// The value for the rule `rmse must be at most 1`.
fn rmse(measured: &Measurements) -> Result<Measurement, String> {
    measured
        .pick(&"rmse must be at most 1".parse().unwrap())
        .cloned()
}

/// A finished run with an error of 0.5, which logged this many models.
fn run(id: &str, logged_models: usize) -> Run {
    Run {
        id: id.into(),
        experiment_id: "1".into(),
        status: "FINISHED".into(),
        is_deleted: false,
        logged_models,
        end_time: None,
        metrics: BTreeMap::from([("rmse".to_owned(), 0.5)]),
        parameters: BTreeMap::new(),
        tags: BTreeMap::new(),
    }
}

fn known(run: Run) -> RunOf {
    RunOf::Known(Box::new(run))
}

#[test]
fn of_the_newest_run_and_data_set_the_highest_step_counts_then_the_newest_then_the_greatest() {
    let newest = |step, value| row("rmse", value, Some("wine"), Some("r2"), (20, step));
    let older = |data_set, run, step| row("rmse", 9.0, Some(data_set), Some(run), (10, step));
    for (rows, wanted) in [
        (vec![newest(1, 0.1), older("wine", "r2", 2)], 9.0),
        (vec![newest(1, 0.1), older("wine", "r2", 1)], 0.1),
        (vec![newest(1, 0.1), older("beer", "r2", 2)], 0.1),
        (vec![newest(1, 0.1), older("wine", "r1", 2)], 0.1),
        (vec![newest(1, 0.3), newest(1, 0.1)], 0.3),
    ] {
        let told = format!("{rows:?}");
        let measured = Measurements {
            rows,
            ..Measurements::default()
        };
        assert_eq!(rmse(&measured).unwrap().value, wanted, "{told}");
    }
}

#[test]
fn a_run_that_cannot_be_looked_at_tells_why_there_is_no_value() {
    let trouble = |run| rmse(&Measurements::of_run(&run)).unwrap_err();
    assert_eq!(trouble(RunOf::None), "the version was made by no run");
    let gone = RunOf::Unread("run r1 no longer exists".into());
    assert_eq!(trouble(gone), "run r1 no longer exists");
    let mut silent = run("r1", 0);
    silent.metrics.clear();
    let none = "the version's run has no metric `rmse`";
    assert_eq!(trouble(known(silent)), none);
}

#[test]
fn a_value_of_a_run_with_several_models_may_be_that_of_another() {
    let remark = |run| Measurements::of_run(&known(run)).remark;
    assert_eq!(remark(run("r1", 0)), None);
    assert_eq!(remark(run("r1", 1)), None);
    let two =
        "run r1 logged 2 models and keeps one value a metric: it may be that of another model";
    assert_eq!(remark(run("r1", 2)).as_deref(), Some(two));
}

#[test]
fn a_run_that_is_not_over_or_went_wrong_or_was_deleted_proves_nothing() {
    for (status, why) in [
        ("FINISHED", None),
        ("a word of tomorrow", None),
        ("RUNNING", Some("run r1 is `RUNNING`")),
        ("SCHEDULED", Some("run r1 is `SCHEDULED`")),
        ("FAILED", Some("run r1 is `FAILED`")),
        ("KILLED", Some("run r1 is `KILLED`")),
    ] {
        let of = |is_deleted| {
            let run = Run {
                status: status.into(),
                is_deleted,
                ..run("r1", 1)
            };
            rmse(&Measurements::of_run(&known(run))).unwrap().unproven
        };
        assert_eq!(of(false).as_deref(), why);
        assert_eq!(of(true).as_deref(), Some("run r1 was deleted"));
    }
}

#[test]
fn the_rows_of_a_logged_model_prove_something_unless_it_is_not_ready() {
    for (status, why) in [
        ("LOGGED_MODEL_READY", None),
        ("", None),
        (
            "LOGGED_MODEL_PENDING",
            Some("logged model m-1 is `LOGGED_MODEL_PENDING`"),
        ),
        (
            "LOGGED_MODEL_UPLOAD_FAILED",
            Some("logged model m-1 is `LOGGED_MODEL_UPLOAD_FAILED`"),
        ),
    ] {
        let measured = Measurements::of_logged(&LoggedModel {
            id: "m-1".into(),
            status: status.into(),
            metrics: vec![LoggedMetric {
                key: "rmse".into(),
                value: 0.7,
                timestamp: 20,
                step: 3,
                dataset_name: Some("wine".into()),
                run_id: "r2".into(),
            }],
            parameters: BTreeMap::new(),
        });
        let wanted = Measurement {
            unproven: why.map(str::to_owned),
            ..row("rmse", 0.7, Some("wine"), Some("r2"), (20, 3))
        };
        assert_eq!(measured.rows, [wanted]);
    }
}

#[test]
fn what_the_run_says_that_measured_a_value_counts_unless_the_value_proves_nothing_already() {
    let failed = || {
        known(Run {
            status: "FAILED".into(),
            ..run("r2", 1)
        })
    };
    let gone = || RunOf::Unread("run r2 no longer exists".into());
    let unready = || Some("logged model m-1 is `LOGGED_MODEL_PENDING`".to_owned());
    for (before, run, after) in [
        (None, known(run("r2", 1)), None),
        (None, failed(), Some("run r2 is `FAILED`".to_owned())),
        (None, gone(), Some("run r2 no longer exists".to_owned())),
        (unready(), known(run("r2", 1)), unready()),
        (unready(), failed(), unready()),
        (unready(), gone(), unready()),
    ] {
        let mut measured = Measurement {
            unproven: before,
            ..row("rmse", 0.7, None, Some("r2"), (20, 3))
        };
        measured.check_run(&run);
        assert_eq!((measured.value, measured.unproven), (0.7, after), "{run:?}");
    }
}

#[test]
fn a_zero_is_no_value_where_the_run_measured_that_there_is_none() {
    for (logged, of_run, is_value) in [
        (0.0, Some(f64::NAN), false),
        (0.0, Some(0.0), true),
        (0.0, None, true),
        (0.7, Some(f64::NAN), true),
    ] {
        let mut measuring = run("r2", 1);
        measuring.metrics = of_run
            .map(|value| ("rmse".to_owned(), value))
            .into_iter()
            .collect();
        let mut measured = row("rmse", logged, None, Some("r2"), (20, 3));
        measured.check_run(&known(measuring));
        assert_eq!(!measured.value.is_nan(), is_value, "{logged} {of_run:?}");
    }
}

/// An experiment manager that answers one request.
async fn answering(
    server: &MockServer,
    route: &str,
    query: (&str, &str),
    answer: ResponseTemplate,
) {
    let asked = Mock::given(path(format!("/api/2.0/mlflow/{route}")));
    let asked = match query {
        ("", _) => asked,
        (name, value) => asked.and(query_param(name, value)),
    };
    asked.respond_with(answer).mount(server).await;
}

fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn absent() -> ResponseTemplate {
    let body = json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no"});
    ResponseTemplate::new(404).set_body_json(body)
}

fn refused(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"message": "no"}))
}

/// The metrics of a version with this source, which run `r1` created.
async fn measured(server: &MockServer, source: &str) -> Result<Measurements> {
    let context = context(&server.uri(), "", "");
    let tracking = Tracking::of(&context.connection, None).unwrap().reader();
    let mut version = version(7, "None", json!({}));
    version.source = source.into();
    let rules = ["rmse must be at most 1".parse().unwrap()];
    Measurements::read(&tracking, &version, &known(run("r1", 1)), &rules).await
}

/// A logged model with an error of 0.7, as this run measured it.
fn logged_model(run: &str) -> Value {
    json!({"model": {
        "info": {"model_id": "m-1", "status": "LOGGED_MODEL_READY"},
        "data": {"metrics": [{"key": "rmse", "value": 0.7, "timestamp": 9, "step": 3, "run_id": run}]},
    }})
}

#[tokio::test]
async fn the_run_that_measured_a_logged_model_is_asked_for_unless_it_is_known() {
    for (measuring, why) in [("r1", None), ("r2", Some("run r2 is `FAILED`"))] {
        let server = MockServer::start().await;
        let model = ok(logged_model(measuring));
        answering(&server, "logged-models/m-1", ("", ""), model).await;
        let failed = ok(json!({"run": {"info": {"run_id": "r2", "status": "FAILED"}}}));
        answering(&server, "runs/get", ("run_id", "r2"), failed).await;
        let measured = measured(&server, "models:/m-1").await.unwrap();
        let picked = rmse(&measured).unwrap();
        assert_eq!((picked.value, picked.unproven.as_deref()), (0.7, why));
    }
}

#[tokio::test]
async fn a_version_that_is_made_of_no_logged_model_has_the_metrics_of_its_run() {
    let server = MockServer::start().await;
    for source in ["", "dbfs:/wine", "models:/wine/Production"] {
        let measured = measured(&server, source).await.unwrap();
        assert_eq!(rmse(&measured).unwrap().value, 0.5, "{source}");
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_copy_is_followed_to_the_model_that_it_was_made_of_and_not_for_ever() {
    let server = MockServer::start().await;
    let copy = |source: &str| {
        ok(json!({"model_version": {
            "name": "beer", "version": "3", "current_stage": "None", "status": "READY", "source": source,
        }}))
    };
    answering(
        &server,
        "model-versions/get",
        ("version", "3"),
        copy("models:/m-1"),
    )
    .await;
    answering(
        &server,
        "model-versions/get",
        ("version", "4"),
        copy("models:/beer/4"),
    )
    .await;
    answering(
        &server,
        "logged-models/m-1",
        ("", ""),
        ok(logged_model("r1")),
    )
    .await;
    let copied = measured(&server, "models:/beer/3/").await.unwrap();
    assert_eq!(rmse(&copied).unwrap().value, 0.7);
    let endless = measured(&server, "models:/beer/4").await.unwrap();
    assert_eq!(
        rmse(&endless).unwrap_err(),
        "its source is a copy of more than 10 copies"
    );
}

#[tokio::test]
async fn a_source_that_is_gone_or_hidden_is_told_and_a_server_in_trouble_fails_the_step() {
    let of_version = ("model-versions/get", "models:/beer/3");
    let of_model = ("logged-models/m-1", "models:/m-1");
    for ((route, source), answer, told) in [
        (
            of_version,
            absent(),
            Some("its source `models:/beer/3` no longer exists"),
        ),
        (
            of_version,
            refused(403),
            Some("its source `models:/beer/3` may not be read: "),
        ),
        (of_version, refused(500), None),
        (
            of_model,
            absent(),
            Some("logged model `m-1` no longer exists"),
        ),
        (
            of_model,
            refused(403),
            Some("logged model `m-1` may not be read: "),
        ),
        (of_model, refused(500), None),
    ] {
        let server = MockServer::start().await;
        answering(&server, route, ("", ""), answer).await;
        let read = measured(&server, source).await;
        match told {
            Some(told) => {
                let trouble = rmse(&read.unwrap()).unwrap_err();
                assert!(trouble.starts_with(told), "{trouble}");
            }
            None => assert!(read.is_err(), "{source}"),
        }
    }
}
