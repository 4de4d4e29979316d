//! The files of a version whose source names a model: a logged one, or a version of a registered one.

use super::input::Input;
use super::logged_model;
use super::refusal::Refusal;
use super::registered_model::Models;
use super::run::Tracking;

/// The field in which a call carries the place that was found.
pub(super) const STORAGE: &str = "storage_location";

/// The call that makes a version, with the place of its files, and for a copy with the run of what it copies.
pub(super) fn resolved(
    input: Input,
    tracking: &mut Tracking,
    models: &mut Models,
) -> Result<Input, Refusal> {
    let source = input.text_or_empty("source")?;
    let Some(named) = source.strip_prefix("models:/") else {
        return Ok(input.with(STORAGE, &source));
    };
    if let Some((name, version)) = named.rsplit_once('/') {
        let original = models.version(name, version)?;
        let (storage, run_id) = (original.storage.clone(), original.run_id.clone());
        let input = input.with(STORAGE, &storage);
        return Ok(match input.text_or_empty("run_id")?.is_empty() {
            true => input.with("run_id", &run_id),
            false => input,
        });
    }
    if named.is_empty() || input.optional_text("model_id")? != Some(named) {
        return Err(Refusal::invalid(format!(
            "Invalid model version source: '{source}'. The model_id request parameter must identify the resource that \
             contains the source."
        )));
    }
    let model = logged_model::find(&mut tracking.logged_models, named)?;
    let storage = model.artifact_uri();
    Ok(input.with(STORAGE, &storage))
}
