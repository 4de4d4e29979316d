//! `init`: starts a pipeline in a repository: a short stage file, the workflows that it leads to, and the sample on
//! request.
//!
//! An existing file belongs to a person: it is kept and named. Values without a flag are asked for on a terminal; if
//! nobody can be asked, examples are used, and the end says so.

mod sample;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use stage_file::StageFile;

use crate::error::{Context as _, Result, VerbError};
pub use crate::first_stage_file::Args;
use crate::first_stage_file::{self, Answers};
use crate::{gen_workflows, repository};

/// Writes the first files of a pipeline.
pub fn run(args: &Args) -> Result<ExitCode> {
    let folder = args.folder.clone().unwrap_or_else(repository::root);
    let path = folder.join("stages.toml");
    if path.exists() {
        return Err(VerbError::usage(format!(
            "`{}` is there already, and stays as it is",
            path.display()
        ))
        .hint("edit it, then run gen-workflows; or move it away to begin anew"));
    }
    let answers = Answers::of(args, &folder)?;
    let text = first_stage_file::of(&answers);
    StageFile::read(&text, &path)?;
    fs::create_dir_all(&folder).context(|| format!("cannot create `{}`", folder.display()))?;
    if args.sample {
        for (name, bytes) in sample::FILES {
            write_new(&folder, name, bytes)?;
        }
    }
    write_new(&folder, "stages.toml", text.as_bytes())?;
    let generated = gen_workflows::run(&gen_workflows::Args {
        out: Some(folder),
        ..gen_workflows::Args::default()
    })?;
    for example in &answers.examples {
        eprintln!("note: {example} is an example; change it in stages.toml before the first push");
    }
    let me = repository::called_as();
    eprintln!("\nnext: commit these files, then watch the pipeline here: {me} rehearse");
    Ok(generated)
}

/// Writes a file unless it exists, and says what it did.
fn write_new(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name);
    if path.exists() {
        eprintln!("kept {name}, which was there");
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).context(|| format!("cannot create `{}`", parent.display()))?;
    }
    fs::write(&path, bytes).context(|| format!("cannot write `{}`", path.display()))?;
    eprintln!("wrote {name}");
    Ok(())
}
