//! `promote-stage demote`: the version that a stage held before returns to it, and the one that is in it now leaves.
//!
//! No gate is evaluated, because a rollback must not wait for anybody. So only a version can return that the stage
//! admitted before: according to its record, or to the alias of the version before.

use domino_core::api::mlflow::ModelVersion;
use domino_core::api::projects::Project;
use domino_core::api::registered_models::VersionNumber;
use domino_core::commit::Commit;
use domino_core::deployment::Deployment;
use domino_core::error::{CommandError, Context as _, Result};
use domino_core::receipt::{Draft, ReceiptKind};
use domino_core::step::{Interrupts, Plan, Step, StepContext, StepFlags, StepResult, ticked};
use domino_core::version_identity::VersionIdentity;
use stage_file::VersionRule;

use crate::arguments::reason;
use crate::inside::{self, Errand, InsideArgs, Task};
use crate::record::{Record, Status, demoted_key, timestamp};
use crate::registry::{Registry, listed, stage_of};
use crate::registry_writer::RegistryWriter;
use crate::shell_word::shell_word;
use crate::target::{PromotionTarget, cannot};
use crate::told::Told;
use crate::transition::{Alias, Previous, TagChange, Transition};
use crate::written::check_written;
use crate::{machine, order, record};

/// `promote-stage demote`.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoteArgs {
    /// The model, as in `[model.<name>]` of stages.toml
    pub(crate) model: String,
    /// The version to put back, which the stage must have let in before; when not given, the one that the alias
    /// `previous-<model-stage>` points to
    #[arg(long, value_name = "VERSION")]
    version: Option<VersionNumber>,
    /// Why, for the record
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: Option<String>,
    /// Hold on to it: no other version enters the stage, until `promote-stage apply --release`
    #[arg(long, env = "DEPLOY_HOLD", value_parser = ticked)]
    hold: bool,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    inside: InsideArgs,
    #[command(flatten)]
    pub(crate) told: Told,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// A version that returns to a stage.
struct Demotion<'a> {
    target: PromotionTarget<'a>,
    registry: Registry,
    /// The version that returns.
    back: ModelVersion,
    /// The versions that leave.
    leave: Vec<VersionNumber>,
    /// Its record from the first time that it entered.
    earlier: Option<Record>,
    told: &'a Told,
    is_held: bool,
    now: i64,
}

/// Rolls back to the version before.
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
    let target = &demotion.target;
    let transition = demotion.transition(args.reason.as_deref());
    let has_work = !transition.is_nothing();
    let planned = demotion.errand(context, args);
    let errand = inside::errand(context, &mut interrupts, has_work, planned).await?;
    let mut view = demotion.view(&transition);
    if let Some(errand) = &errand {
        errand.describe(&mut view);
    }
    step.show(&view);
    let back = demotion.back.version;
    step.report
        .output("version", back.to_string())
        .output("registered-model", target.name)
        .output("model-stage", target.model_stage.word());
    leave_receipt(step, context, &demotion.back);
    if transition.is_nothing() {
        return Ok(StepResult::unchanged(format!(
            "`{}` holds version {back} of `{}` already, and no other",
            target.model_stage, target.name
        )));
    }
    if args.dry_run {
        return Ok(StepResult::planned());
    }
    let written = match errand {
        Some(errand) => {
            async {
                errand.run(step, &mut interrupts, args.inside).await?;
                check_written(context, target, back).await.map(drop)
            }
            .await
        }
        None => {
            let writer = PromotionTarget::tracking(context)?.writer();
            let registry = RegistryWriter::of(&writer, &demotion.registry, context);
            machine::promote(step, registry, transition, &mut interrupts).await
        }
    };
    written.with_context(|| cannot("demote", &args.model, &context.stage))?;
    if let VersionRule::Number(pinned) = target.rule
        && *pinned != back.get()
    {
        let reason = format!(
            "stages.toml says version {pinned}: change it before you publish version {back}"
        );
        step.warn(&reason, None);
    }
    step.report.next = Some(demotion.publish(context, args.reason.as_deref()));
    Ok(StepResult::done(format!(
        "`{}` holds version {back} of `{}` again, and no other",
        target.model_stage, target.name
    )))
}

/// Says of what there is to be a receipt once it is done. What is put back outside of a repository is of no commit, and
/// leaves none.
fn leave_receipt(step: &mut Step, context: &StepContext, back: &ModelVersion) {
    let Ok(commit) = Commit::wanted(None) else {
        return;
    };
    let deployment = Deployment {
        context,
        kind: ReceiptKind::Promotion,
        commit: commit.as_str(),
        place: None,
        version: Some(&VersionIdentity::of(back)),
    };
    step.deploys(Draft {
        is_removal: false,
        ..deployment.removal()
    });
}

async fn plan<'a>(context: &'a StepContext, args: &'a DemoteArgs) -> Result<Demotion<'a>> {
    let target = PromotionTarget::of(context, &args.model)?;
    let reader = PromotionTarget::tracking(context)?.reader();
    let mut registry = target.registry(context, &reader).await?;
    let before = held_before(&registry, &target);
    let recorded = before.as_ref().and_then(|record| record.replaced);
    let held = registry.versions_in_stage(&target.model_stage);
    // An alias that could not be deleted may point to what the stage holds.
    let pointed = registry.alias(&target.previous_alias());
    let pointed = pointed.filter(|pointed| before.is_none() || !held.contains(pointed));
    let previous = recorded.or(pointed);
    let Some(number) = args.version.or(previous) else {
        let holds = listed(&held);
        return Err(CommandError::refused(format!(
            "no version of `{}` is known that `{}` held before: there is no alias `{}` to another version",
            target.name,
            target.model_stage,
            target.previous_alias()
        ))
        .hint(format!(
            "it holds {holds}; name the version to put back with `--version`"
        )));
    };
    registry.look_up(&reader, number).await?;
    let Some(back) = registry.version(number).cloned() else {
        return Err(order::no_such_version(&registry, number));
    };
    args.told.check_version(&back)?;
    order::ready(&back)?;
    let expected = before.and_then(|record| record.replaced_of);
    if let Some(other) =
        expected.filter(|other| other.version == number && *other != VersionIdentity::of(&back))
    {
        return Err(another(&back, &other, &target.stage.name));
    }
    let stage = &target.stage.name;
    if let Some(other) = Record::foreign(&back, stage) {
        return Err(another(&back, &other, stage));
    }
    let earlier = Record::of(&back, stage);
    let let_in = record::has_entered(&back, stage);
    let is_pointed = registry.alias(&target.previous_alias()) == Some(number);
    let is_previous =
        recorded == Some(number) || is_pointed && !was_elsewhere(context, &target, &back);
    if !let_in && !is_previous {
        return Err(CommandError::refused(format!(
            "version {number} of `{}` was never let into stage `{stage}`: neither its record nor the alias `{}` says so",
            target.name,
            target.previous_alias()
        ))
        .hint(format!(
            "no gate is asked here; promote-stage apply {} --to {stage} --version {number} asks them",
            target.model.name
        )));
    }
    let mut leave = held;
    leave.retain(|other| *other != number);
    Ok(Demotion {
        target,
        registry,
        back,
        leave,
        earlier,
        told: &args.told,
        is_held: args.hold,
        now: reader.now().as_millisecond(),
    })
}

/// The version before, according to the record of the version that the stage holds alone, which tells what *this*
/// stage held. The alias is shared by all stages of the file with this `model-stage`.
fn held_before(registry: &Registry, target: &PromotionTarget<'_>) -> Option<Record> {
    let [held] = registry.versions_in_stage(&target.model_stage)[..] else {
        return None;
    };
    let record = Record::of(registry.version(held)?, &target.stage.name)?;
    (record.status == Status::Done).then_some(record)
}

/// Whether another stage with this `model-stage` admitted the version; the alias is shared by all of them.
fn was_elsewhere(
    context: &StepContext,
    target: &PromotionTarget<'_>,
    version: &ModelVersion,
) -> bool {
    let stage = target.stage;
    let mut others = context.file.stages.iter().filter(|other| {
        other.name != stage.name
            && other.model_stage == stage.model_stage
            && other.host == stage.host
    });
    others.any(|other| record::has_entered(version, &other.name))
}

/// The error: the version with that number is not the one that the stage held.
fn another(back: &ModelVersion, held: &VersionIdentity, stage: &str) -> CommandError {
    CommandError::refused(format!(
        "stage `{stage}` held {held}; what the experiment manager has of that number now is {}",
        VersionIdentity::of(back)
    ))
    .hint("name another version that the stage held with `--version`, or promote one")
}

impl Demotion<'_> {
    /// The run that rolls back in place of this step.
    async fn errand<'c>(&self, context: &'c StepContext, args: &DemoteArgs) -> Result<Errand<'c>> {
        let reason = args.reason.iter();
        let task = Task {
            verb: "demote",
            stage_option: "--stage",
            model: &self.target.model.name,
            version: self.back.version,
            flags: reason
                .flat_map(|reason| ["--reason".to_owned(), reason.clone()])
                .chain(args.hold.then(|| "--hold".to_owned()))
                .collect(),
            told: Told::by_this_step(&self.back, Vec::new())?,
        };
        let reader = context.connection.reader();
        let planned = async {
            let project = Project::of_stage(&reader, &context.file, &context.stage).await?;
            Errand::plan(context, &project, &task).await
        };
        let planned = planned.await;
        planned.with_context(|| cannot("demote", task.model, &context.stage))
    }

    /// The record of a demotion that was begun and not finished.
    fn begun(&self) -> Option<&Record> {
        let record = self
            .earlier
            .as_ref()
            .filter(|_| stage_of(&self.back) == self.target.model_stage)?;
        (record.status == Status::Pending).then_some(record)
    }

    /// The command that publishes the version that returned. The stage before serves something newer by now, so the
    /// version needs a reason in every stage except the first.
    fn publish(&self, context: &StepContext, reason: Option<&str>) -> String {
        let target = &self.target;
        let mut command = format!(
            "deploy-model publish {} --stage {} --version {} --back",
            target.model.name, target.stage.name, self.back.version
        );
        if context.file.stage_before(target.stage).is_some() {
            let why = reason
                .map(|reason| format!(": {reason}"))
                .unwrap_or_default();
            command.push_str(" --force-version ");
            // A summary shows commands without backticks.
            command.push_str(&shell_word(&format!("put back{why}").replace('`', "\"")));
        }
        command
    }

    fn view(&self, transition: &Transition<'_>) -> Plan {
        let target = &self.target;
        let (back, stage) = (self.back.version, &target.model_stage);
        let mut plan = Plan::new(format!(
            "version {back} of `{}` back to `{stage}`, for stage `{}`",
            target.name, target.stage.name
        ));
        plan.fact("registered model", target.name);
        let held = self.registry.versions_in_stage(stage);
        plan.fact("in the stage", listed(&held));
        transition.describe(&mut plan);
        plan
    }

    fn transition(&self, reason: Option<&str>) -> Transition<'_> {
        let target = &self.target;
        let stage = target.stage.name.as_str();
        let why = reason
            .map(|reason| format!(": {reason}"))
            .unwrap_or_default();
        let record = self.record(&why);
        let previous_alias = Alias::now(&self.registry, target.previous_alias());
        let key = demoted_key(stage);
        let demoted = |other: &VersionNumber| TagChange {
            version: *other,
            key: key.clone(),
            value: format!(
                "version {} was put back at {}{why}",
                self.back.version, record.at
            ),
            before: self
                .registry
                .version(*other)
                .and_then(|version| version.tags.get(&key).cloned())
                .unwrap_or_default(),
        };
        Transition {
            version: self.back.version,
            from: stage_of(&self.back),
            to: target.model_stage.clone(),
            stage,
            others: self.leave.clone(),
            alias: Alias::now(&self.registry, target.alias()),
            // That alias must not keep pointing to the version that returned.
            previous: match previous_alias.before == Some(self.back.version) {
                true => Previous::Goes,
                false => Previous::Stays,
            },
            previous_alias,
            is_unfinished: self.begun().is_some(),
            outdated: record::outdated(&self.back.tags),
            demoted_tags: self.leave.iter().map(demoted).collect(),
            own_demoted_tag: TagChange::removal(&self.back, key.clone()),
            record,
        }
    }

    /// The approval of the first time stays on record. So does the reason for the return, if the demotion was begun
    /// before.
    fn record(&self, why: &str) -> Record {
        let in_place_of = match self.leave.as_slice() {
            [] => String::new(),
            leave => format!(" in place of {}", listed(leave)),
        };
        let earlier = self.earlier.as_ref();
        let begun = self.begun().and_then(|begun| begun.reason.clone());
        Record {
            status: Status::Pending,
            at: timestamp(self.now),
            from: earlier.map_or_else(
                || stage_of(&self.back).word().to_owned(),
                |earlier| earlier.from.clone(),
            ),
            since: earlier.and_then(|earlier| earlier.since),
            approved_by: earlier
                .map(|earlier| earlier.approved_by.clone())
                .unwrap_or_default(),
            request_id: earlier.and_then(|earlier| earlier.request_id.clone()),
            run: self.told.workflow_run(),
            told_by: self.told.by(),
            replaced: None,
            of: Some(VersionIdentity::of(&self.back)),
            replaced_of: None,
            reason: Some(begun.unwrap_or_else(|| format!("put back{in_place_of}{why}"))),
            held_before: true,
            hold: self
                .is_held
                .then(|| timestamp(self.now).chars().take(10).collect()),
        }
    }
}
