//! What `publish` is asked to do, and what it will do: read, compared and decided, with nothing written.

use std::path::Path;
use std::time::Duration;

use domino_core::api::apps::{App, AppStatus, AppVersion, Apps, Capabilities, Thumbnail};
use domino_core::api::projects::Project;
use domino_core::client::Reader;
use domino_core::commit::Commit;
use domino_core::deployment_marker::APP_TAG;
use domino_core::error::{CommandError, Result};
use domino_core::hold::{Hold, HoldFlags, Moving};
use domino_core::older_commit::{OrderNotes, Running};
use domino_core::place::ResolvedPlacement;
use domino_core::receipt_before::ReceiptBefore;
use domino_core::revision::RevisionBefore;
use domino_core::step::{ChangeKind, Plan, Progress, Report, StepContext, duration, ticked};
use domino_core::wait::Poll;
use stage_file::{Kind, Stage, StageFile};

use crate::decision::{Action, Decision, Refusal, decide};
use crate::find::{AppArgs, all_apps, app_of, describe, other_name, ours, version_text};
use crate::gate::check_gates;
use crate::health::HealthCheck;
use crate::last_written::{last_visibility, marker_of, tag};
use crate::questions::{once_replaced, refuse_hidden_namesake, revision};
use crate::settings::{describe as describe_fields, refuse_unknown, version_fields};
use crate::wanted::{Kept, Wanted};

/// How long Domino may take to report the content of a starting version.
const REPORTED_WITHIN: Duration = Duration::from_secs(60);

/// How `publish` works, for its `--help`.
pub(crate) const PUBLISHING: &str = "\
It finds the app by name, creates it if there is none, and publishes the commit on the stage's hardware tier and \
environment. Nothing is done when all of that runs already. It waits until that very version runs and answers at \
`health-path` with `health-status`; without a `health-path` Domino's word is enough. The credential goes along with \
that question only where the app's address is on Domino's own host.

Who may open the app, and its description, change once the new version runs.

When the new version does not serve in time, the version that ran before is put back, for as long again, and the \
exit code is 5. Interrupted, it leaves a new version on its way, starts again what it has stopped for nothing, and \
says what runs.";

/// `deploy-app publish`.
#[derive(Debug, clap::Args)]
pub(crate) struct PublishArgs {
    /// The commit to publish: a whole id, or what git knows here; else GITHUB_SHA, else HEAD
    #[arg(long, value_name = "COMMIT")]
    pub(crate) commit: Option<String>,
    /// Deploy a commit although a newer one runs
    #[arg(long, env = "DEPLOY_BACK", value_parser = ticked)]
    pub(crate) back: bool,
    /// Start it and let people in as stages.toml says, although somebody stopped it or decided otherwise in Domino
    #[arg(long = "put-back", env = "DEPLOY_PUT_BACK", value_parser = ticked)]
    pub(crate) as_file_says: bool,
    /// Leave an app alone that may be ours under another name, and create one beside it
    #[arg(long)]
    pub(crate) beside: bool,
    /// Print the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How long to wait for the version to serve, and as long again to put the one before back [default: the app's
    /// `timeout` in stages.toml, else 15m]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) hold: HoldFlags,
    #[command(flatten)]
    pub(crate) revision: RevisionBefore,
    #[command(flatten)]
    pub(crate) receipt: ReceiptBefore,
    #[command(flatten)]
    pub(crate) app: AppArgs,
}

impl PublishArgs {
    /// How long to wait for a version of this app in this stage.
    pub(crate) fn timeout_of(&self, app: &stage_file::App, stage: &Stage) -> Duration {
        self.timeout.unwrap_or_else(|| app.timeout(stage))
    }
}

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
    let project = Project::of_stage(&reader, file, stage).await?;
    let name = file.app_name(entity, stage);
    let target = file.target(Kind::App, &entity.name, stage);
    let (mut place, (apps, all)) = tokio::try_join!(
        ResolvedPlacement::find(&reader, file, stage, Kind::App, &project, &target),
        all_apps(&reader, args.app.generation(entity), &project.id, &name),
    )?;
    let of = (Kind::App, entity.name.as_str());
    let other_revision = args.revision.settle(&mut place, file, stage, of)?;
    let (existing, found_by) = ours(context, entity, &apps, all, args.beside).await?;
    let can = apps.capabilities();
    let existing = match can.replaces_what_runs || args.as_file_says {
        true => existing,
        false => once_replaced(&apps, existing, reader.delay_scale()).await?,
    };
    if let Some(app) = &existing {
        describe(report, context, app);
    }
    if existing.is_none() && can.older.is_some() {
        refuse_hidden_namesake(&reader, &project, can, &name).await?;
    }
    let fields = version_fields(entity, stage, &place);
    refuse_unknown(file, can, entity, stage, &fields)?;
    let revision = revision(&reader, file, can, &place, &target).await?;
    let current = existing.as_ref().and_then(|app| app.version.as_ref());
    let hold = hold(context, args, entity, current, &commit)?;
    let kept = current.map(|version| Kept::of(version, &place));
    let mut wanted = Wanted {
        commit,
        place,
        revision,
        entry_point: entity.entry_point.clone(),
        description: entity.description.clone(),
        visibility: entity.visibility,
        says_visibility: file.sets(&["app", entity.name.as_str(), "visibility"]),
        last_visibility: existing
            .as_ref()
            .and_then(|app| last_visibility(context, entity, app)),
        as_file_says: args.as_file_says,
        another_runs: match &existing {
            Some(app) if app.status().is_down() && !args.as_file_says => {
                let versions = apps.versions(&app.id).await?;
                versions.iter().any(|version| !version.status().is_down())
            }
            _ => false,
        },
        fields,
        discoverable: entity.settings_in(stage).discoverable,
        thumbnail: thumbnail(file, entity, &apps, existing.as_ref()).await?,
        kept: kept.unwrap_or_default(),
    };
    if can.tags_versions {
        let visibility = existing.as_ref().and_then(|app| app.visibility.as_deref());
        let visibility = wanted.visibility_of_ours(visibility);
        let tag = tag(context, entity, &wanted.commit, &visibility, hold.clone());
        wanted.kept.carried.set_tag(APP_TAG, &tag);
    }
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

/// The app's picture, unless Domino has it already.
async fn thumbnail(
    file: &StageFile,
    entity: &stage_file::App,
    apps: &Apps<Reader>,
    existing: Option<&App>,
) -> Result<Option<Thumbnail>> {
    let Some(named) = &entity.thumbnail else {
        return Ok(None);
    };
    let key = ["app", entity.name.as_str(), "thumbnail"];
    let unusable = |why: String| {
        CommandError::usage(format!("thumbnail `{}` {why}", named.display())).at(file, &key)
    };
    let folder = file.path.parent().unwrap_or(Path::new(""));
    let bytes = std::fs::read(folder.join(named))
        .map_err(|error| unusable(format!("cannot be read: {error}")))?;
    let picture = Thumbnail::of(named, bytes);
    let picture = picture.filter(|picture| !picture.bytes.is_empty());
    let picture = picture.ok_or_else(|| unusable("is empty or no picture by its name".into()))?;
    let has = match existing {
        Some(app) => apps.thumbnail(&app.id).await?,
        None => None,
    };
    Ok(Some(picture).filter(|picture| has.as_ref() != Some(&picture.bytes)))
}

/// The hold that the app has after this. One that is held is not moved to another commit.
fn hold(
    context: &StepContext,
    args: &PublishArgs,
    entity: &stage_file::App,
    current: Option<&AppVersion>,
    commit: &Commit,
) -> Result<Option<Hold>> {
    let marked = current.and_then(|version| marker_of(context, entity, version));
    let runs = marked.as_ref().map(|marked| marked.commit.as_str());
    let moving = Moving {
        what: &format!("app `{}`", entity.name),
        entity: &entity.name,
        stage: &context.stage.name,
        runs,
        held: marked.as_ref().and_then(|marked| marked.hold.as_ref()),
        is_same: runs.is_some_and(|runs| commit.as_str().starts_with(runs)),
        back: args.back,
    };
    args.hold.settle(moving, commit)
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
