//! The key in a run's title by which it is found again: which stage, job, commit and workflow run it is for.

use std::fmt;

use domino_core::api::jobs::Job;
use domino_core::commit::Commit;

/// What one run is for. Reads `[dev/train 3f2a91c0b1d2 run 1234567]` at the end of a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunKey {
    entity: EntityKey,
    commit: Commit,
    workflow_run: Option<String>,
}

/// What all runs of a job in a stage share. Reads `[dev/train]` at the end of a scheduled job's title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntityKey {
    stage: String,
    job: String,
}

impl RunKey {
    /// The key of a run of `job` in `stage`, for the GitHub workflow run that this is a step of, if it is.
    pub(crate) fn new(
        stage: &str,
        job: &str,
        commit: &Commit,
        workflow_run: Option<String>,
    ) -> Self {
        Self {
            entity: EntityKey::new(stage, job),
            commit: commit.clone(),
            workflow_run,
        }
    }

    /// Whether this is for a run of a GitHub workflow; else a person started it.
    pub(crate) fn is_of_a_workflow(&self) -> bool {
        self.workflow_run.is_some()
    }

    /// The title people see, with the key at its end.
    pub(crate) fn title(&self, title: &str) -> String {
        format!("{title} {self}")
    }

    /// Whether a job of Domino's carries exactly this key and runs exactly this commit.
    pub(crate) fn is_of(&self, job: &Job) -> bool {
        let titled = job
            .title
            .as_deref()
            .is_some_and(|title| title.ends_with(&self.to_string()));
        titled
            && job
                .main_repo_git_ref
                .as_ref()
                .is_none_or(|git_ref| git_ref.is(&self.commit))
    }
}

impl EntityKey {
    pub(crate) fn new(stage: &str, job: &str) -> Self {
        Self {
            stage: stage.to_owned(),
            job: job.to_owned(),
        }
    }

    /// The title of a scheduled job, with the key at its end.
    pub(crate) fn title(&self, title: &str) -> String {
        format!("{title} {self}")
    }

    /// Whether a scheduled job of this title is ours.
    pub(crate) fn is_in_title(&self, title: &str) -> bool {
        title.ends_with(&self.to_string())
    }

    /// Whether a job of Domino's is a run of this job in this stage, whatever its commit.
    pub(crate) fn is_of(&self, job: &Job) -> bool {
        let Some((_, key)) = job
            .title
            .as_deref()
            .and_then(|title| title.rsplit_once('['))
        else {
            return false;
        };
        let prefix = format!("{}/{}", self.stage, self.job);
        key.strip_prefix(&prefix)
            .is_some_and(|rest| rest.starts_with([' ', ']']))
    }
}

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "[{}/{} {}",
            self.entity.stage,
            self.entity.job,
            self.commit.short()
        )?;
        if let Some(run) = &self.workflow_run {
            write!(f, " run {run}")?;
        }
        f.write_str("]")
    }
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}/{}]", self.stage, self.job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit() -> Commit {
        Commit::whole(&"ab".repeat(20)).unwrap()
    }

    fn titled(title: &str) -> Job {
        serde_json::from_value(serde_json::json!({
            "id": "0", "title": title, "stageTime": {"submissionTime": 0},
            "statuses": {"isCompleted": false, "executionStatus": "Queued"},
        }))
        .unwrap()
    }

    #[test]
    fn a_key_reads_well_and_is_found_again() {
        let key = RunKey::new("dev", "train", &commit(), Some("77".into()));
        let title = key.title("Train [v2]");
        assert_eq!(title, "Train [v2] [dev/train abababababab run 77]");
        assert!(key.is_of(&titled(&title)));
        assert!(EntityKey::new("dev", "train").is_of(&titled(&title)));
    }

    #[test]
    fn another_stage_job_or_workflow_run_is_another_key() {
        let title = RunKey::new("dev", "train", &commit(), Some("77".into())).title("x");
        assert!(!RunKey::new("prod", "train", &commit(), Some("77".into())).is_of(&titled(&title)));
        assert!(!RunKey::new("dev", "train", &commit(), Some("7".into())).is_of(&titled(&title)));
        assert!(!RunKey::new("dev", "train", &commit(), None).is_of(&titled(&title)));
        assert!(!EntityKey::new("dev", "trai").is_of(&titled(&title)));
    }
}
