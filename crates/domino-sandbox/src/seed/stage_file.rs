//! Reads a stage file as plain TOML and seeds what it names. It only knows where names of Domino's things are, checks
//! nothing, and ignores every other key.

use std::path::Path;

use anyhow::Context;
use toml::{Table, Value};

use super::{EnvironmentSeed, PolicySeed, Seed};
use crate::id;

impl Seed {
    /// What the stage file at `path` names: its projects, environments, data planes and hardware
    /// tiers. The file is read as plain TOML; keys that do not concern a Domino are ignored.
    ///
    /// # Errors
    /// When the file cannot be read or is not TOML.
    pub fn from_stage_file(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the stage file `{}`", path.display()))?;
        let file: Table = toml::from_str(&text)
            .with_context(|| format!("the stage file `{}` is not TOML", path.display()))?;
        Ok(seed(&file))
    }
}

fn seed(file: &Table) -> Seed {
    let mut seed = Seed::bare();
    let defaults = table(file, "defaults");
    for (_, stage) in tables(file, "stage") {
        let plane = text(stage, "data-plane").or_else(|| text(defaults, "data-plane"));
        add_all(&mut seed, stage, plane);
    }
    for kind in ["job", "app", "model"] {
        for (_, entity) in tables(file, kind) {
            for (stage_name, own) in tables(entity, "stage") {
                let stage = tables(file, "stage")
                    .find(|(name, _)| *name == stage_name)
                    .and_then(|(_, stage)| text(stage, "data-plane"));
                let plane = stage.or_else(|| text(defaults, "data-plane"));
                add_for(&mut seed, own, plane, kind == "model");
            }
            add_for(
                &mut seed,
                entity,
                text(defaults, "data-plane"),
                kind == "model",
            );
        }
    }
    add_routing(&mut seed, file);
    add_all(&mut seed, defaults, text(defaults, "data-plane"));
    seed
}

/// Adds what a stage or the defaults name.
fn add_all(seed: &mut Seed, place: &Table, plane: Option<&str>) {
    if let Some(project) = text(place, "project") {
        seed.add_project(project, true);
    }
    if let Some(plane) = plane {
        seed.add_data_plane(plane);
    }
    add_environment(seed, place);
    let gates = table(place, "gates");
    if let Some(name) = text(gates, "policy") {
        add_policy(seed, name);
        complete(seed, name, gates);
    }
    match place.get("hardware-tier") {
        // One name for every kind of entity means a tier of either population.
        Some(Value::String(name)) => {
            seed.add_tier(name, plane, false);
            seed.add_tier(name, plane, true);
        }
        Some(Value::Table(kinds)) => {
            for (kind, name) in kinds {
                if let Some(name) = name.as_str() {
                    seed.add_tier(name, plane, kind == "models");
                }
            }
        }
        _ => {}
    }
}

/// Adds the endpoints that shall route by labels, which only a person can switch to that.
fn add_routing(seed: &mut Seed, file: &Table) {
    for (name, model) in tables(file, "model") {
        for (stage, _) in tables(file, "stage") {
            let own = table(table(model, "stage"), stage);
            let routing = text(own, "routing").or_else(|| text(model, "routing"));
            if routing == Some("advanced") {
                let endpoint = text(own, "endpoint").map(str::to_owned);
                let endpoint = endpoint.unwrap_or_else(|| format!("{name}-{stage}"));
                seed.routed_by_label.push(endpoint);
            }
        }
    }
}

/// Adds a governance policy by its name, or by its id, which is a UUID.
fn add_policy(seed: &mut Seed, name: &str) {
    let known = |policy: &PolicySeed| policy.name == name || policy.id.as_deref() == Some(name);
    if seed.policies.iter().any(known) {
        return;
    }
    let mut policy = PolicySeed::new(name);
    if id::is_uuid(name) {
        policy.id = Some(name.to_owned());
        policy.name = format!("Policy {name}");
    }
    seed.policies.push(policy);
}

/// Gives a policy the stage and the questions that these gates name.
fn complete(seed: &mut Seed, name: &str, gates: &Table) {
    let is_named =
        |policy: &&mut PolicySeed| policy.name == name || policy.id.as_deref() == Some(name);
    let Some(policy) = seed.policies.iter_mut().find(is_named) else {
        return;
    };
    if let Some(stage) = text(gates, "policy-stage") {
        match policy.opens_after {
            None => policy.stages = vec![stage.to_owned()],
            Some(_) if policy.stages.iter().any(|known| known == stage) => {}
            Some(_) => policy.stages.push(stage.to_owned()),
        }
        policy.opens_after.get_or_insert(stage.to_owned());
    }
    let evidence = table(gates, "evidence");
    let questions = ["metrics", "lineage", "smoke-test"];
    for question in questions.into_iter().filter_map(|key| text(evidence, key)) {
        if !policy.questions.iter().any(|known| known == question) {
            policy.questions.push(question.to_owned());
        }
    }
}

/// Adds what one entity names for itself.
fn add_for(seed: &mut Seed, place: &Table, plane: Option<&str>, for_model_apis: bool) {
    add_environment(seed, place);
    if let Some(name) = text(place, "hardware-tier") {
        seed.add_tier(name, plane, for_model_apis);
    }
    let volumes = place.get("volumes").and_then(Value::as_array);
    for volume in volumes.into_iter().flatten().filter_map(Value::as_str) {
        seed.add_external_volume(volume);
    }
    let cluster = table(place, "cluster");
    for key in ["worker-tier", "master-tier"] {
        if let Some(name) = text(cluster, key) {
            seed.add_tier(name, plane, false);
        }
    }
    add_environment(seed, cluster);
}

fn add_environment(seed: &mut Seed, place: &Table) {
    let Some(name) = (match place.get("environment") {
        Some(Value::String(name)) => Some(name.as_str()),
        Some(Value::Table(table)) => text(table, "name").or_else(|| text(table, "id")),
        _ => None,
    }) else {
        return;
    };
    let known = |known: &EnvironmentSeed| known.name == name || known.id.as_deref() == Some(name);
    if seed.environments.iter().any(known) {
        return;
    }
    if id::is_object_id(name) {
        seed.environments.push(EnvironmentSeed {
            id: Some(name.to_owned()),
            name: format!("Environment {name}"),
            archived: false,
        });
    } else {
        seed.add_environment(name, false);
    }
}

/// The table at `key`, empty when there is none.
fn table<'a>(place: &'a Table, key: &str) -> &'a Table {
    static EMPTY: std::sync::LazyLock<Table> = std::sync::LazyLock::new(Table::new);
    place.get(key).and_then(Value::as_table).unwrap_or(&EMPTY)
}

/// The tables under `key`, with their names, in the file's order.
fn tables<'a>(place: &'a Table, key: &str) -> impl Iterator<Item = (&'a str, &'a Table)> {
    table(place, key)
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_table()?)))
}

fn text<'a>(place: &'a Table, key: &str) -> Option<&'a str> {
    place.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        [defaults]
        project = "wine-team/wine-quality"
        environment = "Domino Standard Environment"
        [stage.dev]
        hardware-tier = { jobs = "dev-small", apps = "dev-small", models = "dev-endpoint" }
        data-plane = "dev-plane"
        [stage.prod]
        project = "wine-team/wine-live"
        environment = "0123456789abcdef01234567"
        hardware-tier = "prod-any"
        data-plane = "prod-plane"
        [job.train]
        command = "train.py"
        volumes = ["raw"]
        [job.train.stage.prod]
        hardware-tier = "prod-large"
        volumes = ["raw", "more"]
        cluster = { worker-tier = "prod-worker", environment = "Ray" }
        [model.wine]
        environment = { name = "Serving", revision = 3 }
        [model.wine.stage.dev]
        hardware-tier = "dev-gpu"
    "#;

    fn seeded() -> Seed {
        seed(&toml::from_str(FILE).unwrap())
    }

    #[test]
    fn every_project_and_environment_of_the_file_is_there() {
        let seed = seeded();
        let projects: Vec<&str> = seed.projects.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(projects, ["wine-live", "wine-quality"]);
        assert_eq!(seed.organizations, ["wine-team"]);
        let names: Vec<&str> = seed.environments.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "Environment 0123456789abcdef01234567",
                "Ray",
                "Serving",
                "Domino Standard Environment"
            ]
        );
        assert_eq!(
            seed.environments[0].id.as_deref(),
            Some("0123456789abcdef01234567")
        );
    }

    #[test]
    fn every_tier_of_the_file_is_there_on_the_data_plane_of_its_stage() {
        let seed = seeded();
        let tiers: Vec<(&str, Option<&str>, bool)> = seed
            .hardware_tiers
            .iter()
            .map(|tier| {
                (
                    tier.name.as_str(),
                    tier.data_plane.as_deref(),
                    tier.for_model_apis,
                )
            })
            .collect();
        let expected = [
            ("dev-small", Some("dev-plane"), false),
            ("dev-endpoint", Some("dev-plane"), true),
            ("prod-any", Some("prod-plane"), false),
            ("prod-any", Some("prod-plane"), true),
            ("prod-large", Some("prod-plane"), false),
            ("prod-worker", Some("prod-plane"), false),
            ("dev-gpu", Some("dev-plane"), true),
        ];
        assert_eq!(tiers, expected);
        assert_eq!(seed.data_planes, ["dev-plane", "prod-plane"]);
        assert_eq!(seed.external_volumes, ["raw", "more"]);
    }

    #[test]
    fn the_id_of_a_tier_is_not_its_name() {
        assert!(
            seeded()
                .hardware_tiers
                .iter()
                .all(|tier| tier.id != tier.name)
        );
    }

    #[test]
    fn an_empty_file_seeds_the_users_alone() {
        let seed = seed(&Table::new());
        assert!(seed.projects.is_empty());
        assert_eq!(seed.users.len(), 3);
    }
}
