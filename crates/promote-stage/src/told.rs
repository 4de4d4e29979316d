//! What the step on GitHub tells the run that works in its place: inside of Domino nothing asks GitHub. It is passed
//! as plain arguments of the run's command, so whoever may start a run in the project may pass the same; they may
//! write to the registry anyway.

use domino_core::api::mlflow::ModelVersion;
use domino_core::error::{CommandError, Result};
use domino_core::github::{ReviewDecision, RunReview};
use domino_core::rerun::is_rerun;
use domino_core::step::StepContext;
use domino_core::variable::variable;
use domino_core::version_identity::VersionIdentity;
use stage_file::Promote;

use crate::shell_word::shell_word;

/// The longest text that counts as a login.
const LONGEST_LOGIN: usize = 100;

/// What a run is told of the workflow run that started it.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Told {
    /// The page of the workflow run
    #[arg(long = "told-run", value_name = "URL", hide = true, value_parser = page)]
    page: Option<Page>,
    /// Which attempt at it this is
    #[arg(
        long = "told-attempt",
        value_name = "NUMBER",
        hide = true,
        requires = "page"
    )]
    attempt: Option<u64>,
    /// Who started it
    #[arg(long = "told-actor", value_name = "LOGIN", hide = true, requires = "page", value_parser = login)]
    actor: Option<String>,
    /// Who approved it for the stage; may be given several times
    #[arg(long = "told-approver", value_name = "LOGIN", hide = true, requires = "page", value_parser = login)]
    approvers: Vec<String>,
    /// Which version is meant, beyond its number
    #[arg(long = "told-identity", value_name = "JSON", hide = true, value_parser = identity)]
    identity: Option<VersionIdentity>,
    /// What the smoke test of the version said in the stage before
    #[arg(long = "told-smoke-test", value_name = "TEXT", hide = true)]
    smoke_test: Option<String>,
}

/// The page of a workflow run.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Page {
    url: String,
    run: u64,
}

impl Told {
    /// What a step tells: its workflow run, who approved it, and the version.
    pub(crate) fn by_this_step(
        version: &ModelVersion,
        approvers: Vec<String>,
    ) -> Result<Self, CommandError> {
        let refused = |why: String| {
            CommandError::usage(format!(
                "what GitHub tells cannot be handed to a run: {why}"
            ))
        };
        let page = page_of_this_step().map(|url| page(&url)).transpose();
        let Some(page) = page.map_err(refused)? else {
            // Without a workflow run, nobody was asked to approve it.
            return Ok(Self {
                identity: Some(VersionIdentity::of(version)),
                ..Self::default()
            });
        };
        let actor = variable("GITHUB_ACTOR");
        for name in approvers.iter().chain(&actor) {
            login(name).map_err(refused)?;
        }
        let attempt = variable("GITHUB_RUN_ATTEMPT");
        Ok(Self {
            page: Some(page),
            attempt: attempt.and_then(|attempt| attempt.parse().ok()),
            actor,
            approvers,
            identity: Some(VersionIdentity::of(version)),
            smoke_test: None,
        })
    }

    /// The same, with what the smoke test of the version said.
    pub(crate) fn with_smoke_test(mut self, said: Option<String>) -> Self {
        self.smoke_test = said;
        self
    }

    /// What the smoke test of the version said, if that was told.
    pub(crate) fn smoke_test(&self) -> Option<&str> {
        self.smoke_test.as_deref()
    }

    /// The same as arguments, each a word of a shell.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut add = |name: &str, value: &str| {
            arguments.extend([name.to_owned(), shell_word(value)]);
        };
        if let Some(page) = &self.page {
            add("--told-run", &page.url);
        }
        if let Some(attempt) = self.attempt {
            add("--told-attempt", &attempt.to_string());
        }
        if let Some(actor) = &self.actor {
            add("--told-actor", actor);
        }
        for approver in &self.approvers {
            add("--told-approver", approver);
        }
        let identity = self.identity.as_ref();
        if let Some(identity) = identity.and_then(|identity| identity.output().ok()) {
            add("--told-identity", &identity);
        }
        if let Some(said) = &self.smoke_test {
            add("--told-smoke-test", said);
        }
        arguments
    }

    /// Refuses what is told if nobody could have told anything: outside of a run, or if steps work themselves.
    pub(crate) fn check(&self, context: &StepContext) -> Result<(), CommandError> {
        if self.page.is_none() && self.identity.is_none() && self.smoke_test.is_none() {
            return Ok(());
        }
        let file = &context.file;
        let failure = if variable("DOMINO_RUN_ID").is_none() {
            CommandError::usage("`--told-…` is what a step tells a run of Domino, and this is none")
                .hint("leave it out: here GitHub is asked")
        } else if file.pipeline.promote != Promote::Inside {
            CommandError::usage("`--told-…` is what a step tells a run, and steps promote from outside here")
                .hint("write `promote = \"inside\"` under `[pipeline]`, and the steps start such runs themselves")
                .at(file, &["pipeline", "promote"])
        } else {
            return Ok(());
        };
        Err(failure)
    }

    /// Who told it, if anybody did.
    pub(crate) fn by(&self) -> Option<String> {
        let run = self.page.as_ref()?.run;
        Some(match self.attempt {
            Some(attempt) if attempt > 1 => {
                format!("the step of GitHub run {run}, attempt {attempt}")
            }
            _ => format!("the step of GitHub run {run}"),
        })
    }

    /// The workflow run: the one that was told, otherwise the one that this is a step of.
    pub(crate) fn workflow_run(&self) -> Option<String> {
        let told = self.page.as_ref().map(|page| page.url.clone());
        told.or_else(page_of_this_step)
    }

    /// Who started the workflow run. Whoever runs it again has not started it, and is in `GITHUB_TRIGGERING_ACTOR`.
    pub(crate) fn started_by(&self) -> Option<String> {
        match &self.page {
            Some(_) => self.actor.clone(),
            None => variable("GITHUB_ACTOR"),
        }
    }

    /// Whether this is a later attempt at the workflow run.
    pub(crate) fn is_rerun(&self) -> bool {
        match &self.page {
            Some(_) => self.attempt.unwrap_or(1) > 1,
            None => is_rerun(),
        }
    }

    /// The id of the workflow run that was told, and who approved it for this environment.
    pub(crate) fn reviews(&self, environment: &str) -> Option<(u64, Vec<RunReview>)> {
        let page = self.page.as_ref()?;
        let reviews = self.approvers.iter().map(|user| RunReview {
            decision: ReviewDecision::Approved,
            user: user.clone(),
            environments: vec![environment.to_owned()],
        });
        Some((page.run, reviews.collect()))
    }

    /// Refuses another version of the number that the step meant.
    pub(crate) fn check_version(&self, version: &ModelVersion) -> Result<(), CommandError> {
        let here = VersionIdentity::of(version);
        let Some(meant) = self.identity.as_ref().filter(|meant| **meant != here) else {
            return Ok(());
        };
        Err(CommandError::refused(format!(
            "version {} of `{}` is not the one that the step meant: that was {meant}, and here is {here}",
            version.version, version.name
        ))
        .hint("run the step again: it looks at the experiment manager once more"))
    }
}

/// The page of the workflow run that this is a step of.
fn page_of_this_step() -> Option<String> {
    let server = variable("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".into());
    let (repository, run) = (variable("GITHUB_REPOSITORY")?, variable("GITHUB_RUN_ID")?);
    Some(format!("{server}/{repository}/actions/runs/{run}"))
}

fn page(text: &str) -> Result<Page, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    let is_address = text.starts_with("https://") || text.starts_with("http://");
    let run = text.rsplit_once("/actions/runs/").map(|(_, run)| run);
    match run.and_then(|run| run.parse().ok()) {
        Some(run) if is_address && text.chars().all(legal) => Ok(Page {
            url: text.to_owned(),
            run,
        }),
        _ => Err(format!("`{text}` is no page of a workflow run")),
    }
}

fn login(text: &str) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_[]".contains(c);
    match !text.is_empty() && text.len() <= LONGEST_LOGIN && text.chars().all(legal) {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` is no login of GitHub's")),
    }
}

fn identity(text: &str) -> Result<VersionIdentity, String> {
    serde_json::from_str(text).map_err(|problem| problem.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::tests::version;

    #[test]
    fn only_what_github_can_mean_is_told() {
        let url = "https://github.com/acme/wine/actions/runs/77";
        assert_eq!(page(url).unwrap().run, 77);
        assert!(page("http://127.0.0.1:9/acme/wine/actions/runs/7").is_ok());
        for wrong in [
            "",
            "77",
            "https://github.com/acme/wine",
            "https://github.com/acme/wine/actions/runs/x",
            "https://github.com/acme/$(x)/actions/runs/77",
            "https://github.com/acme/wine'/actions/runs/77",
            "file:///acme/wine/actions/runs/77",
        ] {
            assert!(page(wrong).is_err(), "{wrong}");
        }
        assert!(login("dependabot[bot]").is_ok() && login("ann-b_acme").is_ok());
        for wrong in ["", "a b", "a'b", "a;b", "$(x)", "é", &"a".repeat(101)] {
            assert!(login(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_told_is_read_again_as_it_was() {
        #[derive(clap::Parser)]
        struct Arguments {
            #[command(flatten)]
            told: Told,
        }
        let version = version(7, "None", json!({}));
        let told = Told {
            page: page("https://github.com/acme/wine/actions/runs/77").ok(),
            attempt: Some(2),
            actor: Some("ben".into()),
            approvers: vec!["ann".into(), "dependabot[bot]".into()],
            identity: Some(VersionIdentity::of(&version)),
            smoke_test: Some("2 requests to `latest` answered, it's fine".into()),
        };
        let command = format!("printf '%s\\n' {}", told.arguments().join(" "));
        let words = std::process::Command::new("bash")
            .args(["-c", &command])
            .output()
            .unwrap();
        let words = String::from_utf8(words.stdout).unwrap();
        let words = std::iter::once("promote").chain(words.lines());
        let read = <Arguments as clap::Parser>::try_parse_from(words).unwrap();
        let read = read.told;
        assert_eq!(read.arguments(), told.arguments());
        assert_eq!(
            read.by().as_deref(),
            Some("the step of GitHub run 77, attempt 2")
        );
        assert!(read.is_rerun());
        assert_eq!(read.started_by().as_deref(), Some("ben"));
        let (run, reviews) = read.reviews("PROD").unwrap();
        assert_eq!((run, reviews.len()), (77, 2));
        assert_eq!(reviews[0].user, "ann");
        assert!(read.check_version(&version).is_ok());
        let mut anew = version.clone();
        anew.run_id = "r2".into();
        assert!(read.check_version(&anew).is_err());
    }
}
