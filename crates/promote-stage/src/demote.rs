//! `promote-stage demote`: the version that a stage held before goes back into it, and the one that is there leaves.
//!
//! No gate is asked, because going back must not wait for anybody. So only a version comes back that the stage let in
//! before: by its record, or by the alias of the version before.

use std::cell::RefCell;

use domino_core::api::mlflow::{ModelVersion, TrackingWriter};
use domino_core::api::registered_models::VersionNumber;
use domino_core::error::{CommandError, Context as _, Result};
use domino_core::step::{ChangeKind, Interrupts, Plan, Step, StepContext, StepResult};
use stage_file::VersionRule;

use crate::apply::at;
use crate::candidate::Place;
use crate::moves::Moves;
use crate::promotion::{Mark, Previous, Promotion};
use crate::record::{Record, Status, demoted_key, workflow_run};
use crate::registry::{Registry, listed, stage_of};
use crate::{DemoteArgs, cannot, order};

/// A version that goes back into a stage.
struct Demotion<'a> {
    place: Place<'a>,
    registry: Registry,
    /// The one that comes back.
    back: ModelVersion,
    /// Those that leave.
    leave: Vec<VersionNumber>,
    /// What was written down when it came for the first time.
    earlier: Option<Record>,
    now: i64,
}

/// Puts the version before back.
pub(crate) async fn demote(
    step: &mut Step,
    context: &StepContext,
    args: &DemoteArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let demotion = tokio::select! {
        planned = plan(context, args) => planned.with_context(|| cannot("demote", &args.model, &context.stage))?,
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    let place = &demotion.place;
    step.show(&demotion.view());
    let back = demotion.back.version;
    step.report
        .output("version", back.to_string())
        .output("registered-model", place.name)
        .output("model-stage", place.target.word());
    if demotion.is_nothing() {
        return Ok(StepResult::unchanged(format!(
            "`{}` holds version {back} of `{}` already, and no other",
            place.target, place.name
        )));
    }
    if args.dry_run {
        return Ok(StepResult::planned());
    }
    let writer = Place::tracking(context)?.writer();
    let promotion = demotion.promotion(&writer, args.reason.as_deref());
    let carried_out = promotion.carry_out(step, &mut interrupts).await;
    promotion.tell(step);
    carried_out.with_context(|| cannot("demote", &args.model, &context.stage))?;
    if let VersionRule::Number(pinned) = place.rule
        && *pinned != back.get()
    {
        let says = format!(
            "stages.toml says version {pinned}: change it before you publish version {back}"
        );
        step.warn(&says, None);
    }
    step.report.next = Some(demotion.publish(context, args.reason.as_deref()));
    Ok(StepResult::done(format!(
        "`{}` holds version {back} of `{}` again, and no other",
        place.target, place.name
    )))
}

async fn plan<'a>(context: &'a StepContext, args: &DemoteArgs) -> Result<Demotion<'a>> {
    let place = Place::of(context, &args.model)?;
    let reader = Place::tracking(context)?.reader();
    let registry = place.registry(context, &reader).await?;
    let given = args.version.and_then(|given| given.0);
    let Some(number) = given.or_else(|| registry.alias(&place.previous_alias())) else {
        let holds = listed(&registry.holders(&place.target));
        return Err(CommandError::refused(format!(
            "no version of `{}` is known that `{}` held before: there is no alias `{}`",
            place.name,
            place.target,
            place.previous_alias()
        ))
        .hint(format!(
            "it holds {holds}; name the version to put back with `--version`"
        )));
    };
    let Some(back) = registry.version(number).cloned() else {
        return Err(order::no_such_version(&registry, number));
    };
    order::ready(&back)?;
    let stage = &place.stage.name;
    let earlier = Record::in_tags(&back.tags, stage);
    let let_in = earlier.as_ref().is_some_and(Record::let_in);
    if !let_in && registry.alias(&place.previous_alias()) != Some(number) {
        return Err(CommandError::refused(format!(
            "version {number} of `{}` was never let into stage `{stage}`: neither its record nor the alias `{}` says so",
            place.name,
            place.previous_alias()
        ))
        .hint(format!(
            "no gate is asked here; promote-stage apply {} --to {stage} --version {number} asks them",
            place.model.name
        )));
    }
    let mut leave = registry.holders(&place.target);
    leave.retain(|other| *other != number);
    Ok(Demotion {
        place,
        registry,
        back,
        leave,
        earlier,
        now: reader.now().as_millisecond(),
    })
}

impl Demotion<'_> {
    fn enters(&self) -> bool {
        stage_of(&self.back) != self.place.target
    }

    fn alias_moves(&self) -> bool {
        self.registry.alias(&self.place.alias()) != Some(self.back.version)
    }

    /// The alias of the version before must not go on pointing to what is back.
    fn previous(&self) -> Previous {
        let alias = self.registry.alias(&self.place.previous_alias());
        match alias == Some(self.back.version) {
            true => Previous::Goes,
            false => Previous::Stays,
        }
    }

    fn is_nothing(&self) -> bool {
        let begun = self.begun().is_some();
        !self.enters()
            && self.leave.is_empty()
            && !self.alias_moves()
            && self.previous() == Previous::Stays
            && !begun
    }

    /// The record of a demotion that was begun and not finished.
    fn begun(&self) -> Option<&Record> {
        let record = self.earlier.as_ref().filter(|_| !self.enters())?;
        (record.status == Status::Pending).then_some(record)
    }

    /// The command that publishes what is back. The stage before serves something newer by now, so that the version
    /// is vouched for in every stage but the first.
    fn publish(&self, context: &StepContext, reason: Option<&str>) -> String {
        let place = &self.place;
        let mut command = format!(
            "deploy-model publish {} --stage {} --version {}",
            place.model.name, place.stage.name, self.back.version
        );
        if context.file.stage_before(place.stage).is_some() {
            let why = reason
                .map(|reason| format!(": {reason}"))
                .unwrap_or_default();
            command.push_str(" --force-version ");
            command.push_str(&quoted(&format!("put back{why}")));
        }
        command
    }

    fn view(&self) -> Plan {
        let place = &self.place;
        let (back, target) = (self.back.version, &place.target);
        let mut plan = Plan::new(format!(
            "version {back} of `{}` back to `{target}`, for stage `{}`",
            place.name, place.stage.name
        ));
        plan.fact("registered model", place.name);
        plan.fact("in the stage", listed(&self.registry.holders(target)));
        match self.enters() {
            true => plan.change(
                ChangeKind::Update,
                format!("version {back}: `{}` → `{target}`", stage_of(&self.back)),
            ),
            false => plan.change(ChangeKind::Keep, format!("version {back} in `{target}`")),
        };
        for other in &self.leave {
            plan.change(
                ChangeKind::Update,
                format!("version {other}: `{target}` → `Archived`"),
            );
        }
        if self.alias_moves() {
            plan.change(
                ChangeKind::Update,
                format!("alias `{}` → version {back}", place.alias()),
            );
        }
        if self.previous() == Previous::Goes {
            plan.change(
                ChangeKind::Remove,
                format!("alias `{}`", place.previous_alias()),
            );
        }
        plan
    }

    fn promotion<'a>(&'a self, writer: &'a TrackingWriter, reason: Option<&str>) -> Promotion<'a> {
        let place = &self.place;
        let stage = place.stage.name.as_str();
        let why = reason
            .map(|reason| format!(": {reason}"))
            .unwrap_or_default();
        let in_place_of = match self.leave.as_slice() {
            [] => String::new(),
            leave => format!(" in place of {}", listed(leave)),
        };
        // What was approved when it came for the first time stays on record, and so does why it comes back, when
        // that was begun before.
        let earlier = self.earlier.as_ref();
        let begun = self.begun().and_then(|begun| begun.reason.clone());
        let record = Record {
            status: Status::Pending,
            at: at(self.now),
            from: earlier.map_or_else(
                || stage_of(&self.back).word().to_owned(),
                |earlier| earlier.from.clone(),
            ),
            since: earlier.and_then(|earlier| earlier.since),
            approved_by: earlier
                .map(|earlier| earlier.approved_by.clone())
                .unwrap_or_default(),
            request_id: earlier.and_then(|earlier| earlier.request_id.clone()),
            run: workflow_run(),
            replaced: None,
            reason: Some(begun.unwrap_or_else(|| format!("put back{in_place_of}{why}"))),
            held_before: true,
        };
        let key = demoted_key(stage);
        let said = |version: &ModelVersion| version.tags.get(&key).cloned();
        let leave_marks = self.leave.iter().map(|other| Mark {
            version: *other,
            key: key.clone(),
            value: Some(format!(
                "version {} was put back at {}{why}",
                self.back.version, record.at
            )),
            before: self.registry.version(*other).and_then(said),
        });
        let leave_marks = leave_marks.collect();
        let own_mark = said(&self.back).map(|text| Mark {
            version: self.back.version,
            key: key.clone(),
            value: None,
            before: Some(text),
        });
        Promotion {
            moves: Moves::of(writer, place.name),
            version: self.back.version,
            from: stage_of(&self.back),
            target: place.target.clone(),
            stage,
            others: self.leave.clone(),
            archived: RefCell::default(),
            alias: place.alias(),
            alias_before: self.registry.alias(&place.alias()),
            previous_alias: place.previous_alias(),
            previous_before: self.registry.alias(&place.previous_alias()),
            previous: self.previous(),
            outdated: record.outdated(&self.back.tags),
            record,
            leave_marks,
            own_mark,
            marked: RefCell::default(),
        }
    }
}

/// Text as one word of a shell, whatever stands in it. A summary shows commands without backticks.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('`', "\"").replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_word_of_a_shell() {
        assert_eq!(quoted("put back: it drifts"), "'put back: it drifts'");
        assert_eq!(quoted("it's $(x) `y`"), r#"'it'\''s $(x) "y"'"#);
    }
}
