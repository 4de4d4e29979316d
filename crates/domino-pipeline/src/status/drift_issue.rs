//! The one issue about drift: it says what differs while something does, and is closed when nothing does.

use domino_core::client::{Connection, Limits};
use domino_core::credential::Credential;
use domino_core::error::Result;
use domino_core::github::{IssueKeeper, Kept, WorkflowRun};
use domino_core::step::Step;
use stage_file::StageFile;

use super::answer::Status;
use super::markdown;
use domino_core::variable::variable;

/// The key by which the issue is found again.
const KEY: &str = "domino-pipeline: drift";
const TITLE: &str = "Domino is not as stages.toml says";

/// Opens, changes or closes the issue, and says so. While a stage could not be read, an open issue stays open.
pub(super) async fn keep(
    status: &Status,
    file: &StageFile,
    limits: Limits,
    step: &mut Step,
) -> Result<()> {
    if let Some(token) = WorkflowRun::token(variable) {
        step.hide(&token);
    }
    // It provides only its limits; no request is sent to its host.
    let connection = Connection::open(file.stages[0].host.clone(), Credential::Anonymous, limits)?;
    let keeper = IssueKeeper::open(&connection, variable)?;
    if !status.differs() && status.exit_of_trouble() != 0 {
        return Ok(());
    }
    let page = body(status, file, step);
    let kept = keeper.keep(KEY, TITLE, status.differs().then_some(page.as_str()));
    match kept.await? {
        Kept::None => step.say("nothing differs, and no issue is open about it"),
        Kept::Opened(number) => step.say(&format!("opened issue #{number} about what differs")),
        Kept::Updated(number) => step.say(&format!("updated issue #{number}")),
        Kept::Unchanged(number) => step.say(&format!("issue #{number} says the same already")),
        Kept::Closed(number) => step.say(&format!("closed issue #{number}: nothing differs")),
    }
    Ok(())
}

/// What differs, without the ages in the table, so that an issue with the same content is not changed.
fn body(status: &Status, file: &StageFile, step: &Step) -> String {
    let path = file.path.display().to_string();
    let mut told = status.clone();
    for entity in told.stages.iter_mut().flat_map(|stage| &mut stage.entities) {
        entity.since = None;
    }
    let page = markdown::page(&told, &path);
    step.scrubber().clean_lines(&page)
}
