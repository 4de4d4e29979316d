//! The GitHub environment of each stage, read from `stages.toml`: its name, approvers, wait timer.
//!
//! The file is read as plain TOML for these few keys; other code checks the whole file.

use anyhow::Context;
use toml::{Table, Value};

use github_workflow::value::same_ignoring_case;
use rehearsal::settings::Environment;

/// The environments of the pipeline.
#[derive(Debug, Clone)]
pub struct StageEnvironments {
    /// The production branch.
    pub branch: String,
    /// One a stage, in promotion order.
    pub environments: Vec<Environment>,
}

impl StageEnvironments {
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
        let environments = stages
            .iter()
            .map(|(name, stage)| {
                let key = |key: &str| {
                    stage
                        .get(key)
                        .or_else(|| defaults.and_then(|all| all.get(key)))
                };
                environment(name, &key).with_context(|| format!("[stage.{name}] of stages.toml"))
            })
            .collect::<anyhow::Result<Vec<Environment>>>()?;
        anyhow::ensure!(!environments.is_empty(), "stages.toml names no stage");
        Ok(Self {
            branch,
            environments,
        })
    }

    /// The environment of this name. GitHub compares names without case.
    pub fn named(&self, name: &str) -> Option<&Environment> {
        self.environments
            .iter()
            .find(|environment| same_ignoring_case(&environment.name, name))
    }
}

fn environment<'a>(
    stage: &str,
    key: &dyn Fn(&str) -> Option<&'a Value>,
) -> anyhow::Result<Environment> {
    let name = match key("github-environment") {
        Some(value) => value
            .as_str()
            .context("`github-environment` is not a text")?
            .to_owned(),
        None => stage.to_owned(),
    };
    let approvers: Vec<String> = match key("approvers") {
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
    // Where approvers start the run by hand, GitHub asks nobody.
    let by_hand = key("gate").and_then(Value::as_str) == Some("dispatch");
    let (reviewers, starters) = match by_hand {
        true => (Vec::new(), approvers),
        false => (approvers, Vec::new()),
    };
    Ok(Environment {
        name,
        guards: format!("stage {stage}"),
        reviewers,
        starters,
        wait_timer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_read_in_promotion_order_with_their_defaults() {
        let read = StageEnvironments::parse(
            "[pipeline]\nbranch = \"trunk\"\n[defaults]\napprovers = [\"ann\"]\n[stage.zero]\napprovers = []\n[stage.prod]\ngithub-environment = \"PROD\"\nwait-timer = 5\n",
        )
        .unwrap();
        assert_eq!(read.branch, "trunk");
        let zero = Environment {
            name: "zero".into(),
            guards: "stage zero".into(),
            reviewers: vec![],
            starters: vec![],
            wait_timer: 0,
        };
        assert_eq!(read.environments[0], zero);
        let prod = read.named("prod").unwrap();
        assert_eq!(
            (prod.reviewers.as_slice(), prod.wait_timer),
            (["ann".to_owned()].as_slice(), 5)
        );
        assert!(read.named("other").is_none());
        let by_hand = "[stage.a]\n[stage.b]\napprovers = [\"ann\"]\ngate = \"dispatch\"";
        let by_hand = StageEnvironments::parse(by_hand).unwrap();
        let by_hand = by_hand.named("b").unwrap();
        assert!(by_hand.reviewers.is_empty());
        assert_eq!(by_hand.starters, ["ann"]);
    }

    #[test]
    fn a_key_that_is_not_right_is_named() {
        for (text, why) in [
            (
                "[stage.a]\napprovers = \"ann\"",
                "`approvers` is not a list",
            ),
            ("[stage.a]\nwait-timer = \"5\"", "not a whole number"),
            ("[pipeline]", "names no stage"),
            ("[", "cannot be read"),
        ] {
            let error = format!("{:#}", StageEnvironments::parse(text).unwrap_err());
            assert!(error.contains(why), "{error}");
        }
    }
}
