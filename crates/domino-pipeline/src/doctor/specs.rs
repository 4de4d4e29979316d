//! Which descriptions of its own API the deployment serves, with which `check-contract` can check the programs.

use domino_core::api::label_route;
use domino_core::client::Reader;
use futures_util::future::join_all;

use super::finding::Finding;

/// The whole public API, the part of it that Domino's own pages use, and the internal one.
const PLACES: [&str; 3] = [
    label_route::SPEC,
    "/assets/public-api.json",
    "/assets/swagger.json",
];

/// It is only checked that they exist: each has some megabytes.
pub(super) async fn look(reader: &Reader) -> Finding {
    let host = reader.host().to_string();
    let pages = PLACES.iter().map(|place| reader.page(&host, place));
    let answers = join_all(pages).await;
    let is_there = |answer: &Result<_, _>| {
        let page: Option<&domino_core::client::Page> = answer.as_ref().ok();
        page.is_some_and(|page| page.status == 200 && !page.is_sign_in && page.is_json)
    };
    let served = PLACES.iter().zip(&answers);
    let served = served.filter(|(_, answer)| is_there(answer));
    let served: Vec<String> = served.map(|(place, _)| format!("`{place}`")).collect();
    match served[..] {
        [] => Finding::NotAsked(
            "specs: this Domino serves none of its own".into(),
            "hold the programs against published ones by `check-contract --spec FILE`".into(),
        ),
        _ => Finding::well(format!("specs: {}", served.join(", "))),
    }
}
