//! The experiment manager that the sandbox keeps itself: experiments with their runs, registered models, and files.

use std::path::Path;

use axum::http::Method;
use serde_json::Value;

use super::artifacts::{self, Artifacts};
use super::call::{Call, answer};
use super::input::Input;
use super::refusal::Refusal;
use super::registered_model::{self, Models};
use super::run::{self, Tracking};
use super::{
    experiment, logged_model, logged_model_routes, model_source, run_inputs, version_routes,
};
use crate::clock::{Clock, Moment};
use crate::locked::Locked;

/// What the sandbox keeps itself.
pub(crate) struct OwnMlflow {
    tracking: Locked<Tracking>,
    models: Locked<Models>,
    pub(super) artifacts: Artifacts,
    clock: Clock,
}

impl OwnMlflow {
    /// Keeps the files below `folder`.
    pub(super) fn new(folder: &Path, clock: Clock) -> Self {
        OwnMlflow {
            tracking: Locked::new(Tracking::new(milliseconds(clock.now()))),
            models: Locked::default(),
            artifacts: Artifacts::new(folder),
            clock,
        }
    }

    pub(super) fn answer(
        &self,
        user: &str,
        method: &Method,
        route: &str,
        input: Input,
    ) -> Result<Value, Refusal> {
        if route == "artifacts/list" {
            return self.list_artifacts(method, &input);
        }
        let (route, told) = logged_model_routes::route(route);
        let input = told
            .iter()
            .fold(input, |input, (name, text)| input.with(name, text));
        if route == logged_model_routes::FILES {
            return self.list_artifacts_of_model(method, &input);
        }
        let asked = (method, route);
        let tracking = &mut *self.tracking.lock();
        let models = &mut *self.models.lock();
        let call = Call {
            input: match route {
                "model-versions/create" => model_source::resolved(input, tracking, models)?,
                _ => input,
            },
            user,
            now: milliseconds(self.clock.now()),
        };
        answer(experiment::ROUTES, &mut tracking.experiments, asked, &call)
            .or_else(|| answer(run::ROUTES, tracking, asked, &call))
            .or_else(|| answer(run_inputs::ROUTES, tracking, asked, &call))
            .or_else(|| answer(logged_model_routes::ROUTES, tracking, asked, &call))
            .or_else(|| answer(registered_model::ROUTES, models, asked, &call))
            .or_else(|| answer(version_routes::ROUTES, models, asked, &call))
            .unwrap_or(Err(Refusal::NoRoute))
    }

    /// Every registered model with its versions.
    pub(super) fn state(&self) -> Value {
        self.models.lock().state()
    }

    fn list_artifacts(&self, method: &Method, input: &Input) -> Result<Value, Refusal> {
        if *method != Method::GET {
            return Err(Refusal::WrongMethod);
        }
        let root = self.tracking.lock().run(input.text("run_id")?)?.artifacts();
        self.list_below(&root, &input.text_or_empty("path")?)
    }

    fn list_artifacts_of_model(&self, method: &Method, input: &Input) -> Result<Value, Refusal> {
        if *method != Method::GET {
            return Err(Refusal::WrongMethod);
        }
        let id = input.text("model_id")?;
        let root = logged_model::find(&mut self.tracking.lock().logged_models, id)?.artifacts();
        self.list_below(&root, &input.text_or_empty("artifact_directory_path")?)
    }

    fn list_below(&self, root: &str, folder: &str) -> Result<Value, Refusal> {
        let entries = match folder {
            "" => self.artifacts.list(root)?,
            folder => self.artifacts.list(&format!("{root}/{folder}"))?,
        };
        let mut listing = artifacts::listing(&entries, folder);
        listing["root_uri"] = format!("mlflow-artifacts:/{root}").into();
        Ok(listing)
    }
}

/// Epoch milliseconds, in which MLflow counts.
fn milliseconds(moment: Moment) -> i64 {
    i64::try_from(moment.nanoseconds() / 1_000_000).unwrap_or(i64::MAX)
}
