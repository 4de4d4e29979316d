//! What a stage's Domino says, read in lists and side by side: eight requests for a stage with jobs, apps and one
//! model, and one more for each further endpoint.

use std::collections::BTreeMap;

use domino_core::api::apps::App;
use domino_core::api::jobs::Job as Run;
use domino_core::api::model_apis::{ListedModelApis, ModelApi, ModelApiVersion};
use domino_core::api::projects::Project;
use domino_core::api::schedules::ScheduledJob;
use domino_core::client::{ApiError, Reader};
use domino_core::deployment_marker::{EntityMarker, FoundMarker};
use domino_core::error::Result;
use futures_util::future::try_join_all;
use stage_file::{Stage, StageFile};

use super::places::Places;

/// The most endpoints unknown to the file that are searched for our marker.
const MOST_UNKNOWN: usize = 20;

/// What a stage's Domino says.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) file: &'a StageFile,
    pub(super) stage: &'a Stage,
    pub(super) apps: Vec<App>,
    /// Whether versions of an app have tags here, by which they are ours.
    pub(super) tags_apps: bool,
    pub(super) endpoints: Vec<Endpoint>,
    /// The newest runs, newest first.
    pub(super) runs: Vec<Run>,
    pub(super) schedules: Vec<ScheduledJob>,
    pub(super) places: Places,
    /// Accounts by id, as far as the lists name them.
    people: BTreeMap<String, String>,
}

/// An endpoint with its versions, newest first; those of other stages are not read.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) api: ModelApi,
    pub(super) versions: Vec<ModelApiVersion>,
}

impl<'a> Seen<'a> {
    /// Reads the project, then everything else side by side.
    pub(super) async fn look(
        reader: &Reader,
        file: &'a StageFile,
        stage: &'a Stage,
    ) -> Result<Self> {
        let project = Project::of_stage(reader, file, stage).await?;
        let names: Vec<String> = file
            .apps
            .iter()
            .map(|app| file.app_name(app, stage))
            .collect();
        let ((apps, all_apps), endpoints, runs, schedules, places) = tokio::try_join!(
            reader.read_apps(&project.id, &names),
            endpoints(reader, file, stage, &project),
            async {
                match file.jobs_of(stage).next() {
                    None => Ok(Vec::new()),
                    Some(_) => reader.newest_jobs(&project.id).await,
                }
            },
            reader.scheduled_jobs(&project.id),
            Places::look(reader, &project.id),
        )?;
        let mut seen = Self {
            file,
            stage,
            tags_apps: apps.capabilities().tags_versions,
            apps: all_apps,
            endpoints,
            runs,
            schedules,
            places,
            people: BTreeMap::new(),
        };
        seen.learn();
        Ok(seen)
    }

    /// Learns the names of accounts and data planes from replies that mention them.
    fn learn(&mut self) {
        for run in &self.runs {
            if let Some(by) = run.started_by.as_ref().filter(|by| !by.username.is_empty()) {
                self.people.insert(by.id.to_string(), by.username.clone());
            }
            if let Some(plane) = &run.data_plane {
                self.places.name_plane(&plane.id, &plane.name);
            }
        }
        for scheduled in &self.schedules {
            if let Some(name) = &scheduled.scheduled_by_user_name {
                let id = scheduled.definition.scheduled_by_user_id.to_string();
                self.people.insert(id, name.clone());
            }
        }
        for app in &self.apps {
            let name = app.version.as_ref().and_then(|v| v.publisher.clone());
            if let (Some(id), Some(name)) = (&app.publisher, name) {
                self.people.entry(id.clone()).or_insert(name);
            }
        }
    }

    /// The marker of an entity in this stage.
    pub(super) fn marker(&self, entity: &str) -> EntityMarker {
        EntityMarker::new(&self.stage.name, entity)
    }

    /// An account by its id: its name if one of the lists tells it.
    pub(super) fn person(&self, id: &str) -> String {
        match self.people.get(id) {
            Some(name) => name.clone(),
            None => format!("account {id}"),
        }
    }

    /// Whether this stage reports something with a marker that the file does not know: its own, and of stages that
    /// the file does not have, the first stage in that project.
    pub(super) fn answers_for(&self, marker: &EntityMarker) -> bool {
        if self
            .file
            .stages
            .iter()
            .any(|stage| stage.name == marker.stage)
        {
            return marker.stage == self.stage.name;
        }
        let same_place =
            |other: &&Stage| other.host == self.stage.host && other.project == self.stage.project;
        let first = self.file.stages.iter().find(same_place);
        first.is_some_and(|first| first.name == self.stage.name)
    }
}

impl Endpoint {
    /// The version that answers.
    pub(super) fn active(&self) -> Option<&ModelApiVersion> {
        let active = self.api.active.as_ref()?;
        self.versions.iter().find(|version| version.id == active.id)
    }

    /// Our marker on a version.
    pub(super) fn found_marker(
        &self,
        version: &ModelApiVersion,
        model: &EntityMarker,
    ) -> Option<FoundMarker> {
        FoundMarker::of(version, &self.api.description, model)
    }
}

/// The endpoints of the project. Versions are read for those of this stage and for those that the file does not know:
/// they may be ours and no longer in it.
async fn endpoints(
    reader: &Reader,
    file: &StageFile,
    stage: &Stage,
    project: &Project,
) -> Result<Vec<Endpoint>, ApiError> {
    let ListedModelApis { apis, all, .. } = reader.find_model_apis(project).await?;
    let names_in = |stage: &Stage| -> Vec<String> {
        let models = file.models.iter();
        models
            .map(|model| file.endpoint_name(model, stage))
            .collect()
    };
    let ours = names_in(stage);
    let known: Vec<String> = file.stages.iter().flat_map(names_in).collect();
    let (here, others): (Vec<ModelApi>, Vec<ModelApi>) =
        all.into_iter().partition(|api| ours.contains(&api.name));
    let unknown = others.into_iter().filter(|api| !known.contains(&api.name));
    let asked = here.into_iter().chain(unknown.take(MOST_UNKNOWN));
    let apis = &apis;
    try_join_all(asked.map(|api| async move {
        let versions = apis.versions(&api.id).await?;
        Ok(Endpoint { api, versions })
    }))
    .await
}
