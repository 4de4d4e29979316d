//! The contexts of expressions: which of them GitHub offers at which place, and how they are made.
//!
//! GitHub refuses a workflow that uses a context where it is not offered, so a rehearsal must as well.

use std::sync::Arc;

use crate::expression::Expression;
use crate::functions::{FUNCTIONS, check_arguments, known_function};
use crate::value::{Object, Value, same_ignoring_case};

/// The place of an expression in a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpressionSite {
    /// `concurrency` or `run-name` of the workflow.
    Workflow,
    /// A value under `env` of the workflow.
    WorkflowEnv,
    /// `name`, `runs-on`, `timeout-minutes`, `concurrency`, `environment` of a job.
    Job,
    /// `if` of a job.
    JobCondition,
    /// A value under `env` of a job.
    JobEnv,
    /// `defaults.run` of a job.
    JobDefaults,
    /// `environment.url` of a job.
    EnvironmentUrl,
    /// A value under `outputs` of a job.
    JobOutputs,
    /// `if` of a step.
    StepCondition,
    /// Everything else of a step.
    Step,
}

impl ExpressionSite {
    /// The contexts that GitHub offers at this place.
    pub fn contexts(self) -> &'static [&'static str] {
        match self {
            Self::Workflow => &["github", "inputs", "vars"],
            Self::WorkflowEnv => &["github", "inputs", "vars", "secrets"],
            Self::Job | Self::JobCondition => &["github", "needs", "vars", "inputs"],
            Self::JobEnv => &["github", "needs", "vars", "secrets", "inputs"],
            Self::JobDefaults => &["github", "needs", "env", "vars", "inputs"],
            Self::EnvironmentUrl => &[
                "github", "needs", "job", "runner", "env", "vars", "steps", "inputs",
            ],
            Self::StepCondition => &[
                "github", "needs", "job", "runner", "env", "vars", "steps", "inputs",
            ],
            Self::JobOutputs | Self::Step => &[
                "github", "needs", "job", "runner", "env", "vars", "secrets", "steps", "inputs",
            ],
        }
    }

    fn offers(self, function: &str) -> bool {
        match function {
            "success" | "failure" | "cancelled" | "always" => {
                matches!(self, Self::JobCondition | Self::StepCondition)
            }
            "hashFiles" => matches!(self, Self::Step | Self::StepCondition),
            _ => true,
        }
    }

    /// What in the expression GitHub does not offer at this place, or a rehearsal does not support.
    pub fn refuses(self, expression: &Expression) -> Vec<String> {
        let mut refused = Vec::new();
        expression.walk(&mut |part| match part {
            Expression::Context(name)
                if !self
                    .contexts()
                    .iter()
                    .any(|offered| same_ignoring_case(offered, name)) =>
            {
                refused.push(format!(
                    "`{name}` is not offered here: there are {}",
                    self.contexts().join(", ")
                ));
            }
            Expression::Call(name, arguments) => match known_function(name) {
                Err(_) => {
                    let known: Vec<&str> = FUNCTIONS.iter().map(|(name, _, _)| *name).collect();
                    refused.push(format!(
                        "function `{name}` is not rehearsed: there are {}",
                        known.join(", ")
                    ));
                }
                Ok((known, _, _)) if !self.offers(known) => {
                    refused.push(format!("function `{known}` is not offered here"));
                }
                Ok(_) => refused.extend(check_arguments(name, arguments.len()).err()),
            },
            _ => {}
        });
        refused
    }
}

/// The `env` context; its names are case-sensitive, as on every runner except Windows.
pub fn env(entries: impl IntoIterator<Item = (String, String)>) -> Value {
    Value::Object(Arc::new(Object {
        entries: entries
            .into_iter()
            .map(|(name, value)| (name, Value::String(value)))
            .collect(),
        case_sensitive: true,
    }))
}

/// The contexts that are offered at this place.
pub fn offered(
    site: ExpressionSite,
    contexts: &[(&'static str, Value)],
) -> Vec<(&'static str, Value)> {
    contexts
        .iter()
        .filter(|(name, _)| site.contexts().contains(name))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_github_does_not_offer_in_a_place_is_refused() {
        let refuses = |site: ExpressionSite, text: &str| {
            site.refuses(&Expression::parse(text).unwrap()).join("; ")
        };
        assert_eq!(
            refuses(ExpressionSite::Step, "secrets.X && env.Y && hashFiles('a')"),
            ""
        );
        assert_eq!(
            refuses(ExpressionSite::JobCondition, "!failure() && vars.X"),
            ""
        );
        for (site, text, why) in [
            (
                ExpressionSite::StepCondition,
                "secrets.X",
                "`secrets` is not offered here",
            ),
            (
                ExpressionSite::JobCondition,
                "env.X",
                "`env` is not offered here",
            ),
            (
                ExpressionSite::JobCondition,
                "steps.X.outputs.y",
                "`steps` is not offered here",
            ),
            (
                ExpressionSite::Step,
                "always()",
                "`always` is not offered here",
            ),
            (
                ExpressionSite::JobEnv,
                "hashFiles('a')",
                "`hashFiles` is not offered here",
            ),
            (
                ExpressionSite::Step,
                "matrix.os",
                "`matrix` is not offered here",
            ),
            (
                ExpressionSite::Step,
                "nope(1)",
                "function `nope` is not rehearsed",
            ),
            (
                ExpressionSite::Step,
                "contains(1)",
                "does not take 1 arguments",
            ),
            (
                ExpressionSite::WorkflowEnv,
                "needs.a.result",
                "`needs` is not offered here",
            ),
        ] {
            assert!(
                refuses(site, text).contains(why),
                "{text}: {}",
                refuses(site, text)
            );
        }
    }
}
