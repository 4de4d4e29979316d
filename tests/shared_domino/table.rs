//! The table: a row for each thing that a person can do in Domino between two deployments, a column for each verb that
//! writes.

use crate::by_hand as by;
use crate::of_models;
use crate::world::{Column, Kind, World};

pub const V4: &str = "5.9";
pub const BETA: &str = "6.3, apps v1 404";
pub const V1: &str = "6.4";

/// What happens where a row meets a column.
pub enum Cell {
    Does(Act),
    /// There is no such thing, and why.
    No(&'static str),
}

/// What a person does, and what the verb is to make of it.
#[derive(Clone, Copy)]
pub struct Act {
    pub by_hand: fn(&mut World),
    /// Of a verb that deploys, and of one that ends or deletes.
    pub deploys: Expected,
    pub ends: Expected,
    /// Of a verb that deploys, with the next commit.
    pub then: Option<Expected>,
}

/// How a verb is to end, and what it must tell.
#[derive(Clone, Copy)]
pub struct Expected {
    pub exit: i32,
    pub tells: &'static [&'static str],
}

/// What a person does, by what it is done to.
pub struct Row {
    pub act: &'static str,
    run: Cell,
    schedule: Cell,
    app: Cell,
    /// Why the oldest Domino, which has apps on `/v4` alone, knows no such thing about an app.
    not_on_v4: Option<&'static str>,
}

impl Row {
    /// Where it meets a column on a release of Domino's.
    pub fn cell(&self, column: &Column, version: &str) -> &Cell {
        const OLD: &Cell = &Cell::No("Domino 5.9 has no such setting on an app");
        match column.kind {
            Kind::Run => &self.run,
            Kind::Schedule => &self.schedule,
            Kind::App if self.not_on_v4.is_some() && version == V4 => OLD,
            Kind::App => &self.app,
            Kind::Endpoint | Kind::Version => of_models::cell(self.act, column.kind),
        }
    }
}

pub const fn does(by_hand: fn(&mut World)) -> Act {
    let fine = Expected {
        exit: 0,
        tells: &[],
    };
    Act {
        by_hand,
        deploys: fine,
        ends: fine,
        then: Some(fine),
    }
}

impl Act {
    /// A verb that deploys goes on, and tells this.
    pub const fn telling(mut self, tells: &'static [&'static str]) -> Self {
        self.deploys = Expected { exit: 0, tells };
        self
    }

    /// A verb that deploys refuses, and tells this.
    pub const fn refused(mut self, tells: &'static [&'static str]) -> Self {
        self.deploys = Expected { exit: 3, tells };
        self
    }

    /// So does one that ends.
    const fn never_ended(mut self, tells: &'static [&'static str]) -> Self {
        self.ends = Expected { exit: 3, tells };
        self
    }

    /// A verb that ends goes on, and tells this.
    const fn ended_telling(mut self, tells: &'static [&'static str]) -> Self {
        self.ends = Expected { exit: 0, tells };
        self
    }

    /// With the next commit a verb that deploys ends like this, and tells this.
    pub const fn then(mut self, exit: i32, tells: &'static [&'static str]) -> Self {
        self.then = Some(Expected { exit, tells });
        self
    }

    /// What was done keeps the next commit from ever coming so far.
    pub const fn without_next(mut self) -> Self {
        self.then = None;
        self
    }

    pub const fn cell(self) -> Cell {
        Cell::Does(self)
    }
}

pub const COLUMNS: &[Column] = &[
    column(
        "deploy-job start",
        Kind::Run,
        "deploy-job",
        &["start", "train", "--no-wait"],
        V1,
    ),
    ending(
        "deploy-job stop",
        Kind::Run,
        "deploy-job",
        &["stop", "train"],
        V1,
    ),
    column(
        "deploy-job schedule",
        Kind::Schedule,
        "deploy-job",
        &["schedule", "score"],
        V1,
    ),
    ending(
        "deploy-job schedule --delete",
        Kind::Schedule,
        "deploy-job",
        &["schedule", "score", "--delete"],
        V1,
    ),
    column(
        "deploy-app publish (v4)",
        Kind::App,
        "deploy-app",
        &["publish", "dashboard"],
        V4,
    ),
    column(
        "deploy-app publish (beta)",
        Kind::App,
        "deploy-app",
        &["publish", "dashboard"],
        BETA,
    ),
    column(
        "deploy-app publish (v1)",
        Kind::App,
        "deploy-app",
        &["publish", "dashboard"],
        V1,
    ),
    ending(
        "deploy-app unpublish (v4)",
        Kind::App,
        "deploy-app",
        &["unpublish", "dashboard"],
        V4,
    ),
    ending(
        "deploy-app unpublish (beta)",
        Kind::App,
        "deploy-app",
        &["unpublish", "dashboard"],
        BETA,
    ),
    ending(
        "deploy-app unpublish (v1)",
        Kind::App,
        "deploy-app",
        &["unpublish", "dashboard"],
        V1,
    ),
    column(
        "deploy-model publish",
        Kind::Endpoint,
        "deploy-model",
        &["publish", "wine"],
        V1,
    ),
    column(
        "promote-stage apply",
        Kind::Version,
        "promote-stage",
        &["apply", "wine"],
        V1,
    ),
];

const fn column(
    name: &'static str,
    kind: Kind,
    program: &'static str,
    arguments: &'static [&'static str],
    version: &'static str,
) -> Column {
    Column {
        name,
        kind,
        program,
        arguments,
        ends: false,
        version,
    }
}

const fn ending(
    name: &'static str,
    kind: Kind,
    program: &'static str,
    arguments: &'static [&'static str],
    version: &'static str,
) -> Column {
    Column {
        ends: true,
        ..column(name, kind, program, arguments, version)
    }
}

const RUN_IS_FIXED: Cell =
    Cell::No("nothing of a run can be set once it was started, but its title");
const NO_SUCH_SETTING: Cell = Cell::No("a scheduled job has no such setting");
const NO_SUCH_SETTING_OF_APP: Cell = Cell::No("an app has no such setting");
const OF_MODELS: Cell = Cell::No("it is about models alone");

const fn row(act: &'static str, run: Cell, schedule: Cell, app: Cell) -> Row {
    Row {
        act,
        run,
        schedule,
        app,
        not_on_v4: None,
    }
}

const fn newer(row: Row) -> Row {
    Row {
        not_on_v4: Some("5.9"),
        ..row
    }
}

/// Of an endpoint or a registered model.
const fn of_models(act: &'static str) -> Row {
    row(act, OF_MODELS, OF_MODELS, OF_MODELS)
}

pub const ROWS: &[Row] = &[
    newer(row(
        "rename",
        Cell::No("a run has a title"),
        Cell::No("a scheduled job has a title"),
        does(by::rename_app)
            .telling(&["called `Wine board` in Domino"])
            .ended_telling(&["called `Wine board` in Domino"])
            .cell(),
    )),
    row(
        "retitle",
        does(by::retitle_run)
            .telling(&["called `Big training` in Domino"])
            .never_ended(&["called `Big training` in Domino", "--id"])
            .cell(),
        does(by::retitle_schedule)
            .telling(&["called `Nightly` in Domino"])
            .ended_telling(&["called `Nightly` in Domino"])
            .cell(),
        Cell::No("an app has a name"),
    ),
    row(
        "pause",
        Cell::No("a run cannot be paused"),
        does(by::pause).telling(&["somebody has paused"]).cell(),
        Cell::No("an app cannot be paused"),
    ),
    row(
        "resume",
        Cell::No("a run cannot be paused"),
        does(by::resume)
            .telling(&["somebody lets the schedule"])
            .cell(),
        Cell::No("an app cannot be paused"),
    ),
    row(
        "move in time",
        Cell::No("a run has no time"),
        does(by::move_in_time).telling(&["~ schedule: "]).cell(),
        Cell::No("an app has no time"),
    ),
    row(
        "stop",
        does(by::stop_run)
            .telling(&["run 1 ended as `Stopped`"])
            .cell(),
        Cell::No("a scheduled job is paused"),
        does(by::stop_app).refused(&["somebody stopped it"]).cell(),
    ),
    row(
        "start",
        does(by::restart_run)
            .telling(&["follow run 3"])
            .ended_telling(&["run 3"])
            .cell(),
        Cell::No("a scheduled job is resumed"),
        does(by::start_app).ended_telling(&["was stopped"]).cell(),
    ),
    row(
        "restrict",
        RUN_IS_FIXED,
        NO_SUCH_SETTING,
        does(by::restrict)
            .telling(&["it stays `GRANT_BASED_STRICT`"])
            .cell(),
    ),
    row(
        "open",
        RUN_IS_FIXED,
        NO_SUCH_SETTING,
        does(by::open).telling(&["it stays `PUBLIC`"]).cell(),
    ),
    row(
        "volumes",
        RUN_IS_FIXED,
        does(by::give_schedule_volumes).cell(),
        does(by::give_app_volumes).cell(),
    ),
    newer(row(
        "identity",
        RUN_IS_FIXED,
        NO_SUCH_SETTING,
        does(by::pass_identity_on).cell(),
    )),
    newer(row(
        "autoscaling",
        RUN_IS_FIXED,
        NO_SUCH_SETTING,
        does(by::scale_app).cell(),
    )),
    newer(row(
        "tags",
        RUN_IS_FIXED,
        NO_SUCH_SETTING,
        does(by::tag_app).cell(),
    )),
    newer(row(
        "bundle",
        RUN_IS_FIXED,
        NO_SUCH_SETTING,
        does(by::bundle_app).cell(),
    )),
    row(
        "notify list",
        RUN_IS_FIXED,
        does(by::notify).cell(),
        NO_SUCH_SETTING_OF_APP,
    ),
    row(
        "capacity type",
        RUN_IS_FIXED,
        does(by::give_capacity_type).cell(),
        NO_SUCH_SETTING_OF_APP,
    ),
    of_models("replicas"),
    newer(row(
        "description",
        RUN_IS_FIXED,
        NO_SUCH_SETTING,
        does(by::describe_app).telling(&["~ description"]).cell(),
    )),
    of_models("monitoring"),
    of_models("role taken away"),
    of_models("made a viewer"),
    of_models("routing mode"),
    row(
        "collaborators removed",
        does(by::remove_collaborator)
            .refused(FORBIDDEN)
            .never_ended(FORBIDDEN)
            .cell(),
        does(by::remove_collaborator)
            .refused(FORBIDDEN)
            .never_ended(FORBIDDEN)
            .cell(),
        does(by::remove_collaborator)
            .refused(FORBIDDEN)
            .never_ended(FORBIDDEN)
            .cell(),
    ),
    row(
        "environment revision built",
        does(by::build_revision).cell(),
        does(by::build_revision).cell(),
        does(by::build_revision).cell(),
    ),
    row(
        "tier archived",
        does(by::archive_tier)
            .refused(&["hardware tier `prod-small`"])
            .cell(),
        does(by::archive_tier)
            .refused(&["hardware tier `prod-small`"])
            .cell(),
        does(by::archive_tier)
            .refused(&["hardware tier `prod-small`"])
            .cell(),
    ),
    row(
        "project renamed",
        does(by::rename_project)
            .refused(NO_PROJECT)
            .never_ended(NO_PROJECT)
            .cell(),
        does(by::rename_project)
            .refused(NO_PROJECT)
            .never_ended(NO_PROJECT)
            .cell(),
        does(by::rename_project)
            .refused(NO_PROJECT)
            .never_ended(NO_PROJECT)
            .cell(),
    ),
    of_models("version archived"),
    of_models("version moved between stages"),
    of_models("alias moved"),
    row(
        "newer commit deployed by another run",
        does(by::deploy_newer)
            .telling(&["follow run 1"])
            .ended_telling(&["run 3"])
            .cell(),
        does(by::deploy_newer)
            .refused(&["is older than commit", "--back"])
            .cell(),
        does(by::deploy_newer)
            .refused(&["is older than commit", "--back"])
            .cell(),
    ),
    row(
        "the same deployed from a laptop",
        does(by::deploy_from_a_laptop)
            .telling(&["follow run 1"])
            .cell(),
        does(by::deploy_from_a_laptop).cell(),
        does(by::deploy_from_a_laptop).cell(),
    ),
];

const FORBIDDEN: &[&str] = &["not authorized"];
const NO_PROJECT: &[&str] = &["project `wine-team/wine`"];
