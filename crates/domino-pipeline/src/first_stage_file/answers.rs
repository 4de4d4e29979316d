//! The values for the first stage file: from flags, from questions on a terminal, or from examples.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use stage_file::{Host, Install, ProjectName, StageFile};

use super::wheel;
use crate::error::{Context as _, Result, VerbError};

/// The arguments of `domino-pipeline init`.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// The repository to begin in [default: this folder]
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// The address of Domino, such as domino.example.com
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// The git-based Domino project
    #[arg(long, value_name = "OWNER/NAME")]
    pub project: Option<String>,
    /// The stages, in promotion order
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',', num_args = 1..)]
    pub stages: Vec<String>,
    /// The hardware tier of each stage, or one for all; a tier is what chooses the data plane
    #[arg(long, value_name = "TIER,TIER", value_delimiter = ',', num_args = 1..)]
    pub tiers: Vec<String>,
    /// Who approves the stages after the first: GitHub users, or team:slug
    #[arg(long, value_name = "WHO,WHO", value_delimiter = ',', num_args = 1..)]
    pub approvers: Vec<String>,
    /// The wheel that the workflows install: its SHA-256, as the release lists it [default: of the wheel file that this
    /// program was installed from]
    #[arg(long, value_name = "SHA256")]
    pub wheel_sha256: Vec<String>,
    /// Also write a job that trains, a scheduled job, an app and a model, which run in the rehearsal
    #[arg(long)]
    pub sample: bool,
}

const EXAMPLE_HOST: &str = "domino.example.com";
const EXAMPLE_STAGES: &str = "dev,staging,prod";

/// Everything that the stage file needs.
#[derive(Debug)]
pub struct Answers {
    pub(super) host: String,
    pub(super) project: String,
    /// Each stage with its hardware tier.
    pub(super) stages: Vec<(String, String)>,
    pub(super) approvers: Vec<String>,
    pub(super) install: Install,
    pub(super) wheel_sha256: Vec<String>,
    /// The repository that releases the programs, if they come from a release.
    pub(super) release_repository: String,
    /// Whether to include the entities of the sample.
    pub(super) sample: bool,
    /// The values that nobody gave, in words.
    pub examples: Vec<String>,
}

impl Answers {
    /// Examples only, and the programs from a release.
    pub(super) fn for_release(folder: &Path, release_repository: &str) -> Self {
        let stages = EXAMPLE_STAGES.split(',');
        Self {
            host: EXAMPLE_HOST.into(),
            project: example_project(folder),
            stages: stages
                .map(|name| (name.to_owned(), format!("{name}-small")))
                .collect(),
            approvers: Vec::new(),
            install: Install::Release,
            wheel_sha256: Vec::new(),
            release_repository: release_repository.to_owned(),
            sample: true,
            examples: Vec::new(),
        }
    }

    /// Takes the flags, and asks for the rest if there is a terminal.
    pub fn of(args: &Args, folder: &Path) -> Result<Self> {
        let mut questions = Questions {
            may_ask: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            examples: Vec::new(),
        };
        let host = questions.text("the Domino host", args.host.as_deref(), EXAMPLE_HOST)?;
        host.parse::<Host>()
            .map_err(|problem| VerbError::usage(format!("`--host` {problem}")))?;
        let example = example_project(folder);
        let project = questions.text("the Domino project", args.project.as_deref(), &example)?;
        project
            .parse::<ProjectName>()
            .map_err(|problem| VerbError::usage(format!("`--project` {problem}")))?;
        let names = questions.list("the stages", &args.stages, EXAMPLE_STAGES)?;
        for name in &names {
            if !StageFile::is_name(name) {
                return Err(VerbError::usage(format!(
                    "`{name}` is no name of a stage: letters, digits, `-` and `_`, a letter first"
                )));
            }
        }
        let each: Vec<String> = names.iter().map(|name| format!("{name}-small")).collect();
        let tiers = questions.list("the hardware tier of each", &args.tiers, &each.join(","))?;
        let stages = with_tiers(names, tiers)?;
        // A Rust workspace builds the programs itself; every other repository installs them.
        let install = match folder.join("crates/deploy-job").is_dir() {
            true => Install::Build,
            false => Install::Pip,
        };
        Ok(Self {
            host,
            project,
            stages,
            approvers: args.approvers.clone(),
            wheel_sha256: match install {
                Install::Pip => wheel_sha256(&args.wheel_sha256)?,
                _ => Vec::new(),
            },
            install,
            release_repository: String::new(),
            sample: args.sample,
            examples: questions.examples,
        })
    }
}

fn example_project(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = whole.file_name().and_then(|name| name.to_str());
    let name = name.filter(|name| format!("a/{name}").parse::<ProjectName>().is_ok());
    format!("my-team/{}", name.unwrap_or("my-project"))
}

/// One tier for all stages, or one for each.
fn with_tiers(names: Vec<String>, tiers: Vec<String>) -> Result<Vec<(String, String)>> {
    if let [tier] = &tiers[..] {
        return Ok(names.into_iter().map(|name| (name, tier.clone())).collect());
    }
    if tiers.len() != names.len() {
        return Err(VerbError::usage(format!(
            "{} stages and {} hardware tiers: give one for all, or one each",
            names.len(),
            tiers.len()
        )));
    }
    Ok(names.into_iter().zip(tiers).collect())
}

fn wheel_sha256(given: &[String]) -> Result<Vec<String>> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    let program =
        std::env::current_exe().context(|| "cannot tell where this program lies".into())?;
    let found = wheel::sha256_behind(&program).ok_or_else(|| {
        VerbError::usage("which wheel the workflows shall install is not known").hint(
            "give `--wheel-sha256` as the release lists it; `pip download --no-deps domino-deploy` and `pip hash` tell it too",
        )
    })?;
    Ok(vec![found])
}

struct Questions {
    may_ask: bool,
    examples: Vec<String>,
}

impl Questions {
    /// The flag's value, otherwise the answer, otherwise the example.
    fn text(&mut self, what: &str, given: Option<&str>, example: &str) -> Result<String> {
        if let Some(given) = given {
            return Ok(given.to_owned());
        }
        if self.may_ask {
            eprint!("{what} [{example}]: ");
            std::io::stderr().flush()?;
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line)?;
            if !line.trim().is_empty() {
                return Ok(line.trim().to_owned());
            }
        }
        self.examples.push(format!("`{example}` ({what})"));
        Ok(example.to_owned())
    }

    fn list(&mut self, what: &str, given: &[String], example: &str) -> Result<Vec<String>> {
        let given = (!given.is_empty()).then(|| given.join(","));
        let text = self.text(what, given.as_deref(), example)?;
        let parts = text.split(',').map(|part| part.trim().to_owned());
        Ok(parts.filter(|part| !part.is_empty()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn one_tier_is_for_all_and_several_are_one_each() {
        let one = with_tiers(list(&["dev", "prod"]), list(&["small"])).unwrap();
        assert_eq!(one[1], ("prod".into(), "small".into()));
        let each = with_tiers(list(&["dev", "prod"]), list(&["small", "large"])).unwrap();
        assert_eq!(each[1], ("prod".into(), "large".into()));
        let refused = with_tiers(list(&["dev", "test", "prod"]), list(&["small", "large"]));
        assert_eq!(
            refused.unwrap_err().to_string(),
            "3 stages and 2 hardware tiers: give one for all, or one each"
        );
    }
}
