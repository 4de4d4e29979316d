//! The first stage file of a repository: short, commented, and valid as it is.

use std::fmt::Write as _;

use stage_file::Install;

use super::answers::Answers;

/// The text of stages.toml.
pub(super) fn text(answers: &Answers) -> String {
    let mut text = String::from(
        "# Which stages there are and what is deployed to each. After a change here, run gen-workflows and commit both.\n\n",
    );
    text += &pipeline(answers);
    text += &format!(
        "[defaults]                           # what every stage has unless its own table says otherwise\n\
         host = {}\nproject = {}\n\n",
        quoted(&answers.host),
        quoted(&answers.project)
    );
    for (index, _) in answers.stages.iter().enumerate() {
        text += &stage(answers, index);
    }
    text += match answers.sample {
        true => SAMPLE,
        false => TEMPLATE,
    };
    if answers.sample {
        text += &sample_schedule(answers);
    }
    text
}

fn pipeline(answers: &Answers) -> String {
    let release = concat!("v", env!("CARGO_PKG_VERSION"));
    let install = match answers.install {
        Install::Build => String::new(),
        Install::Pip => format!(
            "install = \"pip\"                      # each job installs the programs as one wheel, by its hash\n\
             release = \"{release}\"\nwheel-sha256 = [{}]\n",
            quoted_list(&answers.wheel_sha256)
        ),
        Install::Release => format!(
            "install = \"release\"                  # the programs come from a release, verified by checksum\n\
             release = \"{release}\"\nrelease-repository = {}\n",
            quoted(&answers.release_repository)
        ),
    };
    format!(
        "[pipeline]\nbranch = \"main\"                      # a push to this branch starts the pipeline\n{install}\
         receipts = \"notes\"                   # who brought what where, kept as git notes on the deployed commits\n\n"
    )
}

/// The last stage is the experiment manager's Production, the one before it Staging.
fn stage(answers: &Answers, index: usize) -> String {
    let (name, tier) = &answers.stages[index];
    let mut text = format!("[stage.{name}]\nhardware-tier = {}\n", quoted(tier));
    let _ = writeln!(
        text,
        "github-environment = {}",
        quoted(&name.to_uppercase())
    );
    if index == 0 {
        return text + "\n";
    }
    if !answers.approvers.is_empty() {
        let _ = writeln!(text, "approvers = [{}]", quoted_list(&answers.approvers));
    }
    let from_the_end = answers.stages.len() - index;
    let model_stage = match from_the_end {
        1 => Some("Production"),
        2 => Some("Staging"),
        _ => None,
    };
    if let Some(model_stage) = model_stage {
        let _ = writeln!(text, "model-stage = {}", quoted(model_stage));
    }
    if model_stage.is_some() && !answers.approvers.is_empty() {
        let _ = write!(
            text,
            "\n[stage.{name}.gates]   # before a model version may enter\ngithub-approval = true\n"
        );
    }
    text + "\n"
}

const SAMPLE: &str = r#"[job.train]
command = "src/project/jobs/train.py"
title = "Train the wine quality model"

[app.dashboard]
entry-point = "src/project/apps/app.sh"
visibility = "authenticated"
health-path = "/healthz"

[model.wine-quality]
registered-model = "wine-quality"
trained-by = "train"                 # its version is the one that this job's run registers
smoke-test = "src/project/models/smoke.jsonl"
metric-rules = ["rmse must not rise by more than 2 %"]

"#;

/// The schedule fires in the last stage only.
fn sample_schedule(answers: &Answers) -> String {
    let names = answers.stages.iter().map(|(name, _)| name.clone());
    let paused: Vec<String> = names.take(answers.stages.len() - 1).collect();
    format!(
        "[job.score]\ncommand = \"src/project/jobs/score.py\"\ntitle = \"Score new wines\"\nschedule = {{ cron = \"0 0 6 ? \
         * MON-FRI\", timezone = \"Etc/UTC\", paused = [{}] }}\n",
        quoted_list(&paused)
    )
}

const TEMPLATE: &str = r#"# What is deployed. Take away the `#` of what you have; every key is in the reference.

# [job.train]
# command = "src/project/jobs/train.py"

# [app.dashboard]
# entry-point = "src/project/apps/app.sh"
# health-path = "/healthz"

# [model.wine-quality]
# registered-model = "wine-quality"
# trained-by = "train"
"#;

/// A text in TOML's syntax, which includes JSON's strings; the content is checked when the file is read.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn quoted_list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use stage_file::StageFile;

    use super::*;

    fn answers(sample: bool, approvers: &[&str]) -> Answers {
        Answers {
            host: "domino.example.com".into(),
            project: "wine-team/wine".into(),
            stages: [("dev", "small"), ("test", "medium"), ("prod", "large")]
                .map(|(name, tier)| (name.to_owned(), tier.to_owned()))
                .to_vec(),
            approvers: approvers.iter().map(|&who| who.to_owned()).collect(),
            install: Install::Pip,
            wheel_sha256: vec!["a".repeat(64)],
            release_repository: String::new(),
            sample,
            examples: Vec::new(),
        }
    }

    #[test]
    fn what_is_written_is_a_right_stage_file() {
        for (sample, approvers) in [
            (false, &[][..]),
            (true, &[]),
            (true, &["ann", "team:leads"]),
        ] {
            let text = text(&answers(sample, approvers));
            let file = StageFile::read(&text, Path::new("stages.toml"))
                .unwrap_or_else(|problem| panic!("{problem}\n{text}"));
            // Only the missing approvers are warned about, and nothing else.
            let told: Vec<&str> = file.warnings().iter().map(|warning| warning.name).collect();
            let expected: &[&str] = if approvers.is_empty() {
                &["no-approvers"]
            } else {
                &[]
            };
            assert_eq!(told, expected);
            assert_eq!(file.stages.len(), 3);
            assert_eq!(file.jobs.len(), if sample { 2 } else { 0 });
        }
    }

    #[test]
    fn another_repository_gets_nothing_of_ours() {
        let answers = Answers::for_release(Path::new("no-such-folder"), "example-org/programs");
        let text = text(&answers);
        StageFile::read(&text, Path::new("stages.toml")).unwrap();
        assert!(text.contains("release-repository = \"example-org/programs\""));
        assert!(
            !text.contains("wine-team") && !text.contains("wine-reviewers"),
            "{text}"
        );
    }

    #[test]
    fn the_sample_is_what_it_reads() {
        insta::assert_snapshot!(text(&answers(true, &["ann"])));
    }
}
