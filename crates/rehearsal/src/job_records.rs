//! How every job ended in every attempt at its run: as GitHub lists it, and as a run that is started again needs it.
//!
//! It only keeps the records; others decide who reads them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// One job in one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRecord {
    /// The run it belongs to.
    pub run_id: u64,
    /// The file of the run's workflow.
    pub workflow: String,
    /// The attempt at the run, counted from 1.
    pub attempt: u64,
    /// Its key in the file.
    pub id: String,
    /// The name that GitHub shows.
    pub name: String,
    /// The runner that ran it; absent if none did.
    pub runner: Option<String>,
    /// `success`, `failure`, `cancelled` or `skipped`; absent while it runs.
    pub result: Option<String>,
    /// The outputs that it handed on.
    pub outputs: Vec<(String, String)>,
}

/// The records of a repository, shared with the code that shows them.
#[derive(Debug, Clone, Default)]
pub struct JobRecords(Arc<Mutex<Vec<JobRecord>>>);

impl JobRecords {
    /// Starts with the records of earlier attempts.
    pub fn of_earlier(records: Vec<JobRecord>) -> Self {
        Self(Arc::new(Mutex::new(records)))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<JobRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of all records.
    pub fn all(&self) -> Vec<JobRecord> {
        self.lock().clone()
    }

    /// Records a job, in place of its earlier record in the same attempt.
    pub fn note(&self, record: JobRecord) {
        let mut all = self.lock();
        let same = |known: &JobRecord| {
            (known.run_id, known.attempt, &known.id) == (record.run_id, record.attempt, &record.id)
        };
        all.retain(|known| !same(known));
        all.push(record);
    }

    /// The records of one run, in all attempts.
    pub fn of_run(&self, run_id: u64) -> Vec<JobRecord> {
        let all = self.lock();
        let own = all.iter().filter(|record| record.run_id == run_id);
        own.cloned().collect()
    }

    /// The runs of one workflow file that have begun, newest first.
    pub fn runs_of(&self, is_of: impl Fn(&str) -> bool) -> Vec<u64> {
        let all = self.lock();
        let own = all.iter().filter(|record| is_of(&record.workflow));
        let mut runs: Vec<u64> = own.map(|record| record.run_id).collect();
        runs.sort_unstable_by(|one, other| other.cmp(one));
        runs.dedup();
        runs
    }

    /// The record of a job from the last attempt in which it ended.
    pub fn last(&self, run_id: u64, job: &str) -> Option<JobRecord> {
        let own = self.of_run(run_id).into_iter();
        let ended = own.filter(|record| record.id == job && record.result.is_some());
        ended.max_by_key(|record| record.attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_end_of_a_job_counts_and_each_attempt_has_one_record() {
        let record = |attempt, result: Option<&str>| JobRecord {
            run_id: 7,
            workflow: "w.yml".into(),
            attempt,
            id: "dev".into(),
            name: "Deploy".into(),
            runner: None,
            result: result.map(str::to_owned),
            outputs: Vec::new(),
        };
        let records = JobRecords::of_earlier(vec![record(1, Some("failure"))]);
        records.note(record(2, None));
        let last = || records.last(7, "dev").unwrap();
        assert_eq!((records.of_run(7).len(), last().attempt), (2, 1));
        records.note(record(2, Some("success")));
        assert_eq!((records.of_run(7).len(), last().attempt), (2, 2));
        assert_eq!(records.last(8, "dev"), None);
    }
}
