//! Compute environments and their revisions. Nothing is built here: a run uses the machine's own
//! programs whatever its environment, and only the bookkeeping is Domino's.

mod changes;
mod revision;
pub(crate) mod routes;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::id;
use crate::locked::Locked;
use crate::projects::Projects;
use crate::reply::{Failure, Put};
use crate::seed::Seed;
pub(crate) use revision::{Revision, RevisionSpec};

/// An environment with its revisions, oldest first. The active one is not the latest unless somebody makes it so; a
/// client that confuses the two is noticed.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) id: String,
    pub(crate) name: String,
    is_archived: AtomicBool,
    revisions: Locked<Vec<Revision>>,
    /// The position of the active one among them.
    active: AtomicUsize,
    /// The position of the one that restricted projects use, if there is one.
    restricted: Locked<Option<usize>>,
}

/// Every compute environment, with the projects whose members may list them.
pub(crate) struct Environments {
    all: Locked<Vec<Arc<Environment>>>,
    projects: Arc<Projects>,
}

impl Environment {
    /// An environment with this many revisions, the middle one of which is active.
    fn new(id: String, name: &str, is_archived: bool, revisions: usize) -> Arc<Self> {
        let revision = |number| Revision {
            id: id::object_id(),
            number,
        };
        Arc::new(Environment {
            id,
            name: name.to_owned(),
            is_archived: AtomicBool::new(is_archived),
            revisions: Locked::new((1..=revisions).map(revision).collect()),
            active: AtomicUsize::new(revisions / 2),
            restricted: Locked::default(),
        })
    }

    pub(crate) fn is_archived(&self) -> bool {
        self.is_archived.load(Ordering::Relaxed)
    }

    fn revision_at(&self, place: usize) -> Revision {
        self.revisions.lock()[place].clone()
    }

    pub(crate) fn active(&self) -> Revision {
        self.revision_at(self.active.load(Ordering::Relaxed))
    }

    fn latest(&self) -> Revision {
        let revisions = self.revisions.lock();
        revisions[revisions.len() - 1].clone()
    }

    fn restricted(&self) -> Option<Revision> {
        let place = *self.restricted.lock();
        place.map(|place| self.revision_at(place))
    }

    /// The place of the revision with this id.
    fn place_of(&self, revision: &str) -> Result<usize, Failure> {
        let revisions = self.revisions.lock();
        let place = revisions.iter().position(|known| known.id == revision);
        place.ok_or_else(|| {
            Failure::not_found(format!("Environment revision {revision} was not found"))
        })
    }

    /// The revision that `spec` means here.
    pub(crate) fn revision(&self, spec: &RevisionSpec) -> Result<Revision, Failure> {
        match spec {
            RevisionSpec::Active => Ok(self.active()),
            RevisionSpec::Latest => Ok(self.latest()),
            RevisionSpec::Restricted => self.restricted().ok_or_else(|| {
                Failure::bad_request(format!(
                    "Environment {} has no restricted revision",
                    self.id
                ))
            }),
            RevisionSpec::Some(id) => match self.place_of(id) {
                Ok(place) => Ok(self.revision_at(place)),
                Err(_) => Err(Failure::bad_request(format!(
                    "Environment {} has no revision {id}",
                    self.id
                ))),
            },
        }
    }

    fn v4_details(&self, revision: &Revision) -> Value {
        let mut details = revision.v4_details(&self.id, &self.name);
        details["isRestricted"] = self.is_restricted(revision).into();
        details
    }

    fn v4_revision(&self, revision: &Revision, is_active: bool) -> Value {
        let mut json = revision.v4(is_active);
        json["isRestricted"] = self.is_restricted(revision).into();
        json
    }

    fn is_restricted(&self, revision: &Revision) -> bool {
        self.restricted().is_some_and(|one| one.id == revision.id)
    }

    fn v4_facts(&self) -> Value {
        json!({
            "id": self.id,
            "description": "",
            "archived": self.is_archived(),
            "name": self.name,
            "visibility": "Global",
            "supportedClusters": [],
            "isCurated": false,
        })
    }

    fn v4(&self) -> Value {
        let mut environment = self.v4_facts();
        environment["latestRevision"] = self.v4_revision(&self.latest(), false);
        environment["selectedRevision"] = self.v4_revision(&self.active(), true);
        environment["latestRevisionDetails"] = self.v4_details(&self.latest());
        environment
    }

    fn public(&self) -> Value {
        let mut json = json!({
            "id": self.id,
            "archived": self.is_archived(),
            "name": self.name,
            "visibility": "global",
            "supportedClusters": [],
            "rebuildOnBaseChanges": "never",
            "latestRevision": self.latest().public(),
            "selectedRevision": self.active().public(),
        });
        json.put(
            "restrictedRevision",
            self.restricted().map(|one| one.public()),
        );
        json
    }

    fn v4_useable(&self) -> Value {
        json!({
            "id": self.id,
            "archived": self.is_archived(),
            "name": self.name,
            "version": 2,
            "visibility": "Global",
            "supportedClusters": [],
            "isCurated": false,
            "activeRevisionNumber": self.active().number,
            "activeRevisionId": self.active().id,
        })
    }
}

impl Environments {
    /// The seed's environments; the first is the default, and there is always one.
    pub(crate) fn new(seed: &Seed, projects: Arc<Projects>) -> Self {
        let environment = |id: Option<&String>, name: &str, is_archived| {
            let id = id.cloned().unwrap_or_else(id::object_id);
            Environment::new(id, name, is_archived, 3)
        };
        let seeded = seed.environments.iter();
        let mut environments: Vec<_> = seeded
            .map(|seeded| environment(seeded.id.as_ref(), &seeded.name, seeded.archived))
            .collect();
        if environments
            .iter()
            .all(|environment| environment.is_archived())
        {
            environments.push(environment(None, "Domino Standard Environment", false));
        }
        Environments {
            all: Locked::new(environments),
            projects,
        }
    }

    pub(crate) fn default_environment(&self) -> Arc<Environment> {
        let all = self.all.lock();
        let default = all.iter().find(|environment| !environment.is_archived());
        default.unwrap_or(&all[0]).clone()
    }

    fn with_id(&self, id: &str) -> Option<Arc<Environment>> {
        let all = self.all.lock();
        all.iter().find(|environment| environment.id == id).cloned()
    }

    fn known(&self, id: &str) -> Result<Arc<Environment>, Failure> {
        self.with_id(id).ok_or_else(|| no_such_environment(id))
    }

    /// The environment that a run asks for, or the default one.
    pub(crate) fn for_run(&self, id: Option<&str>) -> Result<Arc<Environment>, Failure> {
        let Some(id) = id else {
            return Ok(self.default_environment());
        };
        match self.with_id(id) {
            None => Err(Failure::bad_request(format!(
                "Environment {id} does not exist"
            ))),
            Some(environment) if environment.is_archived() => Err(Failure::bad_request(format!(
                "Environment {id} is archived"
            ))),
            Some(environment) => Ok(environment),
        }
    }

    pub(crate) fn state(&self) -> Value {
        let all = self.all.lock();
        all.iter().map(|environment| environment.v4()).collect()
    }

    fn v4_all(&self) -> Vec<Value> {
        self.unarchived().iter().map(|one| one.v4()).collect()
    }

    fn unarchived(&self) -> Vec<Arc<Environment>> {
        let mut all = self.all.lock().clone();
        all.retain(|environment| !environment.is_archived());
        all
    }
}

fn no_such_environment(id: &str) -> Failure {
    Failure::not_found(format!("Environment {id} was not found"))
}
