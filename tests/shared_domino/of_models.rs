//! The cells of the table about models: what a person does to an endpoint or to a registered model, and what
//! `deploy-model publish` and `promote-stage apply` must do about it.

use crate::by_hand as by;
use crate::models;
use crate::table::{Cell, does};
use crate::world::Kind;

/// A row's name, and its cells for the endpoint and for the version of the registered model.
type Cells = (&'static str, Cell, Cell);

/// Where a row meets a column about models.
pub fn cell(act: &str, kind: Kind) -> &'static Cell {
    let found = CELLS.iter().find(|(row, ..)| *row == act);
    let (_, endpoint, version) = found.unwrap_or_else(|| panic!("`{act}` has no cell of a model"));
    match kind {
        Kind::Endpoint => endpoint,
        _ => version,
    }
}

const NO_SUCH_SETTING: Cell = Cell::No("an endpoint has no such setting");
const NO_SUCH_SETTING_OF_VERSION: Cell =
    Cell::No("a version of a registered model has no such setting");

const fn neither(act: &'static str) -> Cells {
    (act, NO_SUCH_SETTING, NO_SUCH_SETTING_OF_VERSION)
}

static CELLS: &[Cells] = &[
    (
        "rename",
        does(models::rename)
            .telling(&["called `Wine predictor` in Domino and `wine-prod` here: ours by its mark"])
            .cell(),
        does(models::rename).cell(),
    ),
    (
        "retitle",
        Cell::No("an endpoint has a name"),
        Cell::No("a version of a registered model has a number"),
    ),
    (
        "pause",
        Cell::No("an endpoint is stopped"),
        NO_SUCH_SETTING_OF_VERSION,
    ),
    (
        "resume",
        Cell::No("an endpoint is started"),
        NO_SUCH_SETTING_OF_VERSION,
    ),
    (
        "move in time",
        Cell::No("an endpoint has no time"),
        Cell::No("a version of a registered model has no time"),
    ),
    (
        "stop",
        does(models::stop)
            .refused(&[
                "endpoint `wine-prod` is `Stopped` in Domino: somebody stopped it",
                "`--put-back`",
            ])
            .cell(),
        does(models::stop)
            .refused(&["its endpoint `wine-dev` is `Stopped`"])
            .cell(),
    ),
    (
        "start",
        does(models::start).cell(),
        does(models::start).cell(),
    ),
    (
        "restrict",
        does(models::restrict).cell(),
        does(models::restrict).cell(),
    ),
    (
        "open",
        Cell::No("an endpoint is open from the start"),
        NO_SUCH_SETTING_OF_VERSION,
    ),
    neither("volumes"),
    neither("identity"),
    neither("autoscaling"),
    ("tags", does(models::tag).cell(), does(models::tag).cell()),
    (
        "bundle",
        does(models::govern).then(0, &["resource quota"]).cell(),
        does(models::govern).cell(),
    ),
    neither("notify list"),
    neither("capacity type"),
    (
        "replicas",
        does(models::scale)
            .then(0, &["carried over", "replicas (6)"])
            .cell(),
        does(models::scale).cell(),
    ),
    (
        "description",
        does(models::describe)
            .telling(&[
                "somebody wrote another description of endpoint `wine-prod`",
                "`--put-back`",
            ])
            .cell(),
        does(models::describe).cell(),
    ),
    (
        "monitoring",
        does(models::monitor)
            .then(
                0,
                &[
                    "monitoring",
                    "recording of invocations",
                    "prediction data set",
                ],
            )
            .cell(),
        does(models::monitor).cell(),
    ),
    (
        "routing mode",
        does(models::route_by_labels)
            .then(6, &["callers of `labels/prod` still get version 1"])
            .cell(),
        does(models::route_by_labels).without_next().cell(),
    ),
    (
        "role taken away",
        does(models::take_role_away)
            .refused(&[
                "is there, but user `ci-bot` may not see it",
                "with the role Editor",
            ])
            .cell(),
        does(models::take_role_away)
            .refused(&["`wine-dev`", "this account may not see it"])
            .cell(),
    ),
    (
        "made a viewer",
        does(models::make_viewer)
            .then(3, &["with the role Editor"])
            .cell(),
        does(models::make_viewer).without_next().cell(),
    ),
    (
        "collaborators removed",
        does(by::remove_collaborator)
            .refused(NO_COLLABORATOR)
            .cell(),
        does(by::remove_collaborator)
            .refused(NO_COLLABORATOR)
            .cell(),
    ),
    (
        "environment revision built",
        does(by::build_revision)
            .telling(&["~ environment revision"])
            .cell(),
        does(by::build_revision).cell(),
    ),
    (
        "tier archived",
        does(models::archive_tier)
            .refused(&["hardware tier `prod-small`"])
            .cell(),
        does(models::archive_tier).cell(),
    ),
    (
        "project renamed",
        does(by::rename_project)
            .refused(&["project `wine-team/wine`"])
            .cell(),
        does(by::rename_project)
            .refused(&["there is no project `wine-team/wine`"])
            .cell(),
    ),
    (
        "version archived",
        does(models::archive).cell(),
        does(models::archive)
            .refused(&[
                "was let into stage `prod` at",
                "somebody has moved it to `Archived` since",
                "--skip-order",
            ])
            .cell(),
    ),
    (
        "version moved between stages",
        does(models::move_between_stages).cell(),
        does(models::move_between_stages)
            .refused(&["version 1 of `wine` is in `Staging`", "--skip-order"])
            .cell(),
    ),
    (
        "alias moved",
        does(models::move_alias).cell(),
        does(models::move_alias)
            .telling(&[
                "alias `production` of `wine` leads to version 2",
                "it stays there",
                "--put-back",
            ])
            .cell(),
    ),
    (
        "newer commit deployed by another run",
        does(models::deploy_newer)
            .refused(&["is older than version 2", "--back"])
            .cell(),
        does(models::deploy_newer)
            .refused(&["stage `dev` does not serve version 1 of `wine`: it serves version 2"])
            .cell(),
    ),
    (
        "the same deployed from a laptop",
        does(by::deploy_from_a_laptop).cell(),
        does(by::deploy_from_a_laptop).cell(),
    ),
];

const NO_COLLABORATOR: &[&str] = &["cannot see project `wine-team/wine`", "not authorized"];
