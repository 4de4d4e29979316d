//! The parts of a job that `/v4` and the public API spell alike, though they put them under
//! different names.

use serde_json::{Value, json};

use super::job::{Job, JobReport};
use crate::git_ref::GitRef;
use crate::reply::Put;

/// The statistics a run left behind.
pub(super) fn stats(report: &JobReport) -> Vec<Value> {
    let stats = report.stats.iter();
    stats
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect()
}

/// The repository of the code, with the commit once it is known.
pub(super) fn main_repository(job: &Job, report: &JobReport, provider: &str) -> Value {
    let git_ref = GitRef::or_head(&job.spec.git_ref);
    let mut repository = json!({
        "id": job.project.repository.id,
        "name": job.project.repository.name,
        "uri": job.project.repository.uri,
        "ref": git_ref.value.as_deref().unwrap_or(&git_ref.kind),
        "serviceProvider": provider,
    });
    repository.put("startingCommitId", report.commit.as_deref());
    repository
}

/// The commits of Domino's own file system before and after the run.
pub(super) fn commit_details(job: &Job, report: &JobReport) -> Value {
    let input = job
        .spec
        .commit_id
        .as_ref()
        .unwrap_or(&job.project.commit_id);
    let mut details = json!({ "inputCommitId": input });
    details.put("outputCommitId", report.output_commit_id.as_deref());
    details
}

/// What a job in the queue reports of it.
pub(super) fn queue(report: &JobReport) -> Option<Value> {
    report.started.is_none().then(|| {
        json!({
            "expectedWait": "Now",
            "explanation": "The run waits for its turn on the sandbox",
            "helpText": "It will start in a moment",
        })
    })
}

/// The NetApp volumes that the run asked for, as `/v4` has them.
pub(super) fn net_app_volumes(job: &Job) -> Vec<Value> {
    let ids = job.spec.net_app_volume_ids.iter();
    ids.map(|id| json!({ "pvcName": id, "volumeId": id, "volumeName": id }))
        .collect()
}
