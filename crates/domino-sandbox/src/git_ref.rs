//! Which code a run uses, as jobs, schedules and apps name it. Like Domino, the sandbox accepts any
//! type when a run is created; a wrong one fails the run itself.

use serde_json::{Value, json};

use crate::reply::Put;
use crate::request::Fields;

/// A git reference, not yet looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GitRef {
    /// `head`, `branches`, `tags`, `commitId`, or a word that makes the run fail.
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

    /// `git_ref`, or the newest commit when there is none.
    pub(crate) fn or_head(git_ref: &Option<Self>) -> Self {
        git_ref.clone().unwrap_or_else(GitRef::head)
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
