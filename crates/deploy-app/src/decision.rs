//! What to do about an app, decided from what exists and what is wanted alone. It sends nothing.

use domino_core::api::apps::{
    App, AppChanges, AppStatus, AppVersionId, Capabilities, visibility_word,
};

use crate::wanted::Wanted;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) action: Action,
    /// Why, in differences: `commit: 1 → 2`.
    pub(crate) why: Vec<String>,
    /// What to change about the app itself.
    pub(crate) changes: AppChanges,
    /// The same in words.
    pub(crate) change_texts: Vec<String>,
    /// What is different and cannot be changed.
    pub(crate) remarks: Vec<String>,
}

/// What to do about the version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// There is no such app.
    Create,
    /// Make a new version and start it.
    Publish,
    /// Start a version that is as wanted and down.
    StartAgain(AppVersionId),
    /// A version that is as wanted is on its way.
    Follow(AppVersionId),
    /// A version that is as wanted runs.
    Keep(AppVersionId),
}

/// Why nothing is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The app exists with an entry point that this API cannot change.
    FixedEntryPoint {
        /// That entry point.
        existing: String,
    },
    /// Somebody stopped the app, and nobody said that it is to run again.
    Stopped {
        /// Domino's word for it.
        status: String,
    },
}

/// Domino's word for what ended because somebody stopped it; what failed has others.
pub(crate) const STOPPED: &str = "Stopped";

/// Decides.
pub(crate) fn decide(
    can: &Capabilities,
    existing: Option<&App>,
    wanted: &Wanted,
) -> Result<Decision, Refusal> {
    let mut decision = Decision {
        action: Action::Create,
        why: Vec::new(),
        changes: AppChanges::default(),
        change_texts: Vec::new(),
        remarks: Vec::new(),
    };
    let Some(app) = existing else {
        return Ok(decision);
    };
    if let AppStatus::Down(status) = app.status()
        && status == STOPPED
        && !wanted.as_file_says
        && !wanted.another_runs
    {
        return Err(Refusal::Stopped { status });
    }
    decision.compare_app(can, app, wanted)?;
    decision.action = decision.act_on_version(can, app, wanted);
    Ok(decision)
}

impl Decision {
    /// What is to change about the app itself.
    fn compare_app(
        &mut self,
        can: &Capabilities,
        app: &App,
        wanted: &Wanted,
    ) -> Result<(), Refusal> {
        // An entry point that is not told cannot be set either; the app was made with one and keeps it.
        if let Some(existing) = app
            .entry_point
            .as_ref()
            .filter(|e| **e != wanted.entry_point)
        {
            if !can.changes_entry_point {
                return Err(Refusal::FixedEntryPoint {
                    existing: existing.clone(),
                });
            }
            let words = format!("entry point: {existing} → {}", wanted.entry_point);
            self.why.push(words);
            self.changes.entry_point = Some(wanted.entry_point.clone());
        }
        let word = visibility_word(wanted.visibility);
        let existing = app.visibility.as_ref().filter(|_| wanted.says_visibility);
        if let Some(existing) = existing.filter(|existing| *existing != word) {
            if wanted.as_file_says || wanted.last_visibility.as_ref() == Some(existing) {
                self.change_texts
                    .push(format!("visibility: {existing} → {word}"));
                self.changes.visibility = Some(wanted.visibility);
            } else {
                self.remarks.push(format!(
                    "app `{}` is `{existing}` in Domino, which is not what we last made it, and stages.toml says \
                     `{word}`: it stays `{existing}`; `--put-back` makes it `{word}`",
                    app.name
                ));
            }
        }
        let description = app.description.as_deref().unwrap_or_default();
        if !wanted.description.is_empty() && description != wanted.description {
            if can.changes_description {
                self.change_texts.push("description".into());
                self.changes.description = Some(wanted.description.clone());
            } else {
                self.remarks.push(format!(
                    "the description of app `{}` differs from stages.toml, and this API cannot change it",
                    app.name
                ));
            }
        }
        Ok(())
    }

    fn act_on_version(&mut self, can: &Capabilities, app: &App, wanted: &Wanted) -> Action {
        let Some(version) = &app.version else {
            self.why
                .push("nothing of it runs: it was never started".into());
            return Action::Publish;
        };
        let comparison = wanted.compare(version);
        self.why.extend(comparison.different);
        self.why.extend(comparison.newer_revision);
        for what in comparison.unreported {
            self.why.push(format!("{what}: not told by this Domino"));
        }
        let as_wanted = self.why.is_empty();
        match version.status() {
            AppStatus::Up(_) if as_wanted => Action::Keep(version.id.clone()),
            AppStatus::Starting(_) | AppStatus::Unknown(_) if as_wanted => {
                Action::Follow(version.id.clone())
            }
            status @ (AppStatus::Down(_) | AppStatus::Never | AppStatus::Stopping(_)) => {
                self.why
                    .push(format!("nothing of it runs: it is `{}`", status.word()));
                let again = as_wanted && status.is_down() && can.starts_versions_again;
                match again {
                    true => Action::StartAgain(version.id.clone()),
                    false => Action::Publish,
                }
            }
            _ => Action::Publish,
        }
    }

    /// What to change about the app before a version is launched, and what once it runs: a launch that fails must
    /// not leave an app open to more people than before. Only the entry point must change first.
    pub(crate) fn changes_around_launch(&self) -> (AppChanges, AppChanges) {
        let all = self.changes.clone();
        if matches!(self.action, Action::Keep(_)) {
            return (all, AppChanges::default());
        }
        let first = AppChanges {
            entry_point: all.entry_point.clone(),
            ..AppChanges::default()
        };
        let last = AppChanges {
            entry_point: None,
            ..all
        };
        (first, last)
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_as_wanted(&self) -> bool {
        matches!(self.action, Action::Keep(_)) && self.changes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use domino_core::api::apps::{AppId, AppVersion, Generation};
    use stage_file::Visibility;

    use super::*;
    use crate::wanted::tests::{version, wanted};

    const ALL: [Generation; 3] = [Generation::V1, Generation::Beta, Generation::V4];

    fn app(version: Option<AppVersion>) -> App {
        App {
            id: AppId::new("a1"),
            name: "dashboard-dev".into(),
            entry_point: Some("app.sh".into()),
            description: Some("Numbers".into()),
            visibility: Some("GRANT_BASED".into()),
            url: None,
            publisher: None,
            version,
        }
    }

    fn decided(api: Generation, app: &App) -> Decision {
        decide(api.capabilities(), Some(app), &wanted()).unwrap()
    }

    #[test]
    fn an_app_that_is_not_there_is_created() {
        for api in ALL {
            assert_eq!(
                decide(api.capabilities(), None, &wanted()).unwrap().action,
                Action::Create
            );
        }
    }

    #[test]
    fn what_runs_as_wanted_is_left_alone() {
        for api in ALL {
            let decision = decided(api, &app(Some(version("Running"))));
            assert_eq!(decision.action, Action::Keep(AppVersionId::new("v1")));
            assert!(decision.is_as_wanted() && decision.why.is_empty());
        }
    }

    #[test]
    fn what_is_on_its_way_as_wanted_is_followed() {
        for word in ["Queued", "Preparing", "SomethingNew"] {
            let decision = decided(Generation::Beta, &app(Some(version(word))));
            assert_eq!(decision.action, Action::Follow(AppVersionId::new("v1")));
        }
    }

    #[test]
    fn what_is_down_is_started_again_where_that_can_be_and_published_elsewhere() {
        let down = app(Some(version("Failed")));
        let again = Action::StartAgain(AppVersionId::new("v1"));
        assert_eq!(decided(Generation::V1, &down).action, again);
        assert_eq!(decided(Generation::Beta, &down).action, Action::Publish);
        let decision = decided(Generation::V4, &down);
        assert_eq!(decision.action, Action::Publish);
        assert_eq!(decision.why, ["nothing of it runs: it is `Failed`"]);
        let never = decided(Generation::V4, &app(None));
        assert_eq!(never.action, Action::Publish);
    }

    #[test]
    fn what_stops_is_not_followed() {
        let stopping = app(Some(version("Stopping")));
        for api in ALL {
            assert_eq!(decided(api, &stopping).action, Action::Publish);
        }
    }

    #[test]
    fn another_commit_is_published_and_the_reason_told() {
        let other = AppVersion {
            git_ref: None,
            ..version("Running")
        };
        let decision = decided(Generation::V4, &app(Some(other)));
        assert_eq!(decision.action, Action::Publish);
        assert_eq!(decision.why, ["commit: not told by this Domino"]);
    }

    #[test]
    fn another_entry_point_is_changed_or_refused_before_anything_is_done() {
        let moved = App {
            entry_point: Some("old.sh".into()),
            ..app(Some(version("Running")))
        };
        let decision = decided(Generation::Beta, &moved);
        assert_eq!(decision.action, Action::Publish);
        assert_eq!(decision.changes.entry_point.as_deref(), Some("app.sh"));
        for api in [Generation::V1, Generation::V4] {
            let refused = decide(api.capabilities(), Some(&moved), &wanted()).unwrap_err();
            let existing = "old.sh".into();
            assert_eq!(refused, Refusal::FixedEntryPoint { existing });
        }
    }

    #[test]
    fn visibility_and_description_change_without_a_new_version() {
        let old = App {
            description: None,
            visibility: Some("PUBLIC".into()),
            ..app(Some(version("Running")))
        };
        let wanted = Wanted {
            last_visibility: Some("PUBLIC".into()),
            ..wanted()
        };
        let decided =
            |api: Generation, app: &App| decide(api.capabilities(), Some(app), &wanted).unwrap();
        for api in [Generation::V1, Generation::Beta] {
            let decision = decided(api, &old);
            assert!(matches!(decision.action, Action::Keep(_)));
            assert!(!decision.is_as_wanted());
            assert_eq!(decision.changes.visibility, Some(Visibility::GrantBased));
            assert_eq!(decision.changes.description.as_deref(), Some("Numbers"));
        }
        let decision = decided(Generation::V4, &old);
        assert_eq!(decision.changes.description, None);
        assert_eq!(decision.remarks.len(), 1);
    }

    #[test]
    fn who_may_open_it_stays_as_somebody_set_it_unless_it_is_put_back() {
        let narrowed = App {
            visibility: Some("GRANT_BASED_STRICT".into()),
            ..app(Some(version("Running")))
        };
        let decide = |wanted: &Wanted| {
            decide(Generation::V1.capabilities(), Some(&narrowed), wanted).unwrap()
        };
        for last in [None, Some("GRANT_BASED"), Some("PUBLIC")] {
            let wanted = Wanted {
                last_visibility: last.map(str::to_owned),
                ..wanted()
            };
            let decision = decide(&wanted);
            assert!(decision.is_as_wanted());
            assert_eq!(decision.remarks.len(), 1);
        }
        let as_file_says = Wanted {
            as_file_says: true,
            ..wanted()
        };
        let decision = decide(&as_file_says);
        assert_eq!(decision.changes.visibility, Some(Visibility::GrantBased));
        let silent = Wanted {
            says_visibility: false,
            ..wanted()
        };
        assert!(decide(&silent).is_as_wanted() && decide(&silent).remarks.is_empty());
    }

    #[test]
    fn what_somebody_stopped_stays_unless_it_is_put_back() {
        let stopped = app(Some(version("Stopped")));
        for api in ALL {
            let refused = decide(api.capabilities(), Some(&stopped), &wanted()).unwrap_err();
            let status = "Stopped".into();
            assert_eq!(refused, Refusal::Stopped { status });
            let as_file_says = Wanted {
                as_file_says: true,
                ..wanted()
            };
            assert!(decide(api.capabilities(), Some(&stopped), &as_file_says).is_ok());
        }
    }

    #[test]
    fn a_description_that_the_file_does_not_give_stays() {
        let mut wanted = wanted();
        wanted.description.clear();
        let decision = decide(
            Generation::V1.capabilities(),
            Some(&app(Some(version("Running")))),
            &wanted,
        );
        assert!(decision.unwrap().is_as_wanted());
    }
}
