//! `doctor --from-runner`: writes the workflow that runs the doctor upon the runners. It asks nobody.

use std::process::ExitCode;

use stage_file::StageFile;

use crate::error::Result;
use crate::{gen_workflows, pipelines, repository};

pub(super) fn write(file: &StageFile) -> Result<ExitCode> {
    gen_workflows::write_one(&pipelines::doctor(file), &repository::root())?;
    eprintln!(
        "commit and push it to `{}`, then: gh workflow run {}; an environment with reviewers asks them first",
        file.pipeline.branch,
        pipelines::DOCTOR
    );
    Ok(ExitCode::SUCCESS)
}
