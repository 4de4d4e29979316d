//! Which code a run is to use, as jobs, schedules and apps are told it. Any type word is taken
//! when a run is created, as Domino does; only the run itself finds out that it means nothing.

use serde_json::{Value, json};

use crate::reply::Put;
use crate::request::Fields;

/// A git reference, not yet looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GitRef {
    /// `head`, `branches`, `tags`, `commitId`, or a word that will make the run fail.
    pub(crate) kind: String,
    pub(crate) value: Option<String>,
}

impl GitRef {
    /// Reads `{type, value}` under `name`, as `/v4` spells it.
    pub(crate) fn v4_field(fields: &mut Fields, name: &str) -> Option<Self> {
        Self::field(fields, name, "type")
    }

    /// Reads `{refType, value}` under `name`, as the public API of jobs spells it.
    pub(crate) fn public_field(fields: &mut Fields, name: &str) -> Option<Self> {
        Self::field(fields, name, "refType")
    }

    fn field(fields: &mut Fields, name: &str, kind: &str) -> Option<Self> {
        fields.optional_object(name, |inner| GitRef {
            kind: inner.text(kind),
            value: inner.optional_text("value"),
        })
    }

    /// The newest commit of the project's own branch.
    pub(crate) fn head() -> Self {
        GitRef {
            kind: "head".to_owned(),
            value: None,
        }
    }

    pub(crate) fn v4(&self) -> Value {
        self.json("type")
    }

    pub(crate) fn public(&self) -> Value {
        self.json("refType")
    }

    fn json(&self, kind: &str) -> Value {
        let mut json = json!({ kind: self.kind });
        json.put("value", self.value.as_deref());
        json
    }
}
