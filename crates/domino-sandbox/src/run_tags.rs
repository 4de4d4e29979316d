//! What Domino writes to every MLflow run, model and version that is created in one of its runs, by the run's id. The
//! proxy of a run identifies it by the token that it adds.

use std::collections::HashMap;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::locked::Locked;

/// The tags of each run.
#[derive(Default)]
pub(crate) struct RunTags(Locked<HashMap<String, Vec<(String, String)>>>);

impl RunTags {
    /// Those of the run whose token `headers` carry; none where it is nobody's.
    pub(crate) fn of(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        let told = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let id = told.and_then(|token| Some(token.rsplit_once('.')?.1));
        let known = self.0.lock();
        id.and_then(|id| known.get(id).cloned()).unwrap_or_default()
    }

    /// Keeps those of a run.
    pub(crate) fn keep(&self, id: &str, tags: Vec<(String, String)>) {
        self.0.lock().insert(id.to_owned(), tags);
    }
}
