//! A candidate for stage `prod` after `staging`, for the tests of the gates.

use std::path::Path;

use domino_core::api::projects::ProjectId;
use domino_core::client::{Connection, Limits};
use domino_core::credential::Credential;
use serde_json::json;
use stage_file::StageFile;

use super::*;
use crate::measurements::tests::one;
use crate::people::tests::people;

/// The server's time in these tests.
pub(crate) const NOW: i64 = 1_767_398_400_000;

/// A step for stage `prod`, with these lines in its table and among its gates, and a Domino at `address`.
pub(crate) fn context(address: &str, lines: &str, gates: &str) -> StepContext {
    let text = format!(
        "
        [defaults]
        host = \"domino.example.com\"
        project = \"a/b\"
        [stage.dev]
        hardware-tier = \"d\"
        [stage.staging]
        hardware-tier = \"s\"
        model-stage = \"Staging\"
        [stage.prod]
        hardware-tier = \"p\"
        model-stage = \"Production\"
        {lines}
        [stage.prod.gates]
        {gates}
        [model.wine]
        registered-model = \"wine\"
        metric-rules = [\"rmse must be at most 1\"]
        "
    );
    let file = StageFile::read(&text, Path::new("stages.toml")).unwrap();
    let limits = Limits {
        delay_scale: 0.0,
        ..Limits::default()
    };
    let token = Credential::Token("canary-token-1234".to_owned().into());
    StepContext {
        stage: file.stage("prod").unwrap().clone(),
        file,
        connection: Connection::open(address.parse().unwrap(), token, limits).unwrap(),
    }
}

/// A version that is to enter the stage of the step and that nobody serves: Ada trained it, Ben started the workflow.
pub(crate) fn candidate<'a>(context: &'a StepContext, version: ModelVersion) -> Candidate<'a> {
    let registry = json!({"name": "wine"});
    Candidate {
        target: PromotionTarget::of(context, "wine").unwrap(),
        before: context.file.stage("staging").unwrap(),
        project: Project {
            id: ProjectId::new("p1"),
            name: "a/b".parse().unwrap(),
            repository: None,
        },
        registry: Registry {
            model: serde_json::from_value(registry).unwrap(),
            versions: vec![version.clone()],
            read_at: 0,
        },
        version,
        chosen: "given".into(),
        serving: Serving::Nothing("it has no endpoint".into()),
        already_promoted: None,
        run: None,
        run_trouble: None,
        replaced: None,
        measured: one("rmse", 0.5),
        told: Told::default(),
        people: people(),
        now: NOW,
    }
}
