//! What `publish` is asked to do, and what it will do: read, compared and decided, with nothing written.

use std::time::Duration;

use domino_core::api::apps::{App, AppStatus, Apps, Capabilities};
use domino_core::api::projects::Project;
use domino_core::client::Reader;
use domino_core::commit::Commit;
use domino_core::error::{CommandError, Result};
use domino_core::hold::Hold;
use domino_core::older_commit::{OrderNotes, Running};
use domino_core::step::{ChangeKind, Plan, Progress, Report, StepContext};
use domino_core::wait::Poll;
use stage_file::StageFile;

use crate::decision::{Action, Decision, Refusal, decide};
use crate::find::{app_of, other_name, version_text};
use crate::gate::check_gates;
use crate::health::HealthCheck;
use crate::publish_args::PublishArgs;
use crate::publish_ground::{Ground, wants};
use crate::settings::describe as describe_fields;
use crate::wanted::Wanted;

/// How long Domino may take to report the content of a starting version.
const REPORTED_WITHIN: Duration = Duration::from_secs(60);

/// What `publish` will do.
pub(crate) struct PublishPlan<'a> {
    pub(crate) entity: &'a stage_file::App,
    /// The app's name in Domino.
    pub(crate) name: String,
    pub(crate) project: Project,
    pub(crate) apps: Apps<Reader>,
    pub(crate) existing: Option<App>,
    /// How it was found, if it has another name.
    pub(crate) found_by: Option<&'static str>,
    pub(crate) wanted: Wanted,
    pub(crate) health: Option<HealthCheck>,
    pub(crate) decision: Decision,
    pub(crate) order: OrderNotes,
    pub(crate) hold: Option<Hold>,
}

/// Reads what is needed to decide: three requests side by side after the one that finds the project.
pub(crate) async fn plan<'a>(
    context: &'a StepContext,
    args: &PublishArgs,
    progress: &mut Progress,
    report: &mut Report,
) -> Result<PublishPlan<'a>> {
    let (file, stage) = (&context.file, &context.stage);
    let entity = app_of(context, &args.app)?;
    let commit = Commit::wanted(args.commit.as_deref())?;
    let reader = context.connection.reader();
    let Ground {
        name,
        project,
        apps,
        place,
        existing,
        found_by,
        other_revision,
    } = Ground::read(context, args, entity, report).await?;
    let can = apps.capabilities();
    let there = existing.as_ref();
    let (wanted, hold) = wants(context, args, entity, (&apps, there), (place, commit)).await?;
    let poll = Poll::until(
        REPORTED_WITHIN.min(args.timeout_of(entity, stage)),
        reader.delay_scale(),
    );
    let existing = once_reported(&apps, existing, &wanted, poll, progress).await?;
    let mut decision = decide(can, existing.as_ref(), &wanted)
        .map_err(|refusal| refusal.failure(file, can, entity, &name))?;
    decision.remarks.extend(other_revision);
    if args.hold.hold && !(can.tags_versions && decision.action == Action::Publish) {
        decision.remarks.push(not_held(entity, can));
    }
    let order = order(context, args, entity, existing.as_ref(), &wanted.commit).await?;
    let unasked = match decision.action {
        Action::Keep(_) | Action::Follow(_) => None,
        _ => {
            let tier = wanted.place.tier.as_ref();
            check_gates(&reader, &entity.name, &wanted.content(), tier).await?
        }
    };
    decision.remarks.extend(unasked);
    Ok(PublishPlan {
        entity,
        name,
        project,
        apps,
        existing,
        found_by,
        wanted,
        health: HealthCheck::of(entity),
        decision,
        order,
        hold,
    })
}

/// That it is not held, though it was asked for.
fn not_held(entity: &stage_file::App, can: &Capabilities) -> String {
    let name = &entity.name;
    match can.tags_versions {
        true => format!("app `{name}` is not held: no new version of it is made"),
        false => format!(
            "app `{name}` is not held: the versions of `{}` keep no tag, and the next merge moves it",
            can.route
        ),
    }
}

/// Whether the wanted commit is older or newer than the one that runs.
async fn order(
    context: &StepContext,
    args: &PublishArgs,
    entity: &stage_file::App,
    existing: Option<&App>,
    commit: &Commit,
) -> Result<OrderNotes> {
    let version = existing.and_then(|app| app.version.as_ref());
    let Some(version) = version.filter(|version| !version.status().is_down()) else {
        return Ok(OrderNotes::default());
    };
    let by = version.publisher.as_ref();
    let running = Running {
        what: &format!("app `{}`", entity.name),
        git_ref: version.git_ref.as_ref(),
        deployed: &by.map_or_else(String::new, |by| format!(", published by `{by}`")),
    };
    running
        .check_order(commit, &context.connection, args.back)
        .await
}

/// The app once Domino reports the content of its starting version: that may be the wanted one, launched by an
/// earlier run, and it must not be replaced by itself.
async fn once_reported(
    apps: &Apps<Reader>,
    mut existing: Option<App>,
    wanted: &Wanted,
    mut poll: Poll,
    progress: &mut Progress,
) -> Result<Option<App>> {
    while let Some(app) = &existing
        && let Some(version) = &app.version
        && let AppStatus::Starting(word) = version.status()
    {
        let comparison = wanted.compare(version);
        if comparison.unreported.is_empty() || !comparison.different.is_empty() {
            break;
        }
        let unreported = comparison.unreported.join(", ");
        progress.status(&format!(
            "version {} is `{word}`, and Domino does not tell yet: {unreported}",
            version.id
        ));
        if !poll.next().await {
            break;
        }
        existing = apps.app(&app.id).await?;
    }
    Ok(existing)
}

impl Refusal {
    fn failure(
        &self,
        file: &StageFile,
        can: &Capabilities,
        entity: &stage_file::App,
        name: &str,
    ) -> CommandError {
        let key = ["app", entity.name.as_str(), "entry-point"];
        let existing = match self {
            Self::FixedEntryPoint { existing } => existing,
            Self::Stopped { status } => {
                return CommandError::refused(format!(
                    "app `{name}` is `{status}` in Domino: somebody stopped it, and it stays so"
                ))
                .hint("when it may run again, publish it with `--put-back`");
            }
        };
        CommandError::refused(format!(
            "app `{name}` is started by `{}`, and `{}` cannot change that to `{}`",
            existing,
            can.route,
            entity.entry_point
        ))
        .hint(format!(
            "delete the app in Domino so that it is created anew, or change `entry-point` of `[app.{}]`",
            entity.name
        ))
        .at(file, &key)
    }
}

impl PublishPlan<'_> {
    pub(crate) fn view(&self, context: &StepContext) -> Plan {
        let (name, stage) = (&self.entity.name, &context.stage.name);
        let mut plan = Plan::new(match &self.decision.action {
            Action::Create => format!("create app `{name}` in stage `{stage}`"),
            Action::Publish => format!("publish app `{name}` to stage `{stage}`"),
            Action::StartAgain(_) => format!("start app `{name}` in stage `{stage}` again"),
            Action::Follow(version) => {
                format!(
                    "follow version {version} of app `{name}` in stage `{stage}`, which is on its way"
                )
            }
            Action::Keep(_) if self.decision.is_as_wanted() => {
                format!("app `{name}` in stage `{stage}` is as wanted")
            }
            Action::Keep(_) => format!("change app `{name}` in stage `{stage}`"),
        });
        let host = context.connection.host().as_str();
        plan.fact("project", format!("{} on {host}", self.project.name));
        plan.fact(
            "app",
            match &self.existing {
                Some(app) => format!(
                    "{} ({}){}",
                    self.name,
                    app.id,
                    other_name(app, &self.name, self.found_by)
                ),
                None => self.name.clone(),
            },
        );
        plan.fact("commit", self.wanted.commit.as_str());
        if let Some(order) = &self.order.fact {
            plan.fact("order", order);
        }
        if let Some(hold) = &self.hold {
            plan.fact("held", hold.fact());
        }
        plan.fact("entry point", &self.wanted.entry_point);
        self.wanted.place.describe(&mut plan);
        describe_fields(&self.wanted.fields, &mut plan);
        let carried = self.wanted.kept.words(&self.wanted.fields);
        if self.decision.action == Action::Publish && !carried.is_empty() {
            plan.fact("carried over", carried.join(", "));
        }
        plan.fact(
            "serves when",
            match &self.health {
                Some(check) => check.to_string(),
                None => "Domino says `Running`".into(),
            },
        );
        plan.fact("api", self.apps.capabilities().route);
        self.add_changes(&mut plan);
        plan
    }

    fn add_changes(&self, plan: &mut Plan) {
        let current = self.existing.as_ref().and_then(|app| app.version.as_ref());
        let current = current.map(|v| (version_text(v), v.status().word().to_owned()));
        match (&self.decision.action, current) {
            (Action::Create, _) => {
                plan.change(ChangeKind::Create, format!("app `{}`", self.name));
            }
            (Action::Publish, Some((current, word))) => {
                for why in &self.decision.why {
                    plan.change(ChangeKind::Update, why);
                }
                let version = self.existing.as_ref().and_then(|app| app.version.as_ref());
                if version.is_some_and(|version| version.carried.has_entry_script()) {
                    let to = &self.wanted.entry_point;
                    let text = format!("a script given in Domino starts it → {to}");
                    plan.change(ChangeKind::Update, text);
                }
                let runs = self
                    .existing
                    .as_ref()
                    .is_some_and(|app| !app.status().is_down());
                if runs {
                    let how = match self.apps.capabilities().replaces_what_runs {
                        true => "Domino replaces",
                        false => "stopped before the new one starts:",
                    };
                    plan.change(ChangeKind::Remove, format!("{how} {current} (`{word}`)"));
                }
            }
            (Action::Publish, None) => {
                plan.change(ChangeKind::Create, "its first version");
            }
            (_, current) => {
                if let Some((current, word)) = current {
                    plan.change(ChangeKind::Keep, format!("{current} (`{word}`)"));
                }
            }
        }
        for change in &self.decision.change_texts {
            plan.change(ChangeKind::Update, change);
        }
    }
}
