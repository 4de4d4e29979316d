//! From sections to stages: their order, their names, and the settings of each.

use super::ini::{Section, displayed, note_once};
use super::notes::Notes;
use super::toml_text::{name, string, unknown};
use super::workflows::Workflows;

/// One stage that a section becomes.
#[derive(Debug)]
pub(super) struct Stage {
    /// Its name in the stage file.
    pub name: String,
    /// The section of the INI file that it comes from.
    pub section: Section,
    /// The GitHub environment of its deploy jobs.
    environment: String,
}

/// The keys that the templates define. Any other key becomes a comment.
const KNOWN: [&str; 26] = [
    "DOMINO_API_HOST",
    "DOMINO_PROJECT_NAME",
    "DOMINO_PROJECT_OWNER",
    "DOMINO_MODEL_OP",
    "DOMINO_MODEL_NAME",
    "DOMINO_MODEL_DESC",
    "DOMINO_MODEL_FILE",
    "DOMINO_MODEL_FUNC",
    "DOMINO_MODEL_CE",
    "DOMINO_HARDWARE_TIER",
    "DOMINO_HARDWARE_TIER_NAME",
    "DOMINO_ENVIRONMENT_ID",
    "DOMINO_REGISTERED_MODEL_NAME",
    "DOMINO_REGISTERED_MODEL_VERSION",
    "DOMINO_MODEL_TYPE",
    "DOMINO_TARGET_STAGE",
    "DOMINO_REVIEWER",
    "DOMINO_JOB_OP",
    "DOMINO_JOB_COMMAND",
    "DOMINO_JOB_ID",
    "DOMINO_JOB_COMMIT_ID",
    "DOMINO_JOB_ENVIRONMENT_ID",
    "DOMINO_JOB_HARDWARE_TIER_NAME",
    "DOMINO_JOB_CRON",
    "DOMINO_JOB_TITLE",
    "DOMINO_APP_OP",
];

impl Stage {
    /// The section's value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.section.values.get(key).map(String::as_str)
    }

    /// The tier of apps and models, by either of the names it had.
    pub fn tier(&self) -> Option<&str> {
        self.get("DOMINO_HARDWARE_TIER")
            .or_else(|| self.get("DOMINO_HARDWARE_TIER_NAME"))
    }

    fn project(&self) -> Option<String> {
        let (owner, name) = (
            self.get("DOMINO_PROJECT_OWNER")?,
            self.get("DOMINO_PROJECT_NAME")?,
        );
        Some(format!("{owner}/{name}"))
    }
}

/// The value that all stages have in common, if they do.
pub(super) fn common<T: PartialEq>(
    stages: &[Stage],
    of: impl Fn(&Stage) -> Option<T>,
) -> Option<T> {
    let (first, rest) = stages.split_first()?;
    let value = of(first)?;
    rest.iter()
        .all(|stage| of(stage).as_ref() == Some(&value))
        .then_some(value)
}

/// The stages in promotion order, which the templates' file does not have.
pub(super) fn from_sections(
    sections: Vec<Section>,
    workflows: &Workflows,
    notes: &mut Notes,
) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for section in sections {
        let lower = section.name.to_lowercase();
        let wanted = match lower.as_str() {
            "stage" => "staging".to_owned(),
            _ => name(&lower),
        };
        let taken = |name: &str| stages.iter().any(|stage| stage.name == name);
        let mut unique = if wanted.is_empty() {
            "stage".to_owned()
        } else {
            wanted
        };
        while taken(&unique) {
            unique += "-2";
        }
        if section.name.chars().any(char::is_lowercase) {
            notes.defects.push(format!(
                "section `[{}]` was found only under exactly that spelling of `DOMINO_ENV`; stages have no case",
                displayed(&section.name)
            ));
        }
        let environment = workflows
            .environment(&section.name)
            .unwrap_or(&section.name);
        stages.push(Stage {
            environment: environment.to_owned(),
            name: unique,
            section,
        });
    }
    stages.sort_by_key(|stage| rank(&stage.name));
    let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
    notes
        .decided
        .push(format!("the order of the stages: {}", names.join(", ")));
    if !stages.iter().any(|stage| rank(&stage.name) == 2) {
        notes.defects.push(
            "there was no section for a stage between development and production, though three stages were promised"
                .into(),
        );
    }
    stages
}

/// The usual position of a stage with this name.
fn rank(name: &str) -> u8 {
    let is = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match name {
        _ if is(&["prod", "live"]) && !is(&["pre"]) => 4,
        _ if is(&["stag", "uat", "pre", "acc"]) => 2,
        _ if is(&["dev", "sandbox"]) => 0,
        _ if is(&["test", "qa", "int"]) => 1,
        _ => 3,
    }
}

/// `[pipeline]`, `[defaults]` and one table for each stage.
pub(super) fn write(stages: &[Stage], workflows: &Workflows, out: &mut String, notes: &mut Notes) {
    let branch = workflows.branch(notes);
    *out += "[pipeline]\n";
    *out += &format!("branch = {}\n", string(branch.unwrap_or("main")));
    if branch.is_none() {
        notes.decided.push("the production branch: `main`".into());
    }
    *out += "# install = \"release\"           # without Rust in this repository: then also release and release-repository\n";
    notes.unknown.push(
        "where the programs come from: built from this repository, unless `install` says from a release".into(),
    );
    let shared = SHARED.map(|(key, value_of, _)| (key, common(stages, value_of)));
    if shared.iter().any(|(_, value)| value.is_some()) {
        *out += "\n# What all stages share.\n[defaults]\n";
    }
    for (key, value) in &shared {
        if let Some(value) = value {
            *out += &format!("{key} = {}\n", string(value));
        }
    }
    let mut model_stages: Vec<String> = Vec::new();
    let lacks_middle = stages.len() > 1 && !stages.iter().any(|stage| rank(&stage.name) == 2);
    for (at, stage) in stages.iter().enumerate() {
        if lacks_middle && at + 1 == stages.len() {
            *out += "\n# [stage.staging]                 # a stage between needs a tier of its own, at least\n\
                     # hardware-tier = \"\"\n# github-environment = \"STAGE\"\n# model-stage = \"Staging\"\n";
        }
        *out += &format!("\n[stage.{}]\n", stage.name);
        *out += &own_keys(stage, &shared, notes);
        *out += &tiers(stage);
        *out += "# data-plane = \"\"                # the one that the tiers must belong to, to be sure\n";
        *out += &format!("github-environment = {}\n", string(&stage.environment));
        if at > 0 {
            *out += "# approvers = [\"team:…\"]          # GitHub users or teams who say yes\n";
            promotion(stages, stage, &mut model_stages, out, notes);
        } else {
            first_reviewer(stages, stage, notes);
        }
        for (key, value) in &stage.section.values {
            if !KNOWN.contains(&key.as_str()) {
                *out += &unknown(key, value);
                note_once(
                    &mut notes.unknown,
                    format!("what `{}` was for; it is kept as a comment", displayed(key)),
                );
            }
        }
    }
    if stages.len() > 1 {
        note_once(
            &mut notes.unknown,
            "who approves on GitHub: `approvers` of each stage after the first",
        );
        defects(stages, notes);
    }
}

/// A key that all stages may share: its name, how it is read, and whether every stage needs one.
type SharedKey = (&'static str, fn(&Stage) -> Option<String>, bool);

const SHARED: [SharedKey; 3] = [
    (
        "host",
        |stage| stage.get("DOMINO_API_HOST").map(str::to_owned),
        true,
    ),
    ("project", Stage::project, true),
    (
        "environment",
        |stage| stage.get("DOMINO_ENVIRONMENT_ID").map(str::to_owned),
        false,
    ),
];

/// Those of the keys above whose value this stage does not share with all others.
fn own_keys(stage: &Stage, shared: &[(&str, Option<String>)], notes: &mut Notes) -> String {
    let mut text = String::new();
    for ((key, value_of, needed), (_, shared)) in SHARED.into_iter().zip(shared) {
        match value_of(stage) {
            Some(_) if shared.is_some() => {}
            Some(value) => text += &format!("{key} = {}\n", string(&value)),
            None if needed => {
                text += &format!("# {key} = \"\"      # not given\n");
                notes
                    .unknown
                    .push(format!("`{key}` of stage `{}`", stage.name));
            }
            None => {}
        }
    }
    text
}

fn tiers(stage: &Stage) -> String {
    let job = stage.get("DOMINO_JOB_HARDWARE_TIER_NAME");
    let named = [
        ("jobs", job),
        ("apps", stage.tier()),
        ("models", stage.tier()),
    ];
    let named: Vec<String> = named
        .iter()
        .filter_map(|(kind, tier)| Some(format!("{kind} = {}", string((*tier)?))))
        .collect();
    if named.is_empty() {
        return "# hardware-tier = \"\"             # not given; it chooses the data plane\n"
            .to_owned();
    }
    format!("hardware-tier = {{ {} }}\n", named.join(", "))
}

/// The experiment manager's stage, and the reviewers.
fn promotion(
    stages: &[Stage],
    stage: &Stage,
    taken: &mut Vec<String>,
    out: &mut String,
    notes: &mut Notes,
) {
    if !stages
        .iter()
        .any(|stage| stage.get("DOMINO_MODEL_OP").is_some())
    {
        return;
    }
    let usual = match rank(&stage.name) {
        4 => "Production",
        2 => "Staging",
        _ => "",
    };
    let given = match stage
        .get("DOMINO_TARGET_STAGE")
        .map(str::to_lowercase)
        .as_deref()
    {
        Some("staging") => "Staging",
        Some("production") => "Production",
        _ => "",
    };
    let chosen = if usual.is_empty() { given } else { usual };
    if !given.is_empty() && given != chosen {
        notes.defects.push(format!(
            "stage `{}` asked for the experiment manager's stage `{given}`; here it is `{chosen}`",
            stage.name
        ));
    }
    if !chosen.is_empty() && !taken.iter().any(|name| name == chosen) {
        *out += &format!("model-stage = {}\n", string(chosen));
        taken.push(chosen.to_owned());
        notes.decided.push(format!(
            "model versions are `{chosen}` in stage `{}`",
            stage.name
        ));
    }
    if let Some(reviewer) = stage.get("DOMINO_REVIEWER") {
        *out += &format!(
            "# [stage.{}.gates]\n# domino-approval = \"review\"      # Domino 5.8 to 5.11; \"governance\" with Domino 6\n# reviewers = [{}]\n",
            stage.name,
            string(reviewer)
        );
        note_once(
            &mut notes.unknown,
            "how Domino records that a model may enter a stage: `domino-approval`, by your Domino's version",
        );
        note_once(
            &mut notes.defects,
            "the review that `DOMINO_REVIEWER` was for was never asked for: the call was commented out",
        );
        if stage.get("DOMINO_PROJECT_OWNER") == Some(reviewer) {
            note_once(
                &mut notes.defects,
                format!(
                    "`{}` owned the project and reviewed it; choose another reviewer",
                    displayed(reviewer)
                ),
            );
        }
    }
}

/// Nothing is promoted into the first stage; its reviewer moves to a later one.
fn first_reviewer(stages: &[Stage], first: &Stage, notes: &mut Notes) {
    let reviewer = |stage: &Stage| stage.get("DOMINO_REVIEWER").map(str::to_owned);
    if let Some(name) = reviewer(first)
        && stages[1..]
            .iter()
            .all(|stage| reviewer(stage).as_ref() != Some(&name))
    {
        notes.unknown.push(format!(
            "what `{}` in `{}` was to review: nothing is moved into the first stage; name them in the `reviewers` \
             of a later one",
            displayed(&name),
            first.name
        ));
    }
}

/// What stages share but should not, and what never changed.
fn defects(stages: &[Stage], notes: &mut Notes) {
    for (at, stage) in stages.iter().enumerate() {
        for other in &stages[at + 1..] {
            let same = |key: &str| stage.get(key).is_some() && stage.get(key) == other.get(key);
            let tier = stage.tier().is_some() && stage.tier() == other.tier();
            if tier || same("DOMINO_JOB_HARDWARE_TIER_NAME") {
                notes.defects.push(format!(
                    "stages `{}` and `{}` share a hardware tier, so that they run on one data plane",
                    stage.name, other.name
                ));
            }
        }
    }
    if common(stages, |stage| {
        stage
            .get("DOMINO_REGISTERED_MODEL_VERSION")
            .map(str::to_owned)
    })
    .is_some()
    {
        notes.defects.push(
            "the version of the registered model was written into every stage by hand, and nobody checked that it exists"
                .into(),
        );
    }
}
