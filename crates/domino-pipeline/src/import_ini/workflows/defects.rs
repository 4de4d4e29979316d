//! What was wrong with one of the templates' workflow files, as far as the file alone shows it.
//!
//! Each defect is one sentence, so that it is reported once for all files that have it.

use serde_json::Value;

use super::scripts::{live, script};

/// The defect of a file in another folder than GitHub's.
pub(super) const NEVER_RAN: &str =
    "GitHub never ran it from where it lies: it looks in `.github/workflows` only";

/// The defects of a workflow that runs one of the scripts.
pub(super) fn of(text: &str, document: &Value, silenced: bool) -> Vec<&'static str> {
    let any = |is: &dyn Fn(&str) -> bool| live(text).any(is);
    let jobs = || document["jobs"].as_object().into_iter().flatten();
    let on = &document["on"];
    let push = &on["push"];
    let known = !document.is_null();
    [
        (
            silenced,
            "a deployment was commented out, so that the stage after it waited for nothing",
        ),
        (
            any(&|line| line.starts_with("pull_request_target")),
            "`pull_request_target` handed the secrets to code that nobody had reviewed",
        ),
        (
            starts_on(on, "pull_request") && any(&|line| script(line).is_some()),
            "a pull request deployed before anybody had merged it",
        ),
        (
            any(&|line| script(line).is_some() && line.contains("secrets.")),
            "the API key was an argument of the command, for every process of the runner to see",
        ),
        (
            any(&|line| line.contains("uses:") && !is_pinned(line)),
            "its actions could be replaced: a tag moves, a commit does not",
        ),
        (
            any(&|line| line.contains("pip install")),
            "it installed packages of others in the job that held the API key",
        ),
        (
            known && jobs().any(|(_, job)| job["timeout-minutes"].is_null()),
            "nothing ended a job that hung: it had no `timeout-minutes`",
        ),
        (
            known
                && document["concurrency"].is_null()
                && jobs().any(|(_, job)| job["concurrency"].is_null()),
            "two runs could deploy at once: it had no `concurrency`",
        ),
        (
            (push.is_object() && push["paths"].is_null() && push["paths-ignore"].is_null())
                || (!push.is_object() && starts_on(on, "push")),
            "every push deployed, a changed README as well: it had no `paths`",
        ),
        (
            jobs().any(|(_, job)| {
                let steps = job["steps"].as_array().into_iter().flatten();
                steps
                    .filter_map(|step| step["run"].as_str())
                    .any(|run| live(run).all(str::is_empty))
            }),
            "a step held nothing but comments, and was green whatever it was named for",
        ),
    ]
    .into_iter()
    .filter_map(|(found, what)| found.then_some(what))
    .collect()
}

/// Whether an event is among those that start a workflow, in any spelling.
fn starts_on(on: &Value, event: &str) -> bool {
    match on {
        Value::Object(events) => events.contains_key(event),
        Value::Array(events) => events.iter().any(|other| other == event),
        other => other == event,
    }
}

/// Whether an action is pinned to a whole commit.
fn is_pinned(line: &str) -> bool {
    line.split_once('@').is_some_and(|(_, version)| {
        let commit = version.split_whitespace().next().unwrap_or_default();
        commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit())
    })
}
