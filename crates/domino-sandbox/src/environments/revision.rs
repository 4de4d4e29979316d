//! Revisions of an environment, and the three ways in which the APIs say which one is meant.

use serde_json::{Value, json};

use crate::request::Fields;

/// One revision of an environment.
#[derive(Clone, Debug)]
pub(crate) struct Revision {
    pub(crate) id: String,
    pub(crate) number: usize,
}

/// Which revision a run is to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum RevisionSpec {
    #[default]
    Active,
    Latest,
    Restricted,
    /// A fixed revision, by its id.
    Some(String),
}

impl RevisionSpec {
    /// Reads the spec under `name` as `/v4` spells it: a word, or an object with a revision's id.
    pub(crate) fn v4_field(fields: &mut Fields, name: &str) -> Option<Self> {
        let value = fields.optional_value(name)?;
        let spec = match &value {
            Value::String(word) => Self::word(word),
            Value::Object(object) => {
                let id = object.get("revisionId").and_then(Value::as_str);
                id.map(|id| RevisionSpec::Some(id.to_owned()))
            }
            _ => None,
        };
        if spec.is_none() {
            fields.complain(name, "error.invalid");
        }
        spec
    }

    /// Reads the spec under `name` as the public API spells it: always a string.
    pub(crate) fn public_field(fields: &mut Fields, name: &str) -> Option<Self> {
        let text = fields.optional_text(name)?;
        let some = || text.strip_prefix("SomeRevision(")?.strip_suffix(')');
        let spec = Self::word(&text).or_else(|| Some(RevisionSpec::Some(some()?.to_owned())));
        if spec.is_none() {
            fields.complain(name, "error.invalid");
        }
        spec
    }

    fn word(word: &str) -> Option<Self> {
        match word {
            "ActiveRevision" => Some(RevisionSpec::Active),
            "LatestRevision" => Some(RevisionSpec::Latest),
            "RestrictedRevision" => Some(RevisionSpec::Restricted),
            _ => None,
        }
    }

    pub(crate) fn v4(&self) -> Value {
        match self {
            RevisionSpec::Active => "ActiveRevision".into(),
            RevisionSpec::Latest => "LatestRevision".into(),
            RevisionSpec::Restricted => "RestrictedRevision".into(),
            RevisionSpec::Some(id) => json!({ "revisionId": id }),
        }
    }
}

impl Revision {
    pub(super) fn v4(&self, is_active: bool) -> Value {
        json!({
            "id": self.id,
            "number": self.number,
            "status": "Succeeded",
            "url": format!("/environments/revisions/{}", self.id),
            "availableTools": [],
            "tags": if is_active { vec!["Active"] } else { vec![] },
        })
    }

    /// The revision with what it is built of, in the environment of this id and name.
    pub(super) fn v4_details(&self, environment_id: &str, environment_name: &str) -> Value {
        json!({
            "id": self.id,
            "environmentId": environment_id,
            "environmentName": environment_name,
            "imageType": "CustomImage",
            "isBuilt": true,
            "number": self.number,
            "dockerImage": format!("registry.example.com/environment:{}-{}", environment_id, self.number),
            "dockerArguments": [],
            "shouldUseVPN": false,
            "buildEnvironmentVariables": [],
            "supportsPackagePersistence": false,
        })
    }

    pub(super) fn public(&self) -> Value {
        json!({
            "id": self.id,
            "number": self.number,
            "status": "succeeded",
            "availableTools": [],
        })
    }
}
