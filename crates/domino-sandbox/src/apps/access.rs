//! Who may open an app: its visibility, and the users who were granted or denied access. Its project decides who may
//! change it.

use serde_json::{Value, json};

use crate::projects::{Project, Projects};
use crate::request::Fields;
use crate::users::User;

/// Who may open an app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// Everybody, without signing in.
    Public,
    /// Every user.
    Authenticated,
    /// The members of the project and users who were granted access; others may ask for it.
    #[default]
    GrantBased,
    /// As `GrantBased`, but nobody may ask.
    GrantBasedStrict,
}

/// The visibility of an app, and the access of single users.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) visibility: Visibility,
    pub(crate) is_discoverable: bool,
    /// The id of each user with `ALLOWED`, `DENIED` or `PENDING`.
    pub(crate) statuses: Vec<(String, String)>,
}

impl Default for Access {
    fn default() -> Self {
        Access {
            visibility: Visibility::default(),
            is_discoverable: true,
            statuses: Vec::new(),
        }
    }
}

impl Visibility {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Visibility::Public => "PUBLIC",
            Visibility::Authenticated => "AUTHENTICATED",
            Visibility::GrantBased => "GRANT_BASED",
            Visibility::GrantBasedStrict => "GRANT_BASED_STRICT",
        }
    }

    /// Reads the word under `name`, which is required.
    pub(super) fn field(fields: &mut Fields, name: &str) -> Self {
        let word = fields.text(name);
        Self::of(fields, name, &word)
    }

    /// Reads the word under `name`, which may be missing.
    pub(super) fn optional_field(fields: &mut Fields, name: &str) -> Option<Self> {
        let word = fields.optional_text(name)?;
        Some(Self::of(fields, name, &word))
    }

    fn of(fields: &mut Fields, name: &str, word: &str) -> Self {
        let all = [
            Visibility::Public,
            Visibility::Authenticated,
            Visibility::GrantBased,
            Visibility::GrantBasedStrict,
        ];
        let known = all.into_iter().find(|visibility| visibility.word() == word);
        if known.is_none() && !word.is_empty() {
            fields.complain(name, "error.invalid");
        }
        known.unwrap_or_default()
    }
}

impl Access {
    /// Reads the access statuses under their name in the public API, if they are there.
    pub(super) fn statuses_field(fields: &mut Fields) -> Option<Vec<(String, String)>> {
        const NAME: &str = "accessStatuses";
        let value = fields.optional_value(NAME)?;
        let statuses = value.as_array().and_then(|entries| {
            let entries = entries.iter().map(|entry| {
                let user_id = entry["userId"].as_str()?;
                let status = entry["status"].as_str()?;
                let is_known = ["ALLOWED", "DENIED", "PENDING"].contains(&status);
                is_known.then(|| (user_id.to_owned(), status.to_owned()))
            });
            entries.collect()
        });
        if statuses.is_none() {
            fields.complain(NAME, "error.invalid");
        }
        statuses
    }

    /// Whether `user` may open an app of `project`.
    pub(super) fn lets_in(&self, projects: &Projects, project: &Project, user: &User) -> bool {
        let status = self.statuses.iter().find(|(id, _)| *id == user.id);
        let is_member = || projects.seen_by(user, &project.id).is_ok();
        match self.visibility {
            Visibility::Public | Visibility::Authenticated => true,
            Visibility::GrantBased | Visibility::GrantBasedStrict => {
                is_member() || status.is_some_and(|(_, status)| status == "ALLOWED")
            }
        }
    }

    /// The statuses as the public API lists them.
    pub(super) fn statuses_json(&self) -> Vec<Value> {
        let statuses = self.statuses.iter();
        statuses
            .map(|(user_id, status)| json!({ "userId": user_id, "status": status }))
            .collect()
    }
}
