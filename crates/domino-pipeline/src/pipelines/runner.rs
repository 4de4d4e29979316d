//! The runners of the stage file as a workflow writes them.

use github_workflow::write::RunsOn;
use stage_file::Runner;

/// The value of `runs-on` for these runners: a single label is written as text, as usual.
pub(super) fn runs_on(runner: &Runner) -> RunsOn {
    match (&runner.group, runner.labels.as_slice()) {
        (Some(group), labels) => RunsOn::Group {
            group: group.clone(),
            labels: labels.to_vec(),
        },
        (None, [label]) => RunsOn::Label(label.clone()),
        (None, labels) => RunsOn::Labels(labels.to_vec()),
    }
}
