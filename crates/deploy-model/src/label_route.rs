//! What is said before the label of an endpoint moves for the first time: the route that moves it is inferred, and what
//! the deployment itself says of it is read once.

use domino_core::api::label_route::LabelRoute;
use domino_core::api::model_apis::PROD;
use domino_core::client::Reader;
use stage_file::Routing;

use crate::callers;
use crate::difference::ExistingEndpoint;

/// The remark, where no version of the endpoint has the label yet and the deployment's description lacks the route. One
/// that cannot be read says nothing.
pub(crate) async fn remark(
    reader: &Reader,
    routing: Option<Routing>,
    existing: Option<&ExistingEndpoint>,
) -> Option<String> {
    let existing = existing.filter(|existing| existing.api.routes_by_label())?;
    let is_first = callers::promoted(&existing.versions).is_none();
    if routing != Some(Routing::Advanced) || !is_first {
        return None;
    }
    let what = match reader.label_route().await.ok()? {
        LabelRoute::Listed | LabelRoute::NoSpec => return None,
        LabelRoute::NotListed => {
            "the description of its API that this Domino serves has no route that moves it"
                .to_owned()
        }
        LabelRoute::Other(route) => {
            format!("the description of its API that this Domino serves moves it by `{route}`")
        }
    };
    Some(format!(
        "`labels/{PROD}` of endpoint `{}` moves for the first time, and {what}: the one that is used here is inferred. If \
         Domino refuses it, the version runs as `latest`, callers get what they had, and a person promotes it there",
        existing.api.name
    ))
}
