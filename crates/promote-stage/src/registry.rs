//! What the experiment manager has of one registered model: its versions, their stages, its aliases.

use domino_core::api::mlflow::{ModelStage, ModelVersion, RegisteredModel, TrackingReader};
use domino_core::api::registered_models::VersionNumber;
use domino_core::client::ApiError;
pub(crate) use domino_core::let_in::{STAGE_TAG, stage_of};

use crate::stage_holders;

/// A registered model and those of its versions that matter, newest first: all in the requested stages, and the
/// newest of every other stage.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    pub(crate) model: RegisteredModel,
    pub(crate) versions: Vec<ModelVersion>,
    /// Anything that changes from now on has no earlier time stamp.
    pub(crate) read_at: i64,
}

impl Registry {
    /// Reads the model, and what these stages of the stage file hold.
    pub(crate) async fn read(
        reader: &TrackingReader,
        name: &str,
        stages: &[(&str, ModelStage)],
    ) -> Result<Option<Self>, ApiError> {
        let Some(model) = reader.registered_model(name).await? else {
            return Ok(None);
        };
        let versions = stage_holders::find(reader, &model, stages).await?;
        let changed = model.latest_versions.iter();
        let changed = changed.map(|version| version.last_updated_timestamp);
        let mut registry = Self {
            read_at: changed.max().unwrap_or_default(),
            versions: Vec::new(),
            model,
        };
        registry.add(versions);
        Ok(Some(registry))
    }

    /// Reads one more version, unless it is known or does not exist.
    pub(crate) async fn look_up(
        &mut self,
        reader: &TrackingReader,
        number: VersionNumber,
    ) -> Result<(), ApiError> {
        if self.version(number).is_none() {
            let found = reader.model_version(&self.model.name, number).await?;
            self.add(found);
        }
        Ok(())
    }

    fn add(&mut self, versions: impl IntoIterator<Item = ModelVersion>) {
        self.versions.extend(versions);
        self.versions
            .sort_by_key(|version| std::cmp::Reverse(version.version));
        self.versions.dedup_by_key(|version| version.version);
    }

    /// A version that was read, by its number.
    pub(crate) fn version(&self, number: VersionNumber) -> Option<&ModelVersion> {
        self.versions
            .iter()
            .find(|version| version.version == number)
    }

    /// The versions in a requested stage, newest first.
    pub(crate) fn versions_in_stage(&self, stage: &ModelStage) -> Vec<VersionNumber> {
        versions_in_stage(&self.versions, stage)
    }

    /// Whether a tag replaces the stage.
    pub(crate) fn has_stage_tags(&self) -> bool {
        let versions = &mut self.versions.iter();
        versions.any(|version| version.tags.contains_key(STAGE_TAG))
    }

    /// The version that an alias points to.
    pub(crate) fn alias(&self, alias: &str) -> Option<VersionNumber> {
        self.model.aliases.get(alias).copied()
    }
}

/// The versions in a stage, newest first.
pub(crate) fn versions_in_stage(
    versions: &[ModelVersion],
    stage: &ModelStage,
) -> Vec<VersionNumber> {
    versions
        .iter()
        .filter(|version| stage_of(version) == *stage)
        .map(|version| version.version)
        .collect()
}

/// The alias that points to the version in a stage: `production`.
pub(crate) fn alias_of(stage: &ModelStage) -> String {
    stage.word().to_lowercase()
}

/// The alias that points to the version that a stage held before: `previous-production`.
pub(crate) fn previous_alias_of(stage: &ModelStage) -> String {
    format!("previous-{}", alias_of(stage))
}

/// Versions as people read them: `version 7`, `versions 8 and 7`, `no version`.
pub(crate) fn listed(versions: &[VersionNumber]) -> String {
    let numbers: Vec<String> = versions.iter().map(ToString::to_string).collect();
    match numbers.as_slice() {
        [] => "no version".into(),
        [one] => format!("version {one}"),
        [all @ .., last] => format!("versions {} and {last}", all.join(", ")),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A version of model `wine` in a stage.
    pub(crate) fn version(number: u64, stage: &str, tags: Value) -> ModelVersion {
        let tags: Vec<Value> = tags
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, value)| json!({"key": key, "value": value}))
            .collect();
        serde_json::from_value(json!({
            "name": "wine", "version": number.to_string(), "current_stage": stage, "status": "READY",
            "run_id": "r1", "creation_timestamp": 1_000, "last_updated_timestamp": 5_000, "tags": tags,
        }))
        .unwrap()
    }

    #[test]
    fn a_stage_is_told_by_a_tag_only_where_there_are_no_stages() {
        let tag = json!({STAGE_TAG: "Production"});
        assert_eq!(
            stage_of(&version(1, "None", tag.clone())),
            ModelStage::Production
        );
        assert_eq!(stage_of(&version(1, "Staging", tag)), ModelStage::Staging);
        let versions = [
            version(3, "Production", json!({})),
            version(2, "production", json!({})),
            version(1, "Archived", json!({})),
        ];
        let both = versions_in_stage(&versions, &ModelStage::Production);
        assert_eq!(listed(&both), "versions 3 and 2");
        assert_eq!(listed(&both[..1]), "version 3");
        assert_eq!(listed(&[]), "no version");
    }

    #[test]
    fn aliases_are_in_lower_case() {
        assert_eq!(alias_of(&ModelStage::Production), "production");
        assert_eq!(previous_alias_of(&ModelStage::Staging), "previous-staging");
    }
}
