//! What to do about an app, decided only from what exists and what is wanted. It sends nothing.

use domino_core::api::apps::{
    App, AppChanges, AppStatus, AppVersionId, Capabilities, visibility_word,
};

use crate::wanted::Wanted;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) action: Action,
    /// The reasons, as differences: `commit: 1 → 2`.
    pub(crate) why: Vec<String>,
    /// What to change about the app itself.
    pub(crate) changes: AppChanges,
    /// The same changes in words.
    pub(crate) change_texts: Vec<String>,
    /// What differs and cannot be changed.
    pub(crate) remarks: Vec<String>,
}

/// What to do about the version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Create the app: it does not exist.
    Create,
    /// Create a new version and start it.
    Publish,
    /// Start a stopped version that is as wanted.
    StartAgain(AppVersionId),
    /// Follow a version that is as wanted and starting.
    Follow(AppVersionId),
    /// Keep a running version that is as wanted.
    Keep(AppVersionId),
}

/// Why nothing is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The app exists with an entry point that this API cannot change.
    FixedEntryPoint {
        /// The entry point that it has.
        existing: String,
    },
    /// Somebody stopped the app, and nobody said that it should run again.
    Stopped {
        /// Domino's word for its status.
        status: String,
    },
}

/// Domino's word for what ended because somebody stopped it; failures have other words.
pub(crate) const STOPPED: &str = "Stopped";

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
    if let Some(picture) = &wanted.thumbnail {
        decision
            .change_texts
            .push(format!("thumbnail: {}", picture.file_name));
        decision.changes.thumbnail = Some(picture.clone());
    }
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
    /// The changes to the app itself.
    fn compare_app(
        &mut self,
        can: &Capabilities,
        app: &App,
        wanted: &Wanted,
    ) -> Result<(), Refusal> {
        // An entry point that Domino does not tell cannot be set either; the app was created with one and keeps it.
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
        if let (Some(wanted), Some(existing)) = (wanted.discoverable, app.discoverable)
            && wanted != existing
        {
            if can.changes_discoverable {
                self.change_texts
                    .push(format!("discoverable: {existing} → {wanted}"));
                self.changes.discoverable = Some(wanted);
            } else {
                self.remarks.push(format!(
                    "app `{}` has `discoverable = {existing}` in Domino, and this API cannot change it to {wanted}",
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

    /// The changes to the app before a version is launched, and those once it runs: a launch that fails must not
    /// leave an app open to more people than before. Only the entry point must change first.
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
mod tests;
