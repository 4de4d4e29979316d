//! Rules on jobs: which stages they are deployed to, and how long a deployed entity may take.

use std::time::Duration;

use super::rule::{Book, Report};
use crate::text::displayed;
use crate::time_span::time_span;
use crate::unknown_name::listed;

/// GitHub ends a job after this time on a team's own runner, and after 6 hours on GitHub's.
const LONGEST: Duration = Duration::from_secs(5 * 24 * 60 * 60);

pub(super) fn stages(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let known = |name: &String| book.file.stages.iter().any(|stage| stage.name == *name);
    for job in &book.file.jobs {
        let path = ["job", job.name.as_str(), "stages"];
        let said = &job.deployed_to;
        if book.has(&path) && said.is_empty() {
            report.at(&path, "must name a stage");
            continue;
        }
        for (at, name) in said.iter().enumerate() {
            if said[..at].contains(name) {
                report.at(&path, format!("names {} twice", displayed(name)));
            }
        }
        let elsewhere = |name: &String| known(name) && !said.contains(name);
        let deployed_to = || listed(said.iter().map(String::as_str));
        for name in job.stages.keys().filter(|name| elsewhere(name)) {
            report.at(
                &["job", &job.name, "stage", name],
                format!(
                    "has no effect: the job is deployed to {} only",
                    deployed_to()
                ),
            );
        }
        let paused = job.schedule.iter().flat_map(|schedule| &schedule.paused);
        for name in paused.filter(|name| elsewhere(name)) {
            report.at(
                &["job", &job.name, "schedule", "paused"],
                format!(
                    "names `{name}`, and the job is deployed to {} only",
                    deployed_to()
                ),
            );
        }
    }
}

pub(super) fn timeout(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let leaves = book.texts(|keys| {
        matches!(
            keys,
            ["job" | "app" | "model", _, "timeout"]
                | ["job" | "app" | "model", _, "stage", _, "timeout"]
        )
    });
    for leaf in leaves {
        let (kind, name) = (leaf.keys[0], leaf.keys[1]);
        if kind == "job" && book.has(&["job", name, "schedule"]) {
            report.leaf(leaf, "has no effect: a schedule is not waited for");
        } else if time_span(leaf.text).is_none_or(|time| time > LONGEST) {
            report.leaf(
                leaf,
                format!(
                    "must be a number of minutes, hours or days up to five days, such as `30m`, `5h` or `2d`, not {}",
                    displayed(leaf.text)
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::with;

    fn job(keys: &str) -> Vec<String> {
        with(&format!("[job.train]\ncommand = \"train.py\"\n{keys}"))
    }

    #[test]
    fn a_job_is_deployed_to_stages_that_exist_and_to_each_once() {
        assert_eq!(job("stages = [\"dev\", \"prod\"]"), [""; 0]);
        for (stages, says) in [
            ("[]", "must name a stage"),
            (
                "[\"dve\"]",
                "names `dve`, which is no stage; did you mean `dev`?",
            ),
            ("[\"dev\", \"dev\"]", "names `dev` twice"),
        ] {
            assert_eq!(
                job(&format!("stages = {stages}")),
                [format!("`stages` in `[job.train]` {says}")]
            );
        }
    }

    #[test]
    fn what_is_said_of_a_job_for_another_stage_has_no_effect() {
        assert_eq!(
            job("stages = [\"dev\"]\n[job.train.stage.prod]\nhardware-tier = \"large\""),
            ["`[job.train.stage.prod]` has no effect: the job is deployed to `dev` only"]
        );
        assert_eq!(
            job("stages = [\"dev\"]\nschedule = { cron = \"0 0 6 * * ?\", paused = [\"prod\"] }"),
            [
                "`schedule.paused` in `[job.train]` names `prod`, and the job is deployed to `dev` only"
            ]
        );
    }

    #[test]
    fn a_timeout_is_a_time_that_a_step_can_wait() {
        for right in ["1m", "90m", "5h", "5d"] {
            assert_eq!(job(&format!("timeout = \"{right}\"")), [""; 0]);
        }
        for wrong in ["5", "0m", "6d", "5 hours"] {
            assert_eq!(
                job(&format!("timeout = \"{wrong}\"")),
                [format!(
                    "`timeout` in `[job.train]` must be a number of minutes, hours or days up to five days, such as \
                     `30m`, `5h` or `2d`, not `{wrong}`"
                )]
            );
        }
        assert_eq!(
            job("timeout = \"5h\"\nschedule = { cron = \"0 0 6 * * ?\" }"),
            ["`timeout` in `[job.train]` has no effect: a schedule is not waited for"]
        );
        assert_eq!(job("[job.train.stage.prod]\ntimeout = \"3h\""), [""; 0]);
        assert_eq!(
            job("[job.train.stage.prod]\ntimeout = \"soon\"")
                .iter()
                .filter(|problem| problem.starts_with("`timeout` in `[job.train.stage.prod]` must"))
                .count(),
            1
        );
        assert_eq!(
            job("schedule = { cron = \"0 0 6 * * ?\" }\n[job.train.stage.prod]\ntimeout = \"3h\""),
            ["`timeout` in `[job.train.stage.prod]` has no effect: a schedule is not waited for"]
        );
    }
}
