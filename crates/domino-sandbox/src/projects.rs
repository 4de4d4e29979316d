//! Projects: git-based all of them, their code the repository the sandbox was started for.
//! What runs in a project is kept by the nouns that run.

mod changes;
mod file_routes;
mod files;
mod members;
mod role;
pub(crate) mod routes;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use self::files::ProjectFiles;
use self::role::ProjectRole;
use crate::checkout::NoCode;
use crate::clock::Moment;
use crate::id;
use crate::locked::Locked;
use crate::reply::Failure;
use crate::repository::MainRepository;
use crate::request::object_id;
use crate::seed::Seed;
use crate::users::{User, Users};

#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) id: String,
    /// People may change it; the id is what stays.
    name: Locked<String>,
    pub(crate) owner: String,
    pub(crate) owner_id: String,
    /// The ids of the users who work in it besides its owner, and in which role.
    collaborators: Locked<Vec<(String, ProjectRole)>>,
    /// The commit with which Domino's own file system begins, which holds no code in a git-based project.
    pub(crate) commit_id: String,
    pub(crate) repository: MainRepository,
    /// The ids of the users who have a git credential for its code; `None` where nobody needs one.
    openers: Option<Locked<Vec<String>>>,
    stage_id: String,
    created: Moment,
    description: String,
    visibility: String,
    /// The ids and names of its tags.
    tags: Locked<Vec<(String, String)>>,
    files: Locked<ProjectFiles>,
    /// Archived: no longer found by anybody.
    is_archived: AtomicBool,
}

/// Every project, with what a new one gets.
pub(crate) struct Projects {
    all: Locked<Vec<Arc<Project>>>,
    repository: MainRepository,
    stage_id: String,
}

/// What a new project is to be.
struct NewProject {
    name: String,
    description: String,
    visibility: String,
    collaborators: Vec<(String, ProjectRole)>,
    tags: Vec<String>,
    /// Where its code is said to be; that of the sandbox's repository is what runs.
    repository: Option<String>,
}

impl NewProject {
    /// One that nobody but its owner sees.
    fn private(name: &str) -> Self {
        NewProject {
            name: name.to_owned(),
            description: String::new(),
            visibility: "Private".to_owned(),
            collaborators: Vec::new(),
            tags: Vec::new(),
            repository: None,
        }
    }
}

impl Project {
    /// A project of the owner with this name and id.
    fn new(
        new: NewProject,
        (owner, owner_id): (&str, &str),
        repository: &MainRepository,
        stage_id: &str,
        created: Moment,
    ) -> Arc<Self> {
        let project = Project {
            id: id::object_id(),
            name: Locked::new(new.name),
            owner: owner.to_owned(),
            owner_id: owner_id.to_owned(),
            collaborators: Locked::new(new.collaborators),
            commit_id: id::commit_id(),
            openers: new.repository.as_ref().map(|_| Locked::default()),
            repository: match new.repository {
                Some(uri) => MainRepository::at(uri),
                None => repository.clone(),
            },
            stage_id: stage_id.to_owned(),
            created,
            description: new.description,
            visibility: new.visibility,
            tags: Locked::default(),
            files: Locked::default(),
            is_archived: AtomicBool::new(false),
        };
        project.add_tags(new.tags);
        Arc::new(project)
    }

    /// Adds tags of these names, unless it has them, and tells the last.
    fn add_tags(&self, names: Vec<String>) -> Option<Value> {
        let mut tags = self.tags.lock();
        let mut last = None;
        for name in names {
            let known = tags.iter().find(|(_, known)| *known == name).cloned();
            let (id, name) = known.unwrap_or_else(|| {
                tags.push((id::object_id(), name.clone()));
                tags[tags.len() - 1].clone()
            });
            last = Some(tag(&id, &name));
        }
        last
    }

    /// From now on this user's runs get its code.
    pub(crate) fn is_opened_to(&self, user_id: &str) {
        if let Some(openers) = &self.openers {
            openers.lock().push(user_id.to_owned());
        }
    }

    /// Why git gets no code for this user: somebody else's repository is private, and no credential is mapped to it.
    pub(crate) fn opens_to(&self, user_id: &str) -> Result<(), NoCode> {
        let is_open = match &self.openers {
            None => true,
            Some(openers) => openers.lock().iter().any(|id| id == user_id),
        };
        is_open.then_some(()).ok_or_else(|| {
            let (host, _) = self.repository.host_and_path();
            NoCode(match host.split_once('@') {
                None => format!(
                    "fatal: could not read Username for 'https://{host}': terminal prompts disabled"
                ),
                Some(_) => format!("{host}: Permission denied (publickey)."),
            })
        })
    }

    /// The commits of its own files, newest first.
    fn commits(&self) -> Vec<String> {
        let files = self.files.lock();
        let first = std::iter::once(&self.commit_id);
        files.commits().chain(first).cloned().collect()
    }

    /// Whether a commit of its own files has this one.
    pub(crate) fn has_file(&self, path: &str, commit: &str) -> bool {
        self.files.lock().has(path, commit)
    }

    pub(crate) fn name(&self) -> String {
        self.name.lock().clone()
    }

    fn collaborators(&self) -> Vec<(String, ProjectRole)> {
        self.collaborators.lock().clone()
    }

    fn is_collaborator(&self, user_id: &str) -> bool {
        self.collaborators
            .lock()
            .iter()
            .any(|(id, _)| id == user_id)
    }

    pub(crate) fn rename(&self, name: &str) {
        name.clone_into(&mut self.name.lock());
    }

    fn is_archived(&self) -> bool {
        self.is_archived.load(Ordering::Relaxed)
    }

    fn tags(&self) -> Vec<Value> {
        let tags = self.tags.lock();
        tags.iter().map(|(id, name)| tag(id, name)).collect()
    }

    /// Whether `user` may look at the project, and so start things in it.
    fn is_seen_by(&self, user: &User) -> bool {
        user.is_admin() || user.name == self.owner || self.is_collaborator(&user.id)
    }

    fn role_of(&self, user: &User) -> &'static str {
        if user.is_admin() {
            "Admin"
        } else if user.name == self.owner {
            "Owner"
        } else {
            "Contributor"
        }
    }

    pub(crate) fn v4(&self) -> Value {
        let collaborators: Vec<Value> = self
            .collaborators()
            .iter()
            .map(|(id, role)| json!({ "collaboratorId": id, "projectRole": role.v4() }))
            .collect();
        json!({
            "id": self.id,
            "name": self.name(),
            "description": self.description,
            "created": self.created.rfc3339(),
            "visibility": self.visibility,
            "ownerId": self.owner_id,
            "ownerUsername": self.owner,
            "mainRepository": {
                "id": self.repository.id,
                "uri": self.repository.uri,
                "defaultRef": { "type": "head" },
                "name": self.repository.name,
                "serviceProvider": self.repository.v4_provider(),
            },
            "importedGitRepositories": [],
            "collaboratorIds": self.collaborators().into_iter().map(|(id, _)| id).collect::<Vec<_>>(),
            "collaborators": collaborators,
            "tags": self.tags(),
            "stageId": self.stage_id,
            "status": { "status": "active", "isBlocked": false },
            "projectType": "Analytic",
        })
    }

    fn public(&self) -> Value {
        let collaborators: Vec<Value> = self
            .collaborators()
            .iter()
            .map(|(id, role)| json!({ "id": id, "role": role.public() }))
            .collect();
        json!({
            "id": self.id,
            "name": self.name(),
            "description": self.description,
            "ownerId": self.owner_id,
            "ownerUsername": self.owner,
            "visibility": if self.visibility.is_empty() { "Private" } else { &self.visibility },
            "isRestricted": false,
            "collaborators": collaborators,
            "mainRepository": {
                "id": self.repository.id,
                "uri": self.repository.uri,
                "defaultRef": { "refType": "Head" },
                "name": self.repository.name,
                "serviceProvider": self.repository.public_provider(),
            },
        })
    }
}

impl Projects {
    pub(crate) fn new(seed: &Seed, users: &Users, repository: &Path, created: Moment) -> Self {
        let repository = MainRepository::of(repository);
        let stage_id = id::object_id();
        let projects = seed.projects.iter().map(|seeded| {
            let all = users.all();
            let others = all.iter().filter(|user| user.name != seeded.owner);
            let collaborators = others.filter(|_| seeded.shared);
            let new = NewProject {
                collaborators: collaborators
                    .map(|user| (user.id.clone(), ProjectRole::Contributor))
                    .collect(),
                ..NewProject::private(&seeded.name)
            };
            let owner_id = users.owner_id(&seeded.owner).unwrap_or_default();
            let owner = (seeded.owner.as_str(), owner_id.as_str());
            Project::new(new, owner, &repository, &stage_id, created)
        });
        Projects {
            all: Locked::new(projects.collect()),
            repository,
            stage_id,
        }
    }

    /// Those that are not archived, oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Project>> {
        let all = self.all.lock();
        all.iter()
            .filter(|project| !project.is_archived())
            .cloned()
            .collect()
    }

    fn found(&self, wanted: impl Fn(&Project) -> bool) -> Option<Arc<Project>> {
        self.all().into_iter().find(|project| wanted(project))
    }

    /// The project `owner/name`.
    pub(crate) fn named(&self, owner: &str, name: &str) -> Option<Arc<Project>> {
        self.found(|project| project.owner == owner && project.name() == name)
    }

    /// The project with this id, if it exists and `user` may see it.
    pub(crate) fn seen_by(&self, user: &User, id: &str) -> Result<Arc<Project>, Failure> {
        object_id("projectId", id)?;
        let project = self.found(|project| project.id == id);
        let project =
            project.ok_or_else(|| Failure::not_found(format!("Project {id} was not found")))?;
        allowed(user, project)
    }

    /// The project `owner/name`, if it exists and `user` may see it.
    pub(crate) fn named_seen_by(
        &self,
        user: &User,
        owner: &str,
        name: &str,
    ) -> Result<Arc<Project>, Failure> {
        let project = self.named(owner, name);
        let project = project
            .ok_or_else(|| Failure::not_found(format!("Project {owner}/{name} was not found")))?;
        allowed(user, project)
    }

    pub(crate) fn state(&self) -> Value {
        let told = |project: &Arc<Project>| {
            let mut told = project.v4();
            told["files"] = project.files.lock().state();
            told
        };
        self.all().iter().map(told).collect()
    }

    fn visible(&self, user: &User) -> Vec<Arc<Project>> {
        let mut all = self.all();
        all.retain(|project| project.is_seen_by(user));
        all
    }
}

fn tag(id: &str, name: &str) -> Value {
    json!({ "id": id, "name": name, "isApproved": false })
}

fn allowed(user: &User, project: Arc<Project>) -> Result<Arc<Project>, Failure> {
    if project.is_seen_by(user) {
        Ok(project)
    } else {
        Err(Failure::forbidden(format!(
            "The current user is not authorized to access project {}",
            project.id
        )))
    }
}
