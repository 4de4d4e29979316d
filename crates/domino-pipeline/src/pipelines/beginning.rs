//! Where a run begins and where it ends, in a pipeline with stages that an approver enters by hand: a push goes to the stages
//! before the first of them, and a run that is started by hand begins at the one that was picked.
//!
//! Whether the stage before was green at the commit is not decided here: each step asks GitHub.

use serde_saphyr::Commented;
use stage_file::Stage;

use crate::share::Share;
use github_workflow::write::{Choice, ChoiceType, FormField, literal};

/// The input that picks the stage at which a run begins.
pub(super) const STAGE: &str = "stage";

/// Whether a run that is started by hand begins at the stage that was picked: where `gate = "dispatch"` lets in no other.
pub(super) fn begins_by_hand(stages: &[&Stage]) -> bool {
    stages.iter().any(|stage| stage.is_entered_by_hand())
}

/// The stages at which a run can begin: the first, where a push does, and each that is entered by hand.
fn beginnings<'a>(stages: &[&'a Stage]) -> Vec<&'a Stage> {
    let begins = |(at, stage): &(usize, &&Stage)| *at == 0 || stage.is_entered_by_hand();
    let all = stages.iter().enumerate().filter(begins);
    all.map(|(_, stage)| *stage).collect()
}

/// The condition of a stage at which a run begins. A push picks nothing.
pub(super) fn begins_at(stage: &Stage, otherwise: Option<Commented<String>>) -> Commented<String> {
    let picked = format!("inputs.{STAGE} == {}", literal(&stage.name));
    let (condition, why) = match stage.is_entered_by_hand() {
        true => (picked, "an approver starts it by hand"),
        false => (
            format!("(github.event_name == 'push' || {picked})"),
            "a run started by hand begins at the stage that was picked",
        ),
    };
    let condition = match otherwise {
        None => condition.trim_matches(['(', ')']).to_owned(),
        Some(Commented(otherwise, _)) => format!("{otherwise} && {condition}"),
    };
    Commented(condition, why.to_owned())
}

/// Whether a run ends with this stage: it is the last, or the next one is entered by hand.
pub(super) fn goes_no_further(share: Share<'_>, stage: &Stage) -> bool {
    let stages = share.stages();
    let mut later = stages.iter().skip_while(|other| other.name != stage.name);
    later.nth(1).is_none_or(|next| next.is_entered_by_hand())
}

/// Where a run begins that a person starts. The first stage that is entered by hand is what one is mostly started for.
pub(super) fn stage_field(stages: &[&Stage]) -> FormField {
    let by_hand = stages.iter().find(|stage| stage.is_entered_by_hand());
    let options = beginnings(stages).into_iter();
    FormField::Choice(Choice {
        description:
            "The stage to deploy to; the run ends before the next one that is entered by hand"
                .to_owned(),
        r#type: ChoiceType::Choice,
        default: by_hand.map(|stage| stage.name.clone()).unwrap_or_default(),
        options: options.map(|stage| stage.name.clone()).collect(),
    })
}
