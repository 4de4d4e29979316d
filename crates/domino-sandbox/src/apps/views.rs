//! How often an app was viewed, by whom, in which version. A view is counted when a client reports
//! it, as Domino's own page does when it opens an app.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::app::View;
use super::store::Apps;
use crate::reply::{Answer, Failure};
use crate::request::{Id, Of, Parameters};
use crate::users::Caller;

/// A day, in milliseconds.
const DAY: u64 = 86_400_000;

pub(super) fn routes() -> Router<Arc<Apps>> {
    let app = "/api/apps/beta/apps/{app_id}";
    let instance = format!("{app}/versions/{{version_id}}/instances/{{instance_id}}");
    Router::new()
        .route(&format!("{app}/views"), get(usage))
        .route(&format!("{instance}/views"), post(look))
}

async fn look(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path((app_id, version_id, instance_id)): Path<(String, String, String)>,
) -> Result<(), Failure> {
    let app = apps.seen_by(&user, &app_id)?;
    app.version(&version_id)?.instance(&instance_id)?;
    app.was_viewed(View {
        at: apps.host.now(),
        user_id: user.id.clone(),
        version_id,
    });
    Ok(())
}

async fn usage(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path(app_id): Id,
    parameters: Parameters,
) -> Answer {
    let app = apps.seen_by(&user, &app_id)?;
    let from = parameters.number("startTimestamp", 0)?;
    let until = parameters.number("endTimestamp", u64::MAX)?;
    let granularity = parameters.number("granularity", DAY)?.max(1);
    let mut views = app.views();
    views.retain(|view| (from..until).contains(&milliseconds(view)));
    let all: Vec<&View> = views.iter().collect();
    let versions = app.versions().into_iter().filter_map(|version| {
        let of_version = all.iter().copied();
        let of_version: Vec<&View> = of_version
            .filter(|view| view.version_id == version.id)
            .collect();
        let mut counted = counted(&of_version, granularity);
        counted["id"] = version.id.as_str().into();
        (!of_version.is_empty()).then_some(counted)
    });
    let versions: Vec<Value> = versions.collect();
    let mut json = counted(&all, granularity);
    json["versions"] = versions.into();
    Ok(Json(json))
}

fn milliseconds(view: &View) -> u64 {
    view.at.nanoseconds() / 1_000_000
}

/// The number of `views`, by user, and both again for each period of `granularity` milliseconds that has any.
fn counted(views: &[&View], granularity: u64) -> Value {
    let mut stretches: BTreeMap<u64, Vec<&View>> = BTreeMap::new();
    for view in views {
        let start = milliseconds(view) / granularity * granularity;
        stretches.entry(start).or_default().push(view);
    }
    let timeseries: Vec<Value> = stretches
        .iter()
        .map(|(start, views)| {
            json!({ "timestamp": start, "count": views.len(), "users": by_user(views) })
        })
        .collect();
    json!({ "count": views.len(), "users": by_user(views), "timeseries": timeseries })
}

fn by_user(views: &[&View]) -> BTreeMap<String, usize> {
    let mut users = BTreeMap::new();
    for view in views {
        *users.entry(view.user_id.clone()).or_default() += 1;
    }
    users
}
