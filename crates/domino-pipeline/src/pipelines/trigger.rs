//! What starts a deploy workflow: a push that touches one of its files, or a person, who may tick the programs'
//! flags.

use indexmap::IndexMap;
use stage_file::{Kind, Stage};

use super::beginning::{STAGE, begins_by_hand, stage_field};
use super::by_hand::ByHand;
use super::receipts;
use crate::share::Share;
use github_workflow::write::{
    Choice, ChoiceType, Dispatch, Filter, Flag, FlagType, FormField, Pattern, Triggers,
};

/// What starts the workflow of this share, with these files and flags.
pub(super) fn triggers(
    share: Share<'_>,
    stages: &[&Stage],
    named: impl IntoIterator<Item = String>,
    flags: &[ByHand],
) -> Triggers {
    let mut inputs = IndexMap::new();
    if begins_by_hand(stages) {
        inputs.insert(STAGE.to_owned(), stage_field(stages));
    } else if let [_, .., last] = stages {
        inputs.insert(
            "stop-after".to_owned(),
            FormField::Choice(Choice {
                description: "The last stage to deploy to".to_owned(),
                r#type: ChoiceType::Choice,
                default: last.name.clone(),
                options: stages.iter().map(|stage| stage.name.clone()).collect(),
            }),
        );
    }
    for flag in flags {
        let ask = Flag {
            description: flag.description.to_owned(),
            r#type: FlagType::Boolean,
            default: false,
        };
        inputs.insert(flag.input.to_owned(), FormField::Flag(ask));
    }
    if receipts::are_asked_for(share.file) && stages.len() > 1 {
        inputs.insert(receipts::WITHOUT.to_owned(), receipts::without_field());
    }
    Triggers {
        push: Some(Filter {
            branches: vec![Pattern::Exactly(share.file.pipeline.branch.clone())],
            paths: watched(share, named),
            ..Filter::default()
        }),
        workflow_dispatch: Some(Dispatch { inputs }),
        ..Triggers::default()
    }
}

/// The files that start the workflow when they change: the stage file, the project without the folders of the other
/// kinds, the folder of each file that an entity names, and what `paths` says.
fn watched(share: Share<'_>, named: impl IntoIterator<Item = String>) -> Vec<Pattern> {
    let mut paths = vec![
        Pattern::Exactly("stages.toml".to_owned()),
        Pattern::Below("src/project".to_owned()),
    ];
    for other in [Kind::Job, Kind::App, Kind::Model] {
        if !share.kinds().any(|kind| kind == other) {
            paths.push(Pattern::NotBelow(format!("src/project/{}s", other.word())));
        }
    }
    let own: Vec<String> = share
        .kinds()
        .map(|kind| format!("src/project/{}s/", kind.word()))
        .collect();
    for file in named {
        if own.iter().any(|own| file.starts_with(own)) {
            continue;
        }
        let pattern = match file.rsplit_once('/') {
            Some((folder, _)) => Pattern::Below(folder.to_owned()),
            None => Pattern::Exactly(file),
        };
        add(&mut paths, pattern);
    }
    for path in share.paths() {
        let pattern = match path.strip_suffix('/') {
            Some(folder) => Pattern::Below(folder.to_owned()),
            None => Pattern::Exactly(path.to_owned()),
        };
        add(&mut paths, pattern);
    }
    paths
}

fn add(paths: &mut Vec<Pattern>, pattern: Pattern) {
    if !paths.contains(&pattern) {
        paths.push(pattern);
    }
}
