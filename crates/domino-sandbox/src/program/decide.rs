//! The person's side of approvals at the command line: lists the requests that wait in a running
//! sandbox, and answers one of them with the credential of an approver.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::Value;

use crate::account::variable;
use crate::running_sandbox::RunningSandbox;

/// Which sandbox, and who speaks.
#[derive(Args, Debug)]
pub(super) struct SpeakerArgs {
    /// The file into which the running sandbox wrote its address and the credentials
    #[arg(long, value_name = "FILE")]
    credentials_file: PathBuf,

    /// Whose word it is
    #[arg(long = "as", value_name = "USER", default_value = "approver")]
    user: String,
}

/// A request and who answers it.
#[derive(Args, Debug)]
pub(super) struct AnswerArgs {
    /// The id of the request, or any part of what it asks for; not needed when only one waits
    request: Option<String>,

    #[command(flatten)]
    speaker: SpeakerArgs,
}

/// Prints every request that waits.
pub(super) fn list(speaker: &SpeakerArgs) -> anyhow::Result<()> {
    let sandbox = sandbox(speaker)?;
    let waiting = sandbox.waiting()?;
    for request in &waiting {
        println!("{}", line(request));
    }
    if waiting.is_empty() {
        println!("nobody is waited for");
    }
    Ok(())
}

/// Answers one request with `word`.
pub(super) fn answer(answer: &AnswerArgs, word: &str) -> anyhow::Result<()> {
    let sandbox = sandbox(&answer.speaker)?;
    let waiting = sandbox.waiting()?;
    let request = pick(&waiting, answer.request.as_deref())?;
    let id = request["id"].as_str().unwrap_or_default();
    let decided = sandbox.answer(id, word)?;
    let by = decided["by"].as_str().unwrap_or_default();
    println!("{word} by {by}: {}", line(request));
    Ok(())
}

fn pick<'a>(waiting: &'a [Value], wanted: Option<&str>) -> anyhow::Result<&'a Value> {
    let wanted = wanted.unwrap_or_default();
    let fits = |request: &&Value| {
        let holds = |key: &str| {
            request[key]
                .as_str()
                .is_some_and(|text| text.contains(wanted))
        };
        holds("id") || holds("what")
    };
    let found: Vec<&Value> = waiting.iter().filter(fits).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] if waiting.is_empty() => bail!("nobody is waited for"),
        [] => bail!(
            "no request that waits fits `{wanted}`\n{}",
            lines(waiting.iter())
        ),
        _ => bail!(
            "several requests wait; name one of them\n{}",
            lines(found.into_iter())
        ),
    }
}

fn lines<'a>(requests: impl Iterator<Item = &'a Value>) -> String {
    requests.map(line).collect::<Vec<_>>().join("\n")
}

fn line(request: &Value) -> String {
    let text = |key: &str| request[key].as_str().unwrap_or_default();
    format!(
        "{}  {}, by {} ({}, asked by {})",
        text("id"),
        text("what"),
        text("rule"),
        text("project"),
        text("requestedBy"),
    )
}

/// The sandbox of a credentials file, asked as the user.
fn sandbox(speaker: &SpeakerArgs) -> anyhow::Result<RunningSandbox> {
    let text = read(&speaker.credentials_file)?;
    let value = |name: &str| {
        let mut pairs = text.lines().filter_map(|line| line.split_once('='));
        let found = pairs.find(|(known, _)| *known == name);
        found.map(|(_, value)| value.to_owned())
    };
    let path = speaker.credentials_file.display();
    let host = value("DOMINO_API_HOST")
        .with_context(|| format!("`{path}` is not a credentials file of a sandbox"))?;
    let name = format!("{}_TOKEN", variable(&speaker.user));
    let token = value(&name)
        .with_context(|| format!("`{path}` has no token of a user `{}`", speaker.user))?;
    RunningSandbox::at(&host, &token)
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the credentials file `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_is_picked_when_it_is_the_only_one_that_fits() {
        let waiting = [
            json!({ "id": "a1", "what": "wine version 7" }),
            json!({ "id": "b2", "what": "wine version 8" }),
        ];
        let picked = |wanted| pick(&waiting, wanted).ok().map(|one| one["id"].clone());
        assert_eq!(picked(Some("version 8")), Some(json!("b2")));
        assert_eq!(picked(Some("a1")), Some(json!("a1")));
        assert_eq!(picked(Some("wine")), None);
        assert_eq!(picked(None), None);
        assert!(pick(&waiting[..1], None).is_ok());
        let nothing = pick(&[], None).unwrap_err().to_string();
        assert_eq!(nothing, "nobody is waited for");
    }
}
