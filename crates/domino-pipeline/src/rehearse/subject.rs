//! What is rehearsed: a commit of a repository, its stage file, and its workflow files in the order of the table.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;

use super::environments::StageEnvironments;
use github_workflow::problem::Problem;
use github_workflow::read::Workflow;
use rehearsal::console::{Console, Look};
use rehearsal::repository::{Commit, Repository};

/// They start side by side, as on GitHub. The table begins with workflows that have a job to run, because others use
/// what it trains; then this order applies.
const FIRST: [&str; 3] = ["deploy-jobs", "deploy-apps", "deploy-models"];

/// Where GitHub looks for workflow files.
const FOLDER: &str = ".github/workflows";

/// What is rehearsed.
pub struct Subject {
    /// The repository with the rehearsed commit.
    pub repository: Repository,
    /// The commit to rehearse.
    pub commit: Commit,
    /// The text of its stage file.
    pub stage_file: String,
    /// The GitHub environments of its stages.
    pub environments: StageEnvironments,
    /// The workflows to rehearse, in the order of the table.
    pub workflows: Vec<Workflow>,
    /// The text of each of their files.
    pub texts: Vec<(String, String)>,
}

/// What to rehearse in a repository.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// The repository, or a folder in it.
    pub repository: &'a Path,
    /// The commit; if absent, the one that is checked out.
    pub commit: Option<&'a str>,
    /// Whether uncommitted changes are included.
    pub uncommitted: bool,
    /// The folder of the workflow files, if not the commit's.
    pub workflows: Option<&'a Path>,
    /// The names of the workflows; empty for all.
    pub only: &'a [String],
}

impl Subject {
    /// Reads what is asked for. What is wrong in a workflow file is added to `problems`.
    ///
    /// # Errors
    /// When there is nothing to rehearse.
    pub fn read(
        choice: Choice<'_>,
        console: &Console,
        problems: &mut Vec<Problem>,
    ) -> anyhow::Result<Self> {
        let repository = Repository::open(choice.repository)?;
        let commit = match choice.commit {
            Some(commit) => repository.commit(commit)?,
            None if choice.uncommitted => repository.uncommitted()?,
            None => repository.head()?,
        };
        console.line(
            Look::Bold,
            &format!("rehearsing {} {}", commit.short(), commit.title),
        );
        if !choice.uncommitted && choice.commit.is_none() {
            tell_changes(console, &repository.changes()?);
        }
        let stage_file = repository
            .file(&commit, "stages.toml")?
            .with_context(|| format!("commit {} has no stages.toml", commit.short()))?;
        let environments = StageEnvironments::parse(&stage_file)?;
        let texts = texts(&repository, &commit, choice.workflows, choice.only)?;
        let workflows = texts
            .iter()
            .filter_map(|(name, text)| Workflow::read(name, text, problems))
            .collect();
        Ok(Self {
            repository,
            commit,
            stage_file,
            environments,
            workflows,
            texts,
        })
    }
}

impl Subject {
    /// Refuses an input that no workflow has.
    ///
    /// # Errors
    /// With the inputs that there are.
    pub fn offers(&self, inputs: &[(String, String)]) -> anyhow::Result<()> {
        let offered = self
            .workflows
            .iter()
            .filter_map(|workflow| workflow.triggers.dispatch.as_ref());
        let offered: BTreeSet<&str> = offered.flatten().map(|input| input.name.as_str()).collect();
        let unknown = inputs
            .iter()
            .find(|(name, _)| !offered.contains(name.as_str()));
        if let Some((name, _)) = unknown {
            let offered: Vec<&str> = offered.into_iter().collect();
            anyhow::bail!(
                "no workflow has an input `{name}`; there are {}",
                offered.join(", ")
            );
        }
        Ok(())
    }
}

/// Prints which changes are only in the working tree.
fn tell_changes(console: &Console, changes: &[String]) {
    let [first, others @ ..] = changes else {
        return;
    };
    let others = match others.len() {
        0 => String::new(),
        1 => " and 1 other".into(),
        others => format!(" and {others} others"),
    };
    console.line(
        Look::Warning,
        &format!(
            "not committed, so not rehearsed: {first}{others} (`--uncommitted` rehearses them, too)"
        ),
    );
}

/// The deploy workflows of a commit, or of a folder, in the order of the table.
fn texts(
    repository: &Repository,
    commit: &Commit,
    folder: Option<&Path>,
    only: &[String],
) -> anyhow::Result<Vec<(String, String)>> {
    let mut texts: Vec<(String, String)> = Vec::new();
    match folder {
        Some(folder) => {
            for entry in folder
                .read_dir()
                .with_context(|| format!("cannot read {}", folder.display()))?
            {
                let path = entry?.path();
                let name = path
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned())
                    .unwrap_or_default();
                if is_deploy_workflow(&name) {
                    let text = std::fs::read_to_string(&path);
                    texts.push((
                        name,
                        text.with_context(|| format!("cannot read {}", path.display()))?,
                    ));
                }
            }
        }
        None => {
            for name in repository.files(commit, FOLDER)? {
                if is_deploy_workflow(&name) {
                    let text = repository
                        .file(commit, &format!("{FOLDER}/{name}"))?
                        .unwrap_or_default();
                    texts.push((name, text));
                }
            }
        }
    }
    let stem = |name: &str| {
        name.rsplit_once('.')
            .map_or(name, |(stem, _)| stem)
            .to_owned()
    };
    let all: Vec<String> = texts.iter().map(|(name, _)| stem(name)).collect();
    anyhow::ensure!(
        !all.is_empty(),
        "there is no deploy-*.yml in {}: `{} gen-workflows` writes them",
        folder.map_or_else(
            || format!("{FOLDER} of commit {}", commit.short()),
            |folder| folder.display().to_string()
        ),
        crate::repository::called_as()
    );
    if let Some(unknown) = only.iter().find(|name| !all.contains(&stem(name))) {
        anyhow::bail!(
            "there is no workflow `{unknown}`; there are {}",
            all.join(", ")
        );
    }
    texts.retain(|(name, _)| {
        only.is_empty() || only.iter().any(|wanted| stem(wanted) == stem(name))
    });
    texts.sort_by_key(|(name, text)| {
        let runs_no_job = !text.contains("deploy-job start ");
        // A kind may have several files.
        let is_part = |c: char| c == '-' || c.is_ascii_digit();
        let kind = stem(name).trim_end_matches(is_part).to_owned();
        let place = FIRST.iter().position(|first| *first == kind);
        (runs_no_job, place.unwrap_or(FIRST.len()), name.clone())
    });
    Ok(texts)
}

fn is_deploy_workflow(name: &str) -> bool {
    name.starts_with("deploy-") && (name.ends_with(".yml") || name.ends_with(".yaml"))
}
