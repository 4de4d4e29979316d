//! What the templates deployed: one job, one scheduled job, one app, one model for all stages.

use super::ini::{displayed, note_once};
use super::notes::Notes;
use super::stages::{Stage, common};
use super::toml_text::{name, string};
use super::workflows::Workflows;

/// The tables of the entities.
pub(super) fn write(stages: &[Stage], workflows: &Workflows, out: &mut String, notes: &mut Notes) {
    let given = |key: &str| stages.iter().any(|stage| stage.get(key).is_some());
    let command = given("DOMINO_JOB_COMMAND");
    let cron = command && given("DOMINO_JOB_CRON");
    // The templates give every job a cron line and an operation; only the workflows tell which one was meant.
    let start = command && (workflows.tell() || !cron);
    let started = workflows.run("cicd-jobs.py", "a job on each deployment", start, notes)
        && command
        && asked(stages, "DOMINO_JOB_OP", &["start"], "job", notes);
    let scheduled = workflows.run("cicd-scheduled-jobs.py", "a scheduled job", cron, notes) && cron;
    if cron && !workflows.tell() {
        notes.unknown.push(
            "whether the job also ran once a deployment: `--workflows` would tell; here it runs on its schedule alone"
                .into(),
        );
    }
    jobs(stages, started, scheduled, out, notes);
    let publish = given("DOMINO_APP_OP");
    if workflows.run("cicd-apps.py", "an app", publish, notes)
        && asked(stages, "DOMINO_APP_OP", &["publish"], "app", notes)
    {
        app(out, notes);
    }
    let model_name = given("DOMINO_MODEL_NAME");
    let create = given("DOMINO_MODEL_OP") && model_name;
    if workflows.run("cicd-models.py", "a model", create, notes)
        && model_name
        && asked(
            stages,
            "DOMINO_MODEL_OP",
            &["create", "update"],
            "model",
            notes,
        )
    {
        model(stages, out, notes);
    }
    if given("DOMINO_JOB_COMMIT_ID") {
        notes.defects.push(
            "`DOMINO_JOB_COMMIT_ID` was read and never used, so that what ran in production was not what had been tested; \
             here every run is of one commit"
                .into(),
        );
    }
    if given("DOMINO_JOB_ID") {
        notes.decided.push(
            "`DOMINO_JOB_ID` is left out: it named the run to stop, and `deploy-job stop` finds it by itself".into(),
        );
    }
    let stops = |key: &str, word: &str| stages.iter().any(|stage| stage.get(key) == Some(word));
    if stops("DOMINO_JOB_OP", "stop") || stops("DOMINO_APP_OP", "unpublish") {
        note_once(
            &mut notes.decided,
            "stopping is a command here, not a setting: `deploy-job stop`, `deploy-app unpublish`",
        );
    }
}

/// Whether any stage's operation deploys; a stage without one does not count against it.
fn asked(stages: &[Stage], key: &str, deploys: &[&str], what: &str, notes: &mut Notes) -> bool {
    let is_other = |operation: &str| {
        !deploys
            .iter()
            .any(|word| operation.eq_ignore_ascii_case(word))
    };
    let operations = || {
        stages
            .iter()
            .filter_map(|stage| Some((stage, stage.get(key)?)))
    };
    let others: Vec<String> = operations()
        .filter(|(_, operation)| is_other(operation))
        .map(|(stage, operation)| format!("`{}` in `{}`", displayed(operation), stage.name))
        .collect();
    if others.is_empty() {
        return true;
    }
    let others = others.join(", ");
    if operations().all(|(_, operation)| is_other(operation)) {
        notes.decided.push(format!(
            "the {what} is left out: `{key}` was {others}, which deploys nothing"
        ));
        return false;
    }
    notes.unknown.push(format!(
        "`{key}` was {others}, where it deployed nothing; here the {what} is deployed to every stage"
    ));
    true
}

/// The value of the last stage that has one: production's, if the stages differ.
fn last<'a>(stages: &'a [Stage], key: &str, notes: &mut Notes) -> Option<&'a str> {
    let value = stages.iter().rev().find_map(|stage| stage.get(key))?;
    let differs = stages
        .iter()
        .filter_map(|stage| stage.get(key))
        .any(|other| other != value);
    if differs {
        let all: Vec<String> = stages
            .iter()
            .filter_map(|stage| {
                Some(format!(
                    "`{}` in `{}`",
                    displayed(stage.get(key)?),
                    stage.name
                ))
            })
            .collect();
        notes.unknown.push(format!(
            "`{key}`: it was {}, and here it is the same in every stage: `{}`",
            all.join(", "),
            displayed(value)
        ));
    }
    Some(value)
}

fn jobs(stages: &[Stage], started: bool, scheduled: bool, out: &mut String, notes: &mut Notes) {
    if !started && !scheduled {
        return;
    }
    let command = last(stages, "DOMINO_JOB_COMMAND", notes).unwrap_or_default();
    let program = command.split_whitespace().next().unwrap_or_default();
    let stem = program.rsplit('/').next().unwrap_or_default();
    let stem = name(stem.split('.').next().unwrap_or_default());
    let job = if stem.is_empty() {
        "job".to_owned()
    } else {
        stem
    };
    let title = last(stages, "DOMINO_JOB_TITLE", notes);
    let mut table = |name: &str, schedule: Option<&str>| {
        *out += &format!("\n[job.{name}]\ncommand = {}\n", string(command));
        if let Some(title) = title {
            *out += &format!("title = {}\n", string(title));
        }
        if let Some(cron) = schedule {
            *out += &format!(
                "schedule = {{ cron = {}, timezone = \"UTC\", concurrent = true }}\n",
                string(cron)
            );
        }
        for stage in stages {
            let environment = stage.get("DOMINO_JOB_ENVIRONMENT_ID");
            if environment.is_some() && environment != stage.get("DOMINO_ENVIRONMENT_ID") {
                let environment = string(environment.unwrap_or_default());
                *out += &format!(
                    "\n[job.{name}.stage.{}]\nenvironment = {environment}\n",
                    stage.name
                );
            }
        }
    };
    if started {
        table(&job, None);
        notes
            .decided
            .push(format!("job `{job}` runs once a deployment"));
    }
    if scheduled {
        let cron = last(stages, "DOMINO_JOB_CRON", notes);
        let name = if started {
            format!("{job}-scheduled")
        } else {
            job
        };
        table(&name, cron);
        notes.decided.push(format!(
            "job `{name}` runs on its schedule in every stage, in UTC, and may overlap itself as it did; \
             `paused` names the stages where it shall not"
        ));
        notes.defects.push(
            "the schedule ran on the tier and environment of the models, belonged to whose key made it, and was made anew \
             with every push; here it is the job's, and one"
                .into(),
        );
    }
}

fn app(out: &mut String, notes: &mut Notes) {
    *out += "\n[app.app]                       # give it the name it shall have\n\
             entry-point = \"app.sh\"          # what starts it, from the top of the repository\n\
             # health-path = \"/healthz\"      # what must answer before the step is green\n";
    notes.unknown.push(
        "the app's name and what starts it: the templates took the first app of the project; `app` and `app.sh` are guesses"
            .into(),
    );
    notes.defects.push(
        "the app was stopped before the new one was published, and nothing came back when that failed".into(),
    );
}

fn model(stages: &[Stage], out: &mut String, notes: &mut Notes) {
    let is_file = stages
        .iter()
        .filter_map(|stage| stage.get("DOMINO_MODEL_TYPE"))
        .any(|kind| kind.eq_ignore_ascii_case("file"));
    let registered = last(stages, "DOMINO_REGISTERED_MODEL_NAME", notes).filter(|_| !is_file);
    let model_name = last(stages, "DOMINO_MODEL_NAME", notes).unwrap_or_default();
    let model = name(registered.unwrap_or(model_name));
    let model = if model.is_empty() {
        "model".to_owned()
    } else {
        model
    };
    *out += &format!("\n[model.{model}]\n");
    match registered {
        Some(registered) => {
            *out += &format!(
                "registered-model = {}\n{}",
                string(registered),
                version(stages, notes)
            );
        }
        None => {
            for (key, old) in [
                ("file", "DOMINO_MODEL_FILE"),
                ("function", "DOMINO_MODEL_FUNC"),
            ] {
                match last(stages, old, notes) {
                    Some(value) => *out += &format!("{key} = {}\n", string(value)),
                    None => {
                        *out += &format!("# {key} = \"\"      # not given\n");
                        notes.unknown.push(format!("`{key}` of model `{model}`"));
                    }
                }
            }
        }
    }
    if let Some(description) = last(stages, "DOMINO_MODEL_DESC", notes) {
        *out += &format!("description = {}\n", string(description));
    }
    *out += "# smoke-test = \"src/project/models/smoke.jsonl\"    # recorded requests that the new version must answer\n\
             log-requests = false             # the templates had it on, unasked\n";
    for stage in stages {
        *out += &format!("\n[model.{model}.stage.{}]\n", stage.name);
        // The templates joined the two names, and an endpoint with another name has another address.
        let own = stage.get("DOMINO_MODEL_NAME").unwrap_or(model_name);
        *out += &format!(
            "endpoint = {}\n",
            string(&format!("{own}_{}", stage.section.name))
        );
        if let Some(environment) = stage.get("DOMINO_MODEL_CE") {
            *out += &format!("environment = {}\n", string(environment));
        }
    }
    notes.decided.push(format!(
        "model `{model}` keeps its endpoints: each is called as the templates called it, `<name>_<stage>`"
    ));
    notes.defects.push(
        "an endpoint was made under a name that the update did not look for, so that it could never be updated".into(),
    );
}

fn version(stages: &[Stage], notes: &mut Notes) -> String {
    let key = "DOMINO_REGISTERED_MODEL_VERSION";
    let number = common(stages, |stage| stage.get(key)?.parse::<u32>().ok());
    if let Some(number) = number.filter(|number| *number > 0) {
        return format!(
            "version = {number}                      # \"latest\" takes the newest in the first stage and hands it on\n"
        );
    }
    let given: Vec<String> = stages
        .iter()
        .filter_map(|stage| {
            Some(format!(
                "`{}` in `{}`",
                displayed(stage.get(key)?),
                stage.name
            ))
        })
        .collect();
    if !given.is_empty() {
        notes.unknown.push(format!(
            "which version of the registered model: it was {}; here one version goes through all stages, \
             `latest` in the first",
            given.join(", ")
        ));
    }
    "version = \"latest\"               # the newest in the first stage, and the same in the next\n"
        .to_owned()
}
