//! Rules on a stage and on what `[defaults]` says for all of them.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::rule::{Book, Report, named};
use crate::stage_file::same_name;
use crate::text::displayed;
use crate::{Host, Kind, ProjectName, Revision, Stage, StageFile};

pub(super) fn host(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.stage_texts("host") {
        // The value is not repeated: what is wrong with it may be that it holds a password.
        if let Err(error) = leaf.text.parse::<Host>() {
            report.leaf(leaf, error);
        }
    }
}

pub(super) fn project(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.stage_texts("project") {
        if let Err(error) = leaf.text.parse::<ProjectName>() {
            report.leaf(leaf, format!("{error}, not {}", displayed(leaf.text)));
        }
    }
}

pub(super) fn revision(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| matches!(keys, [.., "environment", "revision"])) {
        let id = leaf.text.len() == 24 && leaf.text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !id && !["active", "latest", "as-before"].contains(&leaf.text) {
            report.leaf(
                leaf,
                format!(
                    "must be `active`, `latest`, `as-before` or an id of 24 hexadecimal digits, not {}",
                    displayed(leaf.text)
                ),
            );
        }
    }
}

pub(super) fn github_environment(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.stage_texts("github-environment") {
        if leaf.text.chars().count() > 255 {
            report.leaf(leaf, "must be at most 255 characters long");
        }
    }
}

pub(super) fn no_approvers(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let stages = &book.file.stages;
    for (index, stage) in stages.iter().enumerate().skip(1) {
        if !stage.approvers.is_empty() {
            continue;
        }
        if stage.gates.github_approval {
            report.at(
                &["stage", &stage.name, "gates", "github-approval"],
                "asks for an approval, and nobody is named in `approvers`: unless somebody is in the settings of the \
                 GitHub environment, no version ever passes",
            );
        } else if index + 1 == stages.len() {
            report.sentence(
                &["stage", &stage.name, "approvers"],
                format!(
                    "`[stage.{}]` is the last one and has no `approvers`: whatever is merged is deployed there without \
                     anybody's approval",
                    stage.name
                ),
            );
        }
    }
}

pub(super) fn service_account(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.stage_texts("service-account") {
        let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if leaf.text.is_empty() || !leaf.text.chars().all(legal) {
            report.leaf(
                leaf,
                format!(
                    "must be a name of letters, digits, `.`, `_` and `-`, not {}",
                    displayed(leaf.text)
                ),
            );
        }
    }
    let stages = &book.file.stages;
    for (index, stage) in stages.iter().enumerate() {
        let same = |other: &&Stage| {
            other.service_account.is_some()
                && other.service_account == stage.service_account
                && other.host == stage.host
        };
        if let Some(other) = stages[..index].iter().find(same) {
            report.at(
                &["stage", &stage.name, "service-account"],
                format!(
                    "is that of stage `{}`, too, whose jobs could then deploy here: name one for each stage",
                    other.name
                ),
            );
        }
    }
}

pub(super) fn gate(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for (index, stage) in book.file.stages.iter().enumerate() {
        if !stage.is_entered_by_hand() {
            continue;
        }
        let key = ["stage", &stage.name, "gate"];
        let team = stage.approvers.iter().find(|one| one.starts_with("team:"));
        if index == 0 {
            report.at(
                &key,
                "is `dispatch`, and the first stage is what a push deploys to: write it in the tables of later stages",
            );
        } else if let Some(team) = team {
            report.at(
                &key,
                format!(
                    "is `dispatch`, and `approvers` names `{team}`: a job's token may not ask who is in a team, so name \
                     its users"
                ),
            );
        } else if stage.approvers.is_empty() {
            report.at(
                &key,
                "is `dispatch`, and nobody is named in `approvers` who may start the run",
            );
        } else if let Some(entity) = as_before(book.file, stage) {
            report.at(
                &key,
                format!(
                    "is `dispatch`, and `{entity}` is to run `revision = \"as-before\"` there, which no step hands on to a \
                     run of its own: name the revision, or leave it out"
                ),
            );
        }
    }
}

/// An entity that is to run the revision that the stage before ran.
fn as_before<'a>(file: &'a StageFile, stage: &'a Stage) -> Option<&'a str> {
    let jobs = file
        .jobs_of(stage)
        .map(|job| (Kind::Job, job.name.as_str()));
    let apps = file.apps.iter().map(|app| (Kind::App, app.name.as_str()));
    let models = file.models.iter();
    let models = models.map(|model| (Kind::Model, model.name.as_str()));
    let mut all = jobs.chain(apps).chain(models);
    let found = all.find(|(kind, entity)| {
        let environment = file.target(*kind, entity, stage).environment;
        environment.is_some_and(|wanted| wanted.revision == Revision::AsBefore)
            && file.deployed_before(*kind, entity, stage).is_some()
    });
    found.map(|(_, entity)| entity)
}

/// GitHub's limit of reviewers of one environment.
const MOST_APPROVERS: usize = 6;

pub(super) fn approvers(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let mut lists: HashMap<&[&str], HashSet<String>> = HashMap::new();
    for leaf in book.stage_texts("approvers") {
        if !is_approver(leaf.text) {
            let hint = if leaf.text.starts_with('@') {
                "; leave out the `@`"
            } else {
                ""
            };
            report.leaf(
                leaf,
                format!(
                    "names {}, which is neither a GitHub user nor `team:<slug>`{hint}",
                    displayed(leaf.text)
                ),
            );
        }
        if !lists
            .entry(&leaf.keys)
            .or_default()
            .insert(leaf.text.to_lowercase())
        {
            report.leaf(leaf, format!("names {} twice", displayed(leaf.text)));
        }
        if leaf.index == Some(MOST_APPROVERS) {
            report.at(
                &leaf.keys,
                format!("names more than {MOST_APPROVERS}, which is all that GitHub takes"),
            );
        }
    }
}

/// A user name as GitHub has them, those of managed users with their `_` included, or a team's slug.
fn is_approver(text: &str) -> bool {
    let name = text.strip_prefix("team:").unwrap_or(text);
    let (longest, legal) = if name.len() == text.len() {
        (39, "-_")
    } else {
        (100, "-_.")
    };
    let ends = |c: Option<char>| {
        c.is_some_and(|c| c.is_ascii_alphanumeric() || (c == '_' && longest > 39))
    };
    name.len() <= longest
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || legal.contains(c))
        && ends(name.chars().next())
        && ends(name.chars().next_back())
}

pub(super) fn model_stage(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.stage_texts("model-stage") {
        if same_name(leaf.text, "archived") {
            report.leaf(
                leaf,
                "is `Archived`, where versions go when others take their place",
            );
        }
    }
}

pub(super) fn shared_model_stage(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let mut by_model_stage: BTreeMap<String, Vec<(&str, &str)>> = BTreeMap::new();
    for stage in &book.file.stages {
        if let Some(model_stage) = &stage.model_stage {
            by_model_stage
                .entry(model_stage.to_lowercase())
                .or_default()
                .push((&stage.name, model_stage));
        }
    }
    for stages in by_model_stage.into_values() {
        let [_, (second, model_stage), ..] = stages[..] else {
            continue;
        };
        let both = if stages.len() == 2 { "both" } else { "all" };
        report.sentence(
            &["stage", second, "model-stage"],
            format!(
                "stages {} {both} promote to model stage {}, so the experiment manager cannot tell them apart",
                named(stages.iter().map(|(name, _)| *name)),
                displayed(model_stage)
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all_problems, with, with_defaults, with_prod};

    #[test]
    fn a_malformed_host_is_told_without_its_value() {
        assert_eq!(
            with_prod("host = \"https://me:hunter2@domino.example.com\""),
            [
                "`host` in `[stage.prod]` holds a user name or password before the host; the credential comes from \
              the environment"
            ]
        );
        assert_eq!(
            with_prod("host = \"http://domino.example.com\""),
            [
                "`host` in `[stage.prod]` must be `https`; plain `http` would send the credential readable to \
              another machine"
            ]
        );
    }

    #[test]
    fn the_last_stage_and_one_that_asks_for_an_approval_have_approvers() {
        let told = |stages: &str| -> Vec<String> {
            let text = format!(
                "[defaults]\nhost = \"a.example.com\"\nproject = \"a/b\"\n{stages}\n[model.m]\nregistered-model = \"m\"\n"
            );
            all_problems(&text)
                .into_iter()
                .filter(|problem| problem.name == "no-approvers")
                .map(|problem| problem.message)
                .collect()
        };
        assert_eq!(told("[stage.dev]"), [""; 0]);
        assert_eq!(
            told("[stage.dev]\n[stage.prod]\napprovers = [\"ann\"]"),
            [""; 0]
        );
        assert_eq!(
            told("[stage.dev]\n[stage.test]\n[stage.prod]"),
            [
                "`[stage.prod]` is the last one and has no `approvers`: whatever is merged is deployed there without \
                 anybody's approval (accept with `accept = [\"no-approvers\"]` under `[pipeline]`)"
            ]
        );
        assert_eq!(
            told(
                "[stage.dev]\n[stage.prod]\nmodel-stage = \"Production\"\ngates = { github-approval = true }"
            ),
            [
                "`github-approval` in `[stage.prod.gates]` asks for an approval, and nobody is named in `approvers`: \
                 unless somebody is in the settings of the GitHub environment, no version ever passes (accept with \
                 `accept = [\"no-approvers\"]` under `[pipeline]`)"
            ]
        );
    }

    #[test]
    fn a_malformed_project_is_told_where_it_stands_and_once() {
        assert_eq!(
            with("[stage.a]\nproject = \"wine-quality\"\nhardware-tier = \"a\""),
            ["`project` in `[stage.a]` must be `owner/name`, with one slash, not `wine-quality`"]
        );
        let file =
            "[defaults]\nhost = \"a.example.com\"\nproject = \"wine\"\n[stage.a]\n[stage.b]\n";
        let said = super::super::tests::problems(file);
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!(said[0].line, Some(3));
    }

    #[test]
    fn a_revision_is_a_word_or_an_id() {
        for revision in ["active", "latest", "as-before", "65f0c1d2e3a4b5c6d7e8f901"] {
            assert_eq!(
                with_defaults(&format!(
                    "environment = {{ name = \"e\", revision = \"{revision}\" }}"
                )),
                [""; 0]
            );
        }
        assert_eq!(
            with_prod("environment = { name = \"e\", revision = \"7\" }"),
            [
                "`environment.revision` in `[stage.prod]` must be `active`, `latest`, `as-before` or an id of 24 \
              hexadecimal digits, not `7`"
            ]
        );
    }

    #[test]
    fn a_github_environment_is_not_longer_than_github_takes() {
        assert_eq!(
            with_prod(&format!("github-environment = \"{}\"", "é".repeat(255))),
            [""; 0]
        );
        assert_eq!(
            with_prod(&format!("github-environment = \"{}\"", "e".repeat(256))),
            ["`github-environment` in `[stage.prod]` must be at most 255 characters long"]
        );
    }

    #[test]
    fn approvers_are_users_or_teams() {
        assert_eq!(
            with_prod("approvers = [\"octo-cat\", \"a_corp\", \"team:the-reviewers\"]"),
            [""; 0]
        );
        for (wrong, hint) in [
            ("@alice", "; leave out the `@`"),
            ("team:", ""),
            ("a b", ""),
            ("alice@example.com", ""),
            ("alice-", ""),
        ] {
            let says = format!(
                "`approvers` in `[stage.prod]` names `{wrong}`, which is neither a GitHub user nor `team:<slug>`{hint}"
            );
            assert_eq!(with_prod(&format!("approvers = [\"{wrong}\"]")), [says]);
        }
    }

    #[test]
    fn a_stage_that_is_entered_by_hand_is_a_later_one_and_names_users() {
        let by_hand = |approvers: &str| with_prod(&format!("gate = \"dispatch\"\n{approvers}"));
        assert_eq!(by_hand("approvers = [\"ann\", \"ben\"]"), [""; 0]);
        let is = "`gate` in `[stage.prod]` is `dispatch`, and";
        assert_eq!(
            by_hand("approvers = []"),
            [format!(
                "{is} nobody is named in `approvers` who may start the run"
            )]
        );
        assert_eq!(
            by_hand("approvers = [\"ann\", \"team:leads\"]"),
            [format!(
                "{is} `approvers` names `team:leads`: a job's token may not ask who is in a team, so name its users"
            )]
        );
        let as_before = "approvers = [\"ann\"]\nenvironment = { name = \"a\", revision = \"as-before\" }\n[app.dashboard]\n\
                         entry-point = \"app.sh\"";
        assert_eq!(
            by_hand(as_before),
            [format!(
                "{is} `dashboard` is to run `revision = \"as-before\"` there, which no step hands on to a run of its own: \
                 name the revision, or leave it out"
            )]
        );
        let first = with_defaults("gate = \"dispatch\"\napprovers = [\"ann\"]");
        assert_eq!(
            first[0],
            "`gate` in `[defaults]` is `dispatch`, and the first stage is what a push deploys to: write it in the tables \
             of later stages"
        );
    }

    #[test]
    fn a_service_account_has_a_name_and_is_of_one_stage() {
        assert_eq!(with_prod("service-account = \"svc.wine_prod-1\""), [""; 0]);
        assert_eq!(
            with_prod("service-account = \"wine prod\""),
            [
                "`service-account` in `[stage.prod]` must be a name of letters, digits, `.`, `_` and `-`, not `wine prod`"
            ]
        );
        let shared = with_defaults("service-account = \"svc\"");
        assert!(
            shared[0].contains("is that of stage `dev`, too, whose jobs could then deploy here"),
            "{shared:?}"
        );
    }

    #[test]
    fn approvers_are_at_most_six_and_each_once() {
        assert_eq!(
            with_prod("approvers = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"]"),
            [""; 0]
        );
        assert_eq!(
            with_prod("approvers = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\"]"),
            ["`approvers` in `[stage.prod]` names more than 6, which is all that GitHub takes"]
        );
        assert_eq!(
            with_prod("approvers = [\"a\", \"A\"]"),
            ["`approvers` in `[stage.prod]` names `A` twice"]
        );
    }

    #[test]
    fn a_wait_timer_is_within_githubs_limit() {
        assert_eq!(with_prod("wait-timer = 43200"), [""; 0]);
        for wrong in ["43201", "-1", "99999999999999999999"] {
            assert_eq!(
                with_prod(&format!("wait-timer = {wrong}")),
                ["`wait-timer` in `[stage.prod]` must be a whole number from 0 to 43200"]
            );
        }
    }

    #[test]
    fn a_model_stage_is_not_where_versions_are_laid_down() {
        assert_eq!(
            with("[stage.last]\nhardware-tier = \"l\"\nmodel-stage = \"Archived\""),
            [
                "`model-stage` in `[stage.last]` is `Archived`, where versions go when others take their place"
            ]
        );
    }

    #[test]
    fn two_stages_that_promote_to_one_model_stage_are_a_warning_that_can_be_accepted() {
        let stage = "[stage.last]\nhardware-tier = \"l\"\nmodel-stage = \"production\"\n";
        assert_eq!(
            with(stage),
            [
                "stages `prod` and `last` both promote to model stage `production`, so the experiment manager cannot \
              tell them apart (accept with `accept = [\"shared-model-stage\"]` under `[pipeline]`)"
            ]
        );
        assert_eq!(
            with(&format!(
                "{stage}[pipeline]\naccept = [\"shared-model-stage\"]"
            )),
            [""; 0]
        );
    }
}
