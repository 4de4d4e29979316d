//! Finds our endpoint of a model even if it was renamed: by the marker in a version's description, otherwise by what
//! it serves and the account that created it.
//!
//! What is certainly ours is used. What may be ours, or may be hidden from this account, is named, and no second one
//! is created.

use crate::api::model_apis::{
    DeploymentStatus, ListedModelApis, MadeEndpoint, ModelApi, ModelApiSource, ModelApiVersion,
};
use crate::api::projects::Project;
use crate::client::Reader;
use crate::deployment_marker::{EntityMarker, FoundMarker};
use crate::error::{CommandError, Result};
use stage_file::{Model, ModelSource, ProjectName, Stage, StageFile};

/// Which endpoint is looked for, and among which.
#[derive(Debug, Clone, Copy)]
pub struct EndpointSearch<'a> {
    /// The stage file, whose other models are not ours here.
    pub file: &'a StageFile,
    /// The stage that the endpoint belongs to.
    pub stage: &'a Stage,
    /// The model that the endpoint serves.
    pub model: &'a Model,
    /// The endpoints of the stage's project.
    pub apis: &'a ListedModelApis,
}

/// The endpoint that was found to be ours.
#[derive(Debug, Clone)]
pub struct OwnEndpoint {
    /// The endpoint.
    pub api: ModelApi,
    /// How it was found, if it has another name.
    pub found_by: Option<&'static str>,
}

/// An endpoint of another name, with its versions.
struct Candidate<'a> {
    api: &'a ModelApi,
    versions: Vec<ModelApiVersion>,
}

impl EndpointSearch<'_> {
    /// The name that it should have.
    pub fn name(&self) -> String {
        self.file.endpoint_name(self.model, self.stage)
    }

    /// Looks for it. Versions are read only if no endpoint has its name.
    pub async fn find(&self) -> Result<Option<OwnEndpoint>> {
        if let Some(api) = self.named()? {
            return Ok(Some(api));
        }
        let mut candidates = Vec::new();
        for api in self.apis.all.iter().filter(|api| self.may_be_ours(api)) {
            let versions = self.apis.apis.versions(&api.id).await?;
            candidates.push(Candidate { api, versions });
        }
        let marker = EntityMarker::new(&self.stage.name, &self.model.name);
        let marked: Vec<&ModelApi> = candidates
            .iter()
            .filter(|candidate| candidate.is_of(&marker))
            .map(|candidate| candidate.api)
            .collect();
        match marked[..] {
            [] => {}
            [one] => return Ok(Some(OwnEndpoint::found(one, "its mark"))),
            _ => return Err(self.uncertain(&marked)),
        }
        let mut maybe: Vec<&ModelApi> = candidates
            .iter()
            .filter(|candidate| !self.is_marked(candidate) && self.serves_ours(candidate))
            .map(|candidate| candidate.api)
            .collect();
        if maybe.is_empty() {
            return Ok(None);
        }
        let user = self.apis.apis.reader().own_user().await?;
        let is_by_us = |api: &ModelApi| api.created_by.as_deref() == Some(user.id.as_str());
        maybe.retain(|api| api.created_by.is_none() || is_by_us(api));
        match maybe[..] {
            [] => Ok(None),
            [one] if is_by_us(one) && !self.may_be_anothers(&candidates) => Ok(Some(
                OwnEndpoint::found(one, "what it serves and its account"),
            )),
            _ => Err(self.uncertain(&maybe)),
        }
    }

    /// The endpoint with its name, and no other.
    pub fn named(&self) -> Result<Option<OwnEndpoint>, CommandError> {
        let named = endpoint_named(self.apis, &self.stage.project, &self.name())?;
        Ok(named.map(|api| OwnEndpoint {
            api: api.clone(),
            found_by: None,
        }))
    }

    /// Why none may be created: one that may be ours is hidden from this account. `beside` allows creating one if the
    /// hidden ones have other names.
    pub async fn check_hidden(
        &self,
        reader: &Reader,
        project: &Project,
        beside: bool,
    ) -> Result<()> {
        let name = self.name();
        let hidden = self.hidden(project);
        let (named, others): (Vec<_>, Vec<_>) =
            hidden.into_iter().partition(|made| made.name == name);
        if let Some(made) = named.first() {
            return Err(self.not_seen(reader, made).await);
        }
        let others: Vec<String> = others
            .iter()
            .filter(|made| !self.is_known(&made.name))
            .map(|made| format!("`{}` ({})", made.name, made.id))
            .collect();
        if beside || others.is_empty() {
            return Ok(());
        }
        let user = reader.own_user().await?.user_name;
        Err(CommandError::refused(format!(
            "there is no endpoint `{name}`, and this may be ours under another name, but user `{user}` may not see it: {}",
            others.join(", ")
        ))
        .hint(format!(
            "ask an owner to make `{user}` a collaborator of it with the role Editor; if it is not ours, give `--beside`"
        )))
    }

    /// A sentence that the endpoint exists and is hidden from this account, if so.
    pub fn hidden_words(&self, project: &Project) -> Option<String> {
        let name = self.name();
        let hidden = self.hidden(project);
        let made = hidden.iter().find(|made| made.name == name)?;
        Some(format!(
            "its endpoint `{name}` ({}) is there, but this account may not see it: it must be a collaborator of it",
            made.id
        ))
    }

    fn hidden(&self, project: &Project) -> Vec<&MadeEndpoint> {
        let made = self.apis.made.iter().flatten();
        made.filter(|made| made.project.id == project.id)
            .filter(|made| self.apis.all.iter().all(|api| api.id != made.id))
            .collect()
    }

    async fn not_seen(&self, reader: &Reader, made: &MadeEndpoint) -> CommandError {
        let user = match reader.own_user().await {
            Ok(user) => user.user_name,
            Err(error) => return error.into(),
        };
        CommandError::refused(format!(
            "endpoint `{}` ({}) is there, but user `{user}` may not see it",
            made.name, made.id
        ))
        .hint(format!(
            "ask an owner to make `{user}` a collaborator of it with the role Editor, in Domino under the endpoint's \
             settings; a second endpoint of the name is not created"
        ))
    }

    /// Whether the stage file has an endpoint of this name, in any stage.
    fn is_known(&self, name: &str) -> bool {
        let mut stages = self.file.stages.iter();
        stages.any(|stage| {
            let mut models = self.file.models.iter();
            models.any(|model| self.file.endpoint_name(model, stage) == name)
        })
    }

    fn may_be_ours(&self, api: &ModelApi) -> bool {
        let made = self.apis.made.as_ref();
        !self.is_known(&api.name)
            && made.is_none_or(|made| made.iter().any(|made| made.id == api.id))
    }

    /// Whether a version has the marker of any model of the stage file.
    fn is_marked(&self, candidate: &Candidate<'_>) -> bool {
        let mut stages = self.file.stages.iter();
        stages.any(|stage| {
            let mut models = self.file.models.iter();
            models.any(|model| candidate.is_of(&EntityMarker::new(&stage.name, &model.name)))
        })
    }

    fn serves_ours(&self, candidate: &Candidate<'_>) -> bool {
        let mut sources = candidate.versions.iter().filter_map(|v| v.source.as_ref());
        sources.any(|source| is_source_of(source, self.model))
    }

    /// Whether another model of the file, or the same model in another stage, serves the same and has no endpoint in
    /// the project where it belongs.
    fn may_be_anothers(&self, candidates: &[Candidate<'_>]) -> bool {
        let here = self.stage;
        let same_place = |stage: &&Stage| stage.host == here.host && stage.project == here.project;
        let served = |model: &Model| match (&model.source, &self.model.source) {
            (ModelSource::Registered { name, .. }, ModelSource::Registered { name: other, .. }) => {
                name == other
            }
            (one, other) => one == other,
        };
        self.file.stages.iter().filter(same_place).any(|stage| {
            let mut alike = self
                .file
                .models
                .iter()
                .filter(|model| served(model))
                .filter(|model| model.name != self.model.name || stage.name != here.name);
            alike.any(|model| {
                let name = self.file.endpoint_name(model, stage);
                let marker = EntityMarker::new(&stage.name, &model.name);
                !self.apis.all.iter().any(|api| api.name == name)
                    && !candidates.iter().any(|other| other.is_of(&marker))
            })
        })
    }

    fn uncertain(&self, maybe: &[&ModelApi]) -> CommandError {
        let name = self.name();
        let named: Vec<String> = maybe
            .iter()
            .map(|api| format!("`{}` ({})", api.name, api.id))
            .collect();
        let key = format!("[model.{}.stage.{}]", self.model.name, self.stage.name);
        CommandError::refused(format!(
            "there is no endpoint `{name}`, and this may be ours under another name: {}",
            named.join(", ")
        ))
        .hint(format!(
            "if it is, rename it to `{name}` in Domino, or write its name as `endpoint` under `{key}`; if not, give \
             `--beside` to `publish`"
        ))
    }
}

impl OwnEndpoint {
    fn found(api: &ModelApi, by: &'static str) -> Self {
        Self {
            api: api.clone(),
            found_by: Some(by),
        }
    }
}

impl Candidate<'_> {
    fn is_of(&self, marker: &EntityMarker) -> bool {
        let description = &self.api.description;
        let mut versions = self.versions.iter();
        versions.any(|version| FoundMarker::of(version, description, marker).is_some())
    }
}

/// The registered model that a model of the stage file is created from; a function has none.
pub fn registered_name(model: &Model) -> Option<&str> {
    match &model.source {
        ModelSource::Registered { name, .. } => Some(name),
        ModelSource::Function { .. } => None,
    }
}

/// The endpoint with a name. Two with one name are an error: nobody could say which one serves. If Domino cannot
/// delete one, all but one may be stopped: those were rolled back by the step that created them.
pub fn endpoint_named<'a>(
    apis: &'a ListedModelApis,
    project: &ProjectName,
    name: &str,
) -> Result<Option<&'a ModelApi>, CommandError> {
    let named: Vec<&ModelApi> = apis.all.iter().filter(|api| api.name == name).collect();
    if named.len() < 2 {
        return Ok(named.first().copied());
    }
    if !apis.apis.capabilities().archives {
        let is_up = |api: &&ModelApi| {
            let deployment = api.active.as_ref().and_then(|it| it.deployment.as_ref());
            deployment.is_some_and(|it| it.status != DeploymentStatus::Stopped)
        };
        let mut up = named.iter().copied().filter(is_up);
        if let (Some(one), None) = (up.next(), up.next()) {
            return Ok(Some(one));
        }
    }
    let ids: Vec<String> = named.iter().map(|api| format!("`{}`", api.id)).collect();
    Err(CommandError::refused(format!(
        "{} endpoints of project `{project}` are called `{name}`: {}",
        named.len(),
        ids.join(", ")
    ))
    .hint("archive all but one of them in Domino, or give the model another `endpoint` name in stages.toml"))
}

fn is_source_of(source: &ModelApiSource, model: &Model) -> bool {
    match (source, &model.source) {
        (ModelApiSource::Registered { name, .. }, ModelSource::Registered { name: ours, .. }) => {
            name == ours
        }
        (
            ModelApiSource::Function { file, function },
            ModelSource::Function {
                file: our_file,
                function: our_function,
            },
        ) => file == our_file && function == our_function,
        _ => false,
    }
}
