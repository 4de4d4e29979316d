//! Rules on jobs whose steps do not wait for the run to end: nothing may come after such a run.

use super::rule::{Book, Report};
use crate::job::Job;

pub(super) fn wait(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let file = book.file;
    for job in &file.jobs {
        let models = file.models.iter();
        let model = models
            .filter(|model| model.trained_by.as_ref() == Some(&job.name))
            .map(|model| format!("model `{}` is `trained-by` it", model.name));
        let jobs = file.jobs.iter();
        let later = jobs
            .filter(|later| later.after.contains(&job.name))
            .map(|later| format!("job `{}` is `after` it", later.name));
        let because = model.chain(later).next();
        for path in written(job) {
            if !book.has(&path) {
                continue;
            }
            if job.schedule.is_some() {
                report.at(&path, "has no effect: a schedule is not waited for");
            } else if let (Some(because), false) = (&because, says_wait(job, &path)) {
                report.at(
                    &path,
                    format!("must be `true`: {because}, and begins once its run has succeeded"),
                );
            }
        }
    }
}

/// The keys of the file that may say it.
fn written(job: &Job) -> Vec<Vec<&str>> {
    let stages = job.stages.keys();
    let of_stages = stages.map(|stage| vec!["job", &job.name, "stage", stage, "wait"]);
    let own = vec!["job", job.name.as_str(), "wait"];
    std::iter::once(own).chain(of_stages).collect()
}

fn says_wait(job: &Job, path: &[&str]) -> bool {
    match path {
        [_, _, _, stage, _] => job.stages[*stage].wait != Some(false),
        _ => job.wait,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::with;

    #[test]
    fn what_something_comes_after_is_waited_for() {
        let job = "[job.train]\ncommand = \"t\"\n";
        let alone = format!("{job}wait = false\n[job.train.stage.prod]\nwait = true");
        assert_eq!(with(&alone), [""; 0]);
        let model = "[model.m]\nregistered-model = \"m\"\ntrained-by = \"train\"";
        assert_eq!(
            with(&format!("{job}wait = false\n{model}")),
            [
                "`wait` in `[job.train]` must be `true`: model `m` is `trained-by` it, and begins once its run has \
                 succeeded"
            ]
        );
        let later = "[job.score]\ncommand = \"s\"\nafter = [\"train\"]";
        assert_eq!(
            with(&format!(
                "{job}[job.train.stage.prod]\nwait = false\n{later}"
            )),
            [
                "`wait` in `[job.train.stage.prod]` must be `true`: job `score` is `after` it, and begins once its run \
                 has succeeded"
            ]
        );
        assert_eq!(with(&format!("{job}wait = true\n{later}")), [""; 0]);
    }

    #[test]
    fn a_schedule_is_not_waited_for_anyhow() {
        let text =
            "[job.train]\ncommand = \"t\"\nwait = false\nschedule = { cron = \"0 0 6 * * ?\" }";
        assert_eq!(
            with(text),
            ["`wait` in `[job.train]` has no effect: a schedule is not waited for"]
        );
    }
}
