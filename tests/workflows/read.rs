//! A workflow as a reader of the file sees it: plain YAML, knowing nothing of what wrote it.

use serde_json::Value;

/// A workflow as a reader sees it.
pub struct Read {
    /// The file's name.
    pub name: String,
    /// Its text.
    pub text: String,
    /// What the text says.
    pub yaml: Value,
    /// The jobs in the order of the file, which a JSON value does not keep.
    order: Vec<String>,
}

/// Whether a run begins at this stage only where a person picked it.
pub fn begins_by_hand(job: &Value) -> bool {
    let condition = job["if"].as_str().unwrap_or_default();
    let picked = condition.contains("inputs.stage == '") && !condition.contains("inputs.entity");
    picked && !condition.contains("'push'")
}

impl Read {
    /// What this text says.
    pub fn of(name: &str, text: &str) -> Self {
        let text = &plain(text);
        let yaml =
            yaml_serde::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        let ordered: yaml_serde::Value = yaml_serde::from_str(text).unwrap();
        let jobs = ordered["jobs"].as_mapping().unwrap().keys();
        let order = jobs.map(|id| id.as_str().unwrap().to_owned()).collect();
        Self {
            name: name.to_owned(),
            text: text.clone(),
            yaml,
            order,
        }
    }

    /// Its jobs, in the order of the file.
    pub fn jobs(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.order.iter().map(|id| (id, &self.yaml["jobs"][id]))
    }

    /// The jobs that have a GitHub environment, in the order of the file.
    pub fn stages(&self) -> Vec<(&String, &Value)> {
        self.jobs()
            // What only looks has an environment for its tokens, and is no stage.
            .filter(|(_, job)| {
                !job["environment"].is_null() && job["environment"]["name"] != "drift"
            })
            .collect()
    }

    /// The same by the runs that they are of: one begins at each stage that is entered by hand.
    pub fn stages_by_run(&self) -> Vec<Vec<(&String, &Value)>> {
        let mut runs: Vec<Vec<_>> = Vec::new();
        for stage in self.stages() {
            match runs.last_mut() {
                Some(run) if !begins_by_hand(stage.1) => run.push(stage),
                _ => runs.push(vec![stage]),
            }
        }
        runs
    }

    /// Every text of the file with its path: `jobs.deploy-dev.steps.3.run`.
    pub fn texts(&self) -> Vec<(String, &str)> {
        let mut found = Vec::new();
        collect("", &self.yaml, &mut found);
        found
    }
}

fn collect<'a>(path: &str, value: &'a Value, found: &mut Vec<(String, &'a str)>) {
    match value {
        Value::String(text) => found.push((path.to_owned(), text)),
        Value::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                collect(&format!("{path}.{at}"), value, found);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                found.push((format!("{path}.{key}"), key));
                collect(&format!("{path}.{key}"), value, found);
            }
        }
        _ => {}
    }
}

/// A text as GitHub writes it in an expression: a quote within it is doubled.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// An expression that reaches into a group of steps, in the way in which it would reach for a step beside it.
fn plain(text: &str) -> String {
    text.replace("fromJSON(toJSON(steps)).", "steps.")
}

/// The text as if no step of it were in a group: what edits it need not know where one is.
pub fn flat(text: &str) -> String {
    let mut in_group = false;
    let mut flat = String::new();
    for line in plain(text).lines() {
        let indent = line.len() - line.trim_start().len();
        in_group = line == "      - parallel:" || (in_group && (indent >= 10 || line.is_empty()));
        if line != "      - parallel:" {
            flat += if in_group && !line.is_empty() {
                &line[4..]
            } else {
                line
            };
            flat += "\n";
        }
    }
    flat
}

/// The steps of a job, those of a group in the place of the group.
pub fn steps(job: &Value) -> impl Iterator<Item = &Value> {
    groups(job).flatten()
}

/// The steps of a job as groups, a step that is in none by itself.
pub fn groups(job: &Value) -> impl Iterator<Item = &[Value]> {
    let steps = job["steps"].as_array().unwrap().iter();
    steps.map(|step| match step["parallel"].as_array() {
        Some(group) => group.as_slice(),
        None => std::slice::from_ref(step),
    })
}

pub fn runs(job: &Value) -> impl Iterator<Item = &str> {
    steps(job).filter_map(|step| step["run"].as_str())
}

/// Whether a job holds a secret.
pub fn holds_secret(job: &Value) -> bool {
    let mut found = Vec::new();
    collect("", job, &mut found);
    found.iter().any(|(path, text)| names_secrets(path, text))
}

/// Whether a text of the file reaches for secrets: the word in an expression, however it goes on, or the key that
/// hands all of them to another workflow.
pub fn names_secrets(path: &str, text: &str) -> bool {
    let is_condition = path.ends_with(".if");
    let is_key = text == "secrets" && path.ends_with(".secrets");
    let expressions = text.split("${{").skip(usize::from(!is_condition));
    is_key
        || expressions
            .map(|rest| rest.split("}}").next().unwrap_or_default())
            .any(|expression| {
                let mut words = expression
                    .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'));
                words.any(|word| word.eq_ignore_ascii_case("secrets"))
            })
}
