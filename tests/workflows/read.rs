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

impl Read {
    /// What this text says.
    pub fn of(name: &str, text: &str) -> Self {
        let yaml =
            yaml_serde::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        let ordered: yaml_serde::Value = yaml_serde::from_str(text).unwrap();
        let jobs = ordered["jobs"].as_mapping().unwrap().keys();
        let order = jobs.map(|id| id.as_str().unwrap().to_owned()).collect();
        Self {
            name: name.to_owned(),
            text: text.to_owned(),
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

pub fn steps(job: &Value) -> impl Iterator<Item = &Value> {
    job["steps"].as_array().unwrap().iter()
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
