//! What a sandbox holds before the first request: users, organisations, projects, data planes,
//! hardware tiers and environments. Ids and everything that runs come later, from the nouns' own files.

mod stage_file;

/// The people and things that a sandbox starts with.
///
/// Every seed has the users `author`, `approver` and the service account `ci-bot`, and a local data plane. The
/// methods add to it, so that a test describes its Domino in one line.
#[derive(Clone, Debug)]
pub struct Seed {
    pub(crate) users: Vec<UserSeed>,
    pub(crate) organizations: Vec<String>,
    pub(crate) projects: Vec<ProjectSeed>,
    pub(crate) data_planes: Vec<String>,
    pub(crate) hardware_tiers: Vec<HardwareTierSeed>,
    pub(crate) environments: Vec<EnvironmentSeed>,
    /// Their names; one that is an id is a volume of that id.
    pub(crate) external_volumes: Vec<String>,
    pub(crate) policies: Vec<PolicySeed>,
    /// The names of endpoints that a person switches to routing by labels as soon as they are made.
    pub(crate) routed_by_label: Vec<String>,
}

/// A person or service account.
#[derive(Clone, Debug)]
pub(crate) struct UserSeed {
    pub(crate) name: String,
    pub(crate) kind: UserKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserKind {
    Practitioner,
    ServiceAccount,
    Admin,
}

/// A project and who may work in it.
#[derive(Clone, Debug)]
pub(crate) struct ProjectSeed {
    pub(crate) owner: String,
    pub(crate) name: String,
    /// Whether every user is a collaborator, or only the owner may see it.
    pub(crate) shared: bool,
}

/// A hardware tier to seed; `id` and `name` are free text, and names need not be unique.
#[derive(Clone, Debug)]
pub struct HardwareTierSeed {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data_plane: Option<String>,
    pub(crate) for_model_apis: bool,
    pub(crate) archived: bool,
}

impl HardwareTierSeed {
    /// A tier of the local data plane for jobs and apps.
    pub fn new(id: &str, name: &str) -> Self {
        HardwareTierSeed {
            id: id.to_owned(),
            name: name.to_owned(),
            data_plane: None,
            for_model_apis: false,
            archived: false,
        }
    }

    /// The tier belongs to the data plane of this name, which is added if it is new.
    pub fn on(mut self, data_plane: &str) -> Self {
        self.data_plane = Some(data_plane.to_owned());
        self
    }

    /// The tier is for model APIs, and cannot be used for jobs.
    pub fn for_model_apis(mut self) -> Self {
        self.for_model_apis = true;
        self
    }

    /// The tier is archived: listed on request, but not usable.
    pub fn archived(mut self) -> Self {
        self.archived = true;
        self
    }
}

/// A governance policy to seed: its stages, each with one approval, and who may give it.
#[derive(Clone, Debug)]
pub struct PolicySeed {
    /// The id, where the seed has to have a certain one.
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) stages: Vec<String>,
    /// What its first stage asks.
    pub(crate) questions: Vec<String>,
    /// The stage whose approval opens the gate; every one's without it.
    pub(crate) opens_after: Option<String>,
    pub(crate) approvers: Vec<String>,
    /// What its gate keeps closed.
    pub(crate) guards: Vec<String>,
}

impl PolicySeed {
    /// A policy with the one stage `Review`, approved by the user `approver`.
    pub fn new(name: &str) -> Self {
        PolicySeed {
            id: None,
            name: name.to_owned(),
            stages: vec!["Review".to_owned()],
            questions: Vec::new(),
            opens_after: None,
            approvers: vec!["approver".to_owned()],
            guards: vec!["CreateEndpoint".to_owned()],
        }
    }

    /// The policy has these stages instead.
    pub fn stages(mut self, names: &[&str]) -> Self {
        self.stages = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// Its first stage asks these questions.
    pub fn asks(mut self, questions: &[&str]) -> Self {
        self.questions = questions.iter().map(|text| (*text).to_owned()).collect();
        self
    }

    /// Its gate opens once this stage and those before are approved.
    pub fn opens_after(mut self, stage: &str) -> Self {
        self.opens_after = Some(stage.to_owned());
        self
    }

    /// Its gate keeps apps closed as well, when they are created and when they are started.
    pub fn guards_apps(mut self) -> Self {
        self.guards.push("CreateApp".to_owned());
        self
    }

    /// These users approve instead.
    pub fn approvers(mut self, user_names: &[&str]) -> Self {
        self.approvers = user_names.iter().map(|name| (*name).to_owned()).collect();
        self
    }
}

#[derive(Clone, Debug)]
pub(crate) struct EnvironmentSeed {
    /// The id, where the seed has to have a certain one.
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) archived: bool,
}

impl Seed {
    /// The three users and the local data plane, and nothing else.
    pub fn bare() -> Self {
        let user = |name: &str, kind| UserSeed {
            name: name.to_owned(),
            kind,
        };
        Seed {
            users: vec![
                user("author", UserKind::Practitioner),
                user("approver", UserKind::Practitioner),
                user("ci-bot", UserKind::ServiceAccount),
            ],
            organizations: Vec::new(),
            projects: Vec::new(),
            data_planes: Vec::new(),
            hardware_tiers: Vec::new(),
            environments: Vec::new(),
            external_volumes: Vec::new(),
            policies: Vec::new(),
            routed_by_label: Vec::new(),
        }
    }

    /// Adds a user who may work in every shared project.
    pub fn user(self, name: &str) -> Self {
        self.with_user(name, UserKind::Practitioner)
    }

    /// Adds a system administrator, who may see and list everything.
    pub fn admin(self, name: &str) -> Self {
        self.with_user(name, UserKind::Admin)
    }

    fn with_user(mut self, name: &str, kind: UserKind) -> Self {
        let name = name.to_owned();
        self.users.push(UserSeed { name, kind });
        self
    }

    /// Adds a project `owner/name` in which every user works. An owner who is not a user is an
    /// organisation.
    pub fn project(mut self, owner_and_name: &str) -> Self {
        self.add_project(owner_and_name, true);
        self
    }

    /// Adds a project `owner/name` that nobody but its owner may see.
    pub fn private_project(mut self, owner_and_name: &str) -> Self {
        self.add_project(owner_and_name, false);
        self
    }

    fn add_project(&mut self, owner_and_name: &str, shared: bool) {
        let (owner, name) = owner_and_name
            .split_once('/')
            .unwrap_or(("author", owner_and_name));
        let known = |project: &ProjectSeed| project.owner == owner && project.name == name;
        if self.projects.iter().any(known) {
            return;
        }
        if !self.users.iter().any(|user| user.name == owner)
            && !self.organizations.iter().any(|known| known == owner)
        {
            self.organizations.push(owner.to_owned());
        }
        self.projects.push(ProjectSeed {
            owner: owner.to_owned(),
            name: name.to_owned(),
            shared,
        });
    }

    /// Adds a data plane.
    pub fn data_plane(mut self, name: &str) -> Self {
        self.add_data_plane(name);
        self
    }

    fn add_data_plane(&mut self, name: &str) {
        if !self.data_planes.iter().any(|known| known == name) {
            self.data_planes.push(name.to_owned());
        }
    }

    /// Adds a hardware tier, and its data plane when that is new.
    pub fn hardware_tier(mut self, tier: HardwareTierSeed) -> Self {
        if let Some(data_plane) = &tier.data_plane {
            self.add_data_plane(data_plane);
        }
        self.hardware_tiers.push(tier);
        self
    }

    /// Adds a hardware tier of this name for runs, or for model APIs, unless it is there.
    pub(crate) fn tier_named(
        mut self,
        name: &str,
        data_plane: Option<&str>,
        for_model_apis: bool,
    ) -> Self {
        self.add_tier(name, data_plane, for_model_apis);
        self
    }

    /// Adds a tier under an id that differs from its name, so that a name sent in place of an id is refused here as
    /// it would be by a Domino. The first data plane named for a tier keeps it.
    fn add_tier(&mut self, name: &str, plane: Option<&str>, for_model_apis: bool) {
        let known =
            |tier: &HardwareTierSeed| tier.name == name && tier.for_model_apis == for_model_apis;
        if self.hardware_tiers.iter().any(known) {
            return;
        }
        let slug: String = name
            .to_lowercase()
            .chars()
            .map(|letter| {
                if letter.is_alphanumeric() {
                    letter
                } else {
                    '-'
                }
            })
            .collect();
        let suffix = if for_model_apis { "model-k8s" } else { "k8s" };
        let mut tier = HardwareTierSeed::new(&format!("{slug}-{suffix}"), name);
        tier.for_model_apis = for_model_apis;
        tier.data_plane = plane.map(str::to_owned);
        if let Some(plane) = plane {
            self.add_data_plane(plane);
        }
        self.hardware_tiers.push(tier);
    }

    /// Adds a compute environment.
    pub fn environment(mut self, name: &str) -> Self {
        self.add_environment(name, false);
        self
    }

    /// Adds an archived compute environment, which nothing may use.
    pub fn archived_environment(mut self, name: &str) -> Self {
        self.add_environment(name, true);
        self
    }

    /// Adds an external volume, which every project may mount.
    fn add_external_volume(&mut self, name: &str) {
        if !self.external_volumes.iter().any(|known| known == name) {
            self.external_volumes.push(name.to_owned());
        }
    }

    /// The same without any project: one in which nobody has begun yet.
    pub fn without_projects(mut self) -> Self {
        self.projects.clear();
        self
    }

    /// The same without any service account, such as `ci-bot`.
    pub fn without_service_accounts(mut self) -> Self {
        self.users
            .retain(|user| user.kind != UserKind::ServiceAccount);
        self
    }

    /// Adds a governance policy. A seed without any gets one named `Model promotion`.
    pub fn policy(mut self, policy: PolicySeed) -> Self {
        self.policies.push(policy);
        self
    }

    fn add_environment(&mut self, name: &str, archived: bool) {
        self.environments.push(EnvironmentSeed {
            id: None,
            name: name.to_owned(),
            archived,
        });
    }
}

/// The built-in sample: one project, three data planes, a tier of each kind on each.
impl Default for Seed {
    fn default() -> Self {
        let mut seed = Seed::bare()
            .project("author/quick-start")
            .environment("Domino Standard Environment")
            .hardware_tier(HardwareTierSeed::new("small-k8s", "Small"));
        for stage in ["dev", "staging", "prod"] {
            let plane = format!("{stage}-plane");
            let jobs =
                HardwareTierSeed::new(&format!("{stage}-small-k8s"), &format!("{stage}-small"));
            let models = HardwareTierSeed::new(
                &format!("{stage}-endpoint-k8s"),
                &format!("{stage}-endpoint"),
            );
            seed = seed
                .hardware_tier(jobs.on(&plane))
                .hardware_tier(models.on(&plane).for_model_apis());
        }
        seed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_who_is_no_user_is_an_organisation() {
        let seed = Seed::bare()
            .project("wine-team/quality")
            .project("author/own");
        assert_eq!(seed.organizations, ["wine-team"]);
        assert_eq!(seed.projects.len(), 2);
    }

    #[test]
    fn the_same_project_is_seeded_once() {
        let seed = Seed::bare().project("a/b").project("a/b");
        assert_eq!(seed.projects.len(), 1);
    }

    #[test]
    fn a_tier_brings_its_data_plane() {
        let tier = HardwareTierSeed::new("large-k8s", "large").on("prod-plane");
        assert_eq!(Seed::bare().hardware_tier(tier).data_planes, ["prod-plane"]);
    }
}
