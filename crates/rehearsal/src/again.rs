//! A run that is started again: which of its jobs run once more, and which results of earlier attempts are kept.
//!
//! The caller knows where earlier attempts are stored.

use github_workflow::read::Workflow;

use crate::job_records::JobRecords;
use crate::order;
use crate::workflow_run::JobResult;

/// GitHub lets a run be started again for this many days.
pub const MOST_DAYS: u32 = 30;

/// GitHub lets a run be started again this many times.
pub const MOST_TIMES: u64 = 50;

/// Which jobs of a run are run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Jobs that failed or were cancelled, and the jobs that depend on them.
    Failed,
    /// Every job, also those that succeeded.
    All,
}

/// What is kept of the earlier attempts at a run: the results of the jobs that do not run again.
pub fn results_that_stay(
    workflow: &Workflow,
    run_id: u64,
    records: &JobRecords,
    again: Again,
) -> Vec<(String, JobResult)> {
    if again == Again::All {
        return Vec::new();
    }
    let last = |job: &str| {
        let record = records.last(run_id, job)?;
        let result = word(record.result.as_deref()?);
        let outputs = record.outputs;
        Some(JobResult { result, outputs })
    };
    let failed = |job: &str| match last(job) {
        None => true,
        Some(last) => matches!(last.result, "failure" | "cancelled"),
    };
    let stays = workflow.jobs.iter().filter(|job| {
        let before = order::ancestors(&workflow.jobs, job);
        !failed(&job.id) && !before.into_iter().any(failed)
    });
    stays
        .filter_map(|job| Some((job.id.clone(), last(&job.id)?)))
        .collect()
}

/// GitHub's word for a result.
fn word(result: &str) -> &'static str {
    match result {
        "success" => "success",
        "failure" => "failure",
        "cancelled" => "cancelled",
        _ => "skipped",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job_records::JobRecord;

    #[test]
    fn what_failed_runs_again_with_what_comes_after_it_and_the_rest_stays() {
        let text = "name: w\non: push\njobs:\n  build: { runs-on: u, steps: [] }\n  dev: { runs-on: u, needs: build, steps: [] }\n  lone: { runs-on: u, if: false, steps: [] }\n  prod: { runs-on: u, needs: dev, steps: [] }\n";
        let workflow = Workflow::read("w.yml", text, &mut Vec::new()).unwrap();
        let stays = |results: [&str; 4], again| {
            let jobs = ["build", "dev", "prod", "lone"];
            let records = jobs.iter().zip(results).map(|(job, result)| JobRecord {
                run_id: 7,
                workflow: "w.yml".into(),
                attempt: 1,
                id: (*job).into(),
                name: (*job).into(),
                runner: None,
                result: Some(result.into()),
                outputs: vec![("of".into(), (*job).into())],
            });
            let records = JobRecords::of_earlier(records.collect());
            let stays = results_that_stay(&workflow, 7, &records, again);
            let outputs = |job: &JobResult| job.outputs[0].1.clone();
            assert!(stays.iter().all(|(id, job)| outputs(job) == *id));
            let stays = stays
                .into_iter()
                .map(|(id, job)| format!("{id} {}", job.result));
            stays.collect::<Vec<_>>()
        };
        let failed = ["success", "failure", "skipped", "skipped"];
        assert_eq!(
            stays(failed, Again::Failed),
            ["build success", "lone skipped"]
        );
        assert!(stays(failed, Again::All).is_empty());
        let cancelled = ["success", "success", "cancelled", "skipped"];
        assert_eq!(stays(cancelled, Again::Failed).len(), 3);
        assert_eq!(stays(["success"; 4], Again::Failed).len(), 4);
        let first = ["failure", "skipped", "skipped", "success"];
        assert_eq!(stays(first, Again::Failed), ["lone success"]);
    }
}
