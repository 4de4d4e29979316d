//! What expressions refer to: properties GitHub has, outputs that are given, secrets and variables that are set.

use super::Checks;
use crate::action;
use github_workflow::read::What;
use github_workflow::value::{Value, same_ignoring_case};

impl Checks<'_, '_> {
    /// Checks what a chain of names, such as `steps.train.outputs.url`, refers to.
    pub fn chain(&mut self, line: u64, chain: &[&str]) {
        match chain {
            [context, names @ ..] if same_ignoring_case(context, "github") => {
                let mut value = self.known.github.clone();
                for name in names {
                    let Value::Object(object) = &value else { break };
                    match object.property(name) {
                        Some(property) => value = property.clone(),
                        None => {
                            self.problem(line, format!("`{}` is not rehearsed", chain.join(".")));
                            return;
                        }
                    }
                }
            }
            [context, name] if same_ignoring_case(context, "secrets") => {
                self.setting("secret", name, self.known.settings.secret_names());
            }
            [context, name] if same_ignoring_case(context, "vars") => {
                self.setting("variable", name, self.known.settings.variable_names());
            }
            [context, id, outputs, name, ..]
                if same_ignoring_case(context, "steps")
                    && same_ignoring_case(outputs, "outputs") =>
            {
                let mut steps = self.job.into_iter().flat_map(|job| job.every_step());
                let step = steps.find(|step| step.id.as_deref() == Some(id));
                let Some(What::Uses { action, .. }) = step.map(|step| &step.what) else {
                    return;
                };
                let Some(known) = action::known(action) else {
                    return;
                };
                if !known
                    .outputs
                    .iter()
                    .any(|output| same_ignoring_case(output, name))
                {
                    self.problem(
                        line,
                        format!("output `{name}` of {} is not rehearsed", known.name),
                    );
                }
            }
            _ => {}
        }
    }

    fn setting(&mut self, kind: &str, name: &str, set: &[&str]) {
        let bound = self.job.is_some_and(|job| job.environment.is_some());
        if same_ignoring_case(name, "GITHUB_TOKEN") {
            return;
        }
        if !set.iter().any(|known| same_ignoring_case(known, name)) {
            self.note(format!(
                "{}: {kind} {name} is not set here, so it is empty, as on GitHub",
                self.workflow.file
            ));
        } else if !bound {
            let job = self.job.map_or("the workflow", |job| &job.id);
            self.note(format!(
                "{}: {kind} {name} is empty in {job}, which has no environment",
                self.workflow.file
            ));
        }
    }
}
