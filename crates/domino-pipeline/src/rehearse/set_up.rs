//! The set-up that a rehearsal from empty begins with: the README's own commands, against a small GitHub and a sandbox
//! that hold nothing of this pipeline, and what jobs get of it.
//!
//! The commands are programs of their own, started as a person would start them. What they wrote is judged by what
//! GitHub and the sandbox hold.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, ensure};
use domino_sandbox::Sandbox;
use rehearsal::console::{Console, Look};
use rehearsal::github_api::Settings;
use rehearsal::report::FAILED;
use rehearsal::runner;
use rehearsal::settings::Environment;
use rehearsal::small_github::{Repository, SmallGitHub};
use stage_file::StageFile;
use tempfile::TempDir;

use super::domino::random_text;
use super::environments::StageEnvironments;
use super::kept_domino::{KeptDomino, KeptEnvironment};
use super::settings::{ADMINISTRATOR, AUTHOR};
use super::subject::Subject;
use crate::repository;

/// The commands, in the README's order. The second finds everything in place: the first sets up GitHub as well.
const COMMANDS: [&[&str]; 2] = [&["domino", "apply", "--yes"], &["github", "apply", "--yes"]];

/// An empty GitHub, and what the commands are given.
pub struct SetUp {
    /// GitHub's repositories; there is one.
    pub github: Settings,
    /// Where the commands run: a folder with the stage file of the rehearsed commit.
    folder: TempDir,
    file: StageFile,
    /// `owner/name` on GitHub.
    name: String,
    github_token: String,
    git_token: String,
    /// What lets the commands in, and tells them where to go.
    variables: Vec<(String, String)>,
}

impl SetUp {
    /// A GitHub on which the repository has people and branches, and nothing else.
    ///
    /// # Errors
    /// When the stage file cannot be read.
    pub fn new(subject: &Subject) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("rehearsal-set-up-")
            .tempdir()?;
        let path = folder.path().join("stages.toml");
        std::fs::write(&path, &subject.stage_file)?;
        let file = StageFile::read(&subject.stage_file, &path)?;
        let (name, github_token) = (
            subject.repository.slug(),
            format!("ghp_{}", random_text(36)),
        );
        let mut github = SmallGitHub::new(&github_token);
        let repository = repository_of(&subject.environments);
        github.repositories.insert(name.clone(), repository);
        Ok(Self {
            github: Arc::new(Mutex::new(github)),
            folder,
            file,
            name,
            github_token,
            git_token: format!("github_pat_{}", random_text(36)),
            variables: Vec::new(),
        })
    }

    /// Runs the commands, and returns the exit code of one that failed.
    ///
    /// # Errors
    /// When a command cannot be started, or GitHub would not let the pipeline in after all.
    pub fn run(
        &mut self,
        console: &Console,
        api: &str,
        domino: &mut KeptDomino,
        environments: &mut StageEnvironments,
    ) -> anyhow::Result<Option<u8>> {
        let own = domino.token_of(ADMINISTRATOR);
        for secret in [&self.github_token, &self.git_token, &own] {
            console.mask(secret);
        }
        self.variables = self.variables(api, domino, own);
        console.line(
            Look::Plain,
            &format!(
                "GitHub is a small one at {api}: `{}` has people and branches, and no environment; Domino has people, \
                 tiers, environments and policies, and no project or service account",
                self.name
            ),
        );
        for words in COMMANDS {
            console.blank();
            let code = self.command(words, &[], |look, line| console.line(look, line))?;
            if code != 0 {
                let told = format!("the set-up ended with exit code {code}; nothing was deployed");
                console.line(Look::Bad, &told);
                return Ok(Some(code));
            }
        }
        domino.environments = self.held(environments)?;
        for secret in domino.secrets() {
            console.mask(secret);
        }
        Ok(None)
    }

    /// Runs the commands again, which must write nothing, and says what is deployed where. Returns an exit code if
    /// something is not as it should be.
    ///
    /// # Errors
    /// When a command cannot be started.
    pub fn again(&self, console: &Console, sandbox: &Sandbox) -> anyhow::Result<Option<u8>> {
        console.blank();
        for words in COMMANDS {
            let written = self.writes(sandbox);
            let mut said = Vec::new();
            let code = self.command(words, &[], |look, line| {
                said.push((look, "", line.to_owned()))
            })?;
            let written = self.writes(sandbox) - written;
            let command = in_words(words);
            if (code, written) == (0, 0) {
                let told = format!("`{command}` a second time: nothing was changed");
                console.line(Look::Good, &told);
                continue;
            }
            let told = format!("`{command}` a second time wrote {written} times; it says:");
            console.line(Look::Bad, &told);
            console.block(&said);
            return Ok(Some(FAILED));
        }
        console.blank();
        let say = |look, line: &str| console.line(look, line);
        let code = self.command(&["status"], &self.tokens(), say)?;
        Ok(Some(code).filter(|code| *code != 0))
    }

    /// What the commands get besides the few variables that every process needs.
    fn variables(&self, api: &str, domino: &KeptDomino, own: String) -> Vec<(String, String)> {
        let mut variables = vec![
            ("GITHUB_API_URL".to_owned(), api.to_owned()),
            ("GITHUB_REPOSITORY".to_owned(), self.name.clone()),
            ("GITHUB_TOKEN".to_owned(), self.github_token.clone()),
            ("DOMINO_API_HOST".to_owned(), domino.url.clone()),
            ("DOMINO_ADMIN_TOKEN".to_owned(), own),
            ("DOMINO_GIT_TOKEN".to_owned(), self.git_token.clone()),
            (
                "DOMINO_PIPELINE_CALLED_AS".to_owned(),
                repository::called_as(),
            ),
        ];
        let is_tested = self
            .file
            .models
            .iter()
            .any(|model| model.smoke_test.is_some());
        if is_tested {
            variables.extend(self.file.stages.iter().map(|stage| {
                let name = stage.own_variable("DOMINO_MODEL_TOKEN");
                (name, domino.model_token.clone())
            }));
        }
        variables
    }

    /// Runs a command as a person would, and passes what it says to `say`. Returns its exit code.
    fn command(
        &self,
        words: &[&str],
        tokens: &[(String, String)],
        mut say: impl FnMut(Look, &str),
    ) -> anyhow::Result<u8> {
        say(Look::Bold, &format!("$ {}", in_words(words)));
        let program = std::env::current_exe().context("this program's own file is not known")?;
        let (reader, writer) = std::io::pipe()?;
        let mut child = Command::new(&program)
            .args(words)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(runner::inherited())
            .envs(self.variables.iter().chain(tokens).cloned())
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        for line in BufReader::new(reader).split(b'\n') {
            say(Look::Plain, &String::from_utf8_lossy(&line?));
        }
        let code = child.wait()?.code();
        Ok(code.and_then(|code| code.try_into().ok()).unwrap_or(1))
    }

    /// The token of each stage, as far as GitHub holds it, under the name that `status` reads.
    fn tokens(&self) -> Vec<(String, String)> {
        let github = self.lock();
        let repository = &github.repositories[&self.name];
        let stages = self.file.stages.iter();
        let token = |stage: &stage_file::Stage| {
            let environment = repository.environment(&stage.github_environment)?;
            let (value, _) = environment.secrets.get("DOMINO_TOKEN")?;
            Some((stage.own_variable("DOMINO_TOKEN"), value.clone()))
        };
        stages.filter_map(token).collect()
    }

    /// What GitHub holds of each stage's environment now. Who approves, and how long it waits, is what GitHub says
    /// from now on, and not the stage file.
    fn held(&self, environments: &mut StageEnvironments) -> anyhow::Result<Vec<KeptEnvironment>> {
        let github = self.lock();
        let repository = &github.repositories[&self.name];
        let token_variable = |environment: &str| {
            let mut stages = self.file.stages.iter();
            let stage = stages.find(|stage| stage.github_environment == environment);
            stage.map_or_else(String::new, |stage| stage.own_variable("DOMINO_TOKEN"))
        };
        let mut held = Vec::new();
        for environment in &mut environments.environments {
            let name = &environment.name;
            let there = repository
                .environment(name)
                .with_context(|| format!("the set-up made no environment `{name}` on GitHub"))?;
            ensure!(
                repository.lets_in(there, &environments.branch),
                "branch `{}` is not allowed to deploy to `{name}` after the set-up",
                environments.branch
            );
            *environment = Environment {
                reviewers: repository.reviewers_of(there),
                wait_timer: i64::try_from(there.wait_timer)?,
                ..environment.clone()
            };
            let secrets = there.secrets.iter();
            held.push(KeptEnvironment {
                name: environment.name.clone(),
                token_variable: token_variable(&environment.name),
                variables: there.variables.clone().into_iter().collect(),
                secrets: secrets
                    .map(|(name, (value, _))| (name.clone(), value.clone()))
                    .collect(),
            });
        }
        Ok(held)
    }

    /// How often something was written so far, on GitHub or by the administrator in Domino.
    fn writes(&self, sandbox: &Sandbox) -> usize {
        let requests = sandbox.requests();
        let in_domino = requests.iter().filter(|one| one.method != "GET").count();
        self.lock().writes + in_domino
    }

    fn lock(&self) -> MutexGuard<'_, SmallGitHub> {
        self.github.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A repository with everybody whom the stages name, and the author.
fn repository_of(environments: &StageEnvironments) -> Repository {
    let mut names: Vec<&str> = vec![AUTHOR];
    let all = environments.environments.iter();
    names.extend(all.flat_map(|one| {
        one.reviewers
            .iter()
            .chain(&one.starters)
            .map(String::as_str)
    }));
    names.sort_unstable();
    names.dedup();
    let mut repository = Repository {
        branch: environments.branch.clone(),
        artifact_days: 90,
        ..Repository::default()
    };
    for (id, name) in (1..).zip(names) {
        match name.strip_prefix("team:") {
            Some(slug) => repository.teams.push((slug.to_owned(), id)),
            None => repository.people.push((name.to_owned(), id)),
        }
    }
    repository
}

/// A command line as a person types it.
fn in_words(words: &[&str]) -> String {
    format!("{} {}", repository::called_as(), words.join(" "))
}
