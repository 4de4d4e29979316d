//! Who has worked on a version, and so must not approve it. Domino and GitHub have user names of their own. They are
//! compared as they are, ignoring case, because nothing maps one to the other.

use domino_core::api::governance::Actor;
use domino_core::api::mlflow::{ModelVersion, Run};
use domino_core::approval::STARTED;

/// The tags that name the user who trained a version.
const TRAINED_BY: [&str; 2] = ["mlflow.domino.user", "mlflow.user"];
/// The tag that holds that user's id in Domino.
const TRAINED_BY_ID: &str = "mlflow.domino.user_id";

/// Who has worked on a version.
#[derive(Debug, Clone, Default)]
pub(crate) struct People {
    trained_by: Vec<String>,
    trained_by_ids: Vec<String>,
    started_by: Option<String>,
}

impl People {
    /// Reads who trained a version from its tags and its run's; who started the workflow is given.
    pub(crate) fn of(
        version: &ModelVersion,
        run: Option<&Run>,
        started_by: Option<String>,
    ) -> Self {
        let all = |keys: &[&str]| {
            let mut values: Vec<String> = Vec::new();
            for tags in [Some(&version.tags), run.map(|run| &run.tags)]
                .into_iter()
                .flatten()
            {
                let named = keys.iter().filter_map(|key| tags.get(*key));
                for value in named.filter(|value| !value.trim().is_empty()) {
                    if !values.contains(value) {
                        values.push(value.clone());
                    }
                }
            }
            values
        };
        Self {
            trained_by: all(&TRAINED_BY),
            trained_by_ids: all(&[TRAINED_BY_ID]),
            started_by,
        }
    }

    /// Who trained the version, for people.
    pub(crate) fn trainers(&self) -> Option<String> {
        (!self.trained_by.is_empty()).then(|| self.trained_by.join(", "))
    }

    /// Whether nothing says who trained the version, so that they could approve it themselves.
    pub(crate) fn trainers_are_unreported(&self) -> bool {
        self.trained_by.is_empty() && self.trained_by_ids.is_empty()
    }

    /// Why a GitHub user's approval does not count.
    pub(crate) fn objection_to_login(&self, login: &str) -> Option<&'static str> {
        let is = |user: &String| same(user, login);
        if self.trained_by.iter().any(is) {
            Some("who trained the version")
        } else if self.started_by.iter().any(is) {
            Some(STARTED)
        } else {
            None
        }
    }

    /// Why a Domino user's approval does not count.
    pub(crate) fn objection_to_user(&self, user: &Actor) -> Option<&'static str> {
        let trained = user
            .id
            .as_ref()
            .is_some_and(|id| self.trained_by_ids.contains(id));
        let named = user.name.as_deref();
        match named.and_then(|name| self.objection_to_login(name)) {
            Some(objection) => Some(objection),
            None => trained.then_some("who trained the version"),
        }
    }
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::tests::version;

    /// Ada trained it, ben started the workflow run.
    pub(crate) fn people() -> People {
        let tags = json!({"mlflow.user": "ada", "mlflow.domino.user_id": "u1"});
        let started_by = Some("ben".to_owned());
        People::of(&version(7, "None", tags), None, started_by)
    }

    #[test]
    fn that_nothing_says_who_trained_a_version_is_noticed() {
        assert!(!people().trainers_are_unreported());
        let of = |tags| People::of(&version(7, "None", tags), None, None).trainers_are_unreported();
        assert!(of(json!({})) && of(json!({"mlflow.user": " "})));
        assert!(!of(json!({"mlflow.domino.user_id": "u1"})));
    }

    #[test]
    fn nobody_approves_what_they_trained_or_started() {
        let people = people();
        assert_eq!(people.trainers().as_deref(), Some("ada"));
        assert_eq!(
            people.objection_to_login("Ada"),
            Some("who trained the version")
        );
        assert_eq!(
            people.objection_to_login("BEN"),
            Some("who started this workflow run")
        );
        assert_eq!(people.objection_to_login("cleo"), None);
        let user = |id: &str, name: &str| Actor {
            id: Some(id.into()),
            name: Some(name.into()),
        };
        assert!(people.objection_to_user(&user("u1", "Ada Byron")).is_some());
        assert!(people.objection_to_user(&user("u2", "ben")).is_some());
        assert!(people.objection_to_user(&user("u2", "cleo")).is_none());
    }
}
