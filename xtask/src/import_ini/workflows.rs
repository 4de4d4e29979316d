//! The templates' workflow files, as far as they tell something: the branch, the environments, what is deployed; and
//! what was wrong with them.

use std::fs;
use std::path::Path;

use domino_core::error::Failure;
use serde_json::Value;

use super::Notes;
use super::ini::note_once;

/// What the workflows tell. Empty when they were not asked.
#[derive(Debug, Default)]
pub struct Workflows {
    /// The branches that start them.
    branches: Vec<String>,
    /// The GitHub environments, in the order of the jobs.
    environments: Vec<String>,
    /// The scripts that they run; `None` when there are no workflows to go by.
    scripts: Option<Vec<&'static str>>,
}

/// The templates' programs.
const SCRIPTS: [&str; 4] = [
    "cicd-jobs.py",
    "cicd-scheduled-jobs.py",
    "cicd-apps.py",
    "cicd-models.py",
];

impl Workflows {
    /// Reads every workflow of a folder.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn read(folder: &Path, notes: &mut Notes) -> anyhow::Result<Self> {
        let unreadable =
            |problem| Failure::usage(format!("cannot read `{}`: {problem}", folder.display()));
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "yml" || extension == "yaml")
            {
                files.push(path);
            }
        }
        files.sort();
        let mut workflows = Self::default();
        for path in files {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let text = fs::read_to_string(&path).map_err(unreadable)?;
            workflows.add(&name, &text, notes);
        }
        if !folder.ends_with(".github/workflows") && workflows.scripts.is_some() {
            notes.defects.push(format!(
                "the workflows in `{}` never ran: GitHub looks in `.github/workflows` only",
                folder.display()
            ));
        }
        Ok(workflows)
    }

    /// Takes one workflow in.
    pub fn add(&mut self, name: &str, text: &str, notes: &mut Notes) {
        let lines = || text.lines().map(str::trim);
        let runs = |line: &str| SCRIPTS.iter().copied().find(|script| line.contains(script));
        let run: Vec<&str> = lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(runs)
            .collect();
        let silenced = lines().any(|line| line.starts_with('#') && runs(line).is_some());
        if run.is_empty() && !silenced {
            return;
        }
        let scripts = self.scripts.get_or_insert_default();
        for script in run {
            if !scripts.contains(&script) {
                scripts.push(script);
            }
        }
        let defects = &mut notes.defects;
        let mut defect = |found: bool, what: &str| {
            if found {
                note_once(defects, format!("`{name}`: {what}"));
            }
        };
        let live = || lines().filter(|line| !line.starts_with('#'));
        defect(
            silenced,
            "a deployment was commented out, so that the stage after it waited for nothing",
        );
        defect(
            live().any(|line| line.starts_with("pull_request_target")),
            "`pull_request_target` handed the secrets to code that nobody had reviewed",
        );
        defect(
            live().any(|line| runs(line).is_some() && line.contains("secrets.")),
            "the API key was an argument of the command, for every process of the runner to see",
        );
        defect(
            live().any(|line| line.contains("uses:") && !is_pinned(line)),
            "its actions could be replaced: a tag moves, a commit does not",
        );
        let Ok(document) = serde_saphyr::from_str::<Value>(text) else {
            notes
                .unknown
                .push(format!("what `{name}` says: it is not YAML"));
            return;
        };
        for branch in document["on"]["push"]["branches"]
            .as_array()
            .into_iter()
            .flatten()
        {
            push_once(&mut self.branches, branch.as_str());
        }
        for job in document["jobs"].as_object().into_iter().flatten() {
            let environment = &job.1["environment"];
            push_once(
                &mut self.environments,
                environment.as_str().or(environment["name"].as_str()),
            );
        }
    }

    /// Whether a script is run; `otherwise` when no workflow tells.
    pub(super) fn run(&self, script: &str, otherwise: bool) -> bool {
        match &self.scripts {
            Some(scripts) => scripts.contains(&script),
            None => otherwise,
        }
    }

    /// The branch that starts the pipeline, when the workflows agree on one.
    pub(super) fn branch(&self, notes: &mut Notes) -> Option<&str> {
        match &self.branches[..] {
            [] => None,
            [branch] => Some(branch),
            several => {
                notes.unknown.push(format!(
                    "which branch is the production branch: the workflows start on {}",
                    several.join(", ")
                ));
                None
            }
        }
    }

    /// A stage's GitHub environment, as the workflows write it.
    pub(super) fn environment(&self, section: &str) -> Option<&str> {
        self.environments
            .iter()
            .find(|name| name.eq_ignore_ascii_case(section))
            .map(String::as_str)
    }
}

fn push_once(list: &mut Vec<String>, text: Option<&str>) {
    if let Some(text) = text
        && !list.iter().any(|known| known == text)
    {
        list.push(text.to_owned());
    }
}

/// Whether an action is named by a whole commit.
fn is_pinned(line: &str) -> bool {
    line.split_once('@').is_some_and(|(_, version)| {
        let commit = version.split_whitespace().next().unwrap_or_default();
        commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit())
    })
}
