//! Where an entity runs in a stage: the hardware tier, its data plane, and the compute environment, found among
//! what Domino has and checked against the stage file.

use crate::api::environments::{Environment, RevisionSpec};
use crate::api::external_volumes::ExternalVolume;
use crate::api::hardware_tiers::{HardwareTier, TierUse};
use crate::api::projects::Project;
use crate::choice::{choose, named};
use crate::client::Reader;
use crate::error::{CommandError, Exit, Result};
use crate::run_settings::{Choices, ResolvedSettings};
use crate::step::Plan;
use stage_file::{Kind, ProjectName, Stage, StageFile, Target};

impl Project {
    /// The project of a stage. It must exist, and use git: a commit of a project on Domino's own file system is not
    /// the repository's.
    pub async fn of_stage(reader: &Reader, file: &StageFile, stage: &Stage) -> Result<Self> {
        let key = ["stage", stage.name.as_str(), "project"];
        let found = match reader.project(&stage.project).await {
            Ok(found) => found,
            Err(error) if error.status() == Some(reqwest::StatusCode::FORBIDDEN) => {
                let known = nearest(&stage.project, &reader.known_projects().await);
                let failure = CommandError::refused(format!("cannot see project `{}`", stage.project))
                    .hint(format!(
                        "it is not there, or the account of the credential is no collaborator of it; {known}"
                    ))
                    .at(file, &key);
                return Err(CommandError::from(error).context(failure));
            }
            Err(error) => return Err(error.into()),
        };
        let Some(project) = found else {
            let known = reader.known_projects().await;
            let hint = nearest(&stage.project, &known);
            let failure = CommandError::refused(format!(
                "there is no project `{}` for this account",
                stage.project
            ));
            return Err(failure.hint(hint).at(file, &key));
        };
        if project.repository.is_none() {
            return Err(CommandError::refused(format!("project `{}` is not based on git", stage.project))
                .hint("only a git-based project can run an exact commit; make one from the repository in Domino")
                .at(file, &key));
        }
        Ok(project)
    }
}

fn nearest(wanted: &ProjectName, known: &[ProjectName]) -> String {
    let mut names: Vec<String> = known.iter().map(ToString::to_string).collect();
    let wanted = wanted.to_string();
    names.sort_by_cached_key(|name| {
        std::cmp::Reverse((strsim::jaro_winkler(name, &wanted) * 1_000_000.0) as u64)
    });
    names.dedup();
    names.truncate(5);
    match names.is_empty() {
        true => "the account is in no project; add it as a collaborator in Domino".into(),
        false => format!("the account sees `{}`", names.join("`, `")),
    }
}

/// Where an entity runs. `None` means the project's default.
#[derive(Debug, Clone)]
pub struct ResolvedPlacement {
    /// The hardware tier.
    pub tier: Option<HardwareTier>,
    /// The compute environment and the revision of it.
    pub environment: Option<(Environment, RevisionSpec)>,
    /// What a run has beside that.
    pub settings: ResolvedSettings,
}

impl ResolvedPlacement {
    /// Asks Domino, side by side, for what the target names, and chooses it.
    pub async fn find(
        reader: &Reader,
        file: &StageFile,
        stage: &Stage,
        kind: Kind,
        project: &Project,
        target: &Target,
    ) -> Result<Self> {
        let r#use = match kind {
            Kind::Job | Kind::App => TierUse::Runs,
            Kind::Model => TierUse::ModelEndpoints,
        };
        let settings = &target.settings;
        let has_cluster = settings.cluster.is_some();
        let (tiers, environments, volumes) = tokio::try_join!(
            async {
                match target.hardware_tier.is_some() || has_cluster {
                    true => reader.hardware_tiers(&project.id, r#use).await,
                    false => Ok(Vec::new()),
                }
            },
            async {
                match target.environment.is_some() || has_cluster {
                    true => reader.environments(&project.id).await,
                    false => Ok(Vec::new()),
                }
            },
            async {
                match &settings.volumes.external {
                    Some(wanted) if !wanted.is_empty() => {
                        reader.external_volumes(&project.id).await
                    }
                    _ => Ok(Vec::new()),
                }
            }
        )?;
        let tier = match &target.hardware_tier {
            Some(wanted) => {
                let tier = choose(&tiers, wanted, "hardware tier")
                    .map_err(|f| f.at(file, &target.hardware_tier_key))?;
                check_data_plane(file, stage, tier, &target.hardware_tier_key)?;
                Some(tier.clone())
            }
            None => None,
        };
        let environment = match &target.environment {
            Some(wanted) => {
                let environment = choose(&environments, &wanted.id_or_name, "compute environment")
                    .map_err(|f| f.at(file, &target.environment_key))?;
                Some((environment.clone(), RevisionSpec::from(&wanted.revision)))
            }
            None => None,
        };
        let choices = Choices {
            volumes: &volumes,
            tiers: &tiers,
            environments: &environments,
        };
        let key = |key: &[&str]| file.entity_key(kind, &target.entity, stage, key);
        let settings = ResolvedSettings::find(settings, &choices, |tier, at| {
            check_data_plane(file, stage, tier, &key(at))
        });
        let settings = settings.map_err(|(at, error)| error.at(file, &key(at)))?;
        if let (Some(volumes), Some(tier)) = (&settings.volumes, &tier) {
            check_volumes(file, volumes, tier, &key(&["volumes"]))?;
        }
        Ok(Self {
            tier,
            environment,
            settings,
        })
    }

    /// Adds what was found to a plan.
    pub fn describe(&self, plan: &mut Plan) {
        match &self.tier {
            Some(tier) => {
                plan.fact("hardware tier", named(tier));
                if let Some(plane) = &tier.data_plane {
                    let health = if plane.is_healthy {
                        ""
                    } else {
                        ", not healthy according to Domino"
                    };
                    plan.fact("data plane", format!("{}{health}", plane.name));
                }
            }
            None => {
                plan.fact("hardware tier", "the project's default");
            }
        }
        match &self.environment {
            Some((environment, spec)) => {
                let revision = match spec {
                    RevisionSpec::One { revision_id } => format!(", revision {revision_id}"),
                    RevisionSpec::Active => match environment.active_revision_number {
                        Some(number) => format!(", active revision {number}"),
                        None => String::new(),
                    },
                    RevisionSpec::Latest => ", LatestRevision".into(),
                    RevisionSpec::Other(word) => format!(", {word}"),
                };
                plan.fact("environment", format!("{}{revision}", named(environment)));
            }
            None => {
                plan.fact("environment", "the project's default");
            }
        }
        self.settings.describe(plan);
    }
}

/// The hardware tier alone decides the data plane, so a tier of another data plane is a wrong target. A stage file
/// that names a data plane also names a tier for everything deployed there, by the rule `data-plane`.
fn check_data_plane(
    file: &StageFile,
    stage: &Stage,
    tier: &HardwareTier,
    tier_key: &[String],
) -> Result<(), CommandError> {
    let Some(wanted) = &stage.data_plane else {
        return Ok(());
    };
    let plane_key = ["stage", stage.name.as_str(), "data-plane"];
    let Some(plane) = &tier.data_plane else {
        return Err(CommandError::refused(format!(
            "Domino does not tell which data plane hardware tier `{}` stands on, but stage `{}` is data plane \
             `{wanted}`",
            tier.name, stage.name
        ))
        .hint(format!(
            "where Domino does not tell, nothing can be checked: take {} away",
            file.place_of(&plane_key)
        ))
        .at(file, &plane_key));
    };
    if plane.id == *wanted || plane.name == *wanted {
        return Ok(());
    }
    Err(CommandError::new(
        Exit::Refused,
        format!(
            "hardware tier `{}` stands on data plane `{}`, but stage `{}` is data plane `{wanted}`",
            tier.name, plane.name, stage.name
        ),
    )
    .hint(format!(
        "change {}, or {}",
        file.place_of(tier_key),
        file.place_of(&plane_key)
    ))
    .at(file, tier_key))
}

/// A volume that the tier's data plane cannot mount would leave the run waiting.
fn check_volumes(
    file: &StageFile,
    volumes: &[ExternalVolume],
    tier: &HardwareTier,
    key: &[String],
) -> Result<(), CommandError> {
    let Some(plane) = &tier.data_plane else {
        return Ok(());
    };
    for volume in volumes {
        let planes = &volume.data_planes;
        if planes.is_empty() || planes.iter().any(|known| known.id == plane.id) {
            continue;
        }
        let names: Vec<&str> = planes.iter().map(|plane| plane.name.as_str()).collect();
        return Err(CommandError::refused(format!(
            "external volume `{}` is of data plane `{}`, and hardware tier `{}` stands on `{}`",
            volume.name,
            names.join("`, `"),
            tier.name,
            plane.name
        ))
        .hint(format!(
            "change {}, or have the volume registered for that data plane",
            file.place_of(key)
        ))
        .at(file, key));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};
    use wiremock::matchers::path;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::api::projects::ProjectId;
    use crate::client::tests::connection;

    fn file() -> StageFile {
        let text = "[defaults]\nhost = \"domino.example.com\"\nproject = \"wine-team/whine\"\n[stage.prod]\n\
                    hardware-tier = \"small\"\ndata-plane = \"prod-plane\"\n[job.train]\ncommand = \"train.py\"\n";
        StageFile::read(text, Path::new("stages.toml")).unwrap()
    }

    async fn answering(route: &str, reply: ResponseTemplate, server: &MockServer) {
        let mock = Mock::given(path(route)).respond_with(reply);
        mock.mount(server).await;
    }

    #[tokio::test]
    async fn a_project_that_may_not_be_seen_lists_those_that_may() {
        let server = MockServer::start().await;
        let route = "/v4/gateway/projects/findProjectByOwnerAndName";
        answering(route, ResponseTemplate::new(403), &server).await;
        let known = json!([{"name": "wine", "ownerName": "wine-team"}]);
        let known = ResponseTemplate::new(200).set_body_json(known);
        answering("/v4/gateway/projects", known, &server).await;
        let (reader, file) = (connection(&server.uri()).reader(), file());
        let error = Project::of_stage(&reader, &file, &file.stages[0])
            .await
            .unwrap_err();
        assert_eq!(error.exit(), Exit::Refused);
        let hint = error.to_do().unwrap();
        assert!(
            hint.ends_with("; the account sees `wine-team/wine`"),
            "{hint}"
        );
    }

    #[tokio::test]
    async fn a_tier_is_taken_only_when_domino_says_that_it_is_of_the_data_plane() {
        let plane = |id: &str, name: &str| json!({"id": id, "name": name});
        let rightly = "`data-plane` under `[stage.prod]` in stages.toml (line 6)";
        for (told, problem) in [
            (plane("d1", "prod-plane"), None),
            (plane("prod-plane", "Production"), None),
            (plane("d2", "dev-plane"), Some("change `hardware-tier`")),
            (Value::Null, Some("where Domino does not tell")),
        ] {
            let server = MockServer::start().await;
            let tiers = json!([{"hardwareTier": {"id": "s", "name": "small"}, "dataPlane": told}]);
            let tiers = ResponseTemplate::new(200).set_body_json(tiers);
            answering("/v4/projects/p1/hardwareTiers", tiers, &server).await;
            let (reader, file) = (connection(&server.uri()).reader(), file());
            let stage = &file.stages[0];
            let project = Project {
                id: ProjectId::new("p1"),
                name: stage.project.clone(),
                repository: None,
            };
            let target = file.target(Kind::Job, "train", stage);
            let found =
                ResolvedPlacement::find(&reader, &file, stage, Kind::Job, &project, &target).await;
            match (found, problem) {
                (Ok(place), None) => assert_eq!(place.tier.unwrap().name, "small"),
                (Err(error), Some(problem)) => {
                    assert_eq!(error.exit(), Exit::Refused);
                    let hint = error.to_do().unwrap();
                    assert!(
                        hint.starts_with(problem) && hint.contains(rightly),
                        "{hint}"
                    );
                }
                (found, _) => panic!("{told}: {found:?}"),
            }
        }
    }
}
