//! The order in which the jobs of a workflow run: each after those it needs, otherwise as in the file.

use github_workflow::read::Job;

/// The positions of the jobs in the order in which they run.
///
/// # Errors
/// A sentence that names a needed job that does not exist, or jobs that need each other.
pub fn of(jobs: &[Job]) -> Result<Vec<usize>, String> {
    for job in jobs {
        if let Some(missing) = job
            .needs
            .iter()
            .find(|need| !jobs.iter().any(|job| &job.id == *need))
        {
            return Err(format!(
                "job `{}` needs `{missing}`, and there is no such job",
                job.id
            ));
        }
    }
    let mut order: Vec<usize> = Vec::with_capacity(jobs.len());
    while order.len() < jobs.len() {
        let ran = |id: &String| order.iter().any(|&at| &jobs[at].id == id);
        let next =
            (0..jobs.len()).find(|at| !order.contains(at) && jobs[*at].needs.iter().all(ran));
        let Some(next) = next else {
            let stuck: Vec<String> = (0..jobs.len())
                .filter(|at| !order.contains(at))
                .map(|at| format!("`{}`", jobs[at].id))
                .collect();
            return Err(format!("jobs {} wait for each other", stuck.join(", ")));
        };
        order.push(next);
    }
    Ok(order)
}

/// The ids of all jobs that come before this one, directly or through others.
pub fn ancestors<'a>(jobs: &'a [Job], job: &'a Job) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    let mut open: Vec<&Job> = vec![job];
    while let Some(job) = open.pop() {
        for need in &job.needs {
            if !found.contains(&need.as_str()) {
                found.push(need);
                open.extend(jobs.iter().find(|job| &job.id == need));
            }
        }
    }
    found
}

/// The ids of all jobs that come after this one, directly or through others, in the order of the file.
pub fn descendants<'a>(jobs: &'a [Job], job: &Job) -> Vec<&'a str> {
    let after = |other: &&Job| ancestors(jobs, other).contains(&job.id.as_str());
    let after = jobs.iter().filter(after);
    after.map(|job| job.id.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use github_workflow::read::Workflow;

    fn jobs(edges: &[(&str, &str)]) -> Vec<Job> {
        let mut text = "on: push\njobs:\n".to_owned();
        for (id, needs) in edges {
            text.push_str(&format!(
                "  {id}: {{ runs-on: ubuntu-24.04, needs: [{needs}], steps: [] }}\n"
            ));
        }
        let mut problems = Vec::new();
        let workflow = Workflow::read("w.yml", &text, &mut problems).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        workflow.jobs
    }

    #[test]
    fn jobs_run_after_what_they_need_and_otherwise_as_in_the_file() {
        let jobs = jobs(&[
            ("prod", "staging"),
            ("build", ""),
            ("staging", "dev"),
            ("dev", "build"),
            ("lone", ""),
        ]);
        let order: Vec<&str> = of(&jobs)
            .unwrap()
            .into_iter()
            .map(|at| jobs[at].id.as_str())
            .collect();
        assert_eq!(order, ["build", "dev", "staging", "prod", "lone"]);
        assert_eq!(ancestors(&jobs, &jobs[0]), ["staging", "dev", "build"]);
        assert!(ancestors(&jobs, &jobs[1]).is_empty());
        assert_eq!(descendants(&jobs, &jobs[3]), ["prod", "staging"]);
        assert!(descendants(&jobs, &jobs[4]).is_empty());
    }

    #[test]
    fn a_missing_job_and_a_circle_are_named() {
        assert_eq!(
            of(&jobs(&[("a", "b")])).unwrap_err(),
            "job `a` needs `b`, and there is no such job"
        );
        let error = of(&jobs(&[("c", ""), ("a", "b"), ("b", "a")])).unwrap_err();
        assert_eq!(error, "jobs `a`, `b` wait for each other");
    }
}
