//! `import-ini`: converts the Python templates' `env-variables.ini` to a commented `stages.toml`, and reports what it
//! decided, what it could not know, and what was wrong with that configuration.
//!
//! It reads two kinds of file and writes one; it asks neither Domino nor GitHub.

mod entities;
mod ini;
mod notes;
mod stages;
mod toml_text;
mod workflows;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use stage_file::StageFile;

pub use self::notes::Notes;
use self::workflows::Workflows;
use crate::error::{Context as _, Result, VerbError};
use crate::repository;

/// The arguments of `cargo xtask import-ini`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The templates' file, such as src/cicd/env-variables.ini
    pub file: PathBuf,
    /// The folder of the templates' workflows, such as .github: tells the branch, the environments and what is deployed
    #[arg(long, value_name = "DIR")]
    pub workflows: Option<PathBuf>,
    /// The stage file to write
    #[arg(long, value_name = "FILE", default_value = "stages.toml")]
    pub out: PathBuf,
    /// Overwrite the stage file when it is there
    #[arg(long)]
    pub force: bool,
}

/// Writes the stage file and prints the notes.
pub fn run(args: &Args) -> Result<ExitCode> {
    if args.out.exists() && !args.force {
        let message = format!("`{}` is there already", args.out.display());
        return Err(VerbError::usage(message)
            .hint("name another file with `--out`, or overwrite it with `--force`"));
    }
    let text = read(&args.file)?;
    let mut notes = Notes::default();
    let workflows = match &args.workflows {
        Some(folder) => Workflows::read(folder, &mut notes)?,
        None => Workflows::default(),
    };
    let imported = import(&text, &workflows, &mut notes).map_err(|problem| {
        VerbError::usage(format!(
            "cannot read `{}`: {problem:#}",
            args.file.display()
        ))
    })?;
    fs::write(&args.out, &imported).context(|| format!("cannot write `{}`", args.out.display()))?;
    print!("{}", report(&args.out, &imported, &notes));
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> Result<String> {
    // Editors on Windows begin a file with a byte order mark, which is not part of the text.
    let bytes = fs::read(path).map_err(|problem| {
        VerbError::usage(format!("cannot read `{}`: {problem}", path.display()))
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| VerbError::usage(format!("`{}` is not UTF-8", path.display())))?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// The stage file that results from the templates' configuration.
///
/// # Errors
/// When the text is not INI, or has no section.
pub fn import(text: &str, workflows: &Workflows, notes: &mut Notes) -> Result<String> {
    let sections = ini::read(text, notes)?;
    let stages = stages::from_sections(sections, workflows, notes);
    let mut out = String::from(
        "#:schema ./stages.schema.json\n\
         # From the Python templates' env-variables.ini, by `domino-pipeline import-ini`.\n\
         # A line that is commented out is something that could not be known, or that has no place here.\n\n",
    );
    stages::write(&stages, workflows, &mut out, notes);
    entities::write(&stages, workflows, &mut out, notes);
    Ok(out)
}

/// The report for the person: the notes, what the reader of stage files says, and what to do next.
fn report(path: &Path, imported: &str, notes: &Notes) -> String {
    let mut text = format!("wrote {}\n", path.display());
    let left = match StageFile::read(imported, path) {
        Ok(file) => file
            .warnings()
            .iter()
            .map(|warning| warning.in_file(path).to_string())
            .collect(),
        Err(error) => error.to_string().lines().map(str::to_owned).collect(),
    };
    for (heading, lines) in [
        ("decided", &notes.decided),
        ("could not be known", &notes.unknown),
        ("was wrong with that configuration", &notes.defects),
        ("left to correct", &left),
    ] {
        if lines.is_empty() {
            continue;
        }
        text += &format!("\n{heading}:\n");
        for line in lines {
            text += &format!("- {line}\n");
        }
    }
    let called_as = repository::called_as();
    text + &format!("\nnext: look through the file, then run `{called_as} gen-workflows`\n")
}
