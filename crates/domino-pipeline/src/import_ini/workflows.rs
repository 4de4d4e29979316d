//! The templates' workflow files, as far as they tell something: the branch, the environments, what is deployed.
//!
//! The templates keep some of them in `.github`, where GitHub does not look. So both folders are read, and the files
//! that never ran are reported.

mod defects;
mod scripts;

use std::fs;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde_json::Value;

use self::scripts::{live, script};
use super::notes::Notes;
use crate::error::{Result, VerbError};

/// What the workflows tell. Empty if they were not read.
#[derive(Debug, Default)]
pub struct Workflows {
    /// The folder that was named, as it was named.
    folder: String,
    /// The branches that start them.
    branches: Vec<String>,
    /// The GitHub environments, in the order of the jobs.
    environments: Vec<String>,
    /// The scripts that they run; `None` if there are no workflows.
    scripts: Option<Vec<&'static str>>,
}

impl Workflows {
    /// Reads every workflow of a folder; of `.github` and `.github/workflows`, the other one as well.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn read(folder: &Path, notes: &mut Notes) -> Result<Self> {
        let unreadable =
            |problem| VerbError::usage(format!("cannot read `{}`: {problem}", folder.display()));
        let mut workflows = Self {
            folder: folder.display().to_string(),
            ..Self::default()
        };
        let mut found: IndexMap<&str, Vec<String>> = IndexMap::new();
        // `.` and a link refer to the same folder as its own path.
        for folder in folders(&fs::canonicalize(folder).map_err(unreadable)?) {
            for path in yaml_files(&folder).map_err(unreadable)? {
                let text = fs::read_to_string(&path).map_err(unreadable)?;
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let Some(defects) = workflows.add(&name, &text, notes) else {
                    continue;
                };
                let never_ran = (!is_githubs(&folder)).then_some(defects::NEVER_RAN);
                for defect in never_ran.into_iter().chain(defects) {
                    found.entry(defect).or_default().push(format!("`{name}`"));
                }
            }
        }
        for (defect, files) in found {
            notes
                .defects
                .push(format!("{}: {defect}", files.join(", ")));
        }
        Ok(workflows)
    }

    /// Adds one workflow, and reports what was wrong with it; `None` if it runs none of the scripts.
    fn add(&mut self, name: &str, text: &str, notes: &mut Notes) -> Option<Vec<&'static str>> {
        let run: Vec<&str> = live(text).filter_map(script).collect();
        let silenced = text
            .lines()
            .map(str::trim)
            .any(|line| line.starts_with('#') && script(line).is_some());
        if run.is_empty() && !silenced {
            return None;
        }
        let scripts = self.scripts.get_or_insert_default();
        for script in run {
            if !scripts.contains(&script) {
                scripts.push(script);
            }
        }
        let document = serde_saphyr::from_str::<Value>(text).unwrap_or_else(|_| {
            notes
                .unknown
                .push(format!("what `{name}` says: it is not YAML"));
            Value::Null
        });
        let branches = &document["on"]["push"]["branches"];
        for branch in branches.as_array().into_iter().flatten().chain([branches]) {
            push_once(&mut self.branches, branch.as_str());
        }
        for job in document["jobs"].as_object().into_iter().flatten() {
            let environment = &job.1["environment"];
            push_once(
                &mut self.environments,
                environment.as_str().or(environment["name"].as_str()),
            );
        }
        Some(defects::of(text, &document, silenced))
    }

    /// Whether a script is run; `given` says whether the configuration asks for it, which decides if no workflow
    /// tells. What is asked for and run by no workflow is left out and reported.
    pub(super) fn run(&self, script: &str, what: &str, given: bool, notes: &mut Notes) -> bool {
        let Some(scripts) = &self.scripts else {
            return given;
        };
        let run = scripts.contains(&script);
        if given && !run {
            notes.unknown.push(format!(
                "whether {what} is deployed: no workflow in `{}` runs `{script}`, so it is left out",
                self.folder
            ));
        }
        run
    }

    /// Whether there are any workflows.
    pub(super) fn tell(&self) -> bool {
        self.scripts.is_some()
    }

    /// The branch that starts the pipeline, if the workflows agree on one.
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

/// The folders to read: the templates spread their workflows over `.github` and `.github/workflows`.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let parent = folder.parent().filter(|_| is_githubs(folder));
    let child = folder
        .ends_with(".github")
        .then(|| folder.join("workflows"));
    [
        Some(folder.to_owned()),
        parent.map(Path::to_owned),
        child.filter(|child| child.is_dir()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether GitHub looks for workflows here.
fn is_githubs(folder: &Path) -> bool {
    folder.ends_with(".github/workflows")
}

fn yaml_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_yaml = path
            .extension()
            .is_some_and(|extension| extension == "yml" || extension == "yaml");
        if is_yaml && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn push_once(list: &mut Vec<String>, text: Option<&str>) {
    if let Some(text) = text
        && !list.iter().any(|known| known == text)
    {
        list.push(text.to_owned());
    }
}
