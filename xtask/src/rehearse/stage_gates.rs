//! What guards each stage on GitHub, read from `stages.toml`: environment, approvers, wait timer.
//!
//! The file is read as plain TOML for these few keys; whether it is right as a whole, other tasks tell.

use anyhow::Context;
use toml::{Table, Value};

use github_workflow::value::same_ignoring_case;

/// The stages of the pipeline, as far as GitHub's gates go.
#[derive(Debug)]
pub struct StageGates {
    /// The production branch.
    pub branch: String,
    /// The stages, in promotion order.
    pub stages: Vec<Gate>,
}

/// What guards one stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// The stage's name.
    pub stage: String,
    /// The GitHub environment.
    pub environment: String,
    /// Who may say yes: users, or `team:<slug>`. Nobody needs to where it is empty.
    pub approvers: Vec<String>,
    /// How long GitHub waits before the deployment, in minutes.
    pub wait_timer: i64,
}

impl StageGates {
    /// Reads the text of a stage file.
    ///
    /// # Errors
    /// When it is not TOML, or a key of a gate is not what it should be.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let file: Table = text.parse().context("stages.toml cannot be read")?;
        let branch = file
            .get("pipeline")
            .and_then(|pipeline| pipeline.get("branch"))
            .and_then(Value::as_str)
            .unwrap_or("main")
            .to_owned();
        let defaults = file.get("defaults");
        let empty = Table::new();
        let stages = file
            .get("stage")
            .and_then(Value::as_table)
            .unwrap_or(&empty);
        let stages = stages
            .iter()
            .map(|(name, stage)| {
                let key = |key: &str| {
                    stage
                        .get(key)
                        .or_else(|| defaults.and_then(|all| all.get(key)))
                };
                gate(name, &key).with_context(|| format!("[stage.{name}] of stages.toml"))
            })
            .collect::<anyhow::Result<Vec<Gate>>>()?;
        anyhow::ensure!(!stages.is_empty(), "stages.toml names no stage");
        Ok(Self { branch, stages })
    }

    /// What guards this GitHub environment. GitHub compares their names without case.
    pub fn of_environment(&self, environment: &str) -> Option<&Gate> {
        self.stages
            .iter()
            .find(|gate| same_ignoring_case(&gate.environment, environment))
    }
}

fn gate<'a>(name: &str, key: &dyn Fn(&str) -> Option<&'a Value>) -> anyhow::Result<Gate> {
    let environment = match key("github-environment") {
        Some(value) => value
            .as_str()
            .context("`github-environment` is not a text")?
            .to_owned(),
        None => name.to_owned(),
    };
    let approvers = match key("approvers") {
        Some(value) => value
            .as_array()
            .context("`approvers` is not a list")?
            .iter()
            .map(|name| {
                Ok(name
                    .as_str()
                    .context("`approvers` holds something that is no name")?
                    .to_owned())
            })
            .collect::<anyhow::Result<_>>()?,
        None => Vec::new(),
    };
    let wait_timer = match key("wait-timer") {
        Some(value) => value
            .as_integer()
            .context("`wait-timer` is not a whole number of minutes")?,
        None => 0,
    };
    Ok(Gate {
        stage: name.to_owned(),
        environment,
        approvers,
        wait_timer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_read_in_promotion_order_with_their_defaults() {
        let gates = StageGates::parse(
            "[pipeline]\nbranch = \"trunk\"\n[defaults]\napprovers = [\"ann\"]\n[stage.zero]\napprovers = []\n[stage.prod]\ngithub-environment = \"PROD\"\nwait-timer = 5\n",
        )
        .unwrap();
        assert_eq!(gates.branch, "trunk");
        let zero = Gate {
            stage: "zero".into(),
            environment: "zero".into(),
            approvers: vec![],
            wait_timer: 0,
        };
        assert_eq!(gates.stages[0], zero);
        let prod = gates.of_environment("prod").unwrap();
        assert_eq!(
            (prod.approvers.as_slice(), prod.wait_timer),
            (["ann".to_owned()].as_slice(), 5)
        );
        assert!(gates.of_environment("other").is_none());
    }

    #[test]
    fn a_gate_that_is_not_one_is_named() {
        for (text, why) in [
            (
                "[stage.a]\napprovers = \"ann\"",
                "`approvers` is not a list",
            ),
            ("[stage.a]\nwait-timer = \"5\"", "not a whole number"),
            ("[pipeline]", "names no stage"),
            ("[", "cannot be read"),
        ] {
            let error = format!("{:#}", StageGates::parse(text).unwrap_err());
            assert!(error.contains(why), "{error}");
        }
    }
}
