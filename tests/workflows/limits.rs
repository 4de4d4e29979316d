//! GitHub's own limits: generated files stay within them, and what would exceed them is refused before anything is
//! written.

use std::fmt::Write as _;
use std::fs;

use domino_pipeline::pipelines;
use github_workflow::limits::{LARGEST_FILE, LONGEST_EXPRESSION, expression_length};
use stage_file::StageFile;

use super::{gen_workflows_to, stderr};

/// A stage file of three stages, and so many jobs and models.
fn stages(jobs: usize, models: usize) -> String {
    let mut text = String::from(
        "[defaults]\nhost = \"domino.example.com\"\nproject = \"a/b\"\n[pipeline]\ninstall = \"build\"\n",
    );
    for (stage, model_stage) in [
        ("dev", "None"),
        ("staging", "Staging"),
        ("prod", "Production"),
    ] {
        let _ = writeln!(text, "[stage.{stage}]\nhardware-tier = \"{stage}\"");
        if model_stage != "None" {
            let _ = writeln!(text, "model-stage = \"{model_stage}\"");
        }
    }
    for job in 0..jobs {
        let _ = writeln!(
            text,
            "[job.job-with-a-long-name-{job}]\ncommand = \"job{job}.py\""
        );
    }
    for model in 0..models {
        let _ = writeln!(
            text,
            "[model.model-{model}]\nregistered-model = \"model-{model}\""
        );
    }
    text
}

#[test]
fn no_text_of_a_hundred_jobs_is_an_expression_too_long_for_github() {
    let text = stages(100, 0);
    let file = StageFile::read(&text, "stages.toml".as_ref()).unwrap();
    for workflow in pipelines::workflows(&file) {
        let yaml = workflow.text().unwrap();
        let read: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap();
        let longest = longest_expression(&read);
        // A third is reached by what grows with the entities, if anything does.
        assert!(
            longest < LONGEST_EXPRESSION / 3,
            "{}: {longest}",
            workflow.name
        );
    }
}

fn longest_expression(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::String(text) => expression_length(text),
        serde_json::Value::Array(items) => items.iter().map(longest_expression).max().unwrap_or(0),
        serde_json::Value::Object(fields) => {
            fields.values().map(longest_expression).max().unwrap_or(0)
        }
        _ => 0,
    }
}

#[test]
fn a_file_that_github_would_refuse_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stages.toml");
    // All are trained by one job, and so stay in one file.
    let text = stages(1, 300).replace(
        "\nregistered-model",
        "\ntrained-by = \"job-with-a-long-name-0\"\nregistered-model",
    );
    fs::write(&path, text).unwrap();
    let refused = gen_workflows_to(folder.path(), &path, &[]);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    let told = stderr(&refused);
    assert!(
        told.contains("`deploy-models.yml` is not written: it would have "),
        "{told}"
    );
    assert!(
        told.contains(&format!("GitHub takes at most {LARGEST_FILE}")),
        "{told}"
    );
    assert!(
        !folder.path().join(pipelines::FOLDER).exists(),
        "nothing is half written"
    );
}
