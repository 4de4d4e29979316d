//! `gen-workflows`: writes every generated file of a repository, or checks that the existing ones are up to date.
//!
//! `pipelines.rs`, `diagram.rs` and `reference.rs` decide the content; here it is compared with the disk and written.
//! A file that does not say that we wrote it is never overwritten or removed.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use similar::TextDiff;
use stage_file::{Install, StageFile, named_files};

use crate::error::{Context as _, Result, VerbError};
use crate::pipelines::WorkflowFile;
use crate::{another_repository, diagram, pipelines, reference, repository, schema};

/// The arguments of `cargo xtask gen-workflows`.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// Write nothing: show what would change, and end with exit 1 if anything would
    #[arg(long)]
    pub check: bool,
    /// The repository to write to [default: this one]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The stage file [default: stages.toml in DIR, which is written when there is none]
    #[arg(long, value_name = "FILE")]
    pub stages: Option<PathBuf>,
    /// Also write release.yml, which publishes the programs on a tag; once there, it is kept
    #[arg(long)]
    pub release: bool,
    /// The GitHub repository that releases the programs, for a repository that has no stage file yet [default: the
    /// origin of this one]
    #[arg(long, value_name = "OWNER/NAME", requires = "out")]
    pub release_repository: Option<String>,
}

/// Writes or checks; exit code 1 if a check found something stale.
pub fn run(args: &Args) -> Result<ExitCode> {
    let (root, path) = places(args)?;
    let file = StageFile::load(&path)?;
    for warning in file.warnings() {
        eprintln!("{}", warning.in_file(&path));
    }
    for job in unwatched(&file, &root) {
        eprintln!(
            "{}: warning: no word of the command of `[job.{job}]` is a file of this repository, so what it runs can \
             change without a deployment; name its files in `paths`, or write `paths = []` where it has none",
            path.display()
        );
    }
    let workflows = pipelines::workflows(&file);
    for warning in too_long(&file, &workflows) {
        eprintln!("{warning}");
    }
    let stale: Vec<Generated> = generated(&file, workflows, &root, args.release)?
        .into_iter()
        .filter(Generated::is_stale)
        .collect();
    if args.check {
        return Ok(report(&stale, args));
    }
    write(&stale, &root)?;
    if !root.join("stages.toml").is_file() {
        eprintln!(
            "note: `{}` has no stages.toml, which the programs read there; copy `{}`",
            root.display(),
            path.display()
        );
    }
    if file.pipeline.install == Install::Build && !root.join("Cargo.toml").is_file() {
        eprintln!(
            "note: `{}` has no Cargo.toml, and these workflows build the programs there; set `install = \"pip\"` or \
             `\"release\"` under `[pipeline]`, or copy this workspace",
            root.display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The jobs without a known file: their command names no existing file, and they do not say what to watch.
fn unwatched<'a>(file: &'a StageFile, root: &'a Path) -> impl Iterator<Item = &'a str> {
    let is_there = |name: &String| root.join(name).exists();
    let is_module = |name: &String| {
        let package = name.strip_suffix(".py");
        package.is_some_and(|package| root.join(package).is_dir())
    };
    file.jobs
        .iter()
        .filter(move |job| {
            job.paths.is_none()
                && !named_files(&job.command)
                    .iter()
                    .any(|name| is_there(name) || is_module(name))
        })
        .map(|job| job.name.as_str())
}

/// GitHub's own runners end a job after this many minutes, whatever the file says.
const LONGEST_JOB: u32 = 360;

/// The jobs that may take longer than GitHub's own runners let them, and what happens then.
fn too_long(file: &StageFile, workflows: &[WorkflowFile]) -> Vec<String> {
    let mut warnings = Vec::new();
    for workflow in workflows {
        for job in &workflow.workflow.jobs {
            let stage = job.id.strip_prefix("deploy-");
            let Some(stage) = stage.and_then(|name| file.stage(name).ok()) else {
                continue;
            };
            let runner = stage.runner.as_ref().unwrap_or(&file.pipeline.runner);
            if runner.is_hosted() && job.timeout_minutes > LONGEST_JOB {
                warnings.push(format!(
                    "warning: job `{}` of {} may take {} minutes, and GitHub ends a job on `{}` after {LONGEST_JOB}: what goes \
                     on in Domino then is followed when the job is run again; shorter timeouts, fewer steps after one another \
                     or a runner of your own prevent it",
                    job.id, workflow.name, job.timeout_minutes, runner.word()
                ));
            }
        }
    }
    warnings
}

/// The repository to write to and the stage file to read. A repository without a stage file gets a first one.
fn places(args: &Args) -> Result<(PathBuf, PathBuf)> {
    let root = args.out.clone().unwrap_or_else(repository::root);
    if let Some(stages) = &args.stages {
        return Ok((root, stages.clone()));
    }
    let path = root.join("stages.toml");
    if args.out.is_some() && !path.is_file() && !args.check {
        another_repository::begin(&root, args.release_repository.as_deref())?;
    }
    Ok((root, path))
}

/// A generated file: the existing content and the wanted content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Where it is, from the top of the repository.
    pub path: PathBuf,
    /// The existing content; `None` if the file does not exist.
    pub present: Option<String>,
    /// The wanted content; `None` if the file must not exist.
    pub wanted: Option<String>,
}

impl Generated {
    fn of(workflow: &WorkflowFile, root: &Path) -> Result<Self> {
        let path = Path::new(pipelines::FOLDER).join(&workflow.name);
        let present = read(&root.join(&path))?;
        if present.as_deref().is_some_and(|text| !is_ours(text)) {
            return Err(VerbError::new(format!(
                "`{}` was not written by gen-workflows and stands where one of its files belongs; \
                 move it away or delete it",
                path.display()
            )));
        }
        Ok(Self {
            path,
            present,
            wanted: Some(workflow.text()?),
        })
    }

    /// Whether the existing content differs from the wanted one.
    pub fn is_stale(&self) -> bool {
        self.present != self.wanted
    }

    /// The difference as a unified diff, from the existing to the wanted content.
    pub fn diff(&self) -> String {
        let name = self.path.display();
        let side = |text: &Option<String>, letter| match text {
            Some(_) => format!("{letter}/{name}"),
            None => "/dev/null".to_owned(),
        };
        TextDiff::from_lines(
            self.present.as_deref().unwrap_or_default(),
            self.wanted.as_deref().unwrap_or_default(),
        )
        .unified_diff()
        .header(&side(&self.present, 'a'), &side(&self.wanted, 'b'))
        .to_string()
    }
}

/// Writes one workflow, which is kept up to date from then on like the others.
///
/// # Errors
/// When it cannot be written, or a file that we did not write is in its place.
#[cfg(feature = "rehearse")]
pub fn write_one(workflow: &WorkflowFile, root: &Path) -> Result<()> {
    let file = Generated::of(workflow, root)?;
    let stale = file.is_stale().then_some(file);
    write(stale.as_slice(), root)
}

/// Every file that is generated from this stage file, whose workflows these are, and every earlier one that no longer
/// is.
///
/// `release.yml` is included if it is asked for or exists.
///
/// # Errors
/// When a file cannot be read, or a file that we did not write is in the place of one of ours.
pub fn generated(
    file: &StageFile,
    mut workflows: Vec<WorkflowFile>,
    root: &Path,
    release: bool,
) -> Result<Vec<Generated>> {
    let folder = Path::new(pipelines::FOLDER);
    let is_kept = |name| {
        let present = read(&root.join(folder).join(name));
        present.map(|present| present.as_deref().is_some_and(is_ours))
    };
    workflows.extend((release || is_kept(pipelines::RELEASE)?).then(pipelines::release));
    workflows.extend(is_kept(pipelines::DOCTOR)?.then(|| pipelines::doctor(file)));
    let mut all = Vec::new();
    for workflow in workflows {
        all.push(Generated::of(&workflow, root)?);
    }
    for name in workflow_names(&root.join(folder))? {
        let path = folder.join(name);
        if all.iter().any(|file| file.path == path) {
            continue;
        }
        let present = read(&root.join(&path))?;
        if present.as_deref().is_some_and(is_ours) {
            all.push(Generated {
                path,
                present,
                wanted: None,
            });
        }
    }
    if file.pipeline.install != Install::Build {
        all.extend(besides(root)?);
    }
    all.extend(pages(file, root)?);
    Ok(all)
}

/// The pages that contain the picture of the pipeline or the reference of the stage file between their markers.
fn pages(file: &StageFile, root: &Path) -> Result<Vec<Generated>> {
    let mut pages = Vec::new();
    for path in ["README.md", reference::PAGE] {
        let present = read(&root.join(path))?;
        if let Some(page) = &present {
            let wanted = diagram::kept_in(page, &diagram::mermaid(file))?;
            let wanted = reference::MARKERS.keep(&wanted, &reference::markdown())?;
            pages.push(Generated {
                path: path.into(),
                present,
                wanted: Some(wanted),
            });
        }
    }
    Ok(pages)
}

/// What a repository without the workspace needs besides: the schema, kept up to date, and Dependabot's file, written
/// once.
fn besides(root: &Path) -> Result<Vec<Generated>> {
    let mut all = vec![Generated {
        path: schema::FILE_NAME.into(),
        present: read(&root.join(schema::FILE_NAME))?,
        wanted: Some(schema::text()?),
    }];
    if read(&root.join(another_repository::DEPENDABOT))?.is_none() {
        all.push(Generated {
            path: another_repository::DEPENDABOT.into(),
            present: None,
            wanted: Some(another_repository::DEPENDABOT_TEXT.to_owned()),
        });
    }
    Ok(all)
}

/// Whether a workflow says in its header that we wrote it.
fn is_ours(text: &str) -> bool {
    text.lines()
        .take(2)
        .any(|line| [pipelines::WRITTEN_BY, pipelines::WRITTEN_BY_XTASK].contains(&line))
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context(|| format!("cannot read `{}`", path.display())),
    }
}

fn workflow_names(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(error).context(|| format!("cannot list `{}`", folder.display()));
        }
    };
    let mut names = Vec::new();
    for entry in entries {
        if let Ok(name) = entry?.file_name().into_string()
            && (name.ends_with(".yml") || name.ends_with(".yaml"))
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn report(stale: &[Generated], args: &Args) -> ExitCode {
    if stale.is_empty() {
        return ExitCode::SUCCESS;
    }
    for file in stale {
        print!("{}", file.diff());
    }
    let count = match stale {
        [_] => "1 generated file is".to_owned(),
        _ => format!("{} generated files are", stale.len()),
    };
    let mut command = format!("{} gen-workflows", repository::called_as());
    for (flag, path) in [("--out", &args.out), ("--stages", &args.stages)] {
        if let Some(path) = path {
            command += &format!(" {flag} {}", path.display());
        }
    }
    if args.release {
        command += " --release";
    }
    eprintln!(
        "error: {count} not what the stage file asks for\n\nhint: run `{command}` and commit the result"
    );
    ExitCode::FAILURE
}

fn write(stale: &[Generated], root: &Path) -> Result<()> {
    if stale.is_empty() {
        eprintln!("every generated file is fresh");
    }
    for file in stale {
        let path = root.join(&file.path);
        match &file.wanted {
            Some(text) => {
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder)
                        .context(|| format!("cannot create `{}`", folder.display()))?;
                }
                fs::write(&path, text).context(|| format!("cannot write `{}`", path.display()))?;
                eprintln!("wrote {}", file.path.display());
            }
            None => {
                fs::remove_file(&path).context(|| format!("cannot remove `{}`", path.display()))?;
                eprintln!(
                    "removed {}: it would deploy nothing any more",
                    file.path.display()
                );
            }
        }
    }
    Ok(())
}
