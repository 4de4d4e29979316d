//! What GitHub tells a run about itself: the `github` and `runner` contexts and the variables of each step.
//!
//! The event is a push of the rehearsed commit to the production branch, or a run of it started by hand.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::repository::Commit;
use crate::workspace::Workspace;
use github_workflow::read::Workflow;
use github_workflow::value::Value;

/// The facts that all runs of a rehearsal share.
#[derive(Debug)]
pub struct GitHub {
    /// `owner/name` of the repository.
    pub repository: String,
    /// The branch that is pushed, without `refs/heads/`.
    pub branch: String,
    /// The commit that is rehearsed.
    pub commit: Commit,
    /// Who pushed, or started the run.
    pub actor: String,
    /// What started the run.
    pub event: Event,
    /// Where GitHub's API is: the stand-in, never the real one.
    pub api_url: String,
    /// The job's token. Only the stand-in accepts it.
    pub token: String,
    /// The run id of the first workflow; the others count up from it.
    pub first_run_id: u64,
}

/// What started the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A push to the production branch.
    Push,
    /// A person, by `workflow_dispatch`.
    Dispatch {
        /// The stage to stop after; it is given to the one input that offers it.
        stop_after: Option<String>,
        /// Inputs by name. A workflow without such an input is started without it.
        inputs: Vec<(String, String)>,
    },
}

impl Event {
    /// As GitHub calls it: `push` or `workflow_dispatch`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Dispatch { .. } => "workflow_dispatch",
        }
    }
}

/// One run of one workflow.
#[derive(Debug)]
pub struct Run {
    /// The workflow's name.
    pub workflow: String,
    /// The workflow's file.
    pub file: String,
    /// `GITHUB_RUN_ID`
    pub id: u64,
    /// The inputs, if it was started by hand.
    pub inputs: Vec<(String, Value)>,
    /// The number of the attempt: 1, and one more each time the run is started again.
    pub attempt: u64,
    /// Who started this attempt.
    pub triggering_actor: String,
}

const SERVER: &str = "https://github.com";

impl GitHub {
    /// `GITHUB_EVENT_NAME`: `push` or `workflow_dispatch`.
    pub fn event_name(&self) -> &'static str {
        self.event.name()
    }

    /// The run of a workflow, with the inputs that the person gave.
    pub fn run_of(&self, workflow: &Workflow, at: u64) -> Run {
        let inputs = match (&self.event, &workflow.triggers.dispatch) {
            (
                Event::Dispatch {
                    stop_after,
                    inputs: given,
                },
                Some(inputs),
            ) => inputs
                .iter()
                .map(|input| {
                    let given = given.iter().find(|(name, _)| *name == input.name);
                    let stop = stop_after.as_ref().filter(|s| input.options.contains(s));
                    let text = given.map(|(_, value)| value).or(stop);
                    let text = text.or(input.default.as_ref());
                    (
                        input.name.clone(),
                        input.value(text.map_or("", String::as_str)),
                    )
                })
                .collect(),
            _ => Vec::new(),
        };
        Run {
            workflow: workflow.name.clone(),
            file: workflow.file.clone(),
            id: self.first_run_id + at,
            inputs,
            attempt: 1,
            triggering_actor: self.actor.clone(),
        }
    }

    fn facts(&self, run: &Run) -> Vec<(&'static str, String)> {
        let owner = self.repository.split('/').next().unwrap_or_default();
        let git_ref = format!("refs/heads/{}", self.branch);
        let workflow = format!(
            "{}/.github/workflows/{}@{git_ref}",
            self.repository, run.file
        );
        vec![
            ("actor", self.actor.clone()),
            ("actor_id", "1".into()),
            ("api_url", self.api_url.clone()),
            ("base_ref", String::new()),
            ("event_name", self.event_name().into()),
            ("graphql_url", format!("{}/graphql", self.api_url)),
            ("head_ref", String::new()),
            ("ref", git_ref),
            ("ref_name", self.branch.clone()),
            ("ref_protected", "true".into()),
            ("ref_type", "branch".into()),
            ("repository", self.repository.clone()),
            ("repository_id", "1".into()),
            ("repository_owner", owner.into()),
            ("repository_owner_id", "1".into()),
            ("retention_days", "90".into()),
            ("run_attempt", run.attempt.to_string()),
            ("run_id", run.id.to_string()),
            ("run_number", "1".into()),
            ("server_url", SERVER.into()),
            ("sha", self.commit.sha.clone()),
            ("triggering_actor", run.triggering_actor.clone()),
            ("workflow", run.workflow.clone()),
            ("workflow_ref", workflow),
            ("workflow_sha", self.commit.sha.clone()),
        ]
    }

    /// The `github` context of a job. Before a runner takes the job, GitHub has no workspace and no path.
    pub fn context(&self, run: &Run, job: &str, workspace: Option<&Workspace<'_>>) -> Value {
        let path = |of: fn(&Workspace<'_>) -> String| {
            Value::String(workspace.map_or_else(String::new, of))
        };
        let mut entries: Vec<(String, Value)> = self
            .facts(run)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::String(value)))
            .collect();
        entries.push(("job".into(), Value::String(job.into())));
        entries.push(("token".into(), Value::String(self.token.clone())));
        entries.push((
            "repositoryUrl".into(),
            Value::String(format!("git://github.com/{}.git", self.repository)),
        ));
        entries.push((
            "workspace".into(),
            path(|workspace| workspace.folder.display().to_string()),
        ));
        entries.push((
            "event".into(),
            serde_json::from_value(self.payload(run)).expect("any JSON is a value"),
        ));
        entries.push(("event_path".into(), path(event_path)));
        Value::object(entries)
    }

    /// The variables of a step, without those that name its command files.
    pub fn variables(
        &self,
        run: &Run,
        job: &str,
        workspace: &Workspace<'_>,
    ) -> Vec<(String, String)> {
        let mut variables: Vec<(String, String)> = self
            .facts(run)
            .into_iter()
            .map(|(name, value)| (format!("GITHUB_{}", name.to_uppercase()), value))
            .collect();
        let mut add = |name: &str, value: String| variables.push((name.to_owned(), value));
        let folder = |path: &Path| path.display().to_string();
        add("GITHUB_ACTIONS", "true".into());
        add("GITHUB_JOB", job.into());
        add("GITHUB_WORKSPACE", folder(&workspace.folder));
        add("GITHUB_EVENT_PATH", event_path(workspace));
        add("RUNNER_TEMP", folder(&workspace.temp));
        add("RUNNER_TOOL_CACHE", folder(&workspace.tools));
        add("RUNNER_WORKSPACE", folder(workspace.base()));
        for (name, value) in runner_facts(workspace) {
            add(&format!("RUNNER_{}", name.to_uppercase()), value);
        }
        variables
    }

    /// Writes the event to the file that `GITHUB_EVENT_PATH` names.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_event(&self, run: &Run, workspace: &Workspace<'_>) -> anyhow::Result<()> {
        let path = event_path(workspace);
        if let Some(folder) = Path::new(&path).parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, self.payload(run).to_string())?;
        Ok(())
    }

    fn payload(&self, run: &Run) -> serde_json::Value {
        let (owner, name) = self
            .repository
            .split_once('/')
            .unwrap_or(("", &self.repository));
        let git_ref = format!("refs/heads/{}", self.branch);
        let repository = json!({
            "name": name,
            "full_name": self.repository,
            "default_branch": self.branch,
            "html_url": format!("{SERVER}/{}", self.repository),
            "owner": { "login": owner },
        });
        let sender = json!({ "login": self.actor });
        match self.event {
            Event::Push => json!({
                "ref": git_ref,
                "before": self.commit.before,
                "after": self.commit.sha,
                "created": false,
                "deleted": false,
                "forced": false,
                "head_commit": { "id": self.commit.sha, "message": self.commit.title },
                "pusher": { "name": self.actor },
                "repository": repository,
                "sender": sender,
            }),
            Event::Dispatch { .. } => {
                let inputs: serde_json::Map<String, serde_json::Value> = run
                    .inputs
                    .iter()
                    .map(|(name, value)| (name.clone(), value.to_text().into()))
                    .collect();
                json!({
                    "ref": git_ref,
                    "inputs": inputs,
                    "workflow": format!(".github/workflows/{}", run.file),
                    "repository": repository,
                    "sender": sender,
                })
            }
        }
    }
}

/// The `runner` context: system, processor, and the folders of this workspace.
pub fn runner_context(workspace: &Workspace<'_>) -> Value {
    let mut entries: Vec<(&str, String)> = runner_facts(workspace).to_vec();
    entries.push(("temp", workspace.temp.display().to_string()));
    entries.push(("tool_cache", workspace.tools.display().to_string()));
    entries.push(("workspace", workspace.base().display().to_string()));
    Value::strings(entries)
}

fn runner_facts(workspace: &Workspace<'_>) -> [(&'static str, String); 4] {
    // GitHub's own words for systems and processors.
    let os = match std::env::consts::OS {
        "macos" => "macOS",
        _ => "Linux",
    };
    let arch = match std::env::consts::ARCH {
        "aarch64" => "ARM64",
        _ => "X64",
    };
    [
        ("os", os.into()),
        ("arch", arch.into()),
        ("name", workspace.runner.clone()),
        ("environment", "github-hosted".into()),
    ]
}

fn event_path(workspace: &Workspace<'_>) -> String {
    workspace
        .temp
        .join("_github_workflow/event.json")
        .display()
        .to_string()
}
